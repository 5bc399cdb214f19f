"""Who went on with the old value of something after it had been changed: a cache that was not
emptied, a host that missed the message, a copy loaded at the start.

One line that gives an old value may tell the past on purpose. A reader is behind where, host by
host, all its lines of one thing give the old value first and none gives it again after the first
that gives the new one, and where somebody shows that the new one could be had: another host, the
same reader later, or the same reader on other things. Never says where the value was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.lines import lines_where
from timeline.facts.told_values import (
    AFTER_SCHEMA,
    FOR_NS,
    stating,
)

if TYPE_CHECKING:
    from timeline.incident import Incident

SETTLED_NS = 5_000_000_000
"""Within so long of a change its news may be under way."""
LATE_NS = 30_000_000_000
"""A reader is behind when it gives the old value for so long: longer than a request or a retry."""
LEAST_LINES = 3
ALONE_LINES = 6
"""Lines with the old value that count where nobody gave the new one."""
PROMPT_THINGS = 2
"""Other things whose change the same reader took up at once."""
SETTINGS = r"(?i)setting|config|param|option|flag|feature|toggle|preference|variable|constant"
"""Tables whose rows are named after what they hold; lines give the value without the row's key."""
WORD_ID = r"^[A-Za-z][A-Za-z_.-]{3,60}$"
HOLDER = r"(?i)^(?:value|val|content|data|setting|current)$"
"""Columns of such tables that hold the value under the row's name."""
MOST_SETTINGS = 3
"""Changed settings whose lines are looked for, the latest; each is a search through all lines."""
CACHED = (
    r"(?i)\bcached\b|\bcache\W{1,3}hit\b|\bfrom (?:the )?cache\b|\bmemoi[sz]ed\b"
    r"|\b(?:src|source|via)\W{1,3}(?:local |l[12] )?(?:cache|redis|memcached?|memory)\b"
)
SPLIT, TURNED, PROMPT, CACHE, ALONE = "split", "turned", "prompt", "cache", "alone"
"""What shows that the new value could be had: another host gave it, the reader gave it later, it
gave others' at once, its lines say that a cache answered; or nothing."""


@dataclass(frozen=True, slots=True)
class LateReader:
    """`actor` gave `key` its former `column` in `rows` (event rows, time order) until `last`, on
    `hosts`; `now_row` is a line with the new value, if any. Instants in ns UTC."""

    actor: str
    hosts: tuple[str, ...]
    everywhere: bool
    key: str
    table: str
    column: str
    old: str
    new: str
    changed_row: int
    changed_at: int
    committed: bool
    last: int
    rows: tuple[int, ...]
    sign: str
    now_row: int | None


def late_readers(incident: Incident) -> list[LateReader]:
    """By the time of the change."""
    changes = incident.changes_told
    if changes.is_empty():
        return []
    told = pl.concat([incident.stated_after, _of_settings(incident, changes)])
    told = told.filter("by_name").unique(["row", "key", "column"], keep="first")
    told = told.join(
        changes.select("key", "column", "changed", "since").unique(),
        on=["key", "column", "changed"],
    ).sort("timestamp", "row")
    told = told.filter(pl.col("late").any().over("key", "column", "changed"))
    prompt = _prompt(told)
    found = []
    for _, part in told.group_by("key", "column", "changed", "actor", maintain_order=True):
        one = _reader(part, told, prompt)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (one.changed_at, one.key, one.actor))


def _of_settings(incident: Incident, changes: pl.DataFrame) -> pl.DataFrame:
    """Lines that give the value of a setting by its name, without the key of its row."""
    name = pl.col("key").str.extract(r":(?:[^/]*/)?(.*)$", 1)
    settings = changes.filter(pl.col("table").str.contains(SETTINGS)).with_columns(name=name)
    settings = settings.filter(
        pl.col("name").str.contains(WORD_ID)
        & ~pl.col("old").str.contains(pl.col("new"), literal=True)
    ).with_columns(
        spelt=pl.when(pl.col("column").str.contains(HOLDER)).then("name").otherwise("column")
    )
    latest = settings.unique(["table", "spelt", "since"]).sort("since").tail(MOST_SETTINGS)
    parts = [pl.DataFrame(schema=AFTER_SCHEMA)]
    for change in latest.iter_rows(named=True):
        since = int(change["since"])
        lines = lines_where(
            incident,
            (pl.col("lane") == Lane.LOG.value)
            & pl.col("timestamp").is_between(since, since + FOR_NS, "right")
            & pl.col("body").str.contains(str(change["spelt"]), literal=True),
        )
        if lines.is_empty():
            continue
        beside = [pl.lit(change[one]).alias(one) for one in changes.columns]
        shown = lines.select("actor", "clock", "body", line="row", at="timestamp")
        stated = stating(shown.with_columns(beside).with_columns(column=pl.lit(change["spelt"])))
        parts.append(stated.with_columns(column=pl.lit(change["column"])))
    return pl.concat(parts)


def _prompt(told: pl.DataFrame) -> dict[tuple[str, str, str], set[str]]:
    """By reader, table and column: things whose change it gave as new and never as old again."""
    after = told.filter(pl.col("timestamp") > pl.col("since") + SETTLED_NS)
    each = after.group_by("actor", "table", "column", "key").agg(
        now=(~pl.col("late")).sum(), late=pl.col("late").sum()
    )
    found: dict[tuple[str, str, str], set[str]] = {}
    for actor, table, column, key in (
        each.filter((pl.col("now") > 0) & (pl.col("late") == 0))
        .select("actor", "table", "column", "key")
        .iter_rows()
    ):
        found.setdefault((actor, table, column), set()).add(key)
    return found


def _reader(
    part: pl.DataFrame, told: pl.DataFrame, prompt: dict[tuple[str, str, str], set[str]]
) -> LateReader | None:
    """What one reader made of one change; None where it was not behind."""
    first = part.row(0, named=True)
    since = int(first["since"])
    part = part.filter(pl.col("timestamp") > since + SETTLED_NS)
    hosts = part.group_by("clock").agg(
        late=pl.col("late").sum(),
        last_late=pl.col("timestamp").filter(pl.col("late")).max(),
        first_now=pl.col("timestamp").filter(~pl.col("late")).min(),
    )
    crossed = hosts.filter(pl.col("last_late") > pl.col("first_now"))
    behind = hosts.filter((pl.col("late") > 0) & (pl.col("last_late") >= since + LATE_NS))
    if behind.is_empty() or crossed.height:
        return None
    names = behind.get_column("clock").sort().to_list()
    late = part.filter(pl.col("late"))
    last = int(late["timestamp"][-1])
    if late.height < LEAST_LINES or last - since < LATE_NS:
        return None
    same = (
        (told["key"] == first["key"])
        & (told["column"] == first["column"])
        & (told["changed"] == first["changed"])
    )
    now = told.filter(same & ~pl.col("late"))
    others = now.filter(~pl.col("clock").is_in(names) & (pl.col("timestamp") < last))
    own = now.filter(pl.col("clock").is_in(names) & (pl.col("actor") == first["actor"]))
    at_once = prompt.get((first["actor"], first["table"], first["column"]), set())
    cached = late["body"].str.contains(CACHED).all()
    sign = next(
        (
            name
            for name, holds in (
                (SPLIT, others.height > 0),
                (TURNED, own.height > 0),
                (PROMPT, len(at_once - {first["key"]}) >= PROMPT_THINGS),
                (CACHE, cached),
                (ALONE, late.height >= ALONE_LINES),
            )
            if holds
        ),
        "",
    )
    if not sign:
        return None
    shown = others if sign == SPLIT else own
    return LateReader(
        actor=first["actor"],
        hosts=tuple(names),
        everywhere=others.filter(pl.col("actor") == first["actor"]).is_empty(),
        key=first["key"],
        table=first["table"],
        column=first["column"],
        old=first["old"],
        new=first["new"],
        changed_row=first["changed"],
        changed_at=since,
        committed=first["committed"] is not None,
        last=last,
        rows=tuple(late["row"].to_list()),
        sign=sign,
        now_row=shown["row"][0] if shown.height else None,
    )
