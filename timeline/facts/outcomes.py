"""Two services that disagree about one piece of work: the callee failed, the caller says success.

Joined by the request or trace id that both logged, or, weaker, by an entity that the callee failed
for while the caller worked on it. Only a callee's last word counts: an error after which it went on
was handled. A caller that says anything at WARN or above has not swallowed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane
from timeline.facts.entities import entity_pairs, job_pairs, pairs_of_type
from timeline.facts.errors import TIMEOUT_CLASSES
from timeline.facts.lines import keyed_lines, lines_where
from timeline.facts.outcome_words import FAILED, SUCCEEDED
from timeline.facts.pushes import WAITING
from timeline.facts.repeated_answers import answers_alike
from timeline.facts.sight import absence
from timeline.order import Order, Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

ID_TYPES = ("request", "trace", "correlation")  # what services call the id of a piece of work
MAX_KEYS = 5_000  # requests, and entities, with an error that are looked at, the earliest
MAX_CASES = 300  # those that are examined one by one; more of them are one story


@dataclass(frozen=True, slots=True)
class Swallowed:
    """One piece of work that `callee` failed at (`failed_at`) and `caller` called a success
    (`said_at`, ns UTC). `key` names it; `joined` is `id` or `entity and time`; the rows are those
    of the caller's first line (or None), the error, and the success."""

    key: str
    entities: tuple[str, ...]
    caller: str
    callee: str
    failed_at: int
    said_at: int
    called_row: int | None
    error_row: int
    said_row: int
    joined: str
    verdict: Verdict
    because: str


class _Party(NamedTuple):
    """What one actor logged of one piece of work, in time order."""

    actor: str
    lines: list[dict[str, Any]]

    @property
    def first(self) -> dict[str, Any]:
        return self.lines[0]

    @property
    def length(self) -> int:
        """From its first line to its last, ns: one clock, so no bound is in it."""
        return int(self.lines[-1]["timestamp"] - self.lines[0]["timestamp"])

    def loud(self, hits: frozenset[int]) -> bool:
        """Whether it reported any trouble of its own."""
        return any(
            line["severity_number"] >= SEVERITY_WARN or line["row"] in hits for line in self.lines
        )

    def last_error(self) -> dict[str, Any] | None:
        """Its last word, if that is an error: nothing milder follows but the failing status."""
        error = None
        for line in self.lines:
            if line["severity_number"] >= SEVERITY_ERROR:
                error = line
            elif error is not None and not FAILED.search(line["body"]):
                error = None
        return error

    def success(self) -> dict[str, Any] | None:
        told = (line for line in reversed(self.lines) if succeeded(line["body"]))
        return next(told, None)


def succeeded(body: str) -> bool:
    """Whether a line says that the work was done well."""
    return SUCCEEDED.search(body) is not None and FAILED.search(body) is None


def errors_told(incident: Incident) -> pl.DataFrame:
    """LINE_SCHEMA of log lines at ERROR or above inside the window."""
    window = incident.window
    return lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("severity_number") >= SEVERITY_ERROR)
        & pl.col("timestamp").is_between(window.start, window.end, "left"),
    )


def failed_work(incident: Incident, errors: pl.DataFrame) -> pl.DataFrame:
    """LINE_SCHEMA and `key` of all log lines of the pieces of work in which an error was told."""
    keys = incident.snapshot.keys_of(errors.get_column("row"))
    named = work_ids(keys)
    ids = named.sort("row").get_column("key").unique(maintain_order=True).head(MAX_KEYS)
    ids = ids.filter(~ids.is_in(list(incident.snapshot.broad_keys)))
    return under_one_name(incident, ids).filter(pl.col("lane") == Lane.LOG.value)


def swallowed_by_id(incident: Incident, held: pl.DataFrame) -> list[Swallowed]:
    """Pieces of work that two services logged under one id, of those that `failed_work` tells."""
    if held.is_empty():
        return []
    shared = _with_a_quiet_caller(held)
    beside = things_of(incident, shared.get_column("row"))
    entities: dict[int, list[str]] = {}
    for row, key in beside.iter_rows():
        entities.setdefault(row, []).append(key)
    works: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for line in shared.sort("timestamp", "row").iter_rows(named=True):
        works.setdefault(line["key"], {}).setdefault(line["actor"], []).append(line)
    hits = frozenset(incident.errors.get_column("row").to_list())
    found: dict[int, Swallowed] = {}
    for key, spoken in list(works.items())[:MAX_CASES]:
        parties = [_Party(actor, lines) for actor, lines in spoken.items()]
        one = _disagreement(incident, key, parties, hits)
        if one is not None:  # a line may carry a request and a trace id
            theirs, callers = (
                {k for line in spoken[actor] for k in entities.get(line["row"], ())}
                for actor in (one.callee, one.caller)
            )
            named_too = replace(one, entities=tuple(sorted(theirs or callers)))
            found.setdefault(one.error_row, named_too)
    return list(found.values())


def work_ids(keys: pl.DataFrame) -> pl.DataFrame:
    """The (row, key) pairs whose key names one piece of work that is handed on."""
    return pl.concat([pairs_of_type(keys, kind) for kind in ID_TYPES])


def things_of(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    """The (row, key) pairs of `rows` whose key names a thing, and no piece of work."""
    pairs = entity_pairs(incident.snapshot.keys_of(rows.unique()))
    return pairs.filter(~pl.col("key").str.starts_with("correlation:"))


def under_one_name(incident: Incident, ids: pl.Series) -> pl.DataFrame:
    """The lines that carry any of `ids`, whatever the service calls it: one logs as `request_id`
    what it hands on, and the next one logs the same value as `trace_id` or `correlation_id`."""
    value = pl.col("key").str.replace(r"^[a-z]+:", "")
    values = ids.to_frame("key").select(value).get_column("key").to_list()
    either = [f"{kind}:{one}" for one in values for kind in ID_TYPES]
    held = keyed_lines(incident, either)
    one_name = held.with_columns(key=pl.col("key").min().over(value))
    return one_name.unique(["row", "key"], keep="first", maintain_order=True)


def _with_a_quiet_caller(held: pl.DataFrame) -> pl.DataFrame:
    """The lines of works in which somebody who began before the first failing one stayed quiet, or
    the only other one said a single line."""
    per = held.group_by("key", "actor").agg(
        begun=pl.col("timestamp").min(), worst=pl.col("severity_number").max(), lines=pl.len()
    )
    per = per.with_columns(actors=pl.len().over("key"))
    failing = per.filter(pl.col("worst") >= SEVERITY_ERROR)
    failing = failing.group_by("key").agg(failing=pl.col("begun").max())
    quiet = per.filter(pl.col("worst") < SEVERITY_WARN).join(failing, on="key")
    closing = (pl.col("lines") == 1) & (pl.col("actors") == 2)
    works = quiet.filter((pl.col("begun") <= pl.col("failing")) | closing)
    return held.join(works.select("key").unique(), on="key", how="semi")


def _disagreement(
    incident: Incident, key: str, parties: list[_Party], hits: frozenset[int]
) -> Swallowed | None:
    """The first callee that ended badly and its nearest caller, if that one says success.

    `parties` stand in the order in which they began.
    """
    for place, callee in enumerate(parties):
        error = callee.last_error()
        if error is None:
            continue
        callers = parties[:place]
        other = parties[1 - place] if len(parties) == 2 else None
        if other is not None and (not callers or _only_closes(other, error)):
            return _closed(key, other, callee, error, hits)
        if not callers or callers[-1].loud(hits):
            return None  # the nearest caller noticed; whatever it made of it
        return _judged(incident, key, callers[-1], callee, error)
    return None


def _only_closes(party: _Party, error: dict[str, Any]) -> bool:
    """Whether all it says is one line, not before the error: of one instant either may come first
    in the rows."""
    return len(party.lines) == 1 and party.first["timestamp"] >= error["timestamp"]


def _judged(
    incident: Incident, key: str, caller: _Party, callee: _Party, error: dict[str, Any]
) -> Swallowed | None:
    said = caller.success()
    if said is None or caller.first["row"] == said["row"]:
        return None
    if answers_alike(said, caller.lines, error["timestamp"]):
        return None  # it answers whoever asks again: it is the one that is called
    rows = [caller.first["row"], callee.first["row"], error["row"], said["row"]]
    called, begun, failed, told = incident.snapshot.events_at(rows)
    answered = before(failed, told, incident.clocks)
    orders = [
        (
            "who called whom",
            _called(incident, before(called, begun, incident.clocks), caller, callee),
        ),
        ("whether the caller answered after the error", answered),
    ]
    silent = absence(incident, [caller.first["source"]], called.timestamp, told.timestamp + 1)
    verdict, because = _weakest_of(orders, silent.reasons)
    if verdict is None:
        return None
    return Swallowed(
        key=key,
        entities=(),
        caller=caller.actor,
        callee=callee.actor,
        failed_at=error["timestamp"],
        said_at=said["timestamp"],
        called_row=caller.first["row"],
        error_row=error["row"],
        said_row=said["row"],
        joined="id",
        verdict=verdict,
        because=because or f"both logged {key}, and the caller said nothing at WARN or above",
    )


def _closed(
    key: str,
    caller: _Party,
    callee: _Party,
    error: dict[str, Any],
    hits: frozenset[int],
) -> Swallowed | None:
    """The same for a caller that logs a request once, at its end: who called is told by that alone,
    so it is possible at most."""
    said = caller.success()
    if said is None or len(caller.lines) > 1 or caller.loud(hits):
        return None
    if said["timestamp"] < error["timestamp"]:  # an equal stamp is the next thing that happened
        return None  # no bound of a clock makes more than possible of this
    return Swallowed(
        key=key,
        entities=(),
        caller=caller.actor,
        callee=callee.actor,
        failed_at=error["timestamp"],
        said_at=said["timestamp"],
        called_row=None,
        error_row=error["row"],
        said_row=said["row"],
        joined="id",
        verdict=Verdict.POSSIBLE,
        because=f"that {caller.actor} called {callee.actor} is read from the order of their lines",
    )


def _called(incident: Incident, order: Order, caller: _Party, callee: _Party) -> Order:
    """The order of a call, by who began first. Where the clocks cannot tell, the lengths can: of
    two that share an id the one that took longer, and whose stamps enclose the other's, called.

    Not where the one that failed gave up waiting: whom it called took longer, too, and of one that
    says nothing else nobody tells when it began."""
    gave_up = _gave_up(incident, callee)
    if gave_up and order.verdict is not None and callee.first["severity_number"] >= SEVERITY_ERROR:
        return Order(Verdict.POSSIBLE, f"{callee.actor} only says that it gave up waiting")
    outlived = caller.lines[-1]["timestamp"] > callee.lines[-1]["timestamp"]
    longer = caller.length > callee.length and outlived
    if order.verdict is Verdict.POSSIBLE and longer and not gave_up:
        return Order(Verdict.LIKELY, "it began first by its stamps and took longer")
    return order


def _gave_up(incident: Incident, party: _Party) -> bool:
    """Whether any of its errors says that an answer did not come in time."""
    errors = [line for line in party.lines if line["severity_number"] >= SEVERITY_ERROR]
    if any(re.search(WAITING, line["body"]) for line in errors):
        return True
    hits = incident.errors.filter(pl.col("row").is_in([line["row"] for line in errors]))
    return bool(hits.get_column("error_class").is_in(TIMEOUT_CLASSES).any())


def _weakest_of(
    orders: list[tuple[str, Order]], limits: tuple[str, ...]
) -> tuple[Verdict | None, str]:
    """The grade of a chain of orders and one silence; None when the clocks contradict it."""
    verdicts = [order.verdict for _, order in orders]
    known = [verdict for verdict in verdicts if verdict is not None]
    if len(known) < len(verdicts):
        return None, ""
    if limits:
        return Verdict.POSSIBLE, f"the caller's own log is not complete: {limits[0]}"
    grade = weakest(known)
    weak = next(f"{what}: {order.because}" for what, order in orders if order.verdict is grade)
    return grade, "" if grade is Verdict.CERTAIN else weak


def swallowed_by_jobs(incident: Incident, errors: pl.DataFrame) -> Iterator[Swallowed]:
    """Jobs that finished although another service failed for their entity while they ran."""
    runs = incident.jobs.runs.filter(pl.col("outcome") == "finished").drop_nulls("end_row")
    if runs.is_empty():
        return
    strangers = errors.filter(~pl.col("actor").is_in(_job_speakers(incident)))
    if strangers.is_empty():
        return
    keys = incident.snapshot.keys_of(strangers.get_column("row"))
    with_id = pl.concat([pairs_of_type(keys, name) for name in ("request", "trace", "job")])
    pairs = entity_pairs(keys).filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    pairs = pairs.join(with_id.select("row"), on="row", how="anti").head(MAX_KEYS)
    if pairs.is_empty():  # every error names its job or request, or no thing
        return
    held = pairs.join(incident.jobs.entities, on="key").join(runs, on="job")
    told = held.join(strangers.select("row", "timestamp", "actor", "source"), on="row").filter(
        pl.col("timestamp").is_between("start", "end")
    )
    if told.is_empty():
        return
    lines = keyed_lines(incident, {*told["key"].to_list(), *told["job"].to_list()})
    hits = frozenset(incident.errors.get_column("row").to_list())
    ordered = told.sort("timestamp", "row", "job")
    latest = ordered.unique(["job", "key"], keep="last", maintain_order=True)
    for one in latest.head(MAX_CASES).iter_rows(named=True):
        found = _by_job(incident, one, lines, hits)
        if found is not None:
            yield found


def _job_speakers(incident: Incident) -> list[str]:
    """Log actors that write under job ids: what they say of a job's entity is the job's own."""
    rows = incident.shared(job_pairs).get_column("row")
    lane, actor = (incident.snapshot.events.get_column(n).gather(rows) for n in ("lane", "actor"))
    return [str(name) for name in actor.filter(lane == Lane.LOG.value).unique() if name]


def _by_job(
    incident: Incident, one: dict[str, Any], lines: pl.DataFrame, hits: frozenset[int]
) -> Swallowed | None:
    about = (
        lines.filter(pl.col("key").is_in([one["key"], one["job"]]))
        .unique("row")
        .sort("timestamp", "row")
    )
    logs = about.filter(pl.col("lane") == Lane.LOG.value)
    callee = _Party(one["actor"], logs.filter(pl.col("actor") == one["actor"]).to_dicts())
    error = callee.last_error()
    if error is None or error["row"] != one["row"]:
        return None  # it went on, or failed again outside this run
    during = logs.filter(
        (pl.col("actor") != one["actor"]) & pl.col("timestamp").is_between(one["start"], one["end"])
    )
    worker = _Party(one["worker"] or one["job_class"] or "", during.to_dicts())
    if worker.loud(hits):
        return None
    start, failed, end = incident.snapshot.events_at([one["start_row"], one["row"], one["end_row"]])
    orders = [
        ("whether the error came after the start", before(start, failed, incident.clocks)),
        ("whether the job finished after the error", before(failed, end, incident.clocks)),
    ]
    sources = tuple(sorted({line["source"] for line in worker.lines}))
    silent = absence(incident, sources, one["start"], one["end"])
    verdict, because = _weakest_of(orders, silent.reasons)
    if verdict is None:
        return None
    inferred = f"that the job caused the error is read from {one['key']} and the time"
    return Swallowed(
        key=one["job"],
        entities=(one["key"],),
        caller=one["job_class"] or worker.actor,
        callee=one["actor"],
        failed_at=one["timestamp"],
        said_at=one["end"],
        called_row=one["start_row"],
        error_row=one["row"],
        said_row=one["end_row"],
        joined="entity and time",
        verdict=weakest((verdict, Verdict.LIKELY)),
        because=because or inferred,
    )
