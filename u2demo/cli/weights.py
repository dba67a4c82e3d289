"""argv -> weights on this machine: ``u2demo weights list | fetch NAME | verify``."""

import argparse
import sys

from u2demo.cli.terminal import printable, say, sentence
from u2demo.nets import store
from u2demo.nets.checkpoints import CHECKPOINTS

_USAGE = """u2demo weights [-h] list | fetch NAME... | verify
for a folder of photos called weights: u2demo ./weights"""


def main(argv: list[str]) -> int:
    """Run ``u2demo weights`` and return its exit code: 0, or 1 if weights are missing or bad."""
    options = _parse(argv)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        say("\nstopped; the same command resumes", sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        say(sentence(error), sys.stderr)
        return 1


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="u2demo weights",
        usage=_USAGE,  # also shown when a folder of this name was meant
        description="List, fetch and verify the trained weights.",
    )
    commands = parser.add_subparsers(
        required=True, metavar="list | fetch | verify", prog="u2demo weights"
    )
    listing = commands.add_parser("list", help="list all weights, and which are on this machine")
    listing.set_defaults(run=_list)
    fetching = commands.add_parser("fetch", help="download weights that are missing")
    fetching.add_argument("names", nargs="+", choices=CHECKPOINTS, metavar="NAME")
    fetching.set_defaults(run=_fetch)
    verifying = commands.add_parser(
        "verify", help="check size and sha256 of weights on this machine"
    )
    verifying.set_defaults(run=_verify)
    return parser.parse_args(argv)


def _list(_: argparse.Namespace) -> int:
    rows = [("NAME", "SIZE", "FOR", "LICENSE", "WHERE")]
    for record in CHECKPOINTS.values():
        where = next((str(path) for path in store.present(record)), "not fetched yet")
        rows.append((record.name, record.size, record.purpose, record.license, where))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        _print("  ".join(cells).rstrip())
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from u2demo.nets.load import fetch_weights  # imports torch: a second, not needed to list

    for name in options.names:
        _print(fetch_weights(name))
    return 0


def _verify(_: argparse.Namespace) -> int:
    from u2demo.nets.load import check_for  # imports torch: a second, not needed to list

    bad = 0
    for record in CHECKPOINTS.values():
        path, faults = store.find(record, check=check_for(record))
        bad += len(faults)
        state = "bad" if faults else "not fetched yet"
        if path:
            state = f"{store.verdict(record, path)}, {path}"
        _print(f"{record.name}: {state}")
        for fault in faults:
            _print(fault, indent="  ")
    return int(bad > 0)


def _print(text: object, *, indent: str = "") -> None:
    """Print a line, even if nobody listens any more.

    Raises:
        OSError: a listener misses it.
    """
    if not say(indent + printable(text), sys.stdout):
        raise OSError("could not print this; is the disk full?")
