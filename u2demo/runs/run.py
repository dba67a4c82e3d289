"""photos on disk -> pictures on disk: any number of them, safely, several at a time."""

import contextlib
import errno
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from u2demo.effects import Effect
from u2demo.images.find import is_unread
from u2demo.images.read import open_image
from u2demo.machine.cores import in_batches, in_parallel, own_cores
from u2demo.machine.disk import advise
from u2demo.machine.paths import as_place
from u2demo.machine.places import is_url
from u2demo.masks.adjust import UNCHANGED
from u2demo.masks.box import bounding_box, box_in
from u2demo.masks.corrections import Corrections
from u2demo.masks.objects import object_boxes
from u2demo.masks.outlines import outlines
from u2demo.pipeline import Result, apply_effects, known_effects
from u2demo.runs.listing import Entry, Listing
from u2demo.runs.manifest import Manifest
from u2demo.runs.photos import corrections_beside, open_photo, why_not_fetched
from u2demo.runs.pictures import Pictures
from u2demo.runs.plan import Job, plan
from u2demo.runs.reasons import reason_of
from u2demo.runs.record import Record
from u2demo.runs.records import Shard, Told
from u2demo.runs.settings import Run
from u2demo.runs.shards import check_shard, finish
from u2demo.runs.store import manifest_of
from u2demo.runs.stored import StoredListing, check_apart

if TYPE_CHECKING:
    from torch import nn

    from u2demo.inference.predict import Prediction

# Errors of the machine, not of a photo: every later photo would fail too.
FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
_BATCHES = 2  # of a GPU at a time, and one more in waiting
_MOST_AT_ONCE = 8  # photos in threads, however many cores: one of 12 megapixels takes 200 MB


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
    shard: Shard | None = None,
    report: Callable[[Record], object] = lambda record: None,
) -> Sequence[Record]:
    """Process every photo below ``folder`` into ``results``; return a record for each.

    Both may be URLs that fsspec opens, such as ``s3://bucket/photos`` (``pip install s3fs``).
    Subfolders are mirrored. Photos that are done and unchanged are skipped unless ``overwrite``. A
    function of yours counts as changed when its code, defaults or enclosed values have changed. A
    photo that cannot be read gets a record with status ``failed``, and a picture of a kind that is
    not read, such as Photoshop's, one with status ``left out``. So does a clip, which is for
    ``process_video``; that record is returned, but not in the manifest.

    With ``corrections``, what a person has said about ``cat.jpg`` is read from ``cat.strokes.json``
    beside it and applied, as by ``process``; a photo fails if that file is not valid.

    ``results`` gets the pictures, named as by ``save``, which describes ``format`` and
    ``metadata``, and the records as ``manifest.jsonl`` and ``manifest.csv``. ``report`` is called
    with each record as soon as it exists. On a GPU the net takes eight photos at a time. A program
    of your own that does many photos on a CPU may call ``u2demo.machine.memory.keep_freed_memory``
    first, as the command line does.

    A picture is replaced only if it is still as an earlier run wrote it; no other file ever is.
    Where a picture was changed since, or a file of yours has appeared, the new picture gets a
    number, and the record's ``renamed`` says so.

    Many processes, on one computer or on many, may share a folder and its results. With
    ``shard=(3, 10)`` this call does the third of ten parts, and only their records are returned;
    names are those of a run that is not divided. Its records are in ``manifest-3-of-10.jsonl``
    until ``u2demo merge`` or a run over all photos takes them over. Another number of shards finds
    what is done.

    A few records are kept in memory; of a million, most are read from the manifest when asked for.

    Raises:
        ValueError: ``folder`` is not a folder, unknown ``format``, ``quality`` or ``metadata``, an
            impossible ``shard``, an effect name that cannot be part of a file name, a manifest in
            ``results`` that u2demo did not write, or another run that is writing there.
        TypeError: ``effects`` is not a mapping, or ``report`` cannot be called.
        OSError: ``results`` cannot be written to; the text says what to do. Finished pictures stay,
            and the same call resumes.
    """
    folder, results = as_place("folder", folder), as_place("results", results)
    if not callable(report):
        raise TypeError(f"report is {report!r:.80}, expected a function of one Record")
    if not (is_url(folder) or folder.is_dir()):
        raise ValueError(f"{folder} is not a folder; process takes single photos")
    run = Run(known_effects(effects), quality, format, overwrite, metadata, corrections=corrections)
    check_shard(shard)
    listing = StoredListing([folder]) if is_url(folder) else Listing([folder])
    clips: list[Entry] = []
    records = process_files(
        model, listing, results, run, shard=shard, report=report, leave=clips.append
    )
    for clip in clips:
        record = clip.left_out("a clip, not a photo; process_video takes it")
        records.add(record)
        report(record)
    if shard is not None:
        finish(results, shard)
    return records


def process_files(
    model: "nn.Module",
    listing: Listing,
    results: str | Path,
    run: Run,
    *,
    shard: Shard | None = None,
    report: Callable[[Record], object] = lambda record: None,
    leave: Callable[[Entry], object] = lambda clip: None,
) -> Told:
    """Process the photos of a listing; return a record for each.

    ``process_folder`` does this for one folder and says more. ``leave`` is called with each clip.

    Raises:
        ValueError: a shard's results lie in a store, among the photos.
    """
    from u2demo.inference.predict import share_cores  # imports torch: a second, not needed earlier
    from u2demo.nets.load import fingerprint  # imports torch as well

    check_apart(listing, results, shard)
    workers = min(own_cores(), _MOST_AT_ONCE)
    with (
        advise(results, run.then),
        manifest_of(results, shard) as manifest,
        share_cores(workers),
    ):
        told = Told(manifest.records)

        def tell(record: Record) -> None:
            told.add(record)
            report(record)

        work = _Work(model, run, manifest, workers, tell)
        settings = run.settings(fingerprint(model))
        jobs = plan(
            listing,
            manifest,
            run.effects,
            settings,
            corrections=run.corrections,
            is_done=work.is_done,
            leave=leave,
        )
        work.do(jobs)
    return told


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

    def __init__(
        self,
        model: "nn.Module",
        run: Run,
        manifest: Manifest,
        workers: int,
        tell: Callable[[Record], object],
    ):
        self._model, self._run, self._manifest, self._workers = model, run, manifest, workers
        self._tell = tell

    def do(self, jobs: Iterator[Job]) -> None:
        """Do all jobs, and tell of the record of each; those that need no work come sooner."""
        for record in self._process(self._begin(jobs)):
            self._manifest.add(record)
            self._tell(record)

    def is_done(self, known: Record) -> bool:
        """Return whether a photo that is unchanged needs no work."""
        if self._run.overwrite or (self._run.outlines and known.outlines is None):
            return False
        return self._manifest.is_complete(known, self._run.checksums)

    def _begin(self, jobs: Iterator[Job]) -> Iterator[Job]:
        for job in jobs:
            if job.done:
                known = self._manifest.renew(job.done, job.version, job.identity)
                self._tell(known.as_skipped())
            else:
                self._manifest.add(job.record())
                yield job

    def _process(self, jobs: Iterator[Job]) -> Iterator[Record]:
        """Yield the record of each job, in order, with a bounded number of photos in memory."""
        from u2demo.inference.predict import at_once  # imports torch: a second, not needed earlier

        count = at_once(self._model)
        if count == 1:  # a CPU gains most when each core takes a photo from file to files
            yield from in_parallel(self._process_alone, jobs, self._workers)
            return
        # A GPU is kept busy: while it looks at a batch, another one is made ready, and the masks of
        # a third are finished. What is opened and written has threads of its own.
        opened = in_parallel(self._open, jobs, self._workers)
        looked_at = in_parallel(self._look, in_batches(opened, count), _BATCHES)
        masks = chain.from_iterable(looked_at)
        with contextlib.closing(opened), contextlib.closing(looked_at):
            yield from in_parallel(self._finish, masks, self._workers)

    def _process_alone(self, job: Job) -> Record:
        (photo,) = self._look([self._open(job)])
        return self._finish(photo)

    def _open(self, job: Job) -> _Photo:
        photo = _Photo(job, time.perf_counter())
        try:
            # The content first: a later change must not count as seen.
            content, file = open_photo(job.photo, job.length)
            image = open_image(file, max_pixels=self._run.max_pixels)
            said = self._corrections(job, image.size)
            return photo._replace(image=image, content=content, corrections=said)
        except Exception as error:  # one photo's failure must not stop the others
            return photo._replace(error=error)

    def _corrections(self, job: Job, size: tuple[int, int]) -> Corrections:
        said = Corrections()
        if job.corrections:
            said = corrections_beside(job.photo, job.corrections, size)
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
        unread = why_not_fetched(path) if is_url(path) else is_unread(Path(path))
        status = "left out" if unread else "failed"
        return photo.job.record(status=status, error=reason_of(error, path), **pictures.fields({}))

    def _make(self, photo: _Photo, pictures: Pictures) -> Record:
        job, run = photo.job, self._run
        found = photo.found
        if run.edge != UNCHANGED:
            found = found._replace(mask=run.edge.apply(found.mask))
        result = apply_effects(job.photo, photo.image, found, run.effects)
        pictures.write(result, run.format, run.metadata)
        return job.record(
            status="done",
            outlines=tuple(outlines(result.mask)) if run.outlines else None,
            content=photo.content,
            seconds=round(time.perf_counter() - photo.begun, 3),
            **_describe(result),
            **pictures.fields(run.checksums),
        )


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
