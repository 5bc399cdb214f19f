"""Edges of words: what Unicode's find, without their price beside letters beyond ASCII."""

from __future__ import annotations

import time

import polars as pl
import pytest

from timeline.facts.used_up import RESOURCES
from timeline.word_edges import EDGE, plain_edges

WORDINGS = "|".join(resource.wording for resource in RESOURCES)
PLAIN = "step 812 of the order was checked, nothing is missing"
FOREIGN = "Schritt 812 für den Auftrag geprüft, nichts fehlt hier"
TIMES = 12
"""How much dearer foreign texts may be; by the edges of Unicode it is two hundred times."""


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [
        (r"\bEMFILE\b", f"{EDGE}EMFILE{EDGE}"),
        (r"a\\b", r"a\\b"),
        (r"\\\bx", rf"\\{EDGE}x"),
        (r"\b{start}x", r"\b{start}x"),
        (r"\d+\s\Bx", r"\d+\s\Bx"),
    ],
)
def test_only_edges_are_rewritten(pattern: str, plain: str) -> None:
    assert plain_edges(pattern) == plain


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("open: EMFILE", True),
        ("open: EMFILE␊at fs.js:7", True),
        ("オープン失敗EMFILE発生", True),
        ("MY_EMFILES", False),
        ("EMFILE2", False),
    ],
)
def test_words_stand_alone_in_every_language(text: str, found: bool) -> None:
    texts = pl.Series([text])
    assert texts.str.contains(plain_edges(r"\bEMFILE\b")).to_list() == [found]


def _seconds(texts: pl.Series) -> float:
    spent = []
    for _ in range(5):
        begun = time.process_time()
        assert not texts.str.contains(plain_edges(WORDINGS)).any()
        spent.append(time.process_time() - begun)
    return min(spent)


@pytest.mark.timing
def test_letters_beyond_ascii_do_not_slow_a_search_down() -> None:
    plain, foreign = (pl.Series([f"{text} {n}" for n in range(5_000)]) for text in (PLAIN, FOREIGN))
    assert _seconds(foreign) < TIMES * _seconds(plain)
