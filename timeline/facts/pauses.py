"""When people or systems held work back and let it go again: pauses, resumes, scaling, recoveries.

Read from changes, notes, what a queue says of itself and what a cluster says of its scale; never
from log lines, where the words are everyday ones. A plan or a question is no pause, nor is a
rollout, which takes the old replicas away once the new ones are there.
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
CLUSTER_SCALED = re.compile(
    r"ScalingReplicaSet: Scaled (?P<way>up|down) replica set (?P<set>\S+) "
    r"(?:from (?P<before>\d+) )?to (?P<to>\d+)(?: from (?P<was>\d+))?"
)
"""Kubernetes' deployment controller (pkg/controller/deployment/sync.go); `from` since 1.25."""
ROLLOUT_NS = 10 * 60_000_000_000
"""Replicas that were added to another set of a deployment so shortly before: a rollout."""


def marks_in(incident: Incident, *acts: Act) -> tuple[Mark, ...]:
    """All marks of any of `acts` (all when none), oldest first."""
    marks = incident.shared(_all_marks)
    return tuple(mark for mark in marks if not acts or mark.act in acts)


def _all_marks(incident: Incident) -> list[Mark]:
    told = incident.snapshot.told(
        pl.col("lane").is_in([Lane.CHANGE.value, Lane.NOTE.value])
        | (
            pl.col("lane").is_in([Lane.QUEUE.value, Lane.METRIC.value])
            & (pl.col("kind") == Kind.CHANGE.value)
        ),
        "body",
    )
    found = [
        Mark(act, timestamp, row, body)
        for row, timestamp, body in told.head(MAX_MARKS).iter_rows()
        if (act := act_in(body)) is not None
    ]
    found += cluster_marks(incident)
    return sorted(found, key=lambda mark: (mark.timestamp, mark.row))


def cluster_marks(incident: Incident) -> list[Mark]:
    """Deployments that were taken down to no replica at all, and brought back from none."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & (pl.col("kind") == Kind.CHANGE.value), "actor", "body"
    )
    told = told.filter(pl.col("body").str.starts_with("ScalingReplicaSet")).head(MAX_MARKS)
    grown: dict[str, tuple[int, str]] = {}
    emptied: set[str] = set()
    found = []
    columns = told.select("row", "timestamp", pl.col("actor").cast(pl.String).fill_null(""), "body")
    for row, timestamp, actor, body in columns.iter_rows():
        scaled = CLUSTER_SCALED.match(body)
        if scaled is None:
            continue
        last, other = grown.get(actor, (0, scaled["set"]))
        if scaled["to"] == "0":
            if other == scaled["set"] or timestamp - last > ROLLOUT_NS:
                emptied.add(actor)
                found.append(Mark(Act.PAUSE, timestamp, row, body))
            continue
        if scaled["way"] == "up":
            if actor in emptied or "0" in (scaled["was"], scaled["before"]):
                found.append(Mark(Act.RESUME, timestamp, row, body))
            emptied.discard(actor)
            grown[actor] = (timestamp, scaled["set"])
    return found


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
