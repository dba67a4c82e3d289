"""argv -> options of the command line, checked as far as that goes without a photo."""

import argparse
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from u2demo import __version__

_EPILOG = """examples:
  u2demo cat.jpeg -o results                       cut-out: results/cat_cutout.png
  u2demo photos -o results --effects cutout,crop   a folder, its subfolders too
  u2demo photos -o results --background "#f2f2f2"  a new background: a color or a photo

RESULTS/manifest.csv says what became of each photo. A run that was stopped goes on
where it was when the same command is given again; with --overwrite it begins again.
Exit code: 0; 1 if something failed or was left out; 2 for a slip in the command;
128 + N if signal N stopped it.
See also: u2demo weights --help. A folder called weights is ./weights here."""


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the options in ``argv``; end with help, or a sentence about a slip and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="u2demo",
        description="Find the subject of photos: cut it out, change its background, box, crop.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "photos",
        nargs="+",
        type=_path,
        metavar="PHOTO|FOLDER",
        help="what to work on; of a folder its subfolders too, but none that is linked or hidden",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=_path,
        default=Path("results"),
        metavar="RESULTS",
        help="folder for the pictures, made if need be (default: results)",
    )
    _add_pictures(parser)
    _add_network(parser)
    parser.add_argument("--overwrite", action="store_true", help="do again what is done")
    parser.add_argument("--version", action="version", version=f"u2demo {__version__}")
    return parser.parse_args(argv)


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    from u2demo.effects import EFFECTS
    from u2demo.images.write import FORMATS
    from u2demo.runs.boxes import WRITERS

    parser.add_argument(
        "--effects",
        type=partial(_names, choices=EFFECTS),
        metavar="NAME,...",
        help=f"pictures to make of each photo, from: {', '.join(EFFECTS)} (default: cutout)",
    )
    parser.add_argument(
        "--background",
        type=_background,
        metavar="COLOR|PHOTO",
        help="what to put behind the subject: white, #f2f2f2, or a photo file",
    )
    parser.add_argument(
        "--boxes",
        type=partial(_names, choices=WRITERS),
        default=[],
        metavar="FORMAT,...",
        help="also write the subjects' boxes as coco, yolo or both",
    )
    parser.add_argument(
        "--format",
        choices=list(FORMATS),
        default="auto",
        help="of pictures: auto is JPEG, PNG for transparency and masks; webp is smaller, lossy",
    )


def _add_network(parser: argparse.ArgumentParser) -> None:
    from u2demo.inference.recipes import QUALITIES
    from u2demo.nets.checkpoints import CHECKPOINTS

    full = f"{CHECKPOINTS['u2net'].size} each, downloaded"
    parser.add_argument(
        "--quality",
        choices=list(QUALITIES),
        default="fast",
        help="fast (default) looks once at each photo, best up to eight times: better masks",
    )
    parser.add_argument(
        "--model",
        default="u2netp",
        choices=[name for name, record in CHECKPOINTS.items() if record.makes == "mask"],
        help=f"u2netp (default, inside), u2net, or u2net_human_seg for people ({full} once)",
    )
    parser.add_argument(
        "--weights", type=_path, metavar="FILE", help="weights of your own instead of --model's"
    )
    parser.add_argument("--device", help="cpu, cuda or mps (default: the fastest there is)")


def _path(text: str) -> Path:
    if not text:  # Path would take it for the current folder
        raise argparse.ArgumentTypeError(
            "is empty, expected a name; is a variable of your shell not set?"
        )
    return Path(text)


def _names(text: str, choices: Iterable[str]) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in choices]:
        raise argparse.ArgumentTypeError(
            f"no {', '.join(unknown)!r}; choose from {', '.join(choices)}"
        )
    return names


def _background(text: str) -> object:
    from PIL import ImageColor

    from u2demo.images.read import open_image

    try:
        if Path(text).is_file():
            return open_image(text)
        *color, alpha = (*ImageColor.getrgb(text), 255)[:4]
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a color nor a photo ({error})"
        ) from error
    if alpha < 255:
        raise argparse.ArgumentTypeError(
            f"{text!r} is see-through, expected a solid color such as '#ffffff'; "
            "the effect cutout leaves the background transparent"
        )
    return tuple(color)
