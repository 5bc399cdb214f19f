"""The story of one key in chapters: requests, rows, jobs, effects, and what cannot be known.

A summary of `timeline.story`: it counts and orders, and leaves the steps to the rows themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.clean import clean
from timeline.compare_sides import Outcome, is_error, outcome_of
from timeline.facts.effects import attempts_of, effects_of
from timeline.keys import split_key
from timeline.story import story_of
from timeline.words import count_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from timeline.coverage import Coverage
    from timeline.event import Event
    from timeline.facts.effects import Effect
    from timeline.incident import Incident

MOST_OF_A_KIND = 8
"""Requests, rows or jobs that are told one by one; those that went wrong come first."""
MOST_JOBS = 50
"""Jobs whose effects are looked for."""
REQUESTS, JOBS, ROWS = ("request", "trace"), ("job",), ("row",)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One request, job or row of the story: its rows in time order and how it ended."""

    key: str
    events: tuple[Event, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Chapters:
    """The story of `key`; `outside` are rows that were fetched from beyond the window."""

    key: str
    events: tuple[Event, ...]
    outside: int
    requests: tuple[Chapter, ...]
    rows: tuple[Chapter, ...]
    jobs: tuple[Chapter, ...]
    effects: tuple[tuple[str, Effect], ...]
    """(job, what it did) in time order."""
    errors: tuple[Event, ...]
    unknown: tuple[Coverage, ...]

    @property
    def sentence(self) -> str:
        """`order:4711: 2 requests, 1 database row, 3 jobs (1 went wrong)`."""
        parts = [
            f"{count_of(len(told), noun)}{_badly(told)}"
            for noun, told in (
                ("request", self.requests),
                ("database row", self.rows),
                ("job", self.jobs),
            )
            if told
        ]
        if self.effects:
            parts.append(count_of(len(self.effects), "effect"))
        if not parts:
            parts = [count_of(len(self.events), "record")]
        beyond = f"; {count_of(self.outside, 'record')} beyond the window" if self.outside else ""
        return f"{clean(self.key)}: {', '.join(parts)}{beyond}"


def chapters_of(incident: Incident, key: str) -> Chapters:
    """The story of `key`. Raises ValueError when no row carries it yet."""
    story = story_of(incident, key)
    if not story.events:
        raise ValueError(
            f"No row carries {clean(key)} yet; it is being looked up in every source that can."
        )
    jobs = _chapters(story.events, JOBS)
    names = [chapter.key for chapter in jobs][:MOST_JOBS]
    done = effects_of(incident, attempts_of(incident, names)) if names else {}
    effects = sorted(
        ((job, effect) for job, told in done.items() for effect in told),
        key=lambda pair: (pair[1].at, pair[1].event_row),
    )
    window = incident.window
    return Chapters(
        key,
        story.events,
        sum(not window.contains(event.timestamp) for event in story.events),
        _chapters(story.events, REQUESTS),
        _chapters(story.events, ROWS),
        jobs,
        tuple(effects),
        tuple(event for event in story.events if is_error(event)),
        story.unknown,
    )


def told_first(chapters: Iterable[Chapter]) -> tuple[tuple[Chapter, ...], int]:
    """At most `MOST_OF_A_KIND` of them in time order, and how many are left out."""
    every = list(chapters)
    ranked = sorted(every, key=lambda one: (one.outcome.well is not False, one.events[0].timestamp))
    kept = {id(one) for one in ranked[:MOST_OF_A_KIND]}
    return tuple(one for one in every if id(one) in kept), max(len(every) - MOST_OF_A_KIND, 0)


def _chapters(events: Iterable[Event], kinds: tuple[str, ...]) -> tuple[Chapter, ...]:
    """One chapter for each key of the given types; of a row, only what its database tells."""
    held: dict[str, list[Event]] = {}
    for event in events:
        for key in event.keys:
            kind = split_key(key)[0]
            if kind in kinds and (kinds != ROWS or event.kind.value.startswith("row.")):
                held.setdefault(key, []).append(event)
    return tuple(Chapter(key, tuple(own), outcome_of(own)) for key, own in held.items())


def _badly(chapters: tuple[Chapter, ...]) -> str:
    failed = sum(one.outcome.well is False for one in chapters)
    return f" ({failed} went wrong)" if failed else ""
