"""frames -> file: a clip in the format that suits what an effect gives, whole or not at all."""

import errno
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from PIL import Image

from u2demo.images.write import encode
from u2demo.machine.disk import discard, partial_file, retry_busy
from u2demo.video.clip import Clip, Frame
from u2demo.video.encode import Coding, Shape, encode_clip

_MOST_PIXELS = 150_000_000  # of all frames of an animation, which are in memory together


class Animation(NamedTuple):
    """How Pillow encodes a short clip."""

    format: str
    options: Mapping[str, object]
    tick: Fraction  # seconds
    shortest: int = 1  # ticks that a frame is shown; frames that come sooner are left out
    if_transparent: Mapping[str, object] = MappingProxyType({})  # more options
    alpha: bool = True


class Folder(NamedTuple):
    """A folder of numbered pictures."""

    suffix: str = ".png"
    alpha: bool = True


# By the suffix of the file.
KINDS: Mapping[str, Coding | Animation | Folder] = {
    ".mp4": Coding(
        "mp4",
        "libx264",
        # To look ten frames ahead, as the preset does, takes 40 MB more at 1080p.
        {"crf": "18", "preset": "veryfast", "rc-lookahead": "5"},
        "yuv420p",
        None,
        Fraction(1, 90000),
        frozenset({"aac", "mp3", "ac3", "eac3", "alac"}),
        "aac",
        even=True,
    ),
    ".webm": Coding(
        "webm",
        "libvpx-vp9",
        # With auto-alt-ref libvpx would lose alpha.
        {"crf": "18", "b": "0", "deadline": "realtime", "cpu-used": "8", "row-mt": "1",
         "auto-alt-ref": "0", "lag-in-frames": "0"},
        "yuv420p",
        "yuva420p",
        Fraction(1, 1000),  # WebM knows no finer
        frozenset({"opus", "vorbis"}),
        "libopus",
    ),
    ".mov": Coding(
        "mov",
        "prores_ks",
        {"profile": "4444", "vendor": "apl0"},
        "yuv444p10le",
        "yuva444p10le",
        Fraction(1, 90000),
        frozenset({"aac", "alac", "mp3", "ac3", "pcm_s16le", "pcm_s16be", "pcm_s24le"}),
        "aac",
    ),
    # Pillow leaves out what is black if frames are disposed of; where nothing is transparent, that
    # would show through.
    ".gif": Animation("GIF", {}, Fraction(1, 100), shortest=2, if_transparent={"disposal": 2}),
    ".webp": Animation("WEBP", {"quality": 90, "alpha_quality": 100, "method": 2},
                       Fraction(1, 1000)),
    # Pillow takes an empty frame for the one before if frames are disposed of, and leaves it out.
    ".apng": Animation("PNG", {"disposal": 0, "blend": 0}, Fraction(1, 1000)),
    "": Folder(),
}  # fmt: skip
# A clip becomes the first of these kinds that holds its pictures.
FORMATS: Mapping[str, tuple[str, ...]] = {
    "auto": (".mp4", ".webm"),
    "webm": (".webm",),
    "mov": (".mov",),
    "mp4": (".mp4",),
    "png": ("",),
    "gif": (".gif",),
    "webp": (".webp",),
    "apng": (".apng",),
}


def check_format(format: str) -> None:
    """Raise ``ValueError`` unless ``format`` is one of ``FORMATS``."""
    if not isinstance(format, str) or format not in FORMATS:
        raise ValueError(f"unknown format {format!r:.80}; choose one of {', '.join(FORMATS)}")


def suffix(picture: Image.Image, format: str = "auto") -> str:
    """Return the suffix of the clip that pictures like this one become, "" for a folder of them.

    Raises:
        ValueError: ``format`` is not one of ``FORMATS``, or cannot hold the picture's alpha.
    """
    check_format(format)
    for kind in FORMATS[format]:
        if KINDS[kind].alpha or picture.mode != "RGBA":
            return kind
    raise _no_alpha()


def check_length(kind: str, size: tuple[int, int], *, count: int, duration: Fraction) -> None:
    """Raise ``ValueError`` if a clip of ``count`` frames is too long for its ``kind``."""
    how = KINDS[kind]
    if isinstance(how, Animation):
        _check_length(min(count, int(duration / (how.shortest * how.tick))), size)


def _check_length(count: int, size: tuple[int, int]) -> None:
    room = _MOST_PIXELS // (size[0] * size[1])
    if count > room:
        raise ValueError(
            f"the clip is too long for an animation, which may have {room} frames of"
            f" {size[0]}x{size[1]}; choose webm, or make it smaller"
        )


def write_clip(path: Path, frames: Iterable[Frame], *, like: Clip) -> None:
    """Write a clip to ``path``, in the format of its suffix, one of ``KINDS``.

    Without a suffix, that is a folder of numbered pictures. Frames are RGB, RGBA or L, all of one
    mode and size. Sound comes from ``like``, the clip that they were made from: copied where the
    format allows, else encoded again; animations and folders have none. Times are kept, to the
    millisecond in WebM, WebP and PNG and to a hundredth of a second in GIF; the last frame is shown
    until the end of ``like``, if its duration is known. Until the clip is complete, whatever was
    there stays.

    Where a side is odd, ``.mp4`` repeats its last row or column, for H.264 has no odd sides.

    Raises:
        ValueError: an unknown suffix, there are no frames, they differ in size or mode, the format
            cannot hold their alpha, or they are too many for an animation.
        FileNotFoundError: the folder that ``path`` is in does not exist.
        FileExistsError: ``path`` is a folder, or frames are to go into one and it is a file.
        ModuleNotFoundError: PyAV is needed and missing.
    """
    for _ in writing(path, frames, like=like):
        pass


def writing(path: Path, frames: Iterable[Frame], *, like: Clip) -> Iterator[Fraction]:
    """Do what ``write_clip`` does; yield the time of each frame once it is taken.

    The clip has its name when the iterator ends. Close that to stop; nothing is left then.
    """
    kind = path.suffix.lower()
    if kind not in KINDS:
        known = ", ".join(filter(None, KINDS))
        raise ValueError(
            f"{path}: clips are not written as {path.suffix}; choose {known}, or a name without a"
            " suffix, for a folder of frames"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(path.parent))
    with _whole(path, is_folder=not kind) as partial:
        yield from filling(partial, kind, frames, like=like)


def filling(path: Path, kind: str, frames: Iterable[Frame], *, like: Clip) -> Iterator[Fraction]:
    """Do what ``writing`` does, but straight to ``path``, whose name need not say the ``kind``."""
    how = KINDS[kind]
    shape, frames = _peek(like.path, iter(frames))
    if shape.mode == "RGBA" and not how.alpha:
        raise _no_alpha()
    yield from _WRITERS[type(how)](how, path, _alike(frames, shape), shape, like)


def taken_from(waiting: deque[Frame]) -> Iterator[Frame]:
    """Yield the frames that wait, until none does: for ``filling`` whose caller brings each frame.

    The caller appends a frame before each step of ``filling``, which takes just one.
    """
    while waiting:
        yield waiting.popleft()


def _shape(picture: Image.Image) -> Shape:
    return Shape(*picture.size, picture.mode)


def _peek(path: Path, frames: Iterator[Frame]) -> tuple[Shape, Iterator[Frame]]:
    """Return the shape of the first frame, and all the frames."""
    first = next(frames, None)
    if first is None:
        raise ValueError(f"{path}: there are no frames to write")
    return _shape(first.image), chain([first], frames)


def _no_alpha() -> ValueError:
    return ValueError(
        "MP4 cannot hold transparency; choose webm (plays in browsers), mov (for editing) or png"
        " (a folder of frames), or put a background behind the cut-out"
    )


def _alike(frames: Iterator[Frame], wanted: Shape) -> Iterator[Frame]:
    """Yield ``frames`` after a check that each has the size and mode of the first."""
    for frame in frames:
        found = _shape(frame.image)
        if found != wanted:
            raise ValueError(
                f"the frame at {float(frame.time):.2f} s is {found.width}x{found.height}"
                f" {found.mode}, the first {wanted.width}x{wanted.height} {wanted.mode};"
                " all frames of a clip need one size and mode"
            )
        yield frame


@contextmanager
def _whole(path: Path, *, is_folder: bool) -> Iterator[Path]:
    """Give the name of a hidden file or folder that becomes ``path`` if nothing goes wrong."""
    if path.is_dir() or (is_folder and os.path.lexists(path)):
        raise FileExistsError(f"{path} is there already; choose another name for the frames")
    partial = partial_file(path.parent)
    try:
        yield partial
        retry_busy(lambda: partial.replace(path), path.parent, os.W_OK)
    except BaseException:
        discard(partial)
        raise


def _animate(
    animation: Animation, path: Path, frames: Iterator[Frame], shape: Shape, like: Clip
) -> Iterator[Fraction]:
    pictures, ticks = [], []
    for frame in frames:
        yield frame.time
        tick = round(frame.time / animation.tick)
        if ticks and tick - ticks[-1] < animation.shortest:
            continue
        _check_length(len(pictures) + 1, (shape.width, shape.height))
        pictures.append(_for_animation(frame.image, animation))
        ticks.append(tick)
    end = round(like.duration / animation.tick) if like.duration else 0
    usual = max(animation.shortest, round(1 / like.rate / animation.tick))
    ticks.append(end if end - ticks[-1] >= animation.shortest else ticks[-1] + usual)
    durations = [int(step * animation.tick * 1000) for step in np.diff(ticks).tolist()]
    options = {**animation.options, **_repeated(animation, like.plays)}
    if shape.mode == "RGBA":
        options |= animation.if_transparent
    first, *others = pictures
    first.save(path, animation.format, save_all=True, append_images=others, duration=durations,
               **options)  # fmt: skip


def _for_animation(picture: Image.Image, animation: Animation) -> Image.Image:
    """Return a picture that Pillow can write in this kind of animation."""
    if picture.mode == "L" and animation.format != "WEBP":
        return picture.convert("RGB")  # Pillow cannot write an animated GIF or PNG in gray
    if picture.mode == "RGBA" and animation.format == "GIF":  # Pillow shows all that is above 0
        values = np.array(picture)
        values[values[..., 3] < 128] = 0
        values[..., 3][values[..., 3] > 0] = 255
        return Image.fromarray(values)
    return picture


def _repeated(animation: Animation, plays: int) -> Mapping[str, int]:
    """Return the option of Pillow that has an animation shown so often, 0 for ever."""
    if animation.format != "GIF" or plays == 0:
        return {"loop": plays}
    return {"loop": plays - 1} if plays > 1 else {}  # a GIF says how often it is repeated


def _number(
    folder: Folder, path: Path, frames: Iterator[Frame], shape: Shape, like: Clip
) -> Iterator[Fraction]:
    path.mkdir()
    for number, frame in enumerate(frames, start=1):
        picture = encode(frame.image, folder.suffix, like=frame.image)
        (path / f"{number:06}{folder.suffix}").write_bytes(picture)
        yield frame.time


_WRITERS: Mapping[type, Callable[..., Iterator[Fraction]]] = {
    Coding: encode_clip,
    Animation: _animate,
    Folder: _number,
}
