"""(frame, map) of each frame -> maps that are steady from frame to frame.

A map is averaged with those of the frames around it, each moved along with the picture. What a net
is sure of counts for more: a subject that it loses for some frames is carried over from the others.

The motion comes from OpenCV (dense inverse search, Kroeger et al., 2016). Without OpenCV each pixel
gets the median of three frames, which takes out what appears in one frame only. Nothing is carried
over a cut. Settings were chosen on clips of DAVIS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from u2demo.images.rgb import check_image
from u2demo.machine.numbers import check_number
from u2demo.masks.mask import Mask, check_mask

if TYPE_CHECKING:  # OpenCV is optional
    from cv2 import DISOpticalFlow

# Frames, and the net's maps of them, of any size; None if the net has not looked at a frame.
Looks = Iterable[tuple[Image.Image, Mask | None]]
Sums = NDArray[np.float32]  # (h, w, 2): sums of weighted maps, and of their weights

_PIXELS = 320 * 320  # of the small copies: as many as a net's map has
_LONGEST = 4  # times as wide as high, or as high as wide; OpenCV finds no motion in longer strips
_FADES = 0.9  # what a frame's map still counts one frame further
_CHANGED = 20.0  # gray levels of 255 by which pixels differ that do not show the same any more
_AROUND = 5  # pixels; side of the square over which that is judged
_HELD = 0.3  # share of a frame that shows the same as the one before; below it there is a cut
_OTHER = 0.2  # share of pixels whose gray is another; above it there is a cut, without OpenCV
# A frame, and a pixel of it, count at least this much: what has left is gone within a second.
_LEAST_SURE, _MOST_DIVIDED = 0.7, 0.1


class Steady(NamedTuple):
    """What is found in a frame, (h, w) float32 from 0 to 1, and the number of its shot, from 0."""

    found: Mask
    shot: int


def steady(
    looks: Looks, *, motion: bool | None = None, ahead: int = 12, fine: bool = False
) -> Iterator[Steady]:
    """Yield, in order, what is found in each frame: a small map in the frame's proportions.

    ``looks`` are frames with the net's maps of them, as from ``look``. With ``motion``, a map may
    be None: what is found in that frame comes from those around it. The maps that come back have
    about as many pixels as 320 x 320. Each is steadied by all those before it, and by at least
    ``ahead`` that follow: with ``motion``, twice as many maps wait in memory (3 MB each), but no
    frames. With ``ahead=0``, as for a camera, each comes back before the next is asked for.

    With ``fine`` the motion is found to the pixel of the small maps, which takes twice as long.

    By default motion is followed if OpenCV is installed. Without it one frame is waited for; with
    ``ahead=0`` maps stay as they are, as the median with past ones would lag behind.

    Raises:
        ValueError: a map is not float32 from 0 to 1, or ``ahead`` is negative.
        TypeError: a frame is not an image, or ``ahead`` is not a number.
        ModuleNotFoundError: ``motion`` is asked for, and OpenCV is missing.
    """
    check_number("ahead", ahead, expected="a number of frames from 0")
    flow = None
    if motion is not False:
        flow = _flow_of_opencv(needed=bool(motion), quick=ahead == 0, fine=fine)
    if flow is None:
        return _median_of_three(looks) if ahead else _each_alone(looks)
    return _along_the_motion(looks, flow, int(ahead))


def follows_motion() -> bool:
    """Return whether motion is followed by default: OpenCV is installed."""
    return _flow_of_opencv(needed=False) is not None


def _flow_of_opencv(
    *, needed: bool, quick: bool = False, fine: bool = False
) -> "DISOpticalFlow | None":
    try:
        import cv2  # optional; may be installed later
    except ImportError:
        if needed:
            raise ModuleNotFoundError(
                "to follow the motion: pip install opencv-python-headless", name="cv2"
            ) from None
        return None
    # With what follows a frame, the better motion makes steadier maps; with the past alone it is
    # none the better, and takes four times as long.
    preset = cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST if quick else cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    flow = cv2.DISOpticalFlow_create(preset)
    flow.setVariationalRefinementIterations(0)  # smoother motion makes no map steadier
    if fine:
        flow.setFinestScale(0)  # of its pyramid: the small copies as they are
        flow.setPatchStride(4)
    return flow


@dataclass(frozen=True)
class _Warp:
    """From a frame to one beside it: where each pixel of the second is in the first."""

    places: NDArray[np.float32]  # (h, w, 2): x and y
    holds: NDArray[np.float32]  # (h, w): 1 where both show the same, toward 0 where they differ

    def apply(self, sums: Sums) -> Sums:
        """Return the sums, moved and faded."""
        return _FADES * self.holds[..., None] * _moved(sums, self.places)


@dataclass(frozen=True)
class _Frame:
    """A frame that waits for those that follow it."""

    gray: NDArray[np.uint8]
    own: Sums  # what is seen in this frame
    past: Sums  # the same, with all that comes from the frames before
    to_before: _Warp | None  # None where a shot begins, or where no frame waits for those after it
    shot: int


def _along_the_motion(looks: Looks, flow: "DISOpticalFlow", ahead: int) -> Iterator[Steady]:
    waiting: list[_Frame] = []
    frame = None
    step = max(ahead, 1)
    for image, found in looks:
        gray = _small_gray(image)
        own = _nothing(gray) if found is None else _weighted(_small(found, gray))
        if frame is None:
            frame = _first(gray, own, shot=0)
        else:
            frame = _next(frame, gray, own, flow, goes_back=ahead > 0)
        waiting.append(frame)
        if len(waiting) == step + ahead:
            yield from _settled(waiting)[:step]
            del waiting[:step]
    yield from _settled(waiting)


def _first(gray: NDArray[np.uint8], own: Sums, *, shot: int) -> _Frame:
    """Return a frame with which a shot begins."""
    return _Frame(gray, own, own, None, shot)


def _next(
    before: _Frame, gray: NDArray[np.uint8], own: Sums, flow: "DISOpticalFlow", *, goes_back: bool
) -> _Frame:
    """Return a frame with what comes to it from the past, and ``to_before`` if it ``goes_back``."""
    to_this = _warp(before.gray, gray, flow)
    if to_this.holds.mean() < _HELD:
        return _first(gray, own, shot=before.shot + 1)
    to_before = _warp(gray, before.gray, flow) if goes_back else None
    return _Frame(gray, own, own + to_this.apply(before.past), to_before, before.shot)


def _settled(frames: list[_Frame]) -> list[Steady]:
    """Return what is found in each frame, the past and the frames that follow it in the list."""
    settled: list[Steady] = []
    future, to_this = None, None  # what is found from the next frame on, and what takes it here
    for frame in reversed(frames):
        later = np.zeros_like(frame.own) if to_this is None else to_this.apply(future)
        total, weight = np.moveaxis(frame.past + later, 2, 0)
        settled.append(Steady(total / np.maximum(weight, 1e-12), frame.shot))
        future, to_this = frame.own + later, frame.to_before
    return settled[::-1]


def _weighted(found: Mask) -> Sums:
    """Return a map times its weights, and the weights.

    The weight of a frame is the mean value of what is found in it, to the eighth power; that of a
    pixel grows from one half, where the net cannot decide, to 0 and to 1.
    """
    sure = float((found**2).sum() / max(found.sum(), 1e-6))
    decided = _MOST_DIVIDED + (2 * found - 1) ** 2
    weights = np.float32(max(sure, _LEAST_SURE) ** 8) * decided
    return np.dstack([weights * found, weights])


def _nothing(gray: NDArray[np.uint8]) -> Sums:
    """Return what a frame counts that the net has not looked at."""
    return np.zeros((*gray.shape, 2), np.float32)


def _small(found: Mask, gray: NDArray[np.uint8]) -> Mask:
    """Return a map at the size of a frame's small copy in gray."""
    check_mask(found)
    resized = Image.fromarray(found).resize(gray.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(resized).clip(0, 1)


def _small_gray(image: Image.Image) -> NDArray[np.uint8]:
    """Return the frame in gray, with about ``_PIXELS`` pixels, in its proportions up to a limit."""
    check_image(image)
    proportion = min(max(image.width / image.height, 1 / _LONGEST), _LONGEST)
    size = round((_PIXELS * proportion) ** 0.5), round((_PIXELS / proportion) ** 0.5)
    return np.array(image.convert("L").resize(size, Image.Resampling.BOX))


def _warp(source: NDArray[np.uint8], target: NDArray[np.uint8], flow: "DISOpticalFlow") -> _Warp:
    import cv2

    height, width = target.shape
    places = flow.calc(target, source, None)
    places[..., 0] += np.arange(width, dtype=np.float32)
    places[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    differ = np.abs(target - _moved(source.astype(np.float32), places))
    differ = cv2.blur(differ, (_AROUND, _AROUND))
    return _Warp(places, np.exp(-((differ / _CHANGED) ** 2)))


def _moved(values: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    import cv2

    return cv2.remap(values, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _each_alone(looks: Looks) -> Iterator[Steady]:
    number, before = 0, None
    for image, found in looks:
        gray = _small_gray(image)
        if before is not None and _is_cut(before, gray):
            number += 1
        before = gray
        yield Steady(_small(found, gray), number)


def _median_of_three(looks: Looks) -> Iterator[Steady]:
    """Yield the median of each map and the two beside it; the ends of a shot stay as they are."""
    shot: list[Steady] = []  # the last of this shot, at most three
    for one in _each_alone(looks):
        if shot and shot[-1].shot != one.shot:
            yield shot[-1]
            shot = []
        shot = [*shot[-2:], one]
        if len(shot) == 2:
            yield shot[0]
        if len(shot) == 3:
            yield Steady(np.median([frame.found for frame in shot], axis=0), one.shot)
    yield from shot[-1:]


def _is_cut(gray: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    one, two = (np.histogram(frame, 32, (0, 256))[0] for frame in (gray, other))
    return np.abs(one - two).sum() / 2 > _OTHER * gray.size
