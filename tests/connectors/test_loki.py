"""Loki: no entry lost or told twice at a page's edge, limits obeyed, refusals as sentences."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.discovery import Place
from connectors.loki import LokiConnector, LokiOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.stub_loki import StubLoki
from timeline.coverage import Sight
from timeline.event import Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    NothingHere,
    Overloaded,
    SourceProblem,
)
from timeline.window import SECOND_NS, Budget, Window

PIN = (time.time_ns() // SECOND_NS - 3_600) * SECOND_NS
WINDOW = Window(PIN, PIN - 60 * SECOND_NS, PIN + 60 * SECOND_NS)
WEB = {"app": "web", "pod": "web-1", "container": "app", "node_name": "node-a"}
ENTRY = tuple[int, dict[str, str], str, dict[str, str]]


def entry(at: int, line: str, labels: dict[str, str] | None = None, **metadata: str) -> ENTRY:
    return at, labels or WEB, line, metadata


def connector(stub: StubLoki, **options: object) -> LokiConnector:
    given = {"url": stub.url, "query": '{app="web"}', **options}
    return LokiConnector("loki", LokiOptions.model_validate(given), KeyRules())


def collect(
    entries: Sequence[ENTRY], budget: Budget | None = None, most: int = 5_000, **options: object
) -> tuple[Collected, StubLoki]:
    with StubLoki(list(entries), most=most).serving() as stub:
        return fetched(connector(stub, **options), WINDOW, budget), stub


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 5, 7, 100])
def test_entries_of_one_stamp_survive_every_page_edge(page_size: int) -> None:
    crowds = [1, 4, 1, 1, 7, 2, 1]
    entries = [
        entry(PIN + (at - 3) * SECOND_NS, f"line {at}.{nth}")
        for at, crowd in enumerate(crowds)
        for nth in range(crowd)
    ]
    collected, _ = collect(entries, page_size=page_size)
    assert sorted(e.body for e in collected.events) == sorted(line for _, _, line, _ in entries)
    assert not [r for r in collected.remarks if r.topic == "cut"]


def test_more_of_one_stamp_than_any_page_holds_is_said() -> None:
    entries = [entry(PIN, f"line {nth}") for nth in range(25)]
    entries += [entry(PIN + SECOND_NS, "after"), entry(PIN - SECOND_NS, "before")]
    collected, _ = collect(entries, most=10, page_size=4)
    bodies = {event.body for event in collected.events}
    assert {"after", "before"} < bodies
    assert len(bodies) == 12
    (crowded,) = [e for e in collected.coverage if "share the stamp" in e.reason]
    assert crowded.sight is Sight.PARTIAL
    assert crowded.start == PIN


def test_a_page_limit_of_the_server_makes_pages_smaller() -> None:
    entries = [entry(PIN + at * SECOND_NS, f"line {at}") for at in range(-30, 30)]
    collected, stub = collect(entries, most=7, page_size=1_000)
    assert len(collected.events) == 60
    refused = [limit for limit in stub.limits if limit > 7]
    assert len(refused) <= 2, "what was learnt is remembered"


def test_what_the_budget_leaves_is_counted_by_loki() -> None:
    entries = [entry(PIN + at * SECOND_NS, f"line {at}") for at in range(-50, 50)]
    collected, _ = collect(entries, Budget(rows=20), page_size=5)
    seconds = sorted((event.timestamp - PIN) // SECOND_NS for event in collected.events)
    assert seconds == list(range(-10, 10))
    cuts = [entry for entry in collected.coverage if "by Loki's count" in entry.reason]
    assert len(cuts) == 2
    before = next(entry for entry in cuts if entry.start == WINDOW.start)
    assert "40 by Loki's count" in before.reason or "41 by Loki's count" in before.reason


def test_a_lines_own_stamp_is_preferred_when_it_is_close() -> None:
    def iso(ns: int) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // SECOND_NS)) + ".250Z"

    near = json.dumps({"time": iso(PIN), "level": "error", "msg": "near", "user_id": 1})
    far = json.dumps({"time": iso(PIN - 7_200 * SECOND_NS), "level": "warn", "msg": "far"})
    collected, _ = collect([entry(PIN + 3 * SECOND_NS, near), entry(PIN + 4 * SECOND_NS, far)])
    events = {event.body: event for event in collected.events}
    assert events["near"].timestamp == PIN + 250_000_000
    assert (events["near"].meaning, events["near"].severity_number) == (Meaning.OCCURRED, 17)
    assert events["near"].keys == ("user:1",)
    assert events["far"].timestamp == PIN + 4 * SECOND_NS
    assert (events["far"].meaning, events["far"].severity_number) == (Meaning.INGESTED, 13)
    assert (events["near"].actor, events["near"].clock) == ("web-1/app", "node-a")


def test_plain_lines_take_level_and_trace_from_beside_them() -> None:
    collected, _ = collect(
        [entry(PIN, "it broke", {"app": "web"}, detected_level="error", trace_id="abc")]
    )
    (event,) = collected.events
    assert (event.actor, event.severity_number, event.keys) == ("web", 17, ("trace:abc",))
    assert (event.precision, event.meaning) == (Precision.NANOSECOND, Meaning.INGESTED)
    assert json.loads(event.attributes or "")["structured_metadata"]["trace_id"] == "abc"


def test_nothing_but_gets_of_four_paths() -> None:
    with StubLoki([entry(PIN, "user_id=1")]).serving() as stub:

        async def everything() -> None:
            subject = connector(stub)
            await subject.check()
            await subject.clock()
            await subject.close()

        asyncio.run(everything())
        fetched(connector(stub), WINDOW, Budget(rows=1))
        looked_up(connector(stub), ("user:1", "row:users/1"), WINDOW)
    paths = {path.removeprefix("/loki/api/v1/") for _, path in stub.asked}
    assert paths == {"query_range", "query", "labels", "status/buildinfo"}
    assert {method for method, _ in stub.asked} == {"GET"}


def test_a_value_with_quotes_stays_a_value() -> None:
    tricky = 'x" or {app="other'
    with StubLoki([entry(PIN, "nothing of it")]).serving() as stub:
        found = looked_up(connector(stub), (f"order:{tricky}",), WINDOW)
    assert found.events == []
    assert any(remark.topic == "not-found" for remark in found.remarks)


@pytest.mark.parametrize(
    ("status", "body", "problem", "words"),
    [
        (401, "no org id", AccessRefused, "tenant"),
        (403, "forbidden", AccessRefused, "HTTP 403"),
        (429, "too many outstanding requests", Overloaded, "too many outstanding"),
        (503, "empty ring", Overloaded, "empty ring"),
        (400, "parse error at line 1", Misconfigured, "parse error"),
        (400, "the query time range exceeds the limit", Misconfigured, "time range"),
        (404, "404 page not found", Misconfigured, "no Loki API"),
        (302, "", Misconfigured, "HTTP 302"),
        (500, "boom", BadAnswer, "HTTP 500"),
        (200, "<html>login</html>", BadAnswer, "not JSON"),
        (200, "{}", BadAnswer, "no result"),
    ],
)
def test_a_refusal_is_a_sentence_of_its_kind(
    status: int, body: str, problem: type[SourceProblem], words: str
) -> None:
    with (
        StubLoki([], failing=(status, body)).serving() as stub,
        pytest.raises(problem) as caught,
    ):
        fetched(connector(stub), WINDOW)
    assert words in caught.value.sentence()
    assert stub.url.removeprefix("http://") in caught.value.sentence()


@pytest.mark.parametrize(
    ("login", "options"),
    [
        ("dev:hush", {"username": "dev", "password": "hush"}),
        ("Bearer t0ken", {"bearer": "t0ken"}),
    ],
)
def test_logins(login: str, options: dict[str, object]) -> None:
    with StubLoki([entry(PIN, "one")], login=login, tenant="shop").serving() as stub:
        assert len(fetched(connector(stub, tenant="shop", **options), WINDOW).events) == 1
        with pytest.raises(AccessRefused):
            fetched(connector(stub, tenant="shop"), WINDOW)
        with pytest.raises(AccessRefused, match="tenant"):
            fetched(connector(stub, **options), WINDOW)
        in_url = stub.url.replace("//", "//dev:hush@")
        if "username" in options:
            assert fetched(connector(stub, url=in_url, tenant="shop"), WINDOW).events


def test_check_counts_and_names_labels() -> None:
    now = time.time_ns()
    with StubLoki([entry(now - SECOND_NS, "x"), entry(now - 2 * SECOND_NS, "y")]).serving() as stub:
        report = asyncio.run(connector(stub).check())
    assert report.system == "Loki 3.1.0"
    assert any("counts 2 lines" in fact for fact in report.facts)
    assert any("pod" in fact for fact in report.facts)
    with StubLoki([]).serving() as stub, pytest.raises(NothingHere):
        asyncio.run(connector(stub).check())


def test_the_last_minute_is_not_called_complete() -> None:
    now = time.time_ns()
    window = Window(now - 90 * SECOND_NS, now - 120 * SECOND_NS, now)
    with StubLoki([entry(now - 100 * SECOND_NS, "x")]).serving() as stub:
        coverage = fetched(connector(stub), window).coverage
    (late,) = [entry for entry in coverage if entry.sight is Sight.PARTIAL]
    assert late.end == window.end
    assert 50 * SECOND_NS < window.end - late.start < 70 * SECOND_NS


@pytest.mark.parametrize(
    "options",
    [
        {"url": "loki:3100", "query": "{}"},
        {"url": "http://loki", "query": "sum(rate({}[1m]))"},
        {"url": "http://loki", "query": "{}", "password": "a", "bearer": "b"},
        {"url": "http://loki", "query": "{}", "zone": "Nowhere/City"},
    ],
)
def test_options_that_cannot_be_right(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LokiOptions.model_validate(options)


def test_candidates_hold_names_of_secrets_alone(tmp_path: Path) -> None:
    variables = {"LOKI_ADDR": "https://loki", "LOKI_USERNAME": "dev", "LOKI_PASSWORD": "hush"}
    (found,) = LokiConnector.candidates(Place(variables, tmp_path, tmp_path))
    assert found.options["url"] == "${LOKI_ADDR}"
    assert found.options["password"] == "${LOKI_PASSWORD}"
    assert "hush" not in repr(found)
    assert list(LokiConnector.candidates(Place({}, tmp_path, tmp_path))) == []
