"""A query that somebody configured: what of it is refused by its text, and its answer as text.

Pure: speaks to no server. The text decides only what it can decide safely; that a statement is one
statement, writes nothing and reads no large table whole, each database has to prove.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from connectors.contract import QueryAnswer
from timeline.clean import clean, clean_bytes
from timeline.problems import Misconfigured

OPENING = re.compile(r"[\s(]*(?:SELECT|WITH|TABLE|VALUES)\b", re.IGNORECASE)
MORE_THAN_A_NAME = re.compile(r"U&[\"']", re.IGNORECASE)
"""Texts and names written with escapes, which a search for names would not recognise."""
CALLED = re.compile(
    r"""("(?:[^"]|"")+"|`(?:[^`]|``)+`|[^\W\d][\w$]*)   # a name, quoted or not,
        \s* (?:--[^\n]*\n\s*)* (?:\(|/[*])              # and a parenthesis; a comment may hide one
    """,
    re.VERBOSE,
)
TRAILING = re.compile(r"[\s;]+\Z")


def one_reading_statement(text: str) -> str:
    """The statement without its closing semicolon. Raises `Misconfigured`.

    A second statement behind it is refused by every database itself: they are asked for one.
    """
    statement = TRAILING.sub("", text)
    if not OPENING.match(statement):
        raise refused("A configured query has to begin with SELECT, WITH, TABLE or VALUES", text)
    if "\0" in statement or MORE_THAN_A_NAME.search(statement):
        raise refused("Its names cannot be looked at: it holds a NUL or a U& escape", text)
    return statement


def called_names(text: str) -> set[str]:
    """Names that may be those of functions which `text` calls, unquoted ones in lower case.

    Too many rather than too few: words in texts and comments count.
    """
    return {_unquoted(match[1]) for match in CALLED.finditer(text)}


def _unquoted(name: str) -> str:
    quote = name[0]
    if quote not in '"`':
        return name.lower()
    return name[1:-1].replace(quote * 2, quote)


def refused(what: str, statement: str, remedy: str = "") -> Misconfigured:
    """The problem of a query that will not be run; shows its beginning."""
    shown = " ".join(clean(statement[:SHOWN]).split())
    more = "…" if len(statement) > SHOWN else ""
    return Misconfigured(
        clean(what), where=f"{shown}{more}", remedy=remedy or "Write it as one SELECT."
    )


SHOWN = 80
"""Characters of a refused statement that are shown: enough to recognise it."""


def reads_whole(table: str, statement: str) -> Misconfigured:
    """The refusal of a statement that would read a large table from end to end."""
    return refused(
        f"Not run: {table} is too large to be read whole, and no index leads to these rows",
        statement,
        "Narrow it by a column that has an index, or add the index.",
    )


def answered(
    columns: Iterable[str],
    rows: Sequence[Sequence[str | bytes | float | None]],
    limit: int,
    asked_at: int,
) -> QueryAnswer:
    """The answer of which at most `limit + 1` rows were fetched."""
    return QueryAnswer(
        columns=tuple(clean(column) for column in columns),
        rows=tuple(tuple(_text(cell) for cell in row) for row in rows[:limit]),
        complete=len(rows) <= limit,
        asked_at=asked_at,
    )


def _text(cell: str | bytes | float | None) -> str | None:
    if cell is None:
        return None
    return clean_bytes(cell) if isinstance(cell, bytes) else clean(str(cell))
