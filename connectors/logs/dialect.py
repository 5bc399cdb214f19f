"""What one source's lines look like, decided once from a sample, and how to read one of them.

A dialect is a JSON shape, or text formats, or both (a service that prints JSON after plain start-up
lines; nginx's access and error log on one stream). A line none of them matches continues the
record above it. Standard library only; `chunk` reads whole chunks by the same dialect.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.logs.formats import BY_NAME, FORMATS, GENERAL, JSON, STAMPS, TextFormat
from connectors.logs.jsonshape import JsonShape, decide_shape, decode, error_texts
from connectors.logs.levels import severity_of
from connectors.logs.stamps import BROKEN_JSON, NOT_A_TIME, Stamp, read_stamp
from connectors.logs.zones import ZoneRule

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


@dataclass(frozen=True)
class Dialect:
    """How one source writes. `not_after` (epoch seconds) bounds the year of year-less stamps."""

    json: JsonShape | None = None
    formats: tuple[TextFormat, ...] = ()
    zone: ZoneRule = field(default_factory=ZoneRule)
    not_after: int = 0

    @property
    def known(self) -> bool:
        return self.json is not None or bool(self.formats)

    def begins(self, line: str) -> bool:
        """Whether the line begins a record, dated or not."""
        if self.json is not None and line.startswith("{"):
            return True
        return any(item.match(line) for item in self.formats)

    def stamp(self, line: str) -> int | None:
        """The line's time in ns UTC, or None when it has none that can be used."""
        if self.json is not None and line.startswith("{"):
            record = decode(line)
            return None if record is None else self._json_stamp(self.json.time_of(record)).ns
        for item in self.formats:
            match = item.match(line)
            if match is not None:
                return read_stamp(match.groupdict(), self.zone, self.not_after).ns
        return None

    def read(self, line: str) -> Line | None:
        """The record that this line begins, or None when it continues the one above."""
        if self.json is not None and line.startswith("{"):
            return self._read_json(line, self.json)
        for item in self.formats:
            match = item.match(line)
            if match is not None:
                return self._read_text(line, item, match)
        return None

    def _read_json(self, line: str, shape: JsonShape) -> Line:
        record = decode(line)
        if record is None:
            return Line(Stamp(None, reason=BROKEN_JSON), line)
        fields = shape.read(record)
        message = fields.message if fields.message is not None else line
        return Line(
            self._json_stamp(fields.time),
            "\n".join([message, *error_texts(record, message)]),
            severity_of(fields.level),
            fields.service or "",
            fields.host or fields.logger or "",
            fields.host or "",
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
        sides = {role: side_text(p.match(line)) for role, p in item.compiled_sides}
        level = sides.get("level") or groups.get("level")
        host = sides.get("host") or groups.get("host") or ""
        message = sides.get("message")
        if message is None:
            message = line if item.sides else line[match.end() :]
        parts = [part for part in (groups.get("lead"), message) if part]
        body = " ".join(parts) if parts else line
        error = sides.get("error")
        if error and error not in body:
            body = f"{body}\n{error}"
        return Line(
            read_stamp(groups, self.zone, self.not_after),
            body,
            severity_of(level, groups.get("pri")),
            sides.get("actor") or groups.get("actor") or "",
            host,
            host,
        )


def side_text(match: re.Match[str] | None) -> str | None:
    """The first group that took part, with logfmt's backslash escapes undone."""
    if match is None:
        return None
    text = next((group for group in match.groups() if group is not None), None)
    return None if text is None else unescape(text)


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
    lines = [line for line in sample if line.strip()]
    objects = [line for line in lines if line.startswith("{")]
    shape = decide_shape(objects) if objects and declared in (None, JSON) else None
    if declared in BY_NAME:
        return Dialect(None, (BY_NAME[declared],), zone, not_after)
    if declared == JSON:
        return Dialect(shape, (), zone, not_after)
    rest = [line for line in lines if shape is None or not line.startswith("{")]
    formats = _formats_of(rest, len(lines))
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
