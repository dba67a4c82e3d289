"""Callbacks and jobs: whose thread runs them, what becomes of their errors, and in which order."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from live_app import until

from u2demo.notebook.callbacks import Debounced, guarded, on_this_thread
from u2demo.notebook.jobs import JobQueue
from u2demo.notebook.notes import Notes


def in_a_loop(main):
    """Run a coroutine in another thread: in this one Playwright's loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main()).result()


def test_an_error_of_a_callback_is_shown_on_the_page(no_loop):
    notes = Notes()
    guarded(lambda: 1 / 0, notes)()
    assert "ZeroDivisionError: division by zero" in notes.value
    assert "<details>" in notes.value


def test_a_click_that_another_thread_hands_in_waits_for_its_turn():
    async def main():
        seen = []
        click = on_this_thread(lambda: seen.append(threading.current_thread()))
        thread = threading.Thread(target=click)
        thread.start()
        thread.join()
        assert seen == [], "this thread is busy here"
        await asyncio.sleep(0.01)
        assert seen == [threading.current_thread()]

    in_a_loop(main)


def test_a_slider_at_work_puts_the_gallery_off_until_it_rests():
    steps = []

    def task():
        for step in range(3):
            steps.append(step)
            yield

    async def move():
        draw = Debounced(task, seconds=0.01)
        for _ in range(5):
            draw()
        assert steps == []
        await until(lambda: len(steps) == 3)
        await asyncio.sleep(0.05)

    in_a_loop(move)
    assert steps == [0, 1, 2]


def test_every_step_of_a_job_is_done_whatever_it_yields(no_loop):
    done = []

    def job():
        for step in ("first", "second", "third"):
            done.append(step)
            yield step

    JobQueue().start(job(), done.append)
    assert done == ["first", "second", "third"]


def test_a_job_that_fails_is_reported_and_the_next_one_is_done(no_loop):
    seen = []

    def failing():
        yield
        raise ValueError("no")

    def working():
        yield
        seen.append("done")

    jobs = JobQueue()
    jobs.start(failing(), lambda error: seen.append(str(error)), lambda: seen.append("over"))
    jobs.start(working(), seen.append)
    assert seen == ["no", "over", "done"]
    assert not jobs.is_busy


def test_a_job_that_a_job_starts_follows_it(no_loop):
    seen, jobs = [], JobQueue()

    def first():
        jobs.start(second(), seen.append)
        yield
        seen.append("first")

    def second():
        yield
        seen.append("second")

    jobs.start(first(), seen.append)
    assert seen == ["first", "second"] and not jobs.is_busy


def test_an_interrupt_ends_the_job_at_work_and_the_next_one_is_done():
    done = []

    def job(error=None):
        yield
        if error:
            raise error
        done.append("the next one")

    async def begin():
        jobs = JobQueue()
        jobs.start(job(KeyboardInterrupt()), done.append)
        jobs.start(job(), done.append)

    def interrupted():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        loop.run_until_complete(until(lambda: done))
        loop.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(interrupted).result()
    assert done == ["the next one"]
