"""argv -> runs: ``python -m u2demo PHOTO|CLIP|FOLDER... -o RESULTS``, installed as ``u2demo``."""

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from u2demo.cli import merge, train, weights
from u2demo.cli.arguments import EDGE, parse
from u2demo.cli.cluster import run_on_ray
from u2demo.cli.effects import chosen_effects
from u2demo.cli.merge import write_boxes
from u2demo.cli.sources import Chosen, expand, find, has_animations
from u2demo.cli.summary import Tally, summary
from u2demo.cli.terminal import carry_out, progress, progress_of_clips, warnings_as_lines
from u2demo.images.write import FORMATS
from u2demo.machine.memory import keep_freed_memory
from u2demo.machine.places import check_url, is_url
from u2demo.masks.adjust import UNCHANGED, Edge
from u2demo.runs.boxes import OUTLINED, check_free
from u2demo.runs.listing import Entry
from u2demo.runs.plan import clips_of
from u2demo.runs.record import Record
from u2demo.runs.run import process_files
from u2demo.runs.settings import Run
from u2demo.runs.shards import finish
from u2demo.video.run import check_clip_format, process_clips

if TYPE_CHECKING:
    from torch import nn

# What the first word may be, instead of a photo: argv after it -> exit code.
COMMANDS: Mapping[str, Callable[[list[str]], int]] = {
    "merge": merge.main,
    "train": train.main,
    "weights": weights.main,
}


@warnings_as_lines()
def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, 128 + N for signal N, 1 if anything failed."""
    argv = sys.argv[1:] if argv is None else argv
    command = COMMANDS.get(argv[0]) if argv else None
    if command:
        return command(argv[1:])
    options = parse(argv)
    again = "; the same command resumes"
    if options.overwrite:  # without it, pictures of an earlier run would count as done
        again = "; with --overwrite the same command starts over"
    return carry_out(partial(_run, options), lambda: again)


def _run(options: argparse.Namespace) -> tuple[list[str], bool]:
    """Return the lines of the summary, and whether all that was asked for was done."""
    shard = options.shard
    _check_places(options)
    if options.ray:
        return run_on_ray(options, _settled(options, with_clips=False))
    chosen = find(
        expand(options.photos), options.listed, first_frame=options.first_frame, shard=shard
    )
    run = _settled(options, with_clips=_with_clips(options, chosen))
    from u2demo.nets.load import load_model  # imports torch: a second, not needed for a mistake

    keep_freed_memory()
    model = load_model(options.model, device=options.device, weights=options.weights)
    photos, failed, there_are_clips = _do_photos(model, chosen, options, run)
    clips = _do_clips(model, chosen, options, run) if there_are_clips else []
    failed += sum(_has_failed(record, chosen) for record in clips)
    left_out = list(chosen.left_out)
    if shard is None:
        left_out += write_boxes(options.boxes, options.output)
    else:
        finish(options.output, shard)
    lines = summary(photos, clips, options.output, is_shard=shard is not None, boxes=options.boxes)
    lines += left_out
    if clips and not {"yolo", "yolo-seg"}.isdisjoint(options.boxes):
        lines.append("  labels in YOLO's format are for photos; coco has a box for each frame")
    return lines, not failed and not left_out


def _do_photos(
    model: "nn.Module", chosen: Chosen, options: argparse.Namespace, run: Run
) -> tuple[Tally, int, bool]:
    """Do all photos; return what is to be said of them, how many have failed, and if clips wait."""
    tally, failed, there_are_clips = Tally(), 0, bool(chosen.clips)
    if chosen.photos == 0 and options.shard is None:
        return tally, failed, there_are_clips
    with progress(chosen.photos) as shown:

        def report(record: Record) -> None:
            nonlocal failed
            tally.add(record)
            failed += _has_failed(record, chosen)
            shown(record)

        def leave(clip: Entry) -> None:
            nonlocal there_are_clips
            there_are_clips = True

        process_files(
            model,
            chosen.listing,
            options.output,
            run,
            shard=options.shard,
            report=report,
            leave=leave,
        )
    if chosen.photos is None and not tally.counts and options.shard is None:
        raise ValueError(f"no photos found in {', '.join(map(str, options.photos))}")
    return tally, failed, there_are_clips


def _check_places(options: argparse.Namespace) -> None:
    """Raise ``ValueError`` if what is asked for cannot be written where the results are to go."""
    if not is_url(options.output):
        check_free(options.boxes, options.output)
        return
    check_url(options.output, to_write=True)
    if options.boxes:
        raise ValueError(
            f"--boxes are written into a folder, expected no URL such as {options.output}; leave"
            " them out: manifest.jsonl has the box of each photo"
        )


def _do_clips(
    model: "nn.Module", chosen: Chosen, options: argparse.Namespace, run: Run
) -> list[Record]:
    """Do all clips, animations among them; return their records."""
    if all(map(is_url, [*options.photos, *options.listed])):
        return []  # those in stores are left out where the photos are done
    if is_url(options.output):
        why = "a clip; its results go into a folder, so choose one, not a URL, with -o"
        return [clip.left_out(why) for clip in clips_of(chosen.listing, options.shard)]
    with progress_of_clips() as report:
        return process_clips(
            model, chosen.listing, options.output, run, shard=options.shard, report=report
        )


def _with_clips(options: argparse.Namespace, chosen: Chosen) -> bool:
    """Return whether there are clips; animations are looked for if it matters."""
    edge = any(getattr(options, name) != getattr(Edge, name) for name in EDGE)
    matters = options.within or edge or options.format not in FORMATS
    return bool(chosen.clips) or bool(matters and has_animations(chosen.listing))


def _has_failed(record: Record, chosen: Chosen) -> bool:
    return record.status == "failed" or (
        record.status == "left out" and record.photo in chosen.named
    )


def _settled(options: argparse.Namespace, *, with_clips: bool) -> Run:
    """Return what is to be done with each photo and clip.

    Raises:
        ValueError: the options do not fit each other, or the photos and clips that there are.
    """
    if options.format not in FORMATS and not with_clips:
        raise ValueError(
            f"{options.format} is a format of clips, and there are none here; for photos choose"
            f" {' or '.join(FORMATS)}"
        )
    edge = Edge(**{name: getattr(options, name) for name in EDGE})
    run = Run(
        chosen_effects(options),
        options.quality,
        options.format if options.format in FORMATS else "auto",
        options.overwrite,
        metadata=options.metadata,
        max_pixels=options.max_pixels,
        outlines=not OUTLINED.isdisjoint(options.boxes),
        clip_format=options.format,
        within=options.within or "",
        edge=edge,
        corrections=options.corrections,
    )
    of_photos = ["within"] if options.within else []
    of_photos += [name for name in EDGE if getattr(edge, name) != getattr(UNCHANGED, name)]
    if with_clips and of_photos:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in of_photos)
        raise ValueError(f"clips take no {names}; leave out the options or the clips")
    if with_clips:
        check_clip_format(run)
    return run
