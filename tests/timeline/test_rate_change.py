"""rate-change: what stands out from the other minutes, and how seldom a healthy stream does."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl
import pytest

from timeline.clock import ClockBound
from timeline.detectors.rate_change import RateChange, RateChangeDetector
from timeline.facts.placebo import FALSE_ALARMS, MIN_CONTROLS, factor_for, outliers
from timeline.finding import NotEvaluated, Stage
from timeline.order import Verdict, at_least
from timeline.window import Window

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

PIN = 1807.0
"""Not on a quarter of an hour."""


def found(world: World) -> list[RateChange]:
    return findings_of(RateChangeDetector(), world.incident(), RateChange)


def steady(
    actor: str, text: str, per_second: float, *, seed: int = 1, severity: int = 13, **more: float
) -> World:
    """A service that writes such lines at random instants, and the healthy shop around it."""
    world = healthy(World(pin=PIN, **more))  # type: ignore[arg-type]
    rng = random.Random(seed)
    for number in range(round(per_second * 2100)):
        world.log(rng.uniform(0, 2100), actor, text.format(number), severity=severity)
    return world


def burst(
    world: World, actor: str, text: str, count: int, *, at: float = PIN, severity: int = 13
) -> World:
    rng = random.Random(count)
    for number in range(count):
        world.log(at + rng.uniform(-8, 8), actor, text.format(number), severity=severity)
    return world


MISS = "cache miss for key={} on node 3"


def test_a_burst_of_warnings_at_t_stands_out() -> None:
    (finding,) = found(burst(steady("checkout", MISS, 0.5), "checkout", MISS, 150))
    row = finding.rows[0]
    assert (row.actor, row.level, row.template) == (
        "checkout", "warning", "cache miss for key=* on node *",
    )  # fmt: skip
    assert 150 <= row.count <= 190
    assert row.extreme < 45
    assert row.placebos >= MIN_CONTROLS
    assert finding.verdict is Verdict.LIKELY
    assert finding.stage is Stage.CONTEXT
    assert f"Checkout wrote {row.count} lines" in finding.sentence()
    assert finding.steps[0].event.body.startswith("cache miss")


def test_lines_without_a_level_count_and_say_what_they_mostly_are() -> None:
    world = steady("search", "refreshed shard {}", 0.5, severity=0)
    (finding,) = found(burst(world, "search", "query {} was slow", 200, severity=0))
    row = finding.rows[0]
    assert (row.actor, row.level, row.template) == ("search", "information", "query * was slow")
    assert finding.keys == ()


def test_a_service_that_nearly_ceases_is_a_drop() -> None:
    world = healthy(World(pin=PIN))
    for number in range(6300):
        seconds = number / 3
        if not 1780 < seconds < 1850 or number % 40 == 0:
            world.log(seconds, "ingest", f"stored record {number}")
    rows = [row for finding in found(world) for row in finding.rows if row.actor == "ingest"]
    assert rows
    assert rows[0].drop
    assert rows[0].count <= 5 < 40 <= rows[0].extreme


@pytest.mark.parametrize(
    ("per_second", "gap", "verdict"),
    [(0.37, 62, Verdict.POSSIBLE), (3.0, 62, Verdict.LIKELY), (0.37, 300, Verdict.LIKELY)],
)
def test_a_single_gap_of_a_quiet_service_may_be_chance(
    per_second: float, gap: int, verdict: Verdict
) -> None:
    """From a dozen lines to none is much only where it lasts."""
    world = healthy(World(pin=PIN))
    begin = PIN - 2 - gap
    for number in range(round(2100 * per_second)):
        seconds = number / per_second
        if not begin < seconds < begin + gap:
            world.log(seconds, "ingest", f"stored record {number}")
    (finding,) = (one for one in found(world) if one.rows[0].actor == "ingest")
    assert finding.rows[0].drop and not finding.rows[0].count
    assert finding.verdict is verdict
    assert ("chance" in finding.weakest_link) and (
        ("none may be chance" in finding.weakest_link) is (verdict is Verdict.POSSIBLE)
    )


def test_a_stretch_that_was_not_read_is_no_drop() -> None:
    world = healthy(World(pin=PIN))
    for number in range(6300):
        if not 1780 < number / 3 < 1850 or number % 40 == 0:
            world.log(number / 3, "ingest", f"stored record {number}")
    world.blind("ingest.log", 1700, 1900)
    assert not [row for finding in found(world) for row in finding.rows if row.drop]


def test_the_onset_of_errors_is_looked_at_too() -> None:
    world = steady("checkout", MISS, 0.5)
    for number in range(12):
        world.error(1500 + number, "web", f"payment {number} failed for no reason known")
    burst(world, "checkout", MISS, 150, at=1505)
    rows = [row for finding in found(world) for row in finding.rows]
    assert rows[0].actor == "checkout"


def test_on_a_quarter_of_an_hour_a_schedule_looks_like_it() -> None:
    world = replace(steady("checkout", MISS, 0.5), pin=1800.0)
    (finding,) = found(burst(world, "checkout", MISS, 150, at=1808))
    assert finding.verdict is Verdict.POSSIBLE
    assert "quarter" in finding.weakest_link


def test_a_job_that_recurs_in_the_window_is_a_habit() -> None:
    world = steady("checkout", MISS, 0.5)
    for minute in range(2, 35, 5):
        burst(world, "checkout", MISS, 150, at=minute * 60 + 7)
    burst(world, "checkout", MISS, 150)
    assert not found(world)


def test_few_lines_are_no_rise() -> None:
    world = healthy(World(pin=PIN))
    for number in range(20):
        world.log(40 + number * 90, "checkout", MISS.format(number), severity=13)
    for number in range(4):
        world.log(PIN + number, "checkout", MISS.format(number), severity=13)
    assert not found(world)


def test_who_hardly_ever_spoke_has_no_usual_rate() -> None:
    assert not found(burst(healthy(World(pin=PIN)), "cleaner", "swept {} files", 40))


def test_it_needs_minutes_to_compare_with() -> None:
    world = burst(steady("checkout", MISS, 0.5), "checkout", MISS, 150)
    short = replace(world.incident(), window=Window(at(PIN), at(PIN - 600), at(2100)))
    result = RateChangeDetector().detect(short)
    assert isinstance(result, NotEvaluated)
    assert "widen the window" in result.needs


def test_without_logs_it_is_not_evaluated() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(RateChangeDetector().detect(world.incident()), NotEvaluated)


def test_a_comparison_that_was_not_read_in_full_does_not_count() -> None:
    world = burst(steady("checkout", MISS, 0.5), "checkout", MISS, 150)
    world.blind("checkout.log", 0, 1500)
    assert not found(world)


@pytest.mark.parametrize("seconds", [-3600.0, 60.0])
def test_shifted_stamps_shift_the_finding(seconds: float) -> None:
    world = burst(steady("checkout", MISS, 0.5), "checkout", MISS, 150)
    (before,) = found(world)
    moved = replace(world, shift=round(seconds * SECOND))
    (after,) = found(moved)
    assert after.began - before.began == round(seconds * SECOND)
    assert [row.count for row in after.rows] == [row.count for row in before.rows]


def test_the_order_of_arrival_changes_nothing() -> None:
    world = burst(steady("checkout", MISS, 0.5), "checkout", MISS, 150)
    batches = world.batches()
    told = RateChangeDetector().detect(world.incident(batches[::-1]))
    assert told == RateChangeDetector().detect(world.incident(batches))


def test_worse_clocks_never_make_it_surer() -> None:
    world = burst(steady("checkout", MISS, 0.5), "checkout", MISS, 150)
    (tight,) = found(world)
    (wide,) = found(replace(world, bound=ClockBound(5 * SECOND, 5 * SECOND, "assumed")))
    assert at_least(tight.verdict, wide.verdict)


# How often a healthy stream is called unusual: the processes of the catalogue's section C5.

BINS, CONTROL_BLOCKS = 210, range(-29, 5)


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 60:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    count, product, floor = 0, rng.random(), math.exp(-mean)
    while product > floor:
        count += 1
        product *= rng.random()
    return count


def even(rng: random.Random, mean: float) -> Iterator[int]:
    yield from (poisson(rng, mean) for _ in range(BINS))


def over_dispersed(rng: random.Random, mean: float) -> Iterator[int]:
    yield from (poisson(rng, rng.gammavariate(2, mean / 2)) for _ in range(BINS))


def bursty(rng: random.Random, mean: float) -> Iterator[int]:
    yield from (poisson(rng, rng.gammavariate(0.5, mean / 0.5)) for _ in range(BINS))


def correlated(rng: random.Random, mean: float) -> Iterator[int]:
    level = rng.gauss(0, 0.8)
    for _ in range(BINS):
        level = 0.9 * level + rng.gauss(0, 0.35)
        yield poisson(rng, mean * math.exp(level - 0.32))


Process = Callable[[random.Random, float], Iterator[int]]


def counts(process: Process, rng: random.Random, mean: float, series: int) -> pl.DataFrame:
    told = [
        (number, place - 177, count)
        for number in range(series)
        for place, count in enumerate(process(rng, mean))
        if count
    ]
    names = {"series": pl.Int64, "bin": pl.Int64, "n": pl.Int64}
    return pl.DataFrame(told, schema=names, orient="row")


def standing_out(frame: pl.DataFrame) -> int:
    return len(outliers(frame, 0, [0], [block for block in CONTROL_BLOCKS if block]))


WINDOWS = 100
ALLOWED = 6
"""Of `WINDOWS` healthy ones: at a true rate of 2 % more than six happen once in two hundred."""


@pytest.mark.parametrize("process", [even, over_dispersed, bursty, correlated])
@pytest.mark.parametrize(("mean", "series"), [(5.0, 1), (5.0, 8), (50.0, 8)])
def test_healthy_streams_are_seldom_called_unusual(
    process: Process, mean: float, series: int
) -> None:
    rng = random.Random(f"{process.__name__}/{mean}/{series}")
    alarms = sum(standing_out(counts(process, rng, mean, series)) > 0 for _ in range(WINDOWS))
    assert alarms <= ALLOWED


@pytest.mark.parametrize("process", [even, over_dispersed, bursty])
def test_ten_times_the_lines_for_half_a_minute_are_seen(process: Process) -> None:
    rng = random.Random(7)
    seen = 0
    for _ in range(50):
        frame = counts(process, rng, 5.0, 1)
        extra = pl.DataFrame({"series": [0] * 3, "bin": [1, 2, 3], "n": [45] * 3})
        both = pl.concat([frame, extra]).group_by("series", "bin").agg(pl.col("n").sum())
        seen += standing_out(both)
    assert seen >= (25 if process is bursty else 45)


def test_more_series_ask_for_a_greater_lead_and_more_placebos_for_a_smaller_one() -> None:
    assert 1 < factor_for(1, 33) < factor_for(24, 33) < factor_for(200, 33)
    assert factor_for(24, 180) < factor_for(24, 33) < factor_for(24, 5)
    chance = math.exp(math.lgamma(34) + math.lgamma(1 + factor_for(24, 33))
                      - math.lgamma(34 + factor_for(24, 33)))  # fmt: skip
    assert 24 * chance <= FALSE_ALARMS


BATCH = "payslip written employee_id={} "


@pytest.mark.parametrize("run", ["batch_id=b7", "run_id=2026-03", "job_id=j91"])
def test_lines_of_one_piece_of_work_are_no_more_than_possible(run: str) -> None:
    text = BATCH + run
    rounds = steady("worker", "counted {} items", 0.5, severity=9)
    (finding,) = found(burst(rounds, "worker", text, 150, severity=9))
    assert finding.verdict is Verdict.POSSIBLE and "one piece of work" in finding.weakest_link


def test_two_runs_side_by_side_are_as_little() -> None:
    world = steady("worker", "counted {} items", 0.5, severity=9)
    burst(world, "worker", BATCH + "batch_id=b7", 80, severity=9)
    burst(world, "worker", BATCH + "batch_id=b8", 79, severity=9)
    (finding,) = found(world)
    assert finding.verdict is Verdict.POSSIBLE


def test_a_key_that_is_always_there_is_no_piece_of_work() -> None:
    rounds = steady("worker", "counted {} items region_id=eu", 0.5, severity=9)
    (finding,) = found(burst(rounds, "worker", BATCH + "region_id=eu", 150, severity=9))
    assert finding.verdict is Verdict.LIKELY


def test_as_many_lines_of_many_pieces_are_likely_and_so_are_warnings_of_one() -> None:
    rounds = steady("worker", "counted {} items", 0.5, severity=9)
    (many,) = found(burst(rounds, "worker", BATCH, 150, severity=9))
    assert many.verdict is Verdict.LIKELY
    again = steady("worker", "counted {} items", 0.5)
    (grave,) = found(burst(again, "worker", BATCH + "batch_id=b7", 150))
    assert grave.verdict is Verdict.LIKELY
