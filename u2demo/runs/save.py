"""result -> files: its pictures in a folder, replacing no file."""

from functools import partial
from pathlib import Path, PurePath

from u2demo.images.write import check_format, check_metadata, check_picture_quality, encode, suffix
from u2demo.machine.disk import advise, at_free_name, write_new_file
from u2demo.machine.names import safe_name
from u2demo.machine.paths import as_path
from u2demo.pipeline import Result, check_names


def save(
    result: Result,
    folder: str | Path,
    *,
    format: str = "auto",
    metadata: str = "private",
    quality: int | None = None,
) -> list[Path]:
    """Write every picture of ``result`` into ``folder``, created if missing; return the files.

    ``cat.jpeg`` becomes ``cat_cutout.png``; only pictures without transparency are JPEG. With
    ``format="webp"`` both are WebP, lossy except for alpha, and about a fifth as large; masks, and
    pictures with a side above 16,383 pixels, are still PNG. With "png" all are. ``quality``, from 1
    to 100, is for JPEG and WebP, by default 95 and 90. No file is overwritten: if the name is
    taken, ``cat_cutout (2).png`` is next.

    Resolution and color profile of the photo are kept. Of its EXIF, ``metadata="private"`` keeps
    copyright, author, description and dates; "keep" also camera, place (GPS) and the rest; "none"
    nothing.

    Raises:
        ValueError: unknown ``format`` or ``metadata``, ``quality`` out of range, or a picture's
            name that cannot be part of a file name; ``folder`` is a URL.
        OSError: ``folder`` cannot be written to; the text says what to do. No partial file is left.
    """
    if not isinstance(result, Result):
        kind = type(result).__name__
        raise TypeError(f"expected a Result, one of those that process yields, not {kind}")
    check_format(format)
    check_metadata(metadata)
    check_picture_quality(quality)
    check_names(result.pictures)
    folder = as_path("folder", folder)
    stem = safe_name(PurePath(result.name).stem)
    files = []
    with advise(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for effect, picture in result.pictures.items():
            file = folder / f"{stem}_{effect}{suffix(picture, format)}"
            data = encode(
                picture, file.suffix, like=result.image, metadata=metadata, quality=quality
            )
            files.append(at_free_name(file, partial(write_new_file, data=data)))
    return files
