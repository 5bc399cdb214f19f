"""Filters: the same rows a plain loop would find, in total order, and only while wanted."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timeline.test_store import event, snapshot_of, told
from timeline.event import Event, Kind, Lane
from timeline.filter_terms import LEVELS, Field, Filter, Needle, Part, named, needle_of
from timeline.filters import found_in, hits_of, pattern_problem, rows_of
from timeline.words import FAILED_KINDS


def made(**given: object) -> Event:
    """An event with any of its fields given."""
    return replace(event(seq=0), **{"ref": f"{given.get('source', 'web')}@{given['seq']}", **given})  # type: ignore[arg-type]  # each by its own strategy


EVENTS = st.lists(
    st.builds(
        made,
        source=st.sampled_from(["web", "db"]),
        timestamp=st.integers(0, 9),
        seq=st.integers(0, 99),
        actor=st.sampled_from(["", "web-1", "web-2"]),
        severity_number=st.sampled_from([0, 9, 13, 17]),
        kind=st.sampled_from([Kind.LOG, Kind.JOB_FAILED]),
        body=st.sampled_from(["Timeout (redis)", "timeout", "ok", "a.b", "axb", "Grüße", ""]),
        keys=st.sampled_from([(), ("user:1",), ("user:2", "job:a")]),
    ),
    max_size=20,
    unique_by=lambda e: (e.source, e.seq),
)
PARTS = st.builds(
    Part,
    field=st.sampled_from([Field.TEXT, Field.REGEX, Field.LEVEL, Field.SOURCE, Field.ACTOR]),
    value=st.just(""),
    hides=st.booleans(),
).flatmap(
    lambda part: st.sampled_from(
        {
            Field.TEXT: ["time", "Time", "a.b", "(", "GRÜ", "grü"],
            Field.REGEX: ["a.b", r"^t\w+$", r"\S\)", "T|G"],
            Field.LEVEL: ["warn", "error", "info"],
            Field.SOURCE: ["web", "WEB", "nowhere", "*b"],
            Field.ACTOR: ["web-1", "web-*", "*"],
        }[part.field]
    ).map(lambda value: Part(part.field, value, part.hides))
) | st.sampled_from(
    [
        Part(Field.KEY, "user:1"),
        Part(Field.KEY, "job:a", hides=True),
        Part(Field.LANE, "log"),
        Part(Field.LANE, "queue", hides=True),
        Part(Field.FROM, at=3),
        Part(Field.TO, at=7),
    ]
)


def meets(one: Event, part: Part) -> bool:
    match part.field:
        case Field.TEXT | Field.REGEX:
            pattern = part.value if part.field is Field.REGEX else re.escape(part.value)
            capital = re.sub(r"\\.", "", part.value) != re.sub(r"\\.", "", part.value).lower()
            return re.search(pattern, one.body, 0 if capital else re.IGNORECASE) is not None
        case Field.LEVEL:
            failed = one.kind in FAILED_KINDS
            return one.severity_number >= LEVELS[part.value] or failed
        case Field.SOURCE | Field.ACTOR:
            name = one.source if part.field is Field.SOURCE else one.actor
            return re.fullmatch(part.value.replace("*", ".*"), name, re.IGNORECASE) is not None
        case Field.KEY:
            return part.value in one.keys
        case Field.LANE:
            return one.lane.value == part.value
        case _:
            return one.timestamp >= part.at if part.field is Field.FROM else one.timestamp < part.at


def passes(one: Event, wanted: Filter) -> bool:
    shown = [part for part in wanted.parts if not part.hides]
    alone = {Field.TEXT, Field.REGEX, Field.FROM, Field.TO}
    fields = {part.field for part in shown} - alone
    return (
        all(meets(one, part) for part in shown if part.field in alone)
        and all(any(meets(one, p) for p in shown if p.field is field) for field in fields)
        and not any(meets(one, part) for part in wanted.hidden)
    )


@settings(deadline=None)
@given(EVENTS, st.lists(PARTS, max_size=4))
def test_the_rows_a_loop_would_find(events: list[Event], parts: list[Part]) -> None:
    snapshot, wanted = snapshot_of(events), Filter(tuple(parts))
    rows = rows_of(snapshot, wanted)
    assert rows is not None
    expected = [one for one in told(snapshot) if passes(one, wanted)]
    assert snapshot.events_at(rows.to_list()) == expected


@settings(deadline=None)
@given(EVENTS, st.sampled_from(["time", "Time", "a.b", "(", "grü"]), st.booleans())
def test_found_positions_are_those_of_the_rows_given(
    events: list[Event], text: str, narrow: bool
) -> None:
    snapshot, needle = snapshot_of(events), Needle(text)
    rows = snapshot.order.slice(0, 3 if narrow else None)
    hits = hits_of(snapshot, rows, needle)
    assert hits is not None
    bodies = [one.body for one in snapshot.events_at(rows.to_list())]
    assert hits.to_list() == [n for n, body in enumerate(bodies) if needle.in_literally(body)]


def test_slices_join_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.filters.SLICE_ROWS", 3)
    snapshot = snapshot_of([event(timestamp=50 - n, seq=n, body=f"n{n % 4}") for n in range(20)])
    rows = rows_of(snapshot, Filter((Part(Field.TEXT, "n1"),)))
    assert rows is not None
    assert [e.seq for e in snapshot.events_at(rows.to_list())] == [17, 13, 9, 5, 1]
    hits = hits_of(snapshot, snapshot.order, Needle("n1"))
    assert hits is not None and hits.to_list() == [2, 6, 10, 14, 18]


def test_an_unwanted_answer_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.filters.SLICE_ROWS", 2)
    snapshot = snapshot_of([event(seq=n) for n in range(9)])
    answers = iter([False, False, True])
    assert rows_of(snapshot, Filter((Part(Field.TEXT, "x"),)), lambda: next(answers)) is None
    assert list(answers) == []
    answers = iter([False, True])
    assert hits_of(snapshot, snapshot.order, Needle("x"), lambda: next(answers)) is None
    assert list(answers) == []


def test_a_job_that_failed_is_an_error_whatever_its_number_says() -> None:
    failed = made(seq=1, kind=Kind.JOB_FAILED, lane=Lane.QUEUE)
    snapshot = snapshot_of(
        [failed, made(seq=2, severity_number=9), made(seq=3, severity_number=17)]
    )
    rows = rows_of(snapshot, Filter((Part(Field.LEVEL, "error"),)))
    assert rows is not None
    assert {one.seq for one in snapshot.events_at(rows.to_list())} == {1, 3}
    fatal = rows_of(snapshot, Filter((Part(Field.LEVEL, "fatal"),)))
    assert fatal is not None and fatal.is_empty()


@pytest.mark.parametrize(
    ("pattern", "told_where"),
    [
        ("(abc", "/(abc/ is wrong at character 1: unclosed group"),
        ("a[b", "/a[b/ is wrong at character 2: unclosed character class"),
        ("ab(?=c)", "at character 3: look-around"),
        ("(a{1000}){1000}", "is too large"),
        ("fine.*", ""),
    ],
)
def test_a_bad_expression_says_where(pattern: str, told_where: str) -> None:
    problem = pattern_problem(pattern)
    assert (told_where in problem) if told_where else (problem == "")


def test_a_bad_expression_is_a_sentence_for_whoever_asks_anyway() -> None:
    snapshot = snapshot_of([event(seq=1)])
    with pytest.raises(ValueError, match="wrong at character 1: unclosed group"):
        rows_of(snapshot, Filter((Part(Field.REGEX, "("),)))


def test_the_latest_of_two_opposites_counts() -> None:
    shown, hidden = Part(Field.SOURCE, "web"), Part(Field.SOURCE, "web", hides=True)
    assert Filter().adding(shown).adding(hidden).parts == (hidden,)
    assert Filter().adding(shown).adding(shown).parts == (shown,)
    warn, error = Part(Field.LEVEL, "warn"), Part(Field.LEVEL, "error")
    below_error = Part(Field.LEVEL, "error", hides=True)
    assert Filter().adding(warn).adding(error).parts == (error,)
    assert Filter().adding(warn).adding(below_error).parts == (warn, below_error)


def test_the_class_of_an_escape_is_no_capital_letter() -> None:
    assert not Needle(r"\S+ timeout\W", regex=True).minds_case
    assert Needle(r"\S+ Timeout", regex=True).minds_case
    assert Needle(r"\S").minds_case
    assert found_in("a Timeout, timeout", Needle("time.ut", regex=True).pattern()) == (
        "Timeout",
        "timeout",
    )


def test_what_a_typed_search_means() -> None:
    assert needle_of("  ") is None
    assert needle_of("/a.b/") == Needle("a.b", regex=True)
    assert needle_of("/orders/4711") == Needle("/orders/4711")
    assert needle_of('"/api/"') == Needle("/api/")
    for needle in (Needle("/api/"), Needle("a b"), Needle("x", regex=True)):
        assert needle_of(needle.typed) == needle


def test_a_star_stands_for_anything_and_nothing_else_does() -> None:
    names = ["web-1", "web-12", "web.1", "[x]"]
    assert named("WEB-*", names) == ["web-1", "web-12"]
    assert named("web.1", names) == ["web.1"]
    assert named("[x]", names) == ["[x]"]
