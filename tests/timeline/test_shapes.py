"""Lines like one another: their shape, and that every line of a template is found by it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from timeline.shapes import CUT, shape_of, shape_pattern
from timeline.templates import CHARACTERS, template_of

TRACE = "Traceback (most recent call last)␊  File \"a.py\", line {}␊KeyError: '{}'"


def like(shape: str, body: str) -> bool:
    return bool(pl.Series([body]).str.contains(shape_pattern(shape)).item())


@pytest.mark.parametrize(
    ("body", "alike", "other"),
    [
        ("GET /orders/4711 200 in 12 ms", "GET /orders/9 500 in 3 ms", "PUT /orders/9 500 in 3 ms"),
        ("user=anna left", "user=42 left", "user=anna came"),
        ("unknown column 'a b'", "unknown column 'c'", "unknown table 'c'"),
        ("took (5 ms)", "took (77 ms)", "took (5 s)"),
        ("no holes at all", "no holes at all", "no holes at all!"),
        ("first 1␊second", "first 2␊another end", "First 2"),
        (TRACE.format(1, "a"), TRACE.format(22, "b"), TRACE.format(1, "a").replace("Key", "Type")),
        ("aa.b(c) [d] {e} ^f$ \\g 1", "aa.b(c) [d] {e} ^f$ \\g 2", "aaxb(c) [d] {e} ^f$ \\g 2"),
    ],
)
def test_like_and_unlike(body: str, alike: str, other: str) -> None:
    shape = shape_of(body)
    assert like(shape, body)
    assert like(shape, alike)
    assert not like(shape, other)


def test_a_line_of_holes_alone_has_no_shape() -> None:
    assert shape_of("4711 /a/b 12:03") == ""
    assert shape_of("") == ""


def test_a_long_line_is_like_what_begins_as_it_does() -> None:
    body = "word " * CHARACTERS
    shape = shape_of(body + "one end")
    assert shape.endswith(CUT)
    assert like(shape, body + "another end")
    assert not like(shape, "other " + body)


WORDS = ["GET", "user=", "=", "a1", "/x/y", "word", "ü", "x=1"]
SIGNS = ['"q q"', "'q 1'", "`b`", "(", ")", ",", "*", "["]
PIECES = st.sampled_from(WORDS + SIGNS)
LINES = st.lists(st.lists(PIECES, min_size=1, max_size=3).map("".join), min_size=1, max_size=6)


@settings(deadline=None, max_examples=300)
@given(LINES.map(" ".join))
def test_a_line_is_like_its_own_shape(body: str) -> None:
    shape = shape_of(body)
    assume(shape)
    assert like(shape, body)


@settings(deadline=None, max_examples=300)
@given(st.lists(LINES.map(" ".join), min_size=2, max_size=12))
def test_lines_of_one_template_are_alike(bodies: list[str]) -> None:
    frame = pl.DataFrame({"body": bodies}).with_columns(template=template_of(pl.col("body")))
    for template, group in frame.group_by("template"):
        shape = shape_of(str(group["body"][0]))
        if shape:
            assert all(like(shape, body) for body in group["body"]), template
