"""decoded frame -> picture: upright, with square pixels, in the colors that were seen."""

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from u2demo.images.colors import convert
from u2demo.images.profiles import of_code_points

if TYPE_CHECKING:  # av is optional
    from av import VideoFrame
    from av.filter import Graph
    from av.video.stream import VideoStream

_STRETCH = 4  # times as wide as high; pixels further from a square are a mistake
_TURN = Image.Transpose
# By the signs of a, b, c and d of a display matrix, which takes (x, y) to (ax + cy, bx + dy).
_TURNS = {
    (-1, 0, 0, 1): _TURN.FLIP_LEFT_RIGHT, (1, 0, 0, -1): _TURN.FLIP_TOP_BOTTOM,
    (-1, 0, 0, -1): _TURN.ROTATE_180, (0, 1, 1, 0): _TURN.TRANSPOSE,
    (0, 1, -1, 0): _TURN.ROTATE_270, (0, -1, 1, 0): _TURN.ROTATE_90,
    (0, -1, -1, 0): _TURN.TRANSVERSE,
}  # fmt: skip
_SIDEWAYS = {_TURN.ROTATE_90, _TURN.ROTATE_270, _TURN.TRANSPOSE, _TURN.TRANSVERSE}
# Numbers of ITU-T H.273.
_HDR = {16, 18}  # transfer characteristics: PQ and HLG
_WIDE = {9, 11, 12}  # primaries: BT.2020, DCI-P3 and Display P3
_TICK = Fraction(1, 1000)  # any will do: times are not read from filtered frames
_UNSAID = 2  # matrix coefficients
# Bilinear, and chroma at full width: otherwise FFmpeg makes white 253, with 10 bits or enlarged.
_EXACT = 2 | 8192
# With alpha also rounded with care: the faster way leaves columns at the right edge undrawn.
_EXACT_WITH_ALPHA = _EXACT | 1 << 18
_HD = 577  # rows; from here on players take a matrix that is not said for that of BT.709
_SAME_SHAPE = Fraction(1, 100)  # by which proportions may differ: rounded, or of whole macroblocks


class Form(NamedTuple):
    """What the pictures of a clip have in common."""

    size: tuple[int, int]  # before they are turned
    turn: Image.Transpose | None
    alpha: bool
    pixel: Fraction  # how many times as wide as high a pixel of the file is

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height once they are turned."""
        return self.size[::-1] if self.turn in _SIDEWAYS else self.size


class Pictures:
    """frame -> picture, in sRGB, with the size and the turn of ``form``.

    Where the shape changes amid a clip, as when a phone is turned, there are bars.
    """

    def __init__(self, form: Form):
        self._form = form
        self._format = "rgba" if form.alpha else "rgb24"
        self._scaling = _EXACT_WITH_ALPHA if form.alpha else _EXACT
        self._tone_map = None

    def __call__(self, frame: "VideoFrame") -> Image.Image:
        """Return the picture of a frame, RGB or RGBA."""
        if frame.color_trc in _HDR and not self._form.alpha:
            frame = self._tone_mapped(frame)
        matrix = "ITU709" if frame.colorspace == _UNSAID and frame.height >= _HD else None
        width, height = _fitted(frame, self._form)
        frame = frame.reformat(
            width, height, self._format, src_colorspace=matrix, interpolation=self._scaling
        )
        picture = _amid_bars(Image.fromarray(frame.to_ndarray()), self._form.size)
        if frame.color_primaries in _WIDE:
            space = of_code_points(frame.color_primaries, frame.color_trc)
            picture = convert(picture, space, None)
        return picture if self._form.turn is None else picture.transpose(self._form.turn)

    def _tone_mapped(self, frame: "VideoFrame") -> "VideoFrame":
        if self._tone_map is None:
            self._tone_map = _tone_map(frame)
        self._tone_map.push(frame)
        return self._tone_map.pull()


def _tone_map(frame: "VideoFrame") -> "Graph":
    """Return the filters of FFmpeg that take HDR frames like this one to sRGB.

    Not to the curve of BT.709, which it takes for that of a television: darks would be too bright.
    """
    from av.filter import Graph

    graph = Graph()
    given = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=_TICK
    )
    srgb = "out_transfer=iec61966-2-1:out_primaries=bt709:out_color_matrix=bt709"
    scale = graph.add("scale", srgb)
    graph.link_nodes(given, scale, graph.add("buffersink")).configure()
    return graph


def form_of(frame: "VideoFrame", stream: "VideoStream") -> Form:
    """Return the form of a clip's pictures, as its first frame says."""
    said = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    ratio = Fraction(said.numerator, said.denominator) if said else Fraction(1)
    pixel = ratio if 1 / _STRETCH <= ratio <= _STRETCH else Fraction(1)
    alpha = any(component.is_alpha for component in frame.format.components)
    return Form(_size(frame, pixel), _turn(frame), alpha, pixel)


def _size(frame: "VideoFrame", pixel: Fraction) -> tuple[int, int]:
    """Return a frame's size in square pixels."""
    return max(1, round(frame.width * pixel)), frame.height


def _fitted(frame: "VideoFrame", form: Form) -> tuple[int, int]:
    """Return the size at which a frame fits into the pictures of a clip."""
    width, height = form.size
    own = Fraction(*_size(frame, form.pixel))
    larger = own * height / width  # times as wide, at the same height
    if abs(larger - 1) < _SAME_SHAPE:
        return form.size
    if larger > 1:
        return width, max(1, round(width / own))
    return max(1, round(height * own)), height


def _amid_bars(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture of ``size`` with this one in its middle, nothing around it."""
    if picture.size == size:
        return picture
    whole = Image.new(picture.mode, size)
    whole.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return whole


def _turn(frame: "VideoFrame") -> Image.Transpose | None:
    from av.sidedata.sidedata import Type

    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return None
    a, b, _, c, d = struct.unpack("=9i", bytes(data))[:5]
    largest = max(map(abs, (a, b, c, d))) or 1
    return _TURNS.get(tuple(round(value / largest) for value in (a, b, c, d)))
