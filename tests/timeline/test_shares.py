"""Rows that are shared out among threads give what one thread gives, in the same order."""

from __future__ import annotations

import polars as pl
import pytest
from polars.exceptions import ComputeError

from timeline.facts.fields import field_texts
from timeline.shares import MANY, shared_out


def rows(count: int) -> pl.DataFrame:
    texts = [None if n % 97 == 0 else f"line {n} of user {n % 13}" for n in range(count)]
    return pl.DataFrame(
        {"n": range(count), "text": texts}, schema={"n": pl.Int64, "text": pl.String}
    )


@pytest.mark.parametrize("count", [0, 1, MANY - 1, MANY, MANY + 1, 3 * MANY + 7])
def test_it_is_what_one_select_gives(count: int) -> None:
    frame = rows(count)
    holds = pl.col("text").str.contains(r"user 1\b")
    wanted = frame.select("n", holds.alias("holds"), cut=pl.col("text").str.head(6))
    told = shared_out(frame, pl.col("n"), holds.alias("holds"), cut=pl.col("text").str.head(6))
    assert told.equals(wanted)
    assert told.schema == wanted.schema
    assert told.n_chunks() == 1


def test_a_text_that_is_refused_is_refused_in_any_share() -> None:
    frame = pl.DataFrame({"json": ['{"a": "1"}'] * (2 * MANY) + ["no json"]})
    with pytest.raises(ComputeError):
        shared_out(frame, pl.col("json").str.json_decode(pl.Struct({"a": pl.String})))


def test_one_nested_value_among_many_records_is_read_like_few() -> None:
    plain, nested = '{"a": "x", "b": "y"}', '{"a": {"c": 1}, "b": "z"}'
    told = field_texts(pl.Series([plain] * (2 * MANY) + [nested]), "a", "b")
    assert told.row(0) == ("x", "y")
    assert told.row(-1) == ('{"c":1}', "z")
    assert told.height == 2 * MANY + 1
