"""Which query of the system itself counts the keys of a claim again.

A count that nobody can repeat is worth little in a postmortem. Each key is counted where it is kept
(its row, its job), else where records carry it; what only the join of several sources tells is said
to be one, and has no query. Owns the choice; what a query looks like is said in `recount_sql`,
`recount_jobs` and `recount_records`. It must never make a query that counts something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from timeline.batch import LOSS_TOPICS
from timeline.columns import reference
from timeline.event import Kind, Lane
from timeline.export.document import Counted, Document, Recount
from timeline.export.injection import one_line
from timeline.export.recount_jobs import job_count
from timeline.export.recount_records import record_counts
from timeline.export.recount_sql import row_counts
from timeline.export.recounted import Carrier, Scope

if TYPE_CHECKING:
    import polars as pl

    from timeline.incident import Incident

MOST_KEYS = 200
"""Keys that a query can name and a person still paste; above it only the number is told."""
MOST_RECORDS = 5_000
"""Records of one source that are looked at; more belong to keys too broad to be asked for."""
MOST_SOURCES = 4
"""So many times as many, of all sources together, are not even shared out."""
_UNSEEN_TOPICS = LOSS_TOPICS | {"counted", "partial-answer"}
"""Remarks after which a source holds more than was read: its counts are lower bounds."""
_SURROGATE = re.compile("[\ud800-\udfff]")
"""What no column of text can hold, so that no record carries it."""
_COLUMNS = ("timestamp", "source", "lane", "kind", "ref", "file", "offset", "length", "attributes")


def counted_of(
    incident: Incident, keys: Sequence[str], place: str, root: str = ""
) -> Counted | None:
    """How `keys` can be counted again; None for no keys. Deterministic.

    `place` is where they stand in the JSON of `halfawake findings`; names of files are relative to
    `root`.
    """
    if not keys:
        return None
    if len(keys) > MOST_KEYS:
        return Counted(len(keys), place, too_many=True)
    sources = _sources(incident, keys, root)
    left = set(keys)
    recounts: list[Recount] = []
    for count_those in (row_counts, job_count, record_counts):
        recounts += _greedily(sources, left, count_those)
    return Counted(len(keys), place, tuple(recounts), tuple(sorted(left)))


def without_broken(before: Document, after: Document) -> Document:
    """`after`, without queries that redaction changed: they would count something else."""
    impact = replace(after.impact, counted=_unbroken(before.impact.counted, after.impact.counted))
    findings = tuple(
        replace(new, counted=_unbroken(old.counted, new.counted))
        for old, new in zip(before.findings, after.findings, strict=True)
    )
    return replace(after, impact=impact, findings=findings)


def _unbroken(before: Counted | None, after: Counted | None) -> Counted | None:
    if before is None or after is None:
        return after
    queries = tuple(
        new if new.query == old.query else replace(new, query="")
        for old, new in zip(before.queries, after.queries, strict=True)
    )
    return replace(after, queries=queries)


@dataclass(frozen=True, slots=True)
class _Source:
    """What one source holds of the keys."""

    scope: Scope
    carriers: tuple[Carrier, ...]


def _sources(incident: Incident, keys: Sequence[str], root: str) -> list[_Source]:
    """The records that carry `keys`, by source; a source with too many of them is left out."""
    snapshot = incident.snapshot
    asked = [key for key in keys if not _SURROGATE.search(key)]
    rows = snapshot.rows_with(key for key in asked if key not in snapshot.broad_keys)
    if rows.len() > MOST_RECORDS * MOST_SOURCES:
        return []
    found = snapshot.events[rows].select(_COLUMNS).with_columns(rows.alias("row"))
    wanted = set(keys)
    named: dict[int, set[str]] = {}
    for row, key in snapshot.keys_of(rows).iter_rows():
        if key in wanted:
            named.setdefault(row, set()).add(key)
    held = {info.name: info for info in incident.sources}
    sources = []
    for (name,), part in sorted(found.group_by("source", maintain_order=True), key=_by_name):
        info = held.get(str(name))
        if info is None or part.height > MOST_RECORDS:
            continue
        cut = _cut(incident, info.name)
        scope = Scope(info.name, info.lane, info.system, incident.window, cut, root)
        records = part.to_dicts()
        sources.append(_Source(scope, tuple(_carrier(one, named[one["row"]]) for one in records)))
    return sources


def _by_name(group: tuple[tuple[object, ...], pl.DataFrame]) -> str:
    return str(group[0][0])


def _cut(incident: Incident, source: str) -> bool:
    remarks = incident.snapshot.remarks
    return any(one.source == source and one.topic in _UNSEEN_TOPICS for one in remarks)


def _carrier(record: dict[str, str | int | None], keys: set[str]) -> Carrier:
    attributes: object = None
    if record["attributes"] is not None:
        try:
            attributes = json.loads(str(record["attributes"]))
        except (ValueError, RecursionError):
            attributes = None
    return Carrier(
        timestamp=int(record["timestamp"] or 0),
        lane=Lane(str(record["lane"])),
        kind=Kind(str(record["kind"])),
        ref=reference(dict(record)),
        length=int(record["length"] or 0),
        attributes=attributes if isinstance(attributes, dict) else {},
        keys=frozenset(keys),
    )


def _greedily(
    sources: Sequence[_Source],
    left: set[str],
    count_those: Callable[[Scope, Sequence[Carrier], frozenset[str]], Sequence[Recount]],
) -> list[Recount]:
    """The source that counts most of what is left first, so that no key is counted twice."""
    found: list[Recount] = []
    remaining = list(sources)
    while left and remaining:
        offers = [(count_those(s.scope, s.carriers, frozenset(left)), s) for s in remaining]
        offers = [(_sayable(recounts), source) for recounts, source in offers]
        best, source = max(offers, key=lambda offer: len(_keys(offer[0])))
        taken = _keys(best)
        if not taken:
            return found
        found += best
        left -= taken
        remaining.remove(source)
    return found


def _sayable(recounts: Sequence[Recount]) -> tuple[Recount, ...]:
    """Without queries that cleaning or the folding of spaces would change on their way out."""
    return tuple(one for one in recounts if one_line(one.query) == one.query)


def _keys(recounts: Sequence[Recount]) -> set[str]:
    return {key for one in recounts for key in one.keys}
