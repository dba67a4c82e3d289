"""What the app says: sentences that can be closed, and problems of one kind in one place."""

import pytest
from live_app import find_in, text_of

from u2demo.notebook.notes import Notes

pytestmark = pytest.mark.usefixtures("no_loop")

UNREAD = "files could not be read"


def lines(notes):
    return [text_of(note.markup) for note in notes.children]


def test_a_problem_can_be_closed_and_the_others_stay():
    notes = Notes()
    notes.say("The net is away.", kind="problem")
    notes.say("Saved.", kind="done")
    find_in(notes, "Close this message").click()
    assert lines(notes) == ["Saved."]
    assert 'role="status"' in notes.value


def test_problems_of_one_kind_are_counted_in_one_note_that_lists_them():
    notes = Notes()
    for number in range(20):
        notes.say(f"{number}.jpg: not <an> image", kind="problem", group=UNREAD)
        if number == 7:
            notes.say("Another sentence.")
    many, other = lines(notes)
    assert many.startswith("20 files could not be read")
    assert "0.jpg: not <an> image" in many and "19.jpg: not <an> image" in many
    assert "<summary>" in notes.value and "<an>" not in notes.value
    assert other == "Another sentence."


def test_a_single_problem_of_a_kind_is_its_own_sentence():
    notes = Notes()
    notes.say("a.jpg: empty", kind="problem", group=UNREAD)
    assert lines(notes) == ["a.jpg: empty"]


def test_what_was_closed_or_cleared_is_not_counted_again():
    notes = Notes()
    for forget in (lambda: find_in(notes, "Close this message").click(), notes.clear):
        notes.say("a.jpg: empty", kind="problem", group=UNREAD)
        notes.say("b.jpg: empty", kind="problem", group=UNREAD)
        forget()
        notes.say("c.jpg: empty", kind="problem", group=UNREAD)
        assert lines(notes) == ["c.jpg: empty"]
        notes.clear()


def test_notes_that_go_are_closed():
    notes = Notes()
    notes.say("One.")
    notes.say("Two.")
    one, two = notes.children
    find_in(notes, "Close this message").click()
    notes.clear()
    assert one.comm is None and two.comm is None and notes.value == ""
