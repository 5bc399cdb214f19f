"""The store: one total order whatever arrives first, no record twice, quick answers."""

from __future__ import annotations

import random
from collections.abc import Sequence

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.batch import Batch, Remark
from timeline.columns import UNDATED_SCHEMA, frame_from
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning
from timeline.store import Snapshot, Store, empty_snapshot


def event(
    source: str = "web",
    timestamp: int = 0,
    seq: int = 0,
    ref: str = "",
    body: str = "hello",
    keys: tuple[str, ...] = (),
    kind: Kind = Kind.LOG,
    attributes: str | None = None,
) -> Event:
    return Event(
        timestamp=timestamp,
        source=source,
        lane=Lane.LOG,
        kind=kind,
        body=body,
        ref=ref or f"{source}@{seq}",
        seq=seq,
        actor="shop",
        meaning=Meaning.OCCURRED,
        keys=keys,
        attributes=attributes,
    )


def batch(events: Sequence[Event], **extras: object) -> Batch:
    frame, keys = frame_from(events)
    return Batch(events[0].source if events else "web", frame, keys, **extras)  # type: ignore[arg-type]  # a test's shorthand


def snapshot_of(events: Sequence[Event], arrival: random.Random | None = None) -> Snapshot:
    """Batches of random sizes in random order; all in one batch a source without `arrival`."""
    sources = sorted({e.source for e in events})
    batches = [batch([e for e in events if e.source == source]) for source in sources]
    if arrival is not None:
        shuffled = list(events)
        arrival.shuffle(shuffled)
        batches = []
        while shuffled:
            size = arrival.randint(1, 6)
            piece, shuffled = shuffled[:size], shuffled[size:]
            for source in {e.source for e in piece}:
                batches.append(batch([e for e in piece if e.source == source]))
    store = Store()
    for index, part in enumerate(batches):
        store.add(part)
        if arrival is not None and index % 3 == 0:
            store.snapshot()
    return store.snapshot()


def told(snapshot: Snapshot) -> list[Event]:
    return snapshot.in_order(0, len(snapshot))


EVENTS = st.lists(
    st.builds(
        event,
        source=st.sampled_from(["web", "db", "mailer"]),
        timestamp=st.integers(0, 5),
        seq=st.integers(0, 8),
        ref=st.sampled_from(["a", "b"]),
        body=st.sampled_from(["one", "two"]),
        kind=st.sampled_from([Kind.LOG, Kind.ROW_INSERTED]),
        attributes=st.sampled_from([None, "{}", '{"n": 1}', '{"n": 2}']),
        keys=st.lists(st.sampled_from(["user:1", "user:2", "job:a"]), unique=True).map(tuple),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_order_and_rows_do_not_depend_on_arrival(
    events: list[Event], arrival: random.Random
) -> None:
    whole, pieces = snapshot_of(events), snapshot_of(events, arrival)
    assert told(pieces) == told(whole)
    assert pieces.events.equals(whole.events)
    assert pieces.order.equals(whole.order)
    assert pieces.keys.equals(whole.keys)


@settings(deadline=None)
@given(EVENTS)
def test_total_order_is_timestamp_source_seq_ref(events: list[Event]) -> None:
    ranks = [(e.timestamp, e.source, e.seq, e.ref) for e in told(snapshot_of(events))]
    assert ranks == sorted(ranks)
    assert set(ranks) == {(e.timestamp, e.source, e.seq, e.ref) for e in events}


@settings(deadline=None)
@given(EVENTS)
def test_a_record_is_kept_once_with_all_its_keys(events: list[Event]) -> None:
    def identity(e: Event) -> tuple[object, ...]:
        return (e.source, e.seq, e.ref, e.timestamp, e.kind)

    kept = told(snapshot_of(events))
    assert len({identity(e) for e in kept}) == len(kept) == len({identity(e) for e in events})
    for one in kept:
        tellings = [e for e in events if identity(e) == identity(one)]
        assert set(one.keys) == {key for e in tellings for key in e.keys}
        assert len(one.attributes or "") == max(len(e.attributes or "") for e in tellings)


@settings(deadline=None)
@given(EVENTS, st.integers(-1, 7))
def test_positions(events: list[Event], timestamp: int) -> None:
    snapshot = snapshot_of(events)
    ordered = told(snapshot)
    assert snapshot.position_at(timestamp) == sum(e.timestamp < timestamp for e in ordered)
    for position, row in enumerate(snapshot.order.to_list()):
        assert snapshot.position_of(row) == position
        assert snapshot.row_of(ordered[position]) == row


@settings(deadline=None)
@given(EVENTS, st.lists(st.sampled_from(["user:1", "user:2", "job:a", "job:no"])))
def test_rows_with_keys(events: list[Event], wanted: list[str]) -> None:
    snapshot = snapshot_of(events)
    expected = [e for e in told(snapshot) if set(e.keys) & set(wanted)]
    rows = snapshot.rows_with(wanted)
    assert snapshot.events_at(rows.to_list()) == expected
    pairs = snapshot.keys_of(rows)
    assert pairs.height == sum(len(e.keys) for e in expected)


@settings(deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_rows_brought_into_time_order(events: list[Event], chance: random.Random) -> None:
    snapshot = snapshot_of(events)
    rows = [row for row in snapshot.order.to_list() if chance.random() < 0.5]
    shuffled = list(rows)
    chance.shuffle(shuffled)
    assert snapshot.sorted_by_time(pl.Series(shuffled, dtype=pl.UInt32)).to_list() == rows


def test_where_keeps_time_order_and_drops_nulls() -> None:
    snapshot = snapshot_of([event(timestamp=9 - n, seq=n, body=f"n{n}") for n in range(9)])
    found = snapshot.where(pl.col("body").is_in(["n1", "n4", "n7"]))
    assert [e.body for e in snapshot.events_at(found.to_list())] == ["n7", "n4", "n1"]
    assert snapshot.where(pl.col("file") == "x").is_empty()


def test_a_line_read_again_replaces_its_torn_first_reading() -> None:
    torn, whole = event(seq=5, body="Trace"), event(seq=5, body="Traceback: full")
    for first, second in ((torn, whole), (whole, torn)):
        store = Store()
        for one in (first, second):
            frame, keys = frame_from([one])
            store.add(
                Batch("web", frame.with_columns(length=pl.lit(len(one.body), pl.UInt32)), keys)
            )
        assert [e.body for e in told(store.snapshot())] == ["Traceback: full"]


def test_a_snapshot_stays_what_it_was() -> None:
    store = Store()
    store.add(batch([event(timestamp=2, seq=2, keys=("user:2",))]))
    first = store.snapshot()
    store.add(batch([event(timestamp=1, seq=1, keys=("user:1",))]))
    second = store.snapshot()
    assert [e.timestamp for e in told(first)] == [2]
    assert [e.timestamp for e in told(second)] == [1, 2]
    assert second.generation > first.generation
    anchor = told(first)[0]
    row = second.row_of(anchor)
    assert row is not None and second.event(row) == anchor
    assert first.row_of(told(second)[0]) is None


def test_coverage_remarks_and_undated_do_not_depend_on_arrival() -> None:
    halves = [Coverage("web", 0, 10, Sight.FULL), Coverage("web", 10, 20, Sight.FULL)]
    remarks = [Remark("web", "undated", "two lines", 2), Remark("db", "clock", "off")]
    undated = pl.DataFrame(
        [["web", "no time", "x", "web@1"], ["web", "no time", "y", "web@9"]],
        schema=UNDATED_SCHEMA,
        orient="row",
    )
    parts = [
        batch([event(seq=n)], coverage=(halves[n],), remarks=(remarks[n],), undated=undated[n])
        for n in (0, 1)
    ]
    seen = []
    for arrival in ((0, 1), (1, 0), (1, 0, 1)):
        store = Store()
        for n in arrival:
            store.add(parts[n])
        seen.append(store.snapshot())
    for snapshot in seen:
        assert snapshot.coverage.entries == (Coverage("web", 0, 20, Sight.FULL),)
        assert [remark.source for remark in snapshot.remarks] == ["db", "web"]
        assert snapshot.undated.get_column("ref").to_list() == ["web@1", "web@9"]


def test_nothing_at_all() -> None:
    for snapshot in (empty_snapshot(), Store().snapshot()):
        assert len(snapshot) == 0
        assert snapshot.position_at(5) == 0
        assert snapshot.in_order(0, 10) == snapshot.events_at([]) == []
        assert snapshot.rows_with(["user:1"]).is_empty()
        assert snapshot.broad_keys == frozenset()
        assert snapshot.row_of(event()) is None
