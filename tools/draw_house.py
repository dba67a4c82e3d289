"""Draw the rooms of u2demo from its own imports: python tools/draw_house.py > docs/house.svg.

A room is a folder or a file of the package. It stands one floor above the highest room that it
imports from. An arrow is left out if a longer chain of arrows implies it.
"""

import ast
import textwrap
from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1] / "u2demo"
INK, SOFT, PLAIN, TORCH = "#24292f", "#6e7781", "#e8f1fb", "#ffe8cc"
BOX, LANE, GAP, RISE = 236, 24, 34, 46  # widths of a box and of a lane; space beside and above
TITLE, LINE, LETTERS = 26, 17, 32  # heights of a box's title and of its lines; a line's length
MARGIN, HEAD = 28, 74
SWEEPS = 8  # how often each floor is sorted; the order settles after a few sweeps

Rooms = Mapping[str, frozenset[str]]  # room -> the rooms it imports from


class Place(NamedTuple):
    """A box in the drawing, or the point at which an arrow crosses a floor; ``x`` is its middle."""

    x: float
    top: float
    bottom: float
    reach: float  # how far from its middle arrows may start and end


def room_of(path: Path) -> str:
    """Return the room that a file of the package belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files_by_room() -> dict[str, list[Path]]:
    """Return the files of each room; the package's own ``__*__.py`` files are not a room."""
    rooms: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent == PACKAGE and path.name.startswith("__"):
            continue
        rooms.setdefault(room_of(path), []).append(path)
    return rooms


def imported(path: Path) -> Iterator[str]:
    """Yield the full name of everything a file imports; imports for type checkers do not count."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_imports(files: Mapping[str, list[Path]]) -> Rooms:
    """Return for each room the other rooms that its files import from."""
    found = {}
    for room, paths in files.items():
        names = [name.split(".") for path in paths for name in imported(path)]
        others = {name[1] for name in names if name[0] == "u2demo" and len(name) > 1}
        found[room] = frozenset(others & files.keys() - {room})
    return found


def below(room: str, rooms: Rooms) -> frozenset[str]:
    """Return every room that ``room`` stands on, directly or not."""
    return rooms[room].union(*(below(other, rooms) for other in rooms[room]))


def floors(rooms: Rooms) -> dict[str, int]:
    """Return the floor of each room, 0 for those that import from none."""
    heights: dict[str, int] = {}
    for room in sorted(rooms, key=lambda room: (len(below(room, rooms)), room)):
        heights[room] = 1 + max((heights[other] for other in rooms[room]), default=-1)
    return heights


def arrows(rooms: Rooms) -> list[tuple[str, str]]:
    """Return the imports to draw, as (from, to): those that no longer chain implies."""
    drawn = []
    for room, others in sorted(rooms.items()):
        implied = frozenset().union(*(below(other, rooms) for other in others))
        drawn += [(room, other) for other in sorted(others - implied)]
    return drawn


def ways(rooms: Rooms) -> dict[tuple[str, str], list[str]]:
    """Return the stops of each arrow from top to bottom; it crosses floors between in lanes."""
    height = floors(rooms)
    stops = {}
    for start, end in arrows(rooms):
        between = range(height[start] - 1, height[end], -1)
        stops[start, end] = [start, *(f"{start}>{end}@{floor}" for floor in between), end]
    return stops


def rows(rooms: Rooms) -> list[list[str]]:
    """Return rooms and lanes by floor, each near the middle of those it is linked to."""
    height = floors(rooms)
    found: list[list[str]] = [[] for _ in range(max(height.values()) + 1)]
    for room in sorted(rooms):
        found[height[room]].append(room)
    linked: dict[str, list[str]] = {room: [] for room in rooms}
    for stops in ways(rooms).values():
        for lane in stops[1:-1]:
            found[int(lane.rpartition("@")[2])].append(lane)
        for upper, lower in pairwise(stops):
            linked.setdefault(upper, []).append(lower)
            linked.setdefault(lower, []).append(upper)
    middle = {name: (place + 0.5) / len(row) for row in found for place, name in enumerate(row)}
    for _ in range(SWEEPS):
        for row in found:
            wish = {name: sum(middle[other] for other in linked[name]) for name in row}
            row.sort(key=lambda name: wish[name] / max(len(linked[name]), 1))
            for place, name in enumerate(row):
                middle[name] = (place + 0.5) / len(row)
    return found


def box_lines(room: str, paths: list[Path]) -> list[str]:
    """Return the names of a room's files, wrapped; a folder inside it is one name."""
    files = [path.stem for path in paths if path.parent.name == room and path.stem != "__init__"]
    folders = {f"{path.parent.name}/" for path in paths if path.parent.parent.name == room}
    names = sorted({*files, *folders})
    text = ", ".join(names) if paths[0].parent != PACKAGE else f"{room}.py"
    return textwrap.wrap(text, LETTERS)


def places(files: Mapping[str, list[Path]], rooms: Rooms) -> tuple[dict[str, Place], int, int]:
    """Return where each box and lane is, and the width and height of the drawing."""
    grid = rows(rooms)
    tall = {room: TITLE + LINE * len(box_lines(room, files[room])) + 12 for room in files}
    widths = [sum(BOX if name in rooms else LANE for name in row) for row in grid]
    width = 2 * MARGIN + max(
        total + GAP * (len(row) - 1) for total, row in zip(widths, grid, strict=True)
    )
    found: dict[str, Place] = {}
    y = HEAD
    for total, row in reversed(list(zip(widths, grid, strict=True))):
        x = (width - total - GAP * (len(row) - 1)) / 2
        deep = max(tall.get(name, 0) for name in row)
        for name in row:
            side, high = (BOX, tall[name]) if name in rooms else (LANE, deep)
            top = y + (deep - high) / 2
            found[name] = Place(x + side / 2, top, top + high, BOX / 3 if name in rooms else 0)
            x += side + GAP
        y += deep + RISE
    return found, width, y - RISE + MARGIN


def drawing() -> Iterator[str]:
    """Yield the lines of an SVG picture of the house."""
    files = files_by_room()
    rooms = room_imports(files)
    found, width, height = places(files, rooms)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="Helvetica, Arial, sans-serif">'
    )
    yield f'<rect width="{width}" height="{height}" fill="white"/>'
    yield text(MARGIN, 32, "The rooms of u2demo", size=18, weight="bold")
    yield text(MARGIN, 52, "An arrow points to what is imported; whatever lies below may be, too.")
    yield f'<rect x="{width - 152}" y="22" width="16" height="16" rx="4" fill="{TORCH}"/>'
    yield text(width - 128, 35, "imports PyTorch")
    for stops in ways(rooms).values():
        yield arrow([found[name] for name in stops])
    for room, paths in files.items():
        uses_torch = any(name.split(".")[0] == "torch" for path in paths for name in imported(path))
        yield box(found[room], room, box_lines(room, paths), TORCH if uses_torch else PLAIN)
    yield "</svg>"


def box(place: Place, title: str, lines: list[str], fill: str) -> str:
    """Return a rounded box with a room's name and its files."""
    left, high = place.x - BOX / 2, place.bottom - place.top
    shape = (
        f'<rect x="{left:g}" y="{place.top:g}" width="{BOX}" height="{high:g}" rx="8" '
        f'fill="{fill}" stroke="{SOFT}"/>'
    )
    name = text(place.x, place.top + 22, title, anchor="middle", size=15, weight="bold")
    listed = [
        text(place.x, place.top + 22 + LINE * number, line, anchor="middle", size=12.5, fill=SOFT)
        for number, line in enumerate(lines, start=1)
    ]
    return "".join([shape, name, *listed])


def arrow(stops: list[Place]) -> str:
    """Return a line from the bottom of the first place to the top of the last one."""
    first, last = stops[0], stops[-1]
    start = towards(first, stops[1].x)
    end = towards(last, stops[-2].x)
    points = [(start, first.bottom)]
    for lane in stops[1:-1]:
        points += [(lane.x, lane.top), (lane.x, lane.bottom)]
    points.append((end, last.top - 7))
    way = f"M{start:g} {first.bottom:g}"
    for (x1, y1), (x2, y2) in pairwise(points):
        middle = (y1 + y2) / 2
        way += f" C{x1:g} {middle:g} {x2:g} {middle:g} {x2:g} {y2:g}"
    line = f'<path d="{way}" stroke="{SOFT}" stroke-width="1.4" fill="none"/>'
    head = f'<path d="M{end:g} {last.top:g} l-4.5 -9 h9 Z" fill="{SOFT}"/>'
    return line + head


def towards(place: Place, x: float) -> float:
    """Return the x nearest to ``x`` at which an arrow may leave or reach a place."""
    return min(max(x, place.x - place.reach), place.x + place.reach)


def text(
    x: float, y: float, words: str, *, anchor="start", size=13.0, weight="normal", fill=INK
) -> str:
    """Return one line of text."""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{fill}" text-anchor="{anchor}" font-size="{size:g}" '
        f'font-weight="{weight}">{escape(words)}</text>'
    )


if __name__ == "__main__":
    print("\n".join(drawing()))
