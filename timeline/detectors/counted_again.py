"""delivered-again by a broker's count alone: many messages given out a second time at once.

Story: a consumer freezes; the broker takes back all that it had not acknowledged and gives it to
the others. It shows no message and logs no id, but its counter of redeliveries leaps.

Predicate: at least `BURST` messages of one queue came back within moments, several times as many as
at any other time. Possible only: consumers that refuse a message and put it back are counted alike.

False positives: single messages tried again (silent), what is told by job ids already (silent).

Reference: RabbitMQ, "Consumer Acknowledgements and Publisher Confirms" (automatic requeueing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.redelivered import TOGETHER_NS, Returned, returned
from timeline.facts.words import counted, instant
from timeline.finding import Finding, Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident


@dataclass(frozen=True, kw_only=True)
class GivenOutAgain(Finding):
    """Messages of one queue that its broker counted as delivered again."""

    term: ClassVar[str] = "delivered-again"
    remedy: ClassVar[str] = (
        "Let a consumer remember what it has done: a broker gives out again whatever was not "
        "acknowledged."
    )

    returned: Returned

    def sentence(self) -> str:
        one = self.returned
        return (
            f"{one.source} gave {counted(one.count, 'message')} of {one.queue} out again from "
            f"{instant(one.start)} to {instant(one.end)}, at most {one.usual} at once at any other "
            "time; which they were it does not show."
        )

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
    return GivenOutAgain(
        verdict=Verdict.POSSIBLE,
        weakest_link="the broker counts messages that a consumer put back alike",
        began=one.start,
        ended=one.end,
        steps=tuple(
            Step("counted", event, "the broker's own count of redeliveries")
            for event in incident.snapshot.events_at(rows)
        ),
        would_decide=(
            "Look in the consumers' logs for work that was begun twice around then.",
            f"Look in the log of {one.source} for connections that it closed.",
        ),
        alternatives=("a consumer refused them and put them back on purpose",),
        next_action=f"Find which consumer of {one.queue} went away or refused messages just then.",
        returned=one,
    )
