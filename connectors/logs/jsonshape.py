"""Which fields of a JSON-lines source hold the time, the level, the message and the speaker.

The shape is decided once per source from a sample. Names are those of common loggers (pino,
bunyan, zap, zerolog, logrus, python-json-logger, Serilog, ECS, GCP, Docker), top-level, dotted or
nested. Standard library only; `jsoncolumns` reads whole columns by the same shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connectors.logs import journal
from connectors.logs.formats import STAMPS
from connectors.logs.pgformats import JSON_LABELLED, JSON_MARKS
from connectors.logs.textformat import words

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
Path: TypeAlias = tuple[str, ...]

MONGODB_TIME: Path = ("t", "$date")
MONGODB_LEVEL = "s"
"""MongoDB's log (4.4 and later): a date as extended JSON, the severity as a letter."""
TIME_FIELDS = words(
    "timestamp @timestamp time ts t datetime date @t Timestamp eventTime asctime t.$date"
)
LEVEL_FIELDS = words(
    "level severity log.level lvl levelname loglevel log_level severity_text error_severity @l "
    "Level"
)
MESSAGE_FIELDS = words("message msg body event log text @m @mt Message")
SERVICE_FIELDS = words("service.name service service_name svc app application appname program")
HOST_FIELDS = words("host.name host hostname host_name")
LOGGER_FIELDS = words("logger logger_name name")
ERROR_FIELDS = words(
    "error err exception exc_info error.message error.stack_trace stack stack_trace "
    "stacktrace backtrace traceback @x"
)
"""Fields whose text is appended to the message, so that a stack trace is never lost."""
_ERROR_ROOTS = frozenset(root for name in ERROR_FIELDS for root in (name, name.partition(".")[0]))
ERROR_PARTS = words("type class name message msg stack_trace stack stacktrace")
"""What is told of an error that is an object, in this order."""

EARLIEST_EPOCH_S = 10**9
"""A smaller number in a field called `t` or `time` is a duration, not an instant."""


@dataclass(frozen=True, slots=True)
class JsonFields:
    """The raw texts of one line by role; None where the line has no such field."""

    time: str | None
    level: str | None = None
    message: str | None = None
    service: str | None = None
    host: str | None = None
    logger: str | None = None
    process: str | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class JsonShape:
    """Paths by role, each tried in order, and the stamp patterns the time field is written in."""

    time: tuple[Path, ...]
    stamps: tuple[str, ...]
    level: tuple[Path, ...] = ()
    message: tuple[Path, ...] = ()
    service: tuple[Path, ...] = ()
    host: tuple[Path, ...] = ()
    logger: tuple[Path, ...] = ()
    process: tuple[Path, ...] = ()
    """The process that speaks, told in front of the message: PostgreSQL's jsonlog alone."""

    written: tuple[Path, ...] = ()
    """The writer's own stamp, where `time` falls back on the arrival: systemd's journal alone."""

    @property
    def journal(self) -> bool:
        """Whether these are entries of systemd's journal."""
        return bool(self.written)

    @property
    def postgresql(self) -> bool:
        """Whether this is PostgreSQL's jsonlog, which has explaining fields of its own."""
        return bool(self.process)

    def roles(self) -> dict[str, tuple[Path, ...]]:
        return {
            "time": self.time,
            "level": self.level,
            "message": self.message,
            "service": self.service,
            "host": self.host,
            "logger": self.logger,
            "process": self.process,
            "written": self.written,
        }

    def appended(self, record: Mapping[str, JsonValue], message: str) -> list[str]:
        """The texts that follow the message: errors, stacks, PostgreSQL's explanations."""
        if self.journal:
            return []
        errors = error_texts(record, message)
        return [*errors, *labelled_texts(record)] if self.postgresql else errors

    def time_of(self, record: Mapping[str, JsonValue]) -> str | None:
        """The text of the time field alone; what bisection asks for."""
        record = plain_record(record) if self.journal else record
        return _first(record, self.time)

    def read(self, record: Mapping[str, JsonValue]) -> JsonFields:
        """The texts of one decoded line."""
        record = plain_record(record) if self.journal else record
        found = {role: _first(record, paths) for role, paths in self.roles().items()}
        return JsonFields(**found)


def decide_shape(sample: Iterable[str]) -> JsonShape | None:
    """The shape of the JSON objects among the sample lines; None if none of them tells a time."""
    records = [record for line in sample if (record := decode(line)) is not None]
    if any(journal.ARRIVED in record for record in records):
        return JOURNAL
    patterns = {name: re.compile(pattern) for name, pattern in STAMPS.items()}
    times: dict[Path, None] = {}
    stamps: dict[str, None] = {}
    for record in records:
        for path in _paths(TIME_FIELDS):
            text = _text(value_at(record, path)) or ""
            written = next((name for name, p in patterns.items() if p.search(text)), None)
            if written is not None and not (written == "epoch" and _too_small(text)):
                times[path] = stamps[written] = None
                break
    if not times:
        return None
    own_levels = (MONGODB_LEVEL,) if MONGODB_TIME in times else ()
    return JsonShape(
        tuple(times),
        tuple(stamps),
        level=_present(records, (*own_levels, *LEVEL_FIELDS)),
        message=_present(records, MESSAGE_FIELDS),
        service=_present(records, SERVICE_FIELDS),
        host=_present(records, HOST_FIELDS),
        logger=_present(records, LOGGER_FIELDS),
        process=(("pid",),) if any(set(record) >= JSON_MARKS for record in records) else (),
    )


JOURNAL = JsonShape(
    time=((journal.WRITTEN,), (journal.ARRIVED,)),
    stamps=("epoch",),
    level=tuple((name,) for name in journal.LEVEL),
    message=tuple((name,) for name in journal.MESSAGE),
    service=tuple((name,) for name in journal.SPEAKERS),
    host=tuple((name,) for name in journal.HOST),
    written=((journal.WRITTEN,),),
)


def plain_record(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """An entry of the journal with its binary fields as text."""
    told = journal.plain(record)
    return {name: value if isinstance(value, str) else None for name, value in told.items()}


def decode(line: str) -> dict[str, JsonValue] | None:
    """The JSON object of a line, or None for anything else."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def error_texts(record: Mapping[str, JsonValue], message: str) -> list[str]:
    """The texts of the error fields of one line, without what `message` says already."""
    told: list[str] = []
    if _ERROR_ROOTS.isdisjoint(record):
        return told
    for name in ERROR_FIELDS:
        value: JsonValue = None
        for path in _spellings(name):
            value = value_at(record, path) if value is None else value
        text = error_text(value)
        if text and text not in message and not any(text in other for other in told):
            told.append(text)
    return told


def labelled_texts(record: Mapping[str, JsonValue]) -> list[str]:
    """What explains a message of PostgreSQL's jsonlog, each with the label that stderr gives it."""
    return [
        f"{label}:  {text}"
        for name, label in JSON_LABELLED.items()
        if (text := _text(record.get(name)))
    ]


def error_text(value: JsonValue) -> str:
    """One error field as text: its parts if it is an object, its lines if it is a list."""
    if isinstance(value, dict):
        parts = [_text(value.get(name)) or "" for name in ERROR_PARTS]
        return "\n".join(dict.fromkeys(part for part in parts if part))
    if isinstance(value, list):
        return "\n".join(_text(item) or "" for item in value)
    return value if isinstance(value, str) else ""


def _spellings(name: str) -> tuple[Path, ...]:
    return ((name,), tuple(name.split("."))) if "." in name else ((name,),)


def _paths(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path for name in names for path in _spellings(name))


def value_at(record: Mapping[str, JsonValue], path: Path) -> JsonValue:
    """The value at `path`, or None."""
    value = record.get(path[0])
    for name in path[1:]:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _text(value: JsonValue) -> str | None:
    """A scalar as text, spelled as Polars spells it when a string is asked of a JSON number."""
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _first(record: Mapping[str, JsonValue], paths: tuple[Path, ...]) -> str | None:
    return next(
        (text for path in paths if (text := _text(value_at(record, path))) is not None), None
    )


def _present(records: list[dict[str, JsonValue]], names: tuple[str, ...]) -> tuple[Path, ...]:
    """Candidate paths that hold a scalar in some sampled line, in order of preference."""
    roots = set().union(*records)
    taken: dict[Path, None] = {}
    for path in _paths(names):
        if path[0] not in roots:
            continue
        if any(_text(value_at(record, path)) is not None for record in records) and not any(
            other[: len(path)] == path or path[: len(other)] == other for other in taken
        ):
            taken[path] = None
    return tuple(taken)


def _too_small(text: str) -> bool:
    return int(text.partition(".")[0]) < EARLIEST_EPOCH_S
