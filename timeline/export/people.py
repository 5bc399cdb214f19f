"""People become roles on the way out: a timeline says what was done, not whom to blame.

Who wrote a note is `responder 1`, the same throughout one export, in its own words and where other
notes name them; who made a commit or a deployment is `author 1`. A role that was written as such
(`on-call`), a bot, and a name the team keeps stay. Owns notes and changes alone: what a log or a
row says of people is the redaction's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.export.authors import authors_in
from timeline.export.document import (
    Band,
    Document,
    Evidence,
    Impact,
    Origin,
    Proof,
    Row,
    SourceReport,
)

if TYPE_CHECKING:
    from timeline.export.contract import ExportOptions
    from timeline.finding import Finding, JsonValue
    from timeline.incident import Incident

ROLE = "responder"
AUTHOR = "author"
RULE = "name"
"""Under which replaced names are counted."""
ROLES = frozenset(
    {
        "commander", "comms", "communications", "database", "dba", "deputy", "developer", "duty",
        "engineer", "ic", "incident commander", "incident lead", "lead", "liaison", "manager", "me",
        "on call", "on-call", "oncall", "on duty", "operations", "operator", "ops", "pager",
        "primary", "responder", "scribe", "secondary", "security", "sre", "support", "team", "we",
    }
)  # fmt: skip
"""What people write in place of a name; it blames nobody."""
SHORTEST_NAME = 3
"""Signs of a name that is looked for in sentences without `@` before it."""
_BEFORE_SHORT = r"(?:@|(?<=\bby )|(?<=\bAsk )|(?<=\bcommitter )|(?<=\())"
"""Where our own words, and people, put a name: two letters alone are a word of any sentence."""
NAMING = ("who", "committer")
"""Attributes of notes and changes that name a person."""
_TOLD_BY_PEOPLE = (Lane.NOTE, Lane.CHANGE)
_NOTE_SPEAKER = f" {Lane.NOTE.value}"


def as_roles(
    document: Document, keep: Sequence[str] = (), authors: Sequence[str] = ()
) -> tuple[Document, int]:
    """`document` without the names of those who wrote its notes and of `authors` of its changes,
    and how many were replaced."""
    roles = roles_of(document.evidence, keep, authors)
    if not roles:
        return document, 0
    counted: Counter[str] = Counter()
    text = partial(without_names, roles, counted)
    told = {record.label for record in document.evidence if record.lane in _TOLD_BY_PEOPLE}
    changes = {record.label for record in document.evidence if record.lane is Lane.CHANGE}
    changed = replace(
        document,
        evidence=tuple(_record(one, roles, counted) for one in document.evidence),
        timeline=tuple(_row(row, changes, roles, counted) for row in document.timeline),
        impact=_impact(document.impact, text),
        findings=tuple(_proof(proof, told, text) for proof in document.findings),
        sources=tuple(_source(source, text) for source in document.sources),
        bands=tuple(_band(band, text) for band in document.bands),
    )
    return changed, counted.total()


def roles_of(
    evidence: Sequence[Evidence], keep: Sequence[str], authors: Sequence[str]
) -> dict[str, str]:
    """Name to role: those who wrote notes by who wrote first, then authors in their order."""
    found = _writers(evidence, keep)
    number = 0
    for name in authors:
        if name not in found and not _kept(name, keep):
            number += 1
            found[name] = f"{AUTHOR} {number}"
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))  # `Ann` is in `Ann Other`


def words_without(incident: Incident, options: ExportOptions) -> Callable[[str], str]:
    """The same for single sentences about an incident: a status, a list of findings."""
    if not options.redacted:
        return str
    notes = pl.col("lane") == Lane.NOTE.value
    told = incident.snapshot.told(notes, "actor", "attributes").unique("actor", maintain_order=True)
    bot = pl.col("attributes").str.json_path_match("$.bot").fill_null("") == "yes"
    writers = told.filter(~bot).get_column("actor").cast(pl.String).drop_nulls().to_list()
    roles = {
        name: f"{ROLE} {number}"
        for number, name in enumerate(
            (name for name in writers if name.strip() and not _kept(name, options.keep)), 1
        )
    }
    for number, name in enumerate(authors_in(incident), 1):
        if not _kept(name, options.keep):
            roles.setdefault(name, f"{AUTHOR} {number}")
    ordered = dict(sorted(roles.items(), key=lambda one: -len(one[0])))
    return partial(without_names, ordered, Counter())


def rests_on_people(finding: Finding) -> bool:
    """Whether a finding cites a note or a change, and so may name a person."""
    return any(step.event.lane in _TOLD_BY_PEOPLE for step in finding.steps)


def _writers(evidence: Sequence[Evidence], keep: Sequence[str]) -> dict[str, str]:
    """Name to role, numbered by who wrote first."""
    found: dict[str, str] = {}
    for record in evidence:
        name = record.actor.strip()
        if record.lane is not Lane.NOTE or not name or name in found or _stays(record, name, keep):
            continue
        found[name] = f"{ROLE} {len(found) + 1}"
    return found


def _stays(record: Evidence, name: str, keep: Sequence[str]) -> bool:
    told = record.attributes
    is_bot = isinstance(told, Mapping) and told.get("bot") == "yes"
    return is_bot or _kept(name, keep)


def _kept(name: str, keep: Sequence[str]) -> bool:
    kept = any(fnmatchcase(name.lower(), pattern.lower()) for pattern in keep)
    return kept or name.lower() in ROLES


def _record(record: Evidence, roles: Mapping[str, str], counted: Counter[str]) -> Evidence:
    if record.lane not in _TOLD_BY_PEOPLE:
        return record
    told = record.attributes
    if isinstance(told, Mapping):
        named = {name: roles[str(told[name])] for name in NAMING if told.get(name) in roles}
        told = {**told, **named}
        counted[RULE] += len(named)
    return replace(
        record,
        actor=_named(record.actor, roles, counted) if record.lane is Lane.NOTE else record.actor,
        body=without_names(roles, counted, record.body),
        attributes=told,
    )


def _row(row: Row, changes: set[str], roles: Mapping[str, str], counted: Counter[str]) -> Row:
    if row.origin is not Origin.NOTE:
        if changes.isdisjoint(row.cites):
            return row
        return replace(row, text=without_names(roles, counted, row.text))
    name = row.speaker.removesuffix(_NOTE_SPEAKER)
    speaker = f"{_named(name, roles, counted)}{_NOTE_SPEAKER}"
    return replace(row, speaker=speaker, text=without_names(roles, counted, row.text))


def _impact(impact: Impact, text: partial[str]) -> Impact:
    told = tuple(replace(one, text=text(one.text)) for one in impact.milestones)
    return replace(impact, milestones=told, next_action=text(impact.next_action))


def _proof(proof: Proof, told: set[str], text: partial[str]) -> Proof:
    """A finding that rests on a note or a change may name whose it is, in any of its words."""
    if not any(step.cites in told for step in proof.steps):
        return proof
    steps = tuple(replace(step, why=text(step.why)) for step in proof.steps)
    return replace(
        proof,
        sentence=text(proof.sentence),
        weakest_link=text(proof.weakest_link),
        steps=steps,
        figures=tuple(map(text, proof.figures)),
        would_decide=tuple(map(text, proof.would_decide)),
        alternatives=tuple(map(text, proof.alternatives)),
        next_action=text(proof.next_action),
        details={name: in_value(item, text) for name, item in proof.details.items()},
    )


def in_value(value: JsonValue, text: Callable[[str], str]) -> JsonValue:
    """Every text of a JSON value."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {name: in_value(item, text) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [in_value(item, text) for item in value]
    return value


def _source(source: SourceReport, text: partial[str]) -> SourceReport:
    """A commit is stamped by the clock of whoever made it: `committer Ann Other`."""
    return replace(source, clocks=tuple(text(clock) for clock in source.clocks))


def _band(band: Band, text: partial[str]) -> Band:
    if band.lane not in _TOLD_BY_PEOPLE:
        return band
    marks = tuple(replace(mark, text=text(mark.text)) for mark in band.marks)
    return replace(band, marks=marks)


def _named(name: str, roles: Mapping[str, str], counted: Counter[str]) -> str:
    if name not in roles:
        return name
    counted[RULE] += 1
    return roles[name]


def without_names(roles: Mapping[str, str], counted: Counter[str], text: str) -> str:
    for name, role in roles.items():
        before = "@?" if len(name) >= SHORTEST_NAME else _BEFORE_SHORT
        pattern = rf"(?i)(?<![\w@]){before}{re.escape(name)}(?!\w)"
        text, count = re.subn(pattern, role, text)
        counted[RULE] += count
    return text
