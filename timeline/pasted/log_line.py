"""Plain log lines: text with a stamp of its own in front, JSON lines, logfmt, access logs.

Of several lines those that tell of an error give T. A date further back in a line is data.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from timeline.pasted.contract import Instant, Meaning, Pasted, Stamp
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    Fields,
    json_of,
    keys_in,
    named,
    pairs_in,
    record,
    stamp_at,
    text_of,
)
from timeline.pasted.stamps import epoch_stamp, placed_in

FRONT = 80
"""Characters in which a line's own stamp begins: behind an address, a container's name, a level."""
FRONT_WORDS = 5
MOST_JSON_LINES = 5_000
TIME_FIELDS = ("@timestamp", "timestamp", "time", "ts", "datetime", "asctime", "eventTime", "t")
MESSAGE_FIELDS = ("message", "msg", "body", "event", "log", "error", "@m", "short_message")

_ERROR = re.compile(
    r"\b(?:ERROR|FATAL|CRITICAL|SEVERE|PANIC|ERR|EMERG|CRIT|panic|fatal|fail|Traceback"
    r"|level=\"?(?:error|fatal|critical))\b|\[(?:error|crit|alert|emerg)\]|^[EF]\d{4}\ |^[EF], \["
    r"|\"(?:level|severity)\": ?\"(?:error|fatal|critical)\"",
    re.MULTILINE,
)
_NOT_OWN = re.compile(
    r"(?:_at|\bat|\bon|\bsince|\buntil|\bfrom|\bby|\bof|\bafter|\bbefore|creat\w*|updat\w*|due"
    r"|date\w*|expir\w*|last|next|start\w*|end\w*|opened|sent|resolved|seen|triggered|changed?)"
    r"[^\w]*$",
    re.IGNORECASE,
)
_LEVEL_WORDS = "trace debug info notice warn warning error err fail crit critical fatal"
_LEVELS = frozenset(_LEVEL_WORDS.split())
_OWN_FIELD = re.compile(r"(?:^|\s)(?:ts|time|timestamp|t|@timestamp)=\"?$")
_EPOCH_LINE = re.compile(
    r"^(?:\[|ts=\"?|time=\"?)?(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}|\d{19})(?=[\]\" ])", re.M
)
_TIME_ONLY = re.compile(r"^\W{0,3}(\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?)(?!\d)", re.MULTILINE)


def understood(text: str) -> Pasted | None:
    if (found := _json_lines(text)) is not None:
        return found
    if json_of(text) is not None:
        return None
    return plain_lines("log line", text)


def plain_lines(kind: str, text: str) -> Pasted | None:
    """Lines in front of which a stamp stands; None when there is none."""
    placed = own_stamps(text)
    if not placed:
        bare = _TIME_ONLY.search(text[:20_000])
        if bare is None:
            return None
        return Pasted(kind, remarks=(f"{bare[1]} names no day",), keys=keys_in(text))
    chosen = _telling(text, placed)
    pairs = pairs_in(text)
    many = f"{len(chosen)} of {len(placed)} lines" if len(placed) > 1 else ""
    return Pasted(
        kind + ("s" if len(placed) > 1 and kind == "log line" else ""),
        title=many,
        instants=tuple(Instant(stamp, Meaning.LINE) for stamp in chosen),
        service=named(pairs, SERVICE_NAMES),
        environment=named(pairs, ENVIRONMENT_NAMES),
        keys=keys_in(text),
    )


def own_stamps(text: str) -> list[tuple[int, Stamp]]:
    """Stamps in front of a line, with where they begin; at most one of each line."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[int, tuple[int, Stamp]] = {}
    for start, stamp in placed_in(text):
        line = bisect_right(starts, start) - 1
        front = text[starts[line] : start]
        if line not in found and _is_front(front):
            found[line] = (start, stamp)
    for match in _EPOCH_LINE.finditer(text):
        line = bisect_right(starts, match.start()) - 1
        if line not in found and (epoch := epoch_stamp(match[1])) is not None:
            found[line] = (match.start(), epoch)
    return [found[line] for line in sorted(found)]


def begins_stamped(text: str) -> bool:
    """Whether the first line with anything on it is a log line."""
    first = next((line for line in text[:5_000].split("\n") if line.strip()), "")
    return bool(own_stamps(first))


def _is_front(front: str) -> bool:
    if len(front) > FRONT or len(front.split()) > FRONT_WORDS:
        return False
    if _OWN_FIELD.search(front):
        return True
    if "=" in front or _NOT_OWN.search(front):
        return False
    return front.rstrip().endswith(("[", "|")) or not any(map(_is_prose, front.split()))


def _is_prose(word: str) -> bool:
    """A word of a sentence: neither a level nor the name of a host, a file or a container."""
    return word.isalpha() and not word.isupper() and word.lower() not in _LEVELS


def _telling(text: str, placed: list[tuple[int, Stamp]]) -> list[Stamp]:
    """Stamps of the lines that tell of an error, with what hangs below them; else of all."""
    told = []
    for number, (start, stamp) in enumerate(placed):
        begin = text.rfind("\n", 0, start) + 1
        end = placed[number + 1][0] if number + 1 < len(placed) else start + 4_000
        newline = text.rfind("\n", start, end)
        if number + 1 < len(placed) and newline >= 0:
            end = newline
        if _ERROR.search(text, begin, min(end, start + 4_000)):
            told.append(stamp)
    return told or [stamp for _, stamp in placed]


def _json_lines(text: str) -> Pasted | None:
    lines = [line for line in text.split("\n") if line.strip()]
    whole = json_of(text)
    if isinstance(whole, list):
        read = whole[:MOST_JSON_LINES]
    else:
        read = [whole] if whole else [json_of(line) for line in lines[:MOST_JSON_LINES]]
    rows: list[tuple[Stamp, Fields]] = []
    for value in read:
        hit = record(value, "_source") or (value if isinstance(value, dict) else {})
        stamp = stamp_at(hit, *TIME_FIELDS)
        if stamp is not None and text_of(hit, *MESSAGE_FIELDS):
            rows.append((stamp, hit))
    if not rows or len(rows) * 2 < len(read):
        return None
    bad = ("ERROR", "FATAL", "CRITICAL", "PANIC", "SEVERE", "50", "60")
    errors = [
        one
        for one in rows
        if text_of(one[1], "level", "severity", "levelname", "log.level").upper() in bad
    ]
    told = errors or rows
    first = told[0][1]
    flat = {**first, **{f"service.{k}": v for k, v in record(dict(first), "service").items()}}
    return Pasted(
        "JSON log lines" if len(rows) > 1 else "JSON log line",
        title=f"{len(told)} of {len(rows)} lines" if len(rows) > 1 else "",
        instants=tuple(Instant(stamp, Meaning.LINE) for stamp, _ in told),
        service=named(flat, SERVICE_NAMES),
        environment=named(flat, (*ENVIRONMENT_NAMES, "service.environment")),
        keys=keys_in(text),
    )
