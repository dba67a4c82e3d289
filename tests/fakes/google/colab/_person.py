"""What the person at the page does next; tests set it."""

answers = True  # does the page answer at all? VS Code's does not
uploads = []  # what each dialog gets: a list of (name, bytes), or an exception to raise
photos = []  # what each camera gets: a data URL, None for a cancel, or an exception
downloads = []  # (name, bytes) that arrived in the browser
drive_failures = []  # an exception for each mount, None for one that works
page = None  # a function that runs a script in a real page, in place of all of the above
scripts = []  # every JavaScript the page was asked to run
