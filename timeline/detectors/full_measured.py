"""full, by figures alone: a curve of free space came to nothing, or one of what is used to all.

Nobody who ran out need have a log here (`timeline.facts.used_up_figures`). Where somebody says it
in words, those are told instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.used_up_figures import UsedUpFigure, used_up_figures
from timeline.facts.words import capital, counted, instant
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_CURVES = 3


@dataclass(frozen=True, kw_only=True)
class FullByFigures(Finding):
    """`what` of `place` on `host` at its end, in `samples` samples from `began` to `ended`."""

    term: ClassVar[str] = "full"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = "Alert on what is left and how fast it goes, hours before its end."

    what: str
    host: str
    place: str
    samples: int

    def sentence(self) -> str:
        often = counted(self.samples, "sample")
        return (
            f"{capital(self.clause())}: {self.what} was at its end in {often} "
            f"from {instant(self.began)} to {instant(self.ended)}."
        )

    def clause(self) -> str:
        where = " of ".join(part for part in (self.place, self.host) if part)
        return f"nothing was left on {where or 'a volume'}"


def full_by_figures(incident: Incident) -> list[FullByFigures]:
    """The first few, by when they came to their end."""
    return [_finding(incident, one) for one in used_up_figures(incident)[:MAX_CURVES]]


def _finding(incident: Incident, one: UsedUpFigure) -> FullByFigures:
    event = incident.snapshot.event(one.row)
    where = one.host or one.place or "it"
    return FullByFigures(
        verdict=Verdict.LIKELY,
        weakest_link="a curve says so; that anybody ran out is not told",
        began=one.began,
        ended=max(one.ended, one.began + 1),
        steps=(Step("at its end", event, f"{one.name} reached its end, it was {one.before:g}"),),
        would_decide=(f"Look at what is left now on {where}, and who writes there.",),
        alternatives=("a limit that was set for the measurement and not for the disk",),
        next_action=f"Free space on {where} by removing what may go (old logs, temporary files).",
        what=one.name,
        host=one.host,
        place=one.place,
        samples=one.figures,
    )
