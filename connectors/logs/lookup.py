"""Every record of a source's files that carries one of some keys, nearest to T first.

The key's value is looked for as plain bytes; only blocks that hold it are parsed, and only events
whose extracted keys include the key are kept. What was searched is told in a remark, not as
coverage: a search for one key says nothing of other records.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from connectors.logs.chunk import Reading, no_events, no_keys, read_chunk, read_whole
from connectors.logs.compressed import decompressed
from connectors.logs.csvtable import read_csv_export
from connectors.logs.load import only
from connectors.logs.plan import whole
from connectors.logs.sources import OpenMember, OpenSource, Sort
from connectors.logs.streamed import record_blocks
from timeline.batch import Batch, Remark
from timeline.keys import KeyRules, split_key
from timeline.problems import SourceProblem
from timeline.window import Budget, Window

SEARCH_BYTES = 1024 * 1024
"""Small blocks: a hit costs the parsing of one of them."""
BATCH_ROWS = 1_000
FEW_VALUES = 4
"""Up to so many values are searched one after another; more in one pass of the engine."""
EARLIEST_NS, LATEST_NS = -(2**63), 2**63 - 1
ROW_KEY = "row"
"""Keys of this type name a table's row and never stand in a log as such."""


@dataclass
class _Search:
    bytes: int = 0
    rows: int = 0
    cut: bool = False
    passed_over: int = 0
    """Files of unknown format: without records there is nothing to find."""


class _Gathered:
    """Hits of several blocks on their way into one batch."""

    def __init__(self) -> None:
        self.rows = 0
        self._events: list[pl.DataFrame] = []
        self._keys: list[pl.DataFrame] = []

    def add(self, events: pl.DataFrame, keys: pl.DataFrame) -> None:
        if events.height:
            shifted = keys.with_columns((pl.col("row") + self.rows).cast(pl.UInt32))
            self._events.append(events)
            self._keys.append(shifted)
            self.rows += events.height

    def batch(self, source: str) -> Batch:
        """Everything gathered so far; begins anew."""
        batch = Batch(source, pl.concat(self._events), pl.concat(self._keys))
        self.rows, self._events, self._keys = 0, [], []
        return batch


def look_up(
    source: str,
    opened: OpenSource,
    keys: Sequence[str],
    span: Window,
    budget: Budget,
    key_rules: KeyRules,
    stop: threading.Event,
) -> Iterator[Batch]:
    """Batches of the events that carry any of `keys`; the last one tells what was searched."""
    wanted = [key for key in keys if ":" in key and split_key(key)[0] != ROW_KEY]
    values = sorted({split_key(key)[1] for key in wanted})
    if not values:
        return
    deadline = time.monotonic() + budget.seconds
    search, gathered = _Search(), _Gathered()
    members = sorted(opened.members, key=lambda member: _distance(member, span))
    search.passed_over = sum(member.sort is Sort.UNKNOWN for member in members)
    for member in members:
        reading = Reading(member.place, member.dialect, key_rules, EARLIEST_NS, LATEST_NS)
        for base, raw in _blocks(member, budget.bytes):
            if (
                stop.is_set()
                or search.rows >= budget.rows
                or search.bytes + len(raw) > budget.bytes
                or time.monotonic() > deadline
            ):
                search.cut = True
                break
            search.bytes += len(raw)
            if member.shape.ordinary and not _holds(raw, values):
                continue
            if member.sort is Sort.CSV:
                text = raw if member.shape.ordinary else member.shape.text(raw).encode()
                chunk = read_csv_export(text, reading).chunk
            elif member.sort is Sort.WHOLE:
                chunk = read_whole(raw, member.shape, reading)
            else:
                chunk = read_chunk(raw, base, reading)
            events, found = _carrying(chunk.events, chunk.keys, wanted, budget.rows - search.rows)
            search.rows += events.height
            gathered.add(events, found)
            if gathered.rows >= BATCH_ROWS:
                yield gathered.batch(source)
    if gathered.rows:
        yield gathered.batch(source)
    yield Batch(source, no_events(), no_keys(), remarks=(_told(source, wanted, search),))


def _told(source: str, keys: Sequence[str], search: _Search) -> Remark:
    named = ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
    size = f"{search.bytes / 2**20:.1f} MB"
    if search.cut:
        sentence = (
            f"the search for {named} stopped after {size}: {search.rows:,} events found, "
            "there may be more"
        )
        return Remark(source, "cut", sentence, search.rows)
    rest = f"; {search.passed_over} of unknown format were not" if search.passed_over else ""
    sentence = f"all files ({size}) were searched for {named}: {search.rows:,} events found{rest}"
    return Remark(source, "looked-up", sentence, search.rows)


def _blocks(member: OpenMember, most: int) -> Iterator[tuple[int, bytes]]:
    if member.sort is Sort.WHOLE:
        with suppress(SourceProblem):  # the window's load tells of the damage
            yield 0, member.whole(most)[0]
    elif member.sort is Sort.COMPRESSED:
        try:
            yield from record_blocks(decompressed(member.member.path), member.dialect, SEARCH_BYTES)
        except SourceProblem:
            return  # the window's load tells of the damage
    elif member.log is not None and member.sort is Sort.CSV:
        yield 0, member.log.read(0, member.log.size)
    elif member.log is not None and member.sort is Sort.PLAIN:
        for piece in whole(member.log, member.dialect, SEARCH_BYTES):
            yield piece.start, member.log.read(piece.start, piece.end - piece.start)


def _holds(raw: bytes, values: Sequence[str]) -> bool:
    if len(values) <= FEW_VALUES:
        return any(value.encode() in raw for value in values)
    text = pl.Series([raw.decode("utf-8", "replace")])
    return bool(text.str.contains_any(list(values))[0])


def _carrying(
    events: pl.DataFrame, keys: pl.DataFrame, wanted: Sequence[str], most: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows (at most `most`) that carry a wanted key, with all of their keys."""
    hits = keys.filter(pl.col("key").is_in(list(wanted))).get_column("row").unique().sort()
    rows = hits.head(most)
    return only(events, keys, rows)


def _distance(member: OpenMember, span: Window) -> int:
    """How far (ns) the member's time range lies from T; unknown ranges come last."""
    if member.first is None:
        return LATEST_NS
    last = member.last if member.last is not None else member.first
    return max(member.first - span.pin, span.pin - last, 0)
