"""Which byte ranges of a plain log answer a window, nearest to T first.

Ranges begin and end where records begin, so that each can be parsed by itself. A file that is not
in time order cannot be bisected: then all of it is planned, and the caller's budget decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from connectors.logs.dialect import Dialect
from connectors.logs.locate import (
    RESORT_MARGIN_NS,
    OpenLog,
    first_dated,
    looks_sorted,
    lower_bound,
    record_start,
)
from timeline.window import Window

FIRST_PIECE_BYTES = 1024 * 1024
"""The pieces next to T are small: they are on the screen first."""
PIECE_BYTES = 5 * 512 * 1024
"""Larger pieces stall the screen and multiply peak memory; smaller ones cost throughput."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes `[start, end)`. No event nearer to T than `distance` (ns) stands in it, if sorted."""

    start: int
    end: int
    distance: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The pieces of one file. `low`/`high` bound them; `in_order` is what the probes showed."""

    pieces: tuple[Piece, ...]
    low: int
    high: int
    in_order: bool


def plan_window(log: OpenLog, dialect: Dialect, window: Window) -> Plan:
    """Bisect the window, widened by the re-sort margin, and cut it into pieces around T.

    A file none of whose lines has a time that can be used is read whole, so that it is told why.
    """
    if first_dated(log, dialect, 0, log.size) is None or not looks_sorted(log, dialect):
        return Plan(tuple(_cut(log, dialect, 0, log.size, 0, None)), 0, log.size, in_order=False)
    low = lower_bound(log, dialect, window.start - RESORT_MARGIN_NS)
    high = lower_bound(log, dialect, window.end + RESORT_MARGIN_NS)
    if low < log.size and first_dated(log, dialect, 0, low) is None:
        low = 0  # what stands before the first dated line is accounted for too
    middle = min(max(lower_bound(log, dialect, window.pin), low), high)
    pieces = _cut(log, dialect, low, high, middle, window.pin)
    return Plan(tuple(pieces), low, high, in_order=True)


def plan_rest(log: OpenLog, dialect: Dialect, plan: Plan) -> tuple[Piece, ...]:
    """What `plan` left out of the file; read when its lines turn out not to be in time order."""
    before = _cut(log, dialect, 0, plan.low, plan.low, None)
    after = _cut(log, dialect, plan.high, log.size, plan.high, None)
    return tuple([*after, *before])


def whole(log: OpenLog, dialect: Dialect, piece_bytes: int) -> tuple[Piece, ...]:
    """The whole file in pieces of about `piece_bytes`, newest first."""
    edges = _edges(log, dialect, 0, log.size, piece_bytes, piece_bytes)
    pieces = [Piece(a, b, 0) for a, b in pairwise(edges)]
    return tuple(reversed(pieces))


def _cut(
    log: OpenLog, dialect: Dialect, low: int, high: int, middle: int, pin: int | None
) -> list[Piece]:
    """Pieces of `[low, high)` that grow with their distance from `middle`, nearest first."""
    after = _edges(log, dialect, middle, high, FIRST_PIECE_BYTES, PIECE_BYTES)
    before = _edges_back(log, dialect, low, middle)
    pieces = [
        Piece(start, end, _distance(log, dialect, start, pin)) for start, end in pairwise(after)
    ]
    pieces += [
        Piece(start, end, _distance(log, dialect, end, pin)) for start, end in pairwise(before)
    ]
    return sorted(pieces, key=lambda piece: (piece.distance, piece.start))


def _edges(log: OpenLog, dialect: Dialect, low: int, high: int, first: int, size: int) -> list[int]:
    """Piece boundaries from `low` up to `high`, each at the start of a record."""
    edges = [low]
    step = first
    while edges[-1] < high:
        edge = high
        if edges[-1] + step < high:
            edge = min(record_start(log, dialect, edges[-1] + step), high)
        edges.append(edge)
        step = size
    return edges


def _edges_back(log: OpenLog, dialect: Dialect, low: int, high: int) -> list[int]:
    """Piece boundaries from `high` down to `low`, returned in ascending order."""
    edges = [high]
    step = FIRST_PIECE_BYTES
    while edges[-1] > low:
        edge = low
        target = edges[-1] - step
        if target > low:
            edge = record_start(log, dialect, target)
            if edge >= edges[-1]:  # one record fills the whole step: take a longer one
                step *= 2
                continue
        edges.append(edge)
        step = PIECE_BYTES
    return edges[::-1]


def _distance(log: OpenLog, dialect: Dialect, edge: int, pin: int | None) -> int:
    if pin is None:
        return 0
    found = first_dated(log, dialect, edge, log.size)
    return 0 if found is None else abs(found[1] - pin)
