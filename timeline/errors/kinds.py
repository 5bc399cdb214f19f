"""The vocabulary of the error table: classes, outcomes, phases and one row type.

Standard library only. A fragment is data; how it is searched for lives in `matcher`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class ErrorClass(StrEnum):
    """What kind of failure a wording reports."""

    REFUSED = "refused"
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    RESET = "reset"
    CLOSED = "closed"
    DNS = "dns"
    TLS = "tls"
    UNREACHABLE = "unreachable"
    POOL = "pool"
    GATEWAY = "gateway"
    SERVER_STATE = "server_state"
    NOT_FOUND = "not_found"
    UNIQUE_VIOLATION = "unique_violation"


class Outcome(StrEnum):
    """Whether the operation that failed has happened."""

    NOT_EXECUTED = "not_executed"
    AMBIGUOUS = "ambiguous"
    ROLLED_BACK = "rolled_back"
    EXECUTED = "executed"

    @property
    def letter(self) -> str:
        """N, A, R or E, for a narrow column."""
        return self.value[0].upper()

    @property
    def meaning(self) -> str:
        """One sentence for the screen and the export."""
        return _MEANINGS[self]


_MEANINGS = {
    Outcome.NOT_EXECUTED: "It did not happen: the request never reached code that could do it.",
    Outcome.AMBIGUOUS: "It may have happened: the request may have arrived, the answer did not.",
    Outcome.ROLLED_BACK: "It had no effect: the server itself refused it or rolled it back.",
    Outcome.EXECUTED: "It happened: the server did the work although an error was reported.",
}


class Phase(StrEnum):
    """How far the operation had come when it failed; this, more than the class, decides N or A."""

    UNKNOWN = "unknown"
    CONNECT = "connect"
    REQUEST = "request"
    COMMIT = "commit"


class Provenance(StrEnum):
    """How the wording is known."""

    LIVE = "L"
    """Produced against a real failing peer."""
    SOURCE = "S"
    """Read in a shipped source file or binary."""
    CODE = "C"
    """Found by exact-string search in public code."""
    ISSUE = "I"
    """Quoted in an issue thread."""
    KNOWN = "K"
    """General knowledge, not checked against a program."""


class Evidence(IntEnum):
    """Which of two hits at the same depth of a wrapped error is believed; higher wins.

    An HTTP status, a gRPC status and an umbrella exception (`redis.exceptions.ConnectionError`)
    come last: each wraps several different failures, and whatever else the line says is closer to
    the cause. PINNED is for wordings known to contradict the code printed beside them, such as
    Node's `socket hang up`, which is an end of file with code ECONNRESET.
    """

    UMBRELLA = 0
    TEXT = 1
    EXCEPTION = 2
    CODE = 3
    PINNED = 4


@dataclass(frozen=True, slots=True)
class Fragment:
    """One known wording.

    `text` is matched at word boundaries without regard to ASCII case; `*` stands for up to
    `MAX_GAP_CHARS` characters on the same line. `client` names the program that says it.
    A `weak` text is also ordinary language: it counts only at severity WARN or above, or on a line
    that looks like an error. An `exact_case` text is a word whose capitals are what gives it away.
    `at_end` texts must end a clause (end of line, quote or bracket). `errno` (Linux or Windows
    socket number; getaddrinfo codes are negative) and `sqlstate` are set when the text carries one.
    """

    text: str
    error_class: ErrorClass
    outcome: Outcome
    client: str
    provenance: Provenance
    evidence: Evidence = Evidence.TEXT
    weak: bool = False
    exact_case: bool = False
    at_end: bool = False
    errno: int | None = None
    sqlstate: str | None = None

    @property
    def capitals_matter(self) -> bool:
        """Class names do not occur in other capitals; `connectTimeout=3000` is a setting."""
        return self.exact_case or self.evidence is Evidence.EXCEPTION


def known(
    error_class: ErrorClass,
    outcome: Outcome,
    client: str,
    *texts: str,
    evidence: Evidence = Evidence.TEXT,
    weak: bool = False,
    exact_case: bool = False,
    at_end: bool = False,
) -> tuple[Fragment, ...]:
    """Wordings of one `client` that say the same thing, all from general knowledge (KNOWN)."""
    return tuple(
        Fragment(
            text,
            error_class,
            outcome,
            client,
            Provenance.KNOWN,
            evidence,
            weak=weak,
            exact_case=exact_case,
            at_end=at_end,
        )
        for text in texts
    )


MAX_GAP_CHARS = 240
"""Longest stretch a `*` may cover: a host, a port, a URL, a short nested message."""
