"""Whether a team's own redaction pattern may be used at all, in one sentence.

A pattern that takes everything away hides the incident, and one that takes exponential time stops
the export at the worst moment. Both are found by trying: on what every incident is told by, and on
texts made of the pattern's own words.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

TIMES = (
    "2026-03-14T02:07:29.117Z",
    "2026-03-14 02:07:29.117",
    "14/Mar/2026:02:07:29 +0000",
    "Mar 14 02:07:29",
    "1773453220",
    "1773453220123",
    "-371.2 s",
)
"""How instants and distances are written; a rule that matches one would take the times away."""
ORDINARY = (
    "GET /orders/4711 200 in 12 ms",
    "Redis::TimeoutError: Waited 1.0 sec",
    "worker-3 started WelcomeMail 8f2c args users/4711",
    "connection to redis:6379 reset by peer",
    "LookupError: User 4711 not found",
    "statement timeout while waiting for a lock on orders",
    "deploy web v412 finished",
    "queue mailers has 1204 waiting",
    "request_id=4105b0e596894b2b status=503 upstream timed out",
    "retrying in 30 seconds, attempt 3 of 5",
    "heartbeat of worker-1 missed",
    "transaction 734 committed",
    "replica lag is 4.2 s",
    "cannot allocate memory",
    "job fda09fac-dd38-4d8d-bd21-82df1ef8d9b3 moved to the dead set",
    "pool exhausted: 20 of 20 connections in use",
)
"""Lines in which nothing is secret."""
MOST_ORDINARY = len(ORDINARY) // 4
"""Of those lines a pattern may match so many: a team's ids may well stand in some."""

_SIZES = (
    (10, 0.02), (14, 0.02), (18, 0.02), (22, 0.05), (26, 0.05), (60, 0.05), (150, 0.1), (400, 0.2),
    (2_000, 0.5), (12_800, 3.0),
)  # fmt: skip
"""Lengths of a text and the CPU seconds that a pattern may take on it. They grow so slowly that
finding a bad one takes a bearable time: exponential time is found among the
first, a power of the length among the next, and less than 5 kB a second at the last."""
_FILLERS = ("a", "A", "0", " ", "-", ".", "a1", "a.", "a-", "0-", "a@", "=", "/", "x y ")


def problem_of(pattern: str) -> str:
    """What is wrong with `pattern`, to be read after the name of its setting; empty if nothing."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        return f"{pattern!r} is no regular expression: {error}"
    unknown = set(compiled.groupindex) - {"secret"}
    if unknown:
        return f"its group {min(unknown)!r} is not known; the part to replace is (?P<secret>...)"
    if slow := _takes_too_long(compiled):
        return slow
    return _takes_too_much(compiled)


def _takes_too_much(pattern: re.Pattern[str]) -> str:
    if any(
        found.end() == found.start() for text in ("", *ORDINARY) for found in pattern.finditer(text)
    ):
        return "it matches where nothing stands; say at least one sign that must be there"
    for text in TIMES:
        if pattern.search(text):
            return f"it matches the time {text!r}; times must survive, so say what stands before it"
    matched = [line for line in ORDINARY if pattern.search(line)]
    if len(matched) > MOST_ORDINARY:
        return (
            f"it matches {len(matched)} of {len(ORDINARY)} ordinary lines, such as {matched[0]!r}; "
            "say more exactly what the secret looks like"
        )
    return ""


def _takes_too_long(pattern: re.Pattern[str]) -> str:
    for size, most_s in _SIZES:
        for text in _probes(pattern.pattern, size):
            started = time.thread_time()
            pattern.search(text)
            if (took := time.thread_time() - started) > most_s:
                return (
                    f"it takes {took:.2g} s for {len(text)} characters; bound its repetitions "
                    "({1,64} for + and *) and put none inside another"
                )
    return ""


def _probes(pattern: str, size: int) -> Iterator[str]:
    """Texts of about `size` characters that nearly match: the pattern's own words, then one sign
    over and over, then one that no pattern expects."""
    words = dict.fromkeys(re.findall(r"[A-Za-z0-9_:=@/.-]{2,20}", re.sub(r"\\.", "", pattern)))
    own = dict.fromkeys(sign for sign in pattern if sign.isalnum())
    for begin in ("", *list(words)[:4]):
        for filler in (*_FILLERS, *list(own)[:12]):
            yield begin + filler * (size // len(filler)) + "\x00"
