"""A visit to the one-click app without a mouse, in JupyterLab and in Voila."""

import pytest
from conftest import wait_until_idle

CELLS = "jupyterapp.shell.currentWidget.content.widgets.length"
CONTROLS = ".u2-app :is(button, input, select, [tabindex])"


def is_focused(element):
    return element.evaluate("element => element === document.activeElement")


@pytest.mark.parametrize("site", ["lab"], indirect=True)
def test_keys_pressed_on_a_control_leave_the_notebook_as_it_is(app):
    cells = app.evaluate(CELLS)
    controls = [each for each in app.locator(CONTROLS).all() if each.is_visible()]
    assert len(controls) > 20
    for control in controls:
        control.focus()
        if not is_focused(control):  # it cannot be, with keys or without
            continue
        for key in ("x", "a", "b"):  # cut the cell, insert one above, one below
            app.keyboard.press(key)
        assert app.evaluate(CELLS) == cells, control.evaluate("each => each.outerHTML")
        assert is_focused(control)
