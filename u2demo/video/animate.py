"""frames -> file by Pillow: GIF, WebP and PNG that move."""

import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from PIL import Image

from u2demo.video.clip import Clip, Frame, Shape

_MOST_PIXELS = 150_000_000  # of all frames, which are in memory together


class Animation(NamedTuple):
    """How Pillow encodes a short clip."""

    format: str
    options: Mapping[str, object]
    tick: Fraction  # seconds
    shortest: int = 1  # ticks that a frame is shown; those that come sooner wait, or are left out
    if_transparent: Mapping[str, object] = MappingProxyType({})  # more options
    alpha: bool = True


class Animator:
    """A short clip that Pillow writes to ``path``. Once all frames are added, ``finish``."""

    def __init__(self, animation: Animation, path: Path, shape: Shape, like: Clip):
        self._animation, self._path, self._shape, self._like = animation, path, shape, like
        self._pictures: list[Image.Image] = []
        self._ticks: list[int] = []  # at which each of them is shown
        self._too_soon: Image.Image | None = None  # has come since, too soon after the last

    def add(self, frame: Frame) -> None:
        """Keep a frame; one that comes too soon after the one before waits for a pause."""
        tick = round(frame.time / self._animation.tick)
        if self._ticks and tick - self._ticks[-1] < self._animation.shortest:
            self._too_soon = frame.image
            return
        self._use_pause(tick)
        self._keep(frame.image, tick)

    def finish(self) -> None:
        """Write the file."""
        self._use_pause(self._end())
        animation, like = self._animation, self._like
        options = {**animation.options, **_repeated(animation, like.plays)}
        if self._shape.mode == "RGBA":
            options |= animation.if_transparent
        steps = np.diff([*self._ticks, self._end()]).tolist()
        first, *others = self._pictures
        try:
            first.save(
                self._path, animation.format, save_all=True, append_images=others,
                duration=[int(step * animation.tick * 1000) for step in steps], **options,
            )  # fmt: skip
        except (OverflowError, struct.error):  # Pillow adds up the times of pictures that are alike
            raise ValueError(
                "a picture is shown for longer than this format can say (a GIF: 655 s); choose webm"
            ) from None

    def close(self) -> None:
        """Do nothing: no file is open."""

    def _use_pause(self, until: int) -> None:
        """Keep the frame that waits, if there is time for it before a tick."""
        shortest = self._animation.shortest
        if self._too_soon is not None and until - self._ticks[-1] >= 2 * shortest:
            self._keep(self._too_soon, self._ticks[-1] + shortest)
        self._too_soon = None

    def _keep(self, picture: Image.Image, tick: int) -> None:
        check_frames(len(self._pictures) + 1, (self._shape.width, self._shape.height))
        self._pictures.append(_for_animation(picture, self._animation))
        self._ticks.append(tick)

    def _end(self) -> int:
        """Return the tick at which the last picture ends."""
        animation, like, last = self._animation, self._like, self._ticks[-1]
        end = round(like.duration / animation.tick) if like.duration else 0
        usual = max(animation.shortest, round(1 / like.rate / animation.tick))
        return end if end - last >= animation.shortest else last + usual


def check_frames(count: int, size: tuple[int, int]) -> None:
    """Raise ``ValueError`` if an animation cannot have so many frames of this size."""
    room = _MOST_PIXELS // (size[0] * size[1])
    if count > room:
        raise ValueError(
            f"the clip is too long for an animation, which may have {room} frames of"
            f" {size[0]}x{size[1]}; choose webm, or make it smaller"
        )


def _for_animation(picture: Image.Image, animation: Animation) -> Image.Image:
    """Return a picture that Pillow can write in this kind of animation."""
    if picture.mode == "L" and animation.format != "WEBP":
        return picture.convert("RGB")  # Pillow cannot write an animated GIF or PNG in gray
    if picture.mode == "RGBA" and animation.format == "GIF":  # Pillow shows all that is above 0
        values = np.array(picture)
        values[values[..., 3] < 128] = 0
        values[..., 3][values[..., 3] > 0] = 255
        return Image.fromarray(values)
    return picture


def _repeated(animation: Animation, plays: int) -> Mapping[str, int]:
    """Return the option of Pillow that has an animation shown so often, 0 for ever."""
    if animation.format != "GIF" or plays == 0:
        return {"loop": plays}
    return {"loop": plays - 1} if plays > 1 else {}  # a GIF says how often it is repeated
