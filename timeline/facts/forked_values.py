"""Chains of values that lines tell, each change from what the last one left, and where they fork.

`sku=4711 on_hand 14 -> 11` begins where the line before it on that article ended. Two that begin at
one number and end at different ones are two writers of whom one had not seen the other. What the
number belongs to is no guess from names: of the fields and keys of the lines it is the one under
which the changes follow on from each other. Never says what the database kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from timeline.facts.crossed_writes import NO_STATE, RUN
from timeline.facts.entities import entity_pairs
from timeline.facts.stated_versions import refused_runs
from timeline.facts.told_values import LONGEST, MOST_CHANGES, NO_COLUMN, changed_lines
from timeline.order import Verdict, at_least, before
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

NAMED = r"[A-Za-z_][\w.-]*[\"']?\s?[:=]\s?[\"']?[\w@-][\w.@-]*"
"""A field with its value, as logfmt, JSON and EDN write them."""
WITHIN_NS = 60_000_000_000
"""As for recorded versions: what is written a minute later was read anew."""
LEAST_LINKED = 8
LINKED_SHARE = 0.6
TOLD_SHARE = 0.9
"""Of all steps from one line to the next on the same thing: so many and so large a share follow on,
and all but so few do that or fork. Else the value is changed by somebody who says nothing."""
MOST_FORKS = 200


@dataclass(frozen=True, slots=True)
class Fork:
    """`subject` (`sku=4711`, or a key) had `base` in `column`; `first` and `second` (run keys, or
    empty) each went on from that, to the values `left`. `rows` and `stamps` (ns UTC) are the two
    lines'; `followed` is whether a later line begins where one of them ended."""

    subject: str
    keys: tuple[str, ...]
    column: str
    base: str
    left: tuple[str, str]
    actors: tuple[str, ...]
    sources: tuple[str, ...]
    first: str
    second: str
    rows: tuple[int, int]
    stamps: tuple[int, int]
    followed: bool


def forked_values(incident: Incident) -> list[Fork]:
    """By the instant of the second line."""
    told = _told(incident)
    if told.height < LEAST_LINKED:
        return []
    steps = _chosen(_steps(_of_subjects(incident, told)))
    forks = steps.filter("forked").sort("timestamp", "row").head(MOST_FORKS)
    if forks.is_empty():
        return []
    runs = pl.concat([forks.get_column("run"), forks.get_column("run_1")]).unique()
    refused = frozenset(refused_runs(incident, runs).to_list())
    cases = forks.iter_rows(named=True)
    return [
        _fork(one)
        for one in cases
        if refused.isdisjoint((one["run"], one["run_1"])) and not _restored(incident, one, steps)
    ]


def _told(incident: Incident) -> pl.DataFrame:
    """Lines that tell a value before and after, each once, with the `run` that they name."""
    told = incident.shared(changed_lines)
    if told.height < LEAST_LINKED:
        return told
    told = told.filter(
        (pl.col("old") != pl.col("new"))
        & pl.all_horizontal(pl.col("column", "old", "new").str.len_chars() <= LONGEST)
        & ~pl.col("column").str.contains(plain_form(told.get_column("column"), NO_COLUMN))
        & ~pl.col("column").str.contains(NO_STATE.pattern)
    )
    told = told.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
    told = told.tail(MOST_CHANGES)
    keys = incident.snapshot.keys_of(told.get_column("row"))
    runs = keys.filter(pl.col("key").str.contains(RUN)).sort("row", "key")
    runs = runs.unique("row", keep="first", maintain_order=True).rename({"key": "run"})
    named = told.join(runs, on="row", how="left", maintain_order="left")
    return named.with_columns(pl.col("run").fill_null(""))


def _of_subjects(incident: Incident, told: pl.DataFrame) -> pl.DataFrame:
    """`told`, once for each `name` and `subject` that a line may be about."""
    keys = entity_pairs(incident.snapshot.keys_of(told.get_column("row"))).unique()
    keys = keys.filter(
        ~pl.col("key").str.contains(RUN) & ~pl.col("key").is_in(list(incident.snapshot.broad_keys))
    )
    known = keys.select("row", name=pl.col("key").str.extract("^([^:]*)"), subject="key")
    part = pl.col("part")
    fields = told.select("row", "column", part=pl.col("body").str.extract_all(NAMED)).explode(
        "part"
    )
    fields = fields.drop_nulls("part").select(
        "row",
        "column",
        name=part.str.extract(r"^([\w.-]+)"),
        value=part.str.extract(r"[:=]\s?[\"']?(.*)$"),
    )
    fields = fields.filter(pl.col("name") != pl.col("column"))
    named = fields.select("row", "name", subject=pl.concat_str("name", pl.lit("="), "value"))
    both = pl.concat(
        [
            known.with_columns(known=pl.lit(value=True)),
            named.with_columns(known=pl.lit(value=False)),
        ]
    )
    return told.join(both.unique(["row", "name", "known"], keep="first"), on="row")


def _steps(told: pl.DataFrame) -> pl.DataFrame:
    """Each line with the one before (`_1`) and the beginning of the one after it on its subject."""
    by = ["column", "known", "name", "subject"]
    names = ("row", "timestamp", "old", "new", "run", "clock", "actor", "source")
    ordered = told.sort(*by, "timestamp", "row").with_columns(
        *(pl.col(name).shift(1).over(by).alias(f"{name}_1") for name in names),
        then=pl.col("old").shift(-1).over(by),
    )
    run, run_1 = pl.col("run"), pl.col("run_1")
    named = (run != "") & (run_1 != "")
    others = pl.when(named).then(run != run_1).otherwise(pl.col("clock") != pl.col("clock_1"))
    near = pl.col("timestamp") - pl.col("timestamp_1") <= WITHIN_NS
    same_base = (pl.col("old") == pl.col("old_1")) & (pl.col("new") != pl.col("new_1"))
    return ordered.with_columns(
        linked=(pl.col("old") == pl.col("new_1")).fill_null(value=False),
        forked=(same_base & others & near).fill_null(value=False),
        follows=pl.col("row_1").is_not_null(),
    )


def _chosen(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps of each column under the name by which its values follow on, if there is one."""
    by = ["column", "known", "name"]
    held = steps.group_by(by).agg(pl.col("linked", "forked", "follows").sum())
    fit = held.filter(
        (pl.col("linked") >= LEAST_LINKED)
        & (pl.col("linked") >= LINKED_SHARE * pl.col("follows"))
        & (pl.col("linked") + pl.col("forked") >= TOLD_SHARE * pl.col("follows"))
    )
    best = fit.sort("linked", "known", "name", descending=[True, True, False])
    best = best.unique("column", keep="first", maintain_order=True)
    return steps.join(best.select(by), on=by, how="semi")


def _restored(incident: Incident, one: dict[str, Any], steps: pl.DataFrame) -> bool:
    """Whether a line that brings the number back may stand between the two: its clock leaves that
    open."""
    begin, end = one["timestamp_1"] - WITHIN_NS, one["timestamp"] + WITHIN_NS
    back = steps.filter(
        (pl.col("column") == one["column"])
        & (pl.col("subject") == one["subject"])
        & (pl.col("new") == one["old"])
        & pl.col("timestamp").is_between(begin, end)
        & ~pl.col("row").is_in([one["row"], one["row_1"]])
    ).get_column("row")
    if back.is_empty():
        return False
    first, second, *others = incident.snapshot.events_at([one["row_1"], one["row"], *back])
    for event in others:
        early, late = before(event, first, incident.clocks), before(second, event, incident.clocks)
        if not any(o.verdict and at_least(o.verdict, Verdict.LIKELY) for o in (early, late)):
            return True
    return False


def _fork(one: dict[str, Any]) -> Fork:
    return Fork(
        subject=one["subject"],
        keys=(one["subject"],) if one["known"] else (),
        column=one["column"],
        base=one["old"],
        left=(one["new_1"], one["new"]),
        actors=tuple(dict.fromkeys((one["actor_1"], one["actor"]))),
        sources=tuple(dict.fromkeys((one["source_1"], one["source"]))),
        first=one["run_1"],
        second=one["run"],
        rows=(one["row_1"], one["row"]),
        stamps=(one["timestamp_1"], one["timestamp"]),
        followed=one["then"] in (one["new_1"], one["new"]),
    )
