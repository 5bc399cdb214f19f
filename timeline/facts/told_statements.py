"""Reads and writes of single rows as a database server that logs its statements tells them.

With `log_statement` or a duration of 0, PostgreSQL writes each statement with its session and its
parameters. `SELECT … WHERE id = …` and `UPDATE … SET … WHERE id = …` then say which session had
read a row before it wrote it. A read with a lock, a write that names more than the row in its WHERE
(a version) and one that computes from the column itself are none: they lose nothing. Only numbers
are compared: a stamp or a state is set to what it is to be, whatever it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.lines import lines_where
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

SERVERS = r"(?i)postgres|mysql|maria|cockroach|yugabyte|timescale|database"
"""Names under which a database's own log speaks."""
SESSION = r"^\[(\d{1,10})\]"
READ = r"(?i)\bSELECT\b.*?\bFROM\s+[\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)[\"`]?\s+WHERE\s+(.*)$"
WRITE = r"(?i)\bUPDATE\s+[\"`]?(?:\w+[\"`]?\.[\"`]?)?(\w+)[\"`]?\s+SET\s+(.*?)\s+WHERE\s+(.*)$"
ONE_ROW = (
    r"(?i)^[\"`]?(?:\w+[\"`]?\.[\"`]?)?\w*id[\"`]?\s*=\s*"
    r"(?:\$(\d)|'([^']{1,64})'|(\d{1,18}))\s*(?:;|LIMIT \$?\d+|␊|$)"
)
"""A condition that names one row and nothing else."""
FIRST_COLUMN = r"^[\"`]?(\w+)[\"`]?\s*=\s*(?:\$(\d)|'?(-?\d{1,12}(?:\.\d{1,6})?)'?)\s*(?:,|$)"
"""The column that is set first, and the number to which it is."""
NUMBER = r"^-?\d{1,12}(?:\.\d{1,6})?$"
NO_SUM = r"(?i)(?:_at|_on|_id|version|stamp|seen|date|time|position|rank|order)$"
"""Columns that are counted up or set, not added to."""
CONDITION = "where"
"""Stands in every statement that fits `READ` or `WRITE`, which are dear to try on long ones."""
LOCKED = r"(?i)\bFOR (?:NO KEY )?(?:UPDATE|SHARE)\b"
UNDONE = r"(?i)(?:^|[\s:])ROLLBACK\b|\bcould not serialize\b"
ENDED = r"(?i)(?:^|[\s:])(?:COMMIT|ROLLBACK|END)\b|\bcould not serialize\b"
MOST_LINES = 200_000
LONGEST_NS = 600_000_000_000


@dataclass(frozen=True, slots=True)
class UnseenWrite:
    """Session `second` had read the row `pk` of `table` (`read_row`) before `first` wrote
    `column` (`first_row`), and wrote it afterwards (`second_row`). Instants in ns UTC."""

    source: str
    table: str
    pk: str
    column: str
    first: str
    second: str
    read_row: int
    first_row: int
    second_row: int
    read_at: int
    second_at: int


def unseen_writes(incident: Incident) -> list[UnseenWrite]:
    """By the instant of the second write."""
    lines = _statements(incident)
    if lines.is_empty():
        return []
    writes = lines.filter(pl.col("verb") == "write")
    reads = lines.filter(pl.col("verb") == "read").select(
        "source", "session", "table", "pk", "place", read_row="row", read_at="timestamp"
    )
    row = ["source", "table", "pk"]
    read = writes.join_asof(
        reads.with_columns(read_place="place"),
        on="place",
        by=[*row, "session"],
        check_sortedness=False,
    )
    before = [
        pl.col(name).shift(1).over([*row, "column"]).alias(f"{name}_1")
        for name in ("place", "row", "session", "undone", "read_row", "value")
    ]
    told = read.sort("place").with_columns(before).drop_nulls(["read_place", "place_1"])
    told = told.filter(
        (pl.col("place_1") > pl.col("read_place"))
        & (pl.col("session_1") != pl.col("session"))
        & pl.col("read_row_1").is_not_null()
        & (pl.col("value_1") != pl.col("value"))
        & ~pl.col("undone")
        & ~pl.col("undone_1")
        & (pl.col("timestamp") - pl.col("read_at") <= LONGEST_NS)
    )
    return [
        UnseenWrite(
            source=one["source"],
            table=one["table"],
            pk=one["pk"],
            column=one["column"],
            first=one["session_1"],
            second=one["session"],
            read_row=one["read_row"],
            first_row=one["row_1"],
            second_row=one["row"],
            read_at=one["read_at"],
            second_at=one["timestamp"],
        )
        for one in told.iter_rows(named=True)
    ]


def _statements(incident: Incident) -> pl.DataFrame:
    """Reads and writes of one row (`verb`, `session`, `table`, `pk`, `column`, `undone`), in the
    order in which the server wrote them (`place`)."""
    names = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    servers = names.filter(names.str.contains(SERVERS))
    body = pl.col("body")
    if servers.is_empty():
        return pl.DataFrame()
    spoken = pl.col("actor").cast(pl.String).is_in(servers.implode())
    lines = lines_where(
        incident, (pl.col("lane") == Lane.LOG.value) & spoken & body.str.contains(SESSION)
    )
    if lines.is_empty() or lines.height > MOST_LINES:
        return lines.clear()
    lines = lines.with_columns(place=pl.int_range(pl.len()), session=body.str.extract(SESSION, 1))
    ends = lines.filter(body.str.contains(ENDED)).select(
        "source", "session", "place", undone=body.str.contains(UNDONE)
    )
    lines = lines.filter(body.str.contains_any([CONDITION], ascii_case_insensitive=True))
    if lines.is_empty():  # no statement chooses its rows
        return lines
    text = body.str.replace(r"^\[\d+\] \S+ ", "")
    bodies = lines.get_column("body")
    write, read = (text.str.extract_groups(plain_form(bodies, one)) for one in (WRITE, READ))
    first = plain_form(bodies, FIRST_COLUMN)
    told = lines.with_columns(
        table=pl.coalesce(write.struct.field("1"), read.struct.field("1")),
        column=write.struct.field("2").str.extract(first, 1),
        given=write.struct.field("2").str.extract(first, 2),
        value=write.struct.field("2").str.extract(first, 3),
        where=pl.coalesce(write.struct.field("3"), read.struct.field("2")),
        verb=pl.when(write.struct.field("1").is_not_null())
        .then(pl.lit("write"))
        .otherwise(pl.lit("read")),
    ).drop_nulls("table")
    one = pl.col("where").str.extract_groups(plain_form(told.get_column("where"), ONE_ROW))
    told = told.with_columns(
        number=one.struct.field("1"), pk=pl.coalesce(one.struct.field("2"), one.struct.field("3"))
    )
    told = told.with_columns(
        pk=pl.coalesce("pk", _parameter(told, "number")),
        value=pl.coalesce("value", _parameter(told, "given")),
    ).drop_nulls("pk")
    sums = pl.col("value").str.contains(NUMBER) & ~pl.col("column").str.contains(NO_SUM)
    told = told.filter(
        ~pl.col("where").str.contains(LOCKED)
        & ((pl.col("verb") == "read") | sums.fill_null(value=False))
    )
    ended = told.join_asof(
        ends, on="place", by=["source", "session"], strategy="forward", check_sortedness=False
    )
    return ended.with_columns(pl.col("undone").fill_null(value=False)).sort("place")


def _parameter(told: pl.DataFrame, number: str) -> pl.Expr:
    """The value of the parameter whose number stands in the column `number` of `told`."""
    shown, numbers = pl.col("where"), set(told.get_column(number).to_list())
    return pl.coalesce(
        pl.lit(None, pl.String),
        *(
            pl.when(pl.col(number) == str(n)).then(
                shown.str.extract(rf"\${n} = '([^']{{1,64}})'", 1)
            )
            for n in range(1, 10)
            if str(n) in numbers
        ),
    )
