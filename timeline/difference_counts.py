"""What rows say, counted in equal stretches: columns, templates, attributes and broad keys.

Columns are counted in full. Texts are read of a bounded number of rows, chosen by chance, and every
count says which share of the rows was read. Decides nothing about what a count means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Kind, Lane, severity_name
from timeline.line_shapes import line_shape
from timeline.story import LINKING_TYPES
from timeline.words import FAILED_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.incident import Incident
    from timeline.store import Snapshot

MOST_READ = 10_000
"""Rows whose texts are read on each side: signing a line costs about 2 us, its attributes 2 us."""
ROWS_PER_KEY = 50
"""A key of a type with fewer rows than this for each of its values is a thing with a story of its
own (an order), not a trait that things share (a tenant)."""
FEW_VALUES = 20
ROWS_PER_VALUE = 5
"""An attribute with more than `FEW_VALUES` values that are seldom met twice is an id."""
COLUMNS = ("source", "actor", "kind", "severity")
SAYS_WRONG, SAYS = "says (warning or worse)", "says"

SKIPPED = (
    r"(?i)(?:^|[._-])(?:id|uuid|guid|pk|jid|offset|at|time|timestamp|date|pid|txn|txid|xmin|"
    r"level|severity|args|arguments|params)$"
)
SKIPPED_CAMEL = r"(?:Id|At)$"
"""Members that name one thing, one instant or the severity, or are made of ids (a job's arguments):
keys and columns tell those already."""
STAMP = r"^\d{4}-\d\d-\d\d[T ]|\d{9}"
"""A date, or so many digits in a row that they are an instant or a number of something."""
_MEMBER = r'"[^"\\]{1,60}": ?(?:"(?:[^"\\]|\\.){1,80}"|[^,{}\[\]" ]{1,40})'
_MEMBER_PARTS = r'^"([^"\\]{1,60})": ?"?(.*?)"?$'
_PAIR = r'\b[A-Za-z_][\w.-]{0,40}=(?:"[^"]{1,60}"|[^\s,;()\[\]{}"\']{1,60})'
_PAIR_PARTS = r'^([^=]+)="?(.*?)"?$'
_QUIET_KINDS = (Kind.METRIC.value, Kind.GAP.value)

COUNTED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "field": pl.String,
    "value": pl.String,
    "slice": pl.Int64,  # 0 is the stretch looked at, others are as long
    "n": pl.Int64,  # rows that were read
    "calm": pl.Int64,  # those of them that tell of no trouble
    "row": pl.UInt32,  # the first of them
    "sum": pl.UInt64,  # of their numbers: equal for the same rows
    "source": pl.String,  # of the first of them
    "read_inside": pl.Float64,  # share of the rows inside that were read, 0 to 1
    "read_outside": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Cut:
    """The window `[start, end)` (ns UTC) with the stretch `[begin, until)` that is looked at."""

    start: int
    end: int
    begin: int
    until: int

    @property
    def width(self) -> int:
        return self.until - self.begin

    @property
    def outside_width(self) -> int:
        return (self.end - self.start) - self.width

    @property
    def slices(self) -> range:
        """Numbers of the stretches that lie wholly in the window; 0 is the one looked at."""
        before, after = self.begin - self.start, self.end - self.begin
        return range(-(before // self.width), after // self.width)

    def slice_of(self, timestamp: pl.Expr) -> pl.Expr:
        return (timestamp - self.begin).floordiv(self.width)


@dataclass(frozen=True, slots=True)
class Counts:
    """`frame` follows COUNTED_SCHEMA; `calm` are rows that tell of no trouble, (inside, outside).

    `rows` are all rows, (inside, outside); they are what the columns are counted of.
    """

    frame: pl.DataFrame
    calm: tuple[int, int]
    rows: tuple[int, int]


def counts_in(incident: Incident, cut: Cut, floors: dict[str, int]) -> Counts:
    """Everything countable of the rows in `cut`; `floors` gives for a source the least severity of
    which it was read in full, and what is milder is left out."""
    chosen = _chosen(incident.snapshot, cut, floors)
    inside = chosen.get_column("slice") == 0
    calm = ~chosen.get_column("grave")
    parts = [*_columns(chosen), *_texts(incident, chosen)]
    frame = pl.concat([pl.DataFrame(schema=COUNTED_SCHEMA), *(_typed(part) for part in parts)])
    within = int(inside.sum())
    return Counts(
        frame,
        (int((inside & calm).sum()), int((~inside & calm).sum())),
        (within, inside.len() - within),
    )


def _chosen(snapshot: Snapshot, cut: Cut, floors: dict[str, int]) -> pl.DataFrame:
    """(row, slice, grave, columns) of the rows that are compared, in no order."""
    stamp, severity = pl.col("timestamp"), pl.col("severity_number")
    wanted = stamp.is_between(cut.start, cut.end, "left") & ~pl.col("kind").is_in(_QUIET_KINDS)
    for source, floor in floors.items():
        wanted &= (pl.col("source") != source) | (severity >= floor)
    rows = snapshot.events.lazy().with_row_index("row").filter(wanted)
    failed = pl.col("kind").is_in([kind.value for kind in FAILED_KINDS])
    return rows.select(
        pl.col("row").cast(pl.UInt32),
        slice=cut.slice_of(stamp),
        grave=(severity >= SEVERITY_WARN) | failed,
        source="source",
        actor="actor",
        kind="kind",
        severity=severity,
        is_log=pl.col("lane") == Lane.LOG.value,
    ).collect()


def _columns(chosen: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for name in COLUMNS:
        wanted = pl.col("severity") > 0 if name == "severity" else pl.lit(value=True)
        if name == "kind":
            wanted = ~pl.col("is_log")
        keys = [name, "slice"] if name == "source" else [name, "slice", "source"]
        grouped = (
            chosen.lazy()
            .filter(wanted)
            .group_by(keys)
            .agg(
                n=pl.len(),
                calm=(~pl.col("grave")).sum(),
                row=pl.col("row").min(),
                sum=pl.col("row").cast(pl.UInt64).sum(),
                where=pl.col("source").first(),
            )
            .collect()
        )
        values = grouped.get_column(name)
        yield grouped.select(
            field=pl.lit(name),
            value=_level(values) if name == "severity" else values.cast(pl.String),
            slice="slice",
            n="n",
            calm="calm",
            row="row",
            sum="sum",
            source=pl.col("where").cast(pl.String),
            read_inside=pl.lit(1.0),
            read_outside=pl.lit(1.0),
        )


def _level(numbers: pl.Series) -> pl.Series:
    names = {number: severity_name(number) for number in numbers.unique().to_list()}
    return numbers.replace_strict(names, default="", return_dtype=pl.String)


def _texts(incident: Incident, chosen: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Templates of grave and of calm rows, and what attributes, bodies and keys of any row say."""
    snapshot = incident.snapshot
    known = incident.errors.get_column("row").implode()
    grave = pl.col("grave") | pl.col("row").is_in(known)
    for field, wanted in ((SAYS_WRONG, grave), (SAYS, ~grave)):
        sample = _sample(chosen.filter(wanted))
        said = sample.with_columns(_gathered(snapshot, sample, "body"))
        yield _grouped(said.with_columns(field=pl.lit(field), value=line_shape(pl.col("body"))))
    sample = _sample(chosen)
    texts = sample.with_columns(
        _gathered(snapshot, sample, "body"), _gathered(snapshot, sample, "attributes")
    )
    yield _traits(_grouped(_members(texts, "attributes", _MEMBER, _MEMBER_PARTS)))
    yield _traits(_grouped(_members(texts, "body", _PAIR, _PAIR_PARTS)))
    yield _grouped(_keys(snapshot, sample))


def _sample(rows: pl.DataFrame) -> pl.DataFrame:
    """At most `MOST_READ` rows of either side, with the shares that were read. Chosen by chance and
    always the same ones: every tenth row would be blind to whatever comes in tens."""
    kept = []
    shares = {}
    here = pl.col("slice") == 0
    for name, wanted in (("read_inside", here), ("read_outside", ~here)):
        side = rows.filter(wanted)
        kept.append(side if side.height <= MOST_READ else side.sample(MOST_READ, seed=0))
        shares[name] = pl.lit(kept[-1].height / side.height if side.height else 1.0)
    return pl.concat(kept).with_columns(**shares)


def _gathered(snapshot: Snapshot, sample: pl.DataFrame, name: str) -> pl.Series:
    return snapshot.events.get_column(name).gather(sample.get_column("row"))


def _members(texts: pl.DataFrame, column: str, pattern: str, parts: str) -> pl.DataFrame:
    """One line for each member of a row: the attribute's own name (of nested ones the last part)
    and its value."""
    found = texts.with_columns(found=pl.col(column).str.extract_all(pattern).list.unique())
    told = found.explode("found").drop_nulls("found")
    named = told.with_columns(
        field=pl.col("found").str.extract(parts, 1), value=pl.col("found").str.extract(parts, 2)
    )
    skipped = pl.any_horizontal(
        pl.col("field").str.contains(SKIPPED),
        pl.col("field").str.contains(SKIPPED_CAMEL),
        pl.col("value").str.contains(STAMP),
    )
    return named.filter(~skipped.fill_null(value=True))


def _traits(grouped: pl.DataFrame) -> pl.DataFrame:
    """Without the attributes that name one thing each."""
    values, rows = pl.col("value").n_unique().over("field"), pl.col("n").sum().over("field")
    return grouped.filter((values <= FEW_VALUES) | (values * ROWS_PER_VALUE <= rows))


def _keys(snapshot: Snapshot, sample: pl.DataFrame) -> pl.DataFrame:
    """Keys that many share; those of one unit of work and of one database row are always new."""
    pairs = snapshot.keys_of(sample.get_column("row")).with_columns(
        field=pl.col("key").str.extract(r"^([^:]*):", 1),
        value=pl.col("key").str.extract(r"^[^:]*:(.*)$", 1),
    )
    things = pairs.filter(~pl.col("field").is_in([*LINKING_TYPES, "row"]))
    values, rows = pl.col("value").n_unique().over("field"), pl.len().over("field")
    things = things.filter(values * ROWS_PER_KEY <= rows)
    return sample.join(things, on="row", how="inner")


def _grouped(said: pl.DataFrame) -> pl.DataFrame:
    return (
        said.lazy()
        .group_by("field", "value", "slice")
        .agg(
            n=pl.len(),
            calm=(~pl.col("grave")).sum(),
            row=pl.col("row").min(),
            sum=pl.col("row").cast(pl.UInt64).sum(),
            source=pl.col("source").first(),
            read_inside=pl.col("read_inside").first(),
            read_outside=pl.col("read_outside").first(),
        )
        .collect()
    )


def _typed(part: pl.DataFrame) -> pl.DataFrame:
    return part.select(pl.col(name).cast(kind) for name, kind in COUNTED_SCHEMA.items())
