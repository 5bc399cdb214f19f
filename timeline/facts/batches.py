"""Batches: what should have been worked on, item by item, and what became of each.

The expected items are configured, or the children of one parent or batch key, or only a number
that a log line states. What became of an item is read from its job, its lines or its rows. It
counts; whether a batch is over, and what the gap looks like, is for others to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.announced import announced
from timeline.facts.entities import entity_pairs
from timeline.facts.failures import victims_of
from timeline.facts.job_parents import job_parents
from timeline.facts.passes import short_rounds
from timeline.facts.sight import heard, read_until
from timeline.facts.spoken import form, lines_with
from timeline.facts.words import length
from timeline.facts.work import BEGIN_LINE, END_LINE, FAIL_LINE, jobs_of
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.knowledge import ExpectedSet, Work

MIN_ITEMS = 5
"""Children of one parent before they are taken for a batch."""
IDLE_FOLD = 5
"""A batch stands still after this multiple of the 95th percentile of its items' gaps,"""
MIN_IDLE_NS = 30 * SECOND_NS
"""and no sooner than this."""
SKIP_LINE = r"(?i)\b(?:skip(?:s|ped|ping)?|ignor(?:ed|ing)|not needed|nothing to do|already)\b"
OUTCOMES = ("done", "failed", "skipped", "tried", "never")
"""Of an item, the best first: `tried` began and has no end on record, `never` has no sign."""
MAX_BATCHES = 20
MAX_ASKED_LATER_NS = 3_600 * SECOND_NS
"""An answer about now that is older than this says little about which items there were then."""

SIGN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,  # the item
    "at": pl.Int64,
    "row": pl.UInt32,
    "sign": pl.String,  # done, failed, skipped or tried
    "form": pl.String,  # equal for two signs that say the same; a repeat of one is a second run
    "source": pl.String,
}


@dataclass(frozen=True)
class Batch:
    """One batch. `items` has (key, position, outcome, times, at, row) of every expected item in
    order; `signs` is everything seen of them (SIGN_SCHEMA, time order).

    `basis` says where the expected items come from; `inferred` why they are not certain, empty when
    they are explicit. `each` is how often an item should be worked on, 0 where that is not known.
    """

    name: str
    basis: str
    items: pl.DataFrame
    signs: pl.DataFrame
    ordered: bool
    each: int = 0
    inferred: str = ""
    sources: tuple[str, ...] = ()

    @property
    def began(self) -> int:
        return int(self.signs["at"][0])

    @property
    def ended(self) -> int:
        """The last sign of any item, ns UTC."""
        return int(self.signs["at"][-1])

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Items by outcome; every outcome has an entry."""
        found = dict(self.items.group_by("outcome").len().iter_rows())
        return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}

    @cached_property
    def times(self) -> Mapping[str, int]:
        """How often each item was done, for items that were."""
        done = self.items.filter(pl.col("times") > 0)
        return dict(done.select("key", "times").iter_rows())

    def keys(self, *outcomes: str) -> tuple[str, ...]:
        """The items with any of `outcomes`, in order."""
        held = self.items.filter(pl.col("outcome").is_in(outcomes)).sort("position")
        return tuple(held.get_column("key").to_list())

    @cached_property
    def patience(self) -> int:
        """How long (ns) without a sign until the batch is taken to stand still."""
        stamps = self.signs.get_column("at")
        usual = stamps.diff().drop_nulls().quantile(0.95, "higher") if stamps.len() > 2 else 0
        return max(MIN_IDLE_NS, IDLE_FOLD * int(usual or 0))

    def told_by(self, incident: Incident) -> tuple[str, ...]:
        """Who says that items are done; empty where rows or the queue show it."""
        done = self.signs.filter(pl.col("sign") == "done").get_column("row").unique()
        records = incident.snapshot.events.select(pl.col("lane", "actor").gather(done))
        spoken = records.filter(pl.col("lane") == Lane.LOG.value).get_column("actor")
        return tuple(name for name in sorted(map(str, spoken.unique().drop_nulls())) if name)

    def stands_still(self, incident: Incident) -> bool:
        return read_until(incident) - self.ended > self.patience


def batches_in(incident: Incident) -> tuple[Batch, ...]:
    """Batches whose items are known by their keys and of which something was seen."""
    found = [*_expected(incident), *_children(incident)]
    told = {key for batch in found for key in batch.items.get_column("key")}
    found += [one for one in _announced(incident) if told.isdisjoint(one.items["key"])]
    return tuple([*found, *_in_rounds(incident, found)][:MAX_BATCHES])


def _in_rounds(incident: Incident, known: Sequence[Batch]) -> Iterator[Batch]:
    """The last round of a table that is written in rounds over one set, where it is short; what a
    batch that is known better consists of is not told again."""
    told = {key for batch in known for key in batch.items.get_column("key")}
    for one in short_rounds(incident):
        if not told.isdisjoint(one.keys):
            continue
        keys = pl.DataFrame({"key": one.keys}, schema={"key": pl.String})
        signs = _as_signs(one.part.with_columns(sign=pl.lit("done"), form=pl.lit("row")))
        yield Batch(
            f"the last round of {one.stream.name.removeprefix('the ')}",
            f"{keys.height} items of each of the {one.full} rounds before",
            _items(keys, signs),
            signs,
            ordered=True,
            inferred=f"which items belong to a round is learnt from the {one.full} before",
            sources=heard_in(incident, signs),
        )


def _announced(incident: Incident) -> Iterator[Batch]:
    """Items that a run named one by one beforehand; those that are known better are left out."""
    for name, keys, lines in announced(incident):
        own = _as_signs(_spoken_signs(lines))
        failed = _failure_signs(incident, keys).filter(pl.col("at") >= own["at"].min())
        signs = _as_signs(pl.concat([own, failed]).unique(["row", "key"], keep="first"))
        basis, why = f"{keys.height} items named beforehand (“{name}”)", f"“{name}” names the items"
        told, items = heard_in(incident, signs), _items(keys, signs)
        yield Batch("the announced work", basis, items, signs, True, inferred=why, sources=told)


def unusable_sets(incident: Incident) -> tuple[str, ...]:
    """Why configured sets cannot be compared with what was done, one sentence each."""
    return tuple(
        f"the query of the expected set {one.name} to answer: {one.problem}"
        for one in incident.knowledge.expected
        if one.problem
    )


def _expected(incident: Incident) -> Iterator[Batch]:
    for wanted in incident.knowledge.expected:
        if wanted.problem or not wanted.keys:
            continue
        keys = pl.DataFrame({"key": list(dict.fromkeys(wanted.keys))}, schema={"key": pl.String})
        signs = _signs(incident, wanted.work, keys)
        for name, part in _runs(incident, wanted, signs):
            ended = int(part["at"][-1])
            there = _there_by(incident, keys, ended)
            yield Batch(
                name,
                f"{there.height} items of the configured set",
                _items(there, part),
                part,
                ordered=wanted.ordered,
                each=wanted.times,
                inferred=_doubt(wanted, ended),
                sources=tuple(sorted(set(part.get_column("source").to_list()))),
            )


def _runs(
    incident: Incident, wanted: ExpectedSet, signs: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """The name and the signs of each run of the set, by first sign: one, or one for each value of
    `wanted.run`.

    What names no run (the error that ended an item) belongs to the runs that go on around it. A
    run without any sign is none: that nothing ran is for schedules to tell.
    """
    if signs.is_empty() or not wanted.run:
        yield from [] if signs.is_empty() else [(wanted.name, signs)]
        return
    prefix = f"{wanted.run}:"
    named = incident.snapshot.keys_of(signs.get_column("row").unique())
    named = named.filter(pl.col("key").str.starts_with(prefix)).unique("row", keep="first")
    told = signs.join(named.select("row", run="key"), on="row", how="left", maintain_order="left")
    for (run,), part in told.drop_nulls("run").group_by("run", maintain_order=True):
        around = pl.col("at").is_between(part["at"][0], part["at"][-1] + MIN_IDLE_NS)
        whole = told.filter((pl.col("run") == run) | (pl.col("run").is_null() & around))
        yield f"{wanted.name} of {str(run).removeprefix(prefix)}", whole.drop("run")


def _there_by(incident: Incident, keys: pl.DataFrame, ended: int) -> pl.DataFrame:
    """The items without those whose own row was created after the batch had ended."""
    records = incident.records
    later = records.summary.filter(pl.col("created") > ended).select("record")
    new = records.owners.join(later, on="record", how="semi")
    return keys.join(new, on="key", how="anti", maintain_order="left")


def _doubt(wanted: ExpectedSet, ended: int) -> str:
    if not wanted.complete:
        return f"more items belong to {wanted.name} than were read"
    if wanted.asked_at - ended > MAX_ASKED_LATER_NS:
        later = length(wanted.asked_at - ended)
        return f"the set was asked for {later} after the batch: items may have been added since"
    return ""


def _signs(incident: Incident, work: Work, keys: pl.DataFrame) -> pl.DataFrame:
    """SIGN_SCHEMA of everything that the work did to any of `keys`, time order."""
    if work.job_class or work.queue:
        parts = [_job_signs(incident, work, keys)]
    elif work.table:
        parts = [_row_signs(incident, work, keys)]
    else:
        parts = [_line_signs(incident, work, keys)] if work.log else []
    own = pl.concat([pl.DataFrame(schema=SIGN_SCHEMA), *parts])
    own = own.filter(pl.col("at") >= incident.window.start)  # look-ups tell of other nights, too
    if own.is_empty():
        return own
    near = pl.col("at").is_between(own["at"].min(), pl.lit(own["at"].max()) + MIN_IDLE_NS)
    failed = _failure_signs(incident, keys).filter(near)
    return pl.concat([own, failed]).unique(["row", "key"], keep="first").sort("at", "row", "key")


def _job_signs(incident: Incident, work: Work, keys: pl.DataFrame) -> pl.DataFrame:
    jobs = jobs_of(incident, work).select("job")
    held = incident.jobs.entities.join(keys, on="key", how="semi").join(jobs, on="job")
    return _as_signs(_moves(incident, held))


def _moves(incident: Incident, held: pl.DataFrame) -> pl.DataFrame:
    """Signs of the (job, key) pairs `held`: one for each transition that is more than a push."""
    words = {
        "job.started": "tried",
        "job.retried": "tried",
        "job.finished": "done",
        "job.failed": "failed",
        "job.dead": "failed",
    }
    moves = incident.jobs.transitions.filter(pl.col("kind").is_in(list(words)))
    return moves.join(held, on="job").select(
        "key",
        "row",
        "source",
        at="timestamp",
        sign=pl.col("kind").replace_strict(words, default="tried", return_dtype=pl.String),
        form=pl.lit("job"),
    )


def _row_signs(incident: Incident, work: Work, keys: pl.DataFrame) -> pl.DataFrame:
    """A row of the work's table that refers to an item, or is it, says that the item is done."""
    records = incident.records
    table = work.table.rpartition(".")[2]
    held = pl.concat([records.references, records.owners.select(records.references.columns)])
    mine = held.join(keys, on="key", how="semi").join(
        records.summary.select("record", "table", "source", "created", row="any_row"), on="record"
    )
    written = mine.filter(pl.col("table").str.replace(r"^.*\.", "") == table).drop_nulls("created")
    inside = written.filter(pl.col("created") >= incident.window.start)
    return _as_signs(
        inside.select("key", "row", "source", at="created", sign=pl.lit("done"), form=pl.lit("row"))
    )


def _line_signs(incident: Incident, work: Work, keys: pl.DataFrame) -> pl.DataFrame:
    lines = lines_with(incident, pl.col("body").str.contains(work.log, literal=True))
    lines = lines.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
    pairs = incident.snapshot.keys_of(lines.get_column("row")).join(keys, on="key", how="semi")
    return _as_signs(_spoken_signs(lines.join(pairs, on="row")))


def _spoken_signs(lines: pl.DataFrame) -> pl.DataFrame:
    """What each line says of its item: that it failed, was skipped, began, or is done."""
    body = pl.col("body")
    failed = body.str.contains(FAIL_LINE) | (pl.col("severity_number") >= 17)
    begun = body.str.contains(BEGIN_LINE) & ~body.str.contains(END_LINE)
    sign = (
        pl.when(failed)
        .then(pl.lit("failed"))
        .when(body.str.contains(SKIP_LINE))
        .then(pl.lit("skipped"))
        .when(begun)
        .then(pl.lit("tried"))
        .otherwise(pl.lit("done"))
    )
    return lines.select("key", "row", "source", at="timestamp", sign=sign, form=form())


def _failure_signs(incident: Incident, keys: pl.DataFrame) -> pl.DataFrame:
    """Errors that hurt an item, whoever reports them: the work may be done by another service."""
    failures = incident.failures
    hurt = victims_of(incident, failures).join(keys, on="key", how="semi")
    told = hurt.join(failures.select("row", "source"), on="row", how="left")
    return _as_signs(
        told.select(
            "key", "row", "source", at="timestamp", sign=pl.lit("failed"), form=pl.lit("error")
        )
    )


def _as_signs(told: pl.DataFrame) -> pl.DataFrame:
    typed = told.select(pl.col(name).cast(dtype) for name, dtype in SIGN_SCHEMA.items())
    return typed.sort("at", "row", "key")


def _items(keys: pl.DataFrame, signs: pl.DataFrame) -> pl.DataFrame:
    """(key, position, outcome, times, at, row) of every key, in the order of `keys`."""
    rank = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    done = signs.filter(pl.col("sign") == "done").group_by("key", "form").len()
    times = done.group_by("key").agg(times=pl.col("len").max())
    best = signs.with_columns(
        rank=pl.col("sign").replace_strict(rank, default=len(rank), return_dtype=pl.Int8)
    )
    told = (
        best.sort("rank", "at", "row")
        .group_by("key", maintain_order=True)
        .agg(outcome=pl.col("sign").first(), at=pl.col("at").max(), row=pl.col("row").first())
    )
    return (
        keys.with_row_index("position")
        .join(told, on="key", how="left", maintain_order="left")
        .join(times, on="key", how="left", maintain_order="left")
        .with_columns(pl.col("outcome").fill_null("never"), pl.col("times").fill_null(0))
    )


def _children(incident: Incident) -> Iterator[Batch]:
    """Jobs pushed under one parent or batch key; each job is an item, in the order of pushes."""
    parents = job_parents(incident)
    if parents.is_empty():
        return
    sized = parents.filter(pl.len().over("parent") >= MIN_ITEMS)
    pushed = incident.jobs.summary.select("job", "enqueued", "first_seen", "job_class")
    for (parent,), part in sized.group_by("parent", maintain_order=True):
        jobs = part.join(pushed, on="job").sort(pl.coalesce("enqueued", "first_seen"), "job")
        keys = jobs.select(key="job")
        signs = _as_signs(_moves(incident, keys.with_columns(job=pl.col("key"))))
        if signs.is_empty():
            continue
        classes = jobs.get_column("job_class").drop_nulls().unique().sort().to_list()
        kind = classes[0].rpartition(".")[2] if len(classes) == 1 else "child"
        yield Batch(
            str(parent),
            f"{keys.height} {kind} jobs pushed for {parent}",
            _items(keys, signs),
            signs,
            ordered=True,
            sources=heard_in(incident, signs),
        )


def heard_in(incident: Incident, signs: pl.DataFrame) -> tuple[str, ...]:
    """The sources that told of a batch, or all queues when none has yet."""
    told = tuple(sorted(set(signs.get_column("source").to_list())))
    return told or heard(incident, Lane.QUEUE)


def entity_keys(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    """(row, key) of the entities named by `rows`, without those that join nothing."""
    pairs = entity_pairs(incident.snapshot.keys_of(rows))
    return pairs.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))


def signs_under(incident: Incident, machine: Sequence[str]) -> pl.DataFrame:
    """Signs (SIGN_SCHEMA) of the entities in log lines under any of the keys `machine`.

    Of several kinds of entities, the one with the most names is taken for the items.
    """
    rows = incident.snapshot.rows_with(machine)
    pairs = entity_keys(incident, rows)
    if pairs.is_empty():
        return pl.DataFrame(schema=SIGN_SCHEMA)
    kind = pl.col("key").str.extract(r"^([^:]+):", 1)
    sizes = pairs.group_by(kind.alias("kind")).agg(names=pl.n_unique("key"))
    largest = sizes.sort(["names", "kind"], descending=[True, False])["kind"][0]
    items = pairs.filter(pl.col("key").str.starts_with(f"{largest}:"))
    shown = pl.col("timestamp", "source", "lane", "severity_number", "body")
    rows = items.get_column("row")
    lines = items.hstack(incident.snapshot.events.select(shown.gather(rows)))
    spoken = lines.filter(pl.col("lane") == "log").with_columns(pl.col("source").cast(pl.String))
    return _as_signs(_spoken_signs(spoken))
