"""What the driver's errors mean to the person at the screen: a sentence, the place, a remedy.

Decided by SQLSTATE where the server sent one (PostgreSQL 15 manual, appendix A); libpq gives none
for a connection that never came up, so those are recognised by their wording. The driver's own
exceptions never leave the connector: their connection object holds the password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    MissingDriver,
    Overloaded,
    SourceProblem,
    Unreachable,
    quoted,
)

if TYPE_CHECKING:
    import psycopg

MESSAGE_LENGTH = 300
"""A server message is quoted up to here; PostgreSQL's primary messages are one line."""

GRANT = "Grant it: GRANT pg_read_all_data, pg_read_all_stats TO the role, or SELECT on the tables."

BY_SQLSTATE: dict[str, tuple[type[SourceProblem], str, str]] = {
    "28P01": (AccessRefused, "PostgreSQL refused the password", "Check user and password."),
    "28000": (AccessRefused, "PostgreSQL refused the log-in", "Check user and pg_hba.conf."),
    "3D000": (Misconfigured, "The database does not exist", "Check dbname in the dsn."),
    "42501": (AccessRefused, "The role may not read this", GRANT),
    "53300": (
        Overloaded,
        "PostgreSQL has no connection left for us",
        "That is evidence too; try again, or connect through the pooler.",
    ),
    "57P03": (
        Overloaded,
        "PostgreSQL is starting up or shutting down",
        "Its restart belongs on the timeline; try again in a moment.",
    ),
    "57P01": (
        Unreachable,
        "An administrator ended our connection, or the server is shutting down",
        "Try again; if it repeats, the server is being restarted.",
    ),
    "57P02": (
        Unreachable,
        "The server crashed or was stopped at once while it answered",
        "Its restart belongs on the timeline; try again in a moment.",
    ),
    "57014": (
        Overloaded,
        "The statement took longer than statement_timeout_ms",
        "Narrow the window, or raise statement_timeout_ms.",
    ),
    "55P03": (
        Overloaded,
        "Somebody holds a lock that even a read has to wait for",
        "An ALTER TABLE, VACUUM FULL or TRUNCATE is running: look for it.",
    ),
    "40001": (
        Overloaded,
        "The replica cancelled the read to go on replaying",
        "Ask the primary, or try again.",
    ),
}

ROW_SECURITY = re.compile(r"row-level security", re.IGNORECASE)
"""PostgreSQL 15, rls.c: `query would be affected by row-level security policy for table "…"`."""

BY_WORDING: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), sqlstate)
    for pattern, sqlstate in (
        (r"password authentication failed|no password supplied|SASL authentication", "28P01"),
        (r"no pg_hba\.conf entry|role .* does not exist|no such user", "28000"),
        (r"database .* does not exist|no such database", "3D000"),
        (r"too many clients|too many connections|connection slots are reserved", "53300"),
        (r"no more connections allowed|query_wait_timeout", "53300"),
        (r"is starting up|is shutting down|in recovery mode", "57P03"),
        (r"administrator command", "57P01"),
    )
)
"""PostgreSQL 15 and PgBouncer 1.18 wordings of what happens before a session exists."""

UNREACHABLE: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what, remedy)
    for pattern, what, remedy in (
        (
            r"connection refused",
            "Nothing listens there: the connection was refused",
            "Check host and port, or the tunnel.",
        ),
        (
            r"resolve host|translate host name|name or service not known",
            "The host name does not resolve",
            "Check the name, the VPN, or DNS itself.",
        ),
        (r"timeout", "The connection could not be made in time", "Check VPN, tunnel, firewall."),
        (r"\bSSL\b|certificate|\bTLS\b", "TLS could not be agreed", "Check sslmode and the CA."),
        (
            r"no such file or directory",
            "There is no PostgreSQL socket there",
            "Check host; a path means a Unix socket.",
        ),
    )
)


def missing_driver() -> MissingDriver:
    """psycopg is not installed."""
    return MissingDriver(
        "The PostgreSQL driver is not installed",
        where="psycopg 3",
        remedy="Install it: pip install 'halfawake[postgresql]'",
    )


def problem_from(error: psycopg.Error, where: str) -> SourceProblem:
    """The sentence for a driver error. Never holds the error itself."""
    message = _first_line(error)
    if error.sqlstate == "42501" and ROW_SECURITY.search(message):
        return AccessRefused(
            "Row security would hide rows from this role, so nothing was read",
            where=_placed(where, message),
            remedy="Use a role with BYPASSRLS: a hidden row would look like an absent one.",
        )
    sqlstate = error.sqlstate or next(
        (state for pattern, state in BY_WORDING if pattern.search(message)), ""
    )
    if (known := BY_SQLSTATE.get(sqlstate)) is not None:
        kind, what, remedy = known
        return kind(what, where=_placed(where, message), remedy=remedy)
    if not sqlstate or sqlstate.startswith("08"):
        for pattern, what, remedy in UNREACHABLE:
            if pattern.search(message):
                return Unreachable(what, where=where, remedy=remedy)
        return Unreachable(f"The connection was lost: {message}", where=where, remedy="Try again.")
    return BadAnswer(
        f"PostgreSQL answered {sqlstate}: {message}", where=where, remedy="See its own log."
    )


def _placed(where: str, message: str) -> str:
    return f"{where}: {message}" if message else where


def _first_line(error: psycopg.Error) -> str:
    primary = error.diag.message_primary
    text = primary if primary else str(error)
    text = text.strip().splitlines()[0] if text.strip() else ""
    text = re.sub(r"^connection failed: ", "", text)
    return quoted(text, MESSAGE_LENGTH)
