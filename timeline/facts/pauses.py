"""When people or systems held work back and let it go again: pauses, resumes, scaling, recoveries.

Read from changes, notes and what a queue says of itself; never from log lines, where the words are
everyday ones. A plan or a question is no pause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane

if TYPE_CHECKING:
    from timeline.incident import Incident


class Act(StrEnum):
    """What was done to the work."""

    PAUSE = "paused"
    RESUME = "resumed"
    RECOVERY = "recovered"
    """Something below came back: a target that answers again, a fail-over that is done."""
    DEPLOY = "deployed"


class Mark(NamedTuple):
    """One such act, ns UTC; `row` is the event that tells it, `body` its words."""

    act: Act
    timestamp: int
    row: int
    body: str


_OF = r"(?: (?:of|for|on|in) [\w.:/-]+)?"
"""Which: `consumers of mails started again`."""
_UNIT = r"\b(?:systemctl|supervisorctl|initctl|rc-service|pm2|circusctl|monit|service [\w@.-]+)"
"""What starts and stops a unit by hand."""
_THINGS = r"(?:workers?|consumers?|queues?|processing|jobs?|sidekiq|celery|resque|dispatch\w*)"
ACTS: tuple[tuple[Act, str], ...] = (
    (
        Act.RESUME,
        rf"\b(?:resum(?:e|ed|ing)|un-?paus(?:e|ed|ing)|un-?quiet(?:ed)?)\b"
        rf"|\b(?:re)?(?:start|enabl)(?:ed|ing) (?:\w+ ){{0,3}}{_THINGS}\b"
        rf"|\b{_THINGS}{_OF} (?:are |is |were )?(?:back on|(?:re)?started|re-?enabled)\b"
        rf"|{_UNIT} (?:--\S+ )*(?:re)?start\b|--replicas[= ][1-9]"
        r"|\b(?:wieder (?:ge|an)startet|fortgesetzt|red[ée]marr[ée]e?s?|repris(?:es?)?"
        r"|reanudad[oa]s?|riavviat[oiae]|riprese?|retomad[oa]s?|wznowion[oeya]+|hervat)\b|возобновл|再開|恢复"
        r"|\bscal(?:ed|ing) (?:[\w-]+ ){0,4}(?:up|out|to [1-9]\d*|from \d+ to [1-9]\d*)\b",
    ),
    (
        Act.PAUSE,
        rf"\bpaus(?:e|ed|ing)\b|\bsuspend(?:ed|ing)\b|\bquieted\b"
        rf"|\b(?:stopp|disabl)(?:ed|ing) (?:\w+ ){{0,3}}{_THINGS}\b"
        rf"|\b{_THINGS}{_OF} (?:are |is |were )?(?:stopped|disabled|off)\b"
        rf"|{_UNIT} (?:--\S+ )*stop\b|--replicas[= ]0\b"
        r"|\b(?:angehalten|pausiert|gestoppt|mis(?:e|es)? en pause|arr[êe]t[ée]e?s?|pausad[oa]s?"
        r"|detenid[oa]s?|sospes[oiae]|fermat[oiae]|wstrzyman[oeya]+|gepauzeerd|stilgezet)\b"
        r"|приостановл|停止|暂停"
        r"|\bscal(?:ed|ing) (?:[\w-]+ ){0,4}to (?:0|zero)\b",
    ),
    (
        Act.RECOVERY,
        r"\banswers again\b|\b(?:is|are|was|back) (?:back|healthy|up again|online)\b"
        r"|\brecovered\b|\bfail-?over (?:done|complete[d]?|finished)\b|\bno longer fires\b",
    ),
    (Act.DEPLOY, r"\bdeploy(?:ed|ment|s)?\b|\broll(?:ed|ing) ?out\b|\breleased?\b"),
)
"""Tried in this order: "unpaused" must not be read as a pause, nor "resumed after the deploy"."""
UNDONE = (
    r"\b(?:not|don't|didn't|never|should|shall|could|can we|may we|before|once|when|if|until"
    r"|plan(?:s|ned|ning)?|want(?:s|ed)?|going to|will|about to|waiting (?:for|to)|ready to)\b|\?"
)
"""What makes it a plan, a question or a condition."""
_UNDONE = re.compile(f"(?i){UNDONE}")
_ACTS = tuple((act, re.compile(f"(?i){pattern}")) for act, pattern in ACTS)
MAX_MARKS = 500
"""People and pipelines leave some dozens a night."""


def marks_in(incident: Incident, *acts: Act) -> tuple[Mark, ...]:
    """All marks of any of `acts` (all when none), oldest first."""
    told = incident.snapshot.told(
        pl.col("lane").is_in([Lane.CHANGE.value, Lane.NOTE.value])
        | (
            pl.col("lane").is_in([Lane.QUEUE.value, Lane.METRIC.value])
            & (pl.col("kind") == Kind.CHANGE.value)
        ),
        "body",
    )
    found = []
    for row, timestamp, body in told.head(MAX_MARKS).iter_rows():
        act = act_in(body)
        if act is not None and (not acts or act in acts):
            found.append(Mark(act, timestamp, row, body))
    return tuple(found)


def act_in(body: str) -> Act | None:
    """What the words say was done; None for everything else."""
    if _UNDONE.search(body):
        return None
    return next((act for act, pattern in _ACTS if pattern.search(body)), None)


def concerns(mark: Mark, queue: str, queues: Iterable[str]) -> bool:
    """Whether the mark is about `queue`: by its name, or because it names no queue at all."""
    named = {name for name in queues if _names(mark.body, name)}
    return queue in named if named else True


def _names(body: str, name: str) -> bool:
    return bool(name) and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", body) is not None
