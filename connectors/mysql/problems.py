"""What the driver's errors mean to the person at the screen: a sentence, the place, a remedy.

Decided by error number (MySQL 8 manual "Server Error Message Reference", MariaDB "Error Codes").
The driver's own exceptions never leave the connector: their connection object holds the password.
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
    import pymysql

MESSAGE_LENGTH = 300
LOST = frozenset({0, 1053, 1927, 2003, 2006, 2013, 2014, 4031})
"""The connection is gone: shutdown, killed, idle too long (4031), or the socket broke."""
DENIED = 1142
COLUMN_DENIED = 1143
NO_SUCH_TABLE = 1146
NO_PRIVILEGE = 1227

LOG_IN = "Check user, password and host, and tls: a server that demands it may refuse like this."
"""MariaDB 10.11 with require_secure_transport answers 1045, as to a wrong password."""

BY_NUMBER: dict[int, tuple[type[SourceProblem], str, str]] = {
    1044: (AccessRefused, "The account may not use this database", "GRANT SELECT on it."),
    1045: (AccessRefused, "The server refused the log-in", LOG_IN),
    1698: (AccessRefused, "The server refused the log-in", "This account logs in by socket only."),
    1049: (Misconfigured, "The database does not exist", "Check the last part of the url."),
    DENIED: (AccessRefused, "The account may not read this", "GRANT SELECT on the tables."),
    COLUMN_DENIED: (AccessRefused, "The account may not read this", "GRANT SELECT on the columns."),
    NO_PRIVILEGE: (AccessRefused, "The account lacks a right for this", "See the documentation."),
    2026: (Misconfigured, "The server offers no TLS, and tls demands it", "Check tls."),
    3159: (Misconfigured, "The server takes no connection without TLS", "Leave out tls."),
    1345: (
        AccessRefused,
        "The plan of this view may not be looked at, so it is not read",
        "GRANT SELECT, SHOW VIEW on the view, and SELECT on the tables behind it.",
    ),
    1251: (Misconfigured, "The server wants an older way to log in", "Change its plugin."),
    1040: (
        Overloaded,
        "The server has no connection left for us",
        "That is evidence too; try again in a moment.",
    ),
    1203: (Overloaded, "The account has no connection left for us", "That is evidence too."),
    1226: (Overloaded, "The account has used up what it may", "That is evidence too."),
    1129: (AccessRefused, "The server blocks this host after errors", "Ask for FLUSH HOSTS."),
    1130: (AccessRefused, "The server takes no connection from here", "Check the account's host."),
    1205: (
        Overloaded,
        "Somebody holds a lock that even a read has to wait for",
        "An ALTER TABLE or LOCK TABLES is running: look for it.",
    ),
    1053: (Unreachable, "The server is shutting down", "Its restart belongs on the timeline."),
    1927: (Unreachable, "An administrator ended our connection", "Try again."),
    **dict.fromkeys(
        (1317, 1969, 3024),
        (
            Overloaded,
            "The statement took longer than statement_timeout_ms",
            "Narrow the window, or raise statement_timeout_ms.",
        ),
    ),
}

BY_WORDING: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what, remedy)
    for pattern, what, remedy in (
        (r"\bSSL\b|certificate|\bTLS\b", "TLS could not be agreed", "Check tls and tls_ca."),
        (r"refused", "Nothing listens there: the connection was refused", "Check host and port."),
        (r"no such file", "There is no MySQL socket there", "Check host; a path is a socket."),
        (r"timed out", "No answer in time", "Check VPN, tunnel and firewall."),
    )
)


def missing_driver() -> MissingDriver:
    """PyMySQL is not installed."""
    return MissingDriver(
        "The MySQL driver is not installed",
        where="PyMySQL",
        remedy="Install it: pip install 'halfawake[mysql]'",
    )


def number_of(error: pymysql.Error) -> int:
    """The server's error number; 0 where the driver gave none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def problem_from(error: BaseException, number: int, where: str) -> SourceProblem:
    """The sentence for a driver error. Never holds the error itself."""
    message = quoted(str(error.args[-1]) if error.args else str(error), MESSAGE_LENGTH)
    if (known := BY_NUMBER.get(number)) is not None:
        kind, what, remedy = known
        return kind(what, where=f"{where}: {message}" if message else where, remedy=remedy)
    if "cryptography" in message:
        return MissingDriver(
            "This account logs in by caching_sha2_password, which without TLS needs RSA",
            where=where,
            remedy="Use tls, or install it: pip install 'halfawake[mysql]'",
        )
    if number in LOST:
        for pattern, what, remedy in BY_WORDING:
            if pattern.search(message):
                return Unreachable(what, where=where, remedy=remedy)
        return Unreachable(f"The connection was lost: {message}", where=where, remedy="Try again.")
    return BadAnswer(
        f"The server answered {number}: {message}", where=where, remedy="See its own error log."
    )
