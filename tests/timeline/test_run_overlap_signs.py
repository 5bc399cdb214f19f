"""run-overlap where the queue keeps nothing and a run's later lines have words of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.run_overlap import RunOverlap, RunOverlapDetector
from timeline.finding import Finding, NotEvaluated
from timeline.knowledge import Knowledge, Schedule, Work
from timeline.order import Verdict
from timeline.window import SECOND_NS

from .worlds import World, healthy

LONG = 5
"""The run that is still at work when the next one begins."""


def told(world: World) -> list[Finding]:
    result = RunOverlapDetector().detect(world.incident())
    return [] if isinstance(result, NotEvaluated) else list(result)


def nights(begins: str, meanwhile: str, ends: str, *, long: int = LONG) -> World:
    """Runs every two minutes that are told by their beginning; one of them takes 150 s."""
    schedule = Schedule("ledger run", Work(log=" ".join(begins.split()[:2])), every=120 * SECOND_NS)
    world = healthy(World(knowledge=Knowledge(schedules=(schedule,))))
    for number in range(12):
        start, took = number * 120 + 7.25, 150.0 if number == long else 40.0
        name = f"{4711 + 97 * number}"
        world.log(start, "ledger-2", begins % name)
        for step in range(10, int(took), 20):
            world.log(start + step, "ledger-2", meanwhile % name)
        if ends:
            world.log(start + took, "ledger-2", ends % name)
    return world


@pytest.mark.parametrize(
    ("begins", "meanwhile", "ends"),
    [
        ("Abgleich gestartet lauf_id=%s", "seite lauf_id=%s", "fertig lauf_id=%s"),
        ("inicia cierre execution_id=%s", "lote execution_id=%s", "finalizado execution_id=%s"),
        ("Launching step {'execution_id': 'x%s'}", "chunk execution_id=x%s",
         "Job COMPLETED execution_id=x%s"),
        ("照合 開始 run_id=%s", "処理 run_id=%s", "照合 完了 run_id=%s"),
        ("ledger tick trace_id=ab%s00cd", "fetched page trace_id=ab%s00cd",
         "stored trace_id=ab%s00cd returned 0"),
    ],
)  # fmt: skip
def test_an_end_is_found_by_the_runs_own_id(begins: str, meanwhile: str, ends: str) -> None:
    (finding,) = told(nights(begins, meanwhile, ends))
    assert isinstance(finding, RunOverlap)
    assert finding.verdict is Verdict.CERTAIN
    assert len(finding.meetings) == 1
    assert "; a run takes 40.0 s" in finding.sentence()


def test_what_it_still_wrote_is_as_good_as_an_end_but_no_more_than_likely() -> None:
    (finding,) = told(nights("sync starts run_id=%s", "page stored run_id=%s", ""))
    assert isinstance(finding, RunOverlap)
    assert finding.verdict is Verdict.LIKELY
    assert finding.meetings[0].at_least
    assert "still went on at least until" in finding.sentence()
    assert "; a run takes" not in finding.sentence()


def test_a_queue_without_ends_is_helped_out_by_its_workers_lines() -> None:
    schedule = Schedule("refresh", Work(job_class="refresh"), every=120 * SECOND_NS)
    world = healthy(World(knowledge=Knowledge(schedules=(schedule,))))
    for number in range(12):
        start, took = number * 120 + 7.25, 150.0 if number == LONG else 40.0
        world.run(f"f{number}", "", start, start + 0.2, start + took, job_class="app.refresh")
        for step in (5, int(took) - 5):
            world.log(start + step, "worker", f"refreshed a page job_id=f{number}")
    world.events = [e for e in world.events if not (e.source == "rq" and "finished" in e.ref)]
    (finding,) = [one for one in told(world) if not one.qualifier]
    assert isinstance(finding, RunOverlap)
    assert finding.verdict is Verdict.LIKELY


def in_turn() -> World:
    return nights("sync starts run_id=%s", "page stored run_id=%s", "over run_id=%s", long=-1)


def spoken_of_by_another() -> World:
    """A reporter that names earlier runs is no sign that they still go on."""
    world = nights("sync starts run_id=%s", "page stored run_id=%s", "")
    late = f"run_id={4711 + 97 * LONG}"
    world.events = [e for e in world.events if late not in e.body]
    world.log(LONG * 120 + 7.25, "ledger-2", f"sync starts {late}")
    world.log(LONG * 120 + 200, "reporter", f"billed {late}")
    return world


def named_by_the_next() -> World:
    """The next run's first line names the one before it: it tells of both, so of neither."""
    schedule = Schedule("sync", Work(log="sync starts"), every=120 * SECOND_NS)
    world = healthy(World(knowledge=Knowledge(schedules=(schedule,))))
    for number in range(12):
        words = f"sync starts run_id={500 + number} previous_run_id={499 + number}"
        world.log(number * 120 + 7.25, "ledger-2", words)
        world.log(number * 120 + 30, "ledger-2", f"page stored run_id={500 + number}")
        world.log(
            number * 120 + 40, "ledger-2", f"kept run_id={500 + number} over run_id={499 + number}"
        )
    return world


def one_account_for_all() -> World:
    """What all runs work on is the name of none of them."""
    return nights("sync starts account_id=9 # %s", "page stored account_id=9 # %s", "")


@pytest.mark.parametrize(
    "confuser", [in_turn, spoken_of_by_another, named_by_the_next, one_account_for_all]
)
def test_look_alikes_stay_silent(confuser: Callable[[], World]) -> None:
    assert told(confuser()) == []
