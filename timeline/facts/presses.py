"""Presses: the same operation begun again by a request, by a line that says so, or as a job.

Owns which lines begin one operation, and which signs of items belong to which press: by a key that
no other press shares, else by time. Whether a press was one too many is for others to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.run_signs import RUN_IDS
from timeline.facts.spoken import BATCH_MARKS, PRESS_MARKS, form, spoken_with
from timeline.facts.work import BEGIN_LINE, END_LINE

if TYPE_CHECKING:
    from timeline.facts.batches import Batch
    from timeline.incident import Incident

REQUEST = r"\b((?:POST|PUT|PATCH) (?:https?://[^/\s]+)?/[^\s?\"'()\[\],;]*)"
"""A request that changes something, as access and application logs write it."""
BEGINS_WORK = r"(?i)\b(?:batch|import|export|backup|run|rebuild|re-?index|mailing)\b"
MOST_PRESSES = 20
"""What is begun more often within a window is traffic, not somebody who presses a button."""
MAX_CANDIDATES = 2_000
"""Presses whose keys are followed; operations named in full go first by their time."""
MACHINE = RUN_IDS
"""Keys that name one run of something: they tie a press to what it set off."""
SERVED = r"^(?:request|trace|correlation)(?:_[a-z]+)?:"
"""Keys under which one request is served."""
HOPS = 2
"""A request names the job that it pushed, and the job's first line the run that it began."""
LEAST_TIMED = 5
TIMED_WITHIN = 0.05
"""A timer's beginnings vary by how long a container takes to start, seconds of minutes."""
TOKEN = re.compile(r"[a-z]{4,}")
COMMON_TOKENS = frozenset(("batch", "post", "patch", "jobs", "pushed", "parent", "group", "items"))
PRESS_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "operation": pl.String,
    "at": pl.Int64,
    "row": pl.UInt32,
    "actor": pl.String,
}


@dataclass(frozen=True, slots=True)
class Press:
    """One beginning of an operation (ns UTC). `own` are the machine keys that no other press of it
    has, `shared` those that several have."""

    operation: str
    at: int
    row: int
    actor: str
    own: tuple[str, ...]
    shared: tuple[str, ...]


def presses_in(incident: Incident) -> tuple[tuple[Press, ...], ...]:
    """Operations that were begun more than once, each with its presses in time order."""
    told = pl.concat([_requests(incident), _begin_lines(incident), _jobs(incident)])
    told = told.filter(pl.len().over("operation").is_between(2, MOST_PRESSES))
    told = told.sort("at", "row").head(MAX_CANDIDATES)
    if told.is_empty():
        return ()
    keys = _machine_keys(incident, told.get_column("row"))
    counted = told.join(keys, on="row").group_by("operation", "key").agg(presses=pl.n_unique("row"))
    named = told.join(keys, on="row").join(counted, on=["operation", "key"])
    held: dict[int, tuple[list[str], list[str]]] = {}
    for row, key, presses in named.select("row", "key", "presses").unique().sort("key").iter_rows():
        own, shared = held.setdefault(row, ([], []))
        (own if presses == 1 else shared).append(key)
    groups: dict[str, list[Press]] = {}
    for operation, at, row, actor in told.iter_rows():
        own, shared = held.get(row, ([], []))
        press = Press(operation, at, row, actor, tuple(own), tuple(shared))
        groups.setdefault(operation, []).append(press)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def in_words(operation: str) -> str:
    """The operation in words: without the places of ids and numbers in a line's form, and without
    the verb with which that line says that it begins."""
    plain = re.sub(r"(?:\s(?:of|for|with))?(?<!/)\s+\S*#\S*", "", operation) or operation
    if re.match(r"(?:POST|PUT|PATCH) ", plain) or plain.endswith(")"):
        return plain
    thing = re.sub(r"\s{2,}", " ", re.sub(BEGIN_LINE, "", plain)).strip(" :;,.-")
    if not thing:
        return plain
    return thing if thing[0].isupper() and " " not in thing else f"the {thing}"


def on_a_clock(presses: Sequence[Press]) -> bool:
    """Whether they follow one another so evenly, and so often, that a timer began them.

    Few retries of a client may be even as well; a person never is.
    """
    steps = [two.at - one.at for one, two in pairwise(presses)]
    usual = median(steps) if steps else 0
    return len(presses) >= LEAST_TIMED and all(
        abs(step - usual) <= TIMED_WITHIN * usual for step in steps
    )


def _requests(incident: Incident) -> pl.DataFrame:
    lines = spoken_with(incident, PRESS_MARKS)
    told = lines.with_columns(operation=pl.col("body").str.extract(REQUEST, 1)).drop_nulls(
        "operation"
    )
    several = pl.len().over("operation").is_between(2, 4 * MOST_PRESSES)  # lines a request
    told = told.filter(several)
    if told.is_empty():
        return pl.DataFrame(schema=PRESS_SCHEMA)
    told = told.with_columns(form=form("body", told.get_column("body")))
    keys = incident.snapshot.keys_of(told.get_column("row"))
    request = keys.filter(pl.col("key").str.contains(MACHINE)).unique(
        "row", keep="first", maintain_order=True
    )
    named = told.join(request, on="row", how="left", maintain_order="left")
    first_form = pl.col("form") == pl.col("form").first().over("operation", pl.col("key").is_null())
    once = named.filter(pl.col("key").is_not_null() | first_form).with_columns(
        which=pl.coalesce("key", pl.col("row").cast(pl.String))
    )
    once = once.unique(["operation", "which"], keep="first", maintain_order=True)
    return _as_presses(_from_its_first_line(incident, once))


def _from_its_first_line(incident: Incident, told: pl.DataFrame) -> pl.DataFrame:
    """`told` by the first line of each request: a proxy writes of it when it has been answered, or
    given up, and that may be a minute after it came."""
    named = told.filter(pl.col("key").str.contains(SERVED)).get_column("key").unique()
    every = incident.snapshot.keys.filter(pl.col("key").is_in(named.implode()))
    stamps = incident.snapshot.events.get_column("timestamp").gather(every.get_column("row"))
    dated = every.with_columns(since=stamps).sort("since", "row")
    first = dated.group_by("key").agg(pl.col("since").first(), first=pl.col("row").first())
    told = told.join(first, on="key", how="left", maintain_order="left")
    earlier = (pl.col("since") < pl.col("timestamp")).fill_null(value=False)
    return told.with_columns(
        timestamp=pl.when(earlier).then("since").otherwise("timestamp"),
        row=pl.when(earlier).then("first").otherwise("row"),
    ).sort("timestamp", "row")


def _begin_lines(incident: Incident) -> pl.DataFrame:
    """Lines of one form by one actor that say that a batch, an import or the like begins."""
    body = pl.col("body")
    lines = spoken_with(incident, BATCH_MARKS).filter(
        body.str.contains(BEGIN_LINE), body.str.contains(BEGINS_WORK), ~body.str.contains(END_LINE)
    )
    lines = lines.filter(~body.str.contains_any(list(PRESS_MARKS), ascii_case_insensitive=True))
    if lines.is_empty():
        return pl.DataFrame(schema=PRESS_SCHEMA)
    once = lines.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
    return _as_presses(once.with_columns(operation=form("body", once.get_column("body"))))


def _jobs(incident: Incident) -> pl.DataFrame:
    """Jobs of one class with equal arguments under different ids."""
    known = pl.concat_str("job_class", "args", ignore_nulls=True) != ""  # else nothing is equal
    jobs = incident.jobs.summary.filter(
        known & pl.len().over("job_class", "args").is_between(2, MOST_PRESSES)
    )
    rows = incident.jobs.transitions.unique("job", keep="first", maintain_order=True)
    named = jobs.join(rows.select("job", "row"), on="job").select(
        operation=pl.concat_str(
            pl.col("job_class").str.extract(r"([^.:]+)$", 1).fill_null("a job"),
            pl.lit("("),
            pl.col("args").fill_null(""),
            pl.lit(")"),
        ),
        timestamp=pl.coalesce("enqueued", "started", "first_seen"),
        row="row",
        actor=pl.lit(""),
    )
    return _as_presses(named)


def _as_presses(told: pl.DataFrame) -> pl.DataFrame:
    renamed = told.rename({"timestamp": "at"})
    return renamed.select(pl.col(name).cast(dtype) for name, dtype in PRESS_SCHEMA.items())


def _machine_keys(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    """(row, key): machine keys of each row, and those of what it set off: the keys that stand
    beside its own, and beside those again."""
    snapshot = incident.snapshot
    broad = pl.col("key").is_in(list(snapshot.broad_keys))
    named = pl.col("key").str.contains(MACHINE) & ~broad
    held = newest = snapshot.keys_of(rows).filter(named).unique()
    for _ in range(HOPS):
        if newest.is_empty():
            break
        wanted = newest.get_column("key").unique()
        beside = snapshot.keys.filter(pl.col("key").is_in(wanted.implode()))
        lines = beside.rename({"row": "other"}).join(newest, on="key").select("row", "other")
        more = snapshot.keys_of(lines.get_column("other").unique()).filter(
            named & ~pl.col("key").str.contains(r"^(?:request|trace):")
        )
        newest = lines.unique().join(more, left_on="other", right_on="row").select("row", "key")
        newest = newest.unique().join(held, on=["row", "key"], how="anti")
        held = pl.concat([held, newest], how="vertical_relaxed")
    return held.unique(maintain_order=True)


def presses_of(incident: Incident, batch: Batch) -> tuple[Press, ...]:
    """The presses that began `batch`: they share a key with its items' signs, or name it."""
    keys = incident.snapshot.keys_of(batch.signs.get_column("row").unique())
    machine = set(keys.filter(pl.col("key").str.contains(MACHINE)).get_column("key").to_list())
    machine |= set(batch.items.get_column("key").to_list()) | {batch.name}
    rows = pl.Series([press.row for group in incident.presses for press in group], dtype=pl.UInt32)
    of_items = _rows_of_items(incident, rows, batch)
    best: tuple[Press, ...] = ()
    for group in incident.presses:
        if any(press.row in of_items for press in group):
            continue  # each of them begins one item
        related = tuple(press for press in group if _concerns(press, machine, batch.name))
        before_end = tuple(press for press in related if press.at <= batch.ended)
        if len(before_end) > max(1, len(best)):
            best = before_end
    return best


def _rows_of_items(incident: Incident, rows: pl.Series, batch: Batch) -> frozenset[int]:
    """Those of `rows` that name an item of the batch, or are a sign of one."""
    keys = incident.snapshot.keys_of(rows)
    named = keys.join(batch.items.select("key"), on="key", how="semi").get_column("row")
    signs = rows.filter(rows.is_in(batch.signs.get_column("row").implode()))
    return frozenset((*named.to_list(), *signs.to_list()))


def _concerns(press: Press, machine: set[str], name: str) -> bool:
    if not machine.isdisjoint((*press.own, *press.shared)):
        return True
    tokens = set(TOKEN.findall(name.lower())) - COMMON_TOKENS
    return not tokens.isdisjoint(TOKEN.findall(press.operation.lower()))


def signs_by_press(
    incident: Incident, presses: Sequence[Press], signs: pl.DataFrame
) -> tuple[pl.DataFrame, bool]:
    """`signs` with their `press` (index, null before the first), and whether keys told all of them.

    A sign without a key of its own press belongs to the press before it.
    """
    owners = pl.DataFrame(
        [(key, number) for number, press in enumerate(presses) for key in press.own],
        schema={"key": pl.String, "press": pl.Int64},
        orient="row",
    )
    keys = incident.snapshot.keys_of(signs.get_column("row").unique())
    by_key = keys.join(owners, on="key").unique("row", keep="first").select("row", "press")
    placed = signs.join(by_key, on="row", how="left", maintain_order="left")
    exact = placed.get_column("press").null_count() == 0
    starts = pl.DataFrame({"began": [press.at for press in presses]}).with_row_index("latest")
    told = placed.sort("at").join_asof(
        starts.with_columns(pl.col("latest").cast(pl.Int64)),
        left_on="at",
        right_on="began",
        strategy="backward",
    )
    told = told.with_columns(press=pl.coalesce("press", "latest")).drop("latest", "began")
    return told.sort("at", "row", "key"), exact


@dataclass(frozen=True, slots=True)
class PressShare:
    """What one press did (ns UTC): items it touched, items it was the first to finish, items that
    failed in it, and how many were left undone after it."""

    at: int
    actor: str
    touched: int
    done: int
    failed: int
    left: int
    last: int | None


def shares(presses: Sequence[Press], signs: pl.DataFrame, total: int) -> Iterator[PressShare]:
    """One share for each press; an item counts as done for the press that first finished it."""
    done = signs.filter(pl.col("sign") == "done").unique("key", keep="first", maintain_order=True)
    finished = 0
    for number, press in enumerate(presses):
        mine = signs.filter(pl.col("press") == number)
        first = done.filter(pl.col("press") == number)
        finished += first.height
        failed = mine.filter(pl.col("sign") == "failed").get_column("key").n_unique()
        yield PressShare(
            press.at,
            press.actor,
            mine.get_column("key").n_unique(),
            first.height,
            failed,
            total - finished,
            mine["at"][-1] if mine.height else None,
        )
