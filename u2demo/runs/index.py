"""photo -> where its last line is: numbers in sorted tables, and in a dict for the newest lines."""

from array import array
from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

_FEW = 1000  # new lines that are always kept in the dict
_SHARE = 8  # beyond them, the tables are made anew when an eighth of all lines is new


class Index:
    """Where the last line of each photo is; hashes and places are numbers of 64 bits.

    A line is known by its row, the number of lines entered before it. Of two lines of a photo, the
    last one is that with the later time or, if they are equal, the later row.
    """

    def __init__(self):
        self._photos, self._folders, self._places = array("q"), array("q"), array("q")
        self._noted = array("d")
        self.lines = 0  # the superseded ones, too
        self._known = 0  # rows that are in the tables or the dict
        # The tables: photos, sorted, and the row of the last line of each; the same by folders.
        self._sorted = array("q")  # is searched faster than numpy's for one number
        self._last = self._of_folders = self._in_folders = np.empty(0, np.int64)
        self._first_seen = self._last
        # What has come since the tables were made: photo -> row, and photos by folder.
        self._new: dict[int, int] = {}
        self._new_in: dict[int, set[int]] = {}

    @property
    def photos(self) -> int:
        """How many photos there are."""
        self._settle()
        return len(self._sorted)

    def add(self, photo: int, folder: int, place: int, noted: float) -> int:
        """Enter a line, and return its row."""
        self._photos.append(photo)
        self._folders.append(folder)
        self._places.append(place)
        self._noted.append(noted)
        self.lines += 1
        return len(self._photos) - 1

    def move(self, row: int, place: int, noted: float) -> None:
        """Let a newer line take the place of one that was entered, even if a clock was set back."""
        self._places[row], self._noted[row] = place, max(noted, self._noted[row])
        self.lines += 1
        if row < self._known:
            self._note(row)

    def place_of(self, photo: int) -> int | None:
        """Return where a photo's last line is."""
        self._catch_up()
        row = self._row_of(photo)
        return None if row is None else self._places[row]

    def places_in(self, folder: int) -> list[int]:
        """Return where the last lines of a folder's photos are."""
        self._catch_up()
        begin = np.searchsorted(self._of_folders, folder, "left")
        end = np.searchsorted(self._of_folders, folder, "right")
        photos = [self._photos[row] for row in self._in_folders[begin:end].tolist()]
        rows = map(self._row_of, dict.fromkeys([*photos, *self._new_in.get(folder, ())]))
        return [self._places[row] for row in rows if self._folders[row] == folder]

    def places(self) -> NDArray[np.int64]:
        """Return where the last line of each photo is, in the order of their first lines."""
        self._settle()
        return np.array(self._places, np.int64)[self._last[np.argsort(self._first_seen)]]

    def _row_of(self, photo: int) -> int | None:
        rows = []
        if photo in self._new:
            rows.append(self._new[photo])
        at = bisect_left(self._sorted, photo)
        if at < len(self._sorted) and self._sorted[at] == photo:
            rows.append(int(self._last[at]))
        return max(rows, key=self._age, default=None)

    def _age(self, row: int) -> tuple[float, int]:
        return self._noted[row], row

    def _catch_up(self) -> None:
        """Take in the lines that were entered since: a few one by one, many with all others."""
        rows = len(self._photos)
        if len(self._new) + rows - self._known > max(_FEW, rows // _SHARE):
            self._settle()
        for row in range(self._known, rows):
            self._note(row)
        self._known = rows

    def _note(self, row: int) -> None:
        photo = self._photos[row]
        self._new[photo] = max(self._new.get(photo, row), row, key=self._age)
        self._new_in.setdefault(self._folders[row], set()).add(photo)

    def _settle(self) -> None:
        """Make the tables anew, of all lines."""
        if self._known == len(self._photos) and not self._new:
            return
        photos = np.array(self._photos, np.int64)
        order = np.lexsort((np.array(self._noted), photos))  # stable
        photos = photos[order]
        begins = np.ones(len(photos), bool)
        begins[1:] = photos[1:] != photos[:-1]
        firsts = np.flatnonzero(begins)
        lasts = np.append(firsts[1:], len(photos))[: len(firsts)] - 1
        self._last = order[lasts]
        self._first_seen = np.minimum.reduceat(order, firsts)
        self._sorted = array("q", photos[lasts].tobytes())
        folders = np.array(self._folders, np.int64)[self._last]
        by_folder = np.argsort(folders, kind="stable")
        self._of_folders, self._in_folders = folders[by_folder], self._last[by_folder]
        self._known = len(self._photos)
        self._new.clear()
        self._new_in.clear()
