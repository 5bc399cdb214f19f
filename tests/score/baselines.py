"""The two trivial answers a detector must beat: the error lines nearest T, and what was never said.

Both name the keys of a few lines. The signature is ten lines of its own on purpose.
"""

from __future__ import annotations

import polars as pl

from timeline.event import SEVERITY_ERROR, Lane
from timeline.incident import Incident
from timeline.window import MINUTE_NS

LINES = 20
"""As many as a person reads at once."""
NEARBY_NS = 15 * MINUTE_NS
"""How late a pager may be: what came before is what is usual."""

_WILD = (
    (r"\"[^\"]*\"|'[^']*'", "*"),
    (r"[=:]\s*\S+", "=*"),
    (r"\S*[/\\]\S*", "*"),
    (r"\S*[0-9]\S*", "*"),
)


def nearest_errors(incident: Incident) -> frozenset[str]:
    """Keys of the error lines nearest the pinned instant."""
    found = incident.snapshot.told(_lines() & (pl.col("severity_number") >= SEVERITY_ERROR))
    distance = (pl.col("timestamp") - incident.window.pin).abs()
    return _keys(incident, found.sort(distance, "row").head(LINES))


def novel_lines(incident: Incident) -> frozenset[str]:
    """Keys of the first lines whose signature was not seen before the pager's usual delay."""
    found = incident.snapshot.told(_lines(), "body")
    signature = pl.col("body")
    for pattern, plain in _WILD:
        signature = signature.str.replace_all(pattern, plain)
    told = found.with_columns(signature.alias("signature"))
    since = incident.window.pin - NEARBY_NS
    usual = told.filter(pl.col("timestamp") < since).get_column("signature").unique()
    new = told.filter((pl.col("timestamp") >= since) & ~pl.col("signature").is_in(usual.implode()))
    return _keys(incident, new.head(LINES))


def _lines() -> pl.Expr:
    return pl.col("lane") == Lane.LOG.value


def _keys(incident: Incident, told: pl.DataFrame) -> frozenset[str]:
    keys = incident.snapshot.keys_of(told.get_column("row"))
    return frozenset(keys.get_column("key").to_list())
