"""Counts as signs in one line: rising blocks for what flows, ticks for what happens once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.event import Lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.glyphs import Glyphs
    from tui.pieces import Piece
    from tui.theme import Role

TICKED = frozenset({Lane.DATABASE, Lane.CHANGE, Lane.NOTE})
"""Lanes of single occurrences: each is a tick, not a height."""


def bar_row(counts: Sequence[int], roles: Sequence[Role], glyphs: Glyphs) -> list[Piece]:
    """One cell for each count, scaled so that the largest is full.

    One event is never drawn as nothing, and only the peak is drawn full.
    """
    steps, peak = len(glyphs.bars), max(counts, default=0)
    return [
        (glyphs.bars[-(-count * steps // peak) - 1], role) if count else (glyphs.empty, "text")
        for count, role in zip(counts, roles, strict=True)
    ]


def tick_row(
    lane: Lane, counts: Sequence[int], roles: Sequence[Role], glyphs: Glyphs
) -> list[Piece]:
    """One cell for each count: one, several, or nothing."""
    return [_tick(lane, count, role, glyphs) for count, role in zip(counts, roles, strict=True)]


def _tick(lane: Lane, count: int, role: Role, glyphs: Glyphs) -> Piece:
    if not count:
        return glyphs.empty, "text"
    if lane is Lane.DATABASE:
        return glyphs.tick if count == 1 else glyphs.ticks, "text" if role == "faint" else role
    return glyphs.change, "info" if role == "faint" else role
