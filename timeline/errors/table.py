"""The whole table, checked once at import: no text twice, every text findable by the prefilter.

Standard library only. Order does not matter: the matcher ranks hits by evidence and position.
"""

from __future__ import annotations

from timeline.errors import (
    closed,
    codes,
    dialects,
    gateway,
    pools,
    records,
    refused,
    server_states,
    timeouts,
    unreachable,
)
from timeline.errors.kinds import Fragment

WORDINGS: tuple[Fragment, ...] = (
    refused.FRAGMENTS
    + timeouts.FRAGMENTS
    + closed.FRAGMENTS
    + unreachable.FRAGMENTS
    + pools.FRAGMENTS
    + gateway.FRAGMENTS
    + server_states.FRAGMENTS
    + records.FRAGMENTS
    + dialects.FRAGMENTS
)
"""What programs say."""

FRAGMENTS: tuple[Fragment, ...] = WORDINGS + codes.FRAGMENTS
"""Wordings and spelled-out codes."""
