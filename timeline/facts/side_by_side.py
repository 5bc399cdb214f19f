"""Two hands at one piece of work at the same time, as log lines alone tell it.

A hand is a run (a request, a batch, an execution) or, where lines name none, the host that wrote
them. Two hands did the same work where both said the same things of it (equal lines but for who
speaks, how long it took and further figures) and where each spoke of it while the other was at it.
Hands that divide work between them do not say the same things. Never says that it did harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.lines import lines_at
from timeline.facts.stated_versions import PERSONS
from timeline.facts.told_by_two import told_by_two
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

RUN = (
    r"^(?:run|batch|execution|exec|invocation|task|workflow|operation|process|flow|request|trace"
    r"|correlation)(?:_[a-z]+)?:"
)
"""Keys that name a hand. A job is none: two runs of one job are `delivered-again`."""
RUN_ALONE = r"^(?:run|batch|execution|exec|invocation|workflow|flow)(?:_[a-z]+)?:"
"""Of these, what names a run over many things."""
MACHINE = ("request:", "trace:", "job:", "row:", "txn:", "span:", "message:", "peer:", "pod:")
"""Keys on which two hands never meet: they are hands, or name a place."""
ADDRESS = r"(?i)[:/]0x[0-9a-f]{4,16}$"
"""Where an object lies in the memory of its process (`#<Order:0x00007f1c…>`): that names no thing,
and another process has another object there."""
ONE_ITEM = r"^(?:job|message):"
"""Keys of a queue's item. What both hands said of one and the same is `delivered-again`."""
MOST_LOOKED_AT = 400_000
MOST_COUNTED = 100_000
"""Keys that are counted to find what much is said of; of more, evenly chosen ones."""
LEAST_LINES = 4
"""Lines of one hand on one piece of work before it is followed."""
MOST_KEYS = 1_500
MOST_OF_ONE = 2_000
"""What more lines name is a tenant or a region, at which everybody is at once."""
MOST_LINES = 60_000
SAID_TWICE = 3
"""Things that both hands must have said."""
OTHERS = 3
"""Lines of each hand that must lie in the time of the other."""
SHORTEST_NS = 2_000_000_000
CROWD = 3
"""So many hosts that all say the same do so by design: each of them is told of everything."""
SHIPPED_NS = 1_000_000
"""Two equal lines so near to each other are one line that came two ways."""
SHIPPED_SHARE = 0.5
SAME_ITEMS = 0.5
"""Part of what both said from which on it was the same items."""
_NAMED = (
    r"(?i)[\"']?[\w.-]*(?:id|key|uuid|token|ref|trace|span|session)[\"']?\s?(?:=|:|=>)\s?[\"']?"
    r"[\w.:/@-]+"
)
_LONG = r"\b(?:[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{10,})\b"
_FIGURE = r"(?:^|[^\w.-])(\d+(?:[/.,]\d+)?)(?:$|[^\w-])"
_TOOK = r"\d+(?:[.,]\d+)? ?(?:ms|µs|us|ns|s|sec|seconds|min)\b|[\d.,]+ ?(?:[kKMG]i?)?B\b"


@dataclass(frozen=True, slots=True)
class SideBySide:
    """`first` and `second` (run keys or hosts) were at `work` (a key, or a writer's name) of
    `actor` at once from `since` until `until` (ns); `same` is what both said, `things` the keys
    they both named. Rows are events: both beginnings and the last line of the first hand."""

    actor: str
    work: str
    first: str
    second: str
    began: int
    since: int
    until: int
    same: int
    things: tuple[str, ...]
    first_row: int
    second_row: int
    last_row: int
    by_host: bool


def side_by_side(incident: Incident) -> list[SideBySide]:
    """By the time at which the second hand began."""
    found = [*_in_turn(incident)]
    pairs = _candidates(incident)
    if pairs.is_empty():
        return found
    lines = lines_at(incident, pairs.get_column("row")).filter(pl.col("lane") == Lane.LOG.value)
    lines = lines.head(MOST_LINES)
    named = _named(incident, lines)
    on_things = pairs.join(named, on="row").with_columns(work=pl.col("key"))
    hand = pl.coalesce("run", "clock")
    on_things = on_things.with_columns(hand=hand).filter(pl.col("hand") != pl.col("work"))
    over_many = named.filter(pl.col("run").str.contains(RUN_ALONE)).with_columns(
        work=pl.lit(""), hand=pl.col("run")
    )
    columns = ("actor", "work", "hand", "run", "row", "timestamp", "names", "items")
    told = pl.concat([on_things.select(columns), over_many.select(columns)])
    met = _met(told)
    if met.height:
        told = told.join(met.select("actor", "work").unique(), on=["actor", "work"], how="semi")
        lines = lines.filter(pl.col("row").is_in(told.get_column("row").implode()))
        told = _saying(told, lines)
        pieces = met.iter_rows(named=True)
        found += [one for pair in pieces if (one := _pair(told, pair)) is not None]
    return sorted(found, key=lambda one: (one.since, one.actor, one.work))


def _in_turn(incident: Incident) -> Iterator[SideBySide]:
    """Two hosts that told one line each of every thing of a stretch."""
    for part in told_by_two(incident):
        lines = lines_at(incident, part.get_column("row"))
        told = _saying(_named(incident, lines), lines, figures=False)
        told = told.with_columns(work=pl.lit(""), hand="clock")
        first, second = told.get_column("clock").unique(maintain_order=True)[:2]
        actor = part["actor"][0]
        pair = {"actor": actor, "work": "", "hand": first, "hand_2": second}
        one = _pair(told, pair)
        if one is not None and one.until - one.since >= SHORTEST_NS:
            yield one


def _candidates(incident: Incident) -> pl.DataFrame:
    """(row, key) of the lines about things and runs of which enough is said to be followed."""
    keys, machine = incident.snapshot.keys, pl.lit(value=False)
    for prefix in MACHINE:  # several times as fast as one pattern
        machine = machine | pl.col("key").str.starts_with(prefix)
    coarse = -(-keys.height // MOST_LOOKED_AT) or 1
    things = keys.select(pl.col("key").gather_every(coarse)).filter(~machine)
    fine = -(-things.height // MOST_COUNTED) or 1
    counts = things.get_column("key").gather_every(fine).value_counts(name="n")
    step = coarse * fine
    least = LEAST_LINES if step == 1 else 2
    named = counts.filter(pl.col("n").is_between(least, MOST_OF_ONE // step)).filter(
        ~pl.col("key").str.contains(PERSONS)
        & (~pl.col("key").str.contains(RUN) | pl.col("key").str.contains(RUN_ALONE))
        & ~pl.col("key").str.contains(ADDRESS)
    )
    chosen = named.sort("n", "key", descending=[True, False]).head(MOST_KEYS)
    if chosen.is_empty():
        return keys.clear()
    return keys.filter(pl.col("key").is_in(chosen.get_column("key").implode()))


def _named(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    """(row, timestamp, actor, clock, run, names, items) of `lines`; `run` is null where a line
    names none or several, `items` are those of queues, `names` its other keys."""
    keys = incident.snapshot.keys_of(lines.get_column("row")).unique()
    is_run = pl.col("key").str.contains(RUN)
    runs = keys.filter(is_run).sort("row", "key").group_by("row").agg(run=pl.col("key").first())
    things = entity_pairs(keys.filter(~is_run & ~pl.col("key").str.starts_with("row:")))
    names = things.sort("row", "key").group_by("row").agg(names=pl.col("key").str.join(" "))
    ours = keys.filter(pl.col("key").str.contains(ONE_ITEM)).sort("row", "key")
    items = ours.group_by("row").agg(items=pl.col("key").str.join(" "))
    told = lines.select("row", "timestamp", "actor", "clock")
    for column in (runs, names, items):
        told = told.join(column, on="row", how="left")
    return told.with_columns(pl.col("names", "items").fill_null(""))


def _saying(told: pl.DataFrame, lines: pl.DataFrame, *, figures: bool = True) -> pl.DataFrame:
    """`told` with what each of its lines says in words, names and its first figure (`saying`).

    Without `figures` only words and names count: two that count what they found need not find the
    same.
    """
    texts = lines.get_column("body")
    named, long, took = (plain_form(texts, one) for one in (_NAMED, _LONG, _TOOK))
    body = pl.col("body").str.replace_all(named, "").str.replace_all(long, "")
    plain = lines.select("row", plain=body.str.replace_all(took, ""))
    figure = pl.col("plain").str.extract(plain_form(texts, _FIGURE), 1).fill_null("")
    shaped = plain.select(
        "row",
        figure=figure if figures else pl.lit(""),
        form=pl.col("plain").str.replace_all(r"[^\p{L}]+", " "),
    )
    saying = pl.concat_str("form", "names", "figure", separator="\0")
    both = told.join(shaped, on="row", how="left", maintain_order="left")
    return both.with_columns(saying=saying).drop("form", "figure")


def _met(told: pl.DataFrame) -> pl.DataFrame:
    """Neighbouring hands on one piece of work whose times meet: (actor, work, hand, hand_2)."""
    by = ["actor", "work", "hand"]
    spans = told.group_by(by).agg(
        first=pl.col("timestamp").min(), last=pl.col("timestamp").max(), n=pl.len()
    )
    spans = spans.filter(pl.col("n") >= LEAST_LINES).sort("actor", "work", "first", "hand")
    same = ["actor", "work"]
    pairs = pl.concat(
        [
            spans.with_columns(
                [
                    pl.col(name).shift(-distance).over(same).alias(f"{name}_2")
                    for name in ("hand", "first", "last")
                ]
            ).drop_nulls("hand_2")
            for distance in (1, 2)
        ]
    )
    meet = pl.min_horizontal("last", "last_2") - pl.col("first_2")
    return pairs.filter(meet >= SHORTEST_NS)


def _pair(told: pl.DataFrame, pair: dict[str, object]) -> SideBySide | None:
    mine = told.filter((pl.col("actor") == pair["actor"]) & (pl.col("work") == pair["work"]))
    first = mine.filter(pl.col("hand") == pair["hand"]).sort("timestamp", "row")
    second = mine.filter(pl.col("hand") == pair["hand_2"]).sort("timestamp", "row")
    since, until = second["timestamp"][0], min(first["timestamp"][-1], second["timestamp"][-1])
    within = pl.col("timestamp").is_between(since, until)
    inside = [first.filter(within).height, second.filter(within).height]
    both = first.join(second.select("saying").unique(), on="saying", how="semi")
    sayings = both.get_column("saying").n_unique()
    if sayings < SAID_TWICE or min(inside) < OTHERS:
        return None
    by_host = bool(first["run"].is_null().all())
    if _shipped_twice(first, second) or (by_host and _crowded(mine, both)):
        return None
    if _of_same_items(first, second):
        return None
    names = both.get_column("names").str.split(" ").explode().unique().sort()
    return SideBySide(
        actor=str(pair["actor"]),
        work=str(pair["work"]),
        first=str(pair["hand"]),
        second=str(pair["hand_2"]),
        began=first["timestamp"][0],
        since=since,
        until=until,
        same=sayings,
        things=tuple(name for name in names if name),
        first_row=first["row"][0],
        second_row=second["row"][0],
        last_row=first["row"][-1],
        by_host=by_host,
    )


def _shipped_twice(first: pl.DataFrame, second: pl.DataFrame) -> bool:
    """Whether most that both said was said in one instant."""
    met = first.select("saying", "timestamp").join(
        second.select("saying", again="timestamp"), on="saying"
    )
    gap = (pl.col("timestamp") - pl.col("again")).abs().min()
    nearest = met.group_by("saying").agg(gap=gap)
    return nearest.filter(pl.col("gap") <= SHIPPED_NS).height > SHIPPED_SHARE * nearest.height


def _of_same_items(first: pl.DataFrame, second: pl.DataFrame) -> bool:
    """Whether most that both said was said of the same items of a queue: given out once more."""
    met = first.select("saying", "items").join(second.select("saying", again="items"), on="saying")
    same = (pl.col("items") == pl.col("again")) & (pl.col("items") != "")
    each = met.group_by("saying").agg(same=same.any())
    return int(each.get_column("same").sum()) > SAME_ITEMS * each.height


def _crowded(mine: pl.DataFrame, both: pl.DataFrame) -> bool:
    """Whether further hosts said the same."""
    said = mine.join(both.select("saying").unique(), on="saying", how="semi")
    each = said.group_by("hand").agg(n=pl.col("saying").n_unique())
    return each.filter(pl.col("n") >= SAID_TWICE).height >= CROWD
