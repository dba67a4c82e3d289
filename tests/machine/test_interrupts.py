"""A signal is answered at once, but never amid the work of a lock."""

import signal
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from u2demo.cli.terminal import stopped_by_signals
from u2demo.machine.cores import in_parallel, on_all_cores
from u2demo.machine.interrupts import interrupt, uninterrupted


def test_a_signal_is_answered_at_once():
    with pytest.raises(KeyboardInterrupt, match="15"):
        interrupt(15)


def test_a_signal_that_is_held_back_is_answered_at_the_outermost_end():
    done = []
    with pytest.raises(KeyboardInterrupt, match="15"), uninterrupted():
        with uninterrupted():
            interrupt(15)
        done.append("all")
    assert done == ["all"]
    with uninterrupted():
        pass  # it was answered once


def test_a_signal_is_answered_even_if_what_it_waited_for_fails():
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        interrupt(15)
        raise ValueError


@pytest.fixture
def ctrl_c():
    """What Ctrl-C does in the command line."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with stopped_by_signals():
        yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("where", "name"), [(ThreadPoolExecutor, "submit"), (Future, "result")])
def test_a_pool_is_not_interrupted_while_it_takes_work_or_gives_a_result(
    where, name, ctrl_c, monkeypatch
):
    usual, whole = getattr(where, name), []

    def at_the_worst_moment(*args):
        if not whole:
            ctrl_c()
        answer = usual(*args)
        whole.append(answer)
        return answer

    monkeypatch.setattr(where, name, at_the_worst_moment)
    with pytest.raises(KeyboardInterrupt):
        list(in_parallel(str, range(9), 2))
    assert len(whole) == 1


def test_work_on_all_cores_is_finished_before_a_signal_is_answered(ctrl_c, monkeypatch):
    monkeypatch.setattr("u2demo.machine.cores.available_cores", lambda: 2)
    usual, made = ThreadPoolExecutor.submit, []

    def at_the_worst_moment(*args):
        if not made:
            ctrl_c()
        made.append(usual(*args))
        return made[-1]

    monkeypatch.setattr(ThreadPoolExecutor, "submit", at_the_worst_moment)
    with pytest.raises(KeyboardInterrupt):
        on_all_cores(str, range(4))
    assert len(made) == 4 and all(future.done() for future in made)
