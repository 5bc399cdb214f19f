"""Records (a line and the lines that continue it) as `Event` objects, without any library.

Used for the preview and wherever a handful of records is read; `chunk` does the same for columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.logs.dialect import Dialect, Line
from connectors.logs.pgformats import NO_TRANSACTION, with_postgresql_keys
from timeline.clean import LINE_BREAK, clean
from timeline.event import Event, Kind, Lane
from timeline.keys import KeyRules

BODY_LIMIT = 32 * 1024
"""Characters of one event's body; the rest stays in the file and the cut is marked."""
CUT_MARK = "… [cut here, see the source]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where records come from, and what is said of them unless they say it themselves."""

    source: str
    file: str
    seq_base: int = 0
    """Added to the byte offset, so that the members of one source do not share numbers."""
    service: str = ""
    fallback_actor: str = ""
    """Speaks for lines that name nobody: the file's stem, the command's name."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its first line as read, all its lines, and where it begins."""

    offset: int
    line: Line
    raw: tuple[str, ...]
    """As written, but without a prefix that an explaining line repeats."""


def records_in(lines: Iterable[tuple[int, str]], dialect: Dialect) -> Iterator[Record]:
    """Group (offset, line) pairs into records; lines before the first record are left out."""
    offset, first, raw = 0, None, list[str]()
    above = None
    for line in dialect.unwrapped(lines):
        begun, above = dialect.read_below(line, above), line
        if begun is None:
            raw.append(dialect.further(line.text))
            continue
        if first is not None:
            yield Record(offset, first, tuple(raw))
        offset, first, raw = line.offset, begun, [line.text]
    if first is not None:
        yield Record(offset, first, tuple(raw))


def event_of(
    record: Record, timestamp: int, place: Place, key_rules: KeyRules, dialect: Dialect
) -> Event:
    """The event of a dated record of `dialect`."""
    line = record.line
    rules = with_postgresql_keys(key_rules) if dialect.postgresql else key_rules
    texts = [line.message, *record.raw[1:]] if dialect.journal else record.raw
    keys = dict.fromkeys(key for text in texts for key in rules.in_text(text))
    if dialect.postgresql:
        keys.pop(NO_TRANSACTION, None)
    return Event(
        timestamp=timestamp,
        source=place.source,
        lane=Lane.LOG,
        kind=Kind.LOG,
        body=body_of(line.message, record.raw[1:]),
        ref=f"{place.file}@{record.offset}",
        seq=place.seq_base + record.offset,
        severity_number=line.severity_number,
        actor=clean(line.service or place.service or line.weak_actor or place.fallback_actor),
        clock=clean(line.host),
        meaning=line.meaning,
        precision=line.stamp.precision,
        keys=tuple(keys),
    )


def body_of(message: str, continuation: Iterable[str]) -> str:
    """The cleaned one-line body of a message and its further lines, cut at `BODY_LIMIT`."""
    further = [clean(text) for text in continuation if text.strip()]
    body = LINE_BREAK.join([clean(message.rstrip("\n")), *further])
    return body if len(body) <= BODY_LIMIT else body[:BODY_LIMIT] + CUT_MARK
