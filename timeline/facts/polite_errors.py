"""Services that failed at a piece of work, wrote so themselves, and answered it with success.

The error is the last thing that happened before the answer: nothing says that another way was
tried. Whether the work was done all the same is asked of the rows: what nearly every other thing
has that the same service answered for, and these have not. Never says why it failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from timeline.event import SEVERITY_ERROR, Lane
from timeline.facts.outcome_words import FAILED
from timeline.facts.outcomes import ID_TYPES, succeeded, things_of, work_ids
from timeline.facts.words import counted

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_IDS = 1_000
"""Requests with an error that are looked at, the earliest."""
MOST_OTHERS = 2_000
"""Requests without one that they are compared with, the latest."""
LEAST = 3
"""Pieces of work of one service: one or two may have been handled without a word."""
MOSTLY = 0.9
"""Part of the others that must have a row, and of these that must lack it, to tell."""
LEAST_OTHERS = 8
HAVE_IT = 0.5
"""Part of these with such a row from which on the error was handled: they are as the others."""


@dataclass(frozen=True, slots=True)
class Polite:
    """One piece of work: `key` names it, `actor` failed at it (`failed_at`, ns UTC) and answered
    with success (`said_at`); `others` said success under the same id later, and no trouble."""

    key: str
    actor: str
    entities: tuple[str, ...]
    failed_at: int
    said_at: int
    error_row: int
    said_row: int
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contrast:
    """Of things that one service answered for: how many have a row in `table`, with an error
    before the answer (`have` of `failed`) and without (`others_have` of `others`)."""

    table: str
    failed: int
    have: int
    others: int
    others_have: int

    @property
    def words(self) -> str:
        """`3 of 4 things in them have no row in receipts, which 50 of 51 others have`."""
        return (
            f"{self.failed - self.have} of {counted(self.failed, 'thing')} in them have no row in "
            f"{self.table}, which {self.others_have} of {self.others} others have"
        )

    @property
    def missing(self) -> bool:
        return self.have <= (1 - MOSTLY) * self.failed

    @property
    def done(self) -> bool:
        return self.have >= HAVE_IT * self.failed


def polite_errors(incident: Incident, held: pl.DataFrame) -> dict[str, list[Polite]]:
    """By service, in time order: work that it failed at and answered with success.

    `held` is what `timeline.facts.outcomes.failed_work` tells.
    """
    held = _answered(held.sort("timestamp", "row"))
    if held.is_empty():
        return {}
    beside = things_of(incident, held.get_column("row"))
    things: dict[int, list[str]] = {}
    for row, key in beside.iter_rows():
        things.setdefault(row, []).append(key)
    works: dict[str, list[dict[str, Any]]] = {}
    for line in held.iter_rows(named=True):
        works.setdefault(line["key"], []).append(line)
    found: dict[int, Polite] = {}
    for key, lines in works.items():
        one = _polite(key, lines, things)
        if one is not None:  # a line may carry a request and a trace id
            found.setdefault(one.error_row, one)
    by_actor: dict[str, list[Polite]] = {}
    for one in sorted(found.values(), key=lambda one: (one.failed_at, one.key)):
        by_actor.setdefault(one.actor, []).append(one)
    return {actor: mine for actor, mine in by_actor.items() if len(mine) >= LEAST}


def _answered(held: pl.DataFrame) -> pl.DataFrame:
    """The lines of works, the earliest, in which the last one at fault spoke once more, mildly."""
    if held.is_empty():
        return held
    severe = pl.col("severity_number") >= SEVERITY_ERROR
    row, actor = pl.col("row"), pl.col("actor")
    per = held.group_by("key", maintain_order=True).agg(
        speakers=actor.filter(severe).n_unique(),
        actor=actor.filter(severe).last(),
        failed=pl.int_range(pl.len()).filter(severe).last(),
    )
    numbered = held.with_columns(place=pl.int_range(pl.len()).over("key"))
    after = numbered.join(per.filter(pl.col("speakers") == 1), on=["key", "actor"])
    after = after.filter(pl.col("place") > pl.col("failed"))
    works = after.group_by("key").agg(row.min()).sort("row").head(MOST_IDS)
    return held.join(works.select("key"), on="key", how="semi")


def _polite(key: str, lines: list[dict[str, Any]], things: dict[int, list[str]]) -> Polite | None:
    """The work under one id, if its only trouble is one error right before a service's success."""
    errors = [line for line in lines if line["severity_number"] >= SEVERITY_ERROR]
    actor = errors[-1]["actor"] if errors else ""
    if not actor or any(line["actor"] != actor for line in errors):
        return None
    own = [line for line in lines if line["actor"] == actor]
    after = own[own.index(errors[-1]) + 1 :]
    if not after or any(not succeeded(line["body"]) for line in after) or own[0] is errors[0]:
        return None
    rest = [line for line in lines if line["actor"] != actor]
    if any(FAILED.search(line["body"]) for line in rest):
        return None
    told = [line for line in rest if succeeded(line["body"])]
    named = {thing for line in lines for thing in things.get(line["row"], ())}
    return Polite(
        key=key,
        actor=actor,
        entities=tuple(sorted(named)),
        failed_at=errors[-1]["timestamp"],
        said_at=after[-1]["timestamp"],
        error_row=errors[-1]["row"],
        said_row=after[-1]["row"],
        others=tuple(sorted({line["actor"] for line in told})),
    )


def contrast(incident: Incident, actor: str, cases: Iterable[Polite]) -> Contrast | None:
    """What the others have that `actor` answered for, and whether `cases` have it; None where
    nothing is had by nearly all of the others."""
    mine = list(cases)
    kinds = {key.partition(":")[0] for case in mine for key in case.entities}
    others = _others(incident, actor, {case.key for case in mine}, kinds)
    failed = {key for case in mine for key in case.entities} - others
    if len(others) < LEAST_OTHERS or len(failed) < LEAST:
        return None
    return usual_row(incident, failed, others)


def usual_row(
    incident: Incident, failed: Collection[str], others: Collection[str]
) -> Contrast | None:
    """The row that nearly all of the things `others` have, and how many of `failed` have it."""
    failed, others = frozenset(failed), frozenset(others)
    having = incident.records.referring_to(sorted(others | failed))
    tables: dict[str, set[str]] = {}
    for key, records in having.items():
        for record in records:
            tables.setdefault(record.table, set()).add(key)
    told = [
        Contrast(table, len(failed), len(failed & keys), len(others), len(others & keys))
        for table, keys in sorted(tables.items())
    ]
    usual = [one for one in told if one.others_have >= MOSTLY * one.others]
    return min(usual, key=lambda one: (one.have, one.table), default=None)


def _others(incident: Incident, actor: str, without: set[str], kinds: set[str]) -> frozenset[str]:
    """Things of `kinds` in work that `actor` wrote of and that is none of `without`."""
    snapshot = incident.snapshot
    said = snapshot.events.select(
        ((pl.col("lane") == Lane.LOG.value) & (pl.col("actor") == actor)).arg_true()
    ).to_series()
    ids = work_ids(snapshot.keys_of(said.cast(pl.UInt32).tail(20 * MOST_OTHERS)))
    value = pl.col("key").str.replace(r"^[a-z]+:", "")
    known = pl.DataFrame({"key": sorted(without)}).select(value).to_series()
    names = ids.filter(~value.is_in(known.implode())).select(value).to_series()
    names = names.unique(maintain_order=True).tail(MOST_OTHERS)
    either = pl.Series([f"{kind}:{name}" for name in names for kind in ID_TYPES], dtype=pl.String)
    rows = snapshot.keys.filter(pl.col("key").is_in(either.implode())).get_column("row")
    things = things_of(incident, rows).get_column("key").unique()
    broad = snapshot.broad_keys
    return frozenset(key for key in things if key.partition(":")[0] in kinds and key not in broad)
