"""The second part of change-before: trouble that is new, right after a change that names nobody.

Story: somebody tidies up firewall rules, or drops an index that no query seemed to need. No service
was touched and no deploy is on record; within a minute calls fail, or statements take seconds, that
never did before.

Predicate: errors of one form, or slow statements of one form, that were never written in what was
read before, and then at least five times, begin within `PROMPT_NS` of a change (or of a statement
in the database's own log that changes the schema) that names no service at all; few instants of the
night have a change as shortly before them. Possible: what coincides may be chance. Likely where
many statements are slow on what the schema statement names.

False positives: changes that name another service, commits, pauses of a queue (silent); errors that
stood before (no new kind); nights full of changes (the base rate).

Reference: Google SRE Workbook, results of postmortem analysis (configuration push 31 %).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.change_findings import TERM, Base, base_of, short_body
from timeline.facts.changes_seen import Change, What, is_about
from timeline.facts.entities import entity_pairs
from timeline.facts.new_kinds import NewKind
from timeline.facts.rates import about
from timeline.facts.schema_statements import schema_changes
from timeline.facts.words import capital, counted, instant
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before, weakest
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident

PROMPT_NS = 90_000_000_000
"""What a change breaks for everybody shows as soon as somebody takes that path."""
RARE = 0.1
"""Up to this share of instants with a change as near, one that stands there is worth a look."""
SHOWN = 60
"""Characters of a change's words and of a line in a sentence."""
MANY = 10
"""Slow statements on what the schema statement names, before it is likely."""
MAX_KEYS = 200
_WORD = re.compile(r"[a-z_]{4,}")
_COMMON = frozenset(
    ("index", "drop", "create", "alter", "table", "column", "concurrently", "exists", "unique",
     "constraint", "default", "type", "view", "with", "from", "using")
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NewSinceChange(Finding):
    """Trouble of a new kind `gap` ns after a change that names no service."""

    term: ClassVar[str] = TERM
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Keep a record of changes to networks, rights and schemas as well, say in it what they "
        "touch, and try them where they can be taken back within a minute."
    )

    what: str
    body: str
    who: str
    service: str
    template: str
    count: int
    slow: bool
    onset: int
    gap: int
    base: Base

    def sentence(self) -> str:
        of = f" of {self.service}" if self.service else ""
        change, line = (short_body(text, SHOWN) for text in (self.body, self.template))
        times = counted(self.count, "time")
        return (
            f"{capital(about(self.gap))} after a {self.what} “{change}” {self._kind} of a new kind "
            f"began{of} at {instant(self.onset)}: “{line}”, {times} and never before."
        )

    def clause(self) -> str:
        return f"{self._kind} of a new kind began {about(self.gap)} after a {self.what}"

    @property
    def _kind(self) -> str:
        return "slow statements" if self.slow else "errors"


def new_since_change(incident: Incident, changes: Sequence[Change]) -> list[NewSinceChange]:
    """At most one finding: the change with the most trouble of a new kind right after it."""
    schema = schema_changes(incident)
    candidates = [*unaimed(incident, changes), *schema]
    if not candidates:
        return []
    told = sorted({*changes, *schema}, key=lambda one: (one.timestamp, one.row))
    found = []
    for kind in incident.new_kinds:
        near = [one for one in candidates if 0 <= kind.first - one.timestamp <= PROMPT_NS]
        if not near:
            continue
        change = max(near, key=lambda one: one.timestamp)
        if kind.slow and not (change in schema and _names(incident, kind, change.body)):
            continue
        base = base_of(incident, told, kind.first - change.timestamp)
        if base.share <= RARE:
            finding = _finding(incident, change, kind, base)
            found += [finding] if finding is not None else []
    found.sort(key=lambda one: (-one.count, one.began))
    return found[:1]


def unaimed(incident: Incident, changes: Sequence[Change]) -> list[Change]:
    """Changes that went through and name no service that speaks in any log."""
    never = (What.COMMIT, What.PAUSE)
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    services = pl.DataFrame({"actor": actors}).select(service_of(pl.col("actor")).unique().sort())
    names = [name for name in services.to_series().to_list() if name]
    own = {one.service for one in changes}
    return [
        one
        for one in changes
        if one.what not in never
        and not one.failed
        and not one.service
        and not is_about(one, [name for name in names if name not in own and name != "deploys"])
    ]


def _names(incident: Incident, kind: NewKind, statement: str) -> bool:
    """Whether the slow statements name anything that the schema statement names."""
    words = {word for word in _WORD.findall(statement.lower()) if word not in _COMMON}
    (event,) = incident.snapshot.events_at(list(kind.rows[:1]))
    return any(word in event.body.lower() for word in _parts(words))


def _parts(words: set[str]) -> set[str]:
    """`orders`, `email` of `index_orders_on_email`: how names of indexes are made."""
    parts = {part for word in words for part in word.split("_") if len(part) > 3}
    return (words | parts) - _COMMON


def _finding(
    incident: Incident, change: Change, kind: NewKind, base: Base
) -> NewSinceChange | None:
    made, first = incident.snapshot.events_at([change.row, kind.rows[0]])
    order = before(made, first, incident.clocks)
    if order.verdict is None:
        return None
    keys = entity_pairs(incident.snapshot.keys_of(pl.Series(kind.rows, dtype=pl.UInt32)))
    whom = f" Ask {change.who}." if change.who else ""
    link = f"the change does not say what it touches, and it coincides: it is {base.words()}"
    verdict = Verdict.POSSIBLE
    if kind.slow and kind.times >= MANY:
        verdict, link = Verdict.LIKELY, "that the statement needs what was changed is not shown"
    return NewSinceChange(
        verdict=weakest((verdict, order.verdict)),
        weakest_link=link,
        began=change.timestamp,
        ended=kind.last,
        steps=(
            Step("change", made, f"the {change.what.value}"),
            Step("first of its kind", first, "never before in what was read", order),
        ),
        keys=tuple(keys.get_column("key").unique().sort().head(MAX_KEYS).to_list()),
        would_decide=("Take the change back for a moment, and see whether the trouble ends.",),
        alternatives=("the change is innocent and something else happened after it",),
        next_action=f"Find out what the {change.what.value} touches, and whether it can be taken "
        f"back.{whom}",
        what=change.what.value,
        body=change.body,
        who=change.who,
        service=kind.service,
        template=kind.template,
        count=kind.times,
        slow=kind.slow,
        onset=kind.first,
        gap=kind.first - change.timestamp,
        base=base,
    )
