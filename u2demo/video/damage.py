"""clip -> damage: what is missing of a clip whose frames have been decoded."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from u2demo.video import matroska
from u2demo.video.container import (
    demuxed,
    duration_of,
    open_container,
    packets_of,
    picture_track,
    rate_of,
    seconds,
    start_of,
)
from u2demo.video.mp4 import is_cut_off

if TYPE_CHECKING:  # av is optional
    from av.container import InputContainer
    from av.video.stream import VideoStream

_SHORT = Fraction(1, 2)  # seconds that may be missing at the end


def what_is_missing(
    path: Path,
    container: "InputContainer",
    stream: "VideoStream",
    *,
    count: int,
    lost: int,
    end: Fraction,
) -> str:
    """Return a phrase on what is missing of a clip, "" if nothing is.

    ``count`` frames have come, up to ``end``, ``lost`` of which could not be decoded.
    """
    duration = duration_of(container, stream)
    cut_off = is_cut_off(path) or _lists_more(path, container, stream)
    if cut_off or _is_short(path, container, stream, count, end):
        of_all = f" of {float(duration):.2f}" if duration and end < duration else ""
        return f"damaged or cut off; {float(end):.2f}{of_all} seconds could be read"
    passed_over = _passed_over(path) if container.format.name == "avi" else 0
    if lost + passed_over:
        of_all = count + passed_over
        return f"damaged; {lost + passed_over} of its {of_all} frames could not be read"
    holes = _holes(path, container.format.name)
    if holes:
        places = "1 place" if holes == 1 else f"{holes} places"
        return f"damaged; data of its frames is missing in {places}"
    return ""


def _lists_more(path: Path, container: "InputContainer", stream: "VideoStream") -> bool:
    """Return whether an MP4 lists frames behind its end; other formats do not say where they are.

    The box of its frames need not have a size.
    """
    if "mp4" not in container.format.name:
        return False
    reach = max((entry.pos + entry.size for entry in stream.index_entries), default=0)
    return reach > path.stat().st_size


def _is_short(
    path: Path, container: "InputContainer", stream: "VideoStream", count: int, end: Fraction
) -> bool:
    """Return whether the file says that it holds more than ``count`` frames up to ``end``."""
    duration = duration_of(container, stream)
    if duration is None or count == stream.frames:  # the last is shown for longer than it says
        return False
    enough = duration - max(_SHORT, 3 / rate_of(stream))
    return end < enough and _last_time(path) < enough


def _passed_over(path: Path) -> int:
    """Return how many frames an AVI lists where FFmpeg finds none: it goes on behind them."""
    with open_container(path) as container:
        stream = picture_track(container, path)
        listed = sum(entry.size > 0 for entry in stream.index_entries)  # grows while it is read
        found = sum(packet is not None for packet in packets_of(container, stream))
    return max(0, listed - found)


def _last_time(path: Path) -> Fraction:
    """Return when the last of a clip's pictures and sounds begins: sound may go on alone."""
    last = Fraction(0)
    with open_container(path) as container:
        start = start_of(container)
        for packet in demuxed(container):
            if packet.dts is not None:
                last = max(last, seconds(packet.dts, packet) - start)
    return last


def _holes(path: Path, format: str) -> int:
    """Return in how many places data is missing, which two kinds of files tell."""
    if "matroska" in format:
        return matroska.holes(path)
    return _lost_packets(path) if format == "mpegts" else 0


def _lost_packets(path: Path) -> int:
    """Return in how many places of a transport stream data of its picture track is missing.

    Its packets are numbered. Where a number is missing, FFmpeg marks the frame before the damaged
    one. Numbers also begin again where two streams were put together, with a key frame.
    """
    with open_container(path) as container:
        packets = filter(None, packets_of(container, picture_track(container, path)))
        told = [(packet.is_corrupt, packet.is_keyframe) for packet in packets]
    return sum(
        marked and not begins for (marked, _), (_, begins) in zip(told, told[2:], strict=False)
    )
