"""argv -> options of the command line, checked as far as possible without a photo."""

import argparse
import os
import platform
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import PIL

from u2demo import __version__
from u2demo.cli import values
from u2demo.cli.terminal import say
from u2demo.effects import EFFECTS
from u2demo.effects.boxes import MARGIN
from u2demo.effects.canvas import SHADOW, SIZE, SPACE, WIDEST
from u2demo.images.write import FORMATS, METADATA
from u2demo.inference.recipes import QUALITIES
from u2demo.masks.adjust import Edge
from u2demo.nets.checkpoints import CHECKPOINTS
from u2demo.runs.boxes import WRITERS
from u2demo.runs.records import Shard
from u2demo.runs.shards import shard_of_task
from u2demo.video.write import FORMATS as CLIP_FORMATS

_EPILOG = """examples:
  u2demo cat.jpeg -o results              a cut-out: results/cat_cutout.png
  u2demo photos --effects cutout,crop     a folder, its subfolders too
  u2demo photos --background "#f2f2f2"    a new background: a color or a photo
  u2demo photos --effects canvas          for a shop: one size, a soft shadow
  u2demo waves.mp4 photos                 clips, too: results/waves_cutout.webm

RESULTS/manifest.csv says what became of each photo and clip, and what is not
in its pictures, such as later frames. The same command resumes a stopped run;
with --overwrite it starts over. Your files are never replaced, nor are pictures
that you have changed.
Files in formats that u2demo does not read, such as Photoshop, JPEG XL and
camera raw, are listed at the end (not with --ray); they count as failed only
if you name them.
Clips need "pip install av". They keep their sound; transparent ones become
.webm, others .mp4. Animated GIF, PNG and WebP keep their format.
Exit code: 0; 1 if something failed, was not found or left out, or an option
does not fit; 2 if the command line cannot be parsed; 128 + N if signal N
stopped it.
See also: u2demo train --help (a network of your own), u2demo merge --help (runs
in shards), u2demo weights --help. For a folder called train, merge or weights,
write ./train, ./merge or ./weights."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the options in ``argv``; help exits with code 0, a mistake with a sentence and 2."""
    parser = argparse.ArgumentParser(
        prog="u2demo",
        description="Find the subject of photos and clips: cut it out, box it, crop to it, or"
        " change\nits background.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_files(parser)
    _add_pictures(parser)
    _add_network(parser)
    _add_run(parser)
    parser.add_argument("--version", action=_Version, nargs=0, help="show versions and the device")
    options = parser.parse_args(argv)
    if not (options.photos or options.listed):
        parser.error("the following arguments are required: PHOTO|CLIP|FOLDER, or --list")
    if options.ray and options.shard is not None:
        parser.error("--ray makes its own shards; leave out --shard")
    if options.workers and not options.ray:
        parser.error("--workers is for --ray; on this computer all cores are used")
    if options.shard is None and not options.ray:
        options.shard = _shard_of_this_task(parser)
    if options.shard == (1, 1):
        options.shard = None
    return options


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        nargs="*",
        type=values.place,
        metavar="PHOTO|CLIP|FOLDER",
        help="photos, clips, folders, wildcards, or URLs of photos or folders (s3://, gs://);"
        " folders are searched recursively, except linked and hidden ones and those that operating"
        " systems and network drives keep for themselves, such as $RECYCLE.BIN and @eaDir",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=values.place,
        default=Path("results"),
        metavar="RESULTS",
        help="folder for the pictures, created if missing, or its URL (default: results)",
    )
    parser.add_argument(
        "--list",
        type=values.photos_in,
        default=[],
        dest="listed",
        metavar="FILE",
        help="text file with one path or URL of a photo per line (also https://); - is"
        " standard input",
    )


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--effects",
        type=partial(values.names, choices=EFFECTS),
        metavar="NAME,...",
        help=f"pictures to make of each photo and clip: {', '.join(EFFECTS)}"
        " (default: cutout; canvas with --canvas, background with --background)",
    )
    parser.add_argument(
        "--background",
        type=values.background,
        metavar="COLOR|PHOTO|CLIP",
        help="what to put behind the subject: white, #f2f2f2, transparent, white..#c8d2dc (top to"
        " bottom), a photo, or a clip: repeated behind clips, its first frame behind photos",
    )
    _add_canvas(parser)
    _add_edge(parser)
    parser.add_argument(
        "--boxes",
        type=partial(values.names, choices=WRITERS),
        default=[],
        metavar="FORMAT,...",
        help="also write the subjects' boxes, for training: coco (with outlines; for clips, one box"
        " per frame), and yolo or yolo-seg (outlines; photos only). Deleted photos are left out."
        " For shards, u2demo merge writes them",
    )
    parser.add_argument(
        "--format",
        choices=list(FORMATS | CLIP_FORMATS),
        default="auto",
        help="auto: JPEG, or PNG for transparency and masks; clips are WebM, or MP4 if nothing is"
        " transparent. webp: smaller, lossy; for clips, short animations. png: always PNG; for"
        " clips, folders of frames. For clips only: webm, mov"
        " (ProRes 4444, for editing), mp4, and gif and apng (short)",
    )
    parser.add_argument(
        "--metadata",
        choices=list(METADATA),
        default="private",
        help="which EXIF fields are copied to the pictures. private (default): copyright, author,"
        " description and dates; place (GPS), camera and thumbnail are dropped. keep: all but the"
        " thumbnail and makers' notes. none: nothing. Resolution and color profile always stay",
    )


def _add_canvas(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--canvas",
        type=values.canvas,
        metavar="WIDTHxHEIGHT",
        help="size of the pictures that the effect canvas makes, with the subject in the middle:"
        f" {SIZE[0]}x{SIZE[1]} (default), or auto: a square in which it keeps its pixels",
    )
    parser.add_argument(
        "--margin",
        type=values.margin,
        metavar="SHARE",
        help=f"space around the subject, from 0 to {WIDEST}: of the canvas's shorter side (default:"
        f" {SPACE}), or of the longer side of a crop (default: {MARGIN:g})",
    )
    parser.add_argument(
        "--shadow",
        type=values.shadow,
        metavar="SHARE",
        help=f"how dark the shadow on a canvas is, from 0 to 1 (default: {SHADOW})",
    )


def _add_edge(parser: argparse.ArgumentParser) -> None:
    for name, (metavar, text) in EDGE.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=partial(values.edge, name),
            default=getattr(Edge, name),
            metavar=metavar,
            help=f"{text} (default: {getattr(Edge, name):g}; photos only)",
        )


def _add_network(parser: argparse.ArgumentParser) -> None:
    models = {name: record for name, record in CHECKPOINTS.items() if record.makes == "mask"}
    described = [
        f"{name}: {record.purpose} ({record.size}; {record.license})"
        for name, record in models.items()
    ]
    parser.add_argument(
        "--quality",
        choices=list(QUALITIES),
        default="fast",
        help="fast (default) looks once at each photo, and more often only if that shows no clear"
        " subject; best, two to eight times, for better masks",
    )
    parser.add_argument(
        "--within",
        type=values.part,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="where in every photo the subject is, in pixels or percent: 10%%,0,60%%,100%%;"
        " nothing outside is kept",
    )
    parser.add_argument(
        "--no-corrections",
        action="store_false",
        dest="corrections",
        help="ignore corrections made by hand; by default, cat.strokes.json next to cat.jpg, as the"
        " app saves it, is applied",
    )
    parser.add_argument(
        "--model",
        default="u2netp",
        choices=list(models),
        help=f"network (default: u2netp); others are downloaded once. {'. '.join(described)}",
    )
    parser.add_argument(
        "--weights", type=values.path, metavar="FILE", help="your own weights, instead of --model"
    )
    parser.add_argument("--device", help="cpu, cuda or mps (default: the fastest available)")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--first-frame",
        action="store_true",
        help="treat animated GIF, PNG and WebP files as photos: only their first frame",
    )
    parser.add_argument(
        "--shard",
        type=values.shard,
        metavar="N/COUNT",
        help="do part N of COUNT, such as 3/10, on any computer that sees both folders; file names"
        " do not change. Then run u2demo merge RESULTS. (default: that of the task, in arrays of"
        " Slurm and AWS Batch, tasks of Cloud Run and indexed jobs of Kubernetes with"
        " JOB_COMPLETIONS)",
    )
    parser.add_argument(
        "--ray",
        metavar="auto|ADDRESS",
        help="do all photos on the machines of a Ray cluster: that of this computer (auto), or the"
        " one at HOST:PORT; all must see the photos and results. Needs: pip install ray",
    )
    parser.add_argument(
        "--workers",
        type=values.processes,
        metavar="N",
        help="most processes at a time on the cluster (default: one for each GPU or core, with"
        " one core of each machine left free)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="make existing pictures again; those you have changed are still kept",
    )
    parser.add_argument(
        "--max-pixels",
        type=values.pixels,
        metavar="N",
        help="largest photo to read, in pixels, such as 400M (default: U2DEMO_MAX_PIXELS, or 178M,"
        " twice Pillow's limit)",
    )


def _shard_of_this_task(parser: argparse.ArgumentParser) -> Shard | None:
    """Return the shard that a cluster says this task is, and say so."""
    try:
        found = shard_of_task(os.environ)
    except ValueError as error:
        parser.error(str(error))
    if found is None:
        return None
    (number, count), variable = found
    say(f"shard {number} of {count}, as {variable} says; --shard 1/1 does all", sys.stderr)
    return number, count


# What can be said of the edge of every mask, in the words of ``adjust_mask``.
EDGE: Mapping[str, tuple[str, str]] = {
    "threshold": ("VALUE", "how sure the network must be of a pixel, 0 to 1: lower keeps more"),
    "softness": ("SHARE", "how soft the edge stays: 0 (hard) to 1 (as it is)"),
    "fill_holes": ("SHARE", "fill holes up to this share of the subject's area, 0 to 1"),
    "drop_specks": ("SHARE", "drop what is not joined to the subject, up to this share of it"),
    "grow": ("PIXELS", "move the edge outward, below 0 inward"),
    "feather": ("PIXELS", "soften the edge on both sides"),
}


class _Version(argparse.Action):
    """Print what a bug report should include, and exit."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from u2demo.nets.device import describe_device, torch_version  # imports torch: a second

        print(f"u2demo {__version__}")
        print(f"Python {platform.python_version()}")
        print(f"torch {torch_version()}")
        print(f"Pillow {PIL.__version__}")
        print(f"device {describe_device()}")
        parser.exit()
