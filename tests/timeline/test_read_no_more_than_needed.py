"""What a look leaves undone, because what it knows already says that nothing can be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from timeline.detectors.overlapping_runs import MAX_CASES_SHOWN, OverlappingRunsDetector
from timeline.event import Event
from timeline.facts import causal_pairs, paced_lines, side_by_side
from timeline.facts.work import Run
from timeline.incident import Incident
from timeline.store import Snapshot

from .test_overlapping_runs import pair
from .test_worked_twice import pages
from .worlds import World, healthy

if TYPE_CHECKING:
    import polars as pl


@pytest.mark.parametrize(("second", "read"), [(1445, False), (1413, True)])
def test_words_are_compared_of_hands_that_met(
    second: float, read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, seen = World(), list[int]()
    pages(world, 1400, "host-a")
    pages(world, second, "host-b")
    compared = side_by_side._saying

    def watched(told: pl.DataFrame, lines: pl.DataFrame, *, figures: bool = True) -> pl.DataFrame:
        seen.append(lines.height)
        return compared(told, lines, figures=figures)

    monkeypatch.setattr(side_by_side, "_saying", watched)
    assert bool(side_by_side.side_by_side(world.incident())) == read
    assert bool(seen) == read


def test_events_of_many_overlaps_are_fetched_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch, asked = Snapshot.events_at, list[int]()

    def counted(snapshot: Snapshot, rows: Sequence[int]) -> list[Event]:
        asked.append(len(rows))
        return fetch(snapshot, rows)

    monkeypatch.setattr(Snapshot, "events_at", counted)
    times = []
    for pairs in (MAX_CASES_SHOWN, 3 * MAX_CASES_SHOWN):
        world = healthy(World())
        for number in range(pairs):
            both = ("Recalculate", "Recalculate")
            pair(world, 1200.0 + 20 * number, f"order_id={700 + number}", both)
        asked.clear()
        OverlappingRunsDetector().detect(world.incident())
        times.append(len(asked))
    assert times[0] == times[1] > 0


def test_jobs_that_ran_once_are_sought_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sought, seen = causal_pairs._ran_once, list[int]()

    def watched(incident: Incident) -> pl.DataFrame:
        found = sought(incident)
        seen.append(found.height)
        return found

    monkeypatch.setattr(causal_pairs, "_ran_once", watched)
    causal_pairs.causal_pairs(healthy(World()).incident())
    assert len(seen) == 1


def test_what_one_host_logs_is_not_followed_run_by_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made = paced_lines._run
    seen: list[str] = []

    def watched(told: dict[str, object]) -> Run:
        seen.append(str(told["clock"]))
        return made(told)

    monkeypatch.setattr(paced_lines, "_run", watched)
    for hosts, followed in ((("host-a",), False), (("host-a", "host-b"), True)):
        world = World()
        for turn in range(12):
            for place, host in enumerate(hosts if turn > 5 else hosts[:1]):
                when = 100 + 120 * turn + place
                world.log(when, "janitor", "swept the old sessions away", clock=host)
        seen.clear()
        found = list(paced_lines.doubled_lines(world.incident()))
        assert bool(seen) == bool(found) == followed


def test_a_run_without_any_instant_is_an_error_of_its_maker() -> None:
    run = Run("nightly", None, None, 7, "finished", "rq", "rq", "worker", 0, None, None)
    assert run.at == 7
    with pytest.raises(ValueError, match="nightly"):
        _ = replace(run, end=None).at
