"""One run of a command: its output parsed while it comes, its end and its complaints told."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace

import polars as pl

from connectors.logs.chunk import Chunk, Reading, no_events, no_keys, read_chunk
from connectors.logs.csvhead import looks_like_csv
from connectors.logs.csvtable import read_csv_export
from connectors.logs.dialect import Dialect, decide
from connectors.logs.formats import CSV, NAMES
from connectors.logs.lines import lines_of
from connectors.logs.load import only
from connectors.logs.locate import text_of
from connectors.logs.process import complaint, end, filled, gone, said, start
from connectors.logs.record import Place
from connectors.logs.recurring import Recurring
from connectors.logs.sight import Cut, Reach, coverage_of
from connectors.logs.streamed import RecordBlocks
from connectors.logs.tally import Tally, remarks_of
from connectors.logs.unknown import undated_chunk
from connectors.logs.zones import ZoneRule
from timeline.batch import Batch, Remark
from timeline.clean import clean_column
from timeline.keys import KeyRules
from timeline.problems import Unreachable
from timeline.window import SECOND_NS, Budget, Window

SAMPLE_BYTES = 64 * 1024
"""Output gathered before its format is decided."""
SAMPLE_WAIT_S = 2.0
"""A command that prints slowly is decided on what it has printed by then."""
BLOCK_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024


class CommandRun:
    """Runs a command once and yields batches; the last one carries coverage and remarks."""

    def __init__(
        self,
        source: str,
        argv: Sequence[str],
        window: Window,
        budget: Budget,
        key_rules: KeyRules,
        *,
        zone: ZoneRule,
        service: str,
        format_name: str | None,
        timeout_s: float,
    ) -> None:
        self._source = source
        self._argv = argv
        self._window = window
        self._budget = budget
        self._key_rules = key_rules
        self._zone = zone
        self._format = format_name
        self._seconds = min(timeout_s, budget.seconds)
        self._place = Place(source, source, 0, service, source)
        self._tally = Tally()
        self._reasons: Counter[str] = Counter()
        self._remarks: list[Remark] = []
        self._names = Recurring()
        self._rows = 0
        self._bytes = 0
        self._first: int | None = None
        self._last: int | None = None
        self._cut: Cut | None = None
        self._unknown = False

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Start, parse, wait, tell. Cancelling ends the process within a second."""
        process = await start(filled(self._argv, self._window))
        if process.stdout is None or process.stderr is None:
            raise Unreachable("The command has no output to read", where=self._argv[0])
        complaints = asyncio.ensure_future(complaint(process.stderr))
        deadline = time.monotonic() + self._seconds
        try:
            async for batch in self._parsed(process.stdout, deadline):
                yield batch
            if self._cut is None and not await gone(process, deadline):
                self._stop(f"the command was ended after {self._seconds:g} s")
            if self._cut is not None:
                await end(process, complaints)
            code = await process.wait()
            yield self._summary(code, await said(complaints))
        finally:
            await end(process, complaints)

    async def _parsed(self, stream: asyncio.StreamReader, deadline: float) -> AsyncIterator[Batch]:
        head = await self._head(stream, deadline)
        lines = [text_of(line) for line in head.rstrip(b"\n").split(b"\n")] if head else []
        if self._format == CSV or (self._format is None and looks_like_csv(lines)):
            whole = head + b"".join([block async for block in self._blocks(stream, deadline)])
            yield await asyncio.to_thread(self._csv, whole)
            return
        not_after = self._window.end // SECOND_NS
        dialect = decide(lines, self._zone, not_after, self._format)
        if lines and not dialect.known:
            self._unknown = True
            whole = head + b"".join([block async for block in self._blocks(stream, deadline)])
            yield self._listed(whole)
            return
        blocks = RecordBlocks(dialect, BLOCK_BYTES)
        ready = blocks.push(head)
        async for block in self._blocks(stream, deadline):
            for base, raw in ready:
                yield await asyncio.to_thread(self._text, raw, base, dialect)
            ready = blocks.push(block)
            if self._rows >= self._budget.rows:
                self._stop(f"reading stopped at {self._budget.rows:,} events")
                break
        for base, raw in [*ready, *blocks.rest()]:
            yield await asyncio.to_thread(self._text, raw, base, dialect)

    async def _head(self, stream: asyncio.StreamReader, deadline: float) -> bytes:
        """Enough output to decide the format on, or all that came in a short while."""
        head = b""
        until = min(deadline, time.monotonic() + SAMPLE_WAIT_S)
        while len(head) < SAMPLE_BYTES and (left := until - time.monotonic()) > 0:
            try:
                block = await asyncio.wait_for(stream.read(READ_BYTES), left)
            except TimeoutError:
                if b"\n" in head:
                    break
                until = min(deadline, time.monotonic() + SAMPLE_WAIT_S)
                continue
            if not block:
                break
            head += block
        self._bytes += len(head)
        return head

    async def _blocks(self, stream: asyncio.StreamReader, deadline: float) -> AsyncIterator[bytes]:
        """Output until its end, the deadline or the byte budget."""
        while True:
            left = deadline - time.monotonic()
            try:
                block = await asyncio.wait_for(stream.read(READ_BYTES), max(left, 0.001))
            except TimeoutError:
                self._stop(f"the command was ended after {self._seconds:g} s")
                return
            if not block:
                return
            self._bytes += len(block)
            if self._bytes > self._budget.bytes:
                self._stop(f"reading stopped at {self._budget.bytes // 2**20:,} MB")
                return
            yield block

    def _stop(self, reason: str) -> None:
        self._cut = self._cut or Cut(0, reason)

    def _text(self, raw: bytes, base: int, dialect: Dialect) -> Batch:
        chunk = read_chunk(raw, base, self._reading(dialect))
        attributes = None
        if dialect.json is not None and chunk.events.height:
            attributes = _objects(raw, base, chunk.events)
        stamps = [s for s in (chunk.first_stamp, chunk.last_stamp) if s is not None]
        return self._batch(chunk, attributes, stamps)

    def _csv(self, raw: bytes) -> Batch:
        export = read_csv_export(raw, self._reading(Dialect(zone=self._zone)))
        self._remarks += export.remarks
        stamps = [stamp for stamp in (export.first, export.last) if stamp is not None]
        return self._batch(export.chunk, None, stamps)

    def _listed(self, raw: bytes) -> Batch:
        chunk, _ = undated_chunk(raw, 0, self._place, self._budget.rows)
        sentence = (
            f"the format of the output is not known: {chunk.undated.height:,} lines are listed "
            f"without a time; set format to one of {', '.join(NAMES)}"
        )
        self._remarks.append(Remark(self._source, "format-unknown", sentence, chunk.undated.height))
        return self._batch(chunk, None, [])

    def _reading(self, dialect: Dialect) -> Reading:
        dialect = replace(dialect, not_after=self._window.end // SECOND_NS)
        return Reading(self._place, dialect, self._key_rules, self._window.start, self._window.end)

    def _batch(self, chunk: Chunk, attributes: pl.Series | None, stamps: list[int]) -> Batch:
        self._tally = self._tally.plus(chunk.tally)
        self._reasons.update(dict(chunk.undated_reasons))
        if stamps:
            self._first = min([*stamps, *([] if self._first is None else [self._first])])
            self._last = max([*stamps, *([] if self._last is None else [self._last])])
        events = self._names.named(chunk.events, attributes)
        keys = chunk.keys
        room = max(0, self._budget.rows - self._rows)
        if events.height > room:
            distances = (events.get_column("timestamp") - self._window.pin).abs()
            events, keys = only(events, keys, distances.arg_sort().head(room).sort())
            self._stop(f"reading stopped at {self._budget.rows:,} events")
        self._rows += events.height
        return Batch(
            self._source,
            events,
            keys,
            undated=chunk.undated,
            bytes_read=chunk.tally.bytes_read,
        )

    def _summary(self, code: int, complaint_text: str) -> Batch:
        failed = code != 0 and self._cut is None
        words = f"{self._argv[0]} ended with exit code {code}" + (
            f": {complaint_text}" if complaint_text else ""
        )
        if failed and self._bytes == 0:
            raise Unreachable(
                words, where=self._source, remedy="Run the command by hand to see why."
            )
        joined = " ".join(self._argv)
        reach = Reach(
            self._argv[0],
            self._first,
            self._last,
            from_start="{from" in joined,
            to_end="{to" in joined and not failed,
            older="give the command {from}, so that it begins with the window",
        )
        reaches = [reach]
        remarks = [*remarks_of(self._source, self._tally, dict(self._reasons)), *self._remarks]
        if failed:
            self._cut = Cut(0, words, "run the command by hand to see why")
            remarks.append(Remark(self._source, "command-failed", words))
        elif self._cut is not None:
            remarks.append(Remark(self._source, "cut", self._cut.reason, self._rows))
        if self._unknown:
            reaches = [Reach(self._argv[0], problem="the format of its output is not known")]
        coverage = coverage_of(self._source, self._window, reaches, self._cut)
        return Batch(
            self._source, no_events(), no_keys(), coverage=coverage, remarks=tuple(remarks)
        )


def _objects(raw: bytes, base: int, events: pl.DataFrame) -> pl.Series:
    """The whole line of each event that is JSON: a command's output cannot be read again."""
    lines, _ = lines_of(raw, base)
    own = events.select("offset").join(lines, on="offset", how="left", maintain_order="left")
    is_object = pl.col("text").str.starts_with("{")
    return clean_column(own.select(pl.when(is_object).then("text")).to_series())
