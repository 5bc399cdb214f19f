"""What a job had already done in each of its attempts: rows written, messages sent, calls made.

An effect belongs to a job by an id (the job's own, or its request's) or, weaker, because it
concerns the job's entity and was made by a worker while the attempt ran; weakest where another job
was at that entity then. Queues' own tables are no effect of the jobs they keep. It never judges
whether repeating an effect does harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Kind, Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.jobs import ENDS
from timeline.facts.lines import keyed_lines
from timeline.facts.shared_work import by_another_too
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

DONE = re.compile(
    r"(?i)\b(sent|delivered|e?mailed|charged|captured|refunded|paid|published|emitted|pushed|"
    r"uploaded|created|inserted|wrote|written|stored|saved|notified|transferred|invoiced|booked|"
    r"credited|debited|shipped|incremented|dispatched|posted|submitted|persisted|upserted|settled|"
    r"transmitted|relayed|produced|deducted|disbursed|deposited|withdrawn|redeemed|reserved|"
    r"provisioned|texted|broadcast(?:ed)?|printed)\b(?:[ :]+(?:an? |the )?([a-z][\w.-]*+)(?![=:]))?"
)
"""What programs say once they have done something, in the past tense; the word after it is the
thing. Starting and finishing are no effects."""
NOT_DONE = re.compile(
    r"(?i)\b(?:not|never|n't|cannot|fail(?:ed|ure)?(?: to)?|unable to|would|will|to be|should|"
    r"already|skip(?:ped|ping)?|nothing|no|dry[ -]run|if|before|until)\b[^.;:]{0,24}$"
)
"""What turns such a word into its opposite, looked for right before it."""
CALLED = re.compile(
    r"\b(POST|PUT|PATCH|DELETE) (\S{1,200})(?:.{0,120}?[\s=:>\"])2\d\d(?![\w.]|ms| ms)"
)
"""A call that changes something at the other end and was answered with success."""
PROVIDER_ID = re.compile(
    r"(?i)\b(?:\w{2,12}[ _-])?(?:message|msg|charge|payment|receipt|idempotency|delivery)"
    r"[ _-]?(?:id|key)[\"']?\s*[=:]\s*[\"']?<?([\w.@:/+-]{6,128})"
)
"""The other side's name for what it did. The same one twice: it did it once."""
QUEUE_TABLES = (
    r"^(?:solid_queue_|good_job|oban_|que_|river_|_?graphile|delayed_job|procrastinate_|pgboss|"
    r"job$|jobs$|failed_jobs|job_(?:executions|failures|batches)|background_jobs)"
)
"""Tables in which SQL queues keep their own books."""
MAX_JOBS = 500
"""Jobs that are examined one by one, the latest; more of them failed for one reason."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing a job did. `kind`: sent (a message, or anything a line says was done), called
    (an external call answered with success), inserted, updated.

    `what` is the thing in words, `about` the entities; `attempt` counts from 1 among those in
    sight; `at` is ns UTC; `joined` says by what it belongs to the job, `verdict` how surely.
    """

    kind: str
    what: str
    about: tuple[str, ...]
    attempt: int
    at: int
    event_row: int
    joined: str
    verdict: Verdict
    provider_id: str = ""

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """Equal for the same effect made again by another attempt."""
        what = self.what.partition("/")[0] if self.kind == "inserted" else self.what
        return self.kind, what, self.about


@dataclass(frozen=True, slots=True)
class Attempts:
    """When a job began and ended, as far as the queue tells, ns UTC ascending."""

    job: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def number(self, at: int) -> int:
        """The attempt that was going on at `at`: by starts where they are told, else by ends."""
        if self.starts and len(self.starts) >= len(self.ends):
            return sum(start <= at for start in self.starts)
        return 1 + sum(end < at for end in self.ends)

    def spans(self) -> list[tuple[int, int]]:
        """(start, end) ns of every attempt of which both are told."""
        found = []
        for place, start in enumerate(self.starts):
            limit = self.starts[place + 1] if place + 1 < len(self.starts) else None
            end = next((e for e in self.ends if e >= start and (limit is None or e <= limit)), None)
            if end is not None:
                found.append((start, end))
        return found


def attempts_of(incident: Incident, jobs: Sequence[str]) -> dict[str, Attempts]:
    """The attempts of each of `jobs`."""
    wanted = pl.Series(list(jobs), dtype=pl.String)
    moves = incident.jobs.transitions.filter(pl.col("job").is_in(wanted.implode()))
    stamp = pl.col("timestamp")
    told = moves.group_by("job", maintain_order=True).agg(
        starts=stamp.filter(pl.col("kind") == Kind.JOB_STARTED.value).unique().sort(),
        ends=stamp.filter(pl.col("kind").is_in(ENDS)).unique().sort(),
    )
    found = {job: Attempts(job, tuple(s), tuple(e)) for job, s, e in told.iter_rows()}
    rest = [job for job in jobs if job not in found]
    return found | (_told_by_logs(incident, rest) if rest else {})


def _told_by_logs(incident: Incident, jobs: Sequence[str]) -> dict[str, Attempts]:
    """The same for jobs of which no queue tells anything; an end that is not told is the last
    that was heard."""
    own = incident.handled.filter(pl.col("job").is_in(list(jobs))).sort("start", "start_row")
    told = own.group_by("job", maintain_order=True).agg(
        pl.col("start").unique().sort(), pl.col("last").unique().sort()
    )
    return {job: Attempts(job, tuple(s), tuple(e)) for job, s, e in told.iter_rows()}


def effects_of(incident: Incident, attempts: Mapping[str, Attempts]) -> dict[str, list[Effect]]:
    """Everything each job did, in time order; a job that did nothing in sight has an empty list."""
    found: dict[str, dict[int, Effect]] = {job: {} for job in attempts}
    for job, effect in (*_by_id(incident, attempts), *_by_entity(incident, attempts)):
        found[job].setdefault(effect.event_row, effect)
    return {
        job: _numbered(sorted(effects.values(), key=lambda e: (e.at, e.event_row)))
        for job, effects in found.items()
    }


def _numbered(effects: list[Effect]) -> list[Effect]:
    """Attempts counted from 1: the queue may have forgotten the first start."""
    if not effects or min(effect.attempt for effect in effects) > 0:
        return effects
    return [replace(effect, attempt=effect.attempt + 1) for effect in effects]


def _by_id(incident: Incident, attempts: Mapping[str, Attempts]) -> Iterator[tuple[str, Effect]]:
    """Lines and rows that carry the job's id, or inside an attempt the id of its request."""
    under = _mild(incident, keyed_lines(incident, attempts))
    stored = under.filter(pl.col("lane") == Lane.DATABASE.value)
    lines = pl.concat([spoken_by_jobs(incident, under, attempts), stored])
    beside = _Rows(incident, lines)
    for line in lines.iter_rows(named=True):
        job = attempts[line["key"]]
        own = line["lane"] == Lane.DATABASE.value or line["actor"] in incident.workers
        sure = Verdict.CERTAIN if own else _timed(incident, line, job, Verdict.CERTAIN)
        yield from _told(line, job, beside, "job id", sure)
    yield from _by_request(incident, attempts, lines)


def spoken_by_jobs(
    incident: Incident, lines: pl.DataFrame, attempts: Mapping[str, Attempts]
) -> pl.DataFrame:
    """The log lines among `lines` (LINE_SCHEMA and the job's `key`) that a job itself wrote: by a
    worker, or while an attempt ran. Who pushed it names it too."""
    spans = pl.DataFrame(
        [(job, *span) for job, told in attempts.items() for span in told.spans()],
        schema={"key": pl.String, "begin": pl.Int64, "until": pl.Int64},
        orient="row",
    )
    logs = lines.filter(pl.col("lane") == Lane.LOG.value)
    inside = logs.join(spans, on="key").filter(
        pl.col("timestamp").is_between(pl.col("begin"), pl.col("until"))
    )
    by_worker = logs.filter(pl.col("actor").is_in(list(incident.workers)))
    both = pl.concat([by_worker, inside.select(logs.columns)])
    return both.unique(["row", "key"]).sort("timestamp", "row", "key")


def _by_request(
    incident: Incident, attempts: Mapping[str, Attempts], lines: pl.DataFrame
) -> Iterator[tuple[str, Effect]]:
    spoken = spoken_by_jobs(incident, lines, attempts)
    requests = pairs_of_type(incident.snapshot.keys_of(spoken.get_column("row")), "request")
    pairs = spoken.select("row", job="key").join(requests, on="row").select("job", request="key")
    pairs = pairs.unique().sort("job", "request")
    if pairs.is_empty():
        return
    under = keyed_lines(incident, pairs.get_column("request")).rename({"key": "request"})
    workers = pl.col("actor").is_in(spoken.get_column("actor").unique().implode())
    served = under.filter((pl.col("lane") == Lane.LOG.value) & ~workers)
    done = dict(served.group_by("request").agg(pl.col("timestamp").max()).iter_rows())
    own = under.filter(workers | (pl.col("lane") == Lane.DATABASE.value))
    told = _mild(incident, own.join(pairs, on="request").rename({"job": "key"}))
    beside = _Rows(incident, told)
    for line in told.iter_rows(named=True):
        job = attempts[line["key"]]
        if _inside(line["timestamp"], job):
            # While the request itself was still being served, the row may be the server's.
            alone = line["request"] not in done or done[line["request"]] < line["timestamp"]
            sure = Verdict.CERTAIN if alone else Verdict.LIKELY
            if line["lane"] == Lane.DATABASE.value:
                sure = _timed(incident, line, job, sure)
            yield from _told(line, job, beside, "request id", sure)


def _by_entity(
    incident: Incident, attempts: Mapping[str, Attempts]
) -> Iterator[tuple[str, Effect]]:
    """Rows and workers' lines about the job's entity, made while an attempt ran."""
    held = incident.jobs.entities.filter(pl.col("job").is_in(list(attempts)))
    held = held.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    if held.is_empty():
        return
    pairs = keyed_lines(incident, held.get_column("key").unique())
    lines = _mild(incident, pairs.join(held, on="key").drop("key").rename({"job": "key"}))
    named = pairs_of_type(incident.snapshot.keys_of(lines.get_column("row").unique()), "job")
    lines = lines.join(named.select("row"), on="row", how="anti").unique(["row", "key"])
    workers = pl.col("actor").is_in(list(incident.workers))
    lines = lines.filter(workers | (pl.col("lane") == Lane.DATABASE.value))
    beside = _Rows(incident, lines)
    shared = by_another_too(incident, pairs, held)
    for line in lines.sort("timestamp", "row").iter_rows(named=True):
        job = attempts[line["key"]]
        if _inside(line["timestamp"], job):
            either = (line["row"], line["key"]) in shared
            sure = Verdict.POSSIBLE if either else Verdict.LIKELY
            if line["lane"] == Lane.DATABASE.value:
                sure = _timed(incident, line, job, sure)
            how = "entity and time, while another job was at it" if either else "entity and time"
            yield from _told(line, job, beside, how, sure)


def _mild(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    """Rows that were written, and log lines that report no trouble."""
    row = pl.col("kind").str.starts_with("row.")
    log = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") < SEVERITY_WARN)
    hits = incident.errors.get_column("row")
    return lines.filter(row | (log & ~pl.col("row").is_in(hits.implode())))


class _Rows:
    """What stands beside lines and rows: the entities they name, the row that was written."""

    def __init__(self, incident: Incident, lines: pl.DataFrame) -> None:
        rows = lines.get_column("row").unique()
        held = entity_pairs(incident.snapshot.keys_of(rows)).unique()
        grouped = held.group_by("row").agg(pl.col("key").sort())
        self._entities = {row: tuple(keys) for row, keys in grouped.iter_rows()}
        versions = incident.records.versions
        written = versions.filter(pl.col("row").is_in(rows.implode()))
        self._written = {row: (t, pk) for row, t, pk in written["row", "table", "pk"].iter_rows()}
        self._rules = incident.key_rules

    def about(self, row: int) -> tuple[str, ...]:
        """Entities beside the row; without what it is itself, which every attempt makes anew."""
        own = self._rules.row_keys(*self._written[row]) if row in self._written else ()
        return tuple(key for key in self._entities.get(row, ()) if key not in own)

    def written(self, row: int) -> str:
        """`invoices/12`; empty for a queue's own table or what is no row."""
        table, pk = self._written.get(row, ("", ""))
        bare = table.rpartition(".")[2]
        return f"{bare}/{pk}" if bare and not re.search(QUEUE_TABLES, bare) else ""


def _inside(at: int, job: Attempts) -> bool:
    return any(start <= at <= end for start, end in job.spans())


def _timed(incident: Incident, line: dict[str, object], job: Attempts, sure: Verdict) -> Verdict:
    """`sure`, or possible where the clocks leave open whether the line fell into an attempt: who
    pushed the job wrote of it just before."""
    bound = incident.clocks.bound(str(line["clock"] or ""))
    at, slack = _ns(line["timestamp"]), bound.behind + bound.ahead
    within = any(start + slack <= at <= end - slack for start, end in job.spans())
    return sure if within else Verdict.POSSIBLE


def _told(
    line: dict[str, object], job: Attempts, beside: _Rows, joined: str, verdict: Verdict
) -> Iterator[tuple[str, Effect]]:
    """The effect that a line or a row tells, if any."""
    at, row, body = _ns(line["timestamp"]), _ns(line["row"]), str(line["body"])
    stored = line["lane"] == Lane.DATABASE.value
    if stored:
        kind = "inserted" if line["kind"] == Kind.ROW_INSERTED.value else "updated"
        what = beside.written(row)
    else:
        kind, what = _said(body)
    if not what:
        return
    match = None if stored else PROVIDER_ID.search(body)
    yield (
        job.job,
        Effect(
            kind=kind,
            what=what,
            about=beside.about(row),
            attempt=job.number(at),
            at=at,
            event_row=row,
            joined=joined,
            verdict=verdict,
            provider_id=match.group(1) if match else "",
        ),
    )


def _said(body: str) -> tuple[str, str]:
    """`("sent", "sent receipt")` or `("called", "POST /charges")` of a line; empty for neither."""
    if call := CALLED.search(body):
        return "called", f"{call.group(1)} {call.group(2)}"
    done = DONE.search(body)
    if done is None or NOT_DONE.search(body[: done.start()]):
        return "", ""
    thing = done.group(2) or ""
    return "sent", " ".join(part for part in (done.group(1).lower(), thing) if part)


def _ns(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number was expected here, not {value!r}")
    return value
