"""What one source's lines look like, decided once from a sample, and how to read one of them.

A dialect is a JSON shape, or text formats, or both (a service that prints JSON after plain start-up
lines; nginx's access and error log on one stream). A line none of them matches continues the
record above it. Standard library only; `chunk` reads whole chunks by the same dialect.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from connectors.logs import journal
from connectors.logs.envelope import Envelope, Wrapped, decide_envelope, unwrap, unwrap_all
from connectors.logs.exported import shape_of_export
from connectors.logs.formats import BY_NAME, FORMATS, GENERAL, JSON, STAMPS
from connectors.logs.jsonshape import JsonShape, decide_shape, decode
from connectors.logs.levels import severity_of
from connectors.logs.pgformats import POSTGRESQL
from connectors.logs.stamps import BROKEN_JSON, NO_TIME, NOT_A_TIME, Stamp, read_stamp
from connectors.logs.textformat import TextFormat
from connectors.logs.w3c import zone_by_definition
from connectors.logs.zones import ZoneRule
from timeline.event import Meaning

MOST_FORMATS = 3
"""Text formats one source may mix."""
WEAK_FORMAT_SHARE = 0.5
"""A format whose match proves little (a leading number) must match this share of the sample."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that begins a record, as read; `message` is raw, neither cleaned nor cut."""

    stamp: Stamp
    message: str
    severity_number: int = 0
    service: str = ""
    weak_actor: str = ""
    """Host or logger: speaks only when neither the line nor the configuration names a service."""
    host: str = ""
    meaning: Meaning = Meaning.OCCURRED


@dataclass(frozen=True)
class Dialect:
    """How one source writes. `not_after` (epoch seconds) bounds the year of year-less stamps."""

    json: JsonShape | None = None
    formats: tuple[TextFormat, ...] = ()
    zone: ZoneRule = field(default_factory=ZoneRule)
    not_after: int = 0
    envelope: Envelope | None = None
    """What a container runtime puts around each line; the rest is said of the line inside."""
    envelope_dated: bool = False
    """Whether the envelope tells a time."""

    @property
    def known(self) -> bool:
        return self.inside_known or self.envelope_dated

    @property
    def inside_known(self) -> bool:
        """Whether the lines themselves tell when a record begins, envelope or not."""
        return self.json is not None or bool(self.formats)

    @property
    def postgresql(self) -> bool:
        """Whether a PostgreSQL server speaks here, in any of its three ways."""
        of_json = self.json is not None and self.json.postgresql
        return of_json or any(item in POSTGRESQL for item in self.formats)

    @property
    def journal(self) -> bool:
        """Whether keys stand in messages alone: each field of the journal has an id of its own."""
        return self.json is not None and self.json.journal

    @cached_property
    def repeating(self) -> tuple[TextFormat, ...]:
        """The formats whose explaining lines repeat the stamp of their record."""
        return tuple(item for item in self.formats if item.repeats)

    def explains(self, line: str) -> re.Match[str] | None:
        """The match of a dated line that belongs to the record above; its group is what it says."""
        for item in self.repeating:
            if item.repeating is not None and (found := item.repeating.match(line)) is not None:
                return found
        return None

    def further(self, line: str) -> str:
        """A line that continues a record, without the prefix that it repeats."""
        found = self.explains(line)
        return line if found is None else line[found.start(1) :]

    def begins(self, line: str) -> bool:
        """Whether the line begins a record, dated or not.

        In an envelope, a line may begin one only because another writer stands above it; such a
        line is not told here, so that pieces of a file begin where this can be seen.
        """
        if self.envelope is not None:
            inside = unwrap(line, self.envelope)
            line = inside.text
            if not self.inside_known:
                return inside.stamp is not None and bool(line.strip()) and not line[0].isspace()
        if self.json is not None and line.startswith("{"):
            return True
        return self._format_of(line) is not None

    def _format_of(self, line: str) -> tuple[TextFormat, re.Match[str]] | None:
        """The format of a line of text that begins a record, and its match."""
        for item in self.formats:
            match = item.match(line)
            if match is not None:
                return None if self.explains(line) else (item, match)
        return None

    def stamp(self, line: str) -> int | None:
        """The time of a line that begins a record, ns UTC; None when it has none to be used."""
        if self.envelope is None:
            return self._stamp(line)
        if not self.begins(line):
            return None
        inside = unwrap(line, self.envelope)
        own = self._stamp(inside.text)
        if own is not None or inside.stamp is None:
            return own
        return read_stamp(inside.stamp, self.zone, 0).ns

    def _stamp(self, line: str) -> int | None:
        if self.json is not None and line.startswith("{"):
            record = decode(line)
            return None if record is None else self._json_stamp(self.json.time_of(record)).ns
        found = self._format_of(line)
        if found is None:
            return None
        return read_stamp(found[1].groupdict(), self.zone, self.not_after).ns

    def unwrapped(self, lines: Iterable[tuple[int, str]]) -> Iterator[Wrapped]:
        """The lines of a stretch out of their envelopes."""
        if self.envelope is not None:
            return unwrap_all(lines, self.envelope)
        return (Wrapped(offset, text) for offset, text in lines)

    def read_below(self, line: Wrapped, above: Wrapped | None) -> Line | None:
        """The record that a line of a stretch begins, or None when it continues the one above."""
        begun = self.read(line.text)
        if self.envelope is None:
            return begun
        if begun is None:
            same = above is not None and above.actor == line.actor
            if not line.text.strip() or (same and (self.inside_known or line.text[0].isspace())):
                return None
            begun = Line(Stamp(None, reason=NO_TIME), line.text)
        if line.actor:
            begun = replace(begun, service=line.actor)
        if begun.stamp.ns is None and line.stamp is not None:
            stamp = read_stamp(line.stamp, self.zone, 0)
            begun = replace(begun, stamp=stamp, meaning=Meaning.INGESTED)
        return begun

    def read(self, line: str) -> Line | None:
        """The record that a line outside of any envelope begins, or None when it continues one."""
        if self.json is not None and line.startswith("{"):
            return self._read_json(line, self.json)
        found = self._format_of(line)
        return None if found is None else self._read_text(line, *found)

    def _read_json(self, line: str, shape: JsonShape) -> Line:
        record = decode(line)
        if record is None:
            return Line(Stamp(None, reason=BROKEN_JSON), line)
        fields = shape.read(record)
        silent = journal.UNPRINTED if shape.journal else line
        message = fields.message if fields.message is not None else silent
        if fields.process:
            message = f"[{fields.process}] {message}"
        return Line(
            self._json_stamp(fields.time),
            "\n".join([message, *shape.appended(record, message)]),
            severity_of(fields.level),
            fields.service or "",
            fields.host or fields.logger or "",
            fields.host or "",
            Meaning.INGESTED if shape.journal and fields.written is None else Meaning.OCCURRED,
        )

    def _json_stamp(self, text: str | None) -> Stamp:
        if text is not None and self.json is not None:
            for name in self.json.stamps:
                match = re.match(STAMPS[name], text)
                if match is not None:
                    return read_stamp(match.groupdict(), self.zone, self.not_after)
        return Stamp(None, reason=NOT_A_TIME)

    def _read_text(self, line: str, item: TextFormat, match: re.Match[str]) -> Line:
        groups = match.groupdict()
        sides = {role: side_text(p.match(line), item) for role, p in item.compiled_sides}
        level = sides.get("level") or groups.get("level")
        host = sides.get("host") or groups.get("host") or ""
        message = sides.get("message")
        if message is None:
            message = line if item.sides else line[match.end() :]
        parts = [part for part in (_lead(groups), message) if part]
        body = " ".join(parts) if parts else line
        error = sides.get("error")
        if error and error not in body:
            body = f"{body}\n{error}"
        for label, pattern in item.compiled_labelled:
            if text := side_text(pattern.match(line), item):
                body = f"{body}\n{label}:  {text}"
        return Line(
            read_stamp(groups, self.zone, self.not_after),
            body,
            severity_of(level, groups.get("pri")),
            sides.get("actor") or groups.get("actor") or "",
            host,
            host,
        )


def _lead(groups: Mapping[str, str | None]) -> str | None:
    """What stands before the message: as written, or `[process] user@database`."""
    process = groups.get("process")
    if process is None:
        return groups.get("lead")
    user, database = groups.get("user") or "", groups.get("database") or ""
    return f"[{process}] {user}@{database}" if user or database else f"[{process}]"


def side_text(match: re.Match[str] | None, item: TextFormat) -> str | None:
    """The first group that took part, with the escapes of its format undone."""
    if match is None:
        return None
    text = next((group for group in match.groups() if group is not None), None)
    if text is None:
        return None
    return text.replace('""', '"') if item.doubled_quotes else unescape(text)


ESCAPES = (
    ("\\\\", "\ue000"),  # set aside, so that an escaped backslash before an n stays one
    ('\\"', '"'),
    ("\\n", "\n"),
    ("\\t", "\t"),
    ("\ue000", "\\"),
)
"""Replacements that undo the escapes of a quoted logfmt value, in this order."""


def unescape(text: str) -> str:
    r"""`\"`, `\\`, `\n` and `\t` of a quoted logfmt value."""
    if "\\" not in text:
        return text
    for escaped, plain in ESCAPES:
        text = text.replace(escaped, plain)
    return text


def decide(
    sample: Sequence[str], zone: ZoneRule, not_after: int, declared: str | None = None
) -> Dialect:
    """The dialect of a source from sampled lines; an unknown one has neither shape nor formats.

    `declared` is the source's `format` option and leaves only that format to consider.
    """
    written = [line for line in sample if line.strip()]
    envelope = _envelope_of(written, declared)
    if envelope is None:
        return _decide(written, zone, not_after, declared)
    dialect = decide_within(envelope, written, zone, not_after, declared)
    if envelope.proves_nothing and not dialect.inside_known:
        return _decide(written, zone, not_after, declared)
    return dialect


def decide_within(
    envelope: Envelope,
    sample: Sequence[str],
    zone: ZoneRule,
    not_after: int,
    declared: str | None = None,
) -> Dialect:
    """The dialect of lines that are known to stand in `envelope`."""
    inside = list(unwrap_all(enumerate(sample), envelope))
    texts = [line.text for line in inside if line.text.strip()]
    dated = any(line.stamp is not None for line in inside)
    dialect = _decide(texts, zone, not_after, declared)
    return replace(dialect, envelope=envelope, envelope_dated=dated)


def _envelope_of(lines: Sequence[str], declared: str | None) -> Envelope | None:
    """The envelope, unless the lines are written in the declared format as they stand."""
    if not lines or (declared in BY_NAME and any(BY_NAME[declared].match(line) for line in lines)):
        return None
    return None if declared == JSON and lines[0].startswith("{") else decide_envelope(lines)


def _decide(lines: Sequence[str], zone: ZoneRule, not_after: int, declared: str | None) -> Dialect:
    zone = zone_by_definition(lines, zone)
    objects = [line for line in lines if line.startswith("{")]
    shape = shape_of(objects) if objects and declared in (None, JSON) else None
    if declared in BY_NAME:
        return Dialect(None, (BY_NAME[declared],), zone, not_after)
    if declared == JSON:
        return Dialect(shape, (), zone, not_after)
    rest = [line for line in lines if shape is None or not line.startswith("{")]
    formats = _formats_of(rest, len(lines))
    if shape is not None and shape.journal:
        return Dialect(shape, (), zone, not_after)
    if shape is not None or formats:
        formats = (*(item for item in formats if item not in GENERAL), *GENERAL)
    return Dialect(shape, formats, zone, not_after)


def _formats_of(lines: Sequence[str], sampled: int) -> tuple[TextFormat, ...]:
    """The formats that claim most lines, in table order; a line counts for the first that does."""
    believed = list(FORMATS)
    while True:
        counts: Counter[str] = Counter()
        for line in lines:
            found = next((item.name for item in believed if item.match(line)), None)
            if found is not None:
                counts[found] += 1
        needed = {
            "": 0.0,
            "records": WEAK_FORMAT_SHARE * counts.total(),
            "lines": WEAK_FORMAT_SHARE * sampled,
        }
        doubted = [i for i in believed if counts[i.name] and counts[i.name] < needed[i.weak]]
        if not doubted:
            break
        believed = [item for item in believed if item not in doubted]
    chosen = {name for name, _ in counts.most_common(MOST_FORMATS)}
    return tuple(item for item in FORMATS if item.name in chosen)


def shape_of(objects: Sequence[str]) -> JsonShape | None:
    """Where the parts stand: as a vendor's export has them, else by their usual names."""
    return shape_of_export(objects) or decide_shape(objects)
