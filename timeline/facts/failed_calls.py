"""What somebody failed at for a job that its own worker reports as done.

The failure stands in another account: a callee's log, the database server's, a proxy's access log.
It belongs to the run by the job's id (a query comment names it), by the request that pushed the
job, or by the thing that both are about while the run went on. It counts as the last word only if
its teller says nothing more of that in the run. Whether the work was done in spite of it is asked
of the rows, as in `timeline.facts.polite_errors`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.handled import FAIL_WORDS
from timeline.facts.lines import LINE_SCHEMA, keyed_lines, lines_where
from timeline.facts.outcomes import ID_TYPES
from timeline.facts.polite_errors import LEAST, LEAST_OTHERS, Contrast, usual_row

if TYPE_CHECKING:
    from timeline.incident import Incident

SLACK_NS = 50_000_000
"""How far outside a run by other clocks a failure under one of its ids may stand."""
REFUSED = r'"http\.response\.status_code" ?: ?"?5'
"""The attributes of a structured access line with a status of 500 and more."""
REFUSED_LINE = r'HTTP/[0-9.]+" 5[0-9]{2}\b|\bstatus(?:_code)?["\']?[=:] ?"?5[0-9]{2}\b'
"""The same of a plain access line."""
PATH = "$['url.original']"
PATH_LINE = r"\b(?:GET|POST|PUT|PATCH|DELETE) (?:https?://[^/\s]+)?(/[^\s?\"']+)"
MOST_FAILURES = 5_000
"""The earliest; more of them are one story, and no hidden one."""
MOST_LOUD = 5_000
"""Warnings and errors with a key, the earliest, whose words are looked at."""
LEAST_CALLS = 2
"""Runs in which one teller failed and no worker noticed; a single one may be a coincidence."""
RUN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job": pl.String,
    "caller": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "start_row": pl.UInt32,
    "end_row": pl.UInt32,
}


@dataclass(frozen=True, slots=True)
class FailedCall:
    """One run of `job` that ended well at `said_at` and in which `callee` had failed at `failed_at`
    (ns UTC). `joined` is `job`, `request` or `thing`; `grave` whether the line is an error or a
    refusal rather than a warning."""

    job: str
    caller: str
    callee: str
    things: tuple[str, ...]
    joined: str
    grave: bool
    failed_at: int
    said_at: int
    start_row: int
    error_row: int
    said_row: int
    sources: tuple[str, ...]
    """Of the lines that others wrote about the job while it ran: where a word would stand."""


def failed_calls(incident: Incident, known: Iterable[int]) -> list[FailedCall]:
    """Every such run, by time, without the failures in the event rows `known`."""
    runs = incident.shared(finished_runs)
    if runs.is_empty():
        return []
    failures = _failures(incident, frozenset(known))
    failures = failures.filter(~pl.col("actor").is_in(sorted(_workers(incident))))
    if failures.is_empty():
        return []
    pairs = _joined(incident, failures.head(MOST_FAILURES), runs)
    return _last_words(incident, pairs) if pairs.height else []


def finished_runs(incident: Incident) -> pl.DataFrame:
    """RUN_SCHEMA of runs that ended well, by the queue, else by the worker's own lines."""
    queue = incident.jobs.runs.filter(pl.col("outcome") == "finished").drop_nulls("end_row")
    told = queue.with_columns(caller=pl.coalesce("job_class", "worker").fill_null(""))
    handled = incident.handled.filter(
        (pl.col("outcome") == "finished") & ~pl.col("job").is_in(told.get_column("job").implode())
    ).rename({"actor": "caller"})
    shaped = [pl.col(name).cast(dtype) for name, dtype in RUN_SCHEMA.items()]
    return pl.concat([told.select(shaped), handled.select(shaped)])


def _workers(incident: Incident) -> frozenset[str]:
    """Who brought any job to its end. A server that names the job of a statement that it refused
    never does."""
    ended = incident.handled.filter(pl.col("outcome") == "finished").get_column("actor")
    return frozenset(str(name) for name in ended.unique())


def _failures(incident: Incident, known: frozenset[int]) -> pl.DataFrame:
    """LINE_SCHEMA, `path` and `grave` of errors, warnings that tell of a failure, and refusals."""
    window = incident.window
    inside = (pl.col("lane") == Lane.LOG.value) & pl.col("timestamp").is_between(
        window.start, window.end, "left"
    )
    loud = incident.snapshot.events.select(
        (inside & (pl.col("severity_number") >= SEVERITY_WARN)).arg_true().cast(pl.UInt32)
    ).to_series()
    keyed = incident.snapshot.keys_of(loud).get_column("row").unique().sort().head(MOST_LOUD)
    severe = lines_where(incident, pl.col("row").is_in(keyed.implode()))
    spoken = incident.spoken.filter(pl.col("body").str.contains(REFUSED_LINE)).get_column("row")
    mild = lines_where(incident, inside & pl.col("row").is_in(spoken.implode()))
    severe = severe.filter(
        (pl.col("severity_number") >= SEVERITY_ERROR) | pl.col("body").str.contains(FAIL_WORDS)
    )
    severe = pl.concat([severe, mild]).with_columns(
        path=pl.col("body").str.extract(PATH_LINE, 1),
        grave=(pl.col("severity_number") >= SEVERITY_ERROR)
        | pl.col("body").str.contains(REFUSED_LINE),
    )
    structured = incident.snapshot.events.select(
        (inside & pl.col("attributes").is_not_null()).arg_true().cast(pl.UInt32)
    ).to_series()
    attributes = incident.snapshot.events.get_column("attributes").gather(structured)
    refused = pl.DataFrame({"row": structured, "attributes": attributes}).filter(
        pl.col("attributes").str.contains(REFUSED)
    )
    told = lines_where(incident, pl.col("row").is_in(refused.get_column("row").implode()))
    told = told.join(refused, on="row", maintain_order="left").with_columns(
        path=pl.col("attributes").str.json_path_match(PATH), grave=pl.lit(value=True)
    )
    both = pl.concat([told.drop("attributes"), severe.select([*LINE_SCHEMA, "path", "grave"])])
    both = both.unique("row", keep="first", maintain_order=True)
    return both.filter(~pl.col("row").is_in(list(known))).sort("timestamp", "row")


def _joined(incident: Incident, failures: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Failures with the run in which they fell: `key` is what joins them, `joined` its kind."""
    keys = incident.snapshot.keys_of(failures.get_column("row"))
    keys = keys.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))
    by_job = pairs_of_type(keys, "job").with_columns(job="key", joined=pl.lit("job"))
    requests = pl.concat([pairs_of_type(keys, kind) for kind in ID_TYPES])
    pushed = _pushed_under(incident, requests.get_column("key").unique())
    by_request = requests.join(pushed, on="key").with_columns(joined=pl.lit("request"))
    named = pl.concat([by_job.select("row"), by_request.select("row")])
    things = entity_pairs(keys).join(named, on="row", how="anti")
    by_thing = things.join(incident.jobs.entities, on="key").with_columns(joined=pl.lit("thing"))
    order = ("row", "key", "job", "joined")
    pairs = pl.concat([part.select(order) for part in (by_job, by_request, by_thing)])
    told = pairs.unique(["row", "job"], keep="first", maintain_order=True)
    told = told.join(runs, on="job").join(failures, on="row")
    slack = pl.when(pl.col("joined") == "thing").then(0).otherwise(SLACK_NS)
    during = pl.col("timestamp").is_between(pl.col("start") - slack, pl.col("end") + slack)
    return told.filter(during).sort("timestamp", "row", "job")


def _pushed_under(incident: Incident, requests: pl.Series) -> pl.DataFrame:
    """(key, job): jobs that a line under one of the `requests` names, whatever it calls it: one
    logs as `request_id` what another calls a trace's id."""
    snapshot = incident.snapshot
    kinds = pl.DataFrame({"kind": list(ID_TYPES)})
    value = pl.col("key").str.replace(r"^[^:]*:", "")
    names = requests.to_frame("key").join(kinds, how="cross", maintain_order="left_right")
    names = names.select("key", name=pl.concat_str("kind", value, separator=":"))
    lines = snapshot.keys.rename({"key": "name"}).join(names, on="name")
    jobs = pairs_of_type(snapshot.keys_of(lines.get_column("row").unique()), "job")
    return lines.join(jobs.rename({"key": "job"}), on="row").select("key", "job").unique()


def _names(key: str) -> list[str]:
    """All names of what `key` names: one logs as `request_id` what another calls a trace's id."""
    kind, _, value = key.partition(":")
    return [f"{one}:{value}" for one in ID_TYPES] if kind in ID_TYPES else [key]


def _last_words(incident: Incident, pairs: pl.DataFrame) -> list[FailedCall]:
    """Those of `pairs` after which their teller was silent, and whose worker noticed nothing."""
    keys = {name for key in pairs["key"].unique() for name in _names(key)}
    lines = keyed_lines(incident, {*keys, *pairs["job"].to_list()})
    lines = lines.filter(pl.col("lane") == Lane.LOG.value)
    about: dict[str, list[dict[str, object]]] = {}
    for line in lines.iter_rows(named=True):
        about.setdefault(line["key"], []).append(line)
    things: dict[str, list[str]] = {}
    wanted = pairs.get_column("job").unique()
    named = incident.jobs.entities.filter(pl.col("job").is_in(wanted.implode())).sort("key")
    for job, key in named.select("job", "key").iter_rows():
        things.setdefault(job, []).append(key)
    found: dict[tuple[str, str], FailedCall] = {}
    for one in pairs.iter_rows(named=True):
        names = (*_names(one["key"]), one["job"])
        said = [line for name in names for line in about.get(name, ())]
        if not _unnoticed(one, said):
            continue
        found[one["job"], one["actor"]] = FailedCall(
            one["job"],
            one["caller"],
            one["actor"],
            tuple(things.get(one["job"], ())),
            one["joined"],
            one["grave"],
            one["timestamp"],
            one["end"],
            one["start_row"],
            one["row"],
            one["end_row"],
            _sources(one, said),
        )
    return list(found.values())


def _unnoticed(one: dict[str, object], said: list[dict[str, object]]) -> bool:
    """Whether nobody at work said a word of trouble, and the teller none of going on."""
    start, end = _at(one["start"]) - SLACK_NS, _at(one["end"]) + SLACK_NS
    for line in said:
        stamp, mine = _at(line["timestamp"]), line["actor"] == one["actor"]
        if mine and line["row"] != one["row"] and _at(one["timestamp"]) < stamp <= end:
            return False
        if not mine and start <= stamp <= end and _at(line["severity_number"]) >= SEVERITY_WARN:
            return False
        if not mine and one["path"] and str(one["path"]) in str(line["body"]):
            return False  # it is the request itself that was refused, at the edge
    return True


def _sources(one: dict[str, object], said: list[dict[str, object]]) -> tuple[str, ...]:
    start, end = _at(one["start"]) - SLACK_NS, _at(one["end"]) + SLACK_NS
    during = (line for line in said if start <= _at(line["timestamp"]) <= end)
    others = (line for line in during if line["actor"] != one["actor"])
    return tuple(sorted({str(line["source"]) for line in others}))


def _at(value: object) -> int:
    return value if isinstance(value, int) else 0


def contrast_of(incident: Incident, calls: Iterable[FailedCall]) -> Contrast | None:
    """What the things of other jobs that ended well have, and whether those of `calls` have it."""
    mine = list(calls)
    hit = {call.job for call in mine}
    failed = {key for call in mine for key in call.things}
    if len(failed) < LEAST:
        return None
    kinds = {key.partition(":")[0] for key in failed}
    jobs = incident.jobs.summary.select("job", "job_class")
    classes = jobs.filter(pl.col("job").is_in(sorted(hit))).get_column("job_class").unique()
    ended = incident.shared(finished_runs).get_column("job").unique()
    same = jobs.filter(
        pl.col("job_class").is_in(classes.implode(), nulls_equal=True)
        & pl.col("job").is_in(ended.implode())
        & ~pl.col("job").is_in(sorted(hit))
    )
    held = incident.jobs.entities.join(same.select("job"), on="job", how="semi")
    broad = incident.snapshot.broad_keys
    others = {
        key
        for key in held.get_column("key").unique()
        if key.partition(":")[0] in kinds and key not in broad
    } - failed
    return usual_row(incident, failed, others) if len(others) >= LEAST_OTHERS else None
