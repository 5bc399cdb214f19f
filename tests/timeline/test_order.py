"""Order between two events: never certain both ways, never surer for knowing less."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from timeline.clock import ClockBound, ClockTable
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.order import CausalEdges, Order, Verdict, at_least, before, weakest

MS = 1_000_000
EXACT = ClockTable({name: ClockBound(0, 0, "measured") for name in ("web", "db", "mailer")})
RANK = {Verdict.CERTAIN: 3, Verdict.LIKELY: 2, Verdict.POSSIBLE: 1, None: 0}


def event(
    timestamp: int,
    source: str = "web",
    meaning: Meaning = Meaning.OCCURRED,
    precision: Precision = Precision.NANOSECOND,
    seq: int = 0,
    clock: str = "",
    ref: str = "",
) -> Event:
    return Event(
        timestamp=timestamp,
        source=source,
        lane=Lane.LOG,
        kind=Kind.LOG,
        body="",
        ref=ref or f"{source}@{timestamp}.{seq}.{clock}.{meaning}.{precision}",
        seq=seq,
        clock=clock,
        meaning=meaning,
        precision=precision,
    )


EVENTS = st.builds(
    event,
    timestamp=st.integers(0, 3_000 * MS),
    source=st.sampled_from(["web", "db", "mailer"]),
    meaning=st.sampled_from(list(Meaning)),
    precision=st.sampled_from(list(Precision)),
    seq=st.integers(0, 3),
    clock=st.sampled_from(["", "", "host-1", "web"]),
)
BOUNDS = st.tuples(st.integers(-50 * MS, 500 * MS), st.integers(60 * MS, 500 * MS)).map(
    lambda pair: ClockBound(pair[0], pair[1], "declared")
)
CLOCKS = st.dictionaries(st.sampled_from(["web", "db", "mailer", "host-1"]), BOUNDS).map(ClockTable)


@st.composite
def causes(draw: st.DrawFn, events: list[Event]) -> CausalEdges:
    edges = CausalEdges()
    pairs = st.tuples(st.sampled_from(events), st.sampled_from(events))
    for first, second in draw(st.lists(pairs, max_size=4)):
        edges.add(first, second, f"{first.ref} caused {second.ref}")
    return edges


def shifted(one: Event, by: int) -> Event:
    return replace(one, timestamp=one.timestamp + by)


@settings(deadline=None)
@given(EVENTS, EVENTS, CLOCKS, st.data())
def test_never_certain_or_likely_both_ways(
    first: Event, second: Event, clocks: ClockTable, data: st.DataObject
) -> None:
    edges = data.draw(causes([first, second, event(5, "db"), event(9, "mailer")]))
    onward, back = (before(a, b, clocks, edges) for a, b in ((first, second), (second, first)))
    assert RANK[onward.verdict] + RANK[back.verdict] <= 3
    if onward.verdict is Verdict.CERTAIN:
        assert back.verdict is None
    if onward.verdict is None and first != second:
        assert back.verdict is Verdict.CERTAIN


@settings(deadline=None)
@given(EVENTS, EVENTS, CLOCKS, st.integers(0, 400 * MS), st.data())
def test_wider_clock_bounds_never_make_an_order_surer(
    first: Event, second: Event, clocks: ClockTable, by: int, data: st.DataObject
) -> None:
    which = data.draw(st.sets(st.sampled_from(["web", "db", "mailer", "host-1", "assumed"])))
    wider = ClockTable(
        {
            name: clocks.bound(name).widened(by if name in which else 0)
            for name in ("web", "db", "mailer", "host-1")
        },
        clocks.assumed.widened(by if "assumed" in which else 0),
    )
    order, wide = before(first, second, clocks), before(first, second, wider)
    if order.verdict is not None:
        assert RANK[wide.verdict] <= RANK[order.verdict]
        assert wide.verdict is not None
    else:
        assert wide.verdict in (None, Verdict.POSSIBLE)


@settings(deadline=None)
@given(EVENTS, EVENTS, CLOCKS, st.sampled_from(list(Precision)))
def test_a_coarser_unit_of_the_first_stamp_never_makes_an_order_surer(
    first: Event, second: Event, clocks: ClockTable, unit: Precision
) -> None:
    assume(unit.nanoseconds >= first.precision.nanoseconds)
    order = before(first, second, clocks)
    coarse = before(replace(first, precision=unit), second, clocks)
    if order.verdict in (Verdict.POSSIBLE, Verdict.LIKELY):
        assert RANK[coarse.verdict] <= RANK[order.verdict]


@settings(deadline=None)
@given(EVENTS, EVENTS, CLOCKS, st.integers(-(10**18), 10**18))
def test_moving_all_clocks_alike_changes_nothing(
    first: Event, second: Event, clocks: ClockTable, by: int
) -> None:
    assert before(shifted(first, by), shifted(second, by), clocks) == before(first, second, clocks)


@settings(deadline=None)
@given(st.lists(EVENTS, min_size=3, max_size=6), CLOCKS, st.data())
def test_certain_order_is_transitive(
    events: list[Event], clocks: ClockTable, data: st.DataObject
) -> None:
    edges = data.draw(causes(events))

    def orders(a: Event, b: Event) -> Order:
        return before(a, b, clocks, edges)

    certain = [
        (a, b) for a, b in permutations(events, 2) if orders(a, b).verdict is Verdict.CERTAIN
    ]
    for (a, b), (c, d) in permutations(certain, 2):
        if b == c and a != d:
            whole = orders(a, d)
            assert whole.verdict is Verdict.CERTAIN or "contradict" in whole.because


@settings(deadline=None)
@given(EVENTS, EVENTS, CLOCKS)
def test_certain_by_clocks_means_no_true_times_contradict(
    first: Event, second: Event, clocks: ClockTable
) -> None:
    """Only for different clocks: readings of one clock are ordered without its error."""
    assume((first.clock or first.source) != (second.clock or second.source))
    if before(first, second, clocks).verdict is Verdict.CERTAIN:
        assert clocks.interval(first)[1] < clocks.interval(second)[0]


@settings(deadline=None)
@given(EVENTS, CLOCKS)
def test_nothing_comes_before_itself(one: Event, clocks: ClockTable) -> None:
    assert before(one, one, clocks).verdict is None


@pytest.mark.parametrize(
    ("gap_ms", "verdict"),
    [(60, None), (-60, Verdict.CERTAIN), (10, Verdict.POSSIBLE), (-10, Verdict.POSSIBLE)],
)
def test_two_clocks_of_twenty_milliseconds(gap_ms: int, verdict: Verdict | None) -> None:
    clocks = ClockTable(assumed=ClockBound(20 * MS, 20 * MS))
    order = before(event(1_000 * MS + gap_ms * MS), event(1_000 * MS, "db"), clocks)
    assert order.verdict is verdict


@pytest.mark.parametrize(
    ("one", "other", "share"), [(100, 100, 0.56), (500, 100, 0.67), (10_000, 10, 0.80)]
)
def test_likely_begins_at_nine_tenths(one: int, other: int, share: float) -> None:
    clocks = ClockTable(
        {"web": ClockBound(one * MS, one * MS), "db": ClockBound(other * MS, other * MS)}
    )
    for factor, verdict in ((share - 0.02, Verdict.POSSIBLE), (share + 0.01, Verdict.LIKELY)):
        gap = int(factor * (one + other) * MS)
        assert before(event(0), event(gap, "db"), clocks).verdict is verdict


def test_a_clock_known_to_be_fast_is_read_as_such() -> None:
    fast = ClockTable(
        {"web": ClockBound(behind=1_810 * MS, ahead=-1_790 * MS, how="measured")},
        ClockBound(10 * MS, 10 * MS),
    )
    assert before(event(1_000 * MS), event(0, "db"), fast).verdict is Verdict.CERTAIN
    assert before(event(0, "db"), event(1_000 * MS), fast).verdict is None


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (event(0), event(3 * MS), Verdict.CERTAIN),
        (event(3 * MS), event(0), None),
        (event(0, seq=1), event(MS, seq=2), Verdict.LIKELY),
        (event(MS, seq=1), event(0, seq=2), Verdict.LIKELY),
        (event(0, seq=2), event(MS, seq=1), Verdict.POSSIBLE),
        (event(0, precision=Precision.SECOND), event(900 * MS), Verdict.POSSIBLE),
        (event(0, precision=Precision.SECOND), event(1_000 * MS), Verdict.CERTAIN),
        (event(0, "web", clock="h1"), event(5 * MS, "db", clock="h1"), Verdict.CERTAIN),
        (event(0, ref="x", seq=intrinsic_seq("x")), event(MS, seq=2**63), Verdict.POSSIBLE),
    ],
)
def test_one_clock(first: Event, second: Event, verdict: Verdict | None) -> None:
    assert before(first, second, ClockTable()).verdict is verdict


@pytest.mark.parametrize("meaning", [Meaning.TRANSACTION_START, Meaning.POLLED])
def test_one_sided_stamps_of_one_clock_are_not_ordered_by_it(meaning: Meaning) -> None:
    early, late = event(0, meaning=meaning, seq=1), event(60_000 * MS, meaning=meaning, seq=2)
    assert before(early, late, EXACT).verdict is Verdict.POSSIBLE
    assert before(late, early, EXACT).verdict is Verdict.POSSIBLE


def test_a_row_became_visible_after_its_transaction_began_but_nobody_knows_when() -> None:
    row = event(1_000 * MS, "db", Meaning.TRANSACTION_START)
    lookup = event(1_200 * MS, "db")
    assert before(row, lookup, EXACT).verdict is Verdict.POSSIBLE
    assert before(event(500 * MS, "db"), row, EXACT).verdict is Verdict.CERTAIN
    assert before(event(500 * MS), row, EXACT).verdict is Verdict.CERTAIN
    assert before(row, event(9_000_000 * MS), EXACT).verdict is Verdict.POSSIBLE


def test_an_ingested_line_is_only_known_to_be_no_later() -> None:
    line = event(1_000 * MS, "web", Meaning.INGESTED)
    assert before(line, event(2_000 * MS, "db"), EXACT).verdict is Verdict.CERTAIN
    assert before(event(0, "db"), line, EXACT).verdict is Verdict.POSSIBLE


def test_causes_are_consulted_before_clocks() -> None:
    assigned, sent, looked_up = event(90 * MS), event(50 * MS, "db"), event(10 * MS, "mailer")
    edges = CausalEdges()
    edges.add(assigned, sent, "the id is in the arguments")
    edges.add(sent, looked_up, "the worker ran that job")
    order = before(assigned, looked_up, EXACT, edges)
    assert order == Order(Verdict.CERTAIN, "the id is in the arguments; the worker ran that job")
    assert before(looked_up, assigned, EXACT, edges).verdict is None


def test_causes_and_certain_clocks_make_one_chain() -> None:
    written, enqueued = event(0), event(50 * MS)
    started, failed = event(20 * MS, "mailer"), event(90 * MS, "mailer")
    loose = ClockTable(assumed=ClockBound(500 * MS, 500 * MS))
    assert before(written, failed, loose).verdict is Verdict.POSSIBLE
    edges = CausalEdges()
    edges.add(enqueued, started, "one job")
    order = before(written, failed, loose, edges)
    assert order.verdict is Verdict.CERTAIN
    assert "one job" in order.because and "one clock (mailer)" in order.because


def test_contradicting_causes_decide_nothing() -> None:
    first, second = event(0), event(5 * MS, "db")
    edges = CausalEdges()
    edges.add(first, second, "a")
    edges.add(second, first, "b")
    for order in (before(first, second, EXACT, edges), before(second, first, EXACT, edges)):
        assert order.verdict is Verdict.POSSIBLE
        assert "contradict" in order.because


def test_two_moments_of_one_record_are_two_events() -> None:
    enqueued = replace(event(0, ref="rq:job:1"), kind=Kind.JOB_ENQUEUED)
    started = replace(event(0, ref="rq:job:1"), kind=Kind.JOB_STARTED)
    edges = CausalEdges()
    edges.add(enqueued, started, "it has to be queued first")
    assert before(enqueued, started, EXACT, edges).verdict is Verdict.CERTAIN
    assert before(started, enqueued, EXACT, edges).verdict is None


def test_a_chain_is_as_sure_as_its_weakest_link() -> None:
    assert weakest([]) is Verdict.CERTAIN
    assert weakest([Verdict.LIKELY, Verdict.POSSIBLE, Verdict.CERTAIN]) is Verdict.POSSIBLE
    assert at_least(Verdict.LIKELY, Verdict.POSSIBLE)
    assert not at_least(Verdict.POSSIBLE, Verdict.LIKELY)
