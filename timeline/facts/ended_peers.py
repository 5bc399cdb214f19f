"""Refusals by a peer of which one instance ended: a few calls lost to a restart, no lost path.

For the seconds between the end of a process and its return, callers that are sent to it are
refused, all of them naming the address of the service and none the instance. A refusal, unlike a
missing answer, is the word of a host that was reached. So where a line of the orchestrator, the
kernel or the instance itself puts an end right before such errors, or a return right behind them,
they are that end's consequence, as long as other instances stand: they speak, or are measured, on
both sides of it and nobody tells of an end of theirs. Where no other is seen to stand, the peer may
have been gone as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.kinds import ErrorClass
from timeline.event import Kind, Lane
from timeline.facts.boots import BOOT_MARKS
from timeline.facts.ended_curves import LABELS
from timeline.facts.kills import KILL_LINE
from timeline.facts.lifecycle import AROUND_NS, STOP_LINE
from timeline.facts.rates import MINUTE_NS, SECOND_NS
from timeline.facts.words import instant

if TYPE_CHECKING:
    from timeline.incident import Incident

SPOKEN = (ErrorClass.REFUSED.value, ErrorClass.RESET.value, ErrorClass.CLOSED.value)
"""What the host of a process says that is not there, or just went away."""
STANDING_NS = 2 * MINUTE_NS
"""Who speaks within so long before and after stood in between."""
MISSED = 5.0
"""Lines that an instance would have written meanwhile at its own pace; who wrote none was idle, and
an idle one was not reached either."""
LATE_NS = 2 * SECOND_NS
"""Kubelets write whole seconds, and by another clock than the callers'."""
FAR_NS = 15 * MINUTE_NS
"""Errors that go on for longer are no few calls lost to a restart."""
ENDED = (
    rf"{KILL_LINE}|{STOP_LINE}"
    r"|\bcontainer \S+ (?:ended|died|exited|stopped|(?:was )?terminated)\b|\bis being deleted\b"
    r"|\bStopping container\b|\b[Mm]ain process exited\b|\b[Dd]eactivated successfully\b"
    r"|\bEvicted: |\bKilling: |\bFailed with result '|\bexited with code \d|\bexited: \S+ \("
    r"|\bcontainer (?:die|kill|stop)\b"
)
STARTED = (
    r"\bcontainer \S+ started\b|\bStarted container\b|\bStarted \S+\.service\b|\bbecame ready\b"
    r"|\bentered RUNNING state\b|\bcontainer start\b"
    rf"|(?i:{'|'.join(re.escape(mark) for mark in BOOT_MARKS)})"
)
_SERVICE = re.compile(r"[A-Za-z][\w-]*")
_NUMBERED = r"(?:[-._@](?:[a-z]*\d\w*|[bcdfghjklmnpqrstvwxz2-9]{5,10}|[a-z]))*"
"""What follows a service's name in that of an instance: ordinals, a pod's hashes. `orders-worker`
is another service than `orders`."""


class Others(Enum):
    """What is seen of the other instances while one was away."""

    STOOD = "stood"
    UNSEEN = "unseen"
    NONE = "none"  # every instance that is known ended then


@dataclass(frozen=True, slots=True)
class EndedPeer:
    """An instance of the peer `host` that was away around errors. Its end, or its start where only
    that is told, is event `row` at `timestamp` (ns); `words` say when and what it says."""

    host: str
    row: int
    timestamp: int
    words: str
    others: Others


def ended_peers(incident: Incident, burst: pl.DataFrame) -> list[EndedPeer]:
    """For each peer in `burst` (HIT_SCHEMA, time order) all of whose errors are its hosts' own
    words: the instance of it whose end and return enclose them, where that is told."""
    named = burst.with_columns(host=peer_host()).drop_nulls("host")
    spoken = pl.col("error_class").is_in(SPOKEN).all()
    spans = named.group_by("host", maintain_order=True).agg(
        first=pl.col("timestamp").min(), last=pl.col("timestamp").max(), spoken=spoken
    )
    callers = burst.get_column("actor").unique().to_list()
    found = []
    for host, first, last, words in spans.iter_rows():
        service = host.partition(".")[0]
        if words and last - first <= FAR_NS and _SERVICE.fullmatch(service):
            one = _ended(incident, host, service, first, last, callers)
            if one is not None:
                found.append(one)
    return found


def peer_host() -> pl.Expr:
    """The host part of the column `peer`, `profile.apps.svc` of `profile.apps.svc:8080`."""
    return pl.col("peer").str.replace(r":\d+$", "")


def _ended(
    incident: Incident, host: str, service: str, first: int, last: int, callers: list[str]
) -> EndedPeer | None:
    lines = _lines_about(incident, service, first - STANDING_NS, last + STANDING_NS, callers)
    turns = lines.filter(pl.col("ended") | pl.col("started"))
    if turns.is_empty():
        return None
    known = _instances(incident, service)
    stamp, earlier = pl.col("timestamp"), [name for name, began in known.items() if began < first]
    again = pl.col("clock").is_in(earlier) | pl.col("body").str.contains(r", restart \d")
    starts = lines.filter("started")
    ends = lines.filter(
        pl.col("ended") & stamp.is_between(first - AROUND_NS, first + LATE_NS)
    ).tail(1)
    back = starts.filter(again & stamp.is_between(first - LATE_NS, last + AROUND_NS)).head(1)
    away = ends if ends.height else back
    if away.is_empty():
        return None
    ended_at = int(away["timestamp"][0])
    until = starts.filter(stamp >= ended_at).get_column("timestamp").head(1).to_list()
    if last > max([ended_at, *until]) + AROUND_NS:
        return None
    near = turns.filter(stamp.is_between(first - AROUND_NS, last + AROUND_NS))
    others = _others(incident, service, lines, _names_in(near, service), known, first, last)
    words = f"{instant(ended_at)}: {away['body'][0]}"
    return EndedPeer(host, int(away["row"][0]), ended_at, words, others)


def _lines_about(
    incident: Incident, service: str, start: int, end: int, callers: list[str]
) -> pl.DataFrame:
    """(row, timestamp, actor, clock, body, own, ended, started): lines in `[start, end]` (ns) that
    instances of `service` wrote (`own`), or that tell of an end or a start of one."""
    snapshot = incident.snapshot
    low, high = snapshot.position_at(start), snapshot.position_at(end + 1)
    rows = snapshot.order.slice(low, high - low)
    shown = pl.col("lane", "kind", "actor", "clock", "source", "timestamp", "body")
    lines = snapshot.events.select(shown.gather(rows)).with_columns(row=rows)
    text = pl.col("actor", "clock", "source").cast(pl.String).fill_null("")
    lines = lines.filter(pl.col("lane") == Lane.LOG.value).with_columns(text)
    lines = lines.filter(~pl.col("actor").is_in(callers)).with_columns(
        clock=pl.when(pl.col("clock") == pl.col("source")).then(pl.lit("")).otherwise("clock"),
        body=pl.col("body").fill_null(""),
        by=pl.col("actor").str.contains(_instance_of(service)),
    )
    named = pl.col("by") | pl.col("body").str.contains(
        rf"(?:^|[^\w.:/-]){re.escape(service)}{_NUMBERED}(?:\.service)?(?:[^\w:@-]|$)"
    )
    told = lines.filter(named).with_columns(
        own=pl.col("by") & (pl.col("kind") == Kind.LOG.value),
        ended=pl.col("body").str.contains(ENDED),
        started=pl.col("body").str.contains(STARTED),
    )
    told = told.filter(pl.col("by") | pl.col("ended") | pl.col("started"))
    return told.select("row", "timestamp", "actor", "clock", "body", "own", "ended", "started")


def _instance_of(service: str) -> str:
    """A writer's name as an instance of `service` bears it: `profile-2`, `profile-7d9f/profile`."""
    name = re.escape(service)
    return rf"^(?:{name}{_NUMBERED}(?:[/:].*)?|[^/]*/{name})$"


def _names_in(lines: pl.DataFrame, service: str) -> frozenset[str]:
    """Every name under which `lines` may mean an instance: clock, pod, words of that beginning."""
    pods = lines.get_column("actor").str.extract(r"^([^/]+)", 1)
    words = lines.get_column("body").str.extract_all(rf"{re.escape(service)}[\w.-]*\w").explode()
    named = pl.concat([lines.get_column("clock"), pods, words]).drop_nulls().unique()
    return frozenset(named.to_list()) - {""}


def _instances(incident: Incident, service: str) -> dict[str, int]:
    """The first stamp (ns) of a line of each host on which `service` writes its own log."""
    log = (pl.col("lane") == Lane.LOG.value) & (pl.col("kind") == Kind.LOG.value)
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    own = actors.filter(actors.str.contains(_instance_of(service)))
    by = pl.col("actor").cast(pl.String).is_in(own.implode())
    lines = incident.snapshot.told(log & by, "clock", "source")
    lines = lines.with_columns(pl.col("clock", "source").cast(pl.String).fill_null(""))
    hosts = lines.filter((pl.col("clock") != "") & (pl.col("clock") != pl.col("source")))
    return dict(hosts.group_by("clock").agg(pl.col("timestamp").min()).iter_rows())


def _others(
    incident: Incident,
    service: str,
    lines: pl.DataFrame,
    gone: frozenset[str],
    known: Mapping[str, int],
    first: int,
    last: int,
) -> Others:
    """Whether another instance stood in `[first, last]` (ns): it speaks, or is measured, within
    `STANDING_NS` before and after, and in between where it would have at its own pace."""
    spoke = lines.filter("own").select(name="clock", timestamp="timestamp", line=pl.lit(value=True))
    measured = _measured(incident, service, first - STANDING_NS, last + STANDING_NS)
    signs = pl.concat([spoke, measured]).filter(pl.col("name") != "")
    stamp = pl.col("timestamp")
    share = (last - first) / (last - first + 2 * STANDING_NS)
    met = (pl.col("line") & stamp.is_between(first, last)).any()
    idle = ~met & (pl.col("line").sum() * share >= MISSED)
    both = signs.group_by("name").agg(stood=(stamp <= first).any() & (stamp >= last).any() & ~idle)
    standing = set(both.filter("stood").get_column("name").to_list()) - gone
    seen = {*known, *both.get_column("name").to_list()}
    # Where the one that ended goes by another name here, one of those that speak may be it.
    if len(standing) >= (1 if gone & seen else 2):
        return Others.STOOD
    return Others.NONE if seen and seen <= gone else Others.UNSEEN


def _measured(incident: Incident, service: str, start: int, end: int) -> pl.DataFrame:
    """(name, timestamp, line) of figures of single instances of `service` in `[start, end]`, ns."""
    points = incident.points.filter(pl.col("timestamp").is_between(start, end))
    told = pl.coalesce(pl.col("labels").str.json_path_match(f"$.{name}") for name in LABELS)
    names = points.select(pl.col("labels").unique()).with_columns(name=told).drop_nulls("name")
    own = names.filter(pl.col("name").str.contains(_instance_of(service)))
    return points.join(own, on="labels").select("name", "timestamp", line=pl.lit(value=False))
