"""cut-out -> a picture of one size, with the subject in its middle, as shops want it."""

import math

from PIL import Image, ImageChops, ImageFilter

from u2demo.effects.cutout import remove_background
from u2demo.effects.effect import blur_step
from u2demo.effects.scenes import Background, draw_scene, is_transparent
from u2demo.images.rgb import as_photo, part_of, shared_info
from u2demo.machine.numbers import are_whole_numbers, check_number
from u2demo.masks.box import Box
from u2demo.masks.mask import Mask

SIZE = (2000, 2000)
SPACE = 0.08  # the margin: a share of the canvas's shorter side
SHADOW = 0.3
LONGEST = 65_500  # pixels along a side, as in a JPEG
WIDEST = 0.45  # the most that a margin may be
_SEEN = [255 * (alpha > 12) for alpha in range(256)]  # 5 %: fainter pixels do not move the middle
_LOW = 0.35  # the part of the subject that casts the shadow, from below, a share of its height
_FLAT = 0.06  # the height of the shadow, a share of the subject's longer side
_SOFT = 0.016  # the standard deviation of its blur, a share of that side, too


def place_on_canvas(
    cutout: Image.Image,
    *,
    size: tuple[int, int] | None = SIZE,
    margin: float = SPACE,
    background: Background = "white",
    shadow: float = SHADOW,
) -> Image.Image:
    """Return a picture of ``size``, (width, height), with the subject of a cut-out in its middle.

    The subject, which is all that shows in ``cutout``, is scaled until it meets the margin on two
    sides; a small one is enlarged, so that the pictures of a series look alike. With ``size`` None
    it keeps its pixels, and the canvas is a square around its longer side and the margins.

    ``margin`` is a share of the canvas's shorter side, on all sides. ``background`` is as for
    ``replace_background``; the picture is RGB, or RGBA if that is "transparent". ``shadow`` is how
    dark the soft shadow below the subject is, 0 to 1. The color profile of ``cutout`` stays.

    Raises:
        ValueError: ``size`` is not two whole numbers of pixels up to 65,500, ``margin`` is not from
            0 to 0.45, ``shadow`` is not from 0 to 1, or ``background`` is an unknown color.
        TypeError: ``cutout`` is not an image, or an option is of another type.
    """
    photo = as_photo(cutout)
    box = _subject_of(photo)
    return place_part(photo, box, size=size, margin=margin, background=background, shadow=shadow)


def place_part(
    photo: Image.Image,
    box: Box,
    *,
    size: tuple[int, int] | None = SIZE,
    margin: float = SPACE,
    background: Background = "white",
    shadow: float = SHADOW,
) -> Image.Image:
    """Return the canvas of ``place_on_canvas`` with ``box``, a part of ``photo``, in its middle."""
    check_canvas(size, margin, shadow)
    margin, shadow = float(margin), float(shadow)
    if size is None:
        size, spot = _square_around(box, margin)
    else:
        spot = _spot_for(box, size, margin)
    canvas = _draw_canvas(background, size, photo.info.get("icc_profile"))
    drawn, place = _scaled(photo, box, spot, size)
    if shadow:
        _draw_shadow(canvas, drawn, place, spot, shadow)
    _draw_over(canvas, drawn, place)
    canvas.info = shared_info(photo)
    return canvas


def put_on_canvas(
    image: Image.Image,
    mask: Mask,
    *,
    size: tuple[int, int] | None = SIZE,
    margin: float = SPACE,
    background: Background = "white",
    shadow: float = SHADOW,
) -> Image.Image:
    """Return the subject of a photo on a canvas: ``place_on_canvas`` as an effect."""
    cutout = remove_background(image, mask)
    return place_on_canvas(cutout, size=size, margin=margin, background=background, shadow=shadow)


def check_canvas(size: tuple[int, int] | None, margin: float, shadow: float) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless all are as ``place_on_canvas`` expects them."""
    expected = f"(width, height), each a whole number of pixels from 1 to {LONGEST:,}, or None"
    sentence = f"size is {size!r:.80}, expected {expected}"
    if size is not None:
        if not are_whole_numbers(size, count=2):
            raise TypeError(sentence)
        if not all(1 <= side <= LONGEST for side in size):
            raise ValueError(sentence)
    expected = f"0 to {WIDEST}, a share of the canvas's shorter side"
    check_number("margin", margin, expected=expected, most=WIDEST)
    check_number("shadow", shadow, expected="0 (none) to 1 (black)", most=1.0)


def _subject_of(photo: Image.Image) -> Box:
    """Return the box around all that shows; all of the photo if nothing does."""
    whole = Box(0, 0, *photo.size)
    if photo.mode == "RGB":
        return whole
    alpha = photo.getchannel("A")
    box = alpha.point(_SEEN).getbbox() or alpha.getbbox()
    return Box(*box) if box else whole


def _middle_of(size: tuple[int, int], part: tuple[int, int]) -> Box:
    """Return the box of the size ``part`` in the middle of a canvas of ``size``."""
    left, top = (size[0] - part[0]) // 2, (size[1] - part[1]) // 2
    return Box(left, top, left + part[0], top + part[1])


def _square_around(box: Box, margin: float) -> tuple[tuple[int, int], Box]:
    """Return the size of a canvas on which the subject keeps its pixels, and its place there."""
    longer = max(box.size)
    side = longer + 2 * math.ceil(longer * margin / (1 - 2 * margin))
    return (side, side), _middle_of((side, side), box.size)


def _spot_for(box: Box, size: tuple[int, int], margin: float) -> Box:
    """Return where on a canvas the subject goes, scaled to fit between the margins."""
    space = round(margin * min(size))
    free = [max(1, side - 2 * space) for side in size]
    sides = box.size
    scale = min(free[0] / sides[0], free[1] / sides[1])
    scaled = (max(1, round(side * scale)) for side in sides)
    return _middle_of(size, tuple(map(min, scaled, free)))


def _draw_canvas(
    background: Background, size: tuple[int, int], profile: bytes | None
) -> Image.Image:
    if is_transparent(background):
        return Image.new("RGBA", size)
    return draw_scene(background, size, profile)


def _scaled(
    photo: Image.Image, box: Box, spot: Box, size: tuple[int, int]
) -> tuple[Image.Image, tuple[int, int]]:
    """Return the subject as large as ``spot``, RGBA, and its (left, top) on the canvas.

    What shows faintly around it is drawn too, as far as the canvas reaches.
    """
    across, down = (new / old for new, old in zip(spot.size, box.size, strict=True))
    left = min(spot.left, int(box.left * across))
    top = min(spot.top, int(box.top * down))
    right = min(size[0] - spot.right, int((photo.width - box.right) * across))
    bottom = min(size[1] - spot.bottom, int((photo.height - box.bottom) * down))
    place = Box(spot.left - left, spot.top - top, spot.right + right, spot.bottom + bottom)
    part = (
        max(0, box.left - left / across),
        max(0, box.top - top / down),
        min(photo.width, box.right + right / across),
        min(photo.height, box.bottom + bottom / down),
    )
    whole = Box(int(part[0]), int(part[1]), math.ceil(part[2]), math.ceil(part[3]))
    drawn = part_of(photo, whole).convert("RGBA")
    if (across, down) != (1, 1):
        start = (whole.left, whole.top) * 2
        within = tuple(edge - begin for edge, begin in zip(part, start, strict=True))
        drawn = _resized(drawn, place.size, within)
    return drawn, (place.left, place.top)


def _resized(subject: Image.Image, size: tuple[int, int], within: tuple[float, ...]) -> Image.Image:
    """Return the part ``within`` of a cut-out at another size, with nothing around it."""
    drawn = subject.resize(size, Image.Resampling.LANCZOS, within, reducing_gap=3.0)
    # That filter draws a faint line some way around, where the bicubic one draws nothing.
    alpha = subject.getchannel("A")
    seen = alpha.resize(size, Image.Resampling.BICUBIC, within, reducing_gap=3.0)
    drawn.putalpha(ImageChops.darker(drawn.getchannel("A"), seen.point([0] + [255] * 255)))
    return drawn


def _draw_shadow(
    canvas: Image.Image, drawn: Image.Image, place: tuple[int, int], spot: Box, strength: float
) -> None:
    """Draw what the lower part of the subject, pressed flat, leaves on the ground below it.

    It is drawn small, as it has no detail.
    """
    longer = max(spot.size)
    step = blur_step(_SOFT * longer)
    foot = spot.bottom - place[1]
    knee = int(foot - _LOW * spot.height)
    low = drawn.getchannel("A").crop((0, knee, drawn.width, foot))
    flat = low.resize(
        (max(1, low.width // step), max(1, round(_FLAT * longer / step))), Image.Resampling.BOX
    )
    shadow = Image.new("L", tuple(-(-side // step) for side in canvas.size))
    shadow.paste(flat, (place[0] // step, spot.bottom // step - flat.height // 2))
    shadow = shadow.filter(ImageFilter.GaussianBlur(_SOFT * longer / step))
    shadow = shadow.point([round(strength * level) for level in range(256)])
    if step > 1:
        shown = (0, 0, canvas.width / step, canvas.height / step)
        shadow = shadow.resize(canvas.size, Image.Resampling.BICUBIC, shown)
    if canvas.mode == "RGBA":
        black = Image.new("RGBA", canvas.size)
        black.putalpha(shadow)
        canvas.alpha_composite(black)
    else:
        canvas.paste("black", (0, 0), shadow)


def _draw_over(canvas: Image.Image, drawn: Image.Image, place: tuple[int, int]) -> None:
    if canvas.mode == "RGBA":
        canvas.alpha_composite(drawn, place)
    else:
        canvas.paste(drawn, place, drawn)
