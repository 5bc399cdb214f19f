"""partial-batch by numbers alone: what climbs toward a number and stands still below it."""

from __future__ import annotations

import json

import polars as pl
import pytest

from timeline.detectors.partial_batch import PartialBatch, PartialBatchDetector
from timeline.event import Event, Kind, Lane
from timeline.facts.counters import climbs, shortfalls
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

BEGUN = 900.0
FORMS = (
    "  {d}/{n}",
    "progress done={d} of={n} run=57",
    "[dunning] lauf 57: {d}/{n} ({p}%) processed",
    "billing progress {{ runNo: 57, processed: {d}, total: {n} }}",
    "import: {d} von {n} verarbeitet",
)


def found(world: World) -> list[PartialBatch]:
    result = PartialBatchDetector().detect(world.incident())
    if isinstance(result, NotEvaluated):
        return []
    return [one for one in result if isinstance(one, PartialBatch)]


def progress(world: World, form: str, values: list[int], whole: int, begun: float = BEGUN) -> None:
    for place, value in enumerate(values):
        body = form.format(d=value, n=whole, p=100 * value // whole)
        world.log(begun + 9 * place, "biller", body)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("reached", [612, 1839])
def test_progress_that_stops_below_its_whole(form: str, reached: int) -> None:
    world = healthy(World())
    progress(world, form, [*range(184, reached, 184), reached], 1840)
    (finding,) = found(world)
    assert (finding.done, finding.total) == (reached, 1840)
    assert finding.verdict is Verdict.LIKELY


@pytest.mark.parametrize("form", FORMS)
def test_progress_that_gets_there_is_silent(form: str) -> None:
    world = healthy(World())
    progress(world, form, [*range(184, 1840, 184), 1840], 1840)
    assert not found(world)


@pytest.mark.parametrize("form", FORMS)
def test_progress_that_goes_on_is_silent(form: str) -> None:
    world = healthy(World())
    progress(world, form, list(range(20, 1000, 20)), 1840, begun=2090.0 - 9 * 49)
    assert not found(world)


def test_a_last_step_that_nobody_tells_is_no_gap() -> None:
    world = healthy(World())
    progress(world, FORMS[3], list(range(184, 1840, 184)), 1840)
    world.log(BEGUN + 100, "biller", "billing finished, total: 200 s processed")
    assert not found(world)


@pytest.mark.parametrize(
    "form", ["pool processed active={d} total={n}", "progress level {d}/{n}", "total {d} of {n}"]
)
def test_a_level_that_goes_up_and_down_is_no_progress(form: str) -> None:
    world = healthy(World())
    progress(world, form, [12, 14, 13, 19, 17, 18, 21, 20], 50)
    assert not found(world)


def test_a_report_in_which_two_numbers_are_no_longer_equal() -> None:
    world = healthy(World())
    for place, (read, written) in enumerate([(1838, 1838), (1840, 1840), (1839, 1212)]):
        body = f"StepExecution: id={place}, readCount={read}, filterCount=0, writeCount={written}"
        world.log(300 + 400 * place, "loader", body)
    (finding,) = found(world)
    assert (finding.done, finding.total) == (1212, 1839)
    assert finding.verdict is Verdict.LIKELY


def test_a_report_that_accounts_for_the_rest_is_possible_at_most() -> None:
    world = healthy(World())
    for place, (read, kept, left) in enumerate([(838, 838, 0), (840, 840, 0), (839, 830, 9)]):
        world.log(300 + 400 * place, "loader", f"total read={read} written={kept} skipped={left}")
    assert {one.verdict for one in found(world)} <= {Verdict.POSSIBLE}


@pytest.mark.parametrize(
    "args", ["account_id={id} part={k} of={n}", '{{"seq": {k}, "count": {n}}}', "chunk {k}/{n}"]
)
def test_children_that_say_which_of_how_many_they_are(args: str) -> None:
    world = healthy(World())
    for k in range(1, 88):
        told = args.format(id=90_000 + k, k=k, n=260)
        start = BEGUN + 0.3 * k
        world.run(f"c{k}", told, start, start + 0.2, start + 0.6, job_class="Statement")
    (finding,) = found(world)
    assert (finding.done, finding.total) == (87, 260)


def test_children_all_of_whom_came_are_silent() -> None:
    world = healthy(World())
    for k in range(1, 88):
        start = BEGUN + 0.3 * k
        told = f"part={k} of=87"
        world.run(f"c{k}", told, start, start + 0.2, start + 0.6, job_class="Statement")
    assert not found(world)


def test_ids_and_dates_are_no_counts() -> None:
    texts = [f"quote_id=34a{n}b5 on 2026-02-0{n} at 10:0{n}:31 took {n} s" for n in range(1, 9)]
    texts += [f"quote 2026-{n}00123 v1.{n} node-{n} 10.0.{n}.4 total" for n in range(1, 9)]
    frame = pl.DataFrame({"group": "app", "text": texts})
    assert not climbs(frame)
    assert not shortfalls(frame)


def curve(world: World, name: str, values: list[float], begun: float = 300.0) -> None:
    for place, value in enumerate(values):
        told = {"metric": name, "value": value, "labels": {"exported_job": "eod-export"}}
        stamp = begun + 15 * place
        event = Event(
            timestamp=at(stamp),
            source="prometheus",
            lane=Lane.METRIC,
            kind=Kind.METRIC,
            body=f"{name} (exported_job=eod-export) = {value:g}",
            ref=f"{name}@{stamp}",
            actor="pushgateway",
            attributes=json.dumps(told),
        )
        world.events.append(event)


def gauges(done: list[float], whole: list[float]) -> World:
    world = healthy(World())
    curve(world, "items_planned", whole)
    curve(world, "items_completed", done)
    return world


CLIMB = [0.0, 0.0, *(float(40 * n) for n in range(1, 16)), *[612.0] * 60]


def test_a_gauge_that_stops_below_the_one_beside_it() -> None:
    (finding,) = found(gauges(CLIMB, [0.0, *[1000.0] * 76]))
    assert (finding.done, finding.total, finding.verdict) == (612, 1000, Verdict.LIKELY)


def test_a_number_that_always_stood_there_may_be_a_limit() -> None:
    (finding,) = found(gauges(CLIMB, [1000.0] * 77))
    assert finding.verdict is Verdict.POSSIBLE


@pytest.mark.parametrize(
    "done",
    [
        [float(400 + (7 * n) % 90) for n in range(77)],
        [float(min(1000, 20 * n)) for n in range(77)],
        [float(10 * n) for n in range(77)],
        [0.5 * n for n in range(40)] + [19.5] * 37,
    ],
    ids=["a level", "done", "under way", "no whole things"],
)
def test_other_curves_are_silent(done: list[float]) -> None:
    assert not found(gauges(done, [0.0, *[1000.0] * 76]))
