"""frames -> file by FFmpeg: H.264, VP9 or ProRes, with the sound of another clip."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from u2demo.video.clip import Clip, Frame
from u2demo.video.sound import Sound

if TYPE_CHECKING:  # av is optional
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_BT709 = 1  # the number of its primaries, curve and matrix (ITU-T H.273)
_LIMITED = 1  # FFmpeg's number for values from 16 to 235


class Coding(NamedTuple):
    """How FFmpeg encodes pictures and sound. ``copied`` is sound that need not be encoded again."""

    container: str
    codec: str
    options: Mapping[str, str]
    pixels: str
    pixels_with_alpha: str | None
    tick: Fraction  # seconds; frame times are multiples of it
    copied: frozenset[str]
    audio: str  # what other sound becomes
    even: bool = False  # whether width and height must be

    @property
    def alpha(self) -> bool:
        """Whether pictures may be transparent."""
        return self.pixels_with_alpha is not None


class Shape(NamedTuple):
    """What all frames of a clip have in common."""

    width: int
    height: int
    mode: str


def encode_clip(
    coding: Coding, path: Path, frames: Iterator[Frame], shape: Shape, like: Clip
) -> Iterator[Fraction]:
    """Write frames of this shape to ``path``; yield the time of each once it is written."""
    try:
        import av  # optional; may be installed later
    except ImportError:
        raise ModuleNotFoundError("to write clips: pip install av", name="av") from None

    options = {"movflags": "+faststart"} if coding.container in ("mp4", "mov") else {}
    with av.open(f"file:{path}", "w", format=coding.container, container_options=options) as out:
        out.metadata.update(like.about)
        stream = _picture_track(out, coding, shape, like)
        with Sound(out, like, copied=coding.copied, codec=coding.audio) as sound:
            last = -1
            for frame in frames:
                picture = _for_codec(frame.image, stream)
                last = max(round(frame.time / coding.tick), last + 1)
                picture.pts, picture.time_base = last, coding.tick
                out.mux(stream.encode(picture))
                sound.write_until(frame.time)
                yield frame.time
            out.mux(stream.encode())
            sound.write_until(None)


def _picture_track(
    out: "OutputContainer", coding: Coding, shape: Shape, like: Clip
) -> "VideoStream":
    rate = like.rate.limit_denominator(10**6)
    stream = out.add_stream(coding.codec, rate=rate, options=dict(coding.options))
    stream.width = shape.width + (shape.width % 2 if coding.even else 0)
    stream.height = shape.height + (shape.height % 2 if coding.even else 0)
    stream.pix_fmt = coding.pixels_with_alpha if shape.mode == "RGBA" else coding.pixels
    codec = stream.codec_context
    codec.time_base = stream.time_base = coding.tick
    codec.color_primaries = codec.color_trc = codec.colorspace = _BT709
    codec.color_range = _LIMITED
    return stream


def _for_codec(picture: Image.Image, stream: "VideoStream") -> "VideoFrame":
    """Return a picture in the stream's pixels; a side that is too short is filled up."""
    from av import VideoFrame

    alpha = picture.mode == "RGBA"
    values = np.asarray(picture if alpha else picture.convert("RGB"))
    below, right = stream.height - picture.height, stream.width - picture.width
    if below or right:
        values = np.pad(values, ((0, below), (0, right), (0, 0)), "edge")
    frame = VideoFrame.from_ndarray(values, format="rgba" if alpha else "rgb24")
    return frame.reformat(format=stream.pix_fmt, dst_colorspace="ITU709")
