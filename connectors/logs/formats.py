r"""The table of log formats: where the stamp stands, what else is told, and an example of each.

A pattern is one regular expression anchored at the start of the line, in the syntax that Python's
`re` and Rust's `regex` share (no look-around, `[0-9]` instead of `\d`). Its named groups are the
stamp (`year month day hour minute second fraction zone`, or `epoch`) and, where the format has
them, `level`, `pri`, `host`, `actor` and `lead`. A pattern ends where the message begins, so that
long messages cost nothing to match; the body is `lead message`. Specific formats stand before
general ones: a line belongs to the first format of its source that matches.
"""

from __future__ import annotations

from connectors.logs.pgformats import POSTGRESQL
from connectors.logs.serverformats import SERVERS
from connectors.logs.textformat import (
    CALLER,
    CLF,
    CLOCK,
    CTIME,
    DATE,
    EPOCH,
    FRACTION,
    HOURS,
    ISO,
    MONTH,
    RFC_DATE,
    ZONE,
    TextFormat,
)

_UPPER = (
    "TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|PANIC|ALERT|EMERG"
    "|VRB|DBG|INF|WRN|FTL"
)
"""The last line: Serilog's and zerolog's three letters."""
_UPPER_LEVEL = rf"(?P<level>{_UPPER})\b"
_ANY_LEVEL = rf"(?P<level>{_UPPER}|{_UPPER.lower()})\b"
_TOKEN = r"(?:\[[^\]]*\]|[^\s\[\]|-](?:[^\s\[\]]*[^\s\[\]|-])?)"  # noqa: S105  no password
"""A word or a bracketed thread name. It neither begins nor ends with what stands between the parts
of a line: a row of dashes could be divided in thousands of ways."""
_PAIR = r'[\w.@/-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)'
_PAIRS = rf"^(?:{_PAIR}[ \t]+)*?"
_DIGITS = "0123456789"
_TIME_KEY = r"(?:ts|time|timestamp|@timestamp|t)"
_GAP = r"(?:\s*[:|,]\s*|\s*-\s+|\s+)"
"""Between the parts of a line; a dash that a space does not follow belongs to the message."""

STAMPS: dict[str, str] = {
    "iso": rf"^{ISO}$",
    "epoch": rf"^{EPOCH}$",
    "clf": rf"^{CLF}$",
    "rfc": rf"^(?:[A-Z][a-z]{{2}}, )?{RFC_DATE}{ZONE}?$",
    "kibana": rf"^{MONTH} (?P<day>[0-9]{{1,2}}), (?P<year>[0-9]{{4}}) @ {CLOCK}{FRACTION}$",
}
"""Whole-text stamp patterns, for the time field of JSON lines and CSV columns."""


def _logfmt_value(keys: str) -> str:
    return rf'{_PAIRS}(?:{keys})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))'


_LOGFMT_SIDES = (
    ("level", _logfmt_value("level|lvl|severity|log.level")),
    ("actor", _logfmt_value("service|service.name|svc|app|application")),
    ("host", _logfmt_value("host|hostname|host.name")),
    ("message", _logfmt_value("msg|message|event")),
    ("error", _logfmt_value("error|err|exception")),
)

FORMATS: tuple[TextFormat, ...] = (
    TextFormat(
        "logfmt",
        rf'{_PAIRS}{_TIME_KEY}="?{ISO}"?(?:\s|$)',
        'ts=2026-03-14T02:07:29.110Z level=error msg="enqueue failed" user_id=4711',
        _LOGFMT_SIDES,
        holds="=",
    ),
    TextFormat(
        "logfmt-epoch",
        rf'{_PAIRS}{_TIME_KEY}="?{EPOCH}"?(?:\s|$)',
        'level=error time=1773454049.110 msg="enqueue failed" user_id=4711',
        _LOGFMT_SIDES,
        holds="=",
    ),
    TextFormat(
        "syslog-5424",
        rf"^<(?P<pri>[0-9]{{1,3}})>1 {ISO} (?P<host>\S+) (?P<actor>\S+) \S+ \S+"
        rf" (?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?\ufeff?",
        "<11>1 2026-03-14T02:07:29.110Z web-1 shop 812 - - enqueue failed for user_id=4711",
        opens="<",
    ),
    TextFormat(
        "syslog-3164",
        rf"^(?:<(?P<pri>[0-9]{{1,3}})>)?{MONTH} {{1,2}}(?P<day>[0-9]{{1,2}})"
        rf"(?: (?P<year>[0-9]{{4}}))? {CLOCK}{FRACTION} (?P<host>\S+)"
        rf" (?P<actor>[^\s:\[]+)(?:\[[0-9]+\])?: ?",
        "Mar 14 02:07:29 web-1 shop[812]: enqueue failed for user_id=4711",
        opens="<JFMASOND",
    ),
    TextFormat(
        "access",
        rf"^(?P<lead>[^\s,]+(?:, ?[^\s,]+)*) {CALLER} \[{CLF}\] ",
        '203.0.113.7 - - [14/Mar/2026:02:07:29 +0000] "POST /signups HTTP/1.1" 500 312',
        holds=" [",
    ),
    TextFormat(
        "nginx-error",
        rf"^{ISO} \[(?P<level>[a-z]+)\] (?P<lead>[0-9]+#[0-9]+:) ",
        "2026/03/14 02:07:29 [error] 31#31: *812 connect() failed (111: Connection refused)",
        opens=_DIGITS,
        holds="#",
    ),
    TextFormat(
        "apache-error",
        rf"^\[{CTIME}\] (?:\[(?:\w+:)?(?P<level>[a-z]+)[0-9]?\] )?",
        "[Sat Mar 14 02:07:29.110123 2026] [proxy:error] [pid 812] AH00957: connect failed",
        opens="[",
    ),
    TextFormat(
        "ctime",
        rf"^{CTIME}[\s:,-]+",
        "Sat Mar 14 02:07:29 2026 worker stopped",
        opens="MTWFS",
    ),
    TextFormat(
        "klog",
        rf"^(?P<level>[IWEF])(?P<year>[0-9]{{4}})?(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}}) {CLOCK}"
        rf"\.(?P<fraction>[0-9]{{6}})\s+[0-9]+ ",
        "E0314 02:07:29.110123       1 mailer.go:42] enqueue failed",
        opens="IWEF",
    ),
    TextFormat(
        "tomcat",
        rf"^(?P<day>[0-9]{{2}})-{MONTH}-(?P<year>[0-9]{{4}}) {CLOCK}{FRACTION}"
        r" (?P<level>[A-Z]+) (?P<lead>\[[^\]]*\]) ",
        "14-Mar-2026 02:07:29.110 SEVERE [http-nio-8080-exec-3] o.a.c.c.C.invoke enqueue failed",
        opens=_DIGITS,
        holds="-",
    ),
    TextFormat(
        "redis",
        rf"^(?:[0-9]+:[A-Z]|\[[0-9]+\]) {RFC_DATE} (?P<level>[.*#-]) ",
        "812:M 14 Mar 2026 02:07:29.110 # Connection with replica lost.",
        opens=_DIGITS + "[",
    ),
    TextFormat(
        "ruby",
        rf"^[DIWEFA], \[{ISO} #[0-9]+\]\s+(?P<level>[A-Z]+) -- (?P<lead>[^:]*): ?",
        "E, [2026-03-14T02:07:29.110123 #812] ERROR -- : Redis::TimeoutError for user_id=4711",
        opens="DIWEFA",
        holds="#",
    ),
    *POSTGRESQL,
    *SERVERS,
    TextFormat(
        "celery",
        rf"^\[{ISO}: (?P<level>[A-Z]+)/(?P<lead>[^\]]+)\] ",
        "[2026-03-14 02:07:29,110: ERROR/ForkPoolWorker-1] Task shop.mail[8f2c] raised unexpected",
        opens="[",
    ),
    TextFormat(
        "gunicorn",
        rf"^\[{ISO}\] (?P<lead>\[[0-9]+\]) \[{_ANY_LEVEL}\] ",
        "[2026-03-14 02:07:29 +0000] [812] [ERROR] Worker (pid:813) was sent SIGKILL!",
        opens="[",
    ),
    TextFormat(
        "iso-level",
        rf"^\[?{ISO}\]?{_GAP}?[\[(<]?{_UPPER_LEVEL}(?:[ ]*[\])>])?{_GAP}?",
        "2026-03-14T02:07:29.110Z ERROR enqueue failed for user_id=4711",
        opens=_DIGITS + "[",
    ),
    TextFormat(  # a bare lower-case word may begin a sentence, so it must be marked off
        "iso-marked-level",
        rf"^\[?{ISO}\]?{_GAP}?[\[(<]?{_ANY_LEVEL}(?:[\])>]|[ ]*[:|\t]){_GAP}?",
        "2026-03-14 02:07:29 [error] enqueue failed for user_id=4711",
        opens=_DIGITS + "[",
    ),
    TextFormat(  # any two words and a colon look like it; a journal never writes a zone as Z
        "journal",
        rf"^{DATE}T{CLOCK}{FRACTION}(?P<zone>{HOURS}:?(?:00|15|30|45)) (?P<host>[\w.-]+)"
        rf" (?P<actor>[^\s:\[]+)(?:\[[0-9]+\])?: ",
        "2026-03-14T02:07:29+0000 web-1 shop[812]: enqueue failed for user_id=4711",
        weak="records",
        opens=_DIGITS,
    ),
    TextFormat(
        "iso-lead-level",
        rf"^\[?{ISO}\]?[\s|-]+(?P<lead>{_TOKEN}(?:[ \t](?:{_TOKEN}|[|-]))?)[\s|-]+"
        rf"\[?{_UPPER_LEVEL}\]?{_GAP}?",
        "2026-03-14 02:07:29,110 - shop.signup - ERROR - enqueue failed for user_id=4711",
        weak="records",
        opens=_DIGITS + "[",
    ),
    TextFormat(
        "iso",
        rf"^\[?{ISO}(?:\]?{_GAP}|\]|$)",
        "2026/03/14 02:07:29 listening on :8080",
        opens=_DIGITS + "[",
    ),
    TextFormat(
        "epoch",
        r"^\[?(?P<epoch>[0-9]{10}(?:\.[0-9]{1,9})?|[0-9]{13}|[0-9]{16}|[0-9]{19})\]?"
        r"[\s:,|]+",
        '1773454049.110123 [0 127.0.0.1:50412] "LPUSH" "rq:queue:mailers" "8f2c"',
        weak="lines",
        opens=_DIGITS + "[",
    ),
)

BY_NAME: dict[str, TextFormat] = {item.name: item for item in FORMATS}
GENERAL: tuple[TextFormat, ...] = tuple(
    BY_NAME[name] for name in ("iso-level", "iso-marked-level", "iso")
)
"""Believed in every source: a line that opens with a full date and time begins a record, even if
no such line was in the sample. It must not vanish into the record above it."""
JSON = "json"
CSV = "csv"
NAMES: tuple[str, ...] = (JSON, CSV, *BY_NAME)
"""What the `format` option accepts; without it the format is decided from a sample."""
