"""The app's controls: what to do with the subject, and how."""

from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets
from PIL import Image

from u2demo.effects.boxes import crop
from u2demo.effects.effect import Effect
from u2demo.masks.mask import Mask
from u2demo.notebook.actions import Action, Pictures, Settings, all_actions
from u2demo.notebook.callbacks import guarded
from u2demo.notebook.choices import NamedPhoto, SceneChoice
from u2demo.notebook.controls import EDGE, make_controls
from u2demo.notebook.layout import style
from u2demo.notebook.notes import Notes, escape
from u2demo.notebook.photo import open_upload
from u2demo.notebook.preview import contact_sheet

_LARGE = "Very large photos"
_MOST_PIXELS = 1_000_000_000  # of these; their mask alone takes 4 GB
_WAYS_OUT = " To raise it:"  # open_image's, for programs and the command line


class Panel:
    """Controls for an action and its settings; ``on_change`` is called after each change.

    ``toolbar``, ``title`` (what the action does) and ``column`` are the widgets to place.
    ``quality`` is not one of the settings, because it needs the network. ``scene`` is the
    background photo until another is chosen. ``actions`` are those to offer, by default all.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        notes: Notes,
        scene: NamedPhoto,
        actions: Mapping[str, Action] | None = None,
    ):
        self._on_change = guarded(on_change, notes)
        self._is_showing = False  # settings that nobody has changed here
        self._actions = all_actions() if actions is None else actions
        self._scene = SceneChoice(scene, self._open, self.explain)
        self._controls = {"scene": self._scene, **make_controls(Settings())}
        for control in self._controls.values():
            control.observe(lambda _: self._tell(), names="value")
        self.toolbar = ipywidgets.ToggleButtons(
            options=[(action.label, name) for name, action in self._actions.items()],
            tooltips=[action.title for action in self._actions.values()],
        )
        self.toolbar.add_class("u2-toolbar")
        self.toolbar.observe(lambda _: self._tell(), names="value")
        self.quality = ipywidgets.ToggleButtons(
            options=[("Fast", "fast"), ("Best", "best")],
            tooltips=[
                "One pass; more only if no subject is clear",
                "Several passes: slower, finer",
            ],
        )
        self.quality.add_class("u2-quality")
        self._large = ipywidgets.Checkbox(description=_LARGE, indent=False)
        self._large.layout.display = "none"  # until one is refused
        self.title = ipywidgets.HTML()
        edge = {name: self._controls[name] for name in EDGE}
        self._special = {name: each for name, each in self._controls.items() if name not in edge}
        self._group = _group(*self._special.values())
        self._more = ipywidgets.ToggleButton(description="More", tooltip="More about the edge")
        self._more.add_class("u2-rare")
        self._more.observe(lambda _: self._arrange(), names="value")
        groups = [self._group, _group(_heading("Edge"), *edge.values(), self._more)]
        groups.append(_group(_heading("Quality"), self.quality, self._large))
        self.column = ipywidgets.VBox([style("controls.css"), *groups])
        self._arrange()

    @property
    def action(self) -> Action:
        """The chosen entry of the toolbar."""
        return self._actions[self.toolbar.value]

    @property
    def settings(self) -> Settings:
        """What the controls say now."""
        return Settings(**{name: control.value for name, control in self._controls.items()})

    def show(self, settings: Settings) -> None:
        """Put the controls to ``settings``; ``on_change`` is not called."""
        self._is_showing = True
        try:
            for name, control in self._controls.items():
                value = getattr(settings, name)
                control.value = self._scene.first if name == "scene" and value is None else value
        finally:
            self._is_showing = False
        self._arrange()

    def change(self, values: Mapping[str, object]) -> None:
        """Put sliders of some settings to ``values``, as a person would, in one change."""
        self._is_showing = True
        try:
            for name, value in values.items():
                slider = self._controls[name]
                slider.value = round(round(value / slider.step) * slider.step, 6)
        finally:
            self._is_showing = False
        self._tell()

    def reset(self, label: str) -> None:
        """Put the control on the page that is called ``label`` back to its default."""
        for name, control in self._controls.items():
            is_shown = control.layout.display != "none"
            if is_shown and getattr(control, "description", None) == label:
                control.value = getattr(Settings(), name)

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
            return action.draw(image, settings.edge(image.size).apply(mask), settings)

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
        settings = (settings or self.settings).for_screen(image.size)
        pictures = self.drawing()(image, mask, settings)
        if len(pictures) == 1:
            return next(iter(pictures.values()))
        return contact_sheet(pictures, image.size) if pictures else image

    def _tell(self) -> None:
        if not self._is_showing:
            self._arrange()
            self._on_change()

    def _open(self, name: str, data: bytes) -> Image.Image:
        return open_upload(name, data, max_pixels=self.max_pixels)

    def _arrange(self) -> None:
        self.title.value = f'<div class="u2-title">{escape(self.action.title)}.</div>'
        for name, control in self._special.items():
            control.layout.display = "" if name in self.action.controls else "none"
        self._group.layout.display = "" if self.action.controls else "none"
        if self.settings.fade is None:
            self._controls["angle"].layout.display = "none"
        for name in EDGE:
            is_shown = name in ("threshold", "softness") or self._more.value
            if name == "softness" and not self.action.soft:
                is_shown = False
            self._controls[name].layout.display = "" if is_shown else "none"
        self._more.description = "Less" if self._more.value else "More"


def _group(*controls: ipywidgets.Widget) -> ipywidgets.VBox:
    group = ipywidgets.VBox(list(controls))
    group.add_class("u2-group")
    return group


def _heading(text: str) -> ipywidgets.HTML:
    return ipywidgets.HTML(f'<div class="u2-heading">{escape(text)}</div>')
