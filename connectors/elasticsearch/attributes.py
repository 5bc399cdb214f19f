"""The fields of a document that its body does not tell, as the attributes of its event."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from connectors.elasticsearch.fields import FieldMap
from connectors.logs.jsonshape import JsonValue, Path
from connectors.logs.record import CUT_MARK
from timeline.clean import clean

VALUE_CHARACTERS = 2_000
"""Longest text of one attribute; the rest stays in the index and the cut is marked."""
MOST_ATTRIBUTES = 200
DEEPEST = 8
"""Objects nested deeper are told as JSON text."""


def fields_of(
    record: Mapping[str, JsonValue], inner: Mapping[str, JsonValue] | None, fields: FieldMap
) -> dict[str, JsonValue]:
    """The fields that the body does not tell, flat under dotted names, as they are."""
    flat: dict[str, JsonValue] = {}
    _flatten(record, "", 0, flat)
    for path in (*fields.shape.message, *_STACKS):
        flat.pop(".".join(path), None)
    if inner is None:
        return flat
    more: dict[str, JsonValue] = {}
    _flatten(inner, "", 0, more)
    for path in (*fields.inner.message, *_STACKS):
        more.pop(".".join(path), None)
    return more | flat


def attributes_of(flat: dict[str, JsonValue]) -> str:
    """Flat fields as a JSON object, cleaned and not endless."""
    if len(flat) > MOST_ATTRIBUTES:
        flat = dict(list(flat.items())[:MOST_ATTRIBUTES])
    return _harmless(flat) or json.dumps(
        {clean(name): _plain(value) for name, value in flat.items()}, ensure_ascii=False
    )


def _harmless(flat: Mapping[str, JsonValue]) -> str:
    """The JSON text when nothing in it is unsafe, long, or hidden by an escape other
    than a quote's; "" else."""
    try:
        told = json.dumps(flat, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return ""
    if len(told) >= VALUE_CHARACTERS or not told.isprintable():
        return ""
    return told if "\\" not in told or "\\" not in told.replace('\\"', "") else ""


_STACKS: tuple[Path, ...] = (
    ("error", "stack_trace"),
    ("stack_trace",),
    ("stacktrace",),
    ("exception", "stacktrace"),
)
"""Long texts that stand in the body already."""


def _flatten(
    record: Mapping[str, JsonValue], prefix: str, depth: int, into: dict[str, JsonValue]
) -> None:
    for name, value in record.items():
        if isinstance(value, dict) and depth < DEEPEST:
            _flatten(value, f"{prefix}{name}.", depth + 1, into)
        else:
            into.setdefault(prefix + name, value)


def _plain(value: JsonValue) -> JsonValue:
    """A value that is harmless to show: cleaned and not endless."""
    if isinstance(value, str):
        return _short(clean(value))
    if isinstance(value, dict | list):
        cleaned = clean(json.dumps(value, ensure_ascii=False))
        return _short(cleaned) if len(cleaned) > VALUE_CHARACTERS else _cleaned(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    return value


def _cleaned(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    return value


def _short(value: str) -> str:
    return value if len(value) <= VALUE_CHARACTERS else value[:VALUE_CHARACTERS] + CUT_MARK
