"""clip -> sound of another clip: copied where the format allows it, else encoded again."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING

from u2demo.video.clip import Clip
from u2demo.video.container import (
    demuxed,
    duration_of,
    is_damaged,
    open_container,
    picture_track,
    seconds,
    sounds,
    start_of,
)

if TYPE_CHECKING:  # av is optional
    from av import AudioFrame, Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

_RATE = 48000  # the one that Opus has, and every other codec has too
# Seconds that times may be off. What goes further back is in another part, and is put behind it.
_JITTER = Fraction(1, 100)
_MOST_SILENCE = Fraction(1)  # seconds in one piece, which is in memory
_LONGEST = Fraction(1)  # seconds; of a packet


class Sound:
    """A clip's first sound track, on its way into ``out`` as far as the picture has come.

    Use it as a context. A clip without sound gives none.
    """

    def __init__(self, out: "OutputContainer", clip: Clip, *, copied: Collection[str], codec: str):
        self._out = out
        self._source = open_container(clip.path) if clip.audio else None
        self._packets: Iterator[Packet] = iter(())
        self._waiting: Packet | None = None
        if self._source is None:
            return
        stream = sounds(self._source)[0]
        over = duration_of(self._source, picture_track(self._source, clip.path))
        if stream.codec_context.codec.canonical_name in copied:  # decoders have names of their own
            track = out.add_stream_from_template(stream)
            self._packets = _copied(self._source, stream, track, over)
        else:
            _forget_own_order(stream)
            layout = "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
            track = out.add_stream(codec, rate=_RATE, layout=layout)
            self._packets = _encoded(self._source, stream, track, over)

    def __enter__(self) -> "Sound":
        return self

    def __exit__(self, *error: object) -> None:
        self._packets = iter(())
        if self._source:
            self._source.close()

    def write_until(self, time: Fraction | None) -> None:
        """Write what is heard up to ``time``, all the rest if that is None."""
        import av

        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = packet
            if packet is None or (time is not None and seconds(packet.dts, packet) > time):
                return
            with suppress(av.InvalidDataError):  # a damaged packet that has been copied
                self._out.mux(packet)
            self._waiting = None


def _forget_own_order(stream: "AudioStream") -> None:
    """Give the channels of a file that has an order of its own the usual one of as many.

    Before version 19, PyAV frees such an order twice, which ends Python or makes noise of sound.
    """
    codec = stream.codec_context
    layout = codec.layout  # read once, for each that is dropped frees the order
    if layout.name.startswith(f"{layout.nb_channels} channels ("):
        codec.layout = f"{layout.nb_channels}c"


def _copied(
    source: "InputContainer", stream: "AudioStream", track: "AudioStream", over: Fraction | None
) -> Iterator["Packet"]:
    shift = round(start_of(source) / seconds(1, stream))
    last = end = None
    for packet in demuxed(source, stream):
        if packet.dts is not None and packet.pts is not None:
            begin = packet.dts - shift
            if last is not None and begin <= last:  # the parts of a file may each begin at 0
                begin = end
            now, before = (seconds(ticks, packet) for ticks in (begin, last or 0))
            if is_damaged(now, before, over):
                continue
            # In an MP4, a pause is part of the packet before it.
            packet.duration = min(packet.duration or 0, round(_LONGEST / packet.time_base))
            last, end = begin, begin + max(1, packet.duration)
            packet.pts = packet.dts = begin
            packet.stream = track
            yield packet


def _encoded(
    source: "InputContainer", stream: "AudioStream", track: "AudioStream", over: Fraction | None
) -> Iterator["Packet"]:
    timed = _timed(_decoded(source, stream), start_of(source), over)
    for frame in _filled(_resampled(timed, track)):
        yield from track.encode(frame)
    yield from track.encode()


def _timed(
    frames: Iterator["AudioFrame"], shift: Fraction, over: Fraction | None
) -> Iterator["AudioFrame"]:
    """Yield the sound with times from the clip's start, which count its samples."""
    end = None
    for frame in frames:
        rate = frame.sample_rate
        begin = end or Fraction(0)
        if frame.pts is not None:
            begin = seconds(frame.pts, frame) - shift
        if end is not None and begin <= end - _JITTER:
            begin = end
        if is_damaged(begin, end or Fraction(0), over):
            continue
        frame.time_base = Fraction(1, rate)  # encoders stumble over the coarse times of AVI
        frame.pts = round(begin * rate)
        end = Fraction(frame.pts + frame.samples, rate)
        yield frame


def _resampled(frames: Iterator["AudioFrame"], track: "AudioStream") -> Iterator["AudioFrame"]:
    """Yield the sound as the track has it, though it may change from mono to stereo."""
    from av import AudioResampler

    before = resampler = None
    for frame in frames:
        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != before:
            if resampler:
                yield from resampler.resample(None)
            resampler = AudioResampler(track.format, track.layout, track.rate)
            before = kind
        yield from resampler.resample(frame)
    if resampler:
        yield from resampler.resample(None)


def _filled(frames: Iterator["AudioFrame"]) -> Iterator["AudioFrame"]:
    """Yield the sound with silence in its gaps.

    Encoders put what comes after a gap into the packet of what came before it.
    """
    end = None
    for frame in frames:
        begin = seconds(frame.pts, frame)
        while end is not None and begin - end > _JITTER:
            silence = _silence(frame, min(begin - end, _MOST_SILENCE))
            silence.pts = round(end / frame.time_base)
            yield silence
            end += Fraction(silence.samples, silence.sample_rate)
        yield frame
        end = begin + Fraction(frame.samples, frame.sample_rate)


def _silence(like: "AudioFrame", length: Fraction) -> "AudioFrame":
    """Return so many seconds of silence, in the form of a frame whose samples are signed."""
    from av import AudioFrame

    silence = AudioFrame(like.format.name, like.layout.name, round(length * like.sample_rate))
    silence.sample_rate, silence.time_base = like.sample_rate, like.time_base
    for plane in silence.planes:
        plane.update(bytes(plane.buffer_size))
    return silence


def _decoded(source: "InputContainer", stream: "AudioStream") -> Iterator["AudioFrame"]:
    """Yield what can be decoded."""
    import av

    for packet in demuxed(source, stream):
        with suppress(av.FFmpegError):
            yield from packet.decode()
