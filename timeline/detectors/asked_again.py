"""The second part of re-press: a long request that somebody in between gave up on was made again.

Story: the statement run behind an admin page takes longer than the proxy waits. The clerk sees a
gateway time-out and asks again, and again, while what the first request began goes on.

Predicate: one request that changes something, by one and the same path with an id in it, is made
at least twice; a proxy or a client has given up on an earlier one (408, 499, 504, 524) and it comes
again within `AGAIN_NS`. Possible: whether the one that was given up went on is not in that line.

False positives: paths without an id, which many people use (silent), requests that were refused or
failed by themselves (no time-out: silent), requests that come on a clock.

Reference: RFC 9110, 9.2.2 (idempotent methods) and 15.6.5 (504); nginx's 499.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Event
from timeline.facts.presses import Press, on_a_clock
from timeline.facts.words import abridged, instant, length, listed, often
from timeline.finding import Finding, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

GIVEN_UP = re.compile(
    r"(?:\" |[-=]> |status\w*[\"']?[=: ]+|code[\"']?[=: ]+|HTTP/[\d.]+\"? )"
    r"[\"']?(?:408|499|504|524)\b"
)
"""As access logs and frameworks write that somebody stopped waiting."""
STATUSES = ("408", "499", "504", "524")
"""One of them stands in every such line."""
AGAIN_NS = 10 * 60_000_000_000
"""Whoever asks again after a time-out does so within minutes."""
WITH_ID = re.compile(r"/[^/]*\d[^/]*(?:/|$)")
MAX_FINDINGS = 2


@dataclass(frozen=True, kw_only=True)
class AskedAgain(Finding):
    """One operation that was asked for at `times` (ns UTC), `given_up` of them without an answer
    in time."""

    term: ClassVar[str] = "re-press"
    remedy: ClassVar[str] = (
        "Let a long operation answer at once with a place to ask how far it is, and refuse a "
        "second one while the first runs."
    )

    operation: str
    times: tuple[int, ...]
    given_up: int

    def sentence(self) -> str:
        told = listed([instant(at) for at in self.times], 3)
        apart = length(self.times[1] - self.times[0])
        return abridged(
            f"{self.operation} was asked for {often(len(self.times))} ({told}), {apart} apart at "
            f"first; {often(self.given_up)} somebody in between had stopped waiting for the answer."
        )

    def clause(self) -> str:
        return f"{self.operation} was asked for again after a time-out"


def asked_again(incident: Incident, used: set[int]) -> list[AskedAgain]:
    """Findings, earliest first, of presses (event rows) that no other finding has `used`."""
    found = []
    may_tell = _with_a_status(incident)
    for presses in incident.presses:
        if may_tell.isdisjoint(press.row for press in presses):
            continue
        operation = presses[0].operation
        if WITH_ID.search(operation) is None or on_a_clock(presses):
            continue
        if used.isdisjoint(press.row for press in presses):
            finding = _finding(incident, presses)
            found += [finding] if finding is not None else []
    return sorted(found, key=lambda one: one.began)[:MAX_FINDINGS]


def _with_a_status(incident: Incident) -> frozenset[int]:
    """Event rows of presses whose lines may say that somebody stopped waiting."""
    rows = pl.Series([press.row for many in incident.presses for press in many], dtype=pl.UInt32)
    if rows.is_empty():
        return frozenset()
    bodies = incident.snapshot.events.get_column("body").gather(rows)
    told = bodies.str.contains_any(list(STATUSES)).fill_null(value=False)
    return frozenset(rows.filter(told).to_list())


def _finding(incident: Incident, presses: Sequence[Press]) -> AskedAgain | None:
    events = incident.snapshot.events_at([press.row for press in presses])
    given_up = [GIVEN_UP.search(event.body) is not None for event in events]
    again = any(
        left and two.at - one.at <= AGAIN_NS
        for left, (one, two) in zip(given_up, pairwise(presses), strict=False)
    )
    if not again:
        return None
    return AskedAgain(
        verdict=Verdict.POSSIBLE,
        weakest_link="whether the one that was given up went on is not in these lines",
        began=presses[0].at,
        ended=presses[-1].at,
        steps=_steps(incident, events, given_up),
        would_decide=(
            "Look whether it wrote anything, in its log or its rows, after it was given up.",
        ),
        alternatives=("the first one had ended when it was asked for again",),
        next_action=f"Find out what each {presses[0].operation} has done before it is asked again.",
        operation=presses[0].operation,
        times=tuple(press.at for press in presses),
        given_up=sum(given_up),
    )


def _steps(
    incident: Incident, events: Sequence[Event], given_up: Sequence[bool]
) -> tuple[Step, ...]:
    steps: list[Step] = []
    for event, left in list(zip(events, given_up, strict=True))[:6]:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        why = "asked for, and given up" if left else "asked for"
        steps.append(Step("press", event, why, order))
    return tuple(steps)
