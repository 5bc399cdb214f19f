"""Few rows of few or of many events are found by different ways, and are the same."""

from __future__ import annotations

import polars as pl
import pytest

import timeline.store
from tests.timeline.worlds import START
from timeline.batch import batch_of
from timeline.event import Event, Kind, Lane
from timeline.store import Snapshot, Store


def line(source: str, place: int, number: int) -> Event:
    """A line that names an order and a job."""
    return Event(
        timestamp=START + 2 * number + place,
        source=source,
        lane=Lane.LOG,
        kind=Kind.LOG,
        body=f"line {number}",
        ref=f"{source}@{number}",
        seq=number,
        keys=(f"order:{number}", f"job:{number}"),
    )


def snapshot() -> Snapshot:
    """Two sources whose lines alternate, so that rows do not stand in the order of time."""
    store = Store()
    for place, source in enumerate(("web", "worker")):
        store.add(batch_of(source, [line(source, place, number) for number in range(20)]))
    return store.snapshot()


@pytest.mark.parametrize("rows", [[], [7], [31, 3, 3, 12], [None, 5], list(range(40))])
def test_keys_of_few_rows_are_the_same_by_number_and_by_search(
    rows: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pl.Series(rows, dtype=pl.UInt32)
    searched = snapshot().keys_of(asked)
    monkeypatch.setattr(timeline.store, "SMALL", 1)
    by_number = snapshot().keys_of(asked)
    assert by_number.equals(searched)
    assert by_number.height == 2 * len({row for row in rows if row is not None})


@pytest.mark.parametrize(
    "predicate",
    [pl.lit(value=True), pl.lit(value=False), pl.col("body").str.ends_with("7"), pl.lit(None) > 1],
)
def test_what_is_told_stands_in_the_order_of_time_either_way(
    predicate: pl.Expr, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = snapshot().told(predicate, "source", "body")
    monkeypatch.setattr(timeline.store, "SMALL", 1)
    many = snapshot().told(predicate, "source", "body")
    assert few.equals(many)
    assert few.get_column("timestamp").is_sorted()
