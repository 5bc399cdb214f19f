"""Anchors: what may be left out of a search is only what cannot occur in the texts."""

from __future__ import annotations

import polars as pl
import pytest

from timeline.errors import anchors
from timeline.errors.matcher import match_errors, match_one


def test_every_anchor_is_possible_where_it_stands() -> None:
    missed = [
        anchor
        for anchor in anchors.every()
        if anchor.isascii() and anchor not in anchors.possible(pl.Series([f"pre{anchor}fix"]))
    ]
    assert missed == []


def test_most_anchors_are_not_possible_in_one_text() -> None:
    told = anchors.possible(pl.Series(["Connection refused by stock:8080"]))
    assert "connection refused" in told
    assert len(told) < len(anchors.every()) / 10


def test_a_text_without_words_leaves_one_anchor_to_search_for() -> None:
    assert len(anchors.possible(pl.Series(["—"]))) >= 1
    assert match_one("délai d'attente configuré : 30 s") is None


@pytest.mark.parametrize("copies", [1, 2_000])
def test_many_texts_give_what_one_gives(copies: int) -> None:
    """Beyond `FEW_BYTES` all anchors are searched for."""
    body = "read tcp 10.0.0.4:51234->10.0.0.9:6379: read: connection reset by peer"
    bodies = pl.Series([f"{body} (request {number})" for number in range(copies)])
    assert (bodies.str.len_bytes().sum() > anchors.FEW_BYTES) is (copies > 1)
    found = match_errors(bodies)
    alone = match_errors(bodies.head(1))
    assert found.height == copies
    assert found.drop("row").unique().equals(alone.drop("row"))
