"""Diagrams of proofs: who has a column, what an arrow claims, and that no more is claimed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.export.world import (
    ANALYSIS,
    DEPLOY,
    EVENTS,
    FAILED,
    INSERTED,
    OPTIONS,
    RACE,
    SECOND,
    STARTED,
    TIMEOUTS,
    incident,
)
from timeline.event import Event
from timeline.export.build import document_of
from timeline.export.sequence import (
    ACTORS_SHOWN,
    GAP_NS,
    STEPS_SHOWN,
    Actor,
    Sequence,
    records_of,
    sequence_of,
)
from timeline.export.svg_sequence import sequence
from timeline.finding import Step
from timeline.order import Order, Verdict


def found(*steps: Step) -> Sequence | None:
    finding = replace(RACE, steps=steps)
    events = {*EVENTS, *(step.event for step in steps)}
    seen = incident(sorted(events, key=lambda event: event.timestamp))
    document = document_of(seen, replace(ANALYSIS, findings=(finding,)), OPTIONS)
    return sequence_of(document.findings[0], records_of(document))


def drawn(*steps: Step) -> ET.Element:
    model = found(*steps)
    assert model is not None
    return ET.fromstring(sequence(model, EVENTS[0].timestamp, "steps-1"))


def paths(picture: ET.Element, width: str) -> list[ET.Element]:
    """Arrow bodies are drawn in one width of their own."""
    return [one for one in picture.iter("path") if one.get("stroke-width") == width]


ARROW = "1.6"


def between(first: Event, second: Event, verdict: Verdict | None, because: str = "x") -> ET.Element:
    return drawn(Step("a", first, "why a"), Step("b", second, "why b", Order(verdict, because)))


def test_columns_stand_in_the_order_of_the_first_step() -> None:
    model = found(Step("a", INSERTED, ""), Step("b", STARTED, ""), Step("c", INSERTED, ""))
    assert model is not None
    assert model.actors == (Actor("users", "db"), Actor("worker-3", "queue"))
    assert [beat.actor for beat in model.beats] == [0, 1, 0]


@pytest.mark.parametrize("steps", [(), (Step("a", INSERTED, ""),)])
def test_what_one_actor_did_needs_no_picture(steps: tuple[Step, ...]) -> None:
    assert found(*steps) is None
    assert found(Step("a", STARTED, ""), Step("b", FAILED, "")) is None


@pytest.mark.parametrize(
    ("verdict", "dashes", "heads"),
    [
        (Verdict.CERTAIN, "none", 1),
        (Verdict.LIKELY, "6 4", 1),
        (Verdict.POSSIBLE, "1.5 4", 0),
        (None, "none", 1),
    ],
)
def test_an_arrow_claims_what_the_order_claims(
    verdict: Verdict | None, dashes: str, heads: int
) -> None:
    """Body and head differ without colour; an undecided order has no head at all."""
    picture = between(INSERTED, STARTED, verdict)
    bodies = [
        one
        for one in paths(picture, ARROW)
        if one.get("fill") == "none" and one.get("stroke-dasharray")
    ]
    assert [one.get("stroke-dasharray") for one in bodies] == [dashes]
    rest = [
        one
        for one in picture.iter("path")
        if one not in bodies
        and one.get("stroke-width") != "0.8"
        and "a5" not in (one.get("d") or "")
    ]
    assert len(rest) == heads


def test_no_order_claimed_is_no_arrow() -> None:
    picture = drawn(Step("a", INSERTED, ""), Step("b", STARTED, ""))
    assert paths(picture, ARROW) == []
    words = [one.text for one in picture.iter("text")]
    assert "→" not in words


def test_gaps_are_words_and_a_step_stamped_earlier_says_so() -> None:
    forth = " ".join(between(DEPLOY, TIMEOUTS[0], Verdict.CERTAIN).itertext())
    assert "┊ 2 min 29 s" in forth
    assert "back" not in forth
    back = " ".join(between(TIMEOUTS[0], DEPLOY, None).itertext())
    assert "┊ 2 min 29 s back" in back
    model = found(Step("a", INSERTED, ""), Step("b", STARTED, ""))
    assert model is not None
    assert abs(STARTED.timestamp - INSERTED.timestamp) < GAP_NS
    assert [beat.gap for beat in model.beats] == [0, 0]


def test_every_step_shows_its_recorded_time_and_the_bound_of_its_clock() -> None:
    words = [one.text or "" for one in between(INSERTED, STARTED, Verdict.LIKELY).iter("text")]
    assert "02:07:29.110" in words
    assert "02:07:29.284000" in words
    assert "clock ±12 ms measured" in words
    assert sum(text.startswith("clock ") for text in words) == 2


def test_the_busiest_keep_a_column_and_the_others_are_named() -> None:
    many = [
        replace(TIMEOUTS[n], actor=f"web-{n}", timestamp=TIMEOUTS[n].timestamp) for n in range(9)
    ]
    busy = replace(TIMEOUTS[20], actor="web-8")
    model = found(*(Step(f"r{n}", event, "") for n, event in enumerate((*many, busy))))
    assert model is not None
    assert len(model.actors) == ACTORS_SHOWN
    assert "web-8" in [actor.name for actor in model.actors]
    assert set(model.folded) == {f"web-{n}" for n in range(9)} - {a.name for a in model.actors}
    shared = [beat for beat in model.beats if beat.actor == ACTORS_SHOWN - 1]
    assert {beat.who for beat in shared} == set(model.folded)
    text = " ".join(ET.fromstring(sequence(model, 0, "x")).itertext())
    assert all(name in text for name in model.folded)


def test_what_is_not_drawn_is_counted() -> None:
    steps = [Step(f"r{n}", TIMEOUTS[n], "") for n in range(STEPS_SHOWN + 3)]
    model = found(Step("first", INSERTED, ""), *steps)
    assert model is not None
    assert len(model.beats) == STEPS_SHOWN
    assert model.left_out == 4
    assert "and 4 more steps" in " ".join(ET.fromstring(sequence(model, 0, "x")).itertext())


def test_a_failed_step_has_another_sign() -> None:
    calm = between(INSERTED, STARTED, Verdict.CERTAIN)
    failed = between(INSERTED, FAILED, Verdict.CERTAIN)

    def signs(picture: ET.Element) -> int:
        return sum(
            bool(re.search(r"l7 12h-14z", one.get("d") or "")) for one in picture.iter("path")
        )

    assert (signs(calm), signs(failed)) == (0, 1)


def test_long_names_keep_their_ends() -> None:
    long = replace(TIMEOUTS[0], actor="production-web-frontend-eu-west-1a-0017")
    other = replace(TIMEOUTS[1], actor="production-web-frontend-eu-west-1a-0018")
    names = [one.text or "" for one in between(long, other, Verdict.CERTAIN).iter("text")]
    assert any(name.startswith("prod") and name.endswith("0017") for name in names)
    assert any(name.startswith("prod") and name.endswith("0018") for name in names)


def test_a_step_on_another_day_names_it() -> None:
    later = replace(TIMEOUTS[0], timestamp=TIMEOUTS[0].timestamp + 86_400 * SECOND)
    text = " ".join(between(INSERTED, later, Verdict.CERTAIN).itertext())
    assert "2026-03-14" in text
    assert "2026-03-15, clock" in text
