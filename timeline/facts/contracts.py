"""Promises about rows ("a pending user has a mail job within 60 s") and the rows that broke them.

A promise is configured (`Knowledge.contracts`). What is looked for is any trace of the work that
was promised: a job, a row that refers to this one, a line. Work that was begun and failed is told
apart from work nobody has seen. A row whose promise is not due yet is never counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.coverage import Sight
from timeline.event import Kind, Lane
from timeline.facts.lines import keyed_lines
from timeline.facts.sight import absence, heard, read_until
from timeline.facts.work import jobs_of
from timeline.order import Verdict, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.knowledge import Contract, Work

ENDED_BADLY = (Kind.JOB_FAILED.value, Kind.JOB_DEAD.value)
"""Last words of a job that nobody will try again by itself. A retry is still to come."""

OWED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "record": pl.String,
    "key": pl.String,
    "source": pl.String,
    "created": pl.Int64,
    "any_row": pl.UInt32,
    "seen": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Owed:
    """A row that was owed something. `created` ns UTC; `age` ns, up to when the row was read.

    `jobs` are the jobs that were to give it and failed; empty when no trace was found.
    """

    key: str
    record: str
    created: int
    age: int
    event_row: int
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """The rows of one promise: `kept` so many, and those `owed`, oldest first.

    `verdict` and `reasons` grade the claim that nothing was done for them; `until` (ns) is how far
    that was looked for. `due_times` are the creation stamps of every row that was due, ascending.
    """

    owed: tuple[Owed, ...]
    kept: int
    verdict: Verdict
    reasons: tuple[str, ...]
    until: int
    due_times: pl.Series

    @property
    def telling(self) -> bool:
        """Whether the absence says anything: where a source forgets, the rows that show the work
        must outnumber those that do not. A queue that forgets all successes shows none."""
        unseen = sum(not one.jobs for one in self.owed)
        return self.verdict is not Verdict.POSSIBLE or self.kept > unseen


def unreadable(incident: Incident, contract: Contract) -> str:
    """Why the promise cannot be judged, in words; empty when it can."""
    if not heard(incident, Lane.DATABASE):
        return f"the rows of {contract.table} (a database)"
    rows = _of_table(incident, contract.table)
    if (
        contract.column
        and rows.height
        and _state(rows, contract.column).null_count() == rows.height
    ):
        return f"the column {contract.column} of {contract.table} (name it in columns)"
    needs = contract.needs
    lanes = _lanes(needs)
    if not any(heard(incident, lane) for lane in lanes):
        places = " or ".join(lane.value for lane in lanes)
        return f"a {places} source that would show a {needs.words()}"
    return ""


def broken_promise(incident: Incident, contract: Contract) -> Broken | None:
    """The rows that `contract` was broken for, or None when no row was due."""
    until = read_until(incident)
    rows = _of_table(incident, contract.table)
    rows = rows.filter(pl.col("created").is_between(incident.window.start, until - contract.within))
    if contract.column:
        rows = rows.filter(_state(rows, contract.column) == contract.value)
    if rows.is_empty():
        return None
    due = (
        rows.join(incident.records.owners, on="record").select(*OWED_SCHEMA).sort("created", "key")
    )
    keys = due.get_column("key").to_list()
    done, failed = _witnessed(incident, contract.needs, keys)
    lacking = due.filter(~pl.col("key").is_in(list(done)))
    unseen = lacking.filter(~pl.col("key").is_in(list(failed)))
    owed = tuple(
        Owed(key, record, created, (seen or until) - created, row, tuple(failed.get(key, ())))
        for record, key, _, created, row, seen in lacking.iter_rows()
    )
    grade = _absence(incident, contract.needs, unseen, until)
    return Broken(owed, due.height - len(owed), *grade, until, due.get_column("created"))


def _of_table(incident: Incident, table: str) -> pl.DataFrame:
    """Rows of `table` (bare or with its schema) that were created in sight and not deleted."""
    bare = table.rpartition(".")[2]
    name = pl.col("table")
    same = name == table if "." in table else name.str.replace(r"^.*\.", "") == bare
    held = incident.records.summary.filter(same | (name == bare))
    return held.filter(pl.col("created").is_not_null() & pl.col("deleted").is_null())


def _state(rows: pl.DataFrame, column: str) -> pl.Series:
    """The present value of `column` as text; null where it was not read."""
    return rows.get_column("columns").str.json_path_match(f"$['{column}']")


def _lanes(needs: Work) -> tuple[Lane, ...]:
    """Where the promised work would show."""
    told = (
        (needs.job_class or needs.queue, Lane.QUEUE),
        (needs.table, Lane.DATABASE),
        (needs.log, Lane.LOG),
    )
    return tuple(lane for part, lane in told if part)


def _witnessed(
    incident: Incident, needs: Work, keys: list[str]
) -> tuple[set[str], dict[str, list[str]]]:
    """Keys that show a trace of the work, and for the others the jobs that failed at it."""
    done: set[str] = set()
    failed: dict[str, list[str]] = {}
    if needs.job_class or needs.queue:
        for key, job, last in _jobs_for(incident, needs, keys).iter_rows():
            if last in ENDED_BADLY:
                failed.setdefault(key, []).append(job)
            else:
                done.add(key)
        done |= _with_forgotten_job(incident, keys)
    if needs.table:
        done |= _with_row_in(incident, needs.table, keys)
    if needs.log:
        lines = keyed_lines(incident, keys).filter(pl.col("lane") == Lane.LOG.value)
        told = lines.filter(pl.col("body").str.contains(needs.log, literal=True))
        done |= set(told.get_column("key").to_list())
    return done, {key: jobs for key, jobs in failed.items() if key not in done}


def _jobs_for(incident: Incident, needs: Work, keys: list[str]) -> pl.DataFrame:
    """(key, job, last kind) of the fitting jobs about `keys`."""
    jobs = incident.jobs
    wanted = pl.Series(keys, dtype=pl.String)
    held = jobs.entities.filter(pl.col("key").is_in(wanted.implode()))
    fitting = held.join(jobs_of(incident, needs).select("job"), on="job", how="semi")
    last = jobs.transitions.group_by("job", maintain_order=True).agg(pl.col("kind").last())
    return fitting.join(last, on="job").sort("key", "job").select("key", "job", "kind")


def _with_forgotten_job(incident: Incident, keys: list[str]) -> set[str]:
    """Keys about which a log tells of a job that the queue no longer holds; of which class is not
    known, so it is taken for the promised one."""
    jobs = incident.jobs
    wanted = pl.Series(keys, dtype=pl.String)
    held = jobs.entities.filter(pl.col("key").is_in(wanted.implode()))
    gone = held.join(jobs.summary.select("job"), on="job", how="anti")
    return set(gone.get_column("key").to_list())


def _with_row_in(incident: Incident, table: str, keys: list[str]) -> set[str]:
    records = incident.records
    bare = table.rpartition(".")[2]
    wanted = pl.Series(keys, dtype=pl.String)
    held = records.references.filter(pl.col("key").is_in(wanted.implode()))
    rows = held.join(records.summary.select("record", "table"), on="record")
    mine = rows.filter(pl.col("table").str.replace(r"^.*\.", "") == bare)
    return set(mine.get_column("key").to_list())


def _absence(
    incident: Incident, needs: Work, unseen: pl.DataFrame, until: int
) -> tuple[Verdict, tuple[str, ...]]:
    """How sure it is that nothing was done for any of `unseen`."""
    if unseen.is_empty():
        return Verdict.CERTAIN, ()
    since = int(unseen.get_column("created")[0])
    grades = [
        unseen_rows(incident, heard(incident, lane), since, until)
        if lane is Lane.DATABASE
        else absence(incident, heard(incident, lane), since, until)
        for lane in _lanes(needs)
    ]
    reasons = tuple(dict.fromkeys(reason for _, told in grades for reason in told))
    return weakest(verdict for verdict, _ in grades), reasons


def unseen_rows(
    incident: Incident, names: Sequence[str], since: int, until: int
) -> tuple[Verdict, tuple[str, ...]]:
    """How sure "no such row is there" is, said of the databases `names` as they were read.

    A database shows rows as they are now. That no row is there now is then seen; that none was
    there and deleted since is not, so it is likely at most.
    """
    limits = incident.snapshot.coverage.limits(names, since, max(until, since + 1))
    hard = [limit for limit in limits if limit.sight is not Sight.NOW_ONLY]
    if hard:
        return Verdict.POSSIBLE, tuple(dict.fromkeys(limit.sentence() for limit in hard))
    if limits:
        return Verdict.LIKELY, tuple(dict.fromkeys(limit.sentence() for limit in limits))
    return Verdict.CERTAIN, ()
