"""file -> container: what is in a clip's file, as FFmpeg says before it decodes a frame."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from u2demo.video.mp4 import CUT_OFF, ENCRYPTED, is_cut_off, names_encryption

if TYPE_CHECKING:  # av is optional
    from av import AudioFrame, Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.stream import VideoStream

# Formats of clips. FFmpeg knows more: some are lists that make it open other files and addresses.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,flv,mpegts,mpeg,mxf,nut,ogg,ivf,dv,h264,hevc,"
    "mpegvideo,m4v,yuv4mpegpipe,rm,mp3,wav,flac,aac"
)
_MOST_PIXELS = 2**27  # of a frame: twice 8K
_USUAL_RATE = Fraction(25)  # of the few files that do not say theirs
_LEAP = Fraction(60)  # seconds
_TOO_HIGH = 1000  # frames a second; that is how finely a file tells times
PROTECTED = "encrypted; ask where it comes from for one that is not protected"
_PASSED_ON = ("title", "artist", "copyright", "description", "creation_time", "date")


class RefusedError(Exception):
    """A file that holds no clip, or none that can be read; the text says why."""


def open_container(path: Path) -> "InputContainer":
    """Return the file, open for FFmpeg; it opens no other file and no address."""
    import av

    options = {"format_whitelist": _CONTAINERS}
    try:
        return av.open(f"file:{path}", options=options)
    except (av.EOFError, av.InvalidDataError):  # perhaps the last list of an MP4 in fragments
        return av.open(f"file:{path}", options=options | {"fflags": "ignidx"})


def sounds(container: "InputContainer") -> list["AudioStream"]:
    """Return the sound tracks that FFmpeg can decode; a phone's spatial sound is not among them."""
    return [stream for stream in container.streams.audio if stream.codec_context]


def start_of(container: "InputContainer") -> Fraction:
    """Return the time in the file, in seconds, at which the clip starts.

    That is when the first of picture and sound begins; sound before 0 is the run-up of its encoder.
    """
    video = [seconds(s.start_time, s) for s in container.streams.video if s.start_time is not None]
    audio = [seconds(s.start_time, s) for s in sounds(container) if s.start_time is not None]
    return min([*video, *(max(time, Fraction(0)) for time in audio)], default=Fraction(0))


def seconds(ticks: int, timed: "Stream | Packet | AudioFrame") -> Fraction:
    """Return a time that is given in the time base of a stream, packet or frame of PyAV."""
    return ticks * _fraction(timed.time_base)


def picture_track(container: "InputContainer", path: Path) -> "VideoStream":
    """Return the clip's picture track.

    Raises:
        RefusedError: there is none, or FFmpeg cannot decode it.
    """
    streams = _pictures(container)
    if not streams:
        if is_cut_off(path):
            raise RefusedError(CUT_OFF)
        kind = "is only sound" if container.streams.audio else "are no pictures"
        raise RefusedError(f"not a clip; there {kind} in it")
    stream = streams[0]
    codec = stream.codec_context
    if (codec and codec.codec_tag in ENCRYPTED) or (codec is None and names_encryption(path)):
        raise RefusedError(PROTECTED)
    if codec is None:
        raise RefusedError(
            CUT_OFF
            if is_cut_off(path)
            else "its codec is not known to this build of FFmpeg; convert it to H.264 first"
        )
    if codec.width * codec.height > _MOST_PIXELS:
        raise RefusedError(
            f"its frames are {codec.width}x{codec.height}, more than {_MOST_PIXELS / 1e6:.0f}"
            " million pixels; make it smaller first"
        )
    return stream


def _pictures(container: "InputContainer") -> list["VideoStream"]:
    """Return the video streams, without the cover of a piece of music."""
    from av.stream import Disposition

    streams = container.streams.video
    return [stream for stream in streams if not stream.disposition & Disposition.attached_pic]


def demuxed(container: "InputContainer", *streams: "Stream") -> Iterator["Packet"]:
    """Yield what is in the file, of some streams or of all, up to where it is cut off."""
    import av

    # It ends in the middle of a packet; or a stream that began late, such as captions of an FLV, is
    # looked for in vain by PyAV at the end.
    with suppress(av.FFmpegError, IndexError):
        yield from container.demux(*streams)


def packets_of(container: "InputContainer", stream: "VideoStream") -> Iterator["Packet | None"]:
    """Yield the packets of a stream, then None, which empties a decoder."""
    yield from (packet for packet in demuxed(container, stream) if packet.size)
    yield None


def duration_of(container: "InputContainer", stream: "VideoStream") -> Fraction | None:
    """Return when the last frame ends, from the clip's start, as far as the file says it."""
    start = start_of(container)
    begins = seconds(stream.start_time or 0, stream) - start
    if container.format.name == "avi" and stream.frames:  # FFmpeg shortens what is cut off
        return begins + stream.frames / rate_of(stream)
    if stream.duration:
        return begins + seconds(stream.duration, stream)
    said = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if said:  # in Matroska and WebM: the time at which it ends
        hours, minutes, rest = map(Fraction, said.groups())
        return 3600 * hours + 60 * minutes + rest - start
    return Fraction(container.duration, 10**6) if container.duration else None


def is_damaged(time: Fraction, before: Fraction, end: Fraction | None) -> bool:
    """Return whether a time, in seconds from the clip's start, cannot be that of a frame or sound.

    A bit that has changed may put it hours after the one ``before`` it. So a leap of a minute is
    believed only up to the ``end`` that the file says, if it says one.
    """
    return end is not None and time > end and time - before > _LEAP


def rate_of(stream: "VideoStream") -> Fraction:
    """Return how many frames a second the file says there are, on average."""
    said = filter(None, (stream.average_rate, stream.guessed_rate, stream.base_rate))
    return next((rate for rate in map(_fraction, said) if rate < _TOO_HIGH), _USUAL_RATE)


def left_out(container: "InputContainer") -> tuple[str, ...]:
    """Return what the file holds besides its first picture track and its first sound track."""
    streams, heard = container.streams, sounds(container)
    rest = [
        (len(_pictures(container)) - 1, "more video stream", "more video streams"),
        (len(heard) - 1, "more audio track", "more audio tracks"),
        (len(streams.audio) - len(heard), "undecodable audio track", "undecodable audio tracks"),
        (len(streams.subtitles), "subtitle track", "subtitle tracks"),
    ]
    return tuple(f"{n} {one if n == 1 else many}" for n, one, many in rest if n > 0)


def about(container: "InputContainer") -> Mapping[str, str]:
    """Return what may be passed on about a clip; places, cameras and programs may not."""
    said = {key.lower(): value for key, value in container.metadata.items()}
    return {key: said[key] for key in _PASSED_ON if key in said}


def _fraction(rational: Fraction) -> Fraction:
    """Return a rational of PyAV, whose type depends on its version, as a ``Fraction``."""
    return Fraction(rational.numerator, rational.denominator)
