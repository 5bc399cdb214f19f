"""Offsets from pairs: the truth lies inside, wrong matches are dropped, blame is deserved."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.clock import ClockBound, ClockTable
from timeline.facts.causal_pairs import PAIR_SCHEMA, REQUEST_HANDS_OVER
from timeline.facts.delays import limits_of
from timeline.facts.differences import distances, negative_cycle
from timeline.facts.skew import Skew, skews_of

MS = 1_000_000
S = 1_000 * MS
EXACT = ClockBound(2 * MS, 2 * MS, "declared")
TABLE = ClockTable(assumed=EXACT)


def pairs(*told: tuple[str, str, int, int]) -> pl.DataFrame:
    """(sender, receiver, sent, received) as PAIR_SCHEMA, one id each."""
    rows = [
        {
            "id": f"job:{number}",
            "how": "one comes first",
            "sender": sender,
            "receiver": receiver,
            "sent": sent,
            "received": received,
            "sent_row": 2 * number,
            "received_row": 2 * number + 1,
        }
        for number, (sender, receiver, sent, received) in enumerate(told)
    ]
    return pl.DataFrame(rows, schema=PAIR_SCHEMA)


def traffic(
    offsets: dict[str, int], ways: list[tuple[str, str]], delays: list[int]
) -> list[tuple[str, str, int, int]]:
    """Messages sent each second over every way; stamps are what each clock reads then."""
    told = []
    for number, delay in enumerate(delays):
        for sender, receiver in ways:
            sent = number * S
            told.append(
                (sender, receiver, sent + offsets[sender], sent + delay + offsets[receiver])
            )
    return told


def found(told: list[tuple[str, str, int, int]], table: ClockTable = TABLE) -> list[Skew]:
    return skews_of(limits_of(pairs(*told)), table)


def allows(bound: ClockBound, offset: int) -> bool:
    return -bound.ahead <= offset <= bound.behind


BOTH = [("web", "db"), ("db", "web")]
DELAYS = [3 * MS, 5 * MS, 4 * MS, 40 * MS, 9 * MS, 6 * MS]


def test_clocks_that_agree_are_no_finding() -> None:
    assert found(traffic({"web": 0, "db": 20 * MS}, BOTH, DELAYS)) == []


def test_the_third_clock_decides_which_is_wrong() -> None:
    ways = [*BOTH, ("web", "mail"), ("mail", "web"), ("db", "mail"), ("mail", "db")]
    (skew,) = found(traffic({"web": 0, "db": 1_800 * MS, "mail": 0}, ways, DELAYS))
    assert skew.clock == "db" and skew.doubted == () and skew.contradicts
    assert skew.low is not None and skew.high is not None
    assert skew.low <= 1_800 * MS <= skew.high and skew.high - skew.low <= 20 * MS
    assert allows(skew.bound, 1_800 * MS) and not allows(skew.bound, 0)


def test_of_two_clocks_either_may_be_wrong() -> None:
    skews = found(traffic({"web": 0, "db": -700 * MS}, BOTH, DELAYS))
    assert {skew.clock for skew in skews} == {"web", "db"}
    assert all(skew.doubted for skew in skews)
    bounds = {skew.clock: skew.bound for skew in skews}
    assert allows(bounds["db"], -700 * MS) and allows(bounds["db"], 0)
    assert allows(bounds["web"], 700 * MS) and allows(bounds["web"], 0)


def test_a_measured_clock_is_trusted_over_an_assumed_one() -> None:
    table = ClockTable({"web": ClockBound(MS, MS, "measured")}, ClockBound())
    (skew,) = found(traffic({"web": 0, "db": -900 * MS}, BOTH, DELAYS), table)
    assert skew.clock == "db" and not skew.doubted


def test_one_direction_bounds_one_side() -> None:
    table = ClockTable({"web": ClockBound(MS, MS, "measured")}, ClockBound())
    (skew,) = found(traffic({"web": 0, "db": -900 * MS}, [("web", "db")], DELAYS), table)
    assert skew.low is None and skew.high is not None and skew.high < -850 * MS
    assert allows(skew.bound, -900 * MS) and allows(skew.bound, -60 * S)
    assert not allows(skew.bound, -800 * MS)


def test_what_the_bounds_allow_contradicts_nothing() -> None:
    told = traffic({"web": 0, "db": -120 * MS}, BOTH, DELAYS)
    (skew,) = found(told, ClockTable())
    assert not skew.contradicts and skew.bound == skew.was
    assert found(told)[0].contradicts


def test_two_wrong_matches_widen_no_clock() -> None:
    told = traffic({"web": 0, "db": 0}, BOTH, DELAYS)
    wrong = [("web", "db", 900 * S, 300 * S), ("web", "db", 901 * S, 200 * S)]
    assert found([*told, *wrong]) == []


def test_one_of_fifty_wrong_matches_widens_no_clock() -> None:
    told = traffic({"web": 0, "db": 0}, BOTH, DELAYS * 50)
    wrong = [("web", "db", 900 * S, 300 * S + n * S) for n in range(len(DELAYS) - 1)]
    assert found([*told, *wrong]) == []


def test_hours_are_a_zone_and_seconds_are_not() -> None:
    ways = [*BOTH, ("web", "mail"), ("mail", "web")]
    for zone in (2 * 3_600 * S, -19_800 * S, 900 * S):
        (skew,) = found(traffic({"web": 0, "mail": 0, "db": zone}, [*ways, ("db", "mail")], DELAYS))
        assert skew.zone == zone and skew.clock == "db"
        assert skew.bound.behind + skew.bound.ahead == EXACT.behind + EXACT.ahead
        assert allows(skew.bound, zone)
    for skewed in (1_800 * MS, 903 * S, 60 * S):
        skews = found(traffic({"web": 0, "db": skewed}, BOTH, DELAYS))
        assert all(skew.zone == 0 for skew in skews)


def test_a_clock_that_was_set_within_the_window() -> None:
    early = traffic({"web": 0, "db": 0}, BOTH, DELAYS * 4)
    late = traffic({"web": 0, "db": 5 * S}, BOTH, DELAYS * 4)
    skews = found([*early, *late])
    assert skews and all(not skew.steady for skew in skews)
    bound = next(skew.bound for skew in skews if skew.clock == "db")
    assert allows(bound, 0) and allows(bound, 5 * S)


def test_two_wrong_clocks_of_four() -> None:
    names = ["web", "db", "mail", "pay"]
    ways = [(one, other) for one in names for other in names if one != other]
    offsets = {"web": 0, "db": 3 * S, "mail": 0, "pay": -4 * S}
    skews = found(traffic(offsets, ways, DELAYS))
    assert {"db", "pay"} <= {skew.clock for skew in skews}
    for skew in skews:
        assert allows(skew.bound, offsets[skew.clock])


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), st.integers(-4_000, 4_000), min_size=2),
    st.lists(st.integers(0, 3_000), min_size=3, max_size=12),
    st.data(),
)
def test_a_clock_that_is_blamed_alone_gets_a_bound_that_holds(
    millis: dict[str, int], delays: list[int], data: st.DataObject
) -> None:
    """One clock is wrong and all others hold their bounds: the new bound allows the truth."""
    names = sorted(millis)
    wrong = data.draw(st.sampled_from(names))
    offsets = {name: millis[name] * MS if name == wrong else 0 for name in names}
    every = [(one, other) for one in names for other in names if one != other]
    ways = data.draw(st.lists(st.sampled_from(every), min_size=1, unique=True))
    skews = found(traffic(offsets, ways, [delay * MS for delay in delays]))
    for skew in skews:
        if skew.clock == wrong and skew.contradicts:
            assert allows(skew.bound, offsets[wrong])
    if skews and not any(skew.doubted for skew in skews):
        assert {skew.clock for skew in skews} == {wrong}


@settings(deadline=None, max_examples=40)
@given(st.randoms(use_true_random=False), st.integers(-(10**15), 10**15))
def test_neither_order_nor_a_common_shift_matters(random: object, by: int) -> None:
    told = traffic({"web": 0, "db": 1_800 * MS}, BOTH, DELAYS)
    first = [(skew.clock, skew.low, skew.high, skew.bound) for skew in found(told)]
    mixed = [(s, r, sent + by, received + by) for s, r, sent, received in told]
    random.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis types its randoms as object
    assert [(skew.clock, skew.low, skew.high, skew.bound) for skew in found(mixed)] == first


EDGES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(-6, 9)).filter(
        lambda edge: edge[0] != edge[1]
    ),
    max_size=10,
)


@settings(deadline=None)
@given(EDGES)
def test_constraints_hold_together_or_a_cycle_says_why_not(
    edges: list[tuple[str, str, int]],
) -> None:
    cycle = negative_cycle(edges)
    free = [("*", node, 0) for node in "abcd"]
    placed = distances([*edges, *free], "*")
    assert (placed is None) is bool(cycle)
    if placed is not None:
        assert all(placed[second] - placed[first] <= most for first, second, most in edges)
        return
    least = {pair: min(m for f, s, m in edges if (f, s) == pair) for pair in cycle}
    assert sum(least[pair] for pair in cycle) < 0
    assert sorted(first for first, _ in cycle) == sorted(second for _, second in cycle)


def test_a_small_contradiction_elsewhere_does_not_hide_a_wrong_clock() -> None:
    """Three services whose stamps disagree by a millisecond, and one worker that is slow."""
    told = traffic({"queue": 0, "w1": -3 * S, "w2": 0, "w3": 0}, [("queue", "w1")], DELAYS)
    told += traffic({"queue": 0, "w2": 0, "w3": 0}, [("queue", "w2"), ("queue", "w3")], DELAYS)
    ring = [("a", "b"), ("b", "c"), ("c", "a")]
    told += [(one, other, n * S, n * S - MS) for n in range(9) for one, other in ring]
    assert [skew.clock for skew in found(told)] == ["w1"]


def test_ten_thousand_pairs_of_a_hundred_clocks_take_little_time() -> None:
    names = [f"host-{number}" for number in range(100)]
    ways = [("queue", name) for name in names] + [(name, "db") for name in names]
    offsets = dict.fromkeys(["queue", "db", *names], 0) | {"host-42": -3 * S}
    (skew,) = found(traffic(offsets, ways, DELAYS * 8))
    assert skew.clock == "host-42"


@pytest.mark.parametrize(("early_elsewhere", "spoken"), [(0, False), (2, True)])
def test_a_sender_that_is_late_for_another_receiver_does_not_vouch(
    early_elsewhere: int, spoken: bool
) -> None:
    """Lines written late strike every receiver, if only now and then; a wrong clock strikes one.

    The two that are early elsewhere are few enough to be dropped as wrong matches: they bound
    nothing, but they show that the sender's own lines come late.
    """
    told = [
        ("web", "worker-a", n * S, n * S + (30 * MS if n % 3 else -200 * MS)) for n in range(24)
    ]
    told += [("web-2", "worker-a", n * S, n * S + 40 * MS) for n in range(24)]
    for n in range(24):
        told += [("web-2", "worker-b", n * S, n * S + 40 * MS)]
        early = n < early_elsewhere
        told += [("web", "worker-b", n * S, n * S + (-150 * MS if early else 30 * MS))]
    spoken_pairs = pairs(*told).with_columns(how=pl.lit(REQUEST_HANDS_OVER))
    skews = skews_of(limits_of(spoken_pairs), TABLE)
    (blamed,) = [skew for skew in skews if skew.clock == "worker-a"]
    assert blamed.spoken is spoken
