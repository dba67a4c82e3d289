"""Run lengths of a BMP -> palette indices, many runs at a time."""

import numpy as np

_END_OF_ROW, _END, _MOVE = range(3)  # what the second byte means after a count of 0; else a count


def decode_runs(data: bytes, shape: tuple[int, int], *, two_a_byte: bool) -> np.ndarray:
    """Return indices, (H, W) uint8, first row first; pixels that no run reaches are 0.

    ``two_a_byte`` says that a byte is two indices of 4 bits, as in RLE4. What reaches beyond a row
    is dropped, as is what comes after the last row.
    """
    indices = np.zeros(shape, np.uint8)
    count = len(data) // 2
    pairs = np.frombuffer(data[: 2 * count], np.uint8).reshape(-1, 2)
    escapes = iter([*np.flatnonzero(pairs[:, 0] == 0).tolist(), count])
    at = x = y = 0
    escape = -1
    while at < count and y < shape[0]:
        while escape < at:  # a zero may be part of a string of pixels
            escape = next(escapes)
        if at < escape:
            x += _draw_runs(indices[y], x, pairs[at:escape], two_a_byte)
            at = escape
            continue
        code, at = data[2 * at + 1], at + 1
        if code == _END_OF_ROW:
            x, y = 0, y + 1
        elif code == _END:
            break
        elif code == _MOVE:
            right, up = data[2 * at : 2 * at + 2] if at < count else (0, 0)
            x, y, at = x + right, y + up, at + 1
        else:
            size = (code + 3) // 4 if two_a_byte else (code + 1) // 2  # pairs
            string = _split(pairs[at : at + size].reshape(-1), two_a_byte)[:code]
            _draw(indices[y], x, string)
            x, at = x + code, at + size
    return indices


def _draw_runs(row: np.ndarray, x: int, runs: np.ndarray, two_a_byte: bool) -> int:
    """Draw runs, shape (N, 2) of count and value, from ``x`` on, and return their length."""
    room = len(row) - x
    if room <= 0:
        return 0
    runs = runs[:room]  # each has a pixel at least
    ends = np.cumsum(runs[:, 0], dtype=np.intp)
    used = np.searchsorted(ends, room) + 1
    runs, ends = runs[:used], ends[:used]
    counts = runs[:, 0].astype(np.intp)
    colors = np.repeat(runs[:, 1], counts)
    if two_a_byte:
        places = np.arange(len(colors)) - np.repeat(ends - counts, counts)
        colors = np.where(places % 2, colors & 15, colors >> 4)
    _draw(row, x, colors)
    return len(colors)


def _draw(row: np.ndarray, x: int, colors: np.ndarray) -> None:
    part = row[x : x + len(colors)]
    part[:] = colors[: len(part)]


def _split(values: np.ndarray, two_a_byte: bool) -> np.ndarray:
    return np.stack([values >> 4, values & 15], 1).reshape(-1) if two_a_byte else values
