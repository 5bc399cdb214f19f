"""What the makers of queries share: the records they count, instants as literals, quoting.

Everything from outside enters a query through `quoted` or `shell`, or not at all.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from timeline.event import Kind, Lane
    from timeline.window import Window

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Carrier:
    """A record that carries keys of the claim; `length` is 0 where it has none in bytes."""

    timestamp: int
    lane: Lane
    kind: Kind
    ref: str
    length: int
    attributes: Mapping[str, object]
    keys: frozenset[str]
    """Those of the claim alone."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One source, as far as its queries depend on it."""

    source: str
    lane: Lane
    system: str
    window: Window
    cut: bool
    """More is there than was read, so that its counts are lower bounds."""
    root: str = ""
    """Folder that names of files are printed relative to."""

    @property
    def product(self) -> str:
        """`postgresql` of `PostgreSQL 15.18 (primary)`; `system` begins with the connector's."""
        return self.system.split(" ")[0].casefold()


@dataclass(frozen=True, slots=True)
class Span:
    """`[start, end)` in whole seconds UTC that a query names."""

    start: int
    end: int

    @classmethod
    def of(cls, stamps: Iterable[int], window: Window) -> Span:
        """The window, or what holds `stamps` (ns) as well where a look-up went beyond it."""
        times = list(stamps)
        first, last = min((*times, window.start)), max((*times, window.end - 1))
        return cls(first // SECOND_NS, last // SECOND_NS + 1)

    def holds(self, stamp: int) -> bool:
        return self.start * SECOND_NS <= stamp < self.end * SECOND_NS


def instant(second: int, form: str) -> str:
    """A second since the epoch, UTC, by `strftime`."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).strftime(form)


def quoted(text: str, mark: str = "'") -> str:
    """SQL's own quoting: the mark doubled inside of it."""
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def shell(words: Iterable[str]) -> str:
    """Words of a POSIX shell."""
    return " ".join(map(shlex.quote, words))
