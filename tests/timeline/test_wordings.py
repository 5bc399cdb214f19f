"""What stands in every match of a regex, and that a search which is spared finds nothing."""

from __future__ import annotations

import polars as pl
import pytest
from polars.exceptions import ComputeError

from timeline.facts.clock_signs import PREMATURE, SIGNS, UNGUARDED
from timeline.facts.errors import MISSING_ENTITY
from timeline.facts.mismatches import ANY_MISFIT
from timeline.facts.wordings import MOST_BYTES, holding, marks_of, may_hold


@pytest.mark.parametrize(
    ("pattern", "marks"),
    [
        ("time[ _-]?out after", ("out after",)),
        (r"(?i)\bClocks? skew\b", ("clock",)),
        ("(?:reset|refused) by", ("refused", "reset")),
        ("abort(?:ed)?|timeout", ("abort", "timeout")),
        ("timeouts?|timeout now", ("timeout",)),
        ("(?:version)?=", ()),
        ("(?:abc){0,2}d", ()),
        ("(?:abc){2}d", ("abc",)),
        ("abc+def", ("abc",)),
        (r"\d+ of \d+", (" of ",)),
        (r"\(iat\)", ("(iat)",)),
        (r"[a-z[0-9]\]]+ not found", (" not found",)),
        ("(?x) lock  wait # of two\n | dead", ("dead", "lockwait")),
        (r"(?P<name>user) gone", (" gone",)),
        ("näher|下午三时", ("näher", "下午三时")),
        (r"a\x41bcdef", ()),
        ("ab|timeout", ()),
        ("broken)", ()),
    ],
)
def test_what_stands_in_every_match(pattern: str, marks: tuple[str, ...]) -> None:
    assert marks_of(pattern) == marks


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MISSING_ENTITY, "User 4711 Not Found"),
        (MISSING_ENTITY, "Auftrag 12 nicht gefunden"),
        (MISSING_ENTITY, "注文 7 が見つかりません"),
        (ANY_MISFIT, "Received unregistered task of type 'mail.send'."),
        (ANY_MISFIT, "send() got an unexpected keyword argument 'tenant'"),
        (SIGNS, "CLOCK SKEW detected"),
        (SIGNS, "system clocK sKew"),  # the sign of kelvin is a k without its capital
        (PREMATURE, "jwt: token is not yet valid"),
        (UNGUARDED, "chronyd: Can't synchronise: no selectable sources"),
        ("(?i)reſet", "connection RESET"),
    ],
)
def test_a_text_that_fits_is_never_left_out(pattern: str, line: str) -> None:
    texts = pl.Series(["job 12 done", None, line])
    if texts.str.contains(pattern).any():
        assert may_hold(texts, pattern)
    told = pl.DataFrame({"body": texts})
    assert holding(told, pattern).equals(told.filter(pl.col("body").str.contains(pattern)))


def test_texts_without_any_mark_are_not_searched() -> None:
    texts = pl.Series(["job 12 done", "GET /orders/7 200", None])
    assert not may_hold(texts, MISSING_ENTITY, ANY_MISFIT)
    assert not may_hold(pl.Series([], dtype=pl.String), MISSING_ENTITY)


def test_a_regex_is_not_read_where_nothing_can_fit_it() -> None:
    told = pl.DataFrame({"body": ["job 12 done"]})
    broken = "absent["  # to read it fails
    assert holding(told, broken).equals(told.clear())
    with pytest.raises(ComputeError):
        holding(pl.DataFrame({"body": ["the key is absent"]}), broken)


def test_what_cannot_be_ruled_out_is_left_to_the_regex() -> None:
    assert may_hold(pl.Series(["job 12 done"]), r"\d+")
    assert may_hold(pl.Series(["job 12 done"]), ANY_MISFIT, r"\d+")
    assert may_hold(pl.Series(["x" * (MOST_BYTES + 1)]), ANY_MISFIT)
