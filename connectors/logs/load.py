"""The full load of a window from the files of one source, in batches, nearest to T first.

A plain generator that may block: `bridge.in_thread` drives it from an event loop. Two chunks are
parsed at a time; order, and therefore every answer, does not depend on which is ready first.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from connectors.logs.chunk import Chunk, Reading, no_events, no_keys, read_chunk, read_whole
from connectors.logs.csvtable import read_csv_export
from connectors.logs.locate import RESORT_MARGIN_NS
from connectors.logs.plan import Piece, Plan, plan_rest, plan_window
from connectors.logs.sight import Cut, Reach, coverage_of
from connectors.logs.sources import OpenMember, OpenSource, Sort
from connectors.logs.streamed import window_blocks
from connectors.logs.tally import Tally, remarks_of
from connectors.logs.unknown import unknown_format
from timeline.batch import Batch, Remark
from timeline.keys import KeyRules
from timeline.problems import SourceProblem
from timeline.window import Budget, Window

PARALLEL_CHUNKS = 2
"""Chunks parsed at once: the second hides the first one's single-threaded stretches."""


@dataclass
class _State:
    """What has been read so far, for budget, remarks and coverage."""

    tally: Tally = field(default_factory=Tally)
    reasons: Counter[str] = field(default_factory=Counter)
    edges: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    """(file, start, end, first stamp, last stamp) of every chunk with a dated record."""
    remarks: list[Remark] = field(default_factory=list)
    reaches: dict[str, Reach] = field(default_factory=dict)
    cut: Cut | None = None
    rows: int = 0
    bytes: int = 0
    backward: dict[str, int] = field(default_factory=dict)
    """Largest step back (ns) by file."""


@dataclass(frozen=True)
class _Parsed:
    """A parsed piece and the bytes `[start, end)` of the file it was."""

    chunk: Chunk
    member: OpenMember
    start: int
    end: int


class WindowLoad:
    """One answer to one window. `stop` ends it between two chunks."""

    def __init__(
        self,
        source: str,
        opened: OpenSource,
        key_rules: KeyRules,
        window: Window,
        budget: Budget,
        stop: threading.Event | None = None,
    ) -> None:
        self._source = source
        self._opened = opened
        self._key_rules = key_rules
        self._window = window
        self._budget = budget
        self._stop = stop or threading.Event()
        self._deadline = time.monotonic() + budget.seconds
        self._state = _State()

    @property
    def tally(self) -> Tally:
        """The account of every byte read so far."""
        return self._state.tally

    def batches(self) -> Iterator[Batch]:
        """Events as they are parsed; the last batch carries coverage and remarks."""
        plans: dict[str, Plan] = {}
        yield from self._plain(plans)
        yield from self._widened(plans)
        for member in self._opened.members:
            if member.sort is Sort.COMPRESSED:
                yield from self._compressed(member)
            elif member.sort is Sort.CSV:
                yield from self._csv(member)
            elif member.sort is Sort.WHOLE:
                yield from self._whole(member)
            elif member.sort is Sort.UNKNOWN:
                yield self._unknown(member)
        yield self._summary()

    def _plain(self, plans: dict[str, Plan]) -> Iterator[Batch]:
        pieces: list[tuple[OpenMember, Piece]] = []
        for member in self._opened.members:
            if member.sort is Sort.PLAIN and member.log is not None:
                plan = plans[member.member.path] = plan_window(
                    member.log, member.dialect, self._window
                )
                pieces += [(member, piece) for piece in plan.pieces]
                self._reach(member, member.first, member.last)
            elif member.sort is Sort.EMPTY:
                self._reach(member, None, None)
        pieces.sort(key=lambda pair: (pair[1].distance, pair[0].place.seq_base, pair[1].start))
        yield from self._read(pieces, plans)

    def _widened(self, plans: dict[str, Plan]) -> Iterator[Batch]:
        """Read the rest of every file whose lines turned out to be far out of order."""
        rest: list[tuple[OpenMember, Piece]] = []
        for member in self._opened.members:
            path = member.member.path
            plan = plans.get(path)
            if plan is None or member.log is None or not plan.in_order:
                continue
            if self._state.backward.get(path, 0) > RESORT_MARGIN_NS:
                plans[path] = replace(plan, in_order=False)
                rest += [(member, p) for p in plan_rest(member.log, member.dialect, plan)]
        yield from self._read(rest, plans)

    def _read(
        self, pieces: list[tuple[OpenMember, Piece]], plans: dict[str, Plan]
    ) -> Iterator[Batch]:
        """Parse pieces two at a time and hand them over in order.

        The piece that no longer fits the row budget contends for what is left with every other
        piece that reaches as near to T, so that the rows kept are the nearest on both sides.
        """
        contest: list[_Parsed] = []
        running: list[tuple[OpenMember, Piece, Future[Chunk]]] = []
        waiting = list(reversed(pieces))
        with ThreadPoolExecutor(PARALLEL_CHUNKS, "halfawake-log") as pool:
            while waiting or running:
                while waiting and len(running) < PARALLEL_CHUNKS:
                    member, piece = waiting[-1]
                    if contest and piece.distance >= self._farthest_kept(contest):
                        waiting.clear()
                    elif self._exhausted(piece.end - piece.start):
                        in_order = all(plan.in_order for plan in plans.values())
                        self._cut_at(piece.distance if in_order else 0)
                        waiting.clear()
                    else:
                        waiting.pop()
                        self._state.bytes += piece.end - piece.start
                        running.append((member, piece, pool.submit(self._parse, member, piece)))
                if not running:
                    break
                member, piece, future = running.pop(0)
                parsed = _Parsed(future.result(), member, piece.start, piece.end)
                if contest or parsed.chunk.events.height > self._room():
                    contest.append(parsed)
                else:
                    yield self._batch(parsed)
        yield from self._settled(contest)

    def _farthest_kept(self, contest: list[_Parsed]) -> int:
        """Distance (ns) from T at which the row budget ends, if these are all that contend."""
        distances = self._distances(contest).sort()
        room = self._room()
        return int(distances[room]) if distances.len() > room else 2**63 - 1

    def _distances(self, contest: list[_Parsed]) -> pl.Series:
        times = [item.chunk.events.get_column("timestamp") for item in contest]
        return (pl.concat(times) - self._window.pin).abs()

    def _settled(self, contest: list[_Parsed]) -> Iterator[Batch]:
        """Hand over the rows of the contending pieces that are nearest to T."""
        if not contest:
            return
        distances = self._distances(contest)
        room = self._room()
        nearest = distances.arg_sort()
        kept = nearest.head(room).sort()
        in_order = all(item.member.sort is not Sort.COMPRESSED for item in contest)
        if distances.len() > room:
            self._cut_at(int(distances[int(nearest[room])]) if in_order else 0, by_rows=True)
        begin = 0
        for item in contest:
            end = begin + item.chunk.events.height
            yield self._batch(item, kept.filter((kept >= begin) & (kept < end)) - begin)
            begin = end

    def _parse(self, member: OpenMember, piece: Piece) -> Chunk:
        raw = member.log.read(piece.start, piece.end - piece.start) if member.log else b""
        return read_chunk(raw, piece.start, self._reading(member))

    def _reading(self, member: OpenMember) -> Reading:
        return Reading(
            member.place, member.dialect, self._key_rules, self._window.start, self._window.end
        )

    def _compressed(self, member: OpenMember) -> Iterator[Batch]:
        newer = self._opened.newer(member)
        early, late = (
            self._window.start - RESORT_MARGIN_NS,
            self._window.end + RESORT_MARGIN_NS,
        )
        if member.first is not None and member.first > late:
            self._reach(member, member.first, member.first)
            return
        if newer is not None and newer.first is not None and newer.first < early:
            self._reach(member, member.first, newer.first)
            return
        last = None
        try:
            for base, raw in window_blocks(member, early, late):
                if self._exhausted(len(raw)):
                    self._cut_at(0)
                    break
                chunk = read_chunk(raw, base, self._reading(member))
                last = chunk.last_stamp or last
                self._state.bytes += len(raw)
                yield from self._whole_or_nearest(_Parsed(chunk, member, base, base + len(raw)))
        except SourceProblem as problem:
            self._state.remarks.append(Remark(self._source, "damaged", problem.sentence()))
            torn = Reach(member.name, member.first, last or member.first, from_start=True)
            self._state.reaches[member.member.path] = torn
        self._reach(member, member.first, last if last is not None else member.first)

    def _csv(self, member: OpenMember) -> Iterator[Batch]:
        raw = member.log.read(0, self._budget.bytes) if member.log else b""
        if member.log is not None and member.log.size > len(raw):
            self._cut_at(0)
        raw = raw if member.shape.ordinary else member.shape.text(raw).encode()
        export = read_csv_export(raw, self._reading(member))
        self._state.remarks += export.remarks
        self._reach(member, export.first, export.last)
        yield from self._whole_or_nearest(_Parsed(export.chunk, member, 0, 0))

    def _whole(self, member: OpenMember) -> Iterator[Batch]:
        """An array or wide text, whose newest record may stand first."""
        try:
            raw, complete = member.whole(self._budget.bytes - self._state.bytes)
        except SourceProblem as problem:
            self._state.remarks.append(Remark(self._source, "damaged", problem.sentence()))
            self._state.reaches[member.name] = Reach(member.name, problem=problem.sentence())
            return
        self._state.bytes += len(raw)
        if not complete:
            self._cut_at(0)
        chunk = read_whole(raw, member.shape, self._reading(member))
        ends = [item for item in (chunk.first_stamp, chunk.last_stamp) if item is not None]
        self._reach(member, min(ends, default=None), max(ends, default=None))
        yield from self._whole_or_nearest(_Parsed(chunk, member, 0, len(raw)))

    def _unknown(self, member: OpenMember) -> Batch:
        answer = unknown_format(member, self._budget.rows)
        self._state.remarks.append(answer.remark)
        self._state.reaches[member.member.path] = answer.reach
        return self._batch(_Parsed(answer.chunk, member, 0, 0))

    def _batch(self, parsed: _Parsed, rows: pl.Series | None = None) -> Batch:
        """Account for a parsed piece and hand it over, or only its `rows`."""
        state, chunk = self._state, parsed.chunk
        path = parsed.member.member.path
        state.tally = state.tally.plus(chunk.tally)
        state.reasons.update(dict(chunk.undated_reasons))
        state.backward[path] = max(state.backward.get(path, 0), chunk.tally.farthest_back)
        if chunk.first_stamp is not None and chunk.last_stamp is not None:
            edge = (path, parsed.start, parsed.end, chunk.first_stamp, chunk.last_stamp)
            state.edges.append(edge)
        events, keys = chunk.events, chunk.keys
        if rows is not None:
            events, keys = only(events, keys, rows)
        state.rows += events.height
        return Batch(
            self._source, events, keys, undated=chunk.undated, bytes_read=chunk.tally.bytes_read
        )

    def _whole_or_nearest(self, parsed: _Parsed) -> Iterator[Batch]:
        if parsed.chunk.events.height > self._room():
            yield from self._settled([parsed])
        else:
            yield self._batch(parsed)

    def _room(self) -> int:
        return self._budget.rows - self._state.rows

    def _exhausted(self, wanted: int) -> bool:
        state = self._state
        return (
            self._stop.is_set()
            or state.rows >= self._budget.rows
            or state.bytes + wanted > self._budget.bytes
            or time.monotonic() > self._deadline
        )

    def _cut_at(self, distance: int, *, by_rows: bool = False) -> None:
        """Remember the nearest place to T beyond which something was not read."""
        near = max(0, distance - max(self._state.backward.values(), default=0))
        if self._state.cut is None or near < self._state.cut.distance:
            self._state.cut = Cut(near, self._cut_reason(by_rows=by_rows))

    def _cut_reason(self, *, by_rows: bool) -> str:
        if by_rows or self._room() <= 0:
            return f"reading stopped at {self._budget.rows:,} events"
        if time.monotonic() > self._deadline:
            return f"reading stopped after {self._budget.seconds:g} s"
        return f"reading stopped at {self._budget.bytes // 2**20:,} MB"

    def _reach(self, member: OpenMember, first: int | None, last: int | None) -> None:
        """Widen what the member's rotation set reaches over."""
        family = member.member.family
        name = Path(family).name
        known = self._state.reaches.get(family, Reach(name))
        firsts = [item for item in (known.first, first) if item is not None]
        lasts = [item for item in (known.last, last) if item is not None]
        self._state.reaches[family] = replace(
            known, first=min(firsts, default=None), last=max(lasts, default=None)
        )

    def _summary(self) -> Batch:
        state = self._state
        state.tally = state.tally.plus(self._steps_between_chunks())
        remarks = [*remarks_of(self._source, state.tally, dict(state.reasons)), *state.remarks]
        for problem in self._opened.problems:
            name = problem.where or self._source
            state.reaches[name] = Reach(name, problem=problem.sentence())
        for member in self._opened.members:
            remarks += self._changes_while_reading(member)
        if state.cut is not None:
            remarks.append(Remark(self._source, "cut", state.cut.reason, state.rows))
        coverage = coverage_of(self._source, self._window, tuple(state.reaches.values()), state.cut)
        return Batch(
            self._source, no_events(), no_keys(), coverage=coverage, remarks=tuple(remarks)
        )

    def _steps_between_chunks(self) -> Tally:
        """Steps back in time from the last line of one chunk to the first of the next."""
        steps = [
            before[4] - after[3]
            for before, after in zip(
                sorted(self._state.edges), sorted(self._state.edges)[1:], strict=False
            )
            if before[0] == after[0] and before[2] == after[1] and after[3] < before[4]
        ]
        return Tally(backward=len(steps), farthest_back=max(steps, default=0))

    def _changes_while_reading(self, member: OpenMember) -> list[Remark]:
        if member.log is None:
            return []
        found = []
        if os.fstat(member.log.fd).st_size < member.log.size:
            sentence = (
                f"{member.name} was truncated while it was read; what had been read was kept. "
                "Look for a copy made before the truncation"
            )
            found.append(Remark(self._source, "truncated", sentence))
            self._state.reaches[member.member.path] = Reach(member.name, problem=sentence)
        try:
            moved = Path(member.member.path).stat().st_ino != member.inode
        except OSError:
            moved = True
        if moved:
            sentence = (
                f"{member.name} was rotated while it was read; the old file was read to its end"
            )
            found.append(Remark(self._source, "rotated", sentence))
        return found


def only(
    events: pl.DataFrame, keys: pl.DataFrame, rows: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The given rows (ascending) of an EVENT_SCHEMA frame, and their keys."""
    moved = pl.DataFrame({"row": rows.cast(pl.UInt32)}).with_row_index("new")
    kept = keys.join(moved, on="row", how="inner", maintain_order="left")
    return events[rows], kept.select(pl.col("new").cast(pl.UInt32).alias("row"), "key")
