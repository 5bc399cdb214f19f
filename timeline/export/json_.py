"""JSON for scripts and agents: the same document, the same redaction, nothing cut for length.

`schema.json` beside this file describes every field; `SCHEMA_VERSION` rises when one changes its
meaning or goes, not when one is added. Instants are given twice: RFC 3339 in the precision they
were recorded in, and nanoseconds as a string, because readers in other languages keep numbers as
doubles.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from importlib.resources import files
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, ClassVar

from timeline.event import Precision
from timeline.export.document import Moment, Stretch
from timeline.export.injection import clip
from timeline.export.publish import publish
from timeline.export.times import rfc3339

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.export.contract import ExportOptions
    from timeline.export.document import Counted, Document, Evidence, Impact, Proof, Row
    from timeline.export.redact import Redactor
    from timeline.finding import JsonValue
    from timeline.incident import Incident

_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ONE = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
SCHEMA_VERSION = 1
TEXT_CHARACTERS = 16_000
"""Most characters of one record's text. The build carries more, so that redaction sees past it."""


class JsonExporter:
    """One JSON object, documented by `schema.json`."""

    name: ClassVar[str] = "json"
    suffix: ClassVar[str] = ".json"

    def render(self, incident: Incident, analysis: Analysis, options: ExportOptions) -> str:
        return publish(incident, analysis, options, write, look_over, details=True)


def schema() -> str:
    """The JSON Schema (draft 2020-12) of the export, as text."""
    return files("timeline.export").joinpath("schema.json").read_text("utf-8")


def write(document: Document) -> str:
    """The document as indented JSON."""
    return _text(tree(document))


def look_over(text: str, redactor: Redactor) -> str:
    """The last redaction, string by string: one over the raw text could break its syntax."""
    found = json.loads(text)
    checked = redactor.value(found)
    return text if checked == found else _text(checked)


def _text(value: JsonValue) -> str:
    """Readable text; signs that would turn what a terminal shows around are written as escapes."""
    text = _indented(value, "\n")
    return _UNSEEN.sub(lambda sign: f"\\u{ord(sign.group()):04x}", text) + "\n"


def _indented(value: JsonValue, line: str) -> str:
    """`json.dumps(value, indent=2)`, whose own code is three times slower when it indents."""
    if isinstance(value, str):
        return encode_basestring(value)
    inner = f"{line}  "
    if isinstance(value, (dict, Mapping)) and value:
        items = value.items()
        told = [f"{encode_basestring(name)}: {_indented(item, inner)}" for name, item in items]
        return f"{{{inner}{f',{inner}'.join(told)}{line}}}"
    if isinstance(value, (list, tuple)) and value:
        return f"[{inner}{f',{inner}'.join([_indented(item, inner) for item in value])}{line}]"
    return _ONE(value)


def tree(document: Document) -> dict[str, JsonValue]:
    """The document as JSON values."""
    pin = document.pin.timestamp
    return {
        "schema_version": SCHEMA_VERSION,
        "title": document.title,
        "environment": document.environment,
        "tool_version": document.tool_version,
        "pin": _moment(document.pin),
        "window": {"start": _instant(document.window_start), "end": _instant(document.window_end)},
        "collected_at": _instant(document.collected_at) if document.collected_at > 0 else None,
        "local_zone": document.local_zone,
        "impact": _impact(document.impact),
        "timeline": [_row(row, pin) for row in document.timeline],
        "unknown": list(document.unknown),
        "findings": [_proof(proof) for proof in document.findings],
        "not_evaluated": list(document.not_evaluated),
        "looked_for": list(document.looked_for),
        "evidence": [_evidence(record) for record in document.evidence],
        "sources": [
            {**_plain(source), "coverage": [_stretch(stretch) for stretch in source.coverage]}
            for source in document.sources
        ],
        "undated": [_plain(record) for record in document.undated_listed],
        "totals": {
            "records": document.records_total,
            "records_in_window": document.records_in_window,
            "undated": document.undated,
        },
        "redaction": {
            "applied": not document.no_redact_reason,
            "reason_not_applied": document.no_redact_reason,
            "removed": [{"rule": name, "count": count} for name, count in document.redactions],
            **({"ids_replaced": True} if document.ids_replaced else {}),
        },
    }


def _instant(timestamp: int) -> str:
    """An instant that is ours to state, such as a window's end."""
    exact = Precision.SECOND if timestamp % 10**9 == 0 else Precision.NANOSECOND
    return rfc3339(timestamp, exact)


def _moment(moment: Moment) -> dict[str, JsonValue]:
    return {
        "time": rfc3339(moment.timestamp, moment.precision),
        "precision": moment.precision.value,
        "unix_ns": str(moment.timestamp),
    }


def _impact(impact: Impact) -> dict[str, JsonValue]:
    return {
        "headline": impact.headline,
        "next_action": impact.next_action,
        "condition": impact.condition.value,
        "began": None if impact.began is None else _moment(impact.began),
        "began_cites": list(impact.began_cites),
        "detected": _moment(impact.detected),
        "recovered": None if impact.recovered is None else _moment(impact.recovered),
        "duration_ns": None if impact.duration is None else str(impact.duration),
        "affected": list(impact.affected),
        "counted": _counted(impact.counted),
        "new_per_minute": impact.new_per_minute,
        "seen_until": _instant(impact.seen_until.timestamp),
        "common": list(impact.common),
        "milestones": [
            {
                "what": milestone.what,
                "moment": None if milestone.moment is None else _moment(milestone.moment),
                "text": clip(milestone.text, TEXT_CHARACTERS),
                "since_began_ns": _optional(milestone.since_began),
                "cites": list(milestone.cites),
            }
            for milestone in impact.milestones
        ],
    }


def _counted(counted: Counted | None) -> JsonValue:
    if counted is None:
        return None
    return {
        "command": counted.command,
        "place": counted.place,
        "queries": [
            {
                "source": one.source,
                "counts": one.one if one.count == 1 else one.many,
                "count": one.count,
                "at_least": one.at_least,
                "language": one.language,
                "query": one.query or None,
                "note": one.note,
                "keys": list(one.keys),
            }
            for one in counted.queries
        ],
        "without_query": list(counted.unasked),
        "too_many": counted.too_many,
    }


def _optional(nanoseconds: int | None) -> str | None:
    return None if nanoseconds is None else str(nanoseconds)


def _row(row: Row, pin: int) -> dict[str, JsonValue]:
    return {
        **_moment(row.moment),
        "from_pin_ns": str(row.moment.timestamp - pin),
        "origin": row.origin.value,
        "speaker": row.speaker,
        "label": row.label,
        "text": clip(row.text, TEXT_CHARACTERS),
        "repeats": row.repeats,
        "repeats_span_ns": str(row.repeats_span),
        "place": row.place.value,
        "cites": list(row.cites),
    }


def _proof(proof: Proof) -> dict[str, JsonValue]:
    plain = _plain(proof)
    times = {"began": _instant(proof.began), "ended": _instant(proof.ended)}
    return {**plain, **times, "counted": _counted(proof.counted)}


def _evidence(record: Evidence) -> dict[str, JsonValue]:
    plain = _plain(record)
    del plain["moment"]
    if not record.addresses:
        del plain["addresses"]
    return {**plain, **_moment(record.moment), "body": clip(record.body, TEXT_CHARACTERS)}


def _stretch(stretch: Stretch) -> dict[str, JsonValue]:
    plain = _plain(stretch)
    return {**plain, "start": _instant(stretch.start), "end": _instant(stretch.end)}


def _plain(record: Proof | Evidence | Stretch | object) -> dict[str, JsonValue]:
    """A dataclass of the document, field by field under its own names."""
    if not dataclasses.is_dataclass(record) or isinstance(record, type):
        raise TypeError(f"{type(record).__name__} is no part of a document")
    return {f.name: _value(getattr(record, f.name)) for f in dataclasses.fields(record)}


def _value(value: object) -> JsonValue:
    if type(value) is str:
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _value(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_value(item) for item in value]
    return _plain(value)
