"""argv -> options of the command line, checked as far as possible without a photo."""

import argparse
import platform
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import PIL
from PIL import ImageColor

from u2demo import __version__
from u2demo.cli.sources import is_animation
from u2demo.effects import EFFECTS
from u2demo.effects.boxes import MARGIN
from u2demo.effects.canvas import LONGEST, SHADOW, SIZE, SPACE, WIDEST, check_canvas
from u2demo.effects.scenes import Gradient
from u2demo.images.kinds import is_clip
from u2demo.images.read import open_image, pixel_count
from u2demo.images.write import FORMATS, METADATA
from u2demo.inference.recipes import QUALITIES
from u2demo.masks.adjust import Edge
from u2demo.masks.box import box_in
from u2demo.nets.checkpoints import CHECKPOINTS
from u2demo.runs.boxes import WRITERS
from u2demo.video.read import open_video
from u2demo.video.write import FORMATS as CLIP_FORMATS

_EPILOG = """examples:
  u2demo cat.jpeg -o results              a cut-out: results/cat_cutout.png
  u2demo photos --effects cutout,crop     a folder, its subfolders too
  u2demo photos --background "#f2f2f2"    a new background: a color or a photo
  u2demo photos --effects canvas          for a shop: one size, a soft shadow
  u2demo waves.mp4 photos                 clips, too: results/waves_cutout.webm

RESULTS/manifest.csv says what became of each photo and clip, and what is not
in its pictures, such as further frames. The same command resumes a stopped run;
with --overwrite it starts over. No file of yours is replaced, nor a picture
that you have changed.
Pictures of kinds that are not read, such as Photoshop's, JPEG XL and cameras'
raw files, are listed at the end; they count as failed only if you name them.
Clips need "pip install av". They keep their sound; transparent ones become
.webm, others .mp4. Animated GIF, PNG and WebP become one of their own format.
Exit code: 0; 1 if a photo or clip failed or a folder was left out; 2 for a
mistake in the command; 128 + N if signal N stopped it.
See also: u2demo weights --help. For a folder called weights, write ./weights."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the options in ``argv``; help exits with code 0, a mistake with a sentence and 2."""
    parser = argparse.ArgumentParser(
        prog="u2demo",
        description="Find the subject of photos and clips: cut it out, box, crop, change what is\n"
        "behind it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "photos",
        nargs="+",
        type=_path,
        metavar="PHOTO|CLIP|FOLDER",
        help="photos, clips, folders or wildcards; folders are searched recursively, but linked and"
        " hidden ones are skipped, and those that systems and network drives keep for themselves,"
        " such as $RECYCLE.BIN and @eaDir",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_path,
        default=Path("results"),
        metavar="RESULTS",
        help="folder for the pictures, created if missing (default: results)",
    )
    _add_pictures(parser)
    _add_network(parser)
    parser.add_argument(
        "--first-frame",
        action="store_true",
        help="take animated GIF, PNG and WebP for photos: their first frame only",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="make existing pictures again; those you have changed are still kept",
    )
    parser.add_argument(
        "--max-pixels",
        type=_pixels,
        metavar="N",
        help="largest photo to read, in pixels, such as 400M (default: U2DEMO_MAX_PIXELS, or 178M,"
        " twice the limit of Pillow)",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show versions and the device")
    return parser.parse_args(argv)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--effects",
        type=partial(_names, choices=EFFECTS),
        metavar="NAME,...",
        help=f"pictures to make of each photo and clip: {', '.join(EFFECTS)} (default: cutout)",
    )
    parser.add_argument(
        "--background",
        type=_background,
        metavar="COLOR|PHOTO|CLIP",
        help="what to put behind the subject: white, #f2f2f2, transparent, white..#c8d2dc (from"
        " above to below), a photo, or a clip, which is repeated behind clips and whose first frame"
        " photos get",
    )
    _add_canvas(parser)
    _add_edge(parser)
    parser.add_argument(
        "--boxes",
        type=partial(_names, choices=WRITERS),
        default=[],
        metavar="FORMAT,...",
        help="also write the subjects' boxes, for training: coco (with outlines; of clips, a box a"
        " frame), and yolo or yolo-seg (outlines; photos only)",
    )
    parser.add_argument(
        "--format",
        choices=list(FORMATS | CLIP_FORMATS),
        default="auto",
        help="auto: JPEG, or PNG for transparency and masks; clips are WebM, or MP4 if nothing is"
        " transparent. webp: smaller, lossy; of clips, short animations. png: PNG always; of clips,"
        " folders of frames. For clips only: webm, mov"
        " (ProRes 4444, for editing), mp4, and gif and apng (short)",
    )
    parser.add_argument(
        "--metadata",
        choices=list(METADATA),
        default="private",
        help="what of a photo's EXIF goes into its pictures. private (default): copyright, author,"
        " description and dates; place (GPS), camera and thumbnail are dropped. keep: all but the"
        " thumbnail and makers' notes. none: nothing. Resolution and color profile always stay",
    )


def _add_canvas(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--canvas",
        type=_canvas,
        metavar="WIDTHxHEIGHT",
        help="size of the pictures of the effect canvas, with the subject in the middle:"
        f" {SIZE[0]}x{SIZE[1]} (default), or auto: a square in which it keeps its pixels",
    )
    parser.add_argument(
        "--margin",
        type=_margin,
        metavar="SHARE",
        help=f"space around the subject, from 0 to {WIDEST}: of the canvas' shorter side (default:"
        f" {SPACE}), or of the longer side of a crop (default: {MARGIN:g})",
    )
    parser.add_argument(
        "--shadow",
        type=_shadow,
        metavar="SHARE",
        help=f"how dark the shadow on a canvas is, from 0 to 1 (default: {SHADOW})",
    )


def _add_edge(parser: argparse.ArgumentParser) -> None:
    for name, (metavar, text) in EDGE.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=partial(_edge, name),
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
        help="fast (default) looks once at each photo; best, up to eight times, for better masks",
    )
    parser.add_argument(
        "--within",
        type=_part,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="where in every photo the subject is, in pixels or per cent: 10%%,0,60%%,100%%;"
        " nothing outside is kept",
    )
    parser.add_argument(
        "--no-corrections",
        action="store_false",
        dest="corrections",
        help="leave out what was corrected by hand: by default cat.strokes.json beside cat.jpg, as"
        " the app saves it, is applied",
    )
    parser.add_argument(
        "--model",
        default="u2netp",
        choices=list(models),
        help=f"network (default: u2netp); others are downloaded once. {'. '.join(described)}",
    )
    parser.add_argument(
        "--weights", type=_path, metavar="FILE", help="your own weights, instead of --model"
    )
    parser.add_argument("--device", help="cpu, cuda or mps (default: the fastest available)")


# What can be said of the edge of every mask, in the words of ``adjust_mask``.
EDGE: Mapping[str, tuple[str, str]] = {
    "threshold": ("VALUE", "how sure a pixel must be to be subject: less for more of it, 0 to 1"),
    "softness": ("SHARE", "how soft the edge stays: 0 is hard"),
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


def _path(text: str) -> Path:
    if not text:  # Path would take it for the current folder
        raise argparse.ArgumentTypeError(
            "is empty, expected a name; is a variable of your shell unset?"
        )
    return Path(text)


def _pixels(text: str) -> int:
    try:
        return pixel_count(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None


def _part(text: str) -> str:
    try:
        box_in(text, (1, 1))
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None
    return text


def _canvas(text: str) -> tuple[int, int] | str:
    if text == "auto":
        return text
    try:
        size = tuple(map(int, text.lower().split("x")))
        check_canvas(size, SPACE, SHADOW)
    except (TypeError, ValueError):
        raise argparse.ArgumentTypeError(
            f"{text!r:.80} is not a size, expected WIDTHxHEIGHT in pixels, such as 2000x2000, each"
            f" at most {LONGEST}, or auto"
        ) from None
    return size


def _margin(text: str) -> float:
    return _number(text, lambda margin: check_canvas(SIZE, margin, SHADOW))


def _shadow(text: str) -> float:
    return _number(text, lambda shadow: check_canvas(SIZE, SPACE, shadow))


def _edge(name: str, text: str) -> float:
    return _number(text, lambda value: Edge(**{name: value}))


def _number(text: str, check: Callable[[float], object]) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.80} is not a number") from None
    try:
        check(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(error) from None
    return value


def _names(text: str, choices: Iterable[str]) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in choices]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown name {', '.join(unknown)!r}; choose from {', '.join(choices)}"
        )
    return names


def _background(text: str) -> object:
    try:
        if is_clip(Path(text)) or is_animation(Path(text)):
            return open_video(text)
        if Path(text).is_file():
            return open_image(text)
        if text == "transparent":
            return text
        first, is_gradient, last = text.partition("..")
        if is_gradient:
            return Gradient(first, last)
        *color, alpha = (*ImageColor.getrgb(text), 255)[:4]
    except ModuleNotFoundError as error:
        raise argparse.ArgumentTypeError(error) from error
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a color, a photo nor a clip ({error})"
        ) from error
    if alpha < 255:
        raise argparse.ArgumentTypeError(
            f"{text!r} is transparent, expected a solid color such as '#ffffff'; "
            "the effect cutout leaves the background transparent"
        )
    return tuple(color)
