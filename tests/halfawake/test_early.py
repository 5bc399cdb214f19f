"""Work begun in a child process: its result comes back, and a failure is done over by the asker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from halfawake.collector import LiveCollector
from halfawake.early import FirstRows, begun
from timeline.pin import PinProblem, parse_pin
from timeline.preview import Preview
from timeline.window import Window


def test_the_result_was_worked_out_by_another_process() -> None:
    assert begun(os.getpid)() != os.getpid()


def test_work_goes_on_before_it_is_asked_for(tmp_path: Path) -> None:
    done = tmp_path / "done"
    result = begun(lambda: done.write_text("rows"))
    until = time.monotonic() + 10
    while not done.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert done.exists()
    assert result() == len("rows")


@pytest.mark.parametrize("ending", [lambda: os._exit(3), lambda: 1 / 0])
def test_a_child_without_an_answer_is_made_up_for(ending: Callable[[], object]) -> None:
    asking = os.getpid()
    result = begun(lambda: "rows" if os.getpid() == asking else ending())
    assert result() == "rows"


def test_an_error_of_the_work_reaches_whoever_asks() -> None:
    result = begun(lambda: parse_pin("25:99", now_ns=0, zone=None))  # type: ignore[arg-type]
    with pytest.raises(PinProblem):
        result()


WINDOW, OTHER = Window(10, 0, 20), Window(11, 0, 20)


def looked(window: Window) -> list[Preview]:
    """A preview that names the window it is of."""
    return [Preview(f"rows around {window.pin}", ())]


def until_there(rows: FirstRows) -> None:
    until = time.monotonic() + 10
    while not rows.is_there(WINDOW) and time.monotonic() < until:
        time.sleep(0.01)


def test_first_rows_are_those_of_the_window_they_were_begun_for() -> None:
    rows = FirstRows(looked, WINDOW)
    until_there(rows)
    assert rows.is_there(WINDOW)
    assert not rows.is_there(OTHER)
    assert rows(OTHER) == looked(OTHER)
    assert rows(WINDOW) == looked(WINDOW)


def test_rows_that_are_not_there_are_not_waited_for(tmp_path: Path) -> None:
    may_go_on = tmp_path / "go on"

    def slow(window: Window) -> list[Preview]:
        until = time.monotonic() + 10
        while not may_go_on.exists() and time.monotonic() < until:
            time.sleep(0.01)
        return looked(window)

    rows = FirstRows(slow, WINDOW)
    collector = LiveCollector(prepare=lambda: pytest.fail("nothing is read"), preview=rows)
    assert collector.at_hand(WINDOW) == ()
    may_go_on.touch()
    until_there(rows)
    assert collector.at_hand(WINDOW) == looked(WINDOW)
    assert collector.at_hand(WINDOW) == ()  # once is enough
