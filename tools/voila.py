"""What `make app` tells Voila, which reads this file because of its name.

A page that is gone takes its kernel and its photos along; a page asks no other host for anything.
"""

c = get_config()  # noqa: F821


def let_pages_say_goodbye(handler, notebook, cwd):
    """Give the page the cookie without which the server refuses its last request: end my kernel."""
    handler.xsrf_token  # noqa: B018  # reading it sets the cookie


c.VoilaConfiguration.prelaunch_hook = let_pages_say_goodbye
# A browser that crashes says no goodbye. An open page keeps its kernel, however idle.
c.MappingKernelManager.cull_idle_timeout = 300  # seconds
c.MappingKernelManager.cull_interval = 30
c.MappingKernelManager.cull_connected = False
# Voila's template links to icons on a CDN, which nothing here uses.
OURS = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
c.Voila.tornado_settings = {"headers": {"Content-Security-Policy": OURS}}
# The badge for Colab, and how to run cells.
c.TagRemovePreprocessor.remove_cell_tags = {"notebook-only"}
