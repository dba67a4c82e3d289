"""argv -> pipeline: ``python -m u2demo PHOTO|FOLDER... -o RESULTS``, installed as ``u2demo``."""

import argparse
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from u2demo import __version__
from u2demo.terminal import printable, say, stopped_by_signals

_EPILOG = """examples:
  u2demo cat.jpeg -o results                       cut-out: results/cat_cutout.png
  u2demo photos -o results --effects cutout,crop   a folder, its subfolders too
  u2demo photos -o results --background "#f2f2f2"  a new background: a color or a photo

A run that was stopped goes on where it was when the same command is given again.
See also: u2demo weights --help"""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, 1 if a photo failed, 128 + N for signal N."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["weights"]:
        from u2demo import weights_command

        return weights_command.main(argv[1:])
    options = _parse(argv)
    try:
        with stopped_by_signals():
            records = _run(options)
    except KeyboardInterrupt as stop:
        say("\nstopped; give the same command again to go on", sys.stderr)
        return 128 + (stop.args[0] if stop.args else signal.SIGINT)
    except (ValueError, OSError) as error:
        sentence = str(error).removeprefix(f"[Errno {getattr(error, 'errno', None)}] ")
        say("u2demo: " + "\n".join(map(printable, sentence.splitlines())), sys.stderr)
        return 1
    say(_summary(records, options.output), sys.stdout)
    return int(any(record.status == "failed" for record in records))


def _parse(argv: list[str]) -> argparse.Namespace:
    from u2demo.annotations import WRITERS
    from u2demo.checkpoints import CHECKPOINTS
    from u2demo.formats import FORMATS
    from u2demo.pipeline import EFFECTS

    full = f"{CHECKPOINTS['u2net'].size} each, downloaded"
    parser = argparse.ArgumentParser(
        prog="u2demo",
        description="Find the subject of photos: cut it out, change its background, box, crop.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO|FOLDER")
    parser.add_argument("-o", "--output", type=Path, default=Path("results"), metavar="RESULTS")
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
        help="of pictures: auto is PNG with transparency, else JPEG; webp is smaller, lossy",
    )
    parser.add_argument("--quality", choices=("fast", "best"), default="fast")
    parser.add_argument(
        "--model",
        default="u2netp",
        choices=[name for name, record in CHECKPOINTS.items() if record.input_size == 320],
        help=f"u2netp (default, inside), u2net, or u2net_human_seg for people ({full} once)",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="weights of your own instead of --model's"
    )
    parser.add_argument("--device", help="cpu, cuda or mps (default: the fastest there is)")
    parser.add_argument("--overwrite", action="store_true", help="do again what is done")
    parser.add_argument("--version", action="version", version=f"u2demo {__version__}")
    return parser.parse_args(argv)


def _names(text: str, choices: dict) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in choices]:
        raise argparse.ArgumentTypeError(
            f"no {', '.join(unknown)!r}; choose from {', '.join(choices)}"
        )
    return names


def _background(text: str) -> object:
    from PIL import ImageColor

    from u2demo.images import open_image

    try:
        return open_image(text) if Path(text).exists() else ImageColor.getrgb(text)
    except (ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a color nor a photo ({error})"
        ) from error


def _run(options: argparse.Namespace) -> list:
    from tqdm import tqdm

    from u2demo.annotations import WRITERS, check_free
    from u2demo.effects import replace_background
    from u2demo.folder import process_files
    from u2demo.manifest import read_records
    from u2demo.pipeline import EFFECTS
    from u2demo.plan import list_photos
    from u2demo.weights import load_model

    photos = list_photos(options.photos)
    if not photos:
        raise ValueError(f"no photos found in {', '.join(map(str, options.photos))}")
    names = options.effects or (["background"] if options.background else ["cutout"])
    effects = {name: EFFECTS[name] for name in names}
    if options.background:
        effects["background"] = partial(replace_background, background=options.background)
    check_free(options.boxes, options.output)
    model = load_model(options.model, device=options.device, weights=options.weights)
    with tqdm(total=len(photos), unit="photo", disable=None) as bar:
        records = process_files(
            model,
            photos,
            options.output,
            effects=effects,
            quality=options.quality,
            format=options.format,
            overwrite=options.overwrite,
            report=lambda record: bar.update(),
        )
    for name in options.boxes:
        WRITERS[name](read_records(options.output), options.output)
    return records


def _summary(records: list, output: Path) -> str:
    counts = Counter(record.status for record in records)
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    photos = "1 photo" if len(records) == 1 else f"{len(records)} photos"
    lines = [f"{photos}: {said}. Pictures and manifest.csv are in {printable(output)}"]
    lines += [
        f"  failed: {printable(record.error)}" for record in records if record.status == "failed"
    ]
    lines += [
        f"  no clear subject: {printable(record.photo)}"
        for record in records
        if record.status != "failed" and not record.clear
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
