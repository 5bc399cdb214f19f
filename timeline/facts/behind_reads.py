"""Readings of a state that was already overwritten, by readers that usually have the newest one.

Writers say which revision of a thing they made, or a row's versions tell how a column changed;
readers say which revision or which value they worked on. A reader that states a lower number than
another said before, or the value from before a change, has read something old. Who works through
all changes in turn is behind by nature; so only readers count that usually state the newest one.
One and the same speaker (a proxy that logs the entity tags of its upstreams) is behind where a
thing's number goes back and comes again. Never says what the reader should have done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.entities import entity_pairs
from timeline.facts.run_signs import RUN_IDS
from timeline.facts.spoken import VERSION_MARKS, spoken_with
from timeline.facts.wordings import may_hold
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

COUNTER = (
    r"(?i)(?:^|[^\w.@-])(?:lock_?version|row_?version|version|revision|rev|sequence|seq_?no|generation)"
    r"[\"']?(?: ?[=:] ?| (?:nr\.? |no\.? |# ?)?)[\"']?(\d{1,12})(?:[^.\w]|$)"
)
"""A counter of a record; never `2.4.1`."""
ENTITY_TAG = r"(?i)\betag\W{1,6}(?:W/\W{0,3})?(\d{1,12})\b[^.\w-]"
"""An entity tag that is a number (RFC 9110, 8.8.3), quoted once or twice, weak or strong."""
PATH = r"(?:^|[\s\"'=(])(?:https?://[^/\s\"]{1,80})?(/[\w.~%:@-]{1,64}(?:/[\w.~%:@-]{1,64})+)"
"""What a line of an access log is about where it carries no key: the path, without its query."""
BY_PATH = "path:"
PARTED_NS = 1_000_000_000
"""Two lines of different clocks may be written in either order within a second."""
CLOSE_NS = 50_000_000
"""Where several things are told to be behind by lines alone, so much is enough to speak: a line
about what was written comes after it as a rule, and a job that was sent then reads later still."""
SEVERAL = 3
LONGEST_NS = 600_000_000_000
USUALLY = 5
"""Readings of the newest revision outside the stretch that show what the reader usually states."""
LEAST_SHARE = 0.3
"""Share of the readings in the stretch that must be behind: a late message now and then is none."""
THINGS_ALONE = 3
"""Things whose number goes back and comes again, where one speaker tells of both."""


@dataclass(frozen=True, slots=True)
class BehindRead:
    """`reader` stated `stated` of `key` at `at` (ns) although `known` had been stated or written
    before, at event `known_row`."""

    reader: str
    key: str
    stated: str
    known: str
    known_at: int
    at: int
    row: int
    known_row: int

    @property
    def gap(self) -> int:
        """For how long the newer one had been told, ns."""
        return self.at - self.known_at


@dataclass(frozen=True, slots=True)
class BehindReader:
    """One reader with its readings behind, in time order, of `what`: a counter, or a column of
    `table`; `newest` counts those of the newest state outside the stretch, `inside` those in it on
    the same hosts. `returned` is for how many things the newer state was told again later."""

    reader: str
    what: str
    table: str
    reads: tuple[BehindRead, ...]
    newest: int
    inside: int
    returned: int
    alone: bool
    """Whether the reader itself had told every newer state."""
    frozen: bool = False
    """Whether it took up no change at all after some instant (`timeline.facts.frozen_reads`)."""
    copied: bool = False
    """Whether rows hold what it read (`timeline.facts.copied_values`), and no line states it."""

    @property
    def unusual(self) -> bool:
        if self.frozen or self.newest < USUALLY:
            return self.frozen
        things = len(self.reads)
        if self.alone:
            return things >= THINGS_ALONE and 2 * self.returned >= things
        return things >= LEAST_SHARE * self.inside


def behind_readers(incident: Incident) -> list[BehindReader]:
    """By the first reading that was behind."""
    lines = _stated(incident)
    if lines.is_empty():
        return []
    known = lines.with_columns(
        known=pl.col("version").cum_max().shift(1).over("key"),
        run=pl.col("version").rle_id().over("key"),
    )
    # One that begins anew goes up step by step; an old copy is followed by the newer state at once.
    after = known.unique(["key", "run"], keep="first").select(
        "key", then="version", run=pl.col("run") - 1
    )
    known = known.join(after, on=["key", "run"], how="left", maintain_order="left")
    first = lines.select("key", known="version", known_at="at", known_row="row", by="actor")
    first = first.unique(["key", "known"], keep="first", maintain_order=True)
    told = known.drop_nulls("known").join(first, on=["key", "known"], maintain_order="left")
    told = told.filter(
        (pl.col("at") - pl.col("known_at")).is_between(CLOSE_NS, LONGEST_NS)
    ).with_columns(
        behind=pl.col("version") < pl.col("known"),
        own=pl.col("by") == pl.col("actor"),
        again=(pl.col("then") >= pl.col("known")).fill_null(value=False),
    )
    told = told.with_columns(stated=pl.col("version"), what=pl.lit("revision"), table=pl.lit(""))
    apart = told.filter(~pl.col("own"))
    return [*_readers(apart), *_readers(told.filter(pl.col("own")), alone=True)]


def behind_values(incident: Incident) -> list[BehindReader]:
    """The same of columns whose changes are on record, by readers that name them."""
    changes = incident.changes_told
    told = incident.stated_after.filter("by_name")
    if told.is_empty():
        return []
    changes = changes.select("key", "column", "changed", "since").unique()
    told = told.join(changes, on=["key", "column", "changed"], how="left", maintain_order="left")
    told = told.filter((pl.col("timestamp") - pl.col("since")) >= PARTED_NS)
    first = told.unique(["actor", "key", "column", "changed"], keep="first", maintain_order=True)
    return _readers(
        first.select(
            "actor",
            "key",
            "row",
            "table",
            "clock",
            at="timestamp",
            what="column",
            behind="late",
            stated="old",
            known="new",
            known_at="since",
            known_row="changed",
            again=pl.lit(value=False),
        )
    )


def _readers(told: pl.DataFrame, *, alone: bool = False) -> list[BehindReader]:
    """Readers of two things and more in an old state, by the first such reading.

    Within a second it may be the lines that came late: then three things must tell it.
    """
    found = []
    by = ["actor", "table", "what"]
    for (actor, table, what), part in told.group_by(by, maintain_order=True):
        every = part.filter("behind")
        behind = every.unique("key", keep="first", maintain_order=True)
        parted = behind.filter(pl.col("at") - pl.col("known_at") >= PARTED_NS)
        if not alone and behind.height < SEVERAL:
            behind = parted
        if behind.height < 2:
            continue
        low, high = every["at"][0], every["at"][-1]
        inside = part.filter(pl.col("at").is_between(low, high))
        hosts = behind.get_column("clock").unique().implode()
        reads = tuple(
            BehindRead(
                reader=str(actor),
                key=row["key"],
                stated=str(row["stated"]),
                known=str(row["known"]),
                known_at=row["known_at"],
                at=row["at"],
                row=row["row"],
                known_row=row["known_row"],
            )
            for row in behind.iter_rows(named=True)
        )
        found.append(
            BehindReader(
                reader=str(actor),
                what=str(what),
                table=str(table or ""),
                reads=reads,
                newest=part.height - inside.height,
                inside=inside.filter(pl.col("clock").is_in(hosts)).height,
                returned=int(behind.get_column("again").sum()),
                alone=alone,
            )
        )
    return sorted(found, key=lambda one: (one.reads[0].at, one.reader))


def _stated(incident: Incident) -> pl.DataFrame:
    """(row, at, actor, clock, key, version) of lines that state a record's counter, in time order;
    only of things of which two numbers or two speakers tell. A line without the key of a thing is
    about the path that it names."""
    body = pl.col("body")
    lines = spoken_with(incident, VERSION_MARKS)
    if lines.is_empty():
        return lines
    texts = lines.get_column("body")
    wordings = [one for one in (COUNTER, ENTITY_TAG) if may_hold(texts, one)]
    if not wordings:
        return lines.clear()
    version = pl.coalesce(body.str.extract(plain_form(texts, one), 1) for one in wordings)
    lines = lines.with_columns(version=version.cast(pl.Int64, strict=False))
    lines = lines.drop_nulls("version").filter(pl.col("timestamp") >= incident.window.start)
    if lines.is_empty():
        return lines
    keys = entity_pairs(incident.snapshot.keys_of(lines.get_column("row")))
    keys = keys.filter(
        ~pl.col("key").str.contains(RUN_IDS)
        & ~pl.col("key").is_in(list(incident.snapshot.broad_keys))
    )
    named = lines.join(keys, on="row")
    bare = lines.join(keys, on="row", how="anti")
    if not bare.is_empty():
        path = plain_form(bare.get_column("body"), PATH)
        paths = bare.with_columns(key=pl.lit(BY_PATH) + body.str.extract(path, 1))
        named = pl.concat([named, paths.drop_nulls("key").select(named.columns)])
    told = named.select("row", "actor", "clock", "key", "version", at="timestamp")
    compared = pl.col("version", "actor").n_unique().over("key") > 1
    return told.filter(pl.any_horizontal(compared)).sort("at", "row")
