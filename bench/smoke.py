"""Ten million rows in the store: nothing may become slow by more than the rows are more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from bench.table import milliseconds, write_table
from timeline.batch import Batch
from timeline.columns import EVENT_SCHEMA
from timeline.event import Kind, Lane, Meaning, Precision
from timeline.filter_terms import Field, Filter, Part
from timeline.filters import rows_of
from timeline.store import Snapshot, Store

BATCH_ROWS = 40_000
SOURCES = ("db", "mailer", "queue", "web")
START = 1_773_187_200_000_000_000
SCREEN_ROWS = 50
FILTERS = {
    "literal filter": Part(Field.TEXT, "timeout"),
    "regex filter": Part(Field.REGEX, r"in 8\d\d ms"),
    "severity filter": Part(Field.LEVEL, "error"),
}

T = TypeVar("T")


def measure(folder: Path, quick: bool) -> None:
    """Print how long the store takes at one and at ten million rows."""
    del folder
    sizes = (100_000, 1_000_000) if quick else (1_000_000, 10_000_000)
    measured = [figures(size) for size in sizes]
    rows = [[name, *(milliseconds(figure[name]) for figure in measured)] for name in measured[0]]
    write_table("the store", ("operation", *(f"{size:,} rows" for size in sizes)), rows)


def figures(rows: int) -> dict[str, float]:
    """Seconds of every operation over a store of so many rows, the best of a few."""
    store = Store()
    started = time.perf_counter()
    for batch in batches(rows):
        store.add(batch)
    found = {"build and add batches": time.perf_counter() - started}
    snapshot = _timed(found, "first snapshot", store.snapshot, 1)
    late = next(batches(BATCH_ROWS))
    store.add(Batch("late", late.events, late.keys))
    _timed(found, "snapshot after one more batch", store.snapshot, 1)
    middle = len(snapshot) // 2
    _timed(found, "times in order", lambda: snapshot.times, 1)
    _timed(
        found, f"{SCREEN_ROWS} rows of the screen", lambda: snapshot.in_order(middle, SCREEN_ROWS)
    )
    _timed(found, "position of an instant", lambda: snapshot.position_at(START + 5_000_000))
    row = int(snapshot.order[middle])
    _timed(found, "position of a row", lambda: snapshot.position_of(row))
    event = snapshot.event(row)
    _timed(found, "row of an event", lambda: snapshot.row_of(event))
    _timed(found, "rows with a key", lambda: snapshot.rows_with(["user:4711"]))
    for name, part in FILTERS.items():
        _timed(found, name, partial(rows_of, snapshot, Filter((part,))))
    _timed(found, "too broad keys", lambda: _fresh(snapshot).broad_keys, 1)
    return found


def _timed(found: dict[str, float], name: str, act: Callable[[], T], times: int = 5) -> T:
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        result = act()
        best = min(best, time.perf_counter() - started)
    found[name] = best
    return result


def _fresh(snapshot: Snapshot) -> Snapshot:
    """The same snapshot without anything it has worked out before."""
    return Snapshot(snapshot.events, snapshot.keys, snapshot.order)


def batches(rows: int) -> Iterator[Batch]:
    """Batches of four sources whose events interleave in time, two keys on every event."""
    for number, first in enumerate(range(0, rows, BATCH_ROWS)):
        source = SOURCES[number % len(SOURCES)]
        yield _batch(source, first, min(BATCH_ROWS, rows - first))


def _batch(source: str, first: int, rows: int) -> Batch:
    number = pl.int_range(first, first + rows, dtype=pl.Int64, eager=True).alias("n")
    # a batch covers as long a stretch as four do, so that the sources interleave
    stamp = START + (number - first) * 4_000_000 + first // BATCH_ROWS // 4 * 160_000_000_000
    n, text = pl.col("n"), pl.String
    timeout = pl.lit("redis.exceptions.TimeoutError: Timeout reading from redis:6379")
    answered = pl.format("GET /orders/{}/items 200 in {} ms", n * 7919 % 99_991, n * 31 % 900)
    values: dict[str, pl.Expr] = {
        "timestamp": pl.col("stamp"),
        "meaning": pl.lit(Meaning.OCCURRED.value),
        "precision": pl.lit(Precision.MILLISECOND.value),
        "clock": pl.lit(""),
        "source": pl.lit(source),
        "lane": pl.lit(Lane.LOG.value),
        "kind": pl.lit(Kind.LOG.value),
        "severity_number": pl.when(n % 100 == 0).then(17).otherwise(9),
        "actor": pl.lit(source),
        "body": pl.when(n % 100 == 0).then(timeout).otherwise(answered),
        "attributes": pl.lit(None, text),
        "ref": pl.lit(None, text),
        "file": pl.lit(f"{source}.log"),
        "offset": n * 200,
        "length": pl.lit(200),
        "seq": n * 200,
    }
    frame = pl.DataFrame([number, stamp.alias("stamp")])
    events = frame.select(
        value.cast(EVENT_SCHEMA[name]).alias(name) for name, value in values.items()
    )
    request = pl.format("request:{}", (n * 2_654_435_761 % 2**61).cast(text))
    pairs = frame.select(
        (n - first).cast(pl.UInt32).alias("row"),
        pl.concat_list(request, pl.format("user:{}", n % 5_000)).alias("key"),
    )
    return Batch(source, events, pairs.explode("key"))
