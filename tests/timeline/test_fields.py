"""Fields of attributes: one pass over the JSON and one pass a field say the same."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.facts.fields import field_texts

NAMES = ("a", "b")
PLAIN = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12)


def one_by_one(attributes: pl.Series) -> pl.DataFrame:
    text = attributes.to_frame("attributes")
    return text.select(
        pl.col("attributes").str.json_path_match(f"$.{name}").alias(name) for name in NAMES
    )


@given(st.lists(st.none() | st.dictionaries(st.sampled_from("abc"), PLAIN), max_size=6))
def test_plain_values(records: list[dict[str, object] | None]) -> None:
    texts = [None if record is None else json.dumps(record) for record in records]
    attributes = pl.Series(texts, dtype=pl.String)
    assert field_texts(attributes, *NAMES).equals(one_by_one(attributes))


@pytest.mark.parametrize("odd", ['{"a": {"k": [1]}, "b": "x"}', '{"a": [1, 2]}', "no json", "[1]"])
def test_what_cannot_be_read_at_once_is_read_one_by_one(odd: str) -> None:
    attributes = pl.Series(['{"a": "1", "b": 2}', odd, None])
    found = field_texts(attributes, *NAMES)
    assert found.equals(one_by_one(attributes))
    assert found.row(0) == ("1", "2")
