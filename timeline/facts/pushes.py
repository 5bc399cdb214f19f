"""Pushes of jobs that ended in a network error, each with the entity whose request made it.

Only actors that serve requests push here; a worker's own trouble with the broker is not a push, nor
is anybody's with a message that he had received (`timeline.facts.received_before`).
A broker is any system that carries jobs, a database or a service in the cloud as well: an error of
such a system counts where its line speaks of pushing or names a kind of work. The same holds for an
error in words that nobody knows, if it speaks of waiting, or the request had waited.
An error that does not speak of pushing (a cache on the same Redis fails alike) counts only in the
request that wrote the entity, and is marked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.errors.kinds import Outcome, Phase
from timeline.event import SEVERITY_ERROR, Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.errors import HIT_SCHEMA, NETWORK_CLASSES
from timeline.facts.lines import lines_where
from timeline.facts.operations import failing_operations
from timeline.facts.received_before import received_before
from timeline.facts.sight import heard
from timeline.facts.work_names import work_names
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

BROKERS = ("redis", "rabbitmq", "kafka")
"""Systems of `timeline.errors` that carry jobs for other queues."""
DATABASES = ("postgresql", "mysql", "mariadb", "mongodb", "sqlite", "mssql", "oracle")
IN_DATABASE = (
    *("oban", "river", "good", "solid", "delayed", "que_", "procrastinate", "pgboss", "pg-boss"),
    *("graphile", "minion", "hangfire", "quartz", "db-scheduler", "jobrunr", "database", "sql"),
)
"""Queues that keep their jobs in a database: only with one of them is its trouble the push's."""
REFUSALS = (*NETWORK_CLASSES, "pool", "server_state")
"""A full pool or a loading server also end a push, with a known outcome."""
PUSH_WORDS = re.compile(
    r"(?i)(?:\b|_)(?:en-?queu|perform_(?:later|async|in)\b|apply_async|send_task|deliver_later|"
    r"publish|produc(?:e|er|ing)\b|[lr]push|push|queue\.add|add_?job|submit)"
)
"""What programs say when they hand work to a queue; looked for in the message itself."""
QUEUE_WORDS = (
    r"(?i)en-?queu|perform_(?:later|async|in)\b|apply_async|send_task|deliver_later|queue\.add|"
    r"add_?job|insert(?:ing)? job|send_?message|schedule_?job|oban\.insert|"
    r"\b(?:cannot|can't|could not|not|failed to) (?:be )?queued?\b|encol|enfil|einreih|eingereiht|"
    r"gesendet werden|ставить в очередь|キュー"
)
"""Of those, the words that no call to anything else is described by: a payment is submitted, too.
They, or the name of a kind of work, are asked for where the system carries more than jobs."""
PUSH_FRAMES = re.compile(
    r"(?:\bin |[.#`'])_?(?:enqueue\w*|perform_(?:later|async)|apply_async|send_task|deliver_later|"
    r"publish|[lr]push)\b"
)
"""Functions that do it; looked for in the frames of a stack trace, where `push` alone is noise."""
WAITING = (
    r"(?i)tim(?:ed|e)[ _-]?out|deadline|elapsed|too long|gave up|giving up|no (?:answer|response)|"
    r"max retries|zeitüberschreitung|délai|tiempo de espera|tempo esgotado|expirad|превышен|"
    r"connection (?:reset|closed|lost|aborted)|タイムアウト|超时"
)
"""That the answer did not come, for errors of clients that nobody has listed."""
WAITED_NS = 1_000_000_000
"""A push is done within milliseconds; where a request stood still this long before its error line,
it had waited for an answer."""
MOST_LINES = 20_000
"""Error lines that are searched for pushes in words of their own."""
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
    hits = _hits(incident)
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


def _hits(incident: Incident) -> pl.DataFrame:
    """Error lines that may be about a push (HIT_SCHEMA and `spoken`), time order."""
    known = incident.errors.filter(
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("error_class").is_in(REFUSALS)
        & pl.col("outcome").is_in([AMBIGUOUS, Outcome.NOT_EXECUTED.value])
        & ~pl.col("actor").is_in(list(incident.workers))
    )
    surely = _names_work(incident)
    told = pl.concat([known, _in_own_words(incident, surely)])
    if told.is_empty():
        return told
    message, frames = _parts()
    words, in_frames = (
        plain_form(told.get_column("body"), one.pattern) for one in (PUSH_WORDS, PUSH_FRAMES)
    )
    said = message.str.contains(words) | frames.str.contains(in_frames)
    system = pl.col("system").fill_null("")
    carries = system.is_in(BROKERS)
    stored = system.is_in(DATABASES) & pl.lit(not _in_database(incident))
    told = told.with_columns(spoken=surely | said)
    asked = pl.col("row").is_in(_in_requests(incident, told.get_column("row")).implode())
    others = told.filter(~carries & ~stored & surely & asked)
    others = others.with_columns(system=pl.lit(_queue(incident)))
    hits = pl.concat([told.filter(carries), others]).sort("timestamp", "row")
    came = received_before(incident, hits.get_column("row"))
    return hits.filter(~pl.col("row").is_in(came.implode()))


def _in_requests(incident: Incident, rows: pl.Series) -> pl.Series:
    """Those of `rows` that were written under a request; a job at work writes under its own."""
    keys = incident.snapshot.keys_of(rows)
    named = pl.concat([pairs_of_type(keys, kind) for kind in ("request", "trace")])
    rows = named.get_column("row").unique()
    # A trace goes on in the worker, whose lines about the job are no push of it.
    return (
        rows
        if incident.jobs.named.is_empty()
        else rows.filter(~rows.is_in(incident.handled.get_column("end_row").implode()))
    )


def _in_database(incident: Incident) -> bool:
    """Whether the queue that was read lives in a database, or none was read."""
    queues = [one.system.lower() for one in incident.sources if one.lane is Lane.QUEUE]
    return not queues or any(name in system for system in queues for name in IN_DATABASE)


def _queue(incident: Incident) -> str:
    """What carries the jobs, where the error does not say it: the queue that was read."""
    return next(iter(heard(incident, Lane.QUEUE)), "the queue")


def _in_own_words(incident: Incident, surely: pl.Expr) -> pl.DataFrame:
    """Error lines of no known wording that speak of a push that was waited for (HIT_SCHEMA)."""
    grave = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_ERROR)
    known = incident.errors.get_column("row")
    lines = lines_where(incident, grave).head(MOST_LINES)
    lines = lines.filter(
        ~pl.col("row").is_in(known.implode()) & ~pl.col("actor").is_in(list(incident.workers))
    )
    lines = lines if lines.is_empty() else lines.filter(surely)
    if lines.is_empty():
        return pl.DataFrame(schema=HIT_SCHEMA)
    told = lines.with_columns(
        error_class=pl.lit("read_timeout"),
        outcome=pl.lit(AMBIGUOUS),
        phase=pl.lit(Phase.REQUEST.value),
        fragment=pl.lit("a push that failed in words of its own"),
        peer=pl.col("body").str.extract(r"([a-z][\w-]*(?:\.[\w-]+)+:\d{2,5})\b").fill_null(""),
        system=pl.lit(""),
        errno=pl.lit(None),
        sqlstate=pl.lit(None),
    )
    told = told.select(pl.col(name).cast(dtype) for name, dtype in HIT_SCHEMA.items())
    previous = failing_operations(incident, told.head(MAX_PUSHES)).select("row", "previous")
    told = told.join(previous, on="row", how="left", maintain_order="left")
    waited = (pl.col("timestamp") - pl.col("previous")).fill_null(0) >= WAITED_NS
    return told.filter(waited | pl.col("body").str.contains(WAITING)).select(*HIT_SCHEMA)


def _names_work(incident: Incident) -> pl.Expr:
    """Whether `body` says that work was put on a queue, or names a kind of work."""
    message, _ = _parts()
    names = list(work_names(incident))
    said = message.str.contains(QUEUE_WORDS)
    return said | message.str.contains_any(names) if names else said


def _parts() -> tuple[pl.Expr, pl.Expr]:
    """The message of `body` and the frames of the stack below it."""
    frames = pl.col("body").str.extract(f"(?s){LINE_BREAK}(.*)$", 1).fill_null("")
    return pl.col("body").str.replace(f"(?s){LINE_BREAK}.*$", ""), frames


def _push(tries: list[dict[str, Any]]) -> FailedPush | None:
    """The push of one entity from its error lines, or None when nothing speaks for a push."""
    spoken = [line for line in tries if line["spoken"]]
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
