"""settings -> controls: a slider, menu or choice for each of them."""

import ipywidgets

from u2demo.notebook.actions import Settings
from u2demo.notebook.choices import ColorChoice, FadeChoice, LessOrMore, SizeChoice

EDGE = ("threshold", "softness", "grow", "feather", "fill_holes", "drop_specks")
_DIRECTIONS = {"Down": 180.0, "Up": 0.0, "Right": 90.0, "Left": 270.0, "Diagonally": 135.0}


def make_controls(defaults: Settings) -> dict[str, ipywidgets.Widget]:
    """Return a control for each field of ``Settings``, in order, but for the scene, a photo."""
    return {
        "canvas": SizeChoice(defaults.canvas),
        "space": _slider("Margin", defaults.space, 0.0, 0.4, 0.01),
        "shadow": _slider("Shadow", defaults.shadow, 0.0, 1.0, 0.05),
        "color": ColorChoice("Color", defaults.color),
        "fade": FadeChoice(defaults.fade),
        "angle": ipywidgets.Dropdown(
            options=list(_DIRECTIONS.items()), value=defaults.angle, description="Fades"
        ),
        "zoom": _slider("Zoom", defaults.zoom, 1.0, 4.0, 0.05),
        "across": _slider("Left, right", defaults.across, -1.0, 1.0, 0.01),
        "down": _slider("Up, down", defaults.down, -1.0, 1.0, 0.01),
        "haze": _slider("Blur", defaults.haze, 0.0, 0.06, 0.002, ".1%"),
        "subject_zoom": _slider("Subject size", defaults.subject_zoom, 0.1, 4.0, 0.01),
        "subject_across": _slider("Moved right", defaults.subject_across, -1.0, 1.0, 0.002),
        "subject_down": _slider("Moved down", defaults.subject_down, -1.0, 1.0, 0.002),
        "blur": _slider("Strength", defaults.blur, 0.004, 0.06, 0.002, ".1%"),
        "tint": _color("Tint", defaults.tint),
        "line": _color("Line", defaults.line),
        "margin": _slider("Margin", defaults.margin, 0.0, 0.5, 0.01),
        "threshold": LessOrMore(defaults.threshold),
        "softness": _slider("Soft edge", defaults.softness, 0.0, 1.0, 0.01),
        "grow": _slider("Grow", defaults.grow, -0.02, 0.02, 0.0005, ".2%"),
        "feather": _slider("Feather", defaults.feather, 0.0, 0.02, 0.0005, ".2%"),
        "fill_holes": _slider("Fill holes", defaults.fill_holes, 0.0, 0.2, 0.002, ".1%"),
        "drop_specks": _slider("No specks", defaults.drop_specks, 0.0, 0.2, 0.002, ".1%"),
    }


def _slider(
    text: str, value: float, low: float, high: float, step: float, form: str = ".0%"
) -> ipywidgets.FloatSlider:
    return ipywidgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=text, readout_format=form
    )


def _color(text: str, value: str) -> ipywidgets.ColorPicker:
    # Concise hides the text field, which accepts invalid colors.
    return ipywidgets.ColorPicker(value=value, description=text, concise=True)
