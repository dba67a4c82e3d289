"""file -> clip: its frames as FFmpeg decodes them, in their own times."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from u2demo.machine.cores import available_cores
from u2demo.video.clip import Clip, DamagedError, Frame
from u2demo.video.container import (
    PROTECTED,
    RefusedError,
    about,
    duration_of,
    is_damaged,
    left_out,
    open_container,
    packets_of,
    picture_track,
    rate_of,
    seconds,
    sounds,
    start_of,
)
from u2demo.video.damage import what_is_missing
from u2demo.video.fields import whole
from u2demo.video.mp4 import names_encryption
from u2demo.video.pictures import Form, Pictures, form_of

if TYPE_CHECKING:  # av is optional
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

_MOST_THREADS = 4  # each holds a frame
# FFmpeg's own decoders drop the alpha of these; libvpx, called by name, keeps it.
_KEEPS_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def read_clip(path: Path) -> Clip:
    """Return the clip in a file.

    Raises:
        RefusedError: there is no video in it, or it cannot be decoded.
        av.FFmpegError: FFmpeg cannot read the file.
    """
    with open_container(path) as container:
        stream = picture_track(container, path)
        first = next(filter(None, _decoded(container, stream)), None)
        if first is None:
            raise RefusedError(
                PROTECTED
                if names_encryption(path)
                else "damaged: not one frame of it can be decoded"
            )
        form = form_of(first, stream)
        return Clip(
            path=path,
            size=form.upright,
            duration=duration_of(container, stream),
            rate=rate_of(stream),
            alpha=form.alpha,
            audio=bool(sounds(container)),
            frames=stream.frames or None,
            left_out=left_out(container),
            about=about(container),
            decode=partial(_frames, path, form, _zero(container, stream, first)),
        )


class _Timed(NamedTuple):
    """A decoded frame, and when it is shown, in seconds from the clip's start."""

    frame: "VideoFrame"
    begin: Fraction
    end: Fraction


def _zero(container: "InputContainer", stream: "VideoStream", first: "VideoFrame") -> Fraction:
    """Return the time that a frame shown at the clip's start has in the file, in seconds."""
    start = start_of(container)
    if container.format.name == "avi" and first.pts is not None:  # all come as late as the first
        return start + seconds(first.pts - (stream.start_time or 0), stream)
    return start


def _frames(
    path: Path, form: Form, zero: Fraction, since: Fraction = Fraction(0)
) -> Iterator[Frame]:
    with open_container(path) as container:
        stream = picture_track(container, path)
        if since:
            _seek(container, start_of(container) + since)
        picture = Pictures(form)
        end, count, lost = Fraction(0), 0, 0
        for timed in _timed(container, stream, zero):
            count += 1
            if timed is None:
                lost += 1
                continue
            end = timed.end
            if end > since or not since:
                yield Frame(timed.begin, picture(timed.frame))
        missing = what_is_missing(path, container, stream, count=count, lost=lost, end=end)
    if missing:
        raise DamagedError(missing)


def _timed(
    container: "InputContainer", stream: "VideoStream", zero: Fraction
) -> Iterator[_Timed | None]:
    """Yield the frames, each later than the one before, None for each that is lost."""
    step, over = 1 / rate_of(stream), duration_of(container, stream)
    begin = None
    for frame in whole(_decoded(container, stream)):
        if frame is None:
            yield None
            continue
        said = None if frame.pts is None else seconds(frame.pts, stream) - zero
        if begin is None:
            begin = said or Fraction(0)
        elif said is None or said <= begin or is_damaged(said, begin, over):
            begin += step
        else:
            begin = said
        yield _Timed(frame, begin, begin + (seconds(frame.duration, stream) or step))


def _decoded(container: "InputContainer", stream: "VideoStream") -> Iterator["VideoFrame | None"]:
    """Yield the frames, None for each packet that cannot be decoded or is encrypted."""
    import av

    codec = stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and codec.name in _KEEPS_ALPHA:
        codec = av.CodecContext.create(_KEEPS_ALPHA[codec.name], "r")
    codec.thread_type = "AUTO"
    codec.thread_count = min(_MOST_THREADS, available_cores())
    try:
        for packet in packets_of(container, stream):
            try:
                frames = [None] if _is_encrypted(packet) else codec.decode(packet)
            except av.FFmpegError:
                frames = [None]
            for frame in frames:
                if frame and container.format.name == "avi":  # only packets have times
                    frame.pts = frame.dts
                yield frame
    finally:
        # A decoder that is deleted waits for its threads, and they for Python's lock, to log.
        codec.flush_buffers()


def _is_encrypted(packet: "Packet | None") -> bool:
    """Return whether a packet is; decoders would make a gray frame, or noise, of some of them."""
    return packet is not None and packet.has_sidedata("encryption_info")


def _seek(container: "InputContainer", time: Fraction) -> None:
    """Go to the last frame before ``time`` that can be decoded without others, if there is one."""
    import av

    with suppress(av.FFmpegError):  # not every format can
        container.seek(round(time * av.time_base))
