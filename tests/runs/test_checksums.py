"""Settings that shape a picture: the same ones are known again, others are told apart."""

from dataclasses import dataclass
from functools import partial
from types import FunctionType

import numpy as np
import pytest
import torch
from PIL import Image

import u2demo as u2
from u2demo.images.profiles import adobe_rgb
from u2demo.runs.checksums import checksum


def paint(image, mask, color="red", *, width=1):
    return Image.new("RGB", image.size, color)


def painter(color):
    return lambda image, mask: paint(image, mask, color)


def twice():
    def effect(image, mask):
        return effect(image, mask)

    return effect


@dataclass
class Palette:
    name: str
    colors: np.ndarray


class Brush:
    """An effect with settings of its own."""

    def __init__(self, colors):
        self.colors = colors

    def __call__(self, image, mask):
        return image

    def draw(self, image, mask):
        return image


class Slotted:
    __slots__ = ("colors",)

    def __init__(self, colors):
        self.colors = colors

    def __repr__(self):
        return "Slotted"


def in_adobe_rgb(image):
    image.info["icc_profile"] = adobe_rgb()
    return image


def one_at(place):
    return np.eye(1, 2000, place)[0]


SETTINGS = [
    "fast",
    "best",
    paint,
    partial(paint, color="blue"),
    partial(paint, color="green"),
    partial(paint, width=2),
    painter("blue"),
    painter("green"),
    lambda image, mask: image,
    lambda image, mask: image.convert("L"),
    u2.remove_background,
    u2.blur_background,
    partial(u2.replace_background, background="white"),
    partial(u2.replace_background, background=Image.new("RGB", (2, 2))),
    partial(u2.replace_background, background=Image.new("RGB", (2, 2), "white")),
    partial(u2.replace_background, background=in_adobe_rgb(Image.new("RGB", (2, 2), "white"))),
    partial(u2.replace_background, background=np.zeros(2000)),
    partial(u2.replace_background, background=one_at(999)),
    *(partial(paint, cfg=Palette("warm", one_at(place))) for place in (0, 999)),
    *(Brush(one_at(place)) for place in (0, 999)),
    *(Brush(one_at(place)).draw for place in (0, 999)),
    *(partial(paint, cfg=Slotted(one_at(place))) for place in (0, 999)),
    *(partial(paint, cfg={"warm": [torch.from_numpy(one_at(place))]}) for place in (0, 999)),
]


def test_different_settings_have_different_checksums():
    assert len({checksum(settings) for settings in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize("settings", SETTINGS, ids=range(len(SETTINGS)))
def test_the_same_settings_have_the_same_checksum(settings):
    assert checksum(settings) == checksum(settings)


def test_functions_made_alike_have_the_same_checksum():
    assert checksum(painter("blue")) == checksum(painter("blue"))


def test_what_cannot_be_looked_into_is_new_each_time():
    assert checksum(twice()) != checksum(twice())


def test_a_set_counts_by_what_is_in_it_not_by_the_order_it_has_in_this_run():
    one, other = frozenset([0, 8]), frozenset([8, 0])
    assert repr(one) != repr(other)
    assert checksum(one) == checksum(other) != checksum(frozenset([0]))


def test_a_function_without_a_module_is_looked_into():
    lonely = [FunctionType(paint.__code__, {}), FunctionType(twice.__code__, {})]
    assert len({checksum(function) for function in (*lonely, lonely[0])}) == 2
