"""The index of a journal says the same whether lines are entered at once or one by one."""

import random

import pytest

from u2demo.runs import index
from u2demo.runs.index import Index


@pytest.mark.parametrize("seed", range(4))
def test_the_last_line_of_a_photo_is_found_whenever_it_is_asked_for(seed, monkeypatch):
    monkeypatch.setattr(index, "_FEW", 5)
    chance = random.Random(seed)
    found, lines, rows = Index(), {}, {}
    for place in range(300):
        photo, folder = chance.randrange(40), chance.randrange(5)
        noted = chance.choice([0, place, place - 20])
        if photo in rows and chance.random() < 0.4:
            row, folder = rows[photo]
            found.move(row, place, noted)
            noted = max(noted, lines[photo][row][0])  # a clock was set back
        else:
            row = found.add(photo, folder, place, noted)
        rows[photo] = row, folder
        lines.setdefault(photo, {})[row] = (noted, row, place, folder)
        if chance.random() < 0.5:
            last = {one: max(of.values()) for one, of in lines.items()}
            assert {one: found.place_of(one) for one in range(40)} == {
                one: last[one][2] if one in last else None for one in range(40)
            }
            for one in range(5):
                inside = [place for _, _, place, where in last.values() if where == one]
                assert sorted(found.places_in(one)) == sorted(inside)
    last = [max(of.values()) for of in lines.values()]  # in the order of their first lines
    assert found.places().tolist() == [place for _, _, place, _ in last]
    assert found.photos == len(lines) and found.lines == 300


def test_a_line_that_is_asked_for_right_after_another_was_added_costs_no_new_tables(monkeypatch):
    tables, found = [], Index()
    settle = Index._settle
    monkeypatch.setattr(Index, "_settle", lambda one: tables.append(settle(one)))
    for photo in range(20_000):
        found.add(photo, photo // 100, photo, 0.0)
        assert found.place_of(photo) == photo
    assert len(tables) < 50
