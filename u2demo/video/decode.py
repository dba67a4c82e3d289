"""file -> clip: what FFmpeg reads, in its own times."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from u2demo.machine.cores import available_cores
from u2demo.video.clip import Clip, DamagedError, Frame
from u2demo.video.fields import whole
from u2demo.video.pictures import Form, Pictures, form_of

if TYPE_CHECKING:  # av is optional
    from av import AudioFrame, Packet, VideoFrame
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
_MOST_THREADS = 4  # each holds a frame
_USUAL_RATE = Fraction(25)  # of the few files that do not say theirs
_TOO_HIGH = 1000  # frames a second; that is how finely a file tells times
_SHORT = Fraction(1, 2)  # seconds that may be missing at the end
# FFmpeg's own decoders drop the alpha of these; libvpx, called by name, keeps it.
_KEEPS_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_ENCRYPTED = {"encv", "drmi"}  # sample entries of ISO 23001-7 and FairPlay
_PROTECTED = "encrypted; ask where it comes from for one that is not protected"
_PASSED_ON = ("title", "artist", "copyright", "description", "creation_time", "date")


class RefusedError(Exception):
    """A file that holds no clip, or none that can be read; the text says why."""


def open_container(path: Path) -> "InputContainer":
    """Return the file, open for FFmpeg; it opens no other file and no address."""
    import av

    return av.open(f"file:{path}", options={"format_whitelist": _CONTAINERS})


def read_clip(path: Path) -> Clip:
    """Return the clip in a file.

    Raises:
        RefusedError: there is no video in it, or it cannot be decoded.
        av.FFmpegError: FFmpeg cannot read the file.
    """
    with open_container(path) as container:
        stream = _video(container, path)
        first = next(filter(None, _decoded(container, stream)), None)
        if first is None:
            raise RefusedError(
                _PROTECTED
                if _names_encryption(path)
                else "damaged: not one frame of it can be decoded"
            )
        form = form_of(first, stream)
        return Clip(
            path=path,
            size=form.upright,
            duration=_duration(container, stream),
            rate=_rate(stream),
            alpha=form.alpha,
            audio=bool(sounds(container)),
            frames=stream.frames or None,
            left_out=_left_out(container),
            about=_about(container),
            decode=partial(_frames, path, form, _zero(container, stream, first)),
        )


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
        stream = _video(container, path)
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
        duration = _duration(container, stream)
        if duration is not None and _is_cut_off(path, container, stream, count, end):
            raise DamagedError(
                f"damaged or cut off; {float(end):.2f} of {float(duration):.2f} seconds could be"
                " read"
            )
    if lost:
        raise DamagedError(f"damaged; {lost} of its {count} frames could not be read")
    holes = _holes(path)
    if holes:
        places = "1 place" if holes == 1 else f"{holes} places"
        raise DamagedError(f"damaged; data of its frames is missing in {places}")


def _timed(
    container: "InputContainer", stream: "VideoStream", zero: Fraction
) -> Iterator[_Timed | None]:
    """Yield the frames, each later than the one before, None for each that is lost."""
    step = 1 / _rate(stream)
    begin = None
    for frame in whole(_decoded(container, stream)):
        if frame is None:
            yield None
            continue
        said = None if frame.pts is None else seconds(frame.pts, stream) - zero
        if begin is None:
            begin = said or Fraction(0)
        elif said is None or said <= begin:
            begin += step
        else:
            begin = said
        yield _Timed(frame, begin, begin + (seconds(frame.duration, stream) or step))


def _is_cut_off(
    path: Path, container: "InputContainer", stream: "VideoStream", count: int, end: Fraction
) -> bool:
    """Return whether the file says that it holds more than ``count`` frames up to ``end``."""
    if "mp4" in container.format.name:  # other formats do not say where in the file frames are
        reach = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
        if reach > path.stat().st_size:
            return True
    if count == stream.frames:  # the last one is shown for longer than it says
        return False
    enough = _duration(container, stream) - max(_SHORT, 3 / _rate(stream))
    return end < enough and _last_time(path) < enough


def _last_time(path: Path) -> Fraction:
    """Return when the last of a clip's pictures and sounds begins: sound may go on alone."""
    import av

    last = Fraction(0)
    with open_container(path) as container, suppress(av.FFmpegError):
        start = start_of(container)
        for packet in container.demux():
            if packet.dts is not None:
                last = max(last, seconds(packet.dts, packet) - start)
    return last


def _holes(path: Path) -> int:
    """Return in how many places of a transport stream data of its picture track is missing.

    Its packets are numbered. Where a number is missing, FFmpeg marks the frame before the damaged
    one. Numbers also begin again where two streams were put together, with a key frame.
    """
    with open_container(path) as container:
        if container.format.name != "mpegts":
            return 0
        packets = filter(None, _packets(container, _video(container, path)))
        told = [(packet.is_corrupt, packet.is_keyframe) for packet in packets]
    return sum(
        marked and not begins for (marked, _), (_, begins) in zip(told, told[2:], strict=False)
    )


def _video(container: "InputContainer", path: Path) -> "VideoStream":
    """Return the clip's picture track.

    Raises:
        RefusedError: there is none, or FFmpeg cannot decode it.
    """
    streams = _pictures(container)
    if not streams:
        kind = "only sound" if container.streams.audio else "no pictures"
        raise RefusedError(f"not a clip; there is {kind} in it")
    stream = streams[0]
    codec = stream.codec_context
    if (codec and codec.codec_tag in _ENCRYPTED) or (codec is None and _names_encryption(path)):
        raise RefusedError(_PROTECTED)
    if codec is None:
        raise RefusedError(
            "its codec is not known to this build of FFmpeg; convert it to H.264 first"
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


def _names_encryption(path: Path) -> bool:
    """Return whether the start or the end of an MP4 file, where its tracks stand, says so."""
    with path.open("rb") as file:
        head = file.read(2**20)
        file.seek(max(0, path.stat().st_size - 2**20))
        tail = file.read()
    return any(name.encode() in part for name in _ENCRYPTED for part in (head, tail))


def _decoded(container: "InputContainer", stream: "VideoStream") -> Iterator["VideoFrame | None"]:
    """Yield the frames, None for each packet that cannot be decoded or is encrypted."""
    import av

    codec = stream.codec_context
    if stream.metadata.get("alpha_mode") == "1" and codec.name in _KEEPS_ALPHA:
        codec = av.CodecContext.create(_KEEPS_ALPHA[codec.name], "r")
    codec.thread_type = "AUTO"
    codec.thread_count = min(_MOST_THREADS, available_cores())
    try:
        for packet in _packets(container, stream):
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


def _packets(container: "InputContainer", stream: "VideoStream") -> Iterator["Packet | None"]:
    """Yield what is in the file, up to where it is cut off, then None, which empties a decoder."""
    import av

    with suppress(av.FFmpegError):  # it ends in the middle of a packet
        yield from (packet for packet in container.demux(stream) if packet.size)
    yield None


def _duration(container: "InputContainer", stream: "VideoStream") -> Fraction | None:
    """Return when the last frame ends, from the clip's start, as far as the file says it."""
    start = start_of(container)
    begins = seconds(stream.start_time or 0, stream) - start
    if container.format.name == "avi" and stream.frames:  # FFmpeg shortens what is cut off
        return begins + stream.frames / _rate(stream)
    if stream.duration:
        return begins + seconds(stream.duration, stream)
    said = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if said:  # in Matroska and WebM: the time at which it ends
        hours, minutes, rest = map(Fraction, said.groups())
        return 3600 * hours + 60 * minutes + rest - start
    return Fraction(container.duration, 10**6) if container.duration else None


def _rate(stream: "VideoStream") -> Fraction:
    said = filter(None, (stream.average_rate, stream.guessed_rate, stream.base_rate))
    return next((rate for rate in map(_fraction, said) if rate < _TOO_HIGH), _USUAL_RATE)


def _left_out(container: "InputContainer") -> tuple[str, ...]:
    """Return what the file holds besides its first picture track and its first sound track."""
    streams, heard = container.streams, sounds(container)
    rest = [
        (len(_pictures(container)) - 1, "more video stream", "more video streams"),
        (len(heard) - 1, "more audio track", "more audio tracks"),
        (len(streams.audio) - len(heard), "undecodable audio track", "undecodable audio tracks"),
        (len(streams.subtitles), "subtitle track", "subtitle tracks"),
    ]
    return tuple(f"{n} {one if n == 1 else many}" for n, one, many in rest if n > 0)


def _about(container: "InputContainer") -> Mapping[str, str]:
    """Return what may be passed on about a clip; places, cameras and programs may not."""
    said = {key.lower(): value for key, value in container.metadata.items()}
    return {key: said[key] for key in _PASSED_ON if key in said}


def _fraction(rational: Fraction) -> Fraction:
    """Return a rational of PyAV, whose type depends on its version, as a ``Fraction``."""
    return Fraction(rational.numerator, rational.denominator)
