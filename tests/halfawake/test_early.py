"""Work begun in a child process: its result comes back, and a failure is done over by the asker."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from halfawake.early import begun
from timeline.pin import PinProblem, parse_pin


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
