"""Errors by which programs and databases notice that somebody else was at the same thing.

Two kinds. A *collision* is the word of a guard that compares versions or takes turns, and proves a
concurrent writer. A *symptom* (a broken state machine, a duplicate) may have other reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.lines import keyed_lines

if TYPE_CHECKING:
    from timeline.incident import Incident

COLLISION = (
    r"(?i)StaleObject|stale object|StaleDataError|StaleModelError|Optimistic ?Lock|"
    r"DbUpdateConcurrency|RecordModifiedError|ConcurrentModification|WriteConflict|"
    r"could not serialize access|version[ _]conflict|ConcurrentUpdate|"
    r"(?:modified|updated|changed) by another (?:transaction|user|process|session)"
)
"""Rails, Hibernate and JPA, SQLAlchemy, Yii, Entity Framework, MongoDB, PostgreSQL (40001)."""
SYMPTOM = (
    r"(?i)InvalidTransition|(?:invalid|illegal) (?:state |status )?transition|TransitionNotAllowed|"
    r"cannot (?:be )?(?:transition|transitioned|moved?|changed?|go) from|"
    r"UniqueViolation|RecordNotUnique|duplicate key value|Duplicate entry|UNIQUE constraint failed"
)
"""AASM, django-fsm, state_machines; and the unique constraints of all databases."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One such error. `job` is the job key it belongs to, or empty; `proves` whether it is a
    collision; `at` is ns UTC."""

    row: int
    at: int
    job: str
    proves: bool
    words: str


def troubles_in(incident: Incident, pairs: pl.DataFrame) -> Mapping[int, Trouble]:
    """The first error of either kind in each of `pairs` (`timeline.facts.overlaps`): of one of the
    two jobs, or a line about the thing that belongs to no other job."""
    jobs = pl.concat([pairs.get_column("one"), pairs.get_column("two")]).unique()
    told = pl.concat([_stored(incident, jobs), _spoken(incident, jobs), _about(incident, pairs)])
    wording = pl.col("words").str
    told = told.filter(wording.contains(f"{COLLISION}|{SYMPTOM}"))
    told = told.with_columns(proves=pl.col("words").str.contains(COLLISION))
    spans = pairs.select(
        "pair", "key", "one", "two", "start_two", until=pl.max_horizontal("end_one", "end_two")
    )
    ours = pl.concat(
        [
            spans.with_columns(name=pl.col("one")),
            spans.with_columns(name=pl.col("two")),
            spans.with_columns(name=pl.col("key")),
        ]
    )
    inside = ours.join(told, on="name").filter(
        pl.col("at").is_between(pl.col("start_two"), pl.col("until"))
    )
    first = inside.sort(~pl.col("proves"), "at", "row").unique(
        "pair", keep="first", maintain_order=True
    )
    return {
        one["pair"]: Trouble(
            one["row"],
            one["at"],
            one["name"] if one["name"] != one["key"] else "",
            one["proves"],
            one["words"].partition("\n")[0],
        )
        for one in first.iter_rows(named=True)
    }


def _stored(incident: Incident, jobs: pl.Series) -> pl.DataFrame:
    """Errors that the queue keeps of the jobs."""
    moves = incident.jobs.transitions.filter(pl.col("job").is_in(jobs.implode()))
    return moves.drop_nulls("error").select("row", at="timestamp", name="job", words="error")


def _spoken(incident: Incident, jobs: pl.Series) -> pl.DataFrame:
    """Log lines under the jobs' keys."""
    return _lines(incident, jobs).select("row", at="timestamp", name="key", words="body")


def _about(incident: Incident, pairs: pl.DataFrame) -> pl.DataFrame:
    """Log lines about the things, under no job's key: those are told by `_spoken`."""
    lines = _lines(incident, pairs.get_column("key").unique())
    owned = pairs_of_type(incident.snapshot.keys_of(lines.get_column("row").unique()), "job")
    free = lines.join(owned.select("row").unique(), on="row", how="anti")
    return free.select("row", at="timestamp", name="key", words="body")


def _lines(incident: Incident, keys: pl.Series) -> pl.DataFrame:
    lines = keyed_lines(incident, keys.to_list())
    return lines.filter(
        (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_WARN)
    )
