"""What was read of notes, whatever they were written in: the notes, and what could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from connectors.notes.written import Moment, Note
from timeline.window import Window

MOST_LINES = 50
"""Of one note; a longer paste is cut and marked."""


@dataclass(frozen=True, slots=True)
class Written:
    """One note with its place: the byte offset at which it begins, or the tool's own number."""

    file: str
    offset: int
    note: Note
    moment: Moment
    lines: tuple[str, ...] = ()
    past_midnight: bool = False
    """Whether it was placed on the day after the written one."""
    clock: str = ""
    """Whose clock stamped it, when not the writer's."""

    @property
    def timestamp(self) -> int | None:
        """ns UTC."""
        return self.moment.stamp.ns


@dataclass(slots=True)
class Reading:
    """All notes of a source, and what could not be read."""

    notes: list[Written] = field(default_factory=list)
    undated: list[Written] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    prose: int = 0
    broken: int = 0
    files: int = 0
    cuts: list[str] = field(default_factory=list)
    bytes_read: int = 0
    told: Counter[str] = field(default_factory=Counter)
    """What a person should know of an export, with how often: `messages edited later`."""
    problems: list[str] = field(default_factory=list)
    """Files that could not be read to their end, one sentence each: the rest was."""


class Wanted(Protocol):
    """Which messages of an export are asked for: a channel of years is never told whole."""

    def day(self, day: str) -> bool:
        """Whether a message written on `day` (`2026-03-14`, in any zone) may be wanted."""
        ...

    def message(self, ns: int, text: str) -> bool:
        """Whether the message of that instant (ns UTC) with that raw text is wanted."""
        ...


class Everything:
    """Every message."""

    def day(self, day: str) -> bool:
        return True

    def message(self, ns: int, text: str) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class InWindow:
    """The messages of one window. An export is cut into days in a zone that nobody states."""

    window: Window
    first: str
    last: str

    @classmethod
    def around(cls, window: Window) -> InWindow:
        from timeline.words import DAY_NS, day

        return cls(window, day(window.start - DAY_NS), day(window.end + DAY_NS))

    def day(self, day: str) -> bool:
        return self.first <= day <= self.last

    def message(self, ns: int, text: str) -> bool:
        return self.window.contains(ns)


@dataclass(frozen=True, slots=True)
class Naming:
    """The messages that may name one of some keys, whatever their time."""

    values: tuple[str, ...]

    def day(self, day: str) -> bool:
        return True

    def message(self, ns: int, text: str) -> bool:
        return any(value in text for value in self.values)
