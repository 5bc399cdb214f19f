"""Log lines that speak of schedules, batons, batches, presses and versions: one scan for all.

Bodies are the dearest column to search, so the detectors of planned work share this one pass and
look closer only at what it kept. It decides nothing: a line kept here may mean nothing at all.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.lines import named_texts
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from collections.abc import Iterable

    from timeline.incident import Incident

SCHEDULER_MARKS = (
    "sending due task",
    "was missed by",
    "maximum number of running instances",
    "missed scheduled time",
    "too many missed start time",
    "prior execution is running",
)
"""Celery beat (celery/beat.py: apply_entry), APScheduler 3 (executors/base.py: run_job and
schedulers/base.py: _process_jobs), Kubernetes' CronJob controller (cronjob_controllerv2.go)."""
BATON_MARKS = (
    "requeu",
    "re-queu",
    "re-enqueu",
    "reenqueu",
    "put back",
    "put it back",
    "back on the queue",
    "back onto the queue",
    "back to the queue",
    "returned to the queue",
    "basic.nack",
)
"""How services say that they put a message back on its queue."""
BATCH_MARKS = (
    *(f" of {digit}" for digit in range(10)),
    "processing ",
    "working on ",
    "starting ",
    "sending ",
    "loaded ",
    "found ",
    "batch",
    "selected ",
    "import",
    "export",
)
"""How services say how many items a piece of work has, and how far it is."""
PROGRESS_MARKS = ("progress", "processed", "total", "%)", "count=", "count:", 'count":', "written")
"""What stands in many a report of how far work is; the numbers beside it tell, not the word."""
SHORT_BYTES = 40
"""A line that is nothing but progress, `  400/1840`, is short; few are, so each is looked at."""
PLAN_MARKS = (
    "planned",
    "planning ",
    "scheduled",
    "queued",
    "queueing",
    "selected",
    "candidate",
    "eligible",
    "to be ",
    "will be ",
    "geplant",
    "ingepland",
    "planifi",
    "programad",
    "pianificat",
)
"""How a run names an item that it means to work on, before it does."""
PRESS_MARKS = ("post /", "put /", "patch /")
"""Requests that begin something."""
VERSION_MARKS = (
    "version",
    "version=",
    "lock_version",
    "lockversion",
    "row_version",
    "on version",
    "from version",
    "expected version",
    "_rev",
    "revision",
    "if-match",
    "if_match",
    "etag",
    "optlock",
    "wersj",
    "vers\u00e3o",
    "versi\u00f3n",
    "\u0432\u0435\u0440\u0441\u0438",
    "\u7248\u672c",
    "\u30d0\u30fc\u30b8\u30e7\u30f3",
)
"""How writers name the state of a record that they start from, in several languages."""
CHANGE_MARKS = (
    " -> ",
    "->",
    " \u2192 ",
    "\u2192",
    " => ",
    "changed from ",
    "updated from ",
    "set from ",
)
"""How a writer tells a value before and after a change."""
ROLLBACK_MARKS = ("rollback", "rolled back")
"""How libraries note in their debug lines that a transaction did not end well."""
STANDBY_MARKS = ("at log time",)
"""How PostgreSQL says up to when a standby has replayed (xlog.c, xlogrecovery.c)."""
LOSS_MARKS = (
    "suppressed ",
    "suppressing ",
    "messages lost",
    "records lost",
    "lost due to",
    "to drop messages",
    "overlimit",
    "s dropped",
    "dropped_items",
    "dropped events",
    "dropped entries",
    "dropping ",
    "discarding ",
    "discarded events",
    "buffer is full",
    "ingestion rate limit",
    "missed messages",
)
"""How journals, shippers and collectors say that they lost lines: systemd-journald, rsyslog,
Fluent Bit and Fluentd, Vector, Promtail, Filebeat, the OpenTelemetry collector."""
MOST_MARKS = 100
"""Up to here a search over all bodies is one step a byte; with more, Polars' engine takes another
automaton at half the speed (measured: 88 ms and 159 ms over 50 MB; aho-corasick 1, `kind`)."""
MANY_LINES = 20_000
SAMPLE = 2_000
COMMON = 0.1
"""Of a sample: a word in every tenth line of so many is a field that the logger adds to each, as
Logstash adds `@version`, and would bring nearly all of them here."""

SPOKEN_COLUMNS = ("row", "timestamp", "source", "clock", "actor", "severity_number", "body")
"""Of `spoken_lines`, in this order; names are texts, `clock` is never empty."""


def spoken_lines(incident: Incident) -> pl.DataFrame:
    """The log lines with any of the marks (SPOKEN_COLUMNS), time order; case is ignored."""
    marks = [*SCHEDULER_MARKS, *BATON_MARKS, *BATCH_MARKS, *PLAN_MARKS, *PRESS_MARKS]
    marks += _rare(
        incident,
        (
            *VERSION_MARKS,
            *PROGRESS_MARKS,
            *LOSS_MARKS,
            *STANDBY_MARKS,
            *CHANGE_MARKS,
            *ROLLBACK_MARKS,
        ),
    )
    sought = _sought(tuple(marks))
    any_of = pl.col("body").str.contains_any(list(sought), ascii_case_insensitive=True)
    told = lines_with(incident, any_of)
    short = lines_with(incident, pl.col("body").str.len_bytes() <= SHORT_BYTES).filter(PARTS)
    if short.is_empty():
        return told
    return pl.concat([told, short]).unique("row", keep="first").sort("timestamp", "row")


PARTS = pl.col("body").str.len_bytes().le(SHORT_BYTES) & pl.col("body").str.contains(r"\d ?/ ?\d")
"""Whether a line is short and holds one number over another."""


@cache
def _sought(marks: tuple[str, ...]) -> tuple[str, ...]:
    """`shortest`, kept: to compare a hundred marks with one another takes a millisecond."""
    return tuple(shortest(marks))


def shortest(marks: Iterable[str]) -> list[str]:
    """`marks` without those in which another one stands: a search finds the same lines."""
    known = dict.fromkeys(mark.lower() if mark.isascii() else mark for mark in marks)
    return [mark for mark in known if not any(one != mark and one in mark for one in known)]


def _rare(incident: Incident, marks: tuple[str, ...]) -> list[str]:
    """Those of `marks` that do not stand in a large share of all lines."""
    events = incident.snapshot.events
    if events.height < MANY_LINES:
        return list(marks)
    sample = events.select(pl.col("body").gather_every(events.height // SAMPLE)).to_series()
    lowered = sample.str.to_lowercase()
    most = COMMON * sample.len()
    return [mark for mark in marks if lowered.str.contains(mark, literal=True).sum() < most]


def lines_with(incident: Incident, predicate: pl.Expr) -> pl.DataFrame:
    """The log lines for which `predicate` holds (SPOKEN_COLUMNS), time order."""
    spoken = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & predicate, *SPOKEN_COLUMNS[2:]
    )
    source, clock, actor, _ = named_texts(spoken)
    rest = (spoken.get_column(name) for name in ("severity_number", "body"))
    first = (spoken.get_column(name) for name in ("row", "timestamp"))
    return pl.DataFrame([*first, source, clock, actor, *rest])


def spoken_with(incident: Incident, marks: tuple[str, ...]) -> pl.DataFrame:
    """Those of `Incident.spoken` with any of `marks`; looked for once for all who ask."""
    known = incident.shared(_found_by_marks)
    if marks not in known:
        known[marks] = marked(incident.spoken, marks)
    return known[marks]


def _found_by_marks(_: Incident) -> dict[tuple[str, ...], pl.DataFrame]:
    return {}


def marked(lines: pl.DataFrame, marks: tuple[str, ...]) -> pl.DataFrame:
    """Those of `lines` with any of `marks`."""
    if lines.is_empty():
        return lines
    return lines.filter(pl.col("body").str.contains_any(list(marks), ascii_case_insensitive=True))


NUMBERS = r"\d+"
IDS = (
    r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\b[0-9a-fA-F]{12,}\b"
    r"|\b\w*(?:_id|[Ii][dD])[=: ]+\"?[\w-]+|\b[a-zA-Z]{1,4}-?\d[\w-]*\b"
)


def form(body: str = "body", texts: pl.Series | None = None) -> pl.Expr:
    """A line without its ids and numbers: equal for two lines of one template. `texts` are those
    that it will be asked about, where they are known: it may then cost less and says the same."""
    ids = IDS if texts is None else plain_form(texts, IDS)
    numbers = NUMBERS if texts is None else plain_form(texts, NUMBERS)
    return pl.col(body).str.replace_all(ids, "#").str.replace_all(numbers, "#")
