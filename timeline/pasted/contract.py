"""What a pasted alert, trace or link says: the one shape that every kind is understood into.

Nothing here is decided: a stamp keeps every reading it can have, and `timeline.pasted.settle`
makes one instant of it or asks. External texts are cleaned by `timeline.pasted.registry`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, tzinfo
from enum import Enum
from typing import NamedTuple, Protocol

from timeline.event import Precision


class Meaning(Enum):
    """What an instant in a paste is the instant of; the value is how it is told."""

    STARTED = "alert start"
    LINE = "the line's own stamp"
    SEEN = "when it was seen"
    RANGE_START = "start of the link's range"
    RANGE_END = "end of the link's range"
    SENT = "when the message was sent"
    MENTIONED = "the time in the text"
    RESOLVED = "resolved"


class Day(NamedTuple):
    """A calendar day; `year` is None where none is written."""

    year: int | None
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as it stands in the text, with every reading that the text alone allows.

    `ns` (UTC) is set when it says one instant by itself: an epoch. Otherwise `days` holds the
    calendar days it can mean (two for 03/04/2026, none when no day is written) and `zones` the
    offsets or the region its zone can mean (none when no zone is stated). `or_unstated` says
    that what looks like a zone may be something else.
    """

    text: str
    precision: Precision
    ns: int | None = None
    days: tuple[Day, ...] = ()
    at: time = time()
    fraction: int = 0
    zones: tuple[tzinfo | str, ...] = ()
    or_unstated: bool = False

    @property
    def zone_stated(self) -> bool:
        return self.ns is not None or (bool(self.zones) and not self.or_unstated)


@dataclass(frozen=True, slots=True)
class Instant:
    """A stamp and what it is the stamp of."""

    stamp: Stamp
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Relative:
    """`2 hours ago`: means nothing without the time at which it was written. Lengths in ns."""

    text: str
    ago: int
    unit: int
    """What it was rounded to: the truth lies within one such unit."""
    meaning: Meaning = Meaning.SEEN


@dataclass(frozen=True, slots=True)
class Pasted:
    """What was understood of one paste.

    `keys` are typed (`request:8f2c`), `filters` lines of the screen's filter. `late` (ns) is how
    much later than the fault the stamp may be, for the reason `late_why`; None when it is not an
    alert's.
    """

    kind: str
    title: str = ""
    instants: tuple[Instant, ...] = ()
    relative: tuple[Relative, ...] = ()
    service: str = ""
    environment: str = ""
    keys: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    late: int | None = None
    late_why: str = ""
    prose: bool = False
    """Nothing but text: a time that nobody explains may be the one that is meant."""

    def of(self, *meanings: Meaning) -> list[Stamp]:
        """Stamps of these meanings, in the order of the text."""
        return [instant.stamp for instant in self.instants if instant.meaning in meanings]


class Kind(Protocol):
    """One kind of paste: a module in `timeline.pasted` that offers this function."""

    def understood(self, text: str) -> Pasted | None:
        """`text` (cleaned line by line) understood, or None when it is something else."""
        ...
