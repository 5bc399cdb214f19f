"""Who said that something was used up: disk, memory, file handles, threads, a server's own store.

Owns the wordings and which resource each names. Connections are not among them: they have a
detector of their own. Decides nothing about what filled it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.libc_messages import USED_UP
from timeline.errors.postgresql_messages import CANNOT_EXTEND
from timeline.errors.translations import any_of
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Kind, Lane
from timeline.facts.errors import JOB_FAILURES
from timeline.facts.searched import told_with
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that can be used up: its name, who says so in which words, what to do first."""

    name: str
    subject: str
    wording: str
    means: str
    first: str


RESOURCES: tuple[Resource, ...] = (
    Resource(
        "redis memory",
        "Redis",
        r"OOM command not allowed|command not allowed when used memory"
        r"|used memory > 'maxmemory'",
        "writes were refused, and with them every push of a job",
        "Find what fills Redis (its largest keys, its deepest queue) before raising maxmemory; "
        "a queue must not evict.",
    ),
    Resource(
        "redis persistence",
        "Redis",
        r"MISCONF Redis is configured to save|Redis is configured to save RDB snapshots"
        r"|Can't save in background: fork",
        "writes were refused because it could not save to disk",
        "Look at the disk and the memory of the Redis host; its own log says which of the two.",
    ),
    Resource(
        "index disk",
        "the search cluster",
        r"flood[- ]stage|read-only-allow-delete|disk usage exceeded (?:flood|high)",
        "indices were made read-only",
        "Free space on the search nodes; the block on the indices may have to be lifted after it.",
    ),
    Resource(
        "disk",
        "a disk",
        r"[Nn]o space left on device|\bENOSPC\b|\benospc\b|[Dd]isk quota exceeded|\bEDQUOT\b"
        r"|not enough space on the disk|database or disk is full|could not extend file"
        r"|The table '[^']+' is full|[Dd]isk (?:is )?full|out of (?:free )?disk space"
        r"|[Ii]nsufficient disk space|[Gg]ot error 28 from storage|\bSQLITE_FULL\b|OutOfDiskSpace"
        r"|database space exceeded|etcdserver: no space|NOT_ENOUGH_SPACE|0x80070070"
        r"|[Cc]ould not allocate space for object|[Tt]ransaction log for database '[^']+' is full"
        r"|ORA-0(?:165[0-9]|0257)|[Ff]ree disk space is insufficient"
        r"|NodeHasDiskPressure|low on resource: ephemeral-storage"
        r"|(?:SQLSTATE|code)\W{1,4}53100\b|"
        + any_of((*USED_UP["No space left on device"], *USED_UP["Disk quota exceeded"]))
        + "|"
        + any_of(CANNOT_EXTEND),
        "what was being written was not written",
        "Free space by removing what may go (old logs, temporary files), never a database's own "
        "files; then look at what failed meanwhile.",
    ),
    Resource(
        "file handles",
        "file handles",
        r"[Tt]oo many open files|\bEMFILE\b|\bemfile\b|\bENFILE\b|file table overflow|"
        + any_of(USED_UP["Too many open files"]),
        "files and connections could not be opened",
        "Count the open files of the process that says so, by kind, before raising its limit.",
    ),
    Resource(
        "threads",
        "threads or processes",
        r"unable to create (?:new )?native thread|can't start new thread"
        r"|fork: (?:retry: )?(?:Resource temporarily unavailable|[Cc]annot allocate memory)"
        r"|pids? (?:cgroup )?limit|fork rejected by pids controller",
        "no new thread or process could be started",
        "Count the threads of the process that says so and find what starts them.",
    ),
    Resource(
        "node memory",
        "a node",
        r"NodeHasInsufficientMemory|low on resource: memory|\bSystemOOM\b",
        "pods were evicted from it",
        "Look at which pods of that node use more memory than they ask for.",
    ),
    Resource(
        "process memory",
        "the memory of a process",
        r"OutOfMemoryError|JavaScript heap out of memory|Allowed memory size of \d+ bytes exhausted"
        r"|\bMemoryError\b|failed to allocate memory|std::bad_alloc|NoMemoryError"
        r"|[Cc]annot allocate memory|\bENOMEM\b|:enomem\b|"
        + any_of(USED_UP["Cannot allocate memory"]),
        "the work under way in it was lost",
        "Find which work ran in the process when it happened, and give it less at a time.",
    ),
)
"""Tried in this order. Sources: errno(3) in its translations; Redis, PostgreSQL (53100),
SQLite, MySQL (1114) and Elasticsearch messages; the kubelet's events; JVM, V8, PHP, CPython and
Ruby."""
_ANY = "|".join(resource.wording for resource in RESOURCES)
TALK = (
    r"(?i)(?:errors?|count|times)[\"']?\s*[=:]\s*0\b"
    r"|\b(?:if|when|whenever|unless|simulat\w+|retry on|handles?|handling|no longer|will|would"
    r"|could be|about to)\b[^:]{0,40}(?:No space left|ENOSPC|OOM command|disk full"
    r"|Too many open files|EMFILE|OutOfMemory|MemoryError)"
)
"""A wording that is talked about, not reported."""
BROKER_ALARMS = {"memory": "broker memory", "disk": "broker disk"}
MAX_LINES = 20_000

USED_UP_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "clock": pl.String,
    "resource": pl.String,
    "body": pl.String,
}


def used_up(incident: Incident) -> pl.DataFrame:
    """Every report of a resource at its end (USED_UP_SCHEMA), time order."""
    severity, kind = pl.col("severity_number"), pl.col("kind")
    level = (severity == 0) | (severity >= SEVERITY_WARN)
    chosen = ((pl.col("lane") == Lane.LOG.value) & level) | kind.is_in(JOB_FAILURES)
    words = pl.col("body").str.contains(plain_edges(_ANY))
    shown = ("source", "actor", "clock", "body")
    told = told_with(incident, chosen, words, *shown, bodies=(_ANY,)).head(MAX_LINES)
    if told.height:
        told = told.filter(~pl.col("body").str.contains(plain_edges(TALK)))
    named = (
        told.with_columns(resource=_resource_of(pl.col("body")))
        if told.height
        else pl.DataFrame(schema=USED_UP_SCHEMA)
    )
    alarms = _alarms(incident)
    return (
        pl.concat([_typed(named), _typed(alarms)])
        .unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
        .sort("timestamp", "row")
    )


def _resource_of(body: pl.Expr) -> pl.Expr:
    """The first resource whose wording fits; null for none."""
    return pl.coalesce(
        *(
            pl.when(body.str.contains(plain_edges(one.wording))).then(pl.lit(one.name))
            for one in RESOURCES
        )
    )


def _alarms(incident: Incident) -> pl.DataFrame:
    """What brokers say of their own alarms (`connectors.rabbitmq`), then and now."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.QUEUE.value)
        & (pl.col("kind") == Kind.METRIC.value)
        & (pl.col("severity_number") >= SEVERITY_WARN),
        "source",
        "actor",
        "clock",
        "body",
        "attributes",
        "severity_number",
    )
    if told.is_empty():
        return pl.DataFrame(schema=USED_UP_SCHEMA)
    alarm = pl.col("attributes").str.json_path_match("$.alarm")
    present = pl.col("body").str.extract(r"(memory|disk) alarm: publishers are held up", 1)
    severe = pl.col("severity_number") >= SEVERITY_ERROR
    kind = pl.coalesce(alarm, pl.when(severe).then(present))
    return told.with_columns(
        resource=kind.replace_strict(BROKER_ALARMS, default=None, return_dtype=pl.String)
    )


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop_nulls("resource").select(
        pl.col(name).cast(dtype) for name, dtype in USED_UP_SCHEMA.items()
    )


BROKER = Resource(
    "broker",
    "the broker",
    "",
    "publishers were held up",
    "Drain its deepest queue or free its disk; until then every publish waits.",
)


def resource_named(name: str) -> Resource:
    """The resource of that name; the broker's for its alarms."""
    return next((resource for resource in RESOURCES if resource.name == name), BROKER)
