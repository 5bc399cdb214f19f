"""What was counted and not read: kept, bundled, and never taken for silence or for a reading."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import polars as pl
import pytest

from timeline.analysis import Condition
from timeline.batch import Batch, BatchExtras, batch_of
from timeline.bundle import read_bundle, write_bundle
from timeline.columns import COUNT_SCHEMA
from timeline.coverage import Asked, Coverage, CoverageMap, Sight
from timeline.detectors.ambiguous_enqueue import AmbiguousEnqueue, AmbiguousEnqueueDetector
from timeline.detectors.blind_spot import BlindSpotDetector
from timeline.detectors.network_hiccup import NetworkHiccupDetector
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Event
from timeline.facts.sight import absence, silences_in
from timeline.finding import Finding, NotEvaluated
from timeline.incident import Incident
from timeline.order import Verdict
from timeline.state import state_of
from timeline.store import Store

from .worlds import HICCUP, SECOND, START, World, at, failed_push, healthy, shop

BAR_S = 5
Row = tuple[str, int, int, int, str, int]


def counts(*rows: Row, exact: bool = True) -> pl.DataFrame:
    """COUNT_SCHEMA of (source, first second, width in seconds, severity, actor, count)."""
    told = [
        (source, "log", at(first), width * SECOND, severity, actor, count, exact)
        for source, first, width, severity, actor, count in rows
    ]
    return pl.DataFrame(told, schema=COUNT_SCHEMA, orient="row")


def counted(
    world: World,
    start: float,
    end: float,
    *,
    named: bool = True,
    source: str = "",
    asked: tuple[str, ...] = (),
) -> Incident:
    """The world as wide mode would bring it: calm log records of `[start, end)` stay behind.

    The engine counts every bar of the window, by actor when `named`. `source` joins all logs into
    one, as an index does. Keys in `asked` were looked up.
    """
    if source:
        for number, event in enumerate(world.events):
            if event.lane == "log":
                world.events[number] = replace(event, source=source)
    batches = []
    for batch in world.batches():
        mine = [event for event in world.events if event.source == batch.source]
        if mine[0].lane != "log":
            batches.append(batch)
            continue
        kept = [
            event
            for event in mine
            if event.severity_number >= 13
            or not at(start) <= event.timestamp < at(end)
            or not set(asked).isdisjoint(event.keys)
        ]
        bars = Counter(_bar(event, named=named) for event in mine)
        frame = counts(*((batch.source, *bar, n) for bar, n in bars.items()))
        words = f"counted, not fetched: {len(mine) - len(kept)} INFO records"
        coverage = (
            Coverage(batch.source, START - SECOND, at(start), Sight.FULL),
            Coverage(batch.source, at(start), at(end), Sight.PARTIAL, words, "", SEVERITY_WARN),
            Coverage(batch.source, at(end), at(world.end + 5), Sight.FULL),
        )
        answered = (Asked(batch.source, START, at(world.end + 5), asked),) if asked else ()
        extras = BatchExtras(coverage, counts=frame, asked=answered)
        batches.append(batch_of(batch.source, kept, extras))
    return world.incident(batches)


def _bar(event: Event, *, named: bool) -> tuple[int, int, int, str]:
    first = (event.timestamp - START) // SECOND // BAR_S * BAR_S
    return first, BAR_S, event.severity_number, event.actor if named else ""


def stored(*batches: Batch) -> Store:
    store = Store()
    for batch in batches:
        store.add(batch)
    return store


def batch(source: str, frame: pl.DataFrame | None) -> Batch:
    return batch_of(source, (), BatchExtras(counts=frame))


# Keeping them


def test_a_later_count_replaces_the_earlier_one_of_the_same_stretch() -> None:
    first = counts(*(("web", start, 5, 9, "", start) for start in (10, 15, 20, 25)))
    other = counts(("db", 15, 5, 9, "", 1))
    closer = counts(("web", 15, 2, 9, "", 8), ("web", 17, 3, 9, "", 9), ("web", 17, 3, 17, "", 2))
    store = stored(batch("web", first), batch("db", other), batch("web", closer))
    told = [1, 10, 8, 9, 2, 20, 25]
    assert store.snapshot().counts.get_column("count").to_list() == told
    for nothing in (None, counts()):
        store.add(batch("web", nothing))
        assert store.snapshot().counts.get_column("count").to_list() == told


def test_counts_stand_in_an_order_of_their_own() -> None:
    rows: list[Row] = [("web", 5, 5, 9, "b", 1), ("web", 0, 5, 17, "", 2), ("web", 0, 5, 9, "a", 3)]
    one = stored(batch("web", counts(*rows))).snapshot().counts
    other = stored(batch("web", counts(*rows[::-1]))).snapshot().counts
    assert one.equals(other)


def test_a_bundle_carries_counts_and_one_without_them_is_as_before() -> None:
    world = healthy(World())
    incident = counted(world, 200, 1200)
    stream, plain = io.BytesIO(), io.BytesIO()
    write_bundle(stream, incident)
    held, _ = read_bundle(stream)
    assert held.snapshot.counts.equals(incident.snapshot.counts)
    assert held.snapshot.coverage == incident.snapshot.coverage
    write_bundle(plain, world.incident())
    assert b"counts.parquet" not in plain.getvalue()
    assert b'"version": 1' in plain.getvalue(), "older programs may read what they can understand"
    assert b'"version": 2' in stream.getvalue(), "older programs would call it silence"
    assert read_bundle(plain)[0].snapshot.counts.is_empty()


# What may be claimed


FULL = Coverage("web", 0, 10, Sight.FULL)
COUNTED = Coverage("web", 10, 90, Sight.PARTIAL, "counted, not fetched", "", SEVERITY_WARN)
CUT = Coverage("web", 90, 100, Sight.PARTIAL, "cut")


@pytest.mark.parametrize(
    ("start", "end", "severity", "limited"),
    [
        (0, 10, 0, False),
        (0, 50, 0, True),
        (0, 50, SEVERITY_WARN, False),
        (0, 50, SEVERITY_ERROR, False),
        (0, 50, SEVERITY_WARN - 1, True),
        (50, 95, SEVERITY_ERROR, True),
        (50, 120, SEVERITY_ERROR, True),
    ],
)
def test_a_counted_stretch_limits_only_claims_about_milder_records(
    *, start: int, end: int, severity: int, limited: bool
) -> None:
    told = CoverageMap((FULL, COUNTED, CUT)).limits(["web"], start, end, severity)
    assert bool(told) is limited


def test_a_closer_look_takes_the_place_of_a_count() -> None:
    closer = Coverage("web", 30, 50, Sight.FULL)
    tidy = CoverageMap((COUNTED, FULL, closer, CUT)).tidy()
    assert tidy.limits(["web"], 30, 50) == ()
    assert [(e.start, e.end) for e in tidy.entries if e.complete_from] == [(10, 30), (50, 90)]
    assert tidy.limits(["web"], 95, 96), "another reason is not overruled"


def test_absence_in_a_counted_stretch_is_only_possible() -> None:
    incident = counted(healthy(World()), 200, 1200)
    told = absence(incident, ["web.log"], 300, 400)
    assert told.verdict is Verdict.POSSIBLE
    inside = absence(incident, ["web.log"], at(300), at(400))
    assert any("counted, not fetched" in reason for reason in inside.reasons)


def test_a_key_that_was_asked_for_needs_no_reading_of_the_rest() -> None:
    told = CoverageMap((FULL, COUNTED, CUT), (Asked("web", 20, 200, ("user:7", "user:8")),))
    assert told.limits(["web"], 20, 90, key="user:7") == ()
    assert told.limits(["web"], 20, 90, key="user:9")
    assert told.limits(["web"], 20, 90)
    assert told.limits(["web"], 15, 90, key="user:7"), "the look-up reached back to 20 only"
    assert told.limits(["web"], 80, 95, key="user:7"), "what was cut may hold anything"
    kinds = [(e.start, e.end, e.sight) for e in told.of("web", "user:7")]
    assert kinds[1:3] == [(10, 20, Sight.PARTIAL), (20, 90, Sight.FULL)]


def test_a_look_up_settles_what_became_of_a_push() -> None:
    def cases(incident: Incident) -> dict[str, tuple[str, Verdict]]:
        result = AmbiguousEnqueueDetector().detect(incident)
        assert not isinstance(result, NotEvaluated)
        (finding,) = result
        assert isinstance(finding, AmbiguousEnqueue)
        return {case.key: (case.outcome, case.verdict) for case in finding.cases}

    expected = cases(shop().incident())
    assert expected["user:4711"] == ("lost", Verdict.CERTAIN)
    after = HICCUP + 3, 1990.0
    assert cases(counted(shop(), *after))["user:4711"] == ("lost", Verdict.POSSIBLE)
    assert cases(counted(shop(), *after, asked=tuple(sorted(expected)))) == expected


def test_a_bundle_remembers_what_was_asked() -> None:
    incident = counted(healthy(World()), 200, 1200, asked=("user:1001", "user:1002"))
    stream = io.BytesIO()
    write_bundle(stream, incident)
    held = read_bundle(stream)[0].snapshot.coverage
    assert held.asked == incident.snapshot.coverage.asked != ()


# Silence


def chatty(world: World, actor: str, *, pauses: Iterable[tuple[float, float]] = ()) -> None:
    """`actor` says something every two seconds, but for the pauses."""
    for number in range(int(world.end / 2)):
        seconds = number * 2.0
        if not any(start < seconds < end for start, end in pauses):
            world.log(seconds, actor, f"tick {number}")


def blind_spots(incident: Incident) -> list[Finding]:
    result = BlindSpotDetector().detect(incident)
    assert not isinstance(result, NotEvaluated)
    return [finding for finding in result if not finding.qualifier]


@pytest.mark.parametrize("named", [True, False])
def test_a_counted_stretch_is_not_silent(*, named: bool) -> None:
    world = World()
    chatty(world, "mailer")
    world.run("j1", "user_id=1", 700, 701, 702, worker="mailer")
    without = counted(world, 400, 1500, named=named)
    assert silences_in(without) == ()
    blind = replace(without, snapshot=replace(without.snapshot, counts=counts()))
    assert silences_in(blind), "without the counts it would look like silence"


def test_a_silence_inside_a_counted_stretch_is_still_found() -> None:
    world = World()
    chatty(world, "mailer", pauses=[(800, 1100)])
    chatty(world, "web")
    world.run("j1", "user_id=1", 900, 901, 902, worker="mailer")
    full = world.incident()
    (expected,) = blind_spots(full)
    (found,) = blind_spots(counted(world, 400, 1500, source="logs"))
    assert found.verdict is expected.verdict is Verdict.CERTAIN
    assert abs(found.began - expected.began) <= BAR_S * SECOND
    assert abs(found.ended - expected.ended) <= BAR_S * SECOND


def test_records_of_nobody_by_name_may_be_anybodys() -> None:
    world = World()
    chatty(world, "mailer", pauses=[(800, 1100)])
    chatty(world, "web")
    world.run("j1", "user_id=1", 900, 901, 902, worker="mailer")
    assert blind_spots(counted(world, 400, 1500, source="logs", named=False)) == []


@pytest.mark.parametrize("named", [True, False])
def test_a_service_that_was_counted_was_here(*, named: bool) -> None:
    world = World(expected=("nightly", "search"))
    chatty(world, "web")
    world.log(800, "nightly", "12 rows swept")
    found = blind_spots(counted(world, 400, 1500, source="logs", named=named))
    assert [spot.sentence().split()[0] for spot in found] == (["search"] if named else [])


# What errors mean


def test_control_windows_need_only_the_records_that_are_compared() -> None:
    world = healthy(World())
    for number in range(6):
        failed_push(world, 5000 + number, 1440 + number * 0.2)
    for number in range(4):
        world.error(1440.5 + number * 0.2, "mailer", "Timeout reading from redis:6379")
    expected, found = (
        NetworkHiccupDetector().detect(incident)
        for incident in (world.incident(), counted(world, 100, 1400))
    )
    assert not isinstance(expected, NotEvaluated)
    assert not isinstance(found, NotEvaluated)
    assert [one.sentence() for one in found] == [one.sentence() for one in expected]
    assert [one.verdict for one in found] == [Verdict.CERTAIN]


def test_requests_that_were_only_counted_prove_no_recovery() -> None:
    """One request in twenty fails to the end; the good ones between them stayed in the engine."""
    world = World(end=1020, pin=900)
    for number in range(2_000):
        seconds, request = number * 0.5, f"r{number}"
        keys = (f"request:{request}",)
        world.log(seconds, "web", "GET / started", keys=keys)
        if seconds > 800 and number % 20 == 3:
            world.error(seconds + 0.1, "web", f"boom user_id={number}", keys=keys)
        world.log(seconds + 0.2, "web", "GET / done", keys=keys)
    last = max(e.timestamp for e in world.events if e.severity_number >= 17) - START
    incident = counted(world, 100, last / SECOND - 1)
    assert state_of(world.incident()).condition is Condition.FAILING
    assert state_of(incident).condition is Condition.FAILING
