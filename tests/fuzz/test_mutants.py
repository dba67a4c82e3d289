"""The first mutants of ``make fuzz``; what broke something has a test of its own elsewhere."""

import os

import pytest
from mutants import CHANGES, make_mutant
from survive import survive

SLICE = 200


@pytest.mark.parametrize("start", range(0, SLICE, 100))
def test_mutants_give_a_photo_or_a_reason_and_nothing_else(start):
    outcomes = [survive(number, whole_way=number % 4 == 0) for number in range(start, start + 100)]
    assert not [outcome for outcome in outcomes if outcome.faults]
    assert 10 < sum(outcome.size is not None for outcome in outcomes) < 90


def test_a_mutant_is_the_same_each_time_and_no_two_are_alike():
    assert make_mutant(7) == make_mutant(7)
    assert len({make_mutant(number).data for number in range(100)}) > 95
    names = " ".join(make_mutant(number).name for number in range(200))
    assert all(change.__name__[1:].replace("_", " ") in names for change in CHANGES)


@pytest.mark.parametrize("promise", ["names the file", "keeps quiet", "raises ValueError alone"])
def test_a_broken_promise_is_noticed(promise, monkeypatch):
    def careless(file):
        if promise == "keeps quiet":
            os.write(2, b"a remark")
            raise ValueError("hostile.jpg: not an image")
        raise KeyError("x") if promise == "raises ValueError alone" else ValueError("it is broken")

    monkeypatch.setattr("survive.open_image", careless)
    assert survive(0, whole_way=False).faults
