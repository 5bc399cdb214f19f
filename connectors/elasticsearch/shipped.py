"""Log lines that were shipped whole: what a document's text says, out of the line it is.

Shippers take out at most stamp, level and host, and leave the line itself in the text. It is read
by the formats of log files, which are decided from the texts themselves: `connectors.logs.dialect`.
What stands around the text (the document's own fields) is known to `documents` alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from connectors.logs.dialect import Dialect, decide, unescape
from connectors.logs.formats import BY_NAME, FORMATS, GENERAL
from connectors.logs.textformat import TextFormat
from connectors.logs.zones import ZoneRule

SAMPLE = 400
"""Texts from which formats are decided, spread over all there are."""
MOST_PAIRS = 100
"""Fields taken from one line; the others stand in it."""

LONGEST = 32_768
"""Characters; a longer line is a payload rather than something that was said."""

_PAIR = r'[\w.@/-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
UNDATED = TextFormat(
    "logfmt-undated",
    rf"^(?:{_PAIR}\s+)*{_PAIR}\s*$(?P<epoch>[0-9])?",
    'level=error msg="enqueue failed" user_id=4711',
    BY_NAME["logfmt"].sides,
    holds="=",
)
"""logfmt whose time the document alone tells: pairs from end to end, where a sentence that holds
pairs has other words too. Nothing follows the end, so the group of its stamp never takes part."""
_MESSAGE = re.compile(r"(?:^|\s)(?:msg|message)=")
"""What some line of a page must have for its pairs to be believed to be log lines."""

_PARTS = re.compile(r'([\w.@/-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))|\S+')
"""A pair, or a word that is none: no character is looked at for long."""
_TOLD = frozenset(["msg", "message", "ts", "time", "timestamp", "@timestamp", "t"])
"""Pairs that the row tells already, or that another stamp than the row's would come from."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says as a log line; `message` is raw, with the lines that follow the first."""

    message: str
    severity_number: int
    service: str
    host: str
    whole: str
    """The text as it was shipped."""

    def fields(self) -> dict[str, str]:
        """The pairs of a logfmt line under their own names; none of a line of text."""
        head = _head(self.whole)
        begin = _PARTS.match(head)
        if begin is None or begin[1] is None:
            return {}
        found: dict[str, str] = {}
        for part in _PARTS.finditer(head):
            value = unescape(part[2]) if part[2] is not None else part[3]
            if value and part[1] not in _TOLD:
                found.setdefault(part[1], value)
            if len(found) >= MOST_PAIRS:
                break
        return found


def formats_in(texts: Sequence[str], known: Dialect) -> Dialect:
    """`known`, and with it the formats that `texts` are written in.

    A file mixes few formats, an index as many as it has services: of the texts that the most
    frequent formats do not read it is asked again. What only a share of a source proves is asked
    of all texts once. A bare number in front is no time, for the document tells one.
    """
    every = max(1, -(-len(texts) // SAMPLE))
    rest = [_head(text) for text in texts[::every]]
    names = {item.name for item in known.formats} | _decided(rest, but=("lines",))
    while True:
        rest = [text for text in rest if _first(text) not in names]
        fresh = _decided(rest, but=("records", "lines")) - names
        if not fresh:
            break
        names |= fresh
    if any(_MESSAGE.search(text) and UNDATED.match(text) for text in rest):
        names.add(UNDATED.name)
    formats = _in_order(names)
    return known if formats == known.formats else replace(known, formats=formats)


def said_in(text: str, dialect: Dialect) -> Said | None:
    """What one text says, or None when it is no line of a known format; needs no Polars."""
    line = dialect.read(_head(text)) if dialect.formats else None
    if line is None:
        return None
    return Said(line.message + _rest(text), line.severity_number, line.service, line.host, text)


def all_said(texts: Sequence[str | None], dialect: Dialect) -> list[Said | None]:
    """What each of many texts says; agrees with `said_in`. None stays None."""
    said: list[Said | None] = [None] * len(texts)
    asked = [(place, text) for place, text in enumerate(texts) if text is not None]
    if not asked or not dialect.formats:
        return said
    import polars as pl

    from connectors.logs.linecolumns import read_lines

    read = read_lines(pl.Series([_head(text) for _, text in asked], dtype=pl.String), dialect)
    told = read.select("line", "message", "severity_number", "service", "host")
    for line, message, severity, service, host in told.iter_rows():
        place, text = asked[line]
        said[place] = Said(message + _rest(text), severity, service, host, text)
    return said


def _decided(texts: Sequence[str], but: Collection[str]) -> set[str]:
    """Names of the formats that most texts are written in, without those of a weakness in `but`."""
    found = decide(texts, ZoneRule(), 0).formats
    return {item.name for item in found if item.weak not in but}


def _first(text: str) -> str:
    """The format that a text is counted for, whatever else it fits; "" for none."""
    return next((item.name for item in FORMATS if item.match(text) is not None), "")


def _in_order(names: Collection[str]) -> tuple[TextFormat, ...]:
    """Formats as they are tried: specific ones before those that any dated line fits."""
    general = {item.name for item in GENERAL}
    specific = [item for item in FORMATS if item.name not in general]
    return tuple(item for item in (*specific, *GENERAL, UNDATED) if item.name in names)


def _head(text: str) -> str:
    """The first line, which is where a format shows; half a character stands in no column."""
    head = text.partition("\n")[0]
    if len(head) > LONGEST:
        return ""
    return head if head.isascii() else head.encode("utf-8", "replace").decode()


def _rest(text: str) -> str:
    _, newline, rest = text.partition("\n")
    return newline + rest
