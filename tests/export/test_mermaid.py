"""Mermaid diagrams: what an arrow claims, and that nothing from outside leaves its message."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from tests.export.pasted import page
from tests.export.test_formats_hostile import TEXTS
from tests.export.test_injection import MESSAGES, rendered
from tests.export.test_sequence import found
from tests.export.world import (
    ANALYSIS,
    DEPLOY,
    FAILED,
    INSERTED,
    OPTIONS,
    STARTED,
    TIMEOUTS,
    incident,
)
from timeline.export.mermaid import MermaidExporter, coded, diagram
from timeline.finding import Step
from timeline.order import Order, Verdict

TEXT = r"(?:[\w .,:'?/()+=±…→-]|#\d+;)*"
LINE = re.compile(
    rf"sequenceDiagram"
    rf"|    participant P\d+ as {TEXT}"
    rf"|    Note over P\d+(?:,P\d+)?: (?:\d+\. [\d :.-]+ \([^()#;]+\) )?{TEXT}"
    rf"|    P\d+(?:->>|-->>|-->|-x)P\d+: \d+\. [\d :.-]+ \([^()#;]+\) {TEXT}"
)
"""Every line that a diagram may hold, written apart from the code that makes them."""


def diagrams(text: str) -> list[list[str]]:
    return [fence.rstrip("\n").split("\n") for fence in page(text).fences]


def assert_inert(text: str) -> None:
    made = page(text)
    assert made.forbidden == []
    assert made.commands == []
    drawn = diagrams(text)
    assert drawn
    for lines in drawn:
        assert [line for line in lines if not LINE.fullmatch(line)] == []


def lines_of(*steps: Step) -> list[str]:
    model = found(*steps)
    assert model is not None
    return diagram(model, TIMEOUTS[0].timestamp)


@pytest.mark.parametrize(
    ("verdict", "arrow"),
    [
        (Verdict.CERTAIN, "->>"),
        (Verdict.LIKELY, "-->>"),
        (Verdict.POSSIBLE, "-->"),
        (None, "-x"),
    ],
)
def test_an_arrow_claims_what_the_order_claims(verdict: Verdict | None, arrow: str) -> None:
    order = Order(verdict, "because")
    lines = lines_of(Step("write", INSERTED, ""), Step("start", STARTED, "", order))
    assert f"P1{arrow}P2: 2. 2026-03-14 02:07:29.284000 (+0.167 s) start" in lines[-1]


def test_no_claim_is_no_arrow_and_gaps_are_notes() -> None:
    lines = lines_of(Step("deploy", DEPLOY, ""), Step("error", TIMEOUTS[0], ""))
    assert lines[3:] == [
        "    Note over P1: 1. 2026-03-14 02:05:00 (-2 min 29 s) deploy E1",
        "    Note over P1,P2: 2 min 29 s later",
        "    Note over P2: 2. 2026-03-14 02:07:29.117 (0 s) error E2",
    ]
    one = lines_of(
        Step("a", INSERTED, ""), Step("b", STARTED, ""), Step("c", FAILED, "", Order(None, ""))
    )
    assert "Note over P2" in one[-1], "one actor: nothing runs from it to itself"


def test_the_export_draws_each_proof_of_two_actors() -> None:
    text = MermaidExporter().render(incident(), ANALYSIS, OPTIONS)
    assert len(diagrams(text)) == 1
    assert "### 1. network-hiccup: likely" in text
    assert_inert(text)


@pytest.mark.parametrize("text", TEXTS, ids=[str(n) for n in range(len(TEXTS))])
def test_hostile_text_stays_in_its_message(text: str) -> None:
    assert_inert(rendered(text, MermaidExporter()))


@settings(max_examples=200, deadline=None)
@given(MESSAGES)
def test_no_text_leaves_its_line(text: str) -> None:
    assert re.fullmatch(TEXT, made := coded(text))
    assert made


def test_words_of_the_language_are_coded() -> None:
    assert coded("end") == "#101;nd"
    assert coded("ended: no wrap") == "ended: no #119;rap"
    assert coded("a;b#c%%d") == "a#59;b#35;c#37;#37;d"
    assert coded("") == "-"


def test_what_exceeds_the_limit_is_counted() -> None:
    from dataclasses import replace

    many = replace(ANALYSIS, findings=ANALYSIS.findings * 30)
    text = MermaidExporter().render(incident(), many, replace(OPTIONS, limit=8_000))
    assert len(text) <= 8_000
    assert re.search(r"- Cut: \d+ of 60 findings left out", text)
