"""The JSON export: what its schema says, complete, deterministic and never broken by content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.world import ANALYSIS, EVENTS, OPTIONS, RACE, incident, log, saying, undated
from timeline.analysis import Condition
from timeline.export.json_ import SCHEMA_VERSION, JsonExporter, schema


def exported(**changed: object) -> dict[str, Any]:
    analysis = replace(ANALYSIS, **changed)  # type: ignore[arg-type]  # fields of the dataclass
    text = JsonExporter().render(incident(), analysis, OPTIONS)
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def strict() -> jsonschema.Draft202012Validator:
    """The schema with every object closed, so that an undocumented field is an error."""

    def closed(node: Any) -> Any:
        if isinstance(node, dict):
            extra = {"additionalProperties": False} if "properties" in node else {}
            return {**{name: closed(item) for name, item in node.items()}, **extra}
        return [closed(item) for item in node] if isinstance(node, list) else node

    return jsonschema.Draft202012Validator(closed(json.loads(schema())))


def check(document: object) -> None:
    strict().validate(document)


def test_the_schema_is_one_and_describes_every_field() -> None:
    whole = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(whole)

    def undescribed(node: object, path: str) -> Iterator[str]:
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                if not isinstance(field, dict) or not {"description", "$ref"} & field.keys():
                    yield f"{path}/{name}"
            for name, item in node.items():
                yield from undescribed(item, f"{path}/{name}")

    assert list(undescribed(whole, "")) == []


def test_an_incident_is_what_the_schema_says() -> None:
    document = exported()
    check(document)
    assert document["schema_version"] == SCHEMA_VERSION
    assert [finding["term"] for finding in document["findings"]] == [
        "network-hiccup",
        "job-before-commit",
    ]
    assert document["redaction"]["removed"][0] == {"rule": "email", "count": 1}


@pytest.mark.parametrize("condition", list(Condition))
def test_every_condition_fits_the_schema(condition: Condition) -> None:
    check(exported(state=replace(ANALYSIS.state, condition=condition, since=None), onset=None))


def test_an_empty_incident_fits_the_schema() -> None:
    quiet = replace(ANALYSIS, onset=None, findings=(), not_evaluated=(), common=(), blind=())
    document = json.loads(JsonExporter().render(incident(()), quiet, OPTIONS))
    check(document)
    assert [row["origin"] for row in document["timeline"]] == ["inferred", "pin"]
    assert document["evidence"] == []


def test_the_schema_refuses_what_is_not_an_export() -> None:
    document = exported()
    document["pin"]["time"] = "2026-03-14 02:13"
    with pytest.raises(jsonschema.ValidationError):
        check(document)


def test_records_without_a_time_are_listed_and_counted() -> None:
    snapshot = replace(incident().snapshot, undated=undated("boom", "ada@example.com"))
    seen = replace(incident(), snapshot=snapshot)
    document = json.loads(JsonExporter().render(seen, ANALYSIS, OPTIONS))
    check(document)
    assert document["totals"]["undated"] == 2
    assert [record["body"] for record in document["undated"]] == ["boom", "email#1"]


def test_every_citation_has_its_evidence() -> None:
    document = exported()
    labels = [record["label"] for record in document["evidence"]]
    assert labels == [f"E{number}" for number in range(1, len(labels) + 1)]
    cited = {label for row in document["timeline"] for label in row["cites"]}
    cited |= {step["cites"] for finding in document["findings"] for step in finding["steps"]}
    assert cited <= set(labels)


def test_evidence_ids_are_those_of_the_events_and_stay() -> None:
    by_ref = {record["ref"]: record["id"] for record in exported()["evidence"]}
    assert by_ref["users/4711"] == EVENTS[33].id
    assert by_ref["rq:job:8f4711"] == EVENTS[31].id


def test_instants_are_exact_and_in_the_recorded_precision() -> None:
    rows = {row["text"]: row for row in exported()["timeline"]}
    started = rows["WelcomeMail(user_id=4711) started"]
    assert started["time"] == "2026-03-14T02:07:29.284000Z"
    assert started["unix_ns"] == "1773454049284000000"
    assert started["from_pin_ns"] == "-370716000000"
    assert rows["web v412 deployed"]["time"] == "2026-03-14T02:05:00Z"


def test_the_same_incident_gives_the_same_bytes_in_any_order_of_arrival() -> None:
    names = sorted({event.source for event in EVENTS})
    first = JsonExporter().render(incident(EVENTS, names), ANALYSIS, OPTIONS)
    again = JsonExporter().render(incident(EVENTS, names[::-1]), ANALYSIS, OPTIONS)
    assert first == again


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_content_breaks_the_syntax(body: str, sentence: str) -> None:
    events = [log("02:07:29.117", body), *EVENTS[1:]]
    text = JsonExporter().render(incident(events), saying(text=sentence), OPTIONS)
    text.encode("utf-8")
    check(json.loads(text))


@pytest.mark.parametrize(
    "attributes",
    [
        '{"ratio": NaN, "most": Infinity}',
        '{"huge": 1e999}',
        "[" * 200 + "]" * 200,
        "[" * 100_000,
        '{"escape": "\\u001b[31m", "half": "\\ud800"}',
        "no JSON at all",
        '{"a": ' * 60 + "1" + "}" * 60,
    ],
)
def test_attributes_that_json_readers_choke_on(attributes: str) -> None:
    event = log("02:07:29.100", "odd", attributes=attributes)
    finding = replace(RACE, steps=(replace(RACE.steps[0], event=event),))
    text = JsonExporter().render(
        incident((*EVENTS, event)), replace(ANALYSIS, findings=(finding,)), OPTIONS
    )
    text.encode("utf-8")
    assert "\x1b" not in text
    document = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    check(document)
