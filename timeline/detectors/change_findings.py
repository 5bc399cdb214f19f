"""The findings of `change-before`: a coincidence, a change proved guilty, a build that is stale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.rates import about
from timeline.facts.sight import read_until
from timeline.facts.words import capital, counted, instant, listed
from timeline.finding import Finding, Stage

if TYPE_CHECKING:
    from timeline.facts.changes_seen import Change
    from timeline.incident import Incident

TERM = "change-before"
BY_NOTE = "by a person's note"
BODY_SHOWN = 90
"""Characters of a change's own words in a sentence."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base rate: `changes` in the `span` (ns) that was read, and the share of its instants
    that have a change as shortly before them (0 to 1)."""

    changes: int
    span: int
    share: float

    def words(self) -> str:
        number = "the only change" if self.changes == 1 else f"one of {self.changes} changes"
        return (
            f"{number} in the {about(self.span)} that were read, where {self.share:.0%} of all "
            "instants have one as shortly before them"
        )


def base_of(incident: Incident, changes: Iterable[Change], gap: int) -> Base:
    """How many instants of what was read have a change at most `gap` (ns) before them."""
    window, until = incident.window, read_until(incident)
    stamps = sorted(one.timestamp for one in changes if window.contains(one.timestamp))
    covered = reach = 0
    for stamp in stamps:
        end = min(stamp + gap, until)
        covered += max(end - max(stamp, reach), 0)
        reach = max(reach, end)
    span = max(until - window.start, 1)
    return Base(len(stamps), span, covered / span)


@dataclass(frozen=True, kw_only=True)
class ChangeBefore(Finding):
    """A change `gap` ns before the first error at `onset`. That it matters is not said."""

    term: ClassVar[str] = TERM
    stage: ClassVar[Stage] = Stage.CONTEXT
    remedy: ClassVar[str] = (
        "Roll out to a few instances first and compare them with the others; keep every change "
        "reversible and on record."
    )

    what: str
    body: str
    service: str
    version: str
    who: str
    onset: int
    gap: int
    base: Base
    noted: bool = False
    """Only a person's note tells of it."""

    def sentence(self) -> str:
        return (
            f"{capital(about(self.gap))} before the errors began at {instant(self.onset)} there "
            f"was a {self.what}{self._by_whom}: {short_body(self.body)}; it is {self.base.words()}."
        )

    def clause(self) -> str:
        of = f" of {self.service}" if self.service else ""
        return f"a {self.what}{of}{self._by_whom} {about(self.gap)} before the errors began"

    @property
    def _by_whom(self) -> str:
        return f" {BY_NOTE}" if self.noted else ""


@dataclass(frozen=True, kw_only=True)
class GuiltyChange(Finding):
    """The instances that started with the change fail, the others do not.

    `failing` of the `changed` instances fail, of the `spared` ones `spared_failing`; `chance` is
    Fisher's one-sided probability of such a parting. `change_row` is -1 where only the starts of
    the instances tell of a change.
    """

    term: ClassVar[str] = TERM
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = ChangeBefore.remedy

    change_row: int
    what: str
    body: str
    at: int
    service: str
    version: str
    onset: int
    failing: tuple[str, ...]
    changed: int
    spared: tuple[str, ...]
    spared_failing: int
    chance: float
    noted: bool = False
    """Only a person's note tells of the change; that the instances fail is recorded."""

    def sentence(self) -> str:
        by = f"{BY_NOTE}: " if self.noted else ""
        words = f" ({by}{short_body(self.body)})" if self.body else ""
        of_those = f"{len(self.failing)} of {self.changed}"
        others = self.spared_failing if self.spared_failing else "none"
        return (
            f"After the {self._name} at {instant(self.at)}{words} {of_those} changed instances "
            f"fail ({listed(self.failing)}), and {others} of the {len(self.spared)} others; the "
            f"errors began at {instant(self.onset)}."
        )

    def clause(self) -> str:
        return f"only instances changed by the {self._name} at {instant(self.at)} fail"

    @property
    def _name(self) -> str:
        version = f" {self.version[:12]}" if self.version else ""
        return f"{self.what} of {self.service}{version}"


@dataclass(frozen=True, kw_only=True)
class StaleBuild(Finding):
    """Deploys of one service that failed one after the other; `last_success` in ns or None."""

    term: ClassVar[str] = TERM
    stage: ClassVar[Stage] = Stage.CONTEXT
    remedy: ClassVar[str] = (
        "Alert on the age of the last successful build, and do not take a green main branch for "
        "what runs."
    )

    service: str
    failures: int
    last_success: int | None

    def sentence(self) -> str:
        of = f" of {self.service}" if self.service else ""
        last = (
            f"what runs is from {instant(self.last_success)} or older"
            if self.last_success is not None
            else "no deploy that succeeded was read"
        )
        return (
            f"{capital(counted(self.failures, 'deploy'))}{of} in a row failed, the last at "
            f"{instant(self.ended)}; {last}."
        )

    def clause(self) -> str:
        return f"deploys of {self.service or 'a service'} keep failing"


def short_body(body: str, most: int = BODY_SHOWN) -> str:
    """As much of a text as is read aloud."""
    return body if len(body) <= most else f"{body[: most - 1]}…"
