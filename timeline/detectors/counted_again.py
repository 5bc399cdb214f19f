"""delivered-again by a broker's count alone: many messages given out a second time at once.

Story: a consumer freezes; the broker takes back all that it had not acknowledged and gives it to
the others. It shows no message and logs no id, but its counter of redeliveries leaps.

Predicate: at least `BURST` messages of one queue came back within moments, several times as many as
at any other time. Possible only: consumers that refuse a message and put it back are counted alike.
Likely where two consumers wrote the same line of some message just then, with no complaint between
(`timeline.facts.retold_messages`): those are named, and were worked on twice.

False positives: single messages tried again (silent), what is told by job ids already (silent),
messages that were taken and not begun (no consumer wrote of them: possible, and none is named).

Reference: RabbitMQ, "Consumer Acknowledgements and Publisher Confirms" (automatic requeueing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.redelivered import TOGETHER_NS, Returned, returned
from timeline.facts.retold_messages import Retold, retold_messages
from timeline.facts.words import abridged, counted, instant, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_SHOWN = 3
"""Messages whose two lines are shown."""
LEAST_TWICE = 2
"""Messages that two consumers told of; a single one may have been sent twice."""


@dataclass(frozen=True, kw_only=True)
class GivenOutAgain(Finding):
    """Messages of one queue that its broker counted as delivered again; of `twice` two consumers
    wrote the same, in the order of the second lines."""

    term: ClassVar[str] = "delivered-again"
    remedy: ClassVar[str] = (
        "Let a consumer remember what it has done: a broker gives out again whatever was not "
        "acknowledged."
    )

    returned: Returned
    twice: tuple[Retold, ...] = ()

    def sentence(self) -> str:
        one = self.returned
        return abridged(
            f"{one.source} gave {counted(one.count, 'message')} of {one.queue} out again from "
            f"{instant(one.start)} to {instant(one.end)}, at most {one.usual} at once at any other "
            f"time; {self._which}."
        )

    @property
    def _which(self) -> str:
        if not self.twice:
            return "which they were it does not show"
        first = self.twice[0]
        names = listed(
            [short(thing) for one in self.twice for thing in one.things or (one.message,)]
        )
        by = f"by {first.first_by} and again by {first.again_by}"
        whom = by if first.first_by != first.again_by else f"by two instances of {first.first_by}"
        return f"{counted(len(self.twice), 'message')} of them were worked on {whom}: {names}"

    def clause(self) -> str:
        return f"{counted(self.returned.count, 'message')} of {self.returned.queue} came again"


def counted_again(incident: Incident, known: Sequence[Finding]) -> list[Finding]:
    """One finding for each queue, where none of `known` tells of that time by ids."""
    return [
        _finding(incident, one)
        for one in returned(incident)
        if not any(
            other.began <= one.end + TOGETHER_NS and one.start - TOGETHER_NS <= other.ended
            for other in known
        )
    ]


def _finding(incident: Incident, one: Returned) -> Finding:
    rows = list(dict.fromkeys(one.rows))
    twice = _twice(incident, one)
    steps = [
        Step("counted", event, "the broker's own count of redeliveries")
        for event in incident.snapshot.events_at(rows)
    ]
    verdict, link = Verdict.POSSIBLE, "the broker counts messages that a consumer put back alike"
    if twice:
        told, orders = _shown(incident, twice)
        steps += told
        verdict = weakest((Verdict.LIKELY, *orders))
        link = "that the message was given out again is read from the lines of two consumers"
    things = [name for message in twice for name in (message.message, *message.things)]
    return GivenOutAgain(
        verdict=verdict,
        weakest_link=link,
        began=one.start,
        ended=one.end,
        steps=tuple(steps),
        keys=tuple(sorted(set(things))),
        would_decide=(
            "Look in the consumers' logs for work that was begun twice around then.",
            f"Look in the log of {one.source} for connections that it closed.",
        ),
        alternatives=() if twice else ("a consumer refused them and put them back on purpose",),
        next_action=(
            f"Check {listed([short(name) for name in things], MAX_SHOWN)} for double effects."
            if twice
            else f"Find which consumer of {one.queue} went away or refused messages just then."
        ),
        returned=one,
        twice=twice,
    )


def _twice(incident: Incident, one: Returned) -> tuple[Retold, ...]:
    """Messages that two consumers told of around that time; none where the broker counted fewer,
    as then they were sent twice or to several."""
    found = retold_messages(incident, one.start - TOGETHER_NS, one.end + TOGETHER_NS)
    return tuple(found) if LEAST_TWICE <= len(found) <= one.count else ()


def _shown(incident: Incident, twice: Sequence[Retold]) -> tuple[list[Step], list[Verdict]]:
    """The two lines of the first few messages, and how sure their order is."""
    steps: list[Step] = []
    orders: list[Verdict] = []
    for one in twice[:MAX_SHOWN]:
        first, again = incident.snapshot.events_at([one.first_row, one.again_row])
        order = before(first, again, incident.clocks)
        orders.append(order.verdict or Verdict.POSSIBLE)
        steps.append(Step("told", first, f"{one.first_by} tells of {short(one.message)}"))
        steps.append(Step("told again", again, f"so does {one.again_by}", order))
    return steps, orders
