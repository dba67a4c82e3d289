"""Draw with the mouse, as a hand does."""


def drag(page, first, *others):
    """Press at a place of the page, go to the others, and let go."""
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place)
    page.mouse.up()
