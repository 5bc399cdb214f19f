"""What must hold of every detector, whatever it looks for: four ways to tell a night again.

A draw of developed families, and a healthy night, are told once more: arrived in another order,
among strangers, on another day, by clocks that are trusted less. `HALFAWAKE_DRAW=7` draws other
nights; without it the draw is always the same.

A schedule that is configured by the hour of the day moves along with its night; only how the
sentence spells it may differ.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import pytest

from tests.score.altered import (
    add_strangers,
    all_nights_later,
    arrived_otherwise,
    trusting_clocks_less,
)
from tests.score.catalogue import detectors, families_in
from tests.score.collection import collected
from tests.score.healthy import healthy
from tests.score.world import World
from timeline.asking import ask_all
from timeline.finding import Finding
from timeline.incident import Incident
from timeline.order import Verdict, at_least
from timeline.window import MINUTE_NS, SECOND_NS

DRAW = int(os.environ.get("HALFAWAKE_DRAW", "0"))
FAMILIES = 8
"""A night takes a few seconds of one core, told five times."""
HEALTHY = "healthy"
NIGHTS = (
    HEALTHY,
    *sorted(random.Random(DRAW).sample([f.name for f in families_in("developed")], FAMILIES)),
)
HOUR_NS = 60 * MINUTE_NS
LATER = (3 * HOUR_NS, 37 * 24 * HOUR_NS)
LESS_TRUSTED = (300_000_000, 4 * SECOND_NS)
POSSIBLE = Verdict.POSSIBLE
_TIMES = re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?|\d{4}-\d\d-\d\d|\d+ \d+ \* \* \*")


@dataclass(frozen=True)
class Night:
    """One night and what all detectors said of it."""

    incident: Incident
    said: Sequence[Finding]


def drawn(name: str) -> World:
    if name == HEALTHY:
        return healthy(f"{HEALTHY}/properties/{DRAW}")
    family = next(family for family in families_in("developed") if family.name == name)
    return family.world(DRAW)[0]


@cache
def night(name: str) -> Night:
    incident = collected(drawn(name))
    return Night(incident, said_of(incident))


def said_of(incident: Incident) -> list[Finding]:
    """Everything that was said; no detector may break."""
    answers = ask_all(incident, detectors())
    assert [n for n in answers.not_evaluated if n.needs.startswith("a repair")] == []
    return answers.findings


def graded(finding: Finding, later: int = 0) -> tuple[object, ...]:
    """All that is claimed, but for the words."""
    span = (finding.began - later, finding.ended - later)
    return (finding.term, finding.verdict.value, finding.qualifier, finding.keys, span)


def without_times(text: str) -> str:
    return _TIMES.sub("then", text)


def upgraded(before: Iterable[Finding], after: Iterable[Finding]) -> list[str]:
    """Sentences of `after` that claim more than anything of `before` about the same records.

    A claim that is new counts from likely on: that something is possible may follow from knowing
    less.
    """
    claims = [finding for finding in before if not finding.qualifier]
    found = []
    for finding in after:
        same = [claim for claim in claims if _about_the_same(claim, finding)]
        known = any(at_least(claim.verdict, finding.verdict) for claim in same)
        stands_for_itself = not finding.qualifier and (same or finding.verdict is not POSSIBLE)
        if stands_for_itself and not known:
            found.append(f"{finding.term} ({finding.verdict.value}): {finding.sentence()}")
    return found


def _about_the_same(one: Finding, other: Finding) -> bool:
    mine, theirs = (
        {*finding.keys, *(step.event.ref for step in finding.steps)} for finding in (one, other)
    )
    return one.term == other.term and (bool(mine & theirs) or mine == theirs)


@pytest.mark.parametrize("name", NIGHTS)
def test_the_order_of_arrival_changes_nothing(name: str) -> None:
    once = night(name)
    again = said_of(arrived_otherwise(once.incident, random.Random(DRAW)))
    assert [graded(f) for f in again] == [graded(f) for f in once.said]
    assert [_words(f) for f in again] == [_words(f) for f in once.said]


def _words(finding: Finding) -> list[str]:
    """The words of a finding in an order of their own: sources may be listed as they stand."""
    return sorted(re.findall(r"[\w.:]+", f"{finding.sentence()} {finding.weakest_link}"))


@pytest.mark.parametrize("name", NIGHTS)
def test_strangers_make_nothing_surer(name: str) -> None:
    world = drawn(name)
    strangers = add_strangers(world)
    said = said_of(collected(world))
    about_the_others = [f for f in said if not any(who in f.sentence() for who in strangers)]
    assert upgraded(night(name).said, about_the_others) == []


@pytest.mark.parametrize("name", NIGHTS)
def test_another_day_changes_nothing_but_the_times(name: str) -> None:
    later = LATER[NIGHTS.index(name) % len(LATER)]
    with all_nights_later(later):
        world = drawn(name)
    said = said_of(collected(world))
    once = night(name)
    assert [graded(f, later) for f in said] == [graded(f) for f in once.said]
    told = [without_times(f.sentence()) for f in said]
    assert told == [without_times(f.sentence()) for f in once.said]


@pytest.mark.parametrize("name", NIGHTS)
def test_clocks_that_are_trusted_less_make_nothing_surer(name: str) -> None:
    once = night(name)
    less = LESS_TRUSTED[NIGHTS.index(name) % len(LESS_TRUSTED)]
    said = said_of(trusting_clocks_less(once.incident, less))
    assert upgraded(once.said, said) == []


def test_the_draw_holds_something_to_lose() -> None:
    """Otherwise all of the above would hold of detectors that say nothing."""
    claims = [f for name in NIGHTS[1:] for f in night(name).said if not f.qualifier]
    assert len({finding.term for finding in claims}) >= FAMILIES // 2
    assert any(finding.verdict is Verdict.CERTAIN for finding in claims)


def test_a_surer_claim_is_noticed() -> None:
    """The comparison itself can fail: a night that lost its certainty is upgraded by itself."""
    said = [f for name in NIGHTS[1:] for f in night(name).said if not f.qualifier]
    weaker = [_doubted(finding) for finding in said]
    sure = [finding for finding in said if finding.verdict is not POSSIBLE]
    assert len(upgraded(weaker, said)) == len(sure)
    assert upgraded(said, weaker) == []
    assert len(upgraded([], said)) == len(sure)


def _doubted(finding: Finding) -> Finding:

    return replace(finding, verdict=POSSIBLE)
