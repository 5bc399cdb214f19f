"""What the picture draws is what the records say: counts, depth, marks, and what nobody saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import polars as pl
import pytest

from tests.export.world import DEPLOY, EVENTS, NOTE, QUIET, SECOND, WINDOW, T, at, incident, log
from timeline.columns import COUNT_SCHEMA
from timeline.coverage import Coverage, CoverageMap, Sight
from timeline.event import Event, Kind, Lane
from timeline.export.bands import BUCKETS, bands_of
from timeline.export.document import Band
from timeline.export.svg_scale import LEFT, RIGHT, Scale
from timeline.incident import Incident
from timeline.window import MINUTE_NS, Window
from timeline.words import DAY_NS, day


def band(seen: Incident, source: str) -> Band:
    return next(one for one in bands_of(seen) if one.source == source)


def totals(one: Band) -> tuple[int, int, int]:
    bars = one.bars
    calm, warnings = sum(bar.calm for bar in bars), sum(bar.warnings for bar in bars)
    return calm, warnings, sum(bar.errors for bar in bars)


def counted(*bars: tuple[str, int, int, int]) -> pl.DataFrame:
    """Bars of `web`: start, width in seconds, severity, count."""
    rows = [
        ("web", "log", at(start), width * SECOND, severity, "", count, True)
        for start, width, severity, count in bars
    ]
    return pl.DataFrame(rows, schema=COUNT_SCHEMA, orient="row")


def with_counts(events: Sequence[Event], *bars: tuple[str, int, int, int]) -> Incident:
    seen = incident(events)
    return replace(seen, snapshot=replace(seen.snapshot, counts=counted(*bars)))


def depth(clock: str, waiting: int, queue: str = "mailers") -> Event:
    attributes = json.dumps({"queue": queue, "depth": waiting})
    return Event(
        at(clock), "mailers", Lane.QUEUE, Kind.METRIC, f"{waiting} waiting", f"{queue}@{clock}",
        at(clock) // SECOND, actor=queue, attributes=attributes,
    )  # fmt: skip


def test_every_record_of_the_window_is_in_one_bar() -> None:
    found = {one.source: totals(one) for one in bands_of(incident())}
    assert found == {
        "web": (8, 0, 31),
        "mailer": (0, 0, 1),
        "mailers": (1, 0, 1),
        "shop": (1, 0, 0),
        "deploys": (1, 0, 0),
    }


def test_lanes_stand_in_their_order_and_a_silent_source_has_one() -> None:
    seen = incident([*QUIET, DEPLOY])
    lanes = [(one.lane, one.source) for one in bands_of(seen)]
    assert lanes == [
        (Lane.LOG, "mailer"), (Lane.LOG, "web"), (Lane.QUEUE, "mailers"),
        (Lane.DATABASE, "shop"), (Lane.CHANGE, "deploys"),
    ]  # fmt: skip
    assert band(seen, "shop").bars == ()


def test_a_bar_holds_its_records_and_t_begins_one() -> None:
    before, after = log("02:13:39.999", "just before"), log("02:13:40.000", "at T")
    bars = band(incident([before, after]), "web").bars
    assert [bar.errors for bar in bars] == [1, 1]
    assert bars[0].start + bars[0].width == bars[1].start == T
    assert bars[0].width * BUCKETS >= WINDOW.end - WINDOW.start


def test_severities_are_told_apart_and_a_failed_job_is_an_error() -> None:
    lines = [log(f"02:10:00.{n}00", "x", severity=s) for n, s in enumerate((0, 9, 13, 16, 17, 21))]
    assert totals(band(incident(lines), "web")) == (2, 2, 2)
    assert totals(band(incident(), "mailers"))[2] == 1


def test_what_lies_outside_of_the_window_is_not_drawn() -> None:
    early, late = log("01:00:00.000", "x"), log("02:18:40.000", "x")
    assert band(incident([early, late]), "web").bars == ()


def test_counted_bars_stand_instead_of_the_rows_that_travelled() -> None:
    rows = [log("02:05:10.000", "x", severity=9), log("02:12:00.000", "y", severity=9)]
    seen = with_counts(rows, ("02:05:00", 60, 9, 500), ("02:05:00", 60, 17, 20))
    first, second = band(seen, "web").bars
    assert (first.calm, first.errors, first.width) == (500, 20, 60 * SECOND)
    assert (second.calm, second.errors) == (1, 0)


def test_errors_that_travelled_are_errors_although_they_could_not_be_counted() -> None:
    rows = [log(f"02:05:1{n}.000", "x") for n in range(3)]
    seen = with_counts(rows, ("02:05:00", 60, 0, 10))
    assert totals(band(seen, "web")) == (7, 0, 3)
    seen = with_counts(rows, ("02:05:00", 60, 0, 2))
    assert totals(band(seen, "web")) == (0, 0, 3)


def test_narrow_counted_bars_are_added_up() -> None:
    seen = with_counts((), *((f"02:05:0{n}", 1, 9, 10) for n in range(9)))
    bars = band(seen, "web").bars
    assert sum(bar.records for bar in bars) == 90
    assert len(bars) <= 3


def test_the_depth_of_all_queues_together() -> None:
    samples = [depth("02:00:00", 5), depth("02:00:00.5", 2, "low"), depth("02:05:00", 40),
               depth("02:06:00", 0, "low")]  # fmt: skip
    waiting = band(incident(samples), "mailers").waiting
    assert [count for _, count in waiting] == [7, 42, 40]
    assert band(incident(samples), "mailers").bars == ()


def test_one_look_is_no_curve_and_keeps_its_instant() -> None:
    assert band(incident([depth("02:17:01", 3)]), "mailers").waiting == ((at("02:17:01"), 3),)


def test_changes_and_notes_are_marks() -> None:
    seen = incident([DEPLOY, NOTE])
    (mark,) = band(seen, "deploys").marks
    assert (mark.moment.timestamp, mark.text) == (DEPLOY.timestamp, DEPLOY.body)
    assert band(seen, "notes").marks == ()  # written after the window


def test_what_was_not_seen_is_clipped_to_the_window_and_silence_is_no_coverage() -> None:
    seen = incident()
    entries = (
        Coverage("web", WINDOW.start - SECOND, T, Sight.FULL),
        Coverage("web", T, WINDOW.end + SECOND, Sight.PARTIAL, "cut"),
    )
    snapshot = replace(seen.snapshot, coverage=CoverageMap(entries))
    seen = replace(seen, snapshot=snapshot)
    (partial,) = band(seen, "web").unseen
    assert (partial.start, partial.end, partial.sight) == (T, WINDOW.end, Sight.PARTIAL)
    (blind,) = band(seen, "shop").unseen
    assert (blind.start, blind.end, blind.sight) == (WINDOW.start, WINDOW.end, Sight.BLIND)


@pytest.mark.parametrize(
    "length", [1, 1_000, SECOND, MINUTE_NS, 35 * MINUTE_NS, DAY_NS, 90 * DAY_NS]
)
def test_the_axis_names_few_round_instants_in_order(length: int) -> None:
    window = Window(T, T - length, T + length)
    ticks = Scale(window.start, window.end).ticks()
    instants = [instant for instant, _ in ticks]
    assert 1 <= len(ticks) <= 11
    assert instants == sorted(set(instants))
    assert all(window.start <= instant <= window.end for instant in instants)
    assert ticks[0][1].startswith("202")
    dates = [words.rpartition(" ")[0] for _, words in ticks]
    assert all(not date or date not in dates[:place] for place, date in enumerate(dates))
    assert len({(day(instant), words.rpartition(" ")[2]) for instant, words in ticks}) == len(ticks)


def test_the_scale_ends_at_the_edges_of_the_plot() -> None:
    scale = Scale(WINDOW.start, WINDOW.end)
    assert (scale.x(WINDOW.start), scale.x(WINDOW.end)) == (LEFT, RIGHT)
    assert scale.x(WINDOW.end + SECOND) == RIGHT
    assert not scale.shows(WINDOW.start - 1)


def test_drawing_more_events_than_objects_would_bear() -> None:
    assert len(EVENTS) < 100  # the world is small: this one is not
    many = incident([log("02:10:00.000", "x", byte=n) for n in range(20_000)])
    assert totals(band(many, "web")) == (0, 0, 20_000)
