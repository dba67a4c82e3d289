"""Frames of two fields, every second row taken a moment later -> frames of one moment.

Camcorders and television interlace their frames so. FFmpeg's filter (bwdif) makes the rows of the
second field anew, from those beside them and from the frames before and after.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # av is optional
    from av import VideoFrame
    from av.filter import Graph


def whole(frames: "Iterator[VideoFrame | None]") -> "Iterator[VideoFrame | None]":
    """Yield the frames whole, with their times, and None where there is one.

    From the first frame of two fields on, each comes once the next is there.
    """
    filtered = None
    for frame in frames:
        if frame is None:
            yield None
            continue
        if filtered and not filtered.fits(frame):
            yield from filtered.finish()
            filtered = None
        if filtered is None and frame.interlaced_frame:
            filtered = _Filtered(frame)
        if filtered is None:
            yield frame
        else:
            yield from filtered.add(frame)
    if filtered:
        yield from filtered.finish()


class _Filtered:
    """The filter, for frames like the first one, and the times of the frames that are in it."""

    def __init__(self, frame: "VideoFrame"):
        self._form = _form(frame)
        self._graph = _graph(self._form)
        self._times: deque[tuple[int | None, int]] = deque()

    def fits(self, frame: "VideoFrame") -> bool:
        """Return whether a frame can go through the filter."""
        return _form(frame) == self._form

    def add(self, frame: "VideoFrame") -> "Iterator[VideoFrame]":
        """Yield the frames that are ready once this one has come."""
        self._times.append((frame.pts, frame.duration))
        self._graph.push(frame)
        yield from self._ready()

    def finish(self) -> "Iterator[VideoFrame]":
        """Yield the frames that are left."""
        self._graph.push(None)
        yield from self._ready()

    def _ready(self) -> "Iterator[VideoFrame]":
        import av

        with suppress(av.BlockingIOError, av.EOFError):  # it waits for the next, or has no more
            while True:
                frame = self._graph.pull()
                frame.pts, frame.duration = self._times.popleft()
                yield frame


def _form(frame: "VideoFrame") -> str:
    """Return what the filter has to know of its frames, in FFmpeg's words."""
    return (
        f"width={frame.width}:height={frame.height}:pix_fmt={frame.format.name}"
        f":colorspace={int(frame.colorspace)}:range={int(frame.color_range)}"
    )


def _graph(form: str) -> "Graph":
    from av.filter import Graph

    graph = Graph()
    # Any time base will do: frames keep the times that they came with.
    given = graph.add("buffer", f"{form}:time_base=1/1000")
    fields = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(given, fields, graph.add("buffersink")).configure()
    return graph
