"""A regex in its short form finds on ASCII what the whole one finds; other texts keep the whole."""

from __future__ import annotations

import random

import polars as pl
import pytest

from timeline.errors import context, peers
from timeline.facts.counters import NOT_COUNTS
from timeline.facts.handled import END_WORDS, FORM
from timeline.facts.logged_pushes import NO_PART, PART
from timeline.facts.outside import INSIDE, STATUS
from timeline.facts.spoken import IDS
from timeline.plain_texts import LISTED, MOST_TEXTS, ascii_form, plain_form

PATTERNS = (
    *(NOT_COUNTS, END_WORDS, FORM, NO_PART, PART, INSIDE, STATUS, IDS),
    *(context.MENTION_BEFORE, context.MENTION_AFTER, peers.BARE_PEER_PATTERN),
    r"[^\w.-]+",
    r"^[\s,] \S+ \W",
    r"[]\d]x|[^]\s]",
    r"\D{2,3}\B",
)
LINES = (
    "2025-03-01 02:07:29 worker-3 done=17 of=260 status=503 from https://api.example.com/v1 ms",
    "ConnectionRefusedError: [Errno 111] connect to 10.0.0.7:5432 failed after 12.5s",
    "retry_count=3 shard=4 Retry-After: 30 \t order_id=A-4711 (finished)\x0b\x1c\x7f",
    "",
)
ALPHABET = " \t\n\x0b\x0c\r\x1c\x1f\x7f_-=:./\"'[](){}aZksK09%#@^]"


@pytest.fixture(scope="module")
def texts() -> pl.DataFrame:
    drawn = random.Random(7)
    junk = ["".join(drawn.choices(ALPHABET, k=drawn.randint(0, 24))) for _ in range(400)]
    return pl.DataFrame({"text": [*LINES, *junk]})


def found(texts: pl.DataFrame, pattern: str) -> pl.DataFrame:
    text = pl.col("text").str
    return texts.select(
        first=text.extract(pattern, 0),
        every=text.extract_all(pattern),
        without=text.replace_all(pattern, "#"),
    )


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_short_form_finds_the_same_in_the_same_places(
    texts: pl.DataFrame, pattern: str
) -> None:
    assert found(texts, ascii_form(pattern)).equals(found(texts, pattern))


def test_what_is_not_known_stays_as_it_is() -> None:
    for pattern in (
        r"[a[b]\d]",
        r"[\w&&[^x]]",
        r"\d\B",
        r"\b{start}\d",
        r"[\D]\d",
        r"[\pL]\d",
        "(?x)\\d # [a",
    ):
        assert ascii_form(pattern) == pattern


def test_only_texts_in_ascii_get_the_short_form() -> None:
    plain, other = pl.Series(["order 4711", None]), pl.Series(["order 4711", "größer \u0661"])
    assert plain_form(plain, r"\w+ \d") == ascii_form(r"\w+ \d") != r"\w+ \d"
    assert plain_form(other, r"\w+ \d") == r"\w+ \d"
    assert other.str.contains(plain_form(other, r"\w{6} \d")).to_list() == [False, True]


@pytest.mark.parametrize("count", [LISTED + 1, MOST_TEXTS + 1])
def test_many_texts_are_judged_alike_and_too_many_not_at_all(count: int) -> None:
    plain = pl.Series(["order 4711"] * count)
    other = pl.concat([plain.head(count - 1), pl.Series(["größer"])])
    assert (plain_form(plain, r"\d") != r"\d") is (count <= MOST_TEXTS)
    assert plain_form(other, r"\d") == r"\d"
