r"""PostgreSQL's own logs: `stderr` under any usual `log_line_prefix`, `csvlog` and `jsonlog`.

Level words and column order are the server's (PostgreSQL 17 documentation, "Error Reporting and
Logging", 19.8.4 and 19.8.5). A `DETAIL`, `HINT`, `CONTEXT` or `STATEMENT` line repeats the prefix
of the message it explains; it is part of that message and never an event of its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from connectors.logs.pglevels import EXPLANATIONS, LEVELS
from connectors.logs.textformat import CLOCK, DATE, FRACTION, TextFormat
from timeline.keys import KeyRules, KeyType

_STAMP = rf"{DATE} {CLOCK}{FRACTION} (?P<zone>[A-Z]{{1,5}}|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)"
_PREFIX = rf"^{_STAMP} ?(?P<lead>\S*[0-9][\])]?:?(?: \S+){{0,6}}?) *"
"""`%m [%p]`, `%m [%p] %q%u@%d`, `%t [%p]: [%l-1] user=%u,db=%d`, `%t:%r:%u@%d:[%p]:`."""


def _unnamed(pattern: str) -> str:
    """The pattern with its groups capturing nothing."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


STDERR = TextFormat(
    "postgresql",
    rf"{_PREFIX}(?P<level>{LEVELS}): +",
    "2026-03-14 02:07:29.110 UTC [812] ERROR:  duplicate key value violates unique constraint",
    opens="0123456789",
    repeats=rf"{_unnamed(_PREFIX)}((?:{EXPLANATIONS}) ?: +)",
)

_TEXT = '"(?:[^"]|"")*"'
_OPTIONAL = f"(?:{_TEXT})?"
_CSV_HEAD = (
    rf'^{_STAMP},(?:"(?P<user>[^"]*)")?,(?:"(?P<database>[^"]*)")?,(?P<process>[0-9]+),{_OPTIONAL},'
    rf"[0-9a-f]+\.[0-9a-f]+,[0-9]+,{_OPTIONAL},[^,]*,[^,]*,[0-9]+,(?P<level>{LEVELS}),"
    r"[0-9A-Z]{5},"
)
_CSV_COLUMNS = ("message", "DETAIL", "HINT", "QUERY", "", "CONTEXT", "STATEMENT")
"""What follows the SQLSTATE, in order; the position inside the query is not told."""


def _csv_column(number: int) -> str:
    """A pattern for the n-th text after the SQLSTATE; it may go on on the next line."""
    between = "".join(rf"(?:{_TEXT}|[0-9]*)," for _ in range(number))
    return rf'{_unnamed(_CSV_HEAD)}{between}"((?:[^"]|"")*)'


CSVLOG = TextFormat(
    "postgresql-csv",
    _CSV_HEAD,
    '2026-03-14 02:07:29.110 UTC,"app","shop",812,"10.0.0.5:51234",69b4c2f1.32c,3,"INSERT",'
    "2026-03-14 02:00:00 UTC,4/12,741,ERROR,23505,"
    '"duplicate key value violates unique constraint ""users_email_key""",'
    '"Key (email)=(a@example.org) already exists.",,,,,"INSERT INTO users VALUES (1)",,,"web",'
    '"client backend",,0',
    sides=(("message", _csv_column(0)),),
    opens="0123456789",
    holds=",",
    labelled=tuple(
        (label, _csv_column(number)) for number, label in enumerate(_CSV_COLUMNS) if label.isupper()
    ),
    doubled_quotes=True,
)

POSTGRESQL: tuple[TextFormat, ...] = (STDERR, CSVLOG)

JSON_MARKS = frozenset(("error_severity", "backend_type"))
"""Fields that together only jsonlog has."""
JSON_LABELLED = {
    "detail": "DETAIL",
    "hint": "HINT",
    "internal_query": "QUERY",
    "context": "CONTEXT",
    "statement": "STATEMENT",
}

_TXN_PATTERNS = (
    r"\bon transaction ([1-9][0-9]*)\b",
    rf",[0-9]+/[0-9]+,([1-9][0-9]*),(?:{LEVELS}),[0-9A-Z]{{5}},",
)
"""Lock waits and deadlock details name the transaction waited for; csvlog has a column."""
_SESSION_PATTERN = r",([0-9a-f]{8}\.[0-9a-f]{1,8}),[0-9]+,"
NO_TRANSACTION = "txn:0"
"""What jsonlog writes of a session that has no transaction id."""


@lru_cache(maxsize=16)
def with_postgresql_keys(rules: KeyRules) -> KeyRules:
    """The rules, and where PostgreSQL's logs name transactions and sessions."""
    txn = rules.named("txn") or KeyType("txn")
    session = rules.named("session") or KeyType("session")
    others = tuple(item for item in rules.types if item.name not in ("txn", "session"))
    return KeyRules(
        (
            *others,
            replace(txn, patterns=(*txn.patterns, *_TXN_PATTERNS)),
            replace(session, patterns=(*session.patterns, _SESSION_PATTERN)),
        ),
        rules.discover,
    )
