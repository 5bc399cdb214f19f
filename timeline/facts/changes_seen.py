"""What people and pipelines changed: deployments, commits, notes, scaling, rows written by hand.

Owns what counts as a change and what kind it is. A commit is no deployment: git does not know when
it went live. A note is one where it states an act that was done. It says nothing about guilt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_ERROR, Kind, Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.stated_acts import stated_act

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_CHANGES = 500
"""Of one incident; pipelines and people leave some dozens a night."""
MOST_VERSIONS = 5_000
"""Audited row versions that are looked through for some that nobody's code wrote."""
HABIT = 0.8
"""Share of an audit table's versions that name their writer, from which one without stands out;"""
MIN_HABIT = 5
"""of at least so many."""
BY_CODE_NS = 5_000_000_000
"""A request or a job that wrote a row speaks of it within this time."""


class What(StrEnum):
    """The kind of a change, in the word that is printed."""

    DEPLOY = "deploy"
    COMMIT = "commit"
    MIGRATION = "migration"
    CONFIGURATION = "configuration change"
    SCALING = "scaling"
    RESTART = "restart"
    PAUSE = "pause or resume"
    MANUAL = "manual change"
    OTHER = "change"


WORDINGS: tuple[tuple[What, str], ...] = (
    (What.MIGRATION, r"\bmigrat(?:e|ed|ion|ions)\b|\balter table\b|\bschema\b"),
    (What.PAUSE, r"\b(?:un-?)?paus(?:e|ed|ing)\b|\bresum(?:e|ed|ing)\b"),
    (
        What.CONFIGURATION,
        r"\bconfig(?:uration|s|map)?\b|\bfeature flag\b|\bflags?\b|\bsettings?\b"
        r"|\bcertificates?\b|\b(?:enabled|disabled|toggled|rotated)\b",
    ),
    (What.SCALING, r"\bscal(?:ed|ing)\b|\bautoscal|\breplicas?\b|\bSuccessfulRescale\b"),
    (What.RESTART, r"\b(?:restarted|rebooted|bounced|fail(?:ed)?[ -]?over)\b"),
    (What.DEPLOY, r"\bdeploy(?:ed|ment|s|ing)?\b|\broll(?:ed|ing) ?(?:out|back)\b|\breleased?\b"),
    (
        What.MANUAL,
        r"\bby hand\b|\bmanual(?:ly)?\b|\bconsole\b|\bran (?:a |the )?(?:script|sql|query)\b"
        r"|\b(?:updated|deleted|fixed|edited|inserted|purged|flushed) (?:the |a |some )?[\w-]+",
    ),
)
"""Tried in this order on the words of a change or a note."""
_WORDINGS = tuple((what, re.compile(f"(?i){pattern}")) for what, pattern in WORDINGS)
_CLUSTER = re.compile(r"(?:ScalingReplicaSet|SuccessfulRescale|DeploymentRollback)\b")
"""Reasons of Kubernetes' events that tell of a change rather than of trouble."""


class Change(NamedTuple):
    """One change (ns); `row` is the event that tells it. `failed` means it did not go through."""

    what: What
    timestamp: int
    row: int
    service: str
    version: str
    who: str
    failed: bool
    body: str
    noted: bool = False
    """A person says so, and no record does."""


def changes_in(incident: Incident) -> tuple[Change, ...]:
    """All changes that were read, oldest first; the latest `MOST_CHANGES` of more."""
    told = incident.snapshot.told(
        pl.col("lane").is_in([Lane.CHANGE.value, Lane.NOTE.value])
        | (pl.col("kind") == Kind.CHANGE.value),
        "lane",
        "actor",
        "body",
        "ref",
        "severity_number",
        "attributes",
    ).with_columns(
        pl.col("lane").cast(pl.String),
        pl.col("actor").cast(pl.String).fill_null(""),
        pl.col("ref").fill_null(""),
        version=pl.col("attributes").str.json_path_match("$.version").fill_null(""),
        who=pl.col("attributes").str.json_path_match("$.who").fill_null(""),
    )
    shown = ("lane", "timestamp", "row", "actor", "version", "who", "severity_number", "body")
    found = []
    for *told_of, body, ref in told.tail(MOST_CHANGES).select(*shown, "ref").iter_rows():
        what = _what(told_of[0], body, ref)
        if what is not None:
            found.append(_change(what, body, *told_of))
    return tuple(sorted([*found, *_by_hand(incident)], key=lambda one: (one.timestamp, one.row)))


def _change(
    what: What,
    body: str,
    lane: str,
    timestamp: int,
    row: int,
    actor: str,
    version: str,
    who: str,
    severity: int,
) -> Change:
    """A note is spoken by a person and a commit made by one: neither is the changed service."""
    note = lane == Lane.NOTE.value
    service = "" if note or what is What.COMMIT else actor
    failed = lane == Lane.CHANGE.value and severity >= SEVERITY_ERROR
    by = who or (actor if note else "")
    return Change(what, timestamp, row, service, version, by, failed, body, note)


def _what(lane: str, body: str, ref: str) -> What | None:
    """The kind of a change, or None for what is none."""
    if lane == Lane.CHANGE.value:
        if ref.startswith(("commit/", "tag/", "reflog/")):
            return What.COMMIT
        return _worded(body) or What.OTHER
    if lane == Lane.NOTE.value:
        act = stated_act(body)
        return (_worded(act) or What.MANUAL) if act else None
    if lane == Lane.LOG.value:
        return What.SCALING if _CLUSTER.match(body) else None
    return _worded(body) or What.OTHER


def _worded(body: str) -> What | None:
    return next((what for what, pattern in _WORDINGS if pattern.search(body)), None)


def _by_hand(incident: Incident) -> list[Change]:
    """Row versions that name no writer where nearly all others of that audit table do, and of
    whose row no request and no job spoke at the time."""
    told = incident.snapshot.told(
        pl.col("kind") == Kind.ROW_VERSION.value, "body", "attributes", "source"
    ).tail(MOST_VERSIONS)
    if told.is_empty():
        return []

    def member(name: str) -> pl.Expr:
        return pl.col("attributes").str.json_path_match(f"$.{name}").fill_null("")

    named = told.with_columns(
        table=member("audit_table"),
        item=member("table"),
        writer=pl.concat_str(member("request_id"), member("actor")) != "",
    ).with_columns(
        of=pl.len().over("source", "table"), share=pl.col("writer").mean().over("source", "table")
    )
    bare = named.filter(~pl.col("writer") & (pl.col("of") > MIN_HABIT) & (pl.col("share") >= HABIT))
    found = []
    for row, timestamp, table, body in bare.select("row", "timestamp", "item", "body").iter_rows():
        if not _spoken_of(incident, row, timestamp):
            found.append(Change(What.MANUAL, timestamp, row, table, "", "", False, body))
    return found[-MOST_CHANGES:]


def _spoken_of(incident: Incident, row: int, timestamp: int) -> bool:
    """Whether a log line or a job spoke of the row's entity at that time."""
    keys = entity_pairs(incident.snapshot.keys_of(pl.Series([row], dtype=pl.UInt32)))
    rows = incident.snapshot.rows_with(keys.get_column("key").to_list())
    events = incident.snapshot.events
    near = (events.get_column("timestamp").gather(rows) - timestamp).abs() <= BY_CODE_NS
    lane = events.get_column("lane").gather(rows)
    return bool((near & lane.is_in([Lane.LOG.value, Lane.QUEUE.value])).any())


def settled(changes: Sequence[Change]) -> list[Change]:
    """Each change once, by the last that is told of it (begun, then succeeded or failed)."""
    last: dict[tuple[str, str, str, int], Change] = {}
    for one in changes:
        own = 0 if one.version else one.row  # without a version nobody knows what belongs together
        last[one.what.value, one.service, one.version, own] = one
    return sorted(last.values(), key=lambda one: (one.timestamp, one.row))


def is_about(change: Change, services: Sequence[str]) -> str:
    """The first of `services` that the change names, as its target or in its words; "" for none.

    A change of `shop` is about `shop-worker` as well, and the other way round.
    """
    own = change.service.lower()
    for service in services:
        name = service.lower()
        if not name:
            continue
        if own and (own == name or own.startswith(f"{name}-") or name.startswith(f"{own}-")):
            return service
        if len(name) > 2 and re.search(
            rf"(?<![\w-]){re.escape(name)}(?![\w-])", change.body.lower()
        ):
            return service
    return ""
