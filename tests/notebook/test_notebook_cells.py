"""A cell run again: what it showed before closes, unless it is what the cell shows now."""

import pytest
from bright import Bright

from u2demo.notebook import Clips, Teach, cells

pytestmark = pytest.mark.usefixtures("results", "no_loop")


class Shown:
    def __init__(self):
        self.closed = 0

    def close(self):
        self.closed += 1
        return "what is left"


def test_what_a_cell_showed_closes_when_it_shows_something_else():
    first, second = Shown(), Shown()
    assert cells.close_on_rerun(first.close) is None
    assert cells.close_on_rerun(second.close) == "what is left"
    assert (first.closed, second.closed) == (1, 0)


def test_what_a_cell_shows_again_stays_open():
    shown = Shown()
    assert cells.close_on_rerun(shown.close) is None
    assert cells.close_on_rerun(shown.close) is None
    assert shown.closed == 0
    cells.close_on_rerun(Shown().close)
    assert shown.closed == 1


@pytest.mark.parametrize("make", [lambda: Clips(Bright()), Teach])
def test_a_page_shown_again_in_its_cell_is_still_there(make, tmp_path):
    page = make()
    for _ in range(2):
        page.show(tmp_path)  # nothing of use is there, which the page says
        assert page.page.comm
    page.close()
