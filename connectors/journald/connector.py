"""The journald connector: entries nearest T first, forwards and backwards from it.

Owns what may be claimed: rotation and vacuuming forget the oldest entries, a rate limit drops
what it says it drops, and an account outside the right groups sees only its own messages.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel  # noqa: TC002  the class attribute names it at run time

from connectors.contract import Answer, CheckReport
from connectors.journald.options import (
    ARRIVAL_MARGIN_NS,
    JournaldOptions,
    command,
    entries_command,
    oldest_command,
)
from connectors.logs.bridge import in_thread
from connectors.logs.program import Program
from connectors.logs.sight import instant
from connectors.logs.zones import ZoneRule
from timeline.batch import Batch, Remark
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Lane
from timeline.keys import KeyRules, split_key
from timeline.problems import AccessRefused, NothingHere, SourceProblem, Unreachable
from timeline.window import Budget, Window

if TYPE_CHECKING:
    from connectors.journald.entries import Page
    from connectors.logs.sources import Settings

READING_SHARE = 0.85
"""Of the time it may take; the rest is for ending the process and for the account."""
FIRST_BLOCK_BYTES = 64 * 1024
"""The entries next to T are on the screen first."""
BLOCK_BYTES = 1024 * 1024
_ARRIVED = re.compile(rb'"__REALTIME_TIMESTAMP"\s*:\s*"([0-9]{1,17})"')


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    deadline: float
    rows: int
    bytes: int
    keys: frozenset[str] = frozenset()
    found: set[str] = field(default_factory=set)
    coverage: list[Coverage] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    boots: dict[str, None] = field(default_factory=dict)


class JournaldConnector:
    """One journal. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "journald"
    lane: ClassVar[Lane] = Lane.LOG
    Options: ClassVar[type[BaseModel]] = JournaldOptions
    runs: ClassVar[tuple[str, ...]] = ("journalctl",)

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, JournaldOptions):
            raise TypeError("JournaldConnector needs JournaldOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._numbers: dict[str, int] = {}

    async def check(self) -> CheckReport:
        """The program's version, how far back the journal reaches, and who may see what."""
        if self._options.exported:
            from connectors.logs.describe import describe

            return await asyncio.to_thread(describe, self.source, self._settings())
        deadline = time.monotonic() + self._options.timeout_s
        version = Program(command(self._options, "--version", chosen=False), deadline, 64 * 1024)
        output = (await version.output()).decode("utf-8", "replace")
        oldest, complaint = await self._oldest(deadline)
        if oldest is None:
            raise self._refusal(complaint) if complaint else self._nothing()
        chosen = (*self._options.units, *self._options.user_units, *self._options.identifiers)
        cannot = ["what was rotated or vacuumed away before that entry"]
        if "not seeing messages" in complaint:
            cannot.append("messages of other users and of the system: join the group adm")
        return CheckReport(
            f"journald ({output.splitlines()[0].strip() if output else 'unknown version'})",
            (
                f"the oldest entry is of {instant(oldest)}",
                f"limited to {', '.join(chosen)}" if chosen else "all units are read",
            ),
            (*cannot, "what the rate limit dropped; where journald says so, it is shown"),
            retention=(f"the oldest entry is of {instant(oldest)}",),
            no_account="journalctl reads the journal with your own rights",
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Answer]:
        """Entries from T on, then from T back; the last batch carries coverage and remarks."""
        reading = self._begin(budget)
        async for batch in self._read(reading, window, budget):
            yield batch
        if not self._options.exported:
            await self._horizon(reading, window)
        yield self._batch_of_words(reading, window)

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Entries of `span` whose message carries any of `keys`; the journal has no such index."""
        wanted = frozenset(key for key in keys if split_key(key)[0] not in ("", "row"))
        if not wanted:
            return
        reading = self._begin(budget, wanted)
        async for batch in self._read(reading, span, budget):
            yield batch
        missing = sorted(wanted - reading.found)
        if missing:
            sentence = f"{', '.join(missing[:10])}: in no message of the window's entries"
            reading.remarks.append(Remark(self.source, "not-found", sentence, len(missing)))
        yield self._batch_of_words(reading, None)

    async def clock(self) -> ClockReading | None:
        """None: the journal has no clock to read."""
        return None

    async def close(self) -> None:
        """Nothing stays running between questions."""

    def _begin(self, budget: Budget, keys: frozenset[str] = frozenset()) -> _Reading:
        seconds = min(budget.seconds, self._options.timeout_s)
        deadline = time.monotonic() + seconds * READING_SHARE
        return _Reading(deadline, budget.rows, budget.bytes, keys)

    async def _read(
        self, reading: _Reading, window: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        if self._options.exported:
            from connectors.journald.entries import losses

            stop = threading.Event()
            found = in_thread(self._load(window, budget, stop), stop)
            async with aclosing(found) as batches:
                async for batch in batches:
                    reading.coverage += losses(batch.events, self.source)
                    yield self._taken(reading, batch)
            return
        middle = min(max(window.pin, window.start), window.end)
        if middle < window.end:
            after = Window(window.pin, middle, window.end)
            share = reading.rows if middle == window.start else -(-reading.rows // 2)
            async with aclosing(self._half(reading, after, False, share)) as batches:
                async for batch in batches:
                    yield batch
        if window.start < middle:
            before = Window(window.pin, window.start, middle)
            async with aclosing(self._half(reading, before, True, reading.rows)) as batches:
                async for batch in batches:
                    yield batch

    async def _half(
        self, reading: _Reading, half: Window, newest_first: bool, rows: int
    ) -> AsyncGenerator[Batch, None]:
        """One run of journalctl, from T outwards, until its rows are had."""
        from connectors.journald.entries import read_entries

        words = entries_command(
            self._options, half.start, half.end + ARRIVAL_MARGIN_NS, newest_first=newest_first
        )
        run = Program(words, reading.deadline, reading.bytes)
        reached: int | None = None
        async with aclosing(run.blocks()) as blocks:
            async for block in _whole_lines(blocks):
                page = await asyncio.to_thread(
                    read_entries, block, self.source, self._key_rules, half
                )
                self._learn(reading, page)
                reached = page.last or reached
                batch = self._kept(reading, page, rows)
                rows -= batch.events.height
                if rows <= 0 and batch.events.height:
                    reached = int(batch.events.get_column("timestamp")[-1])
                yield batch
                if rows <= 0:
                    run.stopped = run.stopped or "the row budget was reached"
                    break
        reading.bytes -= run.bytes
        if run.stopped:
            self._cut(reading, half, newest_first, reached, run.stopped)
        elif run.code != 0:
            problem = self._refusal(run.complaint)
            if run.bytes == 0:
                raise problem
            self._cut(reading, half, newest_first, reached, problem.what)
        elif "not seeing messages" in run.complaint:
            self._weak(reading, half, "messages of other users and the system are hidden from this "
                       "account", "join the group adm or systemd-journal")  # fmt: skip

    def _kept(self, reading: _Reading, page: Page, rows: int) -> Batch:
        from connectors.journald.entries import losses
        from connectors.logs.tally import remarks_of

        chunk = page.chunk
        events, keys = chunk.events, chunk.keys
        reading.coverage += losses(events, self.source)
        tally = replace(chunk.tally, backward=0, farthest_back=0)  # newest first is no disorder
        reading.remarks += remarks_of(self.source, tally, dict(chunk.undated_reasons))
        batch = Batch(
            self.source, events, keys, undated=chunk.undated, bytes_read=chunk.tally.bytes_read
        )
        batch = self._taken(reading, batch)
        if batch.events.height > rows:
            from connectors.logs.load import only

            chosen = batch.events.with_row_index("row").head(rows).get_column("row")
            events, keys = only(batch.events, batch.keys, chosen)
            batch = replace(batch, events=events, keys=keys)
        reading.rows -= batch.events.height
        return batch

    def _taken(self, reading: _Reading, batch: Batch) -> Batch:
        """The batch, or what of it carries a wanted key."""
        if not reading.keys:
            return batch
        from connectors.logs.nearest import carrying

        events, keys, found = carrying(batch.events, batch.keys, reading.keys)
        reading.found |= found
        return replace(batch, events=events, keys=keys, coverage=())

    def _learn(self, reading: _Reading, page: Page) -> None:
        reading.boots.update(dict.fromkeys(page.boots))
        for at, step in page.steps:
            sentence = (
                f"the machine's wall clock was set by {step / 1e9:+.3f} s before {instant(at)}; "
                "times on both sides of that cannot be compared"
            )
            reading.remarks.append(Remark(self.source, "clock", sentence))

    def _cut(
        self, reading: _Reading, half: Window, newest_first: bool, reached: int | None, why: str
    ) -> None:
        """What lies beyond the last entry that was read, seen from T."""
        sentence = f"reading stopped: {why}"
        reading.remarks.append(Remark(self.source, "cut", sentence))
        start, end = half.start, half.end
        if reached is not None and newest_first:
            end = min(max(reached, start + 1), end)
        elif reached is not None:
            start = max(min(reached - ARRIVAL_MARGIN_NS, end - 1), start)
        remedy = "name units, narrow the window, or raise the budget"
        reading.coverage.append(Coverage(self.source, start, end, Sight.PARTIAL, sentence, remedy))

    def _weak(self, reading: _Reading, half: Window, reason: str, remedy: str) -> None:
        reading.coverage.append(
            Coverage(self.source, half.start, half.end, Sight.PARTIAL, reason, remedy)
        )

    async def _horizon(self, reading: _Reading, window: Window) -> None:
        """Full sight from the oldest entry that is kept; before it, nothing is known."""
        oldest, _ = await self._oldest(time.monotonic() + self._options.timeout_s / 10)
        now = time.time_ns()
        start, end = window.start, min(max(now, window.start), window.end)
        if oldest is None or oldest > start:
            until = window.end if oldest is None else min(oldest, window.end)
            reason = (
                "the journal's oldest entry could not be read"
                if oldest is None
                else f"the journal begins {instant(oldest)}: older entries were rotated or vacuumed"
            )
            self._weak(reading, Window(window.pin, start, until), reason, "see SystemMaxUse=")
            start = until
        if end < window.end and start < window.end:
            later = Window(window.pin, max(start, end), window.end)
            self._weak(reading, later, "this had not happened yet when the journal was read", "")
        if start < end:
            reading.coverage.append(Coverage(self.source, start, end, Sight.FULL))

    async def _oldest(self, deadline: float) -> tuple[int | None, str]:
        """Arrival (ns) of the oldest entry kept, and what journalctl complained of."""
        run = Program(oldest_command(self._options), deadline, 64 * 1024 * 1024)
        async with aclosing(run.blocks()) as blocks:
            async for block in blocks:
                if (found := _ARRIVED.search(block)) is not None:
                    return int(found.group(1)) * 1_000, run.complaint
        return None, run.complaint

    def _batch_of_words(self, reading: _Reading, window: Window | None) -> Batch:
        """The closing batch; without a window, that of a look-up, it claims no coverage."""
        from connectors.logs.chunk import no_events, no_keys

        if len(reading.boots) > 1:
            sentence = f"the machine started anew: {len(reading.boots)} boots are in the window"
            reading.remarks.append(Remark(self.source, "boot", sentence, len(reading.boots)))
        coverage = tuple(dict.fromkeys(reading.coverage)) if window is not None else ()
        remarks = tuple(dict.fromkeys(reading.remarks))
        return Batch(self.source, no_events(), no_keys(), coverage=coverage, remarks=remarks)

    def _refusal(self, complaint: str) -> SourceProblem:
        where = " ".join(self._options.journalctl)
        words = complaint or "journalctl gave no reason"
        lowered = words.lower()
        if "permission" in lowered or "not seeing messages" in lowered:
            return AccessRefused(
                words, where=where, remedy="Join the group adm or systemd-journal, or use sudo."
            )
        if "no journal files were found" in lowered:
            return self._nothing()
        return Unreachable(words, where=where, remedy="Run it by hand to see why.")

    def _nothing(self) -> NothingHere:
        return NothingHere(
            "The journal holds no entry",
            where=" ".join(self._options.journalctl),
            remedy="Does journald run here, and does it keep a journal (Storage=)?",
        )

    def _settings(self) -> Settings:
        from connectors.logs.sources import Settings

        return Settings(self._options.exported, ZoneRule())

    def _load(
        self, window: Window, budget: Budget, stop: threading.Event
    ) -> Generator[Batch, None, None]:
        from connectors.logs.load import WindowLoad
        from connectors.logs.sources import open_source

        opened = open_source(self.source, self._settings(), self._numbers)
        try:
            load = WindowLoad(self.source, opened, self._key_rules, window, budget, stop)
            yield from load.batches()
        finally:
            opened.close()


async def _whole_lines(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The output regrouped into larger pieces that end at a line's end; the first is small."""
    parts: list[bytes] = []
    held, wanted = 0, FIRST_BLOCK_BYTES
    async for block in blocks:
        parts.append(block)
        held += len(block)
        if held < wanted or b"\n" not in block:
            continue
        whole, newline, torn = b"".join(parts).rpartition(b"\n")
        yield whole + newline
        parts, held, wanted = [torn], len(torn), BLOCK_BYTES
    if rest := b"".join(parts):
        yield rest
