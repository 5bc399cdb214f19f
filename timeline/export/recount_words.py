"""How a number was counted, in words: one sentence, then one line for each query.

The formats set the queries as code by their own rules; a query is whole or not there at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from timeline.export.document import Counted, Recount
from timeline.words import count_of, grouped

QUERY_CHARACTERS = 1_200
"""A longer query fills the page of whoever does not run it; the JSON export holds all of them."""
NAMED = 5
"""Keys without a query that are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class CountLine:
    """`source, what: query`. `query` may be empty; `why_not` then says why."""

    source: str
    what: str
    query: str
    why_not: str = ""


def counted_sentence(counted: Counted) -> str:
    """Whose count it is and what repeats it."""
    again = f"again by `{counted.command}` ({counted.place})"
    joined = f"by halfawake, which joins all sources by their keys; {again}"
    if counted.too_many:
        return f"{joined}. They are more than a query can name: the keys export lists them"
    if not counted.queries:
        return f"{joined}. No single query of a source counts them"
    if not counted.unasked:
        return joined
    named = ", ".join(counted.unasked[:NAMED])
    more = len(counted.unasked) - NAMED
    rest = f" and {grouped(more)} more" if more > 0 else ""
    return f"{joined}. No query counts {named}{rest}"


def count_lines(counted: Counted) -> tuple[CountLine, ...]:
    """What each source can be asked, in the order in which the keys were shared out."""
    return tuple(_line(one) for one in counted.queries)


def _line(one: Recount) -> CountLine:
    least = "at least " if one.at_least else ""
    note = f" ({one.note})" if one.note else ""
    what = f"{least}{count_of(one.count, one.one, one.many)}{note}"
    if not one.query:
        return CountLine(one.source, what, "", "its query names what was taken out")
    if len(one.query) > QUERY_CHARACTERS:
        return CountLine(one.source, what, "", "its query is in the JSON export, for its length")
    return CountLine(one.source, what, one.query)
