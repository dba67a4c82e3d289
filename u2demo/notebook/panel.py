"""The app's controls: what to do with the subject, and how."""

from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets
from PIL import Image

from u2demo.effects.boxes import crop
from u2demo.effects.effect import Effect
from u2demo.masks.adjust import adjust_mask
from u2demo.masks.mask import Mask
from u2demo.notebook.actions import Action, Pictures, Settings, all_actions
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.photo import open_upload
from u2demo.notebook.photo_picker import Files, make_photo_picker
from u2demo.notebook.preview import contact_sheet

_LARGE = "Very large photos"
_MOST_PIXELS = 1_000_000_000  # of these; their mask alone takes 4 GB
_WAYS_OUT = " To raise it:"  # open_image's, for programs and the command line


class Panel:
    """Controls for an action and its settings; ``on_change`` is called after each change.

    ``toolbar`` and ``column`` are the widgets to place. ``quality`` is not one of the settings,
    because it needs the network. ``scene`` is the background photo until another is chosen.
    ``actions`` are those to offer, by default all.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        notes: Notes,
        scene: Image.Image,
        actions: Mapping[str, Action] | None = None,
    ):
        self._on_change = guarded(on_change, notes)
        self._scene = scene
        self._is_showing = False  # settings that nobody has changed here
        self._actions = all_actions() if actions is None else actions
        self._controls = _make_controls(Settings())
        for control in self._controls.values():
            control.observe(lambda _: self._tell(), names="value")
        self._scene_notes = Notes()
        scene_control = ipywidgets.VBox([self._make_scene_picker(), self._scene_notes])
        self.toolbar = ipywidgets.ToggleButtons(
            options=[(action.label, name) for name, action in self._actions.items()],
            tooltips=[action.title for action in self._actions.values()],
        )
        self.toolbar.add_class("u2-toolbar")
        self.toolbar.observe(self._switch, names="value")
        self.quality = ipywidgets.ToggleButtons(
            options=[("Fast", "fast"), ("Best", "best")],
            tooltips=["One look at the photo", "Several looks: slower, finer"],
        )
        self.quality.add_class("u2-quality")
        self._large = ipywidgets.Checkbox(description=_LARGE, indent=False)
        self._large.layout.display = "none"  # until one is refused
        self._title = ipywidgets.HTML()
        edge = [self._controls[name] for name in ("threshold", "softness")]
        special = {name: each for name, each in self._controls.items() if each not in edge}
        self._special = {**special, "scene": scene_control}
        self._group = _group(*self._special.values())
        groups = [self._group, _group(_heading("Edge"), *edge)]
        groups.append(_group(_heading("Quality"), self.quality, self._large))
        self.column = ipywidgets.VBox([self._title, *groups])
        self._arrange()

    @property
    def action(self) -> Action:
        """The chosen entry of the toolbar."""
        return self._actions[self.toolbar.value]

    @property
    def settings(self) -> Settings:
        """What the controls say now."""
        values = {name: control.value for name, control in self._controls.items()}
        return Settings(scene=self._scene, **values)

    def show(self, settings: Settings) -> None:
        """Put the controls to ``settings``; ``on_change`` is not called."""
        self._is_showing = True
        try:
            for name, control in self._controls.items():
                control.value = getattr(settings, name)
            self._scene = settings.scene
        finally:
            self._is_showing = False

    @property
    def max_pixels(self) -> int | None:
        """The most pixels of a photo to open, as for ``open_image``."""
        return _MOST_PIXELS if self._large.value else None

    def explain(self, refusal: ValueError) -> str:
        """Return why a photo cannot be opened; if it is too large, with a way out on the page."""
        reason, is_too_large, _ = str(refusal).partition(_WAYS_OUT)
        if not is_too_large or self._large.value:
            return str(refusal)
        self._large.layout.display = ""
        return f"{reason} To open it, tick “{_LARGE}” under Quality and choose it again."

    def drawing(self) -> Callable[..., Pictures]:
        """Return a function of image, mask and settings that draws the present action.

        It draws the same after a change of the controls. Its settings are by default the present.
        """
        action, present = self.action, self.settings

        def draw(image: Image.Image, mask: Mask, settings: Settings = present) -> Pictures:
            threshold, softness = settings.threshold, settings.softness
            adjusted = adjust_mask(mask, threshold=threshold, softness=softness)
            return action.draw(image, adjusted, settings)

        return draw

    def effect(self) -> Effect:
        """Return an action of one picture with the present settings, as an effect of clips."""
        if self.toolbar.value == "crop":  # all frames of a shot share a box
            return partial(crop, margin=self.settings.margin, threshold=self.settings.threshold)
        draw = self.drawing()

        def effect(image: Image.Image, mask: Mask) -> Image.Image:
            (picture,) = draw(image, mask).values()
            return picture

        return effect

    def picture(
        self, image: Image.Image, mask: Mask, settings: Settings | None = None
    ) -> Image.Image:
        """Return one picture for the screen: a contact sheet of several, the photo if none.

        ``settings`` are by default what the controls say.
        """
        pictures = self.drawing()(image, mask, settings or self.settings)
        if len(pictures) == 1:
            return next(iter(pictures.values()))
        return contact_sheet(pictures, image.size) if pictures else image

    def _tell(self) -> None:
        if not self._is_showing:
            self._on_change()

    def _make_scene_picker(self) -> ipywidgets.Widget:
        return make_photo_picker(
            guarded(self._take_scene, self._scene_notes),
            self._scene_notes,
            label="Choose background",
            hint="or drop it here",
            multiple=False,
            camera=False,
        )

    def _switch(self, _: dict) -> None:
        self._arrange()
        self._on_change()

    def _arrange(self) -> None:
        self._title.value = f'<div class="u2-title">{escape(self.action.title)}</div>'
        for name, control in self._special.items():
            control.layout.display = "" if name in self.action.controls else "none"
        self._group.layout.display = "" if self.action.controls else "none"
        self._controls["softness"].layout.display = "" if self.action.soft else "none"

    def _take_scene(self, files: Files) -> None:
        self._scene_notes.clear()
        for name, data in files[:1]:
            try:
                self._scene = open_upload(name, data, max_pixels=self.max_pixels)
            except ValueError as error:
                self._scene_notes.say(self.explain(error), kind="problem")
            else:
                self._on_change()


def _make_controls(defaults: Settings) -> dict[str, ipywidgets.Widget]:
    """Return a control for each field of ``Settings`` except the scene, which is a photo."""
    return {
        "color": _color("Color", defaults.color),
        "blur": _slider("Strength", defaults.blur, 0.004, 0.06, 0.002, ".1%"),
        "tint": _color("Tint", defaults.tint),
        "margin": _slider("Margin", defaults.margin, 0.0, 0.5, 0.01),
        "threshold": _slider("Threshold", defaults.threshold, 0.05, 0.95, 0.01),
        "softness": _slider("Softness", defaults.softness, 0.0, 1.0, 0.01),
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


def _group(*controls: ipywidgets.Widget) -> ipywidgets.VBox:
    group = ipywidgets.VBox(list(controls))
    group.add_class("u2-group")
    return group


def _heading(text: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(f'<div class="u2-heading">{escape(text)}</div>')
