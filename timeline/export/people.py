"""People become roles on the way out: a timeline says what was done, not whom to blame.

Who wrote a note is `responder 1`, the same throughout one export, in its own words and where other
notes name them. A role that was written as such (`on-call`), a bot, and a name the team keeps stay.
Owns notes alone: what a log or a row says of people is the redaction's business.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial

from timeline.event import Lane
from timeline.export.document import Band, Document, Evidence, Impact, Origin, Proof, Row

ROLE = "responder"
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
_NOTE_SPEAKER = f" {Lane.NOTE.value}"


def as_roles(document: Document, keep: Sequence[str] = ()) -> tuple[Document, int]:
    """`document` without the names of those who wrote its notes, and how many were replaced."""
    roles = _roles(document.evidence, keep)
    if not roles:
        return document, 0
    counted: Counter[str] = Counter()
    text = partial(_without_names, roles, counted)
    notes = {record.label for record in document.evidence if record.lane is Lane.NOTE}
    changed = replace(
        document,
        evidence=tuple(_record(one, roles, counted) for one in document.evidence),
        timeline=tuple(_row(row, roles, counted) for row in document.timeline),
        impact=_impact(document.impact, roles, counted),
        findings=tuple(_proof(proof, notes, text) for proof in document.findings),
        bands=tuple(_band(band, text) for band in document.bands),
    )
    return changed, counted.total()


def _roles(evidence: Sequence[Evidence], keep: Sequence[str]) -> dict[str, str]:
    """Name to role, numbered by who wrote first."""
    found: dict[str, str] = {}
    for record in evidence:
        name = record.actor.strip()
        if record.lane is not Lane.NOTE or not name or name in found or _stays(record, name, keep):
            continue
        found[name] = f"{ROLE} {len(found) + 1}"
    return dict(sorted(found.items(), key=lambda one: -len(one[0])))  # `Ann` is in `Ann Other`


def _stays(record: Evidence, name: str, keep: Sequence[str]) -> bool:
    told = record.attributes
    is_bot = isinstance(told, Mapping) and told.get("bot") == "yes"
    kept = any(fnmatchcase(name.lower(), pattern.lower()) for pattern in keep)
    return is_bot or kept or name.lower() in ROLES


def _record(record: Evidence, roles: Mapping[str, str], counted: Counter[str]) -> Evidence:
    if record.lane is not Lane.NOTE:
        return record
    told = record.attributes
    if isinstance(told, Mapping) and told.get("who") in roles:
        told = {**told, "who": roles[str(told["who"])]}
    return replace(
        record,
        actor=_named(record.actor, roles, counted),
        body=_without_names(roles, counted, record.body),
        attributes=told,
    )


def _row(row: Row, roles: Mapping[str, str], counted: Counter[str]) -> Row:
    if row.origin is not Origin.NOTE:
        return row
    name = row.speaker.removesuffix(_NOTE_SPEAKER)
    speaker = f"{_named(name, roles, counted)}{_NOTE_SPEAKER}"
    return replace(row, speaker=speaker, text=_without_names(roles, counted, row.text))


def _impact(impact: Impact, roles: Mapping[str, str], counted: Counter[str]) -> Impact:
    told = tuple(
        replace(one, text=_without_names(roles, counted, one.text)) for one in impact.milestones
    )
    return replace(impact, milestones=told)


def _proof(proof: Proof, notes: set[str], text: partial[str]) -> Proof:
    """A finding that rests on a note may name its writer."""
    if not any(step.cites in notes for step in proof.steps):
        return proof
    steps = tuple(replace(step, why=text(step.why)) for step in proof.steps)
    return replace(proof, sentence=text(proof.sentence), steps=steps)


def _band(band: Band, text: partial[str]) -> Band:
    if band.lane is not Lane.NOTE:
        return band
    marks = tuple(replace(mark, text=text(mark.text)) for mark in band.marks)
    return replace(band, marks=marks)


def _named(name: str, roles: Mapping[str, str], counted: Counter[str]) -> str:
    if name not in roles:
        return name
    counted[RULE] += 1
    return roles[name]


def _without_names(roles: Mapping[str, str], counted: Counter[str], text: str) -> str:
    for name, role in roles.items():
        bare = "" if len(name) >= SHORTEST_NAME else "@"
        pattern = rf"(?i)(?<![\w@]){bare or '@?'}{re.escape(name)}(?!\w)"
        text, count = re.subn(pattern, role, text)
        counted[RULE] += count
    return text
