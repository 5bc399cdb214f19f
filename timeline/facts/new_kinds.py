"""Trouble of a kind that nobody had before: since when, and how often.

An error line of a form that its service had never written in what was read, or a statement that a
database noted as slow for the first time, and then again and again. Owns what is a new kind; what
brought it is for others to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.facts.schema_statements import slow_statements
from timeline.templates import ERROR, OTHER, template_of
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST = 5
"""Times within `LASTING_NS` of the first before it goes on."""
LASTING_NS = 5 * MINUTE_NS
UNHEARD_NS = 5 * MINUTE_NS
"""What comes for the first time sooner after the beginning of what was read need not be new."""
MOST_ROWS = 200


class NewKind(NamedTuple):
    """`template` of `service` (empty for a slow statement's database), first and last (ns UTC);
    `rows` are at most `MOST_ROWS` of its `times` lines, in order."""

    service: str
    template: str
    first: int
    last: int
    times: int
    rows: tuple[int, ...]
    slow: bool


def new_kinds(incident: Incident) -> tuple[NewKind, ...]:
    """Every new kind inside the window, first seen first."""
    errors = incident.templates.lines.filter(
        (pl.col("level") == ERROR) & (pl.col("template") != OTHER)
    ).select("row", "timestamp", "service", "template", slow=pl.lit(value=False))
    slow = slow_statements(incident)
    if errors.is_empty() and slow.is_empty():
        return ()
    if slow.height:
        statements = slow.select(
            "row",
            "timestamp",
            service="actor",
            template=template_of(pl.col("statement")),
            slow=pl.lit(value=True),
        )
        errors = pl.concat([errors, statements], how="vertical_relaxed")
    told = errors.sort("timestamp", "row")
    stamp = pl.col("timestamp")
    kinds = (
        told.group_by("service", "template", "slow", maintain_order=True)
        .agg(
            first=stamp.min(),
            last=stamp.max(),
            count=pl.len(),
            early=(stamp < stamp.min() + LASTING_NS).sum(),
            rows=pl.col("row").head(MOST_ROWS),
        )
        .filter(
            (pl.col("early") >= LEAST) & (pl.col("first") >= incident.window.start + UNHEARD_NS)
        )
        .sort("first", "service", "template")
    )
    return tuple(
        NewKind(
            row["service"],
            row["template"],
            row["first"],
            row["last"],
            row["count"],
            tuple(row["rows"]),
            row["slow"],
        )
        for row in kinds.iter_rows(named=True)
    )
