"""argv -> pipeline: ``python -m u2demo PHOTO|FOLDER... -o RESULTS``, installed as ``u2demo``."""

import argparse
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path

from u2demo.arguments import parse
from u2demo.terminal import printable, say, stopped_by_signals


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, 1 if a photo failed, 128 + N for signal N."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["weights"]:
        from u2demo import weights_command

        return weights_command.main(argv[1:])
    options = parse(argv)
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


def _run(options: argparse.Namespace) -> list:
    from tqdm import tqdm

    from u2demo.annotations import WRITERS
    from u2demo.effects import replace_background
    from u2demo.folder import process_files
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
        WRITERS[name](records, options.output)
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
