"""records -> manifest.csv, for spreadsheets: accents as they are, and no cell that is a formula."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TextIO

from u2demo.runs.record import Record

_FOR_U2DEMO = {"written", "writing", "outlines", "identity", "content", "track"}
_COLUMNS = [field.name for field in fields(Record) if field.name not in _FOR_U2DEMO]
# What a cell of a formula begins with (OWASP, "CSV Injection").
_FORMULA = tuple("=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
                 "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip


def pieces(records: Iterable[Record], *, with_mark: bool) -> Iterator[bytes]:
    """Yield the table of ``records`` as a CSV file in UTF-8, piece by piece.

    ``with_mark`` puts a byte order mark first: Excel reads letters beyond ASCII only with it. A
    cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    if with_mark:
        yield codecs.BOM_UTF8
    yield _row(_COLUMNS)
    for record in records:
        yield _row([_guarded(_cell(record, column)) for column in _COLUMNS])


def _row(cells: Iterable[object]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    # Disks hold names that are not valid Unicode; they are written back unchanged.
    return text.getvalue().encode(errors="surrogateescape")


def has_our_columns(file: Path) -> bool:
    """Return whether the first row of ``file`` is one that some version of u2demo writes."""
    with _open(file) as opened:
        return _are_ours(next(csv.reader(opened), []))


def agrees(file: Path, records: Iterable[Record]) -> bool:
    """Return whether ``file`` says of ``records``, those of its folder, what a run has written.

    Folders may have moved, and earlier versions had fewer columns and no apostrophes. Few records
    are in memory at a time as long as both have the same order, which a run gives them.
    """
    coming, waiting = iter(records), {}
    with _open(file) as opened:
        rows = csv.reader(opened)
        columns = next(rows, [])
        try:
            for cells in rows:
                row = dict(zip(columns, cells, strict=True))
                record = _take(row["stem"], coming, waiting)
                if record is None or not _is_row_of(record, row):
                    return False
        except (csv.Error, ValueError):  # a row of another length
            return False
    return True


def _open(file: Path) -> TextIO:
    return file.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _are_ours(columns: list[str]) -> bool:
    return {"photo", "stem", "version"} <= set(columns) <= set(_COLUMNS)


def _take(stem: str, coming: Iterator[Record], waiting: dict[str, Record]) -> Record | None:
    """Return the record with a stem, None if there is none; those before it in ``coming`` wait."""
    stems = (stem.removeprefix("'"), stem)
    if waiting.keys().isdisjoint(stems):
        for record in coming:
            waiting[record.stem] = record
            if record.stem in stems:
                break
    return waiting.pop(stems[0], None) or waiting.pop(stems[1], None)


def _is_row_of(record: Record, row: dict[str, str]) -> bool:
    texts = {column: str(_cell(record, column)) for column in row if column != "photo"}
    return all(row[column] in (text, _guarded(text)) for column, text in texts.items())


def _cell(record: Record, column: str) -> object:
    value = getattr(record, column)
    match column:
        case "size" | "box":
            return " ".join(map(str, value or ()))
        case "objects":
            return "; ".join(" ".join(map(str, box)) for box in value)
        case "files" | "effects" | "left_out":
            return "; ".join(value)
        case "renamed":
            return "; ".join(f"{old} -> {new}" for old, new in value.items())
    return value


def _guarded(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
