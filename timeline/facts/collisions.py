"""Errors by which programs and databases notice that somebody else was at the same thing.

Two kinds. A *collision* is the word of a guard that compares versions or takes turns, and proves a
concurrent writer. A *symptom* (a broken state machine, a duplicate) may have other reasons: of two
equal jobs the second meets the first one's row whether or not they overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.searched import told_with
from timeline.order import Verdict
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

COLLISION = (
    r"(?i)StaleObject|stale object|StaleDataError|StaleModelError|Optimistic ?Lock|"
    r"DbUpdateConcurrency|RecordModifiedError|ConcurrentModification|WriteConflict|"
    r"could not serialize access|version[ _]conflict|ConcurrentUpdate|"
    r"(?:modified|updated|changed) by another (?:transaction|user|process|session)"
)
"""Rails, Hibernate and JPA, SQLAlchemy, Yii, Entity Framework, MongoDB, PostgreSQL (40001)."""
DUPLICATE = (
    r"UniqueViolation|RecordNotUnique|duplicate key value|Duplicate entry|UNIQUE constraint failed"
)
"""The unique constraints of all databases."""
SYMPTOM = (
    r"(?i)InvalidTransition|(?:invalid|illegal) (?:state |status )?transition|TransitionNotAllowed|"
    rf"cannot (?:be )?(?:transition|transitioned|moved?|changed?|go) from|{DUPLICATE}"
)
"""AASM, django-fsm, state_machines; and duplicates."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One such error. `job` is the job key it belongs to, or empty; `proves` whether it is a
    collision; `of_itself` whether it is a duplicate of two jobs that may be one and the same work,
    which needs no overlap; `at` is ns UTC."""

    row: int
    at: int
    job: str
    proves: bool
    of_itself: bool
    words: str

    @property
    def inferred(self) -> tuple[Verdict, str]:
        """How sure it is that an overlap without further proof brought it, and why no surer."""
        if self.of_itself:
            return Verdict.POSSIBLE, "the second of two equal jobs fails so without an overlap, too"
        return Verdict.LIKELY, "that the error comes from the overlap is inferred"


def troubles_in(incident: Incident, pairs: pl.DataFrame) -> Mapping[int, Trouble]:
    """The first error of either kind in each of `pairs` (`timeline.facts.overlaps`): of one of the
    two jobs, or a line about the thing that belongs to no other job."""
    told = pl.concat([_stored(incident), _spoken(incident)])
    told = told.with_columns(
        proves=pl.col("words").str.contains(COLLISION),
        duplicate=pl.col("words").str.contains(f"(?i){DUPLICATE}"),
    )
    one, two = pl.col("class_one"), pl.col("class_two")
    spans = pairs.select(
        *("pair", "key", "one", "two", "start_two"),
        until=pl.max_horizontal("end_one", "end_two"),
        alike=(one == two) | (one == "") | (two == ""),
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
            one["alike"] and one["duplicate"] and not one["proves"],
            one["words"].partition("\n")[0],
        )
        for one in first.iter_rows(named=True)
    }


def _stored(incident: Incident) -> pl.DataFrame:
    """Errors that the queue keeps of jobs, by the job's key."""
    moves = incident.jobs.transitions.drop_nulls("error")
    moves = moves.filter(pl.col("error").str.contains(f"{COLLISION}|{SYMPTOM}"))
    return moves.select("row", at="timestamp", name="job", words="error")


def _spoken(incident: Incident) -> pl.DataFrame:
    """Log lines by the key of their job, or where they have none by every thing they name."""
    chosen = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_WARN)
    wording = pl.col("body").str.contains(plain_edges(f"{COLLISION}|{SYMPTOM}"))
    lines = told_with(incident, chosen, wording, "body")
    keys = incident.snapshot.keys_of(lines.get_column("row"))
    jobs = pairs_of_type(keys, "job")
    free = entity_pairs(keys).join(jobs, on="row", how="anti")
    named = lines.join(pl.concat([jobs, free]), on="row")
    return named.select("row", at="timestamp", name="key", words="body")
