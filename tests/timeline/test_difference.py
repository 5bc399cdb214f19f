"""What is different about the trouble: found where it was planted, silent where nothing is."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest

from timeline.analysis import Analysis, Condition, State
from timeline.coverage import Coverage, Sight
from timeline.difference import (
    LEAST_NS,
    Difference,
    Differences,
    Side,
    Z,
    differences,
    trouble_of,
    wilson,
)
from timeline.difference_counts import MOST_READ, SAYS, SAYS_WRONG
from timeline.difference_filter import part_of
from timeline.filter_terms import Filter
from timeline.filters import rows_of
from timeline.incident import Incident

from .worlds import World, at

ONSET, OVER = 1000.0, 1120.0


def analysis(
    onset: float | None = ONSET,
    over: float | None = OVER,
    condition: Condition = Condition.RECOVERED,
) -> Analysis:
    state = State(condition, None if over is None else at(over), 0.0, (), at(2105))
    began = None if onset is None else at(onset)
    return Analysis(state, began, (), (), (), (), "", "")


def calm(world: World, *, every: float = 2.0, during: float = 1.0) -> World:
    """Two web servers answer requests all the time; `during` times as many inside the trouble."""
    moment, number = 1.0, 0
    while moment < world.end:
        name = f"web-{number % 2 + 1}"
        world.log(moment, name, f"GET /orders/{number} 200 in {number % 7 + 3} ms", source="web")
        number += 1
        moment += every / during if ONSET <= moment < OVER else every
    return world


def told(world: World, said: Analysis | None = None) -> Differences:
    return differences(world.incident(), said or analysis())


def named(found: Differences, field: str, value: str) -> Difference | None:
    return next((one for one in found.found if (one.field, one.value) == (field, value)), None)


def test_a_quiet_night_has_no_difference() -> None:
    assert told(calm(World())).found == ()


def test_what_is_only_inside_is_told_with_counts_rates_and_lengths() -> None:
    world = calm(World())
    for number in range(24):
        world.error(ONSET + number * 5, "web-1", f"stock of {number} not reachable", source="web")
    found = told(world)
    assert (found.cut.begin, found.cut.until) == (at(ONSET), at(OVER) + 1)
    one = named(found, SAYS_WRONG, "stock of * not reachable")
    assert one is not None and one.side is Side.ONLY_INSIDE
    assert (one.inside, one.outside) == (24, 0)
    assert one.inside_per_minute == pytest.approx(12.0)
    assert one.times == math.inf and one.extreme == 0
    assert one.at_least > 10


def test_more_often_needs_to_beat_the_busiest_equal_stretch_outside() -> None:
    world = calm(World())
    for burst in (100, 400, 700, ONSET + 10, 1500, 1800):
        for number in range(30):
            world.log(burst + number, "sweeper", f"swept {number} carts")
    assert told(world).found == ()
    for number in range(40):
        world.log(ONSET + 50 + number, "sweeper", f"swept {number} carts")
    one = named(told(world), SAYS, "swept * carts")
    assert one is not None and one.side is Side.MORE
    assert (one.inside, one.outside, one.extreme) == (70, 150, 30)
    assert 1 < one.at_least < one.times


def test_more_traffic_as_a_whole_is_told_once_and_not_of_each_part_of_it() -> None:
    (one,) = told(calm(World(), during=3.0)).found
    assert (one.field, one.value, one.side) == (SAYS, "GET /orders/:id 200", Side.MORE)
    assert one.also == ("source web", "severity INFO")  # and neither of the two servers


def test_what_stopped_is_gone_and_what_paused_is_missing() -> None:
    world = calm(World())
    for number in range(1000):
        moment = number * 2.0 + 1
        if moment < ONSET:
            world.log(moment, "poller", "asked the old stock service")
        if not ONSET <= moment < OVER:
            world.log(moment, "heart", "beat of the scheduler")
    found = told(world)
    gone = next(one for one in found.found if one.side is Side.GONE)
    missing = next(one for one in found.found if one.side is Side.MISSING)
    assert gone.value == "asked the old stock service" and "actor poller" in gone.also
    assert missing.value == "beat of the scheduler"
    assert (missing.inside, missing.outside) == (0, 940)


def test_attributes_and_broad_keys_are_traits_ids_are_not() -> None:
    world = calm(World())
    for number in range(600):
        moment = number * 3.0
        inside = ONSET <= moment < OVER
        version = "v412" if inside else "v411"
        world.log(
            moment, "api", "served", keys=(f"tenant:{number % 3 if not inside else 3}",),
            attributes={"version": version, "trace": f"t{number}", "order_id": str(number // 9)},
        )  # fmt: skip
    found = told(world)
    one = next(one for one in found.found if one.side is Side.ONLY_INSIDE)
    assert {f"{one.field} {one.value}", *one.also} == {"tenant 3", "version v412"}
    assert (one.inside, one.outside) == (40, 0)
    assert not [one for one in found.found if one.field in ("trace", "order_id")]


def test_warnings_too_few_to_measure_are_still_told() -> None:
    world = calm(World())
    world.log(ONSET + 3, "web-1", "disk is nearly full", severity=13, source="web")
    one = next(one for one in told(world).found if one.side is Side.SELDOM)
    assert (one.value, one.inside, one.outside) == ("disk is nearly full", 1, 0)


def test_without_an_onset_the_minute_on_either_side_of_t_is_looked_at() -> None:
    incident = calm(World()).incident()
    cut, why = trouble_of(incident, analysis(None, None, Condition.QUIET))
    assert (cut.begin, cut.until) == (at(1740), at(1860))
    assert "no onset" in why


def test_a_trouble_of_a_moment_is_looked_at_for_a_moment_longer() -> None:
    cut, _ = trouble_of(calm(World()).incident(), analysis(ONSET, ONSET))
    assert cut.width == LEAST_NS


def test_a_trouble_that_fills_the_window_has_nothing_to_be_compared_with() -> None:
    incident = calm(World()).incident()
    with pytest.raises(ValueError, match="wider"):
        differences(incident, analysis(0.0, None, Condition.FAILING))


def test_what_was_only_counted_is_not_taken_for_missing() -> None:
    world = calm(World())
    events = [
        event for event in world.events if ONSET <= event.timestamp / 1e9 - at(0) / 1e9 < OVER
    ]
    far = replace(world, events=events, weak=[])
    counted = Coverage("web", at(0), at(ONSET), Sight.PARTIAL, "counted only", complete_from=13)
    far.weak.append(counted)
    found = differences(far.incident(), analysis())
    assert found.rows == (0, 0) and not found.found
    assert any("counted only" in sentence for sentence in found.unseen)


def test_a_part_of_many_rows_is_chosen_by_chance_not_by_rhythm() -> None:
    world = World()
    for number in range(3 * MOST_READ):
        moment = 1 + number * 2098 / (3 * MOST_READ)
        world.log(
            moment, "web-1", f"did {('one', 'two', 'three', 'four', 'five', 'six')[number % 6]}"
        )
    found = told(world)
    assert found.rows[1] > MOST_READ
    assert found.found == ()


def test_a_difference_picked_shows_exactly_its_rows() -> None:
    world = calm(World())
    for number in range(24):
        world.error(ONSET + number * 5, "web-1", f"stock of {number} not reachable", source="web")
        world.log(ONSET + number * 5, "web-2", f"GET /stock/{number} 503 in 9 ms", source="web")
    incident = world.incident()
    found = differences(incident, analysis())
    for value in ("stock of * not reachable", "GET /stock/:id 503"):
        one = next(one for one in found.found if one.value == value)
        assert shown(incident, one) == one.inside + one.outside == 24


def shown(incident: Incident, one: Difference) -> int:
    part = part_of(one, body=incident.snapshot.event(one.row).body)
    assert part is not None
    rows = rows_of(incident.snapshot, Filter((part,)))
    return -1 if rows is None else rows.len()


@pytest.mark.parametrize(("hits", "total"), [(0, 5), (1, 7), (20, 40), (5, 5), (3, 10_000)])
def test_the_wilson_bounds_solve_the_equation_they_stand_for(hits: int, total: int) -> None:
    frame = pl.DataFrame({"hits": [hits], "total": [total]})
    low, high = frame.select(*_named(wilson(pl.col("hits"), pl.col("total")))).row(0)
    assert low <= hits / total + 1e-12 and hits / total <= high + 1e-12
    assert low < high
    for bound in (low, high):
        if 0 < bound < 1:
            distance = abs(hits / total - bound)
            assert distance == pytest.approx(Z * math.sqrt(bound * (1 - bound) / total), abs=1e-6)


def _named(bounds: tuple[pl.Expr, pl.Expr]) -> tuple[pl.Expr, pl.Expr]:
    return bounds[0].alias("low"), bounds[1].alias("high")
