"""photos on disk -> pictures on disk: any number of them, safely, several at a time."""

import contextlib
import errno
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from u2demo.effects import DEFAULT_EFFECTS, Effect
from u2demo.images.find import is_unread
from u2demo.images.read import open_image, pixel_limit
from u2demo.images.write import check_format, check_metadata
from u2demo.inference.recipes import check_quality
from u2demo.machine.cores import available_cores, in_parallel
from u2demo.machine.disk import advise
from u2demo.machine.paths import as_path
from u2demo.masks.adjust import UNCHANGED, Edge
from u2demo.masks.box import bounding_box, box_in
from u2demo.masks.corrections import Corrections
from u2demo.masks.objects import object_boxes
from u2demo.masks.outlines import outlines
from u2demo.pipeline import Result, apply_effects, known_effects
from u2demo.runs.checksums import checksum, content_of
from u2demo.runs.corrected import read_corrections
from u2demo.runs.manifest import Manifest
from u2demo.runs.pictures import Pictures
from u2demo.runs.plan import Job, list_files, plan
from u2demo.runs.reasons import reason_of
from u2demo.runs.records import Record

if TYPE_CHECKING:
    from torch import nn

    from u2demo.inference.predict import Prediction

# Errors of the machine, not of a photo: every later photo would fail too.
FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
_MOST_AT_ONCE = 8  # photos in threads, however many cores: one of 12 megapixels takes 200 MB
_STAYS, _RESUMES = "; finished pictures stay", ", and the same run resumes from there"


@dataclass(frozen=True)
class Run:
    """What a run does with each photo.

    ``effects``, ``quality``, ``format`` and ``metadata`` are those of ``process`` and ``save``.
    ``clip_format`` is the one that clips become, ``format`` is for photos only.
    With ``overwrite``, existing pictures are made again; those that were changed since are still
    kept. ``max_pixels`` is that of ``open_image``. ``within`` says where in each photo the subject
    is, as ``box_in`` reads it; photos without such a part fail. With ``corrections``, what a person
    has said in the file beside a photo is applied; a box in it goes before ``within``. ``outlines``
    are found on request, for boxes with segmentation.

    Raises:
        ValueError: unknown ``quality``, ``format`` or ``metadata``, an effect name that cannot be
            part of a file name, a limit of pixels that is not a number, or ``within`` that is not
            a part of a photo.
        TypeError: ``effects`` is not a mapping, or ``max_pixels`` not a number.
    """

    effects: Mapping[str, Effect] = field(default_factory=lambda: DEFAULT_EFFECTS)
    quality: str = "fast"
    format: str = "auto"
    overwrite: bool = False
    metadata: str = "private"
    max_pixels: int | None = None
    outlines: bool = False
    clip_format: str = "auto"
    within: str = ""
    corrections: bool = True
    edge: Edge = UNCHANGED  # what ``adjust_mask`` does to each mask

    def __post_init__(self):
        check_format(self.format)
        check_metadata(self.metadata)
        check_quality(self.quality)
        pixel_limit(self.max_pixels)  # otherwise every photo would fail
        if self.within:
            box_in(self.within, (1, 1))
        known_effects(self.effects)

    @property
    def then(self) -> str:
        """What follows when a run has to end: words for the end of a sentence."""
        return _STAYS if self.overwrite else _STAYS + _RESUMES

    def settings(self, net: str) -> str:
        """Return a checksum: when it changes, every photo is done again. ``net`` stands for it."""
        looks = [net, self.quality]
        if self.within:
            looks.append(self.within)
        if self.edge != UNCHANGED:
            looks.append(self.edge)
        return checksum(looks)

    @cached_property
    def checksums(self) -> Mapping[str, str]:
        """The checksum of each effect: when it changes, the effect's pictures are made again."""
        files = [self.format, self.metadata]
        return {name: checksum([effect, *files]) for name, effect in self.effects.items()}


def process_folder(
    model: "nn.Module",
    folder: str | Path,
    results: str | Path,
    *,
    effects: Mapping[str, Effect] | None = None,
    quality: str = "fast",
    format: str = "auto",
    overwrite: bool = False,
    metadata: str = "private",
    corrections: bool = True,
    report: Callable[[Record], object] = lambda record: None,
) -> list[Record]:
    """Process every photo below ``folder`` into ``results``; return a record for each.

    Subfolders are mirrored. Photos that are done and unchanged are skipped unless ``overwrite``. A
    function of yours counts as changed when its code, defaults or enclosed values have changed. A
    photo that cannot be read gets a record with status ``failed``, and a picture of a kind that is
    not read, such as Photoshop's, one with status ``left out``. So does a clip, which is for
    ``process_video``; that record is returned, but not in the manifest.

    With ``corrections``, what a person has said about ``cat.jpg`` is read from ``cat.strokes.json``
    beside it and applied, as by ``process``; a photo fails if that file is not such a one.

    ``results`` gets the pictures, named as by ``save``, which describes ``format`` and
    ``metadata``, and the records as ``manifest.jsonl`` and ``manifest.csv``. ``report`` is called
    with each record as soon as it exists. On a GPU the net takes eight photos at a time. A program
    of your own that does many photos on a CPU may call ``u2demo.machine.memory.keep_freed_memory``
    first, as the command line does.

    A picture is replaced only if it is still as an earlier run wrote it; no other file ever is.
    Where a picture was changed since, or a file of yours has appeared, the new picture gets a
    number, and the record's ``renamed`` says so.

    Raises:
        ValueError: ``folder`` is not a folder, unknown ``format``, ``quality`` or ``metadata``, an
            effect name that cannot be part of a file name, a manifest in ``results`` that u2demo
            did not write, or another run that is writing there.
        TypeError: ``effects`` is not a mapping, or ``report`` cannot be called.
        OSError: ``results`` cannot be written to; the text says what to do. Finished pictures stay,
            and the same call resumes.
    """
    folder, results = as_path("folder", folder), as_path("results", results)
    if not callable(report):
        raise TypeError(f"report is {report!r:.80}, expected a function of one Record")
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; process takes single photos")
    run = Run(known_effects(effects), quality, format, overwrite, metadata, corrections=corrections)
    files = list_files([folder])
    records = process_files(model, files.photos, results, run, report=report)
    for clip, place in files.clips.items():
        why = f"{clip}: a clip, not a photo; process_video takes it"
        record = Record(str(clip), place.stem, version="", status="left out", error=why)
        records.append(record)
        report(record)
    return records


def process_files(
    model: "nn.Module",
    photos: Mapping[Path, Path],
    results: str | Path,
    run: Run,
    *,
    report: Callable[[Record], object] = lambda record: None,
) -> list[Record]:
    """Process ``photos``, as from ``list_photos``, and return a record for each.

    ``process_folder`` does this for one folder and says more.
    """
    from u2demo.inference.predict import share_cores  # imports torch: a second, not needed earlier
    from u2demo.nets.load import fingerprint  # imports torch as well

    results = Path(results).resolve()
    workers = min(available_cores(), _MOST_AT_ONCE)
    records = []
    with advise(results, run.then), Manifest(results) as manifest, share_cores(workers):
        settings = run.settings(fingerprint(model))
        jobs = plan(photos, manifest, run.effects, settings, corrections=run.corrections)
        for record in _Work(model, run, manifest, workers).records(jobs):
            records.append(record)
            report(record)
    return records


class _Photo(NamedTuple):
    """A photo in work: opened, then with its prediction; or what went wrong with it."""

    job: Job
    begun: float  # seconds, from time.perf_counter
    content: str = ""  # checksum of its file
    image: Image.Image | None = None
    corrections: Corrections = Corrections()
    found: "Prediction | None" = None
    error: Exception | None = None


class _Work:
    """A run at work: three steps for each photo, which any thread may take."""

    def __init__(self, model: "nn.Module", run: Run, manifest: Manifest, workers: int):
        self._model, self._run, self._manifest, self._workers = model, run, manifest, workers

    def records(self, jobs: Iterable[Job]) -> Iterator[Record]:
        """Yield a record for each job: first those that need no work, then the others."""
        to_do = []
        for job in jobs:
            if not self._run.overwrite and self._is_done(job):
                known = self._manifest.renew(job.photo, job.version, job.identity)
                yield replace(known, status="skipped")
            else:
                to_do.append(job)
        for record in self._process(self._begin(to_do)):
            self._manifest.add(record)
            yield record

    def _is_done(self, job: Job) -> bool:
        if not is_done(job, self._manifest, self._run.checksums):
            return False
        known = self._manifest.records[job.photo]
        return not self._run.outlines or known.outlines is not None

    def _begin(self, jobs: Iterable[Job]) -> Iterator[Job]:
        for job in jobs:
            self._manifest.add(job.record())
            yield job

    def _process(self, jobs: Iterator[Job]) -> Iterator[Record]:
        """Yield the record of each job, in order, with a bounded number of photos in memory."""
        from u2demo.inference.predict import at_once  # imports torch: a second, not needed earlier

        count = at_once(self._model)
        if count == 1:  # a CPU gains most when each core takes a photo from file to files
            yield from in_parallel(self._process_alone, jobs, self._workers)
            return
        with contextlib.closing(in_parallel(self._open, jobs, self._workers)) as opened:
            looked_at = self._look_at_all(opened, count)
            yield from in_parallel(self._finish, looked_at, self._workers)

    def _process_alone(self, job: Job) -> Record:
        (photo,) = self._look([self._open(job)])
        return self._finish(photo)

    def _look_at_all(self, opened: Iterator[_Photo], count: int) -> Iterator[_Photo]:
        batch = list(islice(opened, count))
        while batch:
            yield from self._look(batch)
            batch = list(islice(opened, count))

    def _open(self, job: Job) -> _Photo:
        photo = _Photo(job, time.perf_counter())
        try:
            content = content_of(Path(job.photo))  # first: a later change must not count as seen
            image = open_image(job.photo, max_pixels=self._run.max_pixels)
            said = self._corrections(job, image.size)
            return photo._replace(image=image, content=content, corrections=said)
        except Exception as error:  # one photo's failure must not stop the others
            return photo._replace(error=error)

    def _corrections(self, job: Job, size: tuple[int, int]) -> Corrections:
        said = Corrections()
        if job.corrections:
            said = read_corrections(Path(job.photo).with_name(job.corrections), size)
        if said.within is None and self._run.within:
            said = replace(said, within=box_in(self._run.within, size))
        return said

    def _look(self, photos: list[_Photo]) -> list[_Photo]:
        """Return the photos with the net's predictions, made in one batch if possible."""
        from u2demo.inference.correct import predict_corrected  # imports torch: a second

        good = [photo for photo in photos if photo.image is not None]
        images = [photo.image for photo in good]
        try:
            said = [photo.corrections for photo in good]
            quality = self._run.quality
            found = deque(predict_corrected(self._model, images, said, quality=quality))
        except Exception as error:
            if len(photos) == 1:
                return [photos[0]._replace(error=error)]
            # One photo may be to blame, or memory may be short: try each one alone.
            return [looked_at for photo in photos for looked_at in self._look([photo])]
        looked_at = []
        for photo in photos:
            if photo.image is not None:
                prediction = found.popleft()
                photo = photo._replace(found=prediction)
            looked_at.append(photo)
        return looked_at

    def _finish(self, photo: _Photo) -> Record:
        """Write the pictures of a photo; return its record, failed or done."""
        pictures = Pictures(photo.job, self._manifest)
        error = photo.error
        if error is None:
            try:
                return self._make(photo, pictures)
            except Exception as raised:  # one photo's failure must not stop the others
                if isinstance(raised, OSError) and raised.errno in FATAL:
                    raise
                error = raised
        path = photo.job.photo
        status = "left out" if is_unread(Path(path)) else "failed"
        return photo.job.record(status=status, error=reason_of(error, path), **pictures.fields())

    def _make(self, photo: _Photo, pictures: Pictures) -> Record:
        job, run = photo.job, self._run
        found = photo.found
        if run.edge != UNCHANGED:
            found = found._replace(mask=run.edge.apply(found.mask))
        result = apply_effects(job.photo, photo.image, found, run.effects)
        pictures.write(result, run.format, run.metadata)
        return job.record(
            status="done",
            effects={**job.effects, **run.checksums},
            outlines=tuple(outlines(result.mask)) if run.outlines else None,
            content=photo.content,
            seconds=round(time.perf_counter() - photo.begun, 3),
            **_describe(result),
            **pictures.fields(),
        )


def is_done(job: Job, manifest: Manifest, effects: Mapping[str, str]) -> bool:
    """Return whether all pictures of a job are there, made by these effects of the same photo."""
    known = manifest.records.get(job.photo)
    return known is not None and job.unchanged and manifest.is_complete(known, effects)


def _describe(result: Result) -> dict[str, object]:
    """Return the fields of a record about a photo and its subject."""
    return {
        "size": result.image.size,
        "box": bounding_box(result.mask),
        "objects": tuple(object_boxes(result.mask)),
        "area": round(float((result.mask > 0.5).mean()), 4),
        "confidence": round(result.peak, 4),
        "clear": result.has_clear_subject,
        "left_out": tuple(result.image.info.get("left_out", ())),
    }
