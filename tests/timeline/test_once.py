"""What is built once: by one of many threads, for one object, and again only after a failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier, Event

import pytest

from timeline.once import built_once, hand_over, once

WAIT_S = 5
LONG_ENOUGH_S = 0.1
"""For threads that begin at the same time to have asked."""


@dataclass(frozen=True)
class Night:
    """Counts what is built; `slowly` holds a builder up until another thread has come."""

    name: str = "night"
    built: list[str] = field(default_factory=list)
    slowly: Event = field(default_factory=Event)
    begun: Event = field(default_factory=Event)

    @once
    def errors(self) -> str:
        """Known errors."""
        self.begun.set()
        self.slowly.wait(WAIT_S)
        self.built.append("errors")
        return f"errors of {self.name}"

    @once
    def jobs(self) -> str:
        self.built.append("jobs")
        self.slowly.set()
        return "jobs"

    @once
    def runs(self) -> str:
        return f"runs of {self.jobs}"

    @once
    def spoilt(self) -> str:
        self.built.append("spoilt")
        if self.built.count("spoilt") == 1:
            raise ValueError("spoilt")
        return "mended"


def together(*work: Callable[[], object]) -> list[object]:
    """What each of `work` gives, all begun at the same time."""
    start = Barrier(len(work))

    def begun(one: Callable[[], object]) -> object:
        start.wait(WAIT_S)
        return one()

    with ThreadPoolExecutor(len(work)) as hands:
        return [done.result(WAIT_S) for done in [hands.submit(begun, one) for one in work]]


def test_of_many_threads_one_builds_and_all_have_it() -> None:
    night = Night()

    def let_go() -> str:
        time.sleep(LONG_ENOUGH_S)
        night.slowly.set()
        return night.errors

    said = together(*[lambda: night.errors] * 7, let_go)
    assert said == ["errors of night"] * 8
    assert night.built == ["errors"]


def test_who_wants_another_value_does_not_wait() -> None:
    night = Night()
    together(lambda: night.errors, lambda: night.begun.wait(WAIT_S) and night.jobs)
    assert night.built == ["jobs", "errors"]


def test_the_same_value_of_another_object_is_not_waited_for() -> None:
    slow, quick = Night("slow"), Night("quick")
    quick.slowly.set()

    def errors_of_quick() -> str:
        slow.begun.wait(WAIT_S)
        said = quick.errors
        slow.slowly.set()
        return said

    assert together(lambda: slow.errors, errors_of_quick) == ["errors of slow", "errors of quick"]
    assert slow.built == quick.built == ["errors"]


def test_one_value_may_rest_on_another() -> None:
    night = Night()
    assert together(lambda: night.runs, lambda: night.jobs) == ["runs of jobs", "jobs"]
    assert night.built == ["jobs"]


def test_a_builder_that_failed_is_asked_again() -> None:
    night = Night()
    with pytest.raises(ValueError, match="spoilt"):
        _ = night.spoilt
    assert night.spoilt == "mended"
    assert night.built == ["spoilt", "spoilt"]


def test_a_copy_builds_its_own_until_it_is_handed_over() -> None:
    night = Night()
    assert night.jobs == "jobs"
    copy = replace(night, name="copy")
    assert copy.errors == "errors of copy"
    hand_over(night, copy)
    assert copy.jobs is night.jobs
    assert copy.errors == "errors of copy"
    assert copy.name == "copy"


def test_a_function_names_its_value() -> None:
    night = Night()
    asked: list[str] = []

    def first_line() -> str:
        asked.append("first")
        return "first line"

    for _ in range(2):
        assert built_once(night, first_line, first_line) == "first line"
    assert asked == ["first"]


def test_read_of_the_class_it_says_what_it_is() -> None:
    assert isinstance(Night.errors, once)
    assert Night.errors.__doc__ == "Known errors."
