"""Which fields of the documents hold the time, the level, the message, the speaker and ids.

Decided once per connector from the mapping (`_field_caps` of a fixed list of names and endings,
so that an index of ten thousand fields costs no more than another) and from sampled documents,
which also show objects that travel as a string inside `message`. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from connectors.answers import at, items, members, text
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.options import ElasticsearchOptions
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.shipped import formats_in
from connectors.logs.dialect import Dialect
from connectors.logs.jsonshape import (
    HOST_FIELDS,
    LEVEL_FIELDS,
    LOGGER_FIELDS,
    MESSAGE_FIELDS,
    SERVICE_FIELDS,
    JsonShape,
    JsonValue,
    Path,
    decode,
    value_at,
)
from timeline.clean import clean
from timeline.keys import KeyRules
from timeline.problems import Misconfigured

DATE_TYPES = frozenset(["date", "date_nanos"])
TEXT_TYPES = frozenset(["text", "match_only_text", "annotated_text"])
NUMBER_TYPES = frozenset(["long", "integer", "short", "byte", "unsigned_long"])
EXACT_TYPES = frozenset(["keyword", "constant_keyword", "wildcard"])

TIMES = ("@timestamp", "timestamp", "time", "ts", "datetime", "date", "@t", "event.created")
"""Names of the writer's own time, in order of preference."""
INGEST_TIMES = ("event.ingested", "ingested_at", "ingest_timestamp", "@ingested")
"""Times given on arrival: the event is not later than this."""
LEVELS = (*LEVEL_FIELDS, "SeverityText", "severityText")
MESSAGES = (*MESSAGE_FIELDS, "event.original", "Body", "body.text", "log.message")
SERVICES = (
    *SERVICE_FIELDS,
    "resource.attributes.service.name",
    "kubernetes.container.name",
    "kubernetes.deployment.name",
    "kubernetes.labels.app",
    "container.name",
)
HOSTS = (*HOST_FIELDS, "resource.attributes.host.name", "kubernetes.node.name", "agent.hostname")
LOGGERS = (*LOGGER_FIELDS, "log.logger", "process.name")
ERRORS = (
    "error.type",
    "error.message",
    "error.stack_trace",
    "exception.type",
    "exception.message",
    "exception.stacktrace",
    "attributes.exception.stacktrace",
    "stack_trace",
    "stacktrace",
)
"""Further lines of a record; the names that a wide document is narrowed to hold these too."""
ID_ENDINGS = ("*_id", "*Id", "*ID", "*-id", "*.id", "*_ID")
"""Spellings under which `KeyRules` discovers keys."""
FEW_NAMES = 12
"""Index or field names quoted in one sentence."""


@dataclass(frozen=True, slots=True)
class TimeField:
    """A date field; `nanoseconds` when any index maps it as date_nanos."""

    name: str
    nanoseconds: bool = False
    ingested: bool = False


@dataclass(frozen=True, slots=True)
class IdField:
    """A field whose values are keys: of the types `kinds`, stored as `mapped`."""

    name: str
    kinds: tuple[str, ...]
    mapped: frozenset[str]


@dataclass(frozen=True, slots=True)
class FieldMap:
    """What is known about the fields of one index pattern."""

    indices: tuple[str, ...]
    time: TimeField
    shape: JsonShape
    inner: JsonShape
    """How objects inside the message string are read."""
    lines: Dialect = field(default_factory=Dialect)
    """How log lines are read that were shipped whole: more than what was said stands in them."""
    ingest_time: TimeField | None = None
    level: str = ""
    """The level field that can be counted and filtered by; "" when there is none."""
    service: str = ""
    """The field of the service's name that can be counted and filtered by; "" when there is none,
    or when another field names the speaker first."""
    messages: tuple[str, ...] = ()
    """Full-text message fields, for look-ups."""
    ids: tuple[IdField, ...] = ()
    names: tuple[str, ...] = ()
    """Every field found that has a role: what a wide document is narrowed to."""


def capabilities(index: str, options: ElasticsearchOptions, key_rules: KeyRules) -> Request:
    """Ask for the types of all fields that could have a role; read-only although a POST."""
    chosen = (options.time_field, options.message_field, options.level_field, options.service_field)
    configured = [name for kind in key_rules.types for name in kind.fields]
    roles = (*TIMES, *INGEST_TIMES, *LEVELS, *MESSAGES, *SERVICES, *HOSTS, *LOGGERS, *ERRORS)
    exact = (*LEVELS, *SERVICES, options.level_field, options.service_field)
    keywords = [f"{name}.keyword" for name in exact if name]
    nested = [f"*.{name}" for name in configured]
    wanted = dict.fromkeys([*chosen, *roles, *keywords, *configured, *nested, *ID_ENDINGS])
    names = ",".join(name for name in wanted if name)
    return Request("POST", on(index, "_field_caps"), {"fields": names})


def decide(reply: Reply, options: ElasticsearchOptions, key_rules: KeyRules) -> FieldMap:
    """The field map from a `_field_caps` answer. Raises `Misconfigured` without index or time."""
    content = reply.content or {}
    indices = tuple(text(name) for name in items(at(content, "indices")))
    if not indices:
        raise Misconfigured(
            f"No index matches {options.index!r}", where=reply.where, remedy="Correct index."
        )
    types = {
        name: frozenset(members(by_type)) - {"unmapped"}
        for name, by_type in members(at(content, "fields")).items()
    }
    time = _time_field(types, options, reply.where)
    ingest = next((n for n in INGEST_TIMES if types.get(n, frozenset()) & DATE_TYPES), "")
    shape = JsonShape(
        spellings(time.name),
        (),
        level=_found(types, options.level_field, LEVELS),
        message=_found(types, options.message_field, MESSAGES),
        service=_found(types, options.service_field, SERVICES),
        host=_found(types, "", HOSTS),
        logger=_found(types, "", LOGGERS),
    )
    return FieldMap(
        indices,
        time,
        shape,
        ANY_SHAPE,
        ingest_time=_dated(ingest, types) if ingest and ingest != time.name else None,
        level=_countable(types, content, options.level_field, LEVELS),
        service=_first_service(types, content, options.service_field),
        messages=_searchable(types, options.message_field),
        ids=_ids(types, key_rules),
        names=tuple(name for name, found in types.items() if found - {"object", "nested"}),
    )


def refined(fields: FieldMap, sample: Iterable[Mapping[str, JsonValue]]) -> FieldMap:
    """The map with what only documents show: unmapped fields, and objects inside the message."""
    records = list(sample)
    shape = replace(
        fields.shape,
        level=_seen(records, fields.shape.level, LEVELS),
        message=_seen(records, fields.shape.message, MESSAGES),
        service=_seen(records, fields.shape.service, SERVICES),
        host=_seen(records, fields.shape.host, HOSTS),
        logger=_seen(records, fields.shape.logger, LOGGERS),
    )
    inner, plain = list[dict[str, JsonValue]](), list[str]()
    for record in records:
        told = shape.read(record)
        if (inside := inner_record(told.message)) is not None:
            inner.append(inside)
        elif told.message:
            plain.append(told.message)
    if plain:
        fields = replace(fields, lines=formats_in(plain, fields.lines))
    if not inner:
        return replace(fields, shape=shape)
    known = fields.inner if fields.inner is not ANY_SHAPE else JsonShape((), ())
    narrowed = JsonShape(
        _seen(inner, known.time, TIMES),
        (),
        level=_seen(inner, known.level, LEVELS),
        message=_seen(inner, known.message, MESSAGES),
        service=_seen(inner, known.service, SERVICES),
        host=_seen(inner, known.host, HOSTS),
        logger=_seen(inner, known.logger, LOGGERS),
    )
    return replace(fields, shape=shape, inner=narrowed)


def inner_record(message: str | None) -> dict[str, JsonValue] | None:
    """The object that a message string holds, or None for a plain text."""
    if message is None or not message.startswith("{"):
        return None
    return decode(message)


def spellings(name: str) -> tuple[Path, ...]:
    """The paths a dotted field may stand at: written with dots, or nested."""
    return ((name,), tuple(name.split("."))) if "." in name else ((name,),)


def _time_field(
    types: Mapping[str, frozenset[str]], options: ElasticsearchOptions, where: str
) -> TimeField:
    if options.time_field:
        if not types.get(options.time_field, frozenset()) & DATE_TYPES:
            known = ", ".join(sorted(n for n, found in types.items() if found & DATE_TYPES))
            raise Misconfigured(
                f"time_field {options.time_field!r} is no date field of {options.index!r}",
                where=where,
                remedy=f"Date fields found: {clean(known) or 'none'}.",
            )
        return _dated(options.time_field, types)
    for name in (*TIMES, *INGEST_TIMES):
        if types.get(name, frozenset()) & DATE_TYPES:
            return _dated(name, types)
    raise Misconfigured(
        f"No field of {options.index!r} is known to hold the time",
        where=where,
        remedy=f"Set time_field; looked for {', '.join(TIMES)}, mapped as date.",
    )


def _dated(name: str, types: Mapping[str, frozenset[str]]) -> TimeField:
    return TimeField(name, "date_nanos" in types[name], ingested=name in INGEST_TIMES)


def _found(
    types: Mapping[str, frozenset[str]], chosen: str, names: Iterable[str]
) -> tuple[Path, ...]:
    """Paths of the chosen field, else of the usual ones that are mapped as a value."""
    if chosen:
        return spellings(chosen)
    return tuple(
        path
        for name in names
        if types.get(name, frozenset()) - {"object", "nested"}
        for path in spellings(name)
    )


def _seen(
    records: list[Mapping[str, JsonValue]] | list[dict[str, JsonValue]],
    known: tuple[Path, ...],
    names: Iterable[str],
) -> tuple[Path, ...]:
    """Known paths, then those of the usual names that hold a value in a sampled document."""
    more = [
        path
        for name in names
        for path in spellings(name)
        if path not in known and any(_is_scalar(value_at(record, path)) for record in records)
    ]
    return (*known, *more)


def _is_scalar(value: JsonValue) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _countable(
    types: Mapping[str, frozenset[str]],
    content: Mapping[str, JsonValue],
    chosen: str,
    usual: Iterable[str],
) -> str:
    """A field among the usual ones whose values every index can aggregate."""
    names = (chosen,) if chosen else usual
    for name in (spelt for base in names for spelt in (base, f"{base}.keyword")):
        found = types.get(name, frozenset())
        by_type = members(at(content, "fields", name))
        if (
            found
            and found <= EXACT_TYPES | NUMBER_TYPES
            and all(at(by_type[mapped], "aggregatable") is True for mapped in found)
        ):
            return name
    return ""


def _first_service(
    types: Mapping[str, frozenset[str]], content: Mapping[str, JsonValue], chosen: str
) -> str:
    """The field that names the speaker before all others, when it can be counted."""
    names = [name for name in SERVICES if types.get(name, frozenset()) - {"object", "nested"}]
    return _countable(types, content, chosen, names[:1])


def _searchable(types: Mapping[str, frozenset[str]], chosen: str) -> tuple[str, ...]:
    names = (chosen,) if chosen else MESSAGES
    return tuple(name for name in names if types.get(name, frozenset()) & TEXT_TYPES)


def _ids(types: Mapping[str, frozenset[str]], key_rules: KeyRules) -> tuple[IdField, ...]:
    """Fields whose name says that they hold a key."""
    found = []
    for name, mapped in sorted(types.items()):
        usable = mapped & (EXACT_TYPES | TEXT_TYPES | NUMBER_TYPES)
        if not usable or name.endswith(".keyword"):
            continue
        kinds = kinds_of(name, key_rules)
        if kinds:
            found.append(IdField(name, kinds, usable))
    return tuple(found)


def kinds_of(name: str, key_rules: KeyRules) -> tuple[str, ...]:
    """Key types of a field: by its configured name, else its last part, else its last two."""
    if name.endswith("traceparent"):
        return ()  # a header that holds an id, not the id
    parts = name.split(".")
    spelt = (name, parts[-1], ".".join(parts[-2:]))
    for part in spelt:
        if exact := tuple(kind.name for kind in key_rules.types if part in kind.fields):
            return exact
    return next((key_rules.types_of(part) for part in spelt[1:] if _ID_NAME.search(part)), ())


_ID_NAME = re.compile("[^_.-](?:[_.-][iI][dD]|_ID|(?<=[a-z])I[dD])$")
"""Field names that say that they hold an id (`user_id`, `userId`, `user.id`); not `id` alone."""


def _any(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path for name in names for path in spellings(name))


ANY_SHAPE = JsonShape(
    _any(TIMES),
    (),
    level=_any(LEVELS),
    message=_any(MESSAGES),
    service=_any(SERVICES),
    host=_any(HOSTS),
    logger=_any(LOGGERS),
)
"""Reads an object of unknown make by trying every usual name."""
