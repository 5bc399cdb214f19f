"""The typed filter: what a line means, what it refuses and why, and that it reads back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.filter_line import FilterProblem, parse_filter, spelt
from timeline.filter_terms import Field, Filter, Part


def understood(line: str) -> list[tuple[str, str, bool]]:
    return [(part.field.value, part.value, part.hides) for part in parse_filter(line).parts]


def test_every_kind_of_condition() -> None:
    line = 'level:error source:web -source:cache key:order:4711 lane:queue "some words" /re.*x/'
    assert understood(line) == [
        ("level", "error", False),
        ("source", "web", False),
        ("source", "cache", True),
        ("key", "order:4711", False),
        ("lane", "queue", False),
        ("text", "some words", False),
        ("regex", "re.*x", False),
    ]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("status:500", ("text", "status:500", False)),
        ("-noise", ("text", "noise", True)),
        ("-", ("text", "-", False)),
        ('"-1"', ("text", "-1", False)),
        ("/orders/4711", ("text", "/orders/4711", False)),
        (r"/a\/b c/", ("regex", "a/b c", False)),
        ('actor:"some name"', ("actor", "some name", False)),
        (r'"say \"no\""', ("text", 'say "no"', False)),
        ("LEVEL:Warning", ("level", "warn", False)),
        ("lane:db", ("lane", "database", False)),
        ('"not closed', ("text", '"not', False)),
    ],
)
def test_what_a_word_means(line: str, meant: tuple[str, str, bool]) -> None:
    assert understood(line)[0] == meant


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("level:eror", "level:eror is none of fatal, error"),
        ("lane:redis", "lane:redis is none of log, queue, db"),
        ("source:", "needs a value, as in source:web"),
        ("source:nope", "source:nope is none of the sources: web, jobs"),
        ("key:4711", "key:4711 needs its type"),
        ("/(a/", "wrong at character 1"),
        ("-from:02:13", "write to:02:13"),
        ("from:soon", "from: no such time"),
    ],
)
def test_what_cannot_be_meant_is_told(line: str, told: str) -> None:
    def instant(text: str) -> int:
        raise ValueError(f"no such time as {text}")

    with pytest.raises(FilterProblem) as problem:
        parse_filter(line, sources=["web", "jobs"], instant=instant)
    assert told in str(problem.value)


def test_instants_are_read_by_whoever_knows_the_window_and_spelt_in_full() -> None:
    wanted = parse_filter("from:-6m", instant=lambda text: 1_773_454_049_117_000_000)
    assert wanted.parts == (Part(Field.FROM, at=1_773_454_049_117_000_000),)
    assert spelt(wanted) == "from:2026-03-14T02:07:29.117Z"


NAMES = [field for field in Field if field not in (Field.FROM, Field.TO, Field.LEVEL, Field.LANE)]
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1)


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES, st.booleans()), max_size=4))
def test_a_filter_reads_back_from_its_own_line(given: list[tuple[Field, str, bool]]) -> None:
    wanted = Filter()
    for field, value, hides in given:
        text = {Field.KEY: f"order:{value}", Field.REGEX: r"a/b \d+ \\"}.get(field, value)
        wanted = wanted.adding(Part(field, text, hides))
    assert parse_filter(spelt(wanted)) == wanted


@given(st.text(max_size=60))
def test_any_line_is_understood_or_refused_in_a_sentence(line: str) -> None:
    try:
        wanted = parse_filter(line)
    except FilterProblem as problem:
        assert str(problem).endswith(".")
    else:
        assert parse_filter(spelt(wanted)) == wanted
