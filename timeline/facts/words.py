"""Instants, lengths and lists as the words that findings are told in. Pure text; UTC always."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

SECOND_NS = 1_000_000_000
_IDENTIFIER = re.compile(r"[^\s]*(?:[_/]|[^\W_][.:]+[^\W_]|[a-z][A-Z]|[0-9])")
"""A first word that is no word of English: `run_all_backups`, `shop.jobs`, `sendMail`, `web-1`."""
_LONG_ID = re.compile(
    r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"
    r"|\b(?=[0-9A-Za-z]*[0-9])(?=[0-9A-Za-z]*[A-Za-z])[0-9A-Za-z]{20,}\b"
)
"""UUIDs, and long words of letters and digits: ULIDs, digests, the ids of Sidekiq and MongoDB."""
LIST_LIMIT = 5
"""Names written out in one sentence; the rest is counted. All are in the finding's evidence."""


def instant(timestamp: int) -> str:
    """`02:07:29.117` for nanoseconds UTC (milliseconds cut, not rounded)."""
    seconds, rest = divmod(timestamp, SECOND_NS)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%H:%M:%S}.{rest // 1_000_000:03d}"


def length(nanoseconds: int) -> str:
    """`340 ms`, `2.1 s`, `6 min 11 s`: a length at the precision a person reads it."""
    if nanoseconds < SECOND_NS:
        return f"{nanoseconds / 1e6:.0f} ms"
    if nanoseconds < 60 * SECOND_NS:
        return f"{nanoseconds / SECOND_NS:.1f} s"
    minutes, seconds = divmod(nanoseconds // SECOND_NS, 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 job`, `2 jobs`, `no job`."""
    if number == 0:
        return f"no {singular}"
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def listed(names: Sequence[str], limit: int = LIST_LIMIT) -> str:
    """`web, mailer and 3 more`: the first `limit` names and how many are left."""
    shown = list(names[:limit])
    if len(names) > limit:
        return f"{', '.join(shown)} and {len(names) - limit} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def services(actors: Sequence[str]) -> str:
    """Those that have a name, listed; `one service` where none has."""
    return listed([actor for actor in actors if actor]) or "one service"


def short(key: str) -> str:
    """The value of a typed key as people say it: `4711` of `user:4711`."""
    return key.partition(":")[2] or key


def abridged(text: str) -> str:
    """`text` with ids that nobody reads aloud cut short: `081b…83aa` of a UUID.

    Beginning and end are kept, since ids made in one minute may begin alike. Only for sentences:
    what is acted on is named in full.
    """
    return _LONG_ID.sub(lambda found: f"{found[0][:4]}…{found[0][-4:]}", text)


def capital(text: str) -> str:
    """`text` as the beginning of a sentence; an identifier stays as it is searched for."""
    return text if _IDENTIFIER.match(text) else text[:1].upper() + text[1:]


def often(number: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
