"""The trace: places and lengths as recorded, runs paired by their own job, always valid."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings

from tests.export.test_injection import MESSAGES, rendered
from tests.export.world import (
    ANALYSIS,
    EVENTS,
    FAILED,
    OPTIONS,
    STARTED,
    TIMEOUTS,
    WINDOW,
    T,
    incident,
    job,
)
from timeline.event import Event, Kind
from timeline.export.trace import TraceExporter

PHASES = {
    "M": {"ph", "name", "pid", "tid", "args"},
    "i": {"ph", "s", "name", "pid", "tid", "ts", "args"},
    "X": {"ph", "name", "pid", "tid", "ts", "dur", "args"},
}


def traced(*marked: Event) -> dict[str, Any]:
    seen = incident((*(e for e in EVENTS if e not in marked), *marked))
    text = TraceExporter().render(seen, ANALYSIS, replace(OPTIONS, marked=marked))
    tree: dict[str, Any] = json.loads(text)
    return tree


def events(tree: dict[str, Any], phase: str) -> list[dict[str, Any]]:
    return [event for event in tree["traceEvents"] if event["ph"] == phase]


def assert_valid(tree: dict[str, Any]) -> None:
    """Fields by phase, and every place named before it is used."""
    named = {(e["pid"], e["tid"]) for e in events(tree, "M")}
    for event in tree["traceEvents"]:
        assert event.keys() == PHASES[event["ph"]]
        assert event.get("dur", 0) >= 0
        assert (event["pid"], event["tid"]) in named
    assert len(tree["traceEvents"]) > 8


def test_a_run_is_as_long_as_it_took() -> None:
    tree = traced(STARTED, FAILED)
    (run,) = (one for one in events(tree, "X") if one["pid"] > 1)
    assert run["ts"] == (STARTED.timestamp - WINDOW.start) / 1_000
    assert run["dur"] == (FAILED.timestamp - STARTED.timestamp) / 1_000 == 3_000
    assert run["args"]["time"] == "2026-03-14T02:07:29.284000Z"
    assert run["args"]["ended"] == "job.failed"
    instants = [one["args"]["kind"] for one in events(tree, "i") if one["pid"] > 1]
    assert "job.failed" in instants, "a failure is seen, not only the end of a slice"


def test_a_start_is_never_paired_with_the_end_of_another_job() -> None:
    first = job("02:07:31", Kind.JOB_STARTED, "one started", 1)
    second = job("02:07:32", Kind.JOB_STARTED, "two started", 2)
    done = job("02:07:33", Kind.JOB_FINISHED, "two finished", 2)
    again = job("02:07:34", Kind.JOB_STARTED, "two started again", 2)
    runs = [one for one in events(traced(first, second, done, again), "X") if one["pid"] > 1]
    assert [(one["name"], one["dur"]) for one in runs if "two" in one["name"]] == [
        ("two started", 1_000_000)
    ]
    assert not any("one" in one["name"] for one in runs)


def test_the_pin_the_onset_and_the_findings_have_their_place() -> None:
    tree = traced()
    at = {one["name"]: one["ts"] for one in events(tree, "i") if one["s"] == "g"}
    assert at["T, the pinned instant"] == (T - WINDOW.start) / 1_000
    assert at["onset"] == (TIMEOUTS[0].timestamp - WINDOW.start) / 1_000
    spans = {one["name"]: one["dur"] for one in events(tree, "X") if one["pid"] == 1}
    assert spans["network-hiccup"] == 1_400_000
    processes = [one["args"]["name"] for one in events(tree, "M") if one["name"] == "process_name"]
    assert processes[0] == "halfawake"
    assert {"web (log)", "mailers (queue)"} <= set(processes)
    assert tree["otherData"]["zero"] == "2026-03-14T01:43:40.000000000Z"
    assert_valid(tree)


def test_it_is_redacted() -> None:
    leak = replace(TIMEOUTS[3], body="login ada@example.com password=hunter22secret")
    text = json.dumps(traced(leak))
    assert "hunter22secret" not in text
    assert "ada@" not in text
    assert "email#1" in text


@settings(max_examples=40, deadline=None)
@given(MESSAGES)
def test_no_text_breaks_it(text: str) -> None:
    made = rendered(text, TraceExporter())
    assert made.isascii()
    assert_valid(json.loads(made))
