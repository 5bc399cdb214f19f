"""One document of a search answer into one event, and a page of them into a batch.

The engine's own instant (the sort value) is the stamp; the text of the document adds the digits
that the engine's millisecond does not hold, when both agree. No stamp ever passes through a
floating-point number. Previews and look-ups read documents one by one (`event_of`), pages all at
once (`events_of`); both tell the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from connectors.answers import at, items, members, text
from connectors.elasticsearch.attributes import attributes_of, fields_of
from connectors.elasticsearch.fields import (
    FieldMap,
    TimeField,
    inner_record,
    kinds_of,
    spellings,
)
from connectors.elasticsearch.shipped import Said, all_said, formats_in, said_in
from connectors.logs.jsonshape import JsonFields, JsonValue, error_texts, value_at
from connectors.logs.levels import severity_of
from connectors.logs.record import body_of
from timeline.clean import clean
from timeline.event import (
    Event,
    Kind,
    Lane,
    Meaning,
    Precision,
    intrinsic_seq,
    severity_name,
)
from timeline.keys import KeyRules

if TYPE_CHECKING:
    import polars as pl

MILLISECOND_NS = 1_000_000

_FRACTION = re.compile(r":[0-9]{2}[.,]([0-9]{1,9})[0-9]*(?:[^0-9]|$)")
_WHOLE_SECOND = re.compile(r":[0-9]{2}(?:Z|[+-][0-9]{2}:?[0-9]{2})?$")
_EPOCH = re.compile(r"[0-9]{9,19}$")
_BY_DIGITS = (
    (9, Precision.NANOSECOND),
    (6, Precision.MICROSECOND),
    (3, Precision.MILLISECOND),
    (0, Precision.SECOND),
)
"""Fewest fraction digits and the unit they promise: `.11` promises no more than its second."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the documents of one source are read."""

    source: str
    fields: FieldMap
    key_rules: KeyRules
    ingest_clock: str
    _kinds: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def kinds_of(self, name: str) -> tuple[str, ...]:
        """Key types of a field's values; there are few names, so each is judged once."""
        if name not in self._kinds:
            self._kinds[name] = kinds_of(name, self.key_rules)
        return self._kinds[name]


@dataclass(frozen=True, slots=True)
class Document:
    """One hit: where it is kept, its content, and the instant it was sorted by."""

    index: str
    id: str
    content: dict[str, JsonValue]
    instant: int
    """The sort value: ms since the epoch, or ns for a `TimeField` with nanoseconds."""
    sort: tuple[JsonValue, ...]

    @property
    def ref(self) -> str:
        return f"{clean(self.index)}/{clean(self.id)}"


def documents_in(content: Mapping[str, JsonValue]) -> list[Document]:
    """The hits of a search answer that carry a time, in the order of the answer."""
    found = []
    for hit in items(at(content, "hits", "hits")):
        if not isinstance(hit, dict):
            continue
        sort = items(hit.get("sort"))
        instant = sort[0] if sort else None
        if isinstance(instant, int):
            index, name, source = text(hit.get("_index")), text(hit.get("_id")), hit.get("_source")
            found.append(Document(index, name, members(source), instant, tuple(sort)))
    return found


def event_of(document: Document, time: TimeField, reading: Reading) -> Event:
    """The event of a document; of its keys only those whose field names them."""
    text = _Text.of(document.content, reading.fields)
    line = None if text.line is None else said_in(text.line, reading.fields.lines)
    return _event(document, text, line, time, reading)


def events_of(documents: Sequence[Document], time: TimeField, reading: Reading) -> list[Event]:
    """`event_of` for a page: the formats of its lines are decided once, and read by column."""
    texts = [_Text.of(document.content, reading.fields) for document in documents]
    lines = [text.line for text in texts]
    dialect = formats_in([line for line in lines if line], reading.fields.lines)
    return [
        _event(document, text, line, time, reading)
        for document, text, line in zip(documents, texts, all_said(lines, dialect), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Text:
    """What the fields of a document say, and the object that its text may be."""

    told: JsonFields
    inner: dict[str, JsonValue] | None

    @classmethod
    def of(cls, record: Mapping[str, JsonValue], fields: FieldMap) -> _Text:
        outer = fields.shape.read(record)
        inner = inner_record(outer.message)
        return cls(outer if inner is None else _over(fields.inner.read(inner), outer), inner)

    @property
    def line(self) -> str | None:
        """The text that may be a log line."""
        return self.told.message if self.inner is None else None


def _event(
    document: Document, text: _Text, line: Said | None, time: TimeField, reading: Reading
) -> Event:
    fields, record, told = reading.fields, document.content, text.told
    message, severity = told.message, severity_of(told.level)
    flat = fields_of(record, text.inner, fields)
    if line is not None:
        told = _as_told(told, line)
        flat |= {name: value for name, value in line.fields().items() if name not in flat}
        if not _contradicted(severity, line.severity_number):
            message, severity = line.message, severity or line.severity_number
        if message != line.whole:
            flat = _with_whole(flat, line, record, fields)
    if message is None:
        message = json.dumps(text.inner or record, ensure_ascii=False)
    lines = [message, *error_texts(record, message)]
    if text.inner is not None:
        lines += error_texts(text.inner, message)
    timestamp, precision = stamp_of(document.instant, time, _written(record, time))
    ref = document.ref
    host = clean(told.host or "")
    return Event(
        timestamp=timestamp,
        source=reading.source,
        lane=Lane.LOG,
        kind=Kind.LOG,
        body=body_of("\n".join(dict.fromkeys([*lines, *_further_lines(record)])), ()),
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=severity,
        actor=clean(told.service or "") or host or clean(told.logger or document.index),
        clock=reading.ingest_clock if time.ingested else host,
        meaning=Meaning.INGESTED if time.ingested else Meaning.OCCURRED,
        precision=precision,
        keys=tuple(dict.fromkeys(_field_keys(flat, reading))),
        attributes=attributes_of(flat),
    )


def speaker_in(documents: Sequence[Document], reading: Reading) -> str:
    """The countable service field, if it names the actor of every sampled document that has it.

    A document that lists several names in it is told by another field; then the cluster's counts
    by service would be of other names than the records'.
    """
    name = reading.fields.service
    if not name:
        return ""
    paths = spellings(name.removesuffix(".keyword"))
    for document in documents:
        told = next(
            (v for path in paths if (v := value_at(document.content, path)) is not None), None
        )
        actor = event_of(document, reading.fields.time, reading).actor
        if told is not None and clean(str(told)) != actor:
            return ""
    return name


def with_keys(events: Sequence[Event], reading: Reading) -> list[Event]:
    """A few events (a preview, a look-up) with the keys of their texts too; needs no Polars."""
    rules = reading.key_rules
    return [
        replace(event, keys=tuple(dict.fromkeys([*event.keys, *rules.in_text(_told(event))])))
        for event in events
    ]


def columns_of(events: Sequence[Event], reading: Reading) -> tuple[pl.DataFrame, pl.DataFrame]:
    """EVENT_SCHEMA and KEY_SCHEMA frames of one page, with the keys of its texts too."""
    import polars as pl

    from timeline.columns import frame_from

    frame, keys = frame_from(events)
    texts = pl.Series([_told(event) for event in events], dtype=pl.String)
    both = pl.concat([keys, reading.key_rules.in_column(texts)])
    return frame, both.unique(maintain_order=True).sort("row", maintain_order=True)


def _told(event: Event) -> str:
    """What keys are looked for in: all that the record says, as it is shown."""
    return f"{event.body} {event.attributes}"


def stamp_of(instant: int, time: TimeField, written: JsonValue) -> tuple[int, Precision]:
    """Nanoseconds UTC and the unit they were written in.

    A text that does not say the engine's millisecond (another calendar, a custom format) adds
    nothing: the engine read it by its own mapping.
    """
    if time.nanoseconds:
        instant, below = divmod(instant, MILLISECOND_NS)
    else:
        below = 0
    stamp = instant * MILLISECOND_NS + below
    if not isinstance(written, str | int) or isinstance(written, bool):
        return stamp, Precision.NANOSECOND if time.nanoseconds else Precision.MILLISECOND
    spelt = str(written)
    if (fraction := _FRACTION.search(spelt)) is not None:
        digits = fraction[1]
        nanoseconds = int(digits.ljust(9, "0"))
        if nanoseconds // MILLISECOND_NS != instant % 1_000:
            return stamp, Precision.MILLISECOND
        precision = next(unit for least, unit in _BY_DIGITS if len(digits) >= least)
        return instant * MILLISECOND_NS + nanoseconds % MILLISECOND_NS, precision
    if _WHOLE_SECOND.search(spelt) and stamp % 1_000_000_000 == 0:
        return stamp, Precision.SECOND
    if _EPOCH.fullmatch(spelt) and len(spelt) <= 11 and stamp % 1_000_000_000 == 0:
        return stamp, Precision.SECOND
    return stamp, Precision.MILLISECOND


def _over(inner: JsonFields, outer: JsonFields) -> JsonFields:
    """What the object inside the message says, and where it is silent the document around it.

    The program wrote the object itself. Around it the level is often that of the stream it came on,
    which would hide an error, and the host may be the shipper's own.
    """
    return JsonFields(
        time=outer.time,
        level=inner.level if inner.level is not None else outer.level,
        message=inner.message,
        service=inner.service if inner.service is not None else outer.service,
        host=inner.host if inner.host is not None else outer.host,
        logger=inner.logger if inner.logger is not None else outer.logger,
    )


def _as_told(told: JsonFields, line: Said) -> JsonFields:
    """The document's own fields, and the line's where it has none."""
    if told.service is None and line.service:
        told = replace(told, service=line.service)
    return replace(told, host=line.host) if told.host is None and line.host else told


def _contradicted(severity: int, line_severity: int) -> bool:
    """Whether a line calls itself otherwise than its document does.

    Then it is told whole, for its level is part of what it says: an error that was labelled by
    the stream it came on must not read as if nobody had said so.
    """
    known = severity and line_severity
    return bool(known) and severity_name(severity) != severity_name(line_severity)


def _with_whole(
    flat: dict[str, JsonValue], line: Said, record: Mapping[str, JsonValue], fields: FieldMap
) -> dict[str, JsonValue]:
    """Fields of a document with the text that its body does not tell whole, under its own name."""
    paths = (path for path in fields.shape.message if value_at(record, path) == line.whole)
    return {".".join(path): line.whole for path in islice(paths, 1)} | flat


def _further_lines(record: Mapping[str, JsonValue]) -> Iterator[str]:
    """Exceptions as OpenTelemetry's exporters write them: dotted, or below `attributes`."""
    for holder in (record, record.get("attributes")):
        if isinstance(holder, dict):
            for name in _EXCEPTION_PARTS:
                value = holder.get(name)
                if isinstance(value, str) and value:
                    yield value


_EXCEPTION_PARTS = ("exception.type", "exception.message", "exception.stacktrace")


def _field_keys(flat: Mapping[str, JsonValue], reading: Reading) -> Iterator[str]:
    """Keys of the fields whose names say what their values are."""
    for name, value in flat.items():
        if value is None or not (kinds := reading.kinds_of(name)):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str | int) and not isinstance(item, bool):
                cleaned = clean(str(item))
                if cleaned and len(cleaned) <= MAXIMUM_KEY:
                    yield from (f"{kind}:{cleaned}" for kind in kinds)


MAXIMUM_KEY = 64
"""A longer value is a payload, not an id; the length `KeyRules` allows in text."""


def _written(record: Mapping[str, JsonValue], time: TimeField) -> JsonValue:
    """The time as the document writes it."""
    for path in spellings(time.name):
        value = value_at(record, path)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is not None:
            return value
    return None
