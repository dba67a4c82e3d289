"""frames -> file by FFmpeg: H.264, VP9 or ProRes, with the sound of another clip."""

from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from u2demo.machine.cores import available_cores
from u2demo.video.clip import Clip, Frame, Shape
from u2demo.video.pyav import check_pyav
from u2demo.video.sound import Sound

if TYPE_CHECKING:  # av is optional
    from av import Packet, VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_BT709 = 1  # the number of its primaries, curve and matrix (ITU-T H.273)
_LIMITED = 1  # FFmpeg's number for values from 16 to 235
# With one thread, libvpx writes other bytes than with two or four; more take memory for little.
_FEWEST_THREADS, _MOST_THREADS = 2, 4


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


class Encoder:
    """A clip that FFmpeg writes to ``path``. Once all frames are added, ``finish``; then close."""

    def __init__(self, coding: Coding, path: Path, shape: Shape, like: Clip):
        check_pyav("to write clips")
        import av

        options = {"fflags": "+bitexact"}  # otherwise tracks of WebM get random numbers
        if coding.container in ("mp4", "mov"):
            options["movflags"] = "+faststart"
        self._end, self._step = like.duration, 1 / like.rate
        with ExitStack() as stack:
            out = av.open(f"file:{path}", "w", format=coding.container, container_options=options)
            stack.enter_context(out)
            out.metadata.update(like.about)
            stream = _picture_track(out, coding, shape, like)
            sound = Sound(out, like, copied=coding.copied, codec=coding.audio)
            self._sound = stack.enter_context(sound)
            self._track = _Track(out, stream)
            self._stack = stack.pop_all()

    def add(self, frame: Frame) -> None:
        """Write a frame, and what is heard until then."""
        self._track.write(frame)
        self._sound.write_until(frame.time)

    def finish(self) -> None:
        """Write what is left."""
        self._track.finish(self._end, self._step)
        self._sound.write_until(None)

    def close(self) -> None:
        """Close the file."""
        self._stack.close()


class _Track:
    """The picture track of a clip that is written.

    The newest packet waits: only the next frame, or the end, says how long its picture is shown.
    """

    def __init__(self, out: "OutputContainer", stream: "VideoStream"):
        self._out, self._stream = out, stream
        self._tick = stream.codec_context.time_base
        self._waiting: list[Packet] = []
        self._begin: int | None = None  # of decoding, in ticks
        self._first = self._last = -1  # times of frames, in ticks; -1 before there are any
        self._until: dict[int, int] = {}  # time of a frame -> time of the next, in ticks

    def write(self, frame: Frame) -> None:
        """Write a frame, no sooner than a tick after the one before."""
        picture = _for_codec(frame.image, self._stream)
        time = max(round(frame.time / self._tick), self._last + 1)
        if self._first < 0:
            self._first = time
        else:
            self._until[self._last] = time
        self._last = time
        picture.pts, picture.time_base = self._last, self._tick
        self._mux(self._stream.encode(picture))

    def finish(self, end: Fraction | None, step: Fraction) -> None:
        """Write what the encoder holds; the last frame is shown until ``end``, in seconds.

        If it is not known, or too soon, that frame is shown for ``step``.
        """
        until = round(end / self._tick) if end else 0
        if until <= self._last:
            until = self._last + max(1, round(step / self._tick))
        self._until[self._last] = until
        self._mux(self._stream.encode())
        self._lengthen(self._waiting[0], until)
        self._out.mux(self._waiting)

    def _lengthen(self, packet: "Packet", until: int) -> None:
        """Let the packet that is decoded last, not always the last to be shown, reach ``until``.

        It is decoded no sooner, before it is shown, than the first one is.
        """
        sooner = self._first - self._begin
        packet.dts = max(packet.dts, packet.pts - sooner)
        # Counted from its decoding, so that all durations add up to the clip's.
        packet.duration = max(1, until - sooner - packet.dts)

    def _mux(self, packets: "list[Packet]") -> None:
        """Write all packets but the newest, each with its duration."""
        self._waiting += packets
        if self._begin is None and self._waiting:
            self._begin = self._waiting[0].dts
        for packet in self._waiting[:-1]:  # encoders give all of them the same duration
            if packet.pts in self._until:
                packet.duration = self._until.pop(packet.pts) - packet.pts
            self._out.mux(packet)
        self._waiting = self._waiting[-1:]


def _picture_track(
    out: "OutputContainer", coding: Coding, shape: Shape, like: Clip
) -> "VideoStream":
    rate = like.rate.limit_denominator(10**6)
    stream = out.add_stream(coding.codec, rate=rate, options=dict(coding.options))
    stream.width = shape.width + (shape.width % 2 if coding.even else 0)
    stream.height = shape.height + (shape.height % 2 if coding.even else 0)
    stream.pix_fmt = coding.pixels_with_alpha if shape.mode == "RGBA" else coding.pixels
    codec = stream.codec_context
    codec.thread_count = min(max(available_cores(), _FEWEST_THREADS), _MOST_THREADS)
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
    # It shares the array's memory, which ``np.asarray`` has just made.
    frame = VideoFrame.from_numpy_buffer(values, format="rgba" if alpha else "rgb24")
    # Several threads leave pixels gray where the part of one begins, in ten bits.
    return frame.reformat(format=stream.pix_fmt, dst_colorspace="ITU709", threads=1)
