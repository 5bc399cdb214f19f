"""Pushes of jobs that ended in a network error, each with the entity whose request made it.

Only actors that serve requests push here; a worker's own trouble with the broker is not a push.
An error that does not speak of pushing (a cache on the same Redis fails alike) counts only in the
request that wrote the entity, and is marked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.errors.kinds import Outcome
from timeline.event import Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.errors import NETWORK_CLASSES
from timeline.facts.operations import failing_operations

if TYPE_CHECKING:
    from timeline.incident import Incident

BROKERS = ("redis", "rabbitmq", "kafka")
"""Systems of `timeline.errors` that carry jobs for other queues."""
REFUSALS = (*NETWORK_CLASSES, "pool", "server_state")
"""A full pool or a loading server also end a push, with a known outcome."""
PUSH_WORDS = re.compile(
    r"(?i)(?:\b|_)(?:en-?queu|perform_(?:later|async|in)\b|apply_async|send_task|deliver_later|"
    r"publish|produc(?:e|er|ing)\b|[lr]push|push|queue\.add|add_?job|submit)"
)
"""What programs say when they hand work to a queue; looked for in the message itself."""
PUSH_FRAMES = re.compile(
    r"(?:\bin |[.#`'])_?(?:enqueue\w*|perform_(?:later|async)|apply_async|send_task|deliver_later|"
    r"publish|[lr]push)\b"
)
"""Functions that do it; looked for in the frames of a stack trace, where `push` alone is noise."""
WRITE_SLACK_NS = 1_000_000_000
"""How far outside the request's own stamps the row it wrote may be stamped; two clocks differ."""
MAX_GUESSED = 3
"""A request about more entities than this does not tell which of them the push was for."""
MAX_PUSHES = 1_000
"""Errors that are resolved one by one, the earliest; more of them are one outage."""
AMBIGUOUS = Outcome.AMBIGUOUS.value


@dataclass(frozen=True, slots=True)
class FailedPush:
    """One entity's push that ended in an error. Instants in ns UTC.

    `sent` is when the first try was surely under way, `since` the earliest it can have been sent,
    `failed_at` the last try's error line. `outcome` is `ambiguous` if any try may have arrived.
    `worded` is whether an error line speaks of pushing. `rows` are the error lines, time order.
    """

    key: str
    request: str
    actor: str
    source: str
    since: int
    sent: int
    failed_at: int
    outcome: str
    worded: bool
    error_class: str
    system: str
    peer: str
    body: str
    rows: tuple[int, ...]


def failed_pushes(incident: Incident) -> list[FailedPush]:
    """All failed pushes, one per (request, entity), in time order."""
    workers = incident.workers
    hits = incident.errors.filter(
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("error_class").is_in(REFUSALS)
        & pl.col("system").is_in(BROKERS)
        & pl.col("outcome").is_in([AMBIGUOUS, Outcome.NOT_EXECUTED.value])
        & ~pl.col("actor").is_in(list(workers))
    )
    if hits.is_empty():
        return []
    operations = failing_operations(incident, hits.head(MAX_PUSHES))
    pairs = _with_entity(incident, operations)
    if pairs.is_empty():
        return []
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in pairs.iter_rows(named=True):
        groups.setdefault((line["request"], line["key"]), []).append(line)
    pushes = [push for tries in groups.values() if (push := _push(tries)) is not None]
    return sorted(pushes, key=lambda push: (push.failed_at, push.key, push.request))


def _push(tries: list[dict[str, Any]]) -> FailedPush | None:
    """The push of one entity from its error lines, or None when nothing speaks for a push."""
    spoken = [line for line in tries if _speaks_of_pushing(line["body"])]
    if not (spoken or tries[0]["wrote"]):
        return None
    tries = spoken or tries
    first, last = tries[0], tries[-1]
    outcomes = [line["outcome"] for line in tries]
    since = (first["previous"], first["start"], first["sent"])
    return FailedPush(
        key=first["key"],
        request=first["request"],
        actor=first["actor"],
        source=first["source"],
        since=next(stamp for stamp in since if stamp is not None),
        sent=first["sent"],
        failed_at=last["timestamp"],
        outcome=AMBIGUOUS if AMBIGUOUS in outcomes else outcomes[-1],
        worded=bool(spoken),
        error_class=last["error_class"],
        system=last["system"],
        peer=next((line["peer"] for line in tries if line["peer"]), ""),
        body=" ".join(line["body"] for line in tries),
        rows=tuple(line["row"] for line in tries),
    )


def _speaks_of_pushing(body: str) -> bool:
    message, _, frames = body.partition(LINE_BREAK)
    return bool(PUSH_WORDS.search(message) or PUSH_FRAMES.search(frames))


def _with_entity(incident: Incident, operations: pl.DataFrame) -> pl.DataFrame:
    """`operations` with `request` and one line per entity `key` that the push may be for."""
    executions = incident.executions
    named = operations.get_column("execution").drop_nulls().unique()
    shown = pl.col("execution", "start", "end", "id").gather(named)
    spans = executions.frame.select(shown).rename({"id": "request"})
    placed = operations.join(spans, on="execution", how="left", maintain_order="left").with_columns(
        request=pl.coalesce("request", pl.concat_str(pl.lit("line "), "row"))
    )
    members = executions.rows_of(placed.get_column("execution").drop_nulls().unique())
    members = members.join(placed.select("execution", hit="row"), on="execution").select(
        "row", "hit"
    )
    own = placed.select("row", hit="row")
    rows = pl.concat([members, own]).unique()
    held = entity_pairs(incident.snapshot.keys_of(rows.get_column("row").unique()))
    keys = held.join(rows, on="row").with_columns(own=pl.col("row") == pl.col("hit"))
    keys = keys.group_by("hit", "key").agg(pl.col("own").any()).rename({"hit": "row"})
    keys = keys.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    meant = _meant(incident, placed.join(keys, on="row"))
    return meant.sort("timestamp", "row", "key")


def _meant(incident: Incident, pairs: pl.DataFrame) -> pl.DataFrame:
    """The entities the request wrote; else those the line names; else all, if they are few."""
    records = incident.records
    written = records.owners.join(records.summary.select("record", "created"), on="record").select(
        "key", "created"
    )
    pairs = pairs.join(written.unique("key"), on="key", how="left")
    begin, end = pl.coalesce("start", "timestamp"), pl.coalesce("end", "timestamp")
    pairs = pairs.with_columns(
        wrote=pl.col("created")
        .is_between(begin - WRITE_SLACK_NS, end + WRITE_SLACK_NS)
        .fill_null(value=False)
    )
    any_wrote, any_own = (pl.col(name).any().over("row") for name in ("wrote", "own"))
    few = pl.len().over("row") <= MAX_GUESSED
    chosen = pl.when(any_wrote).then("wrote").when(any_own).then("own").otherwise(few)
    return pairs.filter(chosen)
