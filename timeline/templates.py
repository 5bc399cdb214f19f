"""What a line says without what differs each time: its template, and the lines grouped by it.

The signature is stateless: the template of a line depends on that line alone, so it is the same in
every window, in every order and in every source. Only lines that can mean trouble are grouped, and
of those a bounded number; whatever was left out is counted, so that all counts add up to the total.
It decides nothing about what a template means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.clean import LINE_BREAK
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

HOLE = "*"
"""Stands for whatever differs."""
CHARACTERS = 240
"""Of a line that are read; what tells templates apart stands in front."""
MOST_LINES = 20_000
"""Lines that are grouped at most: signing costs about 2 µs each."""
CUT_BY = ["source", "service", "actor", "level"]
MINUTE_NS = 60_000_000_000
MOST_TEMPLATES = 200
"""Of one service and level; free text without quotes would make a template of every line."""
OTHER = "(other lines)"
"""The tail of a service and level that has more than `MOST_TEMPLATES`."""
TRACEBACK = "Traceback (most recent call last)"
"""A Python traceback says in its last line what was raised."""

_QUOTED = r"""\B"[^"]*"\B|\B'[^']*'\B|`[^`]*`"""
_VALUE = r"=[^\s,;)\]}]+"
_VARIABLE = r"\S*[0-9/]\S*"
_POD = r"-[0-9a-f]{6,10}-[a-z0-9]{5}$"
_ORDINAL = r"[-_.:]?\d+$"

ERROR, WARNING, OTHER_LEVEL = "error", "warning", "information"
"""Levels as series are told apart by; lines without a level count as information."""

GROUPED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "service": pl.String,  # the actor without the number or the id of its instance
    "level": pl.String,
    "template": pl.String,
}


@dataclass(frozen=True)
class Templates:
    """Grave lines by template: `lines` (GROUPED_SCHEMA, time order), `left_out` were not grouped.

    `total` is how many grave lines there are: the lines of all templates and `left_out` together.
    `cut` tells for a source, service, actor and level that lost lines `since` when (ns).
    """

    lines: pl.DataFrame
    cut: pl.DataFrame
    left_out: int
    total: int


def template_of(text: pl.Expr) -> pl.Expr:
    """The template of each text: quoted parts, values after `=`, tokens with a digit or a slash
    become `*`. Of several lines the first counts, of a traceback the last."""
    last = text.str.extract(f"{LINE_BREAK}([^{LINE_BREAK}]+)$", 1)
    first = text.str.replace(f"(?s){LINE_BREAK}.*$", "")
    line = pl.when(text.str.starts_with(TRACEBACK)).then(pl.coalesce(last, text)).otherwise(first)
    return (
        line.str.head(CHARACTERS)
        .str.replace_all(_QUOTED, HOLE)
        .str.replace_all(_VALUE, "=" + HOLE)
        .str.replace_all(_VARIABLE, HOLE)
        .str.strip_chars()
    )


def service_of(actor: pl.Expr) -> pl.Expr:
    """`web` of `web-3` and of the Kubernetes pod `web-7d9f8c6b5d-x2x4z`."""
    return actor.str.replace(_POD, "").str.replace(_ORDINAL, "")


def level_of(severity: pl.Expr) -> pl.Expr:
    return (
        pl.when(severity >= SEVERITY_ERROR)
        .then(pl.lit(ERROR))
        .when(severity >= SEVERITY_WARN)
        .then(pl.lit(WARNING))
        .otherwise(pl.lit(OTHER_LEVEL))
    )


def templates_in(incident: Incident) -> Templates:
    """The grave log lines of the window by template: warnings and worse, and known errors.

    Of more than `MOST_LINES` the loudest minutes lose lines: what is rare stands in the others, and
    how loud they are is told by their counts.
    """
    window = incident.window
    known = incident.errors.get_column("row")
    grave = (pl.col("severity_number") >= SEVERITY_WARN) | pl.col("row").is_in(known.implode())
    inside = pl.col("timestamp").is_between(window.start, window.end, "left")
    found = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & inside & grave,
        "source",
        "actor",
        "severity_number",
        "body",
    )
    named = (
        _bounded(found)
        .with_columns(
            pl.col("source", "actor").cast(pl.String).fill_null(""),
            level=level_of(pl.col("severity_number")),
        )
        .with_columns(service=service_of(pl.col("actor")))
    )
    told = named.filter("kept").with_columns(template=template_of(pl.col("body").fill_null("")))
    lines = _folded(told).select(pl.col(name).cast(kind) for name, kind in GROUPED_SCHEMA.items())
    cut = named.filter(~pl.col("kept")).group_by(CUT_BY).agg(since=pl.col("timestamp").min())
    return Templates(lines, cut.sort(CUT_BY), found.height - lines.height, found.height)


def _bounded(found: pl.DataFrame) -> pl.DataFrame:
    """`found` with `minute` and, of the lines that stay, True in `kept`: the first of every actor,
    severity and minute, equally many of each, as many as `MOST_LINES` allow."""
    per = ["source", "actor", "severity_number", "minute"]
    told = found.with_columns(minute=pl.col("timestamp") // MINUTE_NS)
    if found.height <= MOST_LINES:
        return told.with_columns(kept=True)
    sizes = told.group_by(per).len().get_column("len")
    low, high = 0, int(sizes.max() or 0)  # type: ignore[arg-type]  # a count is a whole number
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if sizes.clip(0, middle).sum() <= MOST_LINES else (low, middle - 1)
        )
    return told.with_columns(kept=pl.int_range(pl.len()).over(per) < low)


def _folded(told: pl.DataFrame) -> pl.DataFrame:
    """`told` with the rarest templates of a service and level as one, beyond `MOST_TEMPLATES`."""
    per = ["service", "level"]
    sizes = told.group_by([*per, "template"]).agg(n=pl.len())
    if sizes.height <= MOST_TEMPLATES:
        return told
    ranked = sizes.sort([*per, "n", "template"], descending=[False, False, True, False])
    ranked = ranked.with_columns(place=pl.int_range(pl.len()).over(per))
    many = ranked.filter(pl.col("place") >= MOST_TEMPLATES).select(*per, "template", folded=True)
    joined = told.join(many, on=[*per, "template"], how="left", maintain_order="left")
    template = pl.when(pl.col("folded")).then(pl.lit(OTHER)).otherwise("template")
    return joined.with_columns(template=template).drop("folded")
