"""The recorded nights of the lab: real servers, several faults each, truth told by the processes.

A recording is one night, so it gives a list of what was found and what not, never a share with an
interval. The quiet hour gives healthy windows. What happened in each is proved by the lab's own
tests (`tests/lab/truth/*.truth.json`), not here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from tests.score.catalogue import detectors
from tests.score.truth import claims
from timeline.analysis import analyse
from timeline.incident import Incident
from timeline.order import Verdict
from timeline.window import SECOND_NS, Window

QUIET = "quiet-hour"
"""The recording in which nothing is wrong."""
QUIET_STEP_S = 20
QUIET_BEFORE_S, QUIET_AFTER_S = 120, 20
"""A healthy window of it: two minutes before T and as much after it as a pager leaves."""


@dataclass(frozen=True, slots=True)
class RecordedNight:
    """What was wrong in one recording: the faults, and what else is true because of them."""

    story: str
    faults: tuple[str, ...]
    also: frozenset[str] = frozenset()

    def holds(self, term: str) -> bool:
        return term in self.faults or term in self.also


NIGHTS = (
    RecordedNight(
        "night-hiccup",
        ("network-hiccup", "ambiguous-enqueue", "job-before-commit"),
        frozenset(("orphaned-record", "unsafe-replay", "novel-template")),
    ),
    RecordedNight(
        "signup-race",
        ("job-before-commit", "unsafe-replay", "duplicate-create"),
        frozenset(("duplicate-enqueue", "third-party", "lock-queue", "orphaned-record")),
    ),
    RecordedNight(
        "friday-batch",
        ("rejected-by-limit", "re-press", "memory-leak", "partial-batch", "blind-spot"),
        frozenset(("duplicate-create", "swallowed-error", "orphaned-record", "overlapping-runs")),
    ),
    RecordedNight(
        "kicked-can",
        ("extra-runs", "missed-run", "lost-worker"),
        frozenset(("delivered-again", "duplicate-enqueue", "partial-batch")),
    ),
)
"""A letter handed over twice makes two rows; a work-horse that is killed has its job delivered
again and leaves half of a batch; receipts fail because a gateway outside refuses them."""


@cache
def opened(story: str) -> Incident:
    """The incident as it comes with the package."""
    return open_bundle(story_path(story))[0]


@cache
def quiet_windows() -> tuple[Window, ...]:
    """Windows of the quiet hour, every 20 s; neighbours share most of what they show."""
    whole = opened(QUIET).window
    first = whole.start + QUIET_BEFORE_S * SECOND_NS
    last = whole.end - QUIET_AFTER_S * SECOND_NS
    return tuple(_around(pin) for pin in range(first, last + 1, QUIET_STEP_S * SECOND_NS))


def quiet_incident(number: int) -> Incident:
    """The recorded healthy window of that number. Raises `IndexError`."""
    return replace(opened(QUIET), window=quiet_windows()[number])


@dataclass(frozen=True, slots=True)
class RecordedClaim:
    """One claim about a recorded night; `place` counts from one."""

    place: int
    term: str
    verdict: Verdict
    true: bool
    sentence: str


def claims_about(night: RecordedNight) -> tuple[RecordedClaim, ...]:
    """What the detectors say of a recorded night, best first."""
    said = claims(analyse(opened(night.story), detectors()).findings)
    return tuple(
        RecordedClaim(place, f.term, f.verdict, night.holds(f.term), f.sentence())
        for place, f in enumerate(said, 1)
    )


def _around(pin: int) -> Window:
    return Window(pin, pin - QUIET_BEFORE_S * SECOND_NS, pin + QUIET_AFTER_S * SECOND_NS)
