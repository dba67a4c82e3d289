"""clips on disk -> clips on disk: one after the other, safely, resumable like a run of photos."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from u2demo.effects.effect import Effect
from u2demo.images.write import KINDS as PHOTO_KINDS
from u2demo.machine.disk import advise, discard, partial_file
from u2demo.machine.paths import as_path
from u2demo.masks.box import Box
from u2demo.pipeline import known_effects
from u2demo.runs.checksums import checksum, readable_checksum
from u2demo.runs.listing import Listing, spelled_out
from u2demo.runs.manifest import Manifest
from u2demo.runs.pictures import Pictures
from u2demo.runs.plan import Job, plan
from u2demo.runs.reasons import reason_of
from u2demo.runs.records import Record, Shard
from u2demo.runs.run import FATAL
from u2demo.runs.settings import Run
from u2demo.video.clip import Clip, Frame
from u2demo.video.draw import Drawn, draw_all, first_of, trial
from u2demo.video.find import Findings
from u2demo.video.moving import CropOfShots, for_clips
from u2demo.video.read import open_video
from u2demo.video.write import KINDS, ClipWriter, check_format, check_length, suffix

if TYPE_CHECKING:
    from torch import nn

_TRIED = 64, 64  # size of a picture that effects are tried on before any work
_LOOKING = 0.5  # share of the work on a clip that is done once the net has seen all frames


@dataclass(frozen=True)
class Progress:
    """How far the work has come.

    ``share`` is that of all the work, from 0 to 1; ``frames`` is how many of this ``clip`` have
    been through this ``step``, "looking" or "writing", of ``total``, None if that is not known.
    """

    clip: Path
    share: float
    frames: int
    total: int | None
    step: str


def process_video(
    model: "nn.Module",
    clip: str | Path,
    results: str | Path,
    *,
    effects: Mapping[str, Effect] | None = None,
    quality: str = "fast",
    format: str = "auto",
    overwrite: bool = False,
    metadata: str = "private",
    report: Callable[[Progress], object] = lambda progress: None,
) -> Record:
    """Process a clip into ``results``, a clip for each effect; return its record.

    ``waves.mov`` becomes ``waves_cutout.webm`` (VP9 with alpha) and, where an effect leaves nothing
    transparent, ``waves_box.mp4`` (H.264). ``format`` may be "webm", "mov" (ProRes 4444, for
    editing), "mp4", "png" (a folder of numbered frames) or, for short clips, "gif", "webp" or
    "apng"; animations become one of their own format. Sound and frame times stay.

    ``effects`` are those of ``process``. ``crop`` has one box for each shot and one size; the
    background of ``replace_background`` may be a clip of its own, from ``open_video``, which is
    repeated. All frames of a shot are judged alike, so that masks do not flicker.

    A clip that is done and unchanged is skipped unless ``overwrite``; files are named, kept and
    replaced as by ``process_folder``, and the record goes into the same manifest. What could be
    decoded of a damaged clip is done, and the record's ``damage`` says what is missing. With
    ``metadata`` "private" or "keep", title, author, copyright, description and dates are passed on.
    ``report`` is called after each frame. An exception that it raises ends the work; nothing is
    left half done. A program of your own that does many clips on a CPU may call
    ``u2demo.machine.memory.keep_freed_memory`` first, as the command line does.

    Raises:
        ValueError: the clip cannot be read, an effect fails, or its result cannot be written, such
            as a cut-out as MP4; the text says why. Unknown ``format``, ``quality`` or ``metadata``,
            an effect name that cannot be part of a file name, a manifest in ``results`` that
            u2demo did not write, another run that is writing there, or a URL in place of a path.
        TypeError: ``clip`` is not a path, ``effects`` is not a mapping, or ``report`` cannot be
            called.
        OSError: ``results`` cannot be written to; the text says what to do.
        ModuleNotFoundError: PyAV is needed, and missing or too old.
    """
    clip, results = spelled_out(as_path("clip", clip)), as_path("results", results)
    if not callable(report):
        raise TypeError(f"report is {report!r:.80}, expected a function of one Progress")
    open_video(clip)  # says what is wrong with it
    run = Run(known_effects(effects), quality, overwrite=overwrite, metadata=metadata,
              clip_format=format)  # fmt: skip
    records = process_clips(model, {clip: Path(clip.name)}, results, run, report=report)
    if not records:
        raise ValueError(
            f"{clip} was made by u2demo in that folder; choose another for the results"
        )
    (record,) = records
    if record.status == "failed":
        raise ValueError(record.error)
    return record


def process_clips(
    model: "nn.Module",
    clips: Mapping[Path, Path] | Listing,
    results: str | Path,
    run: Run,
    *,
    shard: Shard | None = None,
    report: Callable[[Progress], object] = lambda progress: None,
) -> list[Record]:
    """Process clips, those of a listing or paths with their places; return a record for each.

    ``process_video`` does this for one clip and says more. A clip that cannot be read, or whose
    results cannot be written, gets a record with status ``failed``.

    Raises:
        ValueError: ``run.clip_format`` is unknown or cannot hold what an effect gives.
    """
    from u2demo.nets.load import fingerprint  # imports torch: a second, not needed earlier

    check_clip_format(run)
    results = Path(results).resolve()
    listing = clips
    if not isinstance(clips, Listing):
        listing = Listing.of(clips, is_clip=lambda path: True)  # also an animation
    with advise(results, run.then), Manifest(results, shard) as manifest:
        settings = checksum([fingerprint(model), run.quality])
        suffixes = {*PHOTO_KINDS, *KINDS}
        work = _Work(model, run, manifest)
        jobs = plan(
            listing,
            manifest,
            run.effects,
            settings,
            suffixes=suffixes,
            clips=True,
            is_done=work.is_done,
        )
        animations_last = sorted(jobs, key=lambda job: listing.is_clip(job.photo))
        return work.records(animations_last, report)


def check_clip_format(run: Run) -> None:
    """Raise ``ValueError`` if a clip in ``run.clip_format`` cannot hold what an effect gives."""
    check_format(run.clip_format)
    for name, effect in run.effects.items():
        try:
            picture = trial(effect, Image.new("RGB", _TRIED), name=name)
        except Exception:  # a function of your own may want a real frame, and gets one later
            continue
        suffix(picture, run.clip_format)


def kind_of(clip: Clip, picture: Image.Image, effect: Effect, *, format: str) -> str:
    """Return the suffix of the clip that ``effect`` makes of ``clip``, with pictures like this one.

    Raises:
        ValueError: ``format`` cannot hold the picture's alpha, or as many frames.
    """
    kind = suffix(picture, format)
    if clip.duration and not isinstance(for_clips(effect), CropOfShots):  # its size is seen later
        check_length(kind, picture.size, count=clip.expected_frames, duration=clip.duration)
    return kind


class _Work:
    """A run at work on its clips."""

    def __init__(self, model: "nn.Module", run: Run, manifest: Manifest):
        self._model, self._run, self._manifest = model, run, manifest
        self._effects = {name: for_clips(effect) for name, effect in run.effects.items()}
        settings = ["clip", run.clip_format, run.metadata]
        self._checksums = {
            name: checksum([effect, *settings]) for name, effect in self._effects.items()
        }

    def records(self, jobs: list[Job], report: Callable[[Progress], object]) -> list[Record]:
        """Do what is to be done of ``jobs``; return the record of each, in order."""
        sizes = {job.photo: _size_of(job) for job in jobs if not job.done}
        before, total = 0, sum(sizes.values())
        records = []
        for job in jobs:
            if job.done:
                known = self._manifest.renew(job.done, job.version, job.identity)
                records.append(known.as_skipped())
                continue
            size = sizes[job.photo]
            with closing(self._process(job)) as steps:
                for step in steps:
                    report(replace(step, share=(before + step.share * size) / total))
            before += size
            records.append(self._manifest.records[job.photo])
        return records

    def is_done(self, known: Record) -> bool:
        """Return whether a clip that is unchanged needs no work."""
        if self._run.overwrite or (self._run.outlines and known.track is None):
            return False
        return known.frames > 0 and self._manifest.is_complete(known, self._checksums)

    def _process(self, job: Job) -> Iterator[Progress]:
        """Do a job, frame by frame; its record, failed or done, goes into the manifest."""
        self._manifest.add(job.record())
        begun = time.perf_counter()
        pictures = Pictures(job, self._manifest)
        try:
            # First: a later change must not count as seen.
            content = readable_checksum(Path(job.photo))
            clip = open_video(job.photo)
            became = yield from self._make(clip, pictures)
            record = job.record(
                status="done",
                content=content,
                seconds=round(time.perf_counter() - begun, 3),
                **became,
                **pictures.fields(self._checksums),
            )
        except Exception as error:  # one clip's failure must not stop the others
            if isinstance(error, OSError) and error.errno in FATAL:
                raise
            why = reason_of(error, job.photo)
            record = job.record(status="failed", error=why, **pictures.fields({}))
        self._manifest.add(record)

    def _make(self, clip: Clip, pictures: Pictures) -> Iterator[Progress]:
        """Make the pictures of a clip; return the fields of its record."""
        kinds = self._kinds(clip)
        summary = _Summary()
        with Findings(
            clip, self._model, quality=self._run.quality, folder=self._manifest.folder
        ) as findings:
            total = clip.expected_frames
            for count in findings.look():
                share = _LOOKING * min(1, count / total) if total else 0
                yield Progress(clip.path, share, count, total, "looking")
            with ExitStack() as stack:
                made = {}
                for name in self._effects:
                    made[name] = partial_file(self._manifest.folder)
                    stack.callback(discard, made[name])
                drawn = stack.enter_context(closing(self._write(findings, made, kinds)))
                for count, one in enumerate(drawn, 1):
                    summary.add(one)
                    share = _LOOKING + (1 - _LOOKING) * count / findings.count
                    yield Progress(clip.path, share, count, findings.count, "writing")
                for name, file in made.items():
                    pictures.add(name, kinds[name], file)
            return _describe(clip, findings) | summary.fields(with_track=self._run.outlines)

    def _kinds(self, clip: Clip) -> dict[str, str]:
        """Return the suffix of the clip that each effect makes of ``clip``; see ``kind_of``."""
        format = self._run.clip_format
        if format == "auto" and clip.animation:
            format = clip.animation
        first = first_of(clip)
        return {
            name: kind_of(clip, trial(effect, first, name=name), effect, format=format)
            for name, effect in self._effects.items()
        }

    def _write(
        self, findings: Findings, made: Mapping[str, Path], kinds: Mapping[str, str]
    ) -> Iterator[Drawn]:
        """Write all pictures of each frame, then yield what was drawn."""
        like = findings.seen
        if self._run.metadata == "none":
            like = replace(like, about={})
        with ExitStack() as stack:
            writers = {
                name: stack.enter_context(ClipWriter(file, kinds[name], like=like))
                for name, file in made.items()
            }
            for one in stack.enter_context(closing(draw_all(findings, self._effects))):
                for name, writer in writers.items():
                    writer.add(Frame(one.time, one.pictures[name]))
                yield one
            for writer in writers.values():
                writer.finish()


class _Summary:
    """What is to be told of all frames of a clip."""

    def __init__(self):
        self._track: list[str] = []
        self._area = 0.0
        self._clear = False

    def add(self, one: Drawn) -> None:
        """Count a frame."""
        self._track.append(" ".join(map(str, [round(float(one.time), 6), *(one.box or ())])))
        self._area += one.area
        self._clear = self._clear or one.clear

    def fields(self, *, with_track: bool) -> dict[str, object]:
        """Return the fields of a record."""
        return {
            "frames": len(self._track),
            "area": round(self._area / len(self._track), 4),
            "clear": self._clear,
            "track": tuple(self._track) if with_track else None,
        }


def _describe(clip: Clip, findings: Findings) -> dict[str, object]:
    """Return the fields of a record about a clip as a whole."""
    return {
        "size": clip.size,
        "box": _around([shot.box for shot in findings.shots if shot.box]),
        "confidence": round(findings.confidence, 4),
        "duration": round(float(clip.duration or 0), 3),
        "left_out": clip.left_out,
        "damage": findings.damage,
    }


def _around(boxes: list[Box]) -> Box | None:
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def _size_of(job: Job) -> int:
    """Return the size of a clip's file, for want of a better measure of the work on it."""
    try:
        return max(1, Path(job.photo).stat().st_size)
    except OSError:
        return 1
