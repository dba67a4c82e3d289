"""frames -> file: a clip in the format that suits what an effect gives, whole or not at all."""

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from u2demo.images.write import encode
from u2demo.machine.disk import discard, partial_file, retry_busy
from u2demo.video.animate import Animation, Animator, check_frames
from u2demo.video.clip import Clip, Frame, Shape
from u2demo.video.encode import Coding, Encoder


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
        check_frames(min(count, int(duration / (how.shortest * how.tick))), size)


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
        ModuleNotFoundError: PyAV is needed, and missing or too old.
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
    with (
        _whole(path, is_folder=not kind) as partial,
        ClipWriter(partial, kind, like=like) as writer,
    ):
        for frame in frames:
            writer.add(frame)
            yield frame.time
        writer.finish()


class ClipWriter:
    """A clip on its way into ``path``, whose name need not say the ``kind``. Use it as a context.

    It is complete after ``finish``. ``write_clip`` says which frames it takes, and what it raises.
    """

    def __init__(self, path: Path, kind: str, *, like: Clip):
        self._path, self._how, self._like = path, KINDS[kind], like
        self._shape: Shape | None = None
        self._writer: Encoder | Animator | _Numbered | None = None

    def __enter__(self) -> "ClipWriter":
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer:
            self._writer.close()

    def add(self, frame: Frame) -> None:
        """Take a frame; the first says which size and mode all have."""
        found = Shape(*frame.image.size, frame.image.mode)
        if self._shape is None:
            if found.mode == "RGBA" and not self._how.alpha:
                raise _no_alpha()
            self._shape = found
            self._writer = _WRITERS[type(self._how)](self._how, self._path, found, self._like)
        wanted = self._shape
        if found != wanted:
            raise ValueError(
                f"the frame at {float(frame.time):.2f} s is {found.width}x{found.height}"
                f" {found.mode}, the first {wanted.width}x{wanted.height} {wanted.mode};"
                " all frames of a clip need one size and mode"
            )
        self._writer.add(frame)

    def finish(self) -> None:
        """Complete the clip."""
        if self._writer is None:
            raise ValueError(f"{self._like.path}: there are no frames to write")
        self._writer.finish()


def _no_alpha() -> ValueError:
    return ValueError(
        "MP4 cannot hold transparency; choose webm (plays in browsers), mov (for editing) or png"
        " (a folder of frames), or put a background behind the cut-out"
    )


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


class _Numbered:
    """A folder of numbered pictures."""

    def __init__(self, folder: Folder, path: Path, shape: Shape, like: Clip):
        path.mkdir()
        self._path, self._suffix = path, folder.suffix
        self._count = 0

    def add(self, frame: Frame) -> None:
        """Write a picture."""
        self._count += 1
        picture = encode(frame.image, self._suffix, like=frame.image)
        (self._path / f"{self._count:06}{self._suffix}").write_bytes(picture)

    def finish(self) -> None:
        """Do nothing: every picture is whole."""

    def close(self) -> None:
        """Do nothing: no file is open."""


_WRITERS = {Coding: Encoder, Animation: Animator, Folder: _Numbered}
