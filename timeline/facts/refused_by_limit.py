"""Failures to connect that are an answer: the peer, or the client's own pool, had none to give.

A refusal in the server's own words went there and came back, and a pool with nothing to hand out
never tried. A library files both under its class of connection errors, which is its author's filing
and no observation: the words behind it win. Beside such answers a bare failure to connect to the
same peer in the same seconds is taken for the same thing; what broke or fell silent is not, and has
to be counted by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.kinds import ErrorClass
from timeline.facts.connections import SERVER, pool_errors
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

_THINGS = r"(?:(?:client|open|active|concurrent|simultaneous|server|user|current)s?[ _-]){0,2}"
_THINGS += r"(?:connections?|clients?|sessions?|sockets?|slots?)"
_REACHED = r"(?:reached|exceeded|hit|exhausted|used up)"
LIMIT = (
    rf"(?i)\btoo[ _]many[ _]{_THINGS}|\b{_THINGS}[ _](?:limit|quota|maximum)\b.{{0,24}}\b{_REACHED}"
    rf"|\b(?:max(?:imum)?|limit of|more than)\b.{{0,30}}\b{_THINGS}\b.{{0,24}}\b{_REACHED}\b"
    rf"|\bno[ _](?:free|more|available|remaining|spare)[ _]{_THINGS}\b"
    r"|\b(?:slots?|connections?|sessions?)\b[^.;]{0,24}\b(?:are|is) (?:all )?(?:taken|reserved"
    r"|used up|in use|exhausted)\b|\b(?:at|over|exceed(?:ed|s)) (?:its |the )?(?:maximum |full )?"
    r"capacity\b"
    r"|\b(?:wait\w*|acquir\w*|check(?:ed|ing)?[ -]?out|borrow\w*)\b[^.;]{0,40}\bpool\b"
    rf"|\bpool\b.{{0,20}}\b(?:{_REACHED}|empty|full|drained)\b"
    r"|\b(?:zu viele|trop de|demasiad[oa]s|troppe|troppi|zbyt wiele|te veel|för många)\b"
    r".{0,20}(?:[ck]lient|[ck]onn?e[kx]|verbind|połącze|ansl)|слишком много"
)
"""How servers and pools say that a limit of theirs is reached."""
NEAR_NS = 10_000_000_000
"""Bare failures to connect this near to such answers are of the same story."""
MIN_ANSWERS = 3
"""Answers of one peer below which one client's own limit may be the reason."""
_PORT = r":\d+$"
CONNECTING = (ErrorClass.REFUSED.value, ErrorClass.CONNECT_TIMEOUT.value)
"""What a full server's backlog looks like to those who still wait outside."""


def without_limits(incident: Incident, hits: pl.DataFrame) -> pl.DataFrame:
    """`hits` (HIT_SCHEMA) less those that only tell of a limit, in words or by the company they
    are in."""
    if hits.is_empty():
        return hits
    texts = hits.get_column("body")
    worded = texts.str.contains(plain_form(texts, LIMIT))
    rest = hits.filter(~worded)
    if rest.is_empty():
        return rest
    full = pool_errors(incident).filter(pl.col("full") == SERVER)
    names = ("timestamp", "system", "peer")
    answers = pl.concat([hits.filter(worded).select(names), full.select(names)])
    bare = rest.filter(pl.col("error_class").is_in(CONNECTING))
    if answers.height < MIN_ANSWERS or bare.is_empty():
        return rest
    whom = {f"whose_{name}": pl.col(name).str.replace(_PORT, "") for name in ("system", "peer")}
    groups = bare.with_columns(**whom).partition_by(list(whom))
    beside = pl.concat([_beside(mine, answers) for mine in groups])
    told = beside.filter(pl.col("answers") >= MIN_ANSWERS)
    return rest.filter(~pl.col("row").is_in(told.get_column("row").implode()))


def _beside(mine: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """(row, answers): how many of `answers` lie near each failure of `mine`, all of one peer."""
    system, peer = mine.select("whose_system", "whose_peer").row(0)
    alike = answers.filter(_named("system", system) & _named("peer", peer))
    stamps, at = alike.get_column("timestamp").sort(), mine.get_column("timestamp")
    until = stamps.search_sorted(at + NEAR_NS, side="right").cast(pl.Int64)
    since = stamps.search_sorted(at - NEAR_NS, side="left").cast(pl.Int64)
    return mine.select("row", answers=until - since)


def _named(name: str, value: str | None) -> pl.Expr:
    """Whether both name the same, or either names none; a port may be left out."""
    if value is None:
        return pl.lit(value=True)
    return pl.col(name).is_null() | (pl.col(name).str.replace(_PORT, "") == value)
