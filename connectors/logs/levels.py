"""Level words and numbers of the common loggers as OpenTelemetry severity numbers.

Source: OpenTelemetry log data model, "Mapping of SeverityNumber" and its appendix of examples.
A level that is not in the table is severity 0, unspecified; it is never guessed from the message.
"""

from __future__ import annotations

from connectors.logs.pglevels import TRANSLATED

TRACE, DEBUG, INFO, WARN, ERROR, FATAL = 1, 5, 9, 13, 17, 21

SEVERITY: dict[str, int] = {
    "trace": TRACE,
    "verbose": TRACE,
    "finest": TRACE,
    "finer": TRACE,
    "debug": DEBUG,
    "dbg": DEBUG,
    "fine": DEBUG,
    "debug1": DEBUG,
    "debug2": DEBUG,
    "debug3": DEBUG,
    "debug4": DEBUG,
    "debug5": DEBUG,
    "info": INFO,
    "inf": INFO,
    "information": INFO,
    "informational": INFO,
    "log": INFO,
    "config": INFO,
    "detail": INFO,
    "hint": INFO,
    "context": INFO,
    "statement": INFO,
    "location": INFO,
    "notice": 10,
    "report": INFO,
    "warn": WARN,
    "warning": WARN,
    "wrn": WARN,
    "error": ERROR,
    "err": ERROR,
    "eror": ERROR,
    "ftl": FATAL,
    "vrb": TRACE,
    "severe": ERROR,
    "failure": ERROR,
    "critical": 18,
    "crit": 18,
    "alert": 19,
    "emerg": FATAL,
    "emergency": FATAL,
    "fatal": FATAL,
    "panic": FATAL,
    "dpanic": FATAL,
    # MySQL and MariaDB; PHP, its deprecations as Monolog ranks them.
    "note": INFO,
    "system": INFO,
    "fatal error": ERROR,
    "recoverable fatal error": ERROR,
    "parse error": ERROR,
    "deprecated": 10,
    # One letter: klog and glog, Ruby's logger, Redis' marks.
    "t": TRACE,
    "d": DEBUG,
    "i": INFO,
    "w": WARN,
    "e": ERROR,
    "f": FATAL,
    ".": DEBUG,
    "-": TRACE,
    "*": 10,
    "#": WARN,
    **{f"d{depth}": DEBUG for depth in range(1, 6)},  # MongoDB
    # A number in a field called level: pino and bunyan count in tens, GELF as syslog does.
    "10": TRACE,
    "20": DEBUG,
    "30": INFO,
    "40": WARN,
    "50": ERROR,
    "60": FATAL,
    "0": FATAL,
    "1": 19,
    "2": 18,
    "3": ERROR,
    "4": WARN,
    "5": 10,
    "6": INFO,
    "7": DEBUG,
}

SEVERITY |= {word.lower(): SEVERITY[level.lower()] for word, level in TRANSLATED.items()}

SYSLOG_SEVERITY: tuple[int, ...] = (FATAL, 19, 18, ERROR, WARN, 10, INFO, DEBUG)
"""RFC 5424 table 2, in the order of its numerical codes 0 to 7."""


def severity_of(level: str | None, pri: str | None = None) -> int:
    """Severity number of a level text, else of a syslog priority value, else 0."""
    if level:
        return SEVERITY.get(level.lower(), 0)
    if pri:
        return SYSLOG_SEVERITY[int(pri) % 8]
    return 0
