"""An incident without its secrets, for a bundle that is handed on.

Every text that a bundle holds passes redaction: records, keys, references, coverage, remarks, what
is known of sources, and marks. Times, order and counts stay. One value has one stand-in throughout,
so records that were joined by an address still are. A reference that held a secret names its record
by another evidence id than before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from timeline.bundle_tables import refilled
from timeline.coverage import CoverageMap
from timeline.event import Event
from timeline.export.gates import opened_by_text
from timeline.export.redact import Redactor
from timeline.progress import SourceStatus
from timeline.words import count_of

if TYPE_CHECKING:
    from timeline.incident import Incident

TOPIC = "redacted"
"""Of the remark that says so: who opens the bundle must know what is no longer in it."""
_SAFE_TEXTS = frozenset({"meaning", "precision", "lane", "kind"})


def redacted(
    incident: Incident,
    statuses: Sequence[SourceStatus],
    marks: Sequence[Event],
    redactor: Redactor,
) -> tuple[Incident, tuple[SourceStatus, ...], tuple[Event, ...]]:
    """The same incident, statuses and marks as `redactor` lets them out."""
    held = incident.snapshot
    coverage = CoverageMap(
        redactor.value(held.coverage.entries), redactor.value(held.coverage.asked)
    )
    store = refilled(
        _frame(held.events, redactor),
        _frame(held.keys, redactor),
        _frame(held.undated, redactor),
        coverage,
        redactor.value(held.remarks),
        _frame(held.counts, redactor),
    )
    clean = replace(
        incident,
        snapshot=store.snapshot(),
        sources=redactor.value(incident.sources),
        environment=redactor.text(incident.environment),
        expected_services=redactor.value(incident.expected_services),
        knowledge=redactor.value(incident.knowledge),
    )
    return clean, redactor.value(tuple(statuses)), tuple(_event(mark, redactor) for mark in marks)


def counts_words(redactor: Redactor) -> str:
    """`12 texts redacted (email 3, secret 9)`."""
    total = sum(count for _, count in redactor.counts)
    if not total:
        return "no text matched a redaction rule"
    rules = ", ".join(f"{name} {count}" for name, count in redactor.counts)
    return f"{count_of(total, 'text')} redacted ({rules})"


def _frame(frame: pl.DataFrame, redactor: Redactor) -> pl.DataFrame:
    """All text columns redacted; what repeats much is looked at once."""
    changed = []
    for name, kind in frame.schema.items():
        if name in _SAFE_TEXTS or not (kind == pl.String or kind == pl.Categorical):
            continue
        column = frame.get_column(name)
        if kind == pl.Categorical or name == "key":
            changed.append(_by_value(column, redactor))
        elif name == "attributes":
            changed.append(_json_column(column, redactor))
        else:
            texts = column.fill_null("").to_list()
            told = pl.Series(name, redactor.texts(texts), dtype=pl.String)
            changed.append(told.set(column.is_null(), None))
    return frame.with_columns(changed)


def _by_value(column: pl.Series, redactor: Redactor) -> pl.Series:
    values = [str(value) for value in column.unique(maintain_order=True).drop_nulls()]
    pairs = zip(values, redactor.texts(values), strict=True)
    new = {before: after for before, after in pairs if before != after}
    if not new:
        return column
    return column.cast(pl.String).replace(new).cast(column.dtype)


def _json_column(column: pl.Series, redactor: Redactor) -> pl.Series:
    """Attributes stay JSON: those that a rule could match are taken apart and put together."""
    texts = column.fill_null("").to_list()
    escaped = column.str.contains("\\u", literal=True).fill_null(value=False).arg_true().to_list()
    for row in sorted({*opened_by_text(texts, redactor.rules), *escaped}):
        texts[row] = _json_text(texts[row], redactor)
    return pl.Series(column.name, texts, dtype=pl.String).set(column.is_null(), None)


def _json_text(text: str, redactor: Redactor) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return redactor.text(text)
    return json.dumps(redactor.value(value), ensure_ascii=False)


def _event(event: Event, redactor: Redactor) -> Event:
    attributes = event.attributes and _json_text(event.attributes, redactor)
    return replace(redactor.value(replace(event, attributes=None)), attributes=attributes)
