"""(name, image) -> result -> files: one code path for notebook, command line and library."""

import contextlib
import os
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from PIL import Image

from u2demo.effects import cutout
from u2demo.images.write import check_format, encode, suffix
from u2demo.inference.recipes import check_quality
from u2demo.machine.disk import advise, discard, numbered, partial_file, write_file
from u2demo.masks.mask import Mask, has_clear_subject, unsure_share

if TYPE_CHECKING:
    from torch import nn

Effect = Callable[[Image.Image, Mask], Image.Image]

EFFECTS: Mapping[str, Effect] = {
    "cutout": cutout.remove_background,
    "background": partial(cutout.replace_background, background="white"),
    "blur": cutout.blur_background,
    "highlight": cutout.highlight,
    "box": cutout.draw_box,
    "boxes": partial(cutout.draw_box, per_object=True),
    "crop": cutout.crop,
    "mask": cutout.show_mask,
}
DEFAULT_EFFECTS = {name: EFFECTS[name] for name in ("cutout", "box", "highlight")}

_LONGEST_NAME = 180  # bytes; file systems allow 255, and effect, number and suffix follow
# Names of devices on Windows, whatever suffix they have (Microsoft, "Naming Files").
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)  # masks cannot be compared with ==
class Result:
    """What came of one photo.

    ``pictures`` maps an effect's name to its picture; ``name`` is the photo's file name; ``peak``
    is the highest probability, 0 to 1, that the net gave a pixel, None for a mask of other origin.
    """

    name: str
    image: Image.Image
    mask: Mask
    pictures: Mapping[str, Image.Image]
    peak: float | None = None

    @property
    def unsure(self) -> float:
        """The share of the subject that is neither clearly in nor out, see ``unsure_share``."""
        return unsure_share(self.mask)

    @property
    def has_clear_subject(self) -> bool:
        """Whether the pictures are worth showing: False is "no clear subject"."""
        return has_clear_subject(self.mask, peak=1.0 if self.peak is None else self.peak)


def process(
    model: "nn.Module",
    photos: Iterable[tuple[str, Image.Image]],
    *,
    effects: Mapping[str, Effect] | None = None,
    quality: str = "fast",
) -> Iterator[Result]:
    """Return an iterator over a ``Result`` for each (name, image), computed when it is asked for.

    ``effects`` names the pictures to make: entries of ``EFFECTS`` or functions of your own that
    take (image, mask) and return an image. By default cutout, box and highlight.

    Raises:
        ValueError: there is no such ``quality``, or an effect's name cannot be part of a file's.
        TypeError: ``effects`` is no mapping; later, one of them returns no image.
    """
    check_quality(quality)
    if isinstance(photos, Mapping):
        raise TypeError("photos are pairs of name and image, not a dict; pass its items()")
    return _process(model, photos, known_effects(effects), quality)


def known_effects(effects: Mapping[str, Effect] | None) -> Mapping[str, Effect]:
    """Return ``effects``, by default those of ``DEFAULT_EFFECTS``.

    Raises:
        TypeError: they are no mapping.
        ValueError: a name cannot be part of a file's.
    """
    if effects is None:
        return DEFAULT_EFFECTS
    if not isinstance(effects, Mapping):
        raise TypeError(
            f"effects is a {type(effects).__name__}, expected names with their functions, such as"
            " {'crop': EFFECTS['crop']}"
        )
    _check_names(effects)
    return effects


def _check_names(effects: Iterable[str]) -> None:
    for name in effects:
        if re.search(r"[/\\\0]", name):
            raise ValueError(f"effect {name!r}: its name is part of a file's; leave out / and \\")


def _process(
    model: "nn.Module",
    photos: Iterable[tuple[str, Image.Image]],
    effects: Mapping[str, Effect],
    quality: str,
) -> Iterator[Result]:
    from u2demo.inference.predict import predict  # torch, a second of import, is not needed before

    taken: deque[tuple[str, Image.Image]] = deque()  # of photos; a GPU looks at several at once
    images = (taken.append(photo) or photo[1] for photo in photos)
    for found in predict(model, images, quality=quality):
        name, image = taken.popleft()
        pictures = {title: effect(image, found.mask) for title, effect in effects.items()}
        for title, picture in pictures.items():
            if not isinstance(picture, Image.Image):
                kind = type(picture).__name__
                raise TypeError(f"the effect {title!r} returned {kind}, expected an image")
        yield Result(name, image, found.mask, pictures, found.peak)


def save(result: Result, folder: str | Path, *, format: str = "auto") -> list[Path]:
    """Write every picture of ``result`` into ``folder``, made if need be, and return the files.

    ``cat.jpeg`` becomes ``cat_cutout.png``; only pictures without transparency are JPEG. With
    ``format`` "webp" both are WebP, lossy but for alpha, and a tenth as large; only masks, and
    pictures with a side above 16,383 pixels, are PNG. Nothing is ever overwritten: where that name
    is taken, ``cat_cutout (2).png`` is next.

    Raises:
        ValueError: ``format`` is neither "auto" nor "webp", or a picture's name holds a folder.
        OSError: ``folder`` takes no files, and what to do about it. No half of a file is left.
    """
    check_format(format)
    _check_names(result.pictures)
    folder = Path(folder)
    stem = safe_name(PurePath(result.name).stem)
    files = []
    with advise(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for effect, picture in result.pictures.items():
            file = folder / f"{stem}_{effect}{suffix(picture, format)}"
            encoded = encode(picture, file.suffix, like=result.image)
            files.append(_reserve(file))
            write_file(files[-1], encoded)
    return files


def safe_name(name: str) -> str:
    """Return ``name`` without folders, fit to be part of a file name on any system."""
    last = re.split(r"[/\\]", name)[-1]
    printable = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last)
    short = printable.encode()[:_LONGEST_NAME].decode(errors="ignore")
    plain = short.lstrip("-. ").rstrip(". ") or "photo"
    return f"_{plain}" if _DEVICE.match(plain) else plain


def fold_name(name: str) -> str:
    """Return ``name`` without what some disks do not tell apart: case, and how accents are put."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def write_picture(picture: Image.Image, target: Path, *, like: Image.Image) -> None:
    """Write ``picture`` to ``target`` in the format of its suffix, completely or not at all.

    The color profile of ``like``, the photo it was made of, goes along.
    """
    write_file(target, encode(picture, target.suffix, like=like))


def _reserve(path: Path) -> Path:
    """Return ``path``, or the next free ``path (n)``; its partial file keeps others off it."""
    for free in map(path.with_name, numbered(path.name)):
        with contextlib.suppress(FileExistsError):
            partial_file(free).touch(exist_ok=False)
            if not os.path.lexists(free):  # looked up now: whoever had the partial file is done
                return free
            discard(partial_file(free))
    raise AssertionError("unreachable")
