"""One side of a comparison: what carries its key, and how it ended.

Never says why it ended so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from timeline.event import SEVERITY_ERROR, Event, Kind, Lane
from timeline.keys import split_key
from timeline.line_shapes import ANSWERED
from timeline.story import links_of
from timeline.words import FAILED_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident

MOST_STEPS = 200
"""Steps of one side; a longer story is no longer read line by line."""


class Outcome(NamedTuple):
    """How it ended, in words; `well` is None where no end was seen."""

    words: str
    well: bool | None
    errors: int = 0
    """Error rows on the way there."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its rows in time order, how many more it has, and how it ended."""

    key: str
    events: tuple[Event, ...]
    more: int
    outcome: Outcome

    @property
    def began(self) -> int:
        return self.events[0].timestamp

    @property
    def lasted(self) -> int:
        """From its first row to its last, ns, as stamped."""
        return self.events[-1].timestamp - self.began


def side_of(incident: Incident, key: str, *, beside: str = "") -> Side:
    """Everything that carries `key` or its own unit of work; what it shares with `beside` (both
    in one request) would tell nothing. Raises ValueError when no row carries it."""
    snapshot = incident.snapshot
    shared = set(links_of(snapshot, beside)) if beside else set()
    own = [link for link in links_of(snapshot, key) if link not in shared and link != beside]
    rows = snapshot.rows_with([key, *own])
    if rows.is_empty():
        raise ValueError(f"No row carries {key}.")
    events = tuple(snapshot.events_at(rows.head(MOST_STEPS).to_list()))
    return Side(key, events, max(rows.len() - MOST_STEPS, 0), outcome_of(events))


def is_error(event: Event) -> bool:
    """Whether it says so itself: by its severity, or as the end of something that failed."""
    return event.severity_number >= SEVERITY_ERROR or event.kind in FAILED_KINDS


def outcome_of(events: Sequence[Event]) -> Outcome:
    """By the last end that the queue tells, else by the last answer, else by its errors."""
    errors = sum(is_error(event) for event in events)
    ends = [event.kind for event in events if event.kind in _ENDS]
    if ends:
        words, well = _ENDS[ends[-1]]
        return Outcome(f"{words}, after errors" if well and errors else words, well, errors)
    statuses = [m[3] for event in events for m in re.finditer(ANSWERED, event.body)]
    if statuses:
        words = f"answered {statuses[-1]}{', with errors' if errors else ''}"
        return Outcome(words, statuses[-1] < "400" and not errors, errors)
    if errors:
        return Outcome("errors", False, errors)
    if any(event.lane is Lane.QUEUE for event in events):
        return Outcome("no end seen", None)
    return Outcome("no error seen", True)


_ENDS: dict[Kind, tuple[str, bool]] = {
    Kind.JOB_FINISHED: ("finished", True),
    Kind.JOB_FAILED: ("failed", False),
    Kind.JOB_RETRIED: ("to be retried", False),
    Kind.JOB_DEAD: ("dead", False),
    Kind.TXN_ABORT: ("aborted", False),
}


def own_values(side: Side) -> re.Pattern[str]:
    """Finds the values of all keys that stand on the side's rows, the longest first."""
    values = {split_key(key)[1] for event in side.events for key in event.keys} - {""}
    ranked = sorted(values, key=lambda value: (-len(value), value))
    return re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in ranked) or r"(?!)")
