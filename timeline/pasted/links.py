"""A paste that is one link: its parameters and the time range they name.

A range of `now-15m` to `now` was true when somebody looked; nobody wrote down when that was.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from timeline.pasted.contract import Instant, Meaning
from timeline.pasted.stamps import stamp_of

MOST_CHARACTERS = 100_000
"""Of a link; browsers carry fewer."""
_LINK = re.compile(r"<?(https?://\S+?)>?")


def sole_link(text: str) -> str:
    """The link, when the paste is nothing else; or empty."""
    stripped = text.strip()
    match = _LINK.fullmatch(stripped) if len(stripped) <= MOST_CHARACTERS else None
    return match[1] if match else ""


def parameters(link: str) -> dict[str, list[str]]:
    """Parameters of the query and of one behind the `#`, decoded once."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return {}
    found = parse_qs(parts.query, max_num_fields=500) if parts.query.count("&") < 500 else {}
    inner = parts.fragment.partition("?")[2]
    if inner and inner.count("&") < 500:
        for name, values in parse_qs(inner, max_num_fields=500).items():
            found.setdefault(name, []).extend(values)
    return found


def range_of(begin: str, end: str) -> tuple[tuple[Instant, ...], tuple[str, ...]]:
    """The two instants of a range, or none and a remark about why it names none."""
    if not begin and not end:
        return (), ("the link names no time range",)
    if "now" in begin or "now" in end:
        return (), (f"the range {begin or '?'} to {end or '?'} depends on when it was looked at",)
    first, last = stamp_of(begin), stamp_of(end)
    if first is None or last is None:
        return (), (f"the range {begin or '?'} to {end or '?'} cannot be read",)
    return (Instant(first, Meaning.RANGE_START), Instant(last, Meaning.RANGE_END)), ()
