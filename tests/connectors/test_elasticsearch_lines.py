"""Log lines that a shipper left in the text of a document: what was said is the row's body."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.elasticsearch.documents import (
    Document,
    Reading,
    columns_of,
    event_of,
    events_of,
    with_keys,
)
from connectors.elasticsearch.fields import refined
from connectors.elasticsearch.shipped import LONGEST, SAMPLE, UNDATED, formats_in
from connectors.logs.dialect import Dialect, decide
from connectors.logs.formats import BY_NAME, FORMATS
from connectors.logs.zones import ZoneRule
from tests.conformance.collecting import events_of as events_in
from tests.connectors.search_data import iso
from tests.connectors.test_elasticsearch_documents import ECS, MILLIS, MS, RULES, mapped
from timeline.batch import Batch
from timeline.clean import clean
from timeline.event import Event

LOGFMT = (
    "ts=2026-03-14T02:07:29.735Z level=info svc=inventory host=inventory-1 "
    r'msg="said \"no\"" order_id="o-1" took_ms=7'
)
KLOG = "I0314 02:07:29.110123       1 mailer.go:42] enqueue done for user_id=4711"
OWN = {
    "log": {"level": "info"},
    "service": {"name": "stock"},
    "host": {"name": "node-1"},
}
EXAMPLES = [item.example for item in (*FORMATS, UNDATED)]


def documents_of(*messages: Any, **own: Any) -> list[Document]:
    return [
        Document(
            "logs", f"d{n}", {"@timestamp": iso(MS * 10**6), **own, "message": said}, MS, (MS,)
        )
        for n, said in enumerate(messages)
    ]


def reading_of(documents: list[Document]) -> Reading:
    return Reading("logs", refined(mapped(ECS), [d.content for d in documents]), RULES, "")


def told(message: Any, **own: Any) -> Event:
    """The one event of a message, which previews and pages must tell alike."""
    documents = documents_of(message, **own)
    reading = reading_of(documents)
    (event,) = with_keys([event_of(documents[0], MILLIS, reading)], reading)
    frame, keys = columns_of(events_of(documents, MILLIS, reading), reading)
    assert events_in(Batch("logs", frame, keys)) == [event]
    return event


def attributes(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event.attributes or "")
    return found


# What was said


def test_a_logfmt_line_is_told_by_its_message() -> None:
    event = told(LOGFMT, **OWN)
    assert event.body == 'said "no"'
    assert (event.severity_number, event.actor, event.clock) == (9, "stock", "node-1")
    assert attributes(event)["message"] == LOGFMT, "the line stays reachable, whole"
    assert set(event.keys) == {"order:o-1"}


def test_fields_of_a_logfmt_line_are_added_to_the_documents() -> None:
    event = told(LOGFMT, took_ms=8, **OWN)
    shown = attributes(event)
    assert (shown["order_id"], shown["svc"]) == ("o-1", "inventory")
    assert shown["took_ms"] == 8, "the document's own field wins"
    assert "ts" not in shown, "the row has one stamp"


def test_the_error_of_a_logfmt_line_follows_its_message() -> None:
    event = told('time=2026-03-14T02:07:29Z level=error msg="job failed" error="no user_id=4711"')
    assert (event.body, event.severity_number) == ("job failed␊no user_id=4711", 17)
    assert event.keys == ("user:4711",)


def test_logfmt_whose_time_only_the_document_tells() -> None:
    event = told('level=warn svc=inventory msg="stock is low" sku=AB-7')
    assert (event.body, event.severity_number, event.actor) == ("stock is low", 13, "inventory")
    assert attributes(event)["sku"] == "AB-7"


@pytest.mark.parametrize(
    ("line", "said", "severity"),
    [
        ("2026-03-14 02:07:29,110 - shop - ERROR - no user_id=4711", "no user_id=4711", 17),
        ("2026-03-14 02:07:29.735  WARN 1 --- [exec-1] c.e.Orders : slow", ": slow", 13),
        ("2026/03/14 02:07:29 [error] 31#31: *812 connect() failed", "*812 connect() failed", 17),
        (KLOG, "mailer.go:42] enqueue done for user_id=4711", 9),
    ],
)
def test_a_line_of_text_is_told_as_in_a_log_file(line: str, said: str, severity: int) -> None:
    read = decide([line], ZoneRule(), 0).read(line)
    assert read is not None
    level = {9: "info", 13: "warning", 17: "err"}[severity]
    for own in ({}, {"log": {"level": level}}):
        event = told(line, **own)
        assert (event.body, event.severity_number) == (read.message, severity)
        assert event.body.endswith(said)
        assert "02:07:29" not in event.body
        assert attributes(event)["message"] == line


def test_a_level_or_service_that_only_the_line_has_is_taken_from_it() -> None:
    event = told(LOGFMT, host={"name": "node-1"})
    assert (event.severity_number, event.actor, event.clock) == (9, "inventory", "node-1")
    unknown = told(LOGFMT, log={"level": "no such level"})
    assert unknown.severity_number == 9, "a level that nobody knows says nothing"


def test_a_line_that_contradicts_its_document_is_told_whole() -> None:
    line = KLOG.replace("I", "E", 1)
    event = told(line, **OWN)
    assert (event.body, event.severity_number) == (line, 9)
    assert "message" not in attributes(event), "nothing was left out of the body"
    agreeing = told(line, log={"level": "critical"})
    assert agreeing.body.startswith("mailer.go:42]"), "the row shows both as ERROR"


# Objects


def test_an_object_as_text_says_how_grave_it_is_but_does_not_move_the_stamp() -> None:
    """A platform labels what comes on a stream; that an error was one, its writer knew."""
    inner = {"ts": "2020-01-01T00:00:00Z", "level": "error", "msg": "sent", "app": "mailer", "n": 1}
    event = told(json.dumps(inner), **OWN)
    assert (event.body, event.timestamp // 10**6) == ("sent", MS)
    assert (event.severity_number, event.actor) == (17, "mailer")
    alone = told(json.dumps(inner))
    assert (alone.severity_number, alone.actor, alone.timestamp) == (17, "mailer", event.timestamp)


# Look-alikes


@pytest.mark.parametrize(
    "message",
    [
        "stock reserved for order_id=o-1 msg=none sku=AB took 3 ms",
        "user_id=4711 is gone, msg=none",
        "order_id=o-1 sku=AB",
        'ts=2026-03-14T02:07:29.735Z level=info msg="" user_id=4711',
        'level=info msg="" user_id=4711',
        '[{"ts": "2026-03-14T02:07:29Z", "msg": "x"}]',
        '{"ts": "2026-03-14T02:07:29Z", "level": "info", "msg": "cut he',
        "since 2026-03-14 02:07:29 INFO is all it says",
        "1773454049123 items in stock",
        "",
    ],
)
def test_a_text_that_is_no_line_is_told_whole(message: str) -> None:
    event = told(message, **OWN)
    assert event.body == message
    assert "message" not in attributes(event)
    assert event.severity_number == 9


def test_beside_lines_prose_is_told_whole() -> None:
    prose = ["sold out: sku=AB msg=none", "1773454049123 items", "a\nb"]
    documents = documents_of(LOGFMT, KLOG, *prose, {"text": "an object"}, 7, None, **OWN)
    reading = reading_of(documents)
    events = events_of(documents, MILLIS, reading)
    assert events == [event_of(document, MILLIS, reading) for document in documents]
    assert [event.body for event in events[:5]] == [
        'said "no"',
        "mailer.go:42] enqueue done for user_id=4711",
        *[text.replace("\n", "␊") for text in prose],
    ]


def test_further_lines_follow_what_the_first_one_says() -> None:
    trace = 'Traceback:\n  File "x.py"\nValueError: user_id=4711'
    event = told(f"{LOGFMT}\n{trace}", **OWN)
    assert event.body == 'said "no"␊Traceback:␊  File "x.py"␊ValueError: user_id=4711'
    assert set(event.keys) == {"order:o-1", "user:4711"}
    assert attributes(event)["message"].startswith(LOGFMT + "␊Traceback")


# Pages


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("own", [{}, OWN])
def test_every_format_keeps_its_keys_and_its_line(example: str, own: Any) -> None:
    event = told(example, **own)
    assert set(RULES.in_text(example)) <= set(event.keys)
    assert event.timestamp // 10**6 == MS
    assert clean(example) in (event.body, attributes(event).get("message"))


def test_a_page_with_lines_that_the_sample_did_not_show() -> None:
    reading = reading_of(documents_of("prose alone", **OWN))
    documents = documents_of("prose", LOGFMT, **OWN)
    assert [e.body for e in events_of(documents, MILLIS, reading)] == ["prose", 'said "no"']


def test_an_index_mixes_more_formats_than_a_file() -> None:
    names = ("logfmt", "klog", "nginx-error", "celery", "tomcat", "iso-level", "ruby")
    texts = [BY_NAME[name].example for name in names for _ in range(SAMPLE // 20)]
    found = formats_in(texts, Dialect())
    assert {BY_NAME[name] for name in names} <= set(found.formats)
    assert [item.name for item in found.formats][-1] == "iso", "what fits any dated line is last"
    assert formats_in(["prose"], found) is found


def test_what_a_share_proves_is_asked_of_all_lines() -> None:
    """Any sentence that opens with a stamp, two words and a colon looks like a journal's line."""
    odd = "2026-03-14T02:07:29+00:00 still waiting: user_id=4711"
    found = formats_in([LOGFMT, LOGFMT, odd], Dialect())
    again = formats_in([LOGFMT, LOGFMT, odd], found)
    assert again.formats == found.formats
    assert "journal" not in {item.name for item in found.formats}
    assert "journal" in {item.name for item in formats_in([odd, odd, LOGFMT], Dialect()).formats}


@pytest.mark.parametrize(
    "line",
    [
        "msg=b " * 5_000 + '"',
        'level=info msg="' + "a=b " * 6_000,
        "level=info msg=a " + "x" * 30_000,
        "level=info msg=a " + 'k="\\" ' * 4_000,
        "level=info msg=a b=" + "=" * 30_000,
        "level=info msg=a " + "b=c " * 100_000,
    ],
    ids=["messages", "open-quote", "long-word", "escapes", "equals", "pairs"],
)
def test_no_line_is_looked_at_for_long(line: str) -> None:
    documents = documents_of(line, "level=info msg=hello", **OWN)
    started = time.process_time()
    told(line, **OWN)
    events = events_of(documents, MILLIS, reading_of(documents))
    assert events[1].body == "hello"
    assert time.process_time() - started < 2.0


def test_a_payload_is_no_line() -> None:
    line = "level=info msg=a " + "b=c " * (LONGEST // 4)
    assert told(line[: LONGEST - 100], **OWN).body == "a"
    assert told(line, **OWN).body.startswith("level=info msg=a b=c ")


def test_hostile_lines_are_cleaned() -> None:
    evil = "a\x1b[31m\u202eb\ud800\x7f"
    event = told(f'level=info svc={evil} msg="{evil}" {evil}=1 x="{evil}"\n{evil}')
    later = told(f"2026-03-14 02:07:29 ERROR {evil}\r\n{evil}")
    for text in (event.body, event.actor, event.clock, *event.keys, later.body, later.actor):
        assert not set("\x1b\u202e\x7f\n\ud800") & set(text)
    for shown in (attributes(event), attributes(later)):
        assert not set("\x1b\u202e\x7f\n\ud800") & set(json.dumps(shown, ensure_ascii=False))


@given(st.lists(st.text(max_size=60) | st.sampled_from(EXAMPLES), max_size=8), st.booleans())
def test_a_page_and_a_preview_tell_the_same(messages: list[str], levelled: bool) -> None:
    documents = documents_of(*messages, **(OWN if levelled else {}))
    reading = reading_of(documents)
    alone = [event_of(document, MILLIS, reading) for document in documents]
    assert events_of(documents, MILLIS, reading) == alone
