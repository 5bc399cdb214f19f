"""clock-skew that no pair of records measures, but other marks of a wrong clock do show.

Rows dated after their own commit (`timeline.facts.dated_ahead`) measure how far whoever dated them
is ahead of the database, rows dated before those that they refer to (`timeline.facts.dated_behind`)
how far it is behind; tokens that are refused as not yet valid say that signer and reader
disagree, and by whom they are refused says which of them it may be; curves of an offset and the
words of a time service measure one outright (`timeline.facts.clock_figures`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Lane
from timeline.facts.clock_figures import ClockFigure, clock_figures
from timeline.facts.dated_ahead import DatedAhead, dated_ahead
from timeline.facts.dated_behind import dated_behind
from timeline.facts.words import capital, counted, instant, length, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

REMEDY = (
    "Keep every host on NTP (chrony) and alert on its offset; let the database date its rows, and "
    "readers of tokens allow for a few seconds."
)
MIN_REFUSED = 5
"""So many tokens that are refused as too early are no single one that was meant for later."""
MAX_SHOWN = 3
MAX_CLOCKS = 3


@dataclass(frozen=True, kw_only=True)
class DatedWrongly(Finding):
    """Rows of one writer whose dates cannot be: `rows` of `of`, by `least` to `most` ns."""

    term: ClassVar[str] = "clock-skew"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = REMEDY

    table: str
    rows: int
    of: int
    least: int
    most: int
    writer: str
    column: str

    def _dated(self, against: str) -> str:
        """`3 of 9 rows of mails are dated 2 s to 4 s <against> from … to …`."""
        whose = f" (only those with {self.column} {self.writer})" if self.writer else ""
        least, most = length(self.least), length(self.most)
        span = f"about {least}" if least == most else f"{least} to {most}"
        return (
            f"{self.rows} of {self.of} rows of {self.table} are dated {span} {against} "
            f"from {instant(self.began)} to {instant(self.ended)}{whose}"
        )

    def _clock(self) -> str:
        whose = self.writer or f"a writer of {self.table}"
        return f"the clock of {whose} runs at least {length(self.least)}"


@dataclass(frozen=True, kw_only=True)
class DatedTooLate(DatedWrongly):
    """Rows that say they were written after they were committed."""

    def sentence(self) -> str:
        told = self._dated("after their own commit")
        return f"{told}: their writer's clock runs ahead of the database's."

    def clause(self) -> str:
        return f"{self._clock()} ahead of the database's"


@dataclass(frozen=True, kw_only=True)
class DatedTooEarly(DatedWrongly):
    """Rows that say they were written before the rows that they refer to."""

    def sentence(self) -> str:
        told = self._dated("before the rows that they refer to")
        return f"{told}: their writer's clock runs behind that of whoever dated those."

    def clause(self) -> str:
        return f"{self._clock()} behind"


@dataclass(frozen=True, kw_only=True)
class RefusedAsEarly(Finding):
    """Tokens that were refused because they are not valid yet, by `actors` on `clocks`."""

    term: ClassVar[str] = "clock-skew"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = REMEDY

    actors: tuple[str, ...]
    clocks: tuple[str, ...]
    alone: bool
    refused: int

    def sentence(self) -> str:
        where = (
            f"only on {self.clocks[0]}, whose clock may run behind"
            if self.alone
            else "so whoever issued them may have a clock that runs ahead"
        )
        return (
            f"{capital(listed(self.actors))} refused {counted(self.refused, 'token')} as not valid "
            f"yet from {instant(self.began)} to {instant(self.ended)}, {where}."
        )

    def clause(self) -> str:
        return f"{counted(self.refused, 'token')} came before they were valid"


@dataclass(frozen=True, kw_only=True)
class MeasuredOff(Finding):
    """A clock of which figures say how far it was off: `offset` ns at the most."""

    term: ClassVar[str] = "clock-skew"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = REMEDY

    clock: str
    offset: int
    measured: int
    spoken: bool

    def sentence(self) -> str:
        by = "its time service" if self.spoken else counted(self.measured, "figure")
        return (
            f"The clock of {self.clock} was off by up to {length(abs(self.offset))} from "
            f"{instant(self.began)} on, by the word of {by}."
        )

    def clause(self) -> str:
        return f"the clock of {self.clock} was off by {length(abs(self.offset))}"


def told_otherwise(incident: Incident, signs: pl.DataFrame) -> list[Finding]:
    """All kinds, those of rows first. `signs` are those of `timeline.facts.clock_signs`."""
    found: list[Finding] = [_dated(incident, one) for one in dated_ahead(incident)]
    found += [_dated_early(incident, one) for one in dated_behind(incident)]
    found += [_measured(incident, one) for one in clock_figures(incident)[:MAX_CLOCKS]]
    early = signs.filter(pl.col("kind") == "premature")
    return [*found, _refused(incident, early)] if early.height >= MIN_REFUSED else found


def _dated(incident: Incident, one: DatedAhead) -> DatedTooLate:
    events = incident.snapshot.events_at(one.shown)
    return DatedTooLate(
        verdict=Verdict.LIKELY,
        weakest_link="a date that the application chose would look the same, were it always so far",
        began=one.began,
        ended=max(one.ended, one.began),
        steps=tuple(
            Step("dated", event, "its date is later than its own commit") for event in events
        ),
        would_decide=(f"Read `chronyc tracking` on {one.writer or 'the hosts that write it'}.",),
        alternatives=(
            "the clock of the database runs behind",
            "dates that are set ahead on purpose",
        ),
        next_action=f"Trust no order by dates of {one.table} alone; use its commits.",
        table=one.table,
        rows=one.rows,
        of=one.of,
        least=one.least,
        most=one.most,
        writer=one.writer,
        column=one.column,
    )


def _dated_early(incident: Incident, one: DatedAhead) -> DatedTooEarly:
    events = incident.snapshot.events_at(one.shown)
    return DatedTooEarly(
        verdict=Verdict.LIKELY,
        weakest_link="dates copied from elsewhere would look the same, were they always so early",
        began=one.began,
        ended=max(one.ended, one.began),
        steps=tuple(
            Step("dated", event, "its date is earlier than that of a row it refers to")
            for event in events
        ),
        would_decide=(f"Read `chronyc tracking` on {one.writer or 'the hosts that write it'}.",),
        alternatives=("the clock of whoever dated the rows referred to runs ahead",),
        next_action=f"Trust no order by dates of {one.table} alone; use its commits.",
        table=one.table,
        rows=one.rows,
        of=one.of,
        least=one.least,
        most=one.most,
        writer=one.writer,
        column=one.column,
    )


def _measured(incident: Incident, one: ClockFigure) -> MeasuredOff:
    said = "its time service found it so far off" if one.spoken else "it is measured so far off"
    return MeasuredOff(
        verdict=Verdict.LIKELY,
        weakest_link="whoever measured it may have had the wrong time",
        began=one.began,
        ended=max(one.ended, one.began + 1),
        steps=tuple(Step("measured", e, said) for e in incident.snapshot.events_at(one.rows)),
        would_decide=(f"Read `chronyc tracking` on {one.host}, and whether its clock was set.",),
        alternatives=("a wrong reference clock",),
        next_action=f"Trust no order by stamps of {one.host} alone.",
        clock=one.host,
        offset=one.offset,
        measured=one.figures,
        spoken=one.spoken,
    )


def _refused(incident: Incident, early: pl.DataFrame) -> RefusedAsEarly:
    actors = tuple(name for name in early.get_column("actor").unique(maintain_order=True) if name)
    clocks = tuple(early.get_column("clock").unique(maintain_order=True).to_list())
    rows = early.get_column("row").to_list()[:MAX_SHOWN]
    return RefusedAsEarly(
        verdict=Verdict.LIKELY,
        weakest_link="no pair of records with one id measures the difference",
        began=early["timestamp"][0],
        ended=early["timestamp"][-1],
        steps=tuple(
            Step("refused", event, "a token is not valid yet by this clock")
            for event in incident.snapshot.events_at(rows)
        ),
        would_decide=("Compare the `iat` of one refused token with the time it was refused at.",),
        alternatives=("tokens that are meant to be valid later only",),
        next_action="Read `chronyc tracking` where tokens are issued and where they are read.",
        actors=actors or ("a service",),
        clocks=clocks,
        alone=len(clocks) == 1 and _others_read(incident, actors, clocks[0]),
        refused=early.height,
    )


def _others_read(incident: Incident, actors: tuple[str, ...], clock: str) -> bool:
    """Whether the same services run on other hosts, too."""
    others = incident.snapshot.events.select(
        (
            (pl.col("lane") == Lane.LOG.value)
            & pl.col("actor").cast(pl.String).is_in(actors)
            & (pl.col("clock").cast(pl.String) != clock)
        ).any()
    )
    return bool(others.item())
