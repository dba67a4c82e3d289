"""photos on disk -> pictures on disk: any number of them, safely, several at a time."""

import errno
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from u2demo.effects import Effect
from u2demo.images.read import open_image
from u2demo.images.write import check_format, is_whole, suffix
from u2demo.inference.recipes import check_quality
from u2demo.machine.cores import available_cores, thread_pool
from u2demo.machine.disk import advise
from u2demo.masks.box import bounding_box
from u2demo.masks.objects import object_boxes
from u2demo.pipeline import Result, known_effects, process
from u2demo.runs.checksums import checksum
from u2demo.runs.manifest import Manifest, Record
from u2demo.runs.plan import list_photos, plan_records
from u2demo.runs.save import write_picture

if TYPE_CHECKING:
    from torch import nn

# Errors of the machine, not of a photo: going on would fail for every photo that follows.
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
_MOST_AT_ONCE = 8  # photos, however many cores: each of 12 megapixels takes 200 MB
_STAYS, _GOES_ON = "; what is done stays", ", and the same run given again goes on from there"


def process_folder(
    model: "nn.Module",
    folder: str | Path,
    results: str | Path,
    *,
    effects: Mapping[str, Effect] | None = None,
    quality: str = "fast",
    format: str = "auto",
    overwrite: bool = False,
    report: Callable[[Record], object] = lambda record: None,
) -> list[Record]:
    """Process every photo below ``folder`` into ``results``; return what became of each.

    Subfolders are mirrored. What is done and unchanged is skipped unless ``overwrite``; functions
    of your own count as changed when their code, defaults or enclosed values have. A photo that
    cannot be read is a record with status ``failed``. ``results`` gets the pictures, named as
    by ``save``, which describes ``format``, and the records as ``manifest.jsonl`` and
    ``manifest.csv``. ``report`` is called with each record as soon as it is there.

    Raises:
        ValueError: ``folder`` is not a folder, there is no such ``format`` or ``quality``, an
            effect's name cannot be part of a file's, ``results`` holds a manifest of other origin,
            or another run is writing there.
        TypeError: ``effects`` is no mapping.
        OSError: ``results`` takes no files, and what to do about it; what is done stays, and the
            same call goes on from there.
    """
    if not Path(folder).is_dir():
        raise ValueError(f"{folder} is not a folder; process takes single photos")
    return process_files(
        model,
        list_photos([folder]),
        results,
        effects=effects,
        quality=quality,
        format=format,
        overwrite=overwrite,
        report=report,
    )


def process_files(
    model: "nn.Module",
    photos: Mapping[Path, Path],
    results: str | Path,
    *,
    effects: Mapping[str, Effect] | None = None,
    quality: str = "fast",
    format: str = "auto",
    overwrite: bool = False,
    report: Callable[[Record], object] = lambda record: None,
) -> list[Record]:
    """Process ``photos``, as from ``list_photos``; see ``process_folder``, this for one folder."""
    # They import torch, a second's work, which is not needed before.
    from u2demo.inference.predict import share_cores
    from u2demo.nets.load import fingerprint

    check_format(format)
    check_quality(quality)
    effects = known_effects(effects)
    checksums = {name: checksum([effect, format]) for name, effect in effects.items()}
    results = Path(results).resolve()
    workers = min(available_cores(), _MOST_AT_ONCE)
    make = partial(process, model, effects=effects, quality=quality)
    work = partial(_finish, make=make, results=results, format=format, checksums=checksums)
    records = []
    then = _STAYS if overwrite else _STAYS + _GOES_ON
    with advise(results, then), Manifest(results) as manifest, share_cores(workers):
        jobs = plan_records(photos, manifest, effects, checksum([fingerprint(model), quality]))
        done = {job.photo for job in jobs if not overwrite and manifest.is_done(job, checksums)}
        for record in _records(jobs, done, work, manifest, workers):
            records.append(record)
            report(record)
    return records


def _records(
    jobs: list[Record],
    done: set[str],
    work: Callable[[Record], Record],
    manifest: Manifest,
    workers: int,
) -> Iterator[Record]:
    """Yield what became of each job: of those that need no work, then of the others."""
    for job in jobs:
        if job.photo in done:
            yield replace(manifest.records[job.photo], status="skipped")
    begun = (manifest.add(job) or job for job in jobs if job.photo not in done)
    for record in _in_parallel(work, begun, workers):
        manifest.add(record)
        yield record


def _finish(
    job: Record,
    make: Callable[[list], Iterator[Result]],
    results: Path,
    format: str,
    checksums: Mapping[str, str],
) -> Record:
    """Take one photo from file to files, and return its record, failed or done."""
    start = time.perf_counter()
    try:
        (result,) = make([(job.photo, open_image(job.photo))])
        for effect in result.pictures:
            _write(result, job.stem, effect, results, format)
    except Exception as error:  # whatever one photo does, the others go on
        if isinstance(error, OSError) and error.errno in _FATAL:
            raise
        record = replace(job, status="failed", error=_reason(error, job.photo))
    else:
        seconds = round(time.perf_counter() - start, 3)
        effects = {**job.effects, **checksums}
        record = replace(_describe(job, result), seconds=seconds, effects=effects)
    return replace(record, files=_pictures(job, results))


def _describe(job: Record, result: Result) -> Record:
    return replace(
        job,
        status="done",
        size=result.image.size,
        box=bounding_box(result.mask),
        objects=tuple(object_boxes(result.mask)),
        area=round(float((result.mask > 0.5).mean()), 4),
        confidence=round(result.peak, 4),
        clear=result.has_clear_subject,
    )


def _write(result: Result, stem: str, effect: str, results: Path, format: str) -> None:
    picture = result.pictures[effect]
    file = PurePath(f"{stem}_{effect}{suffix(picture, format)}")
    if not (results / file.parent).resolve().is_relative_to(results.resolve()):
        raise ValueError(f"{file.parent} leads out of {results}; nothing is written there")
    for folder in list(file.parents)[-2::-1]:  # results itself is not made again if it is deleted
        (results / folder).mkdir(exist_ok=True)
    write_picture(picture, results / file, like=result.image)


def _pictures(job: Record, results: Path) -> tuple[str, ...]:
    return tuple(file for file in job.files if is_whole(results / file))


def _reason(error: Exception, photo: str) -> str:
    text = str(error) or type(error).__name__
    of_torch = isinstance(error, RuntimeError) and "memory" in text
    if isinstance(error, MemoryError) or of_torch:
        text = "not enough memory; run again when more is free"
    return text if text.startswith(photo) else f"{photo}: {text}"


def _in_parallel(
    work: Callable[[Record], Record], jobs: Iterable[Record], workers: int
) -> Iterator[Record]:
    """Yield ``work(job)`` for each job in order, never more than ``workers`` + 1 jobs ahead."""
    with thread_pool(workers) as pool:
        running: deque = deque()
        try:
            for job in jobs:
                running.append(pool.submit(work, job))
                if len(running) > workers:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()
