"""One document into one event: stamps to the last digit, fields of many makes, hostile text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.documents import (
    Document,
    Reading,
    columns_of,
    documents_in,
    event_of,
    stamp_of,
    with_keys,
)
from connectors.elasticsearch.fields import FieldMap, TimeField, decide, refined
from connectors.elasticsearch.options import ElasticsearchOptions
from tests.conformance.collecting import events_of
from tests.connectors.search_data import ecs, iso, json_string
from timeline.batch import Batch
from timeline.event import Event, Meaning, Precision
from timeline.keys import KeyRules, KeyType

MS = 1_773_454_049_123
MILLIS, NANOS = TimeField("@timestamp"), TimeField("@timestamp", nanoseconds=True)
OPTIONS = ElasticsearchOptions.model_validate({"url": "http://h:1", "index": "logs"})
RULES = KeyRules((KeyType("order", ("order_no",)),))


def mapped(types: dict[str, str], rules: KeyRules = RULES, **options: Any) -> FieldMap:
    """The field map of a mapping."""
    caps = {
        name: {kind: {"type": kind, "aggregatable": kind not in ("text", "object")}}
        for name, kind in types.items()
    }
    body = json.dumps({"indices": ["logs"], "fields": caps}).encode()
    return decide(Reply(200, {}, body, "h:1"), OPTIONS.model_copy(update=options), rules)


ECS = {
    "@timestamp": "date",
    "message": "text",
    "log": "object",
    "log.level": "keyword",
    "service.name": "keyword",
    "host.name": "keyword",
    "user.id": "keyword",
    "user_id": "long",
}


def told(source: Any, fields: FieldMap | None = None, instant: int = MS) -> Event:
    fields = refined(fields or mapped(ECS), [source])
    reading = Reading("logs", fields, RULES, "logs (ingest)")
    document = Document("logs", "d1", source, instant, (instant,))
    (event,) = with_keys([event_of(document, fields.time, reading)], reading)
    return event


# Stamps


@pytest.mark.parametrize(
    ("instant", "time", "written", "stamp", "precision"),
    [
        (MS, MILLIS, "2026-03-14T02:07:29.123Z", MS * 10**6, Precision.MILLISECOND),
        (MS, MILLIS, "2026-03-14T02:07:29.123456Z", MS * 10**6 + 456_000, Precision.MICROSECOND),
        (MS, MILLIS, "2026-03-14T03:07:29,123456789+01:00", MS * 10**6 + 456_789, "ns"),
        (MS, MILLIS, "2026-03-14T02:07:29.1239999999999Z", MS * 10**6 + 999_999, "ns"),
        (MS - 123, MILLIS, "2026-03-14T02:07:29Z", (MS - 123) * 10**6, Precision.SECOND),
        (MS - 23, MILLIS, "2026-03-14T02:07:29.1Z", (MS - 23) * 10**6, Precision.SECOND),
        (MS, MILLIS, MS, MS * 10**6, Precision.MILLISECOND),
        (MS - 123, MILLIS, (MS - 123) // 1000, (MS - 123) * 10**6, Precision.SECOND),
        (MS, MILLIS, None, MS * 10**6, Precision.MILLISECOND),
        (MS, MILLIS, "14/Mar/2026 02:07", MS * 10**6, Precision.MILLISECOND),
        (MS, MILLIS, "2026-03-14T02:07:29.777Z", MS * 10**6, Precision.MILLISECOND),
        (MS, MILLIS, 1773454049.123, MS * 10**6, Precision.MILLISECOND),
        (MS * 10**6 + 456_789, NANOS, None, MS * 10**6 + 456_789, Precision.NANOSECOND),
        (MS * 10**6 + 456_789, NANOS, "2026-03-14T02:07:29.123456789Z", MS * 10**6 + 456_789, "ns"),
        (MS * 10**6, NANOS, "2026-03-14T02:07:29.123Z", MS * 10**6, Precision.MILLISECOND),
    ],
)
def test_a_stamp_is_what_was_recorded(
    instant: int, time: TimeField, written: Any, stamp: int, precision: Precision | str
) -> None:
    assert stamp_of(instant, time, written) == (stamp, Precision(precision))


@given(st.integers(0, 4_000_000_000 * 10**9), st.integers(3, 9))
def test_no_digit_is_lost_or_invented(stamp: int, digits: int) -> None:
    shown = stamp // 10 ** (9 - digits) * 10 ** (9 - digits)
    assert stamp_of(stamp // 10**6, MILLIS, iso(stamp, digits))[0] == shown


def test_a_stamp_beyond_a_float_is_exact() -> None:
    """1773454049123456789 as a double is ...456768: it must never become one."""
    hit: Any = {"_index": "a", "_id": "1", "_source": {}, "sort": [1_773_454_049_123_456_789, 4]}
    answer = json.loads(json.dumps({"hits": {"hits": [hit]}}))
    (document,) = documents_in(answer)
    assert stamp_of(document.instant, NANOS, None)[0] == 1_773_454_049_123_456_789


def test_a_record_without_a_sort_value_gets_no_time() -> None:
    hits: Any = [{"_index": "a", "_id": "1", "_source": {}, "sort": [None, 4]}, {"_id": "2"}]
    assert documents_in({"hits": {"hits": hits}}) == []


def test_a_time_of_arrival_means_no_more_than_that() -> None:
    fields = mapped({"event.ingested": "date", "message": "text"})
    event = told({"event": {"ingested": iso(MS * 10**6)}, "message": "late"}, fields)
    assert (event.meaning, event.clock) == (Meaning.INGESTED, "logs (ingest)")
    assert told(ecs(MS * 10**6, "own time")).meaning is Meaning.OCCURRED


# Fields


def test_ecs_nested_and_dotted_say_the_same() -> None:
    nested = ecs(MS * 10**6, "hello", "error", user={"id": "4711"})
    dotted = {
        "@timestamp": iso(MS * 10**6),
        "log.level": "error",
        "log.logger": "shop.web",
        "service.name": "web",
        "host.name": "web-1",
        "message": "hello",
        "user.id": "4711",
    }
    one, other = told(nested), told(dotted)
    assert (one.body, one.severity_number, one.actor, one.clock) == ("hello", 17, "web", "web-1")
    assert json.loads(one.attributes or "") == json.loads(other.attributes or "")
    assert one.keys == other.keys == ("user:4711",)
    assert one == replace(other, attributes=one.attributes)


def test_an_object_inside_the_message_is_read() -> None:
    event = told(json_string(MS * 10**6, "mail sent", "warn", job_id="j7", user={"id": 4711}))
    assert (event.body, event.severity_number) == ("mail sent", 13)
    assert (event.actor, event.clock) == ("mailer", "worker-1")
    assert set(event.keys) == {"job:j7", "user:4711"}
    attributes = json.loads(event.attributes or "")
    assert (attributes["job_id"], attributes["stream"]) == ("j7", "stdout")
    assert "message" not in attributes


def test_a_message_that_only_looks_like_an_object_stays_text() -> None:
    for message in ("{not json", '{"a": 1', '["a"]', '"text"', "{}x"):
        assert told({"@timestamp": iso(MS * 10**6), "message": message}).body == message


def test_a_stack_trace_follows_its_message() -> None:
    trace = 'Traceback:\n  File "x.py"\nValueError: bad'
    event = told(
        ecs(MS * 10**6, "failed", "error", error={"type": "ValueError", "stack_trace": trace})
    )
    assert event.body == 'failed␊ValueError␊Traceback:␊  File "x.py"␊ValueError: bad'
    assert "error.stack_trace" not in json.loads(event.attributes or "")
    otel = {
        "@timestamp": iso(MS * 10**6),
        "attributes": {"exception.stacktrace": trace},
        "body": "b",
    }
    assert told(otel).body.startswith('b␊Traceback:␊  File "x.py"')


@pytest.mark.parametrize(
    ("field", "level", "severity"),
    [
        ("level", "WARNING", 13),
        ("severity", "Critical", 18),
        ("levelname", "DEBUG", 5),
        ("level", 50, 17),
        ("log.level", "no such level", 0),
        ("SeverityText", "fatal", 21),
    ],
)
def test_levels_of_many_makes(field: str, level: Any, severity: int) -> None:
    source = {"@timestamp": iso(MS * 10**6), "message": "m", field: level}
    assert told(source).severity_number == severity


def test_a_line_that_was_shipped_whole_is_read() -> None:
    line = "2026-03-14 02:07:29,123 ERROR mailer: no such user_id=4711"
    source = {"@timestamp": iso(MS * 10**6), "message": f"{line}\nTraceback:\n  x", "host": "w-1"}
    event = told(source)
    assert (event.severity_number, event.clock) == (17, "w-1")
    assert event.body.endswith("no such user_id=4711␊Traceback:␊  x")
    assert "02:07" not in event.body
    assert event.keys == ("user:4711",)
    assert told({**source, "level": "info"}).body.startswith(line), "its own fields say it all"


def test_a_record_without_a_message_is_told_whole() -> None:
    event = told({"@timestamp": iso(MS * 10**6), "duration": 3})
    assert json.loads(event.body) == {"@timestamp": iso(MS * 10**6), "duration": 3}


def test_configured_fields_win() -> None:
    fields = mapped({**ECS, "txt": "text"}, message_field="txt", service_field="unit")
    event = told(
        {"@timestamp": iso(MS * 10**6), "message": "no", "txt": "yes", "unit": "u"}, fields
    )
    assert (event.body, event.actor) == ("yes", "u")


def test_keys_of_fields_whose_names_say_so() -> None:
    fields = mapped(
        {
            "@timestamp": "date",
            "http.request.id": "keyword",
            "trace.id": "keyword",
            "order_no": "keyword",
            "labels.cartId": "keyword",
            "id": "keyword",
            "valid": "boolean",
            "level": "keyword",
        }
    )
    source = {
        "@timestamp": iso(MS * 10**6),
        "http": {"request": {"id": "r-9"}},
        "trace.id": "abc",
        "order_no": 77,
        "labels": {"cartId": ["c1", "c2"]},
        "id": "bare",
        "level": "info",
    }
    keys = set(told(source, fields).keys)
    assert keys == {"request:r-9", "trace:abc", "order:77", "cart:c1", "cart:c2"}


# Hostile and odd documents


def test_hostile_text_is_cleaned_everywhere() -> None:
    evil = "a\x1b[31m\u202eb\ud800\n\x7f"
    source = json.loads(
        json.dumps({**ecs(MS * 10**6, evil), evil: {evil: [evil, {evil: evil}]}, "user_id": evil})
    )
    source["service"]["name"] = source["host"]["name"] = evil
    document = Document("lo\x1bgs", "d\u202e", source, MS, (MS,))
    fields = refined(mapped(ECS), [source])
    reading = Reading("logs", fields, RULES, "")
    event = event_of(document, MILLIS, reading)
    (keyed,) = with_keys([event], reading)
    shown = [event.body, event.ref, event.actor, event.clock, event.attributes or "", *keyed.keys]
    decoded = json.dumps(json.loads(event.attributes or ""), ensure_ascii=False)
    for text in [*shown, decoded]:
        assert not set("\x1b\u202e\x7f\n\ud800") & set(text)
    columns_of([event], reading)


def test_values_of_every_kind_become_attributes() -> None:
    source: Any = {
        "@timestamp": iso(MS * 10**6),
        "message": "m",
        "n": 1.5,
        "flag": True,
        "none": None,
        "list": [1, "a"],
        "endless": "x" * 100_000,
        "inf": float("inf"),
    }
    short = {**source, "endless": "x"}
    assert json.loads(told(short).attributes or "", parse_constant=pytest.fail)["inf"] == "inf"
    attributes = json.loads(told(source).attributes or "")
    assert attributes["n"] == 1.5
    assert attributes["list"] == [1, "a"]
    assert attributes["inf"] == "inf"
    assert len(attributes["endless"]) < 3_000


def test_a_page_and_a_preview_tell_the_same() -> None:
    sources: list[Any] = [
        ecs(MS * 10**6, "hello 4711", "error", user_id=4711),
        json_string(MS * 10**6, "mail", job_id="j7"),
        {"@timestamp": iso(MS * 10**6), "message": 'nested {"order_no": "o-1"} ä␊'},
    ]
    fields = refined(mapped(ECS), sources)
    reading = Reading("logs", fields, RULES, "")
    documents = [Document("logs", f"d{n}", s, MS, (MS,)) for n, s in enumerate(sources)]
    events = [event_of(document, MILLIS, reading) for document in documents]
    frame, keys = columns_of(events, reading)
    assert events_of(Batch("logs", frame, keys)) == with_keys(events, reading)


# The mapping


def test_time_fields_in_order_of_preference() -> None:
    assert mapped({"ts": "date", "@timestamp": "date_nanos"}).time == NANOS
    assert mapped({"@timestamp": "keyword", "ts": "date"}).time.name == "ts"
    both = mapped({"@timestamp": "date", "event.ingested": "date"})
    assert (both.time.name, both.ingest_time) == (
        "@timestamp",
        TimeField("event.ingested", ingested=True),
    )


def test_only_levels_that_every_index_can_count_are_counted() -> None:
    assert mapped({"@timestamp": "date", "log.level": "keyword"}).level == "log.level"
    dynamic = {"@timestamp": "date", "level": "text", "level.keyword": "keyword"}
    assert mapped(dynamic).level == "level.keyword"
    assert mapped({"@timestamp": "date", "level": "text"}).level == ""


def test_a_word_that_is_an_object_in_the_mapping_is_no_message() -> None:
    fields = mapped({"@timestamp": "date", "log": "object", "event": "object", "msg": "text"})
    assert fields.shape.message == (("msg",),)
