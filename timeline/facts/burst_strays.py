"""Errors that stand in a burst by chance: alone of their sort, beside what befell somebody else.

A handful from two services looks wider than the same from one. But an error that a caller makes
alone again and again, by the same peer and of the same kind, says nothing of the seconds in which
it meets others; and a single one beside the cluster of one peer does not make it several peers.
A caller that fails otherwise in the same seconds is what such errors share, so theirs are none.
What the rest of a burst means is for others to say.
"""

from __future__ import annotations

import polars as pl

ALONE_AGAIN = 2
"""Other occasions on which an error of the same sort stood alone, from which that is its way."""
FEW = 3
"""So many single errors of further peers are no strays: together they are a burst themselves."""
SORT = ("actor", "peer", "error_class")


def lone_sorts(unusual: pl.DataFrame, gap: int) -> pl.DataFrame:
    """The sorts (SORT) of which `unusual`, the errors of the whole window in time order, has
    several with no other error within `gap` ns before or after."""
    apart = pl.col("timestamp").diff() > gap
    first, last = apart.fill_null(value=True), apart.shift(-1).fill_null(value=True)
    counts = unusual.filter(first & last).group_by(SORT).len()
    return counts.filter(pl.col("len") >= ALONE_AGAIN).select(SORT)


def without_strays(burst: pl.DataFrame, lone: pl.DataFrame) -> pl.DataFrame:
    """`burst` (time order, several errors) less its strays; `lone` are the `lone_sorts` of its
    window. Errors whose peer nobody names stay: they may be of the same one.
    """
    return _without_further_peers(_without_lone_sorts(burst, lone))


def _host() -> pl.Expr:
    """The peer without its port: two ports of one host are one place."""
    return pl.col("peer").str.replace(r":\d+$", "")


def _without_lone_sorts(burst: pl.DataFrame, lone: pl.DataFrame) -> pl.DataFrame:
    """`burst` less single errors of a sort that comes alone elsewhere, of a caller, a peer and a
    system that no other error of the burst names."""
    if lone.is_empty():
        return burst
    named = burst.with_columns(host=_host())
    single = pl.col("host").is_not_null() & (pl.len().over("host") == 1)
    shared = pl.col("system").is_not_null() & (pl.len().over("system") > 1)
    asked = named.filter(single & ~shared & (pl.len().over("actor") == 1))
    if asked.is_empty():
        return burst
    strays = asked.join(lone, on=list(SORT), how="semi")
    return burst.join(strays.select("row"), on="row", how="anti", maintain_order="left")


def _without_further_peers(burst: pl.DataFrame) -> pl.DataFrame:
    """`burst` less the single errors of other peers beside several of one: a few such do not widen
    it, unless both share the system, the caller or the one host that complains."""
    named = burst.with_columns(host=_host(), shared=pl.col("clock") != pl.col("source"))
    counts = named.drop_nulls("host").group_by("host").len()
    several = counts.filter(pl.col("len") > 1)
    if several.height != 1 or not 0 < counts.height - 1 < FEW:
        return burst
    if burst.get_column("clock").n_unique() == 1 and bool(named["shared"].all()):
        return burst
    leading = named.filter(pl.col("host") == several["host"][0])
    systems = leading.get_column("system").drop_nulls().unique()
    same = pl.col("system").is_in(systems.implode()).fill_null(value=False)
    callers = leading.get_column("actor").unique()
    same |= pl.col("actor").is_in(callers.implode())
    stays = pl.col("host").is_null() | (pl.col("host") == several["host"][0]) | same
    return named.filter(stays).drop("host", "shared")
