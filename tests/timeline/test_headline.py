"""Line one and the order of findings: the story first, at most as sure as its parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from timeline.analysis import Condition, State
from timeline.event import Event, Kind, Lane
from timeline.finding import Finding, Stage, Step
from timeline.headline import WIDTH, headline_of, next_action_of
from timeline.order import Verdict
from timeline.reading_order import chains_of, in_reading_order

from .worlds import World, at, healthy

RECOVERED = State(Condition.RECOVERED, at(100), 0.0, ("user:1", "user:2"), at(2100))
QUIET = State(Condition.QUIET, None, 0.0, (), at(2100))


def event(ref: str, seconds: float = 0) -> Event:
    return Event(at(seconds), "web.log", Lane.LOG, Kind.LOG, ref, ref)


@dataclass(frozen=True, kw_only=True)
class Told(Finding):
    """A finding of any term, made by hand."""

    term: ClassVar[str] = "told"
    remedy: ClassVar[str] = "Do the right thing."
    words: str

    def sentence(self) -> str:
        return f"{self.words}."


@dataclass(frozen=True, kw_only=True)
class Hiccup(Told):
    term: ClassVar[str] = "network-hiccup"
    stage: ClassVar[Stage] = Stage.TRIGGER


@dataclass(frozen=True, kw_only=True)
class Coincidence(Told):
    term: ClassVar[str] = "coincidence"
    stage: ClassVar[Stage] = Stage.CONTEXT


def told(
    words: str,
    *refs: str,
    began: float = 100,
    verdict: Verdict = Verdict.CERTAIN,
    kind: type[Told] = Told,
    **more: object,
) -> Told:
    steps = tuple(Step("seen", event(ref, began), "why") for ref in refs)
    return kind(
        verdict=verdict,
        weakest_link="",
        began=at(began),
        ended=at(began),
        steps=steps,
        words=words,
        **more,  # type: ignore[arg-type]
    )


def order(*findings: Finding) -> list[str]:
    return [finding.sentence() for finding in in_reading_order(findings)]


def test_the_trigger_comes_before_its_effects_however_late_it_was_noticed() -> None:
    effect = told("effect", "a", "b", began=90)
    trigger = told("trigger", "b", "c", began=100, kind=Hiccup)
    assert order(effect, trigger) == ["trigger.", "effect."]


def test_chains_stay_together_by_shared_keys() -> None:
    one = told("one", "a", began=10, keys=("user:1",))
    other = told("other", "b", began=20, keys=("user:9",))
    late = told("late", "c", began=30, keys=("user:1",))
    assert order(late, other, one) == ["one.", "late.", "other."]


def test_qualifiers_come_last() -> None:
    routine = told("routine", "a", began=1, qualifier=True)
    assert order(routine, told("story", "b", began=50)) == ["story.", "routine."]


def test_what_is_proved_comes_before_a_guess_at_a_trigger() -> None:
    guess = told("guess", "a", began=10, kind=Hiccup, verdict=Verdict.POSSIBLE)
    proved = told("proved", "b", began=90)
    assert order(guess, proved) == ["proved.", "guess."]


def test_context_steps_back_only_behind_what_explains_more() -> None:
    context = told("deploy", "a", began=1, kind=Coincidence, verdict=Verdict.LIKELY)
    for verdict, steps_back in ((Verdict.LIKELY, True), (Verdict.POSSIBLE, False)):
        found = in_reading_order([context, told("story", "b", began=50, verdict=verdict)])
        held = {finding.sentence(): finding.qualifier for finding in found}
        assert held["deploy."] is steps_back
    assert not in_reading_order([context])[0].qualifier


def test_findings_of_one_story_are_one_chain() -> None:
    trigger = told("trigger", "a", "b", began=20, kind=Hiccup)
    effect = told("effect", "b", began=10)
    alone = told("alone", "z", began=5)
    routine = told("routine", "a", qualifier=True)
    chains = chains_of([effect, routine, alone, trigger])
    assert [[f.sentence() for f in chain.findings] for chain in chains] == [
        ["trigger.", "effect."],
        ["alone."],
    ]


def test_one_story_told_twice_is_told_once_by_the_one_with_more_evidence() -> None:
    short = told("short", "a", "b", verdict=Verdict.POSSIBLE)
    long = told("long", "a", "b", "c")
    assert order(short, long) == ["long."]
    assert order(told("same"), told("same")) == ["same."]


def test_order_does_not_depend_on_who_looked_first() -> None:
    findings = [told(f"story {n}", f"e{n}", began=n, keys=(f"user:{n % 2}",)) for n in range(6)]
    assert order(*findings) == order(*reversed(findings))


def test_headline_tells_the_clauses_and_the_rate() -> None:
    incident = healthy(World()).incident()
    line = headline_of(incident, RECOVERED, (told("web lost redis"), told("1 job ran early")))
    assert line == "Web lost redis. 1 job ran early. 0 new/min."


def test_headline_says_possibly_where_the_finding_does() -> None:
    incident = healthy(World()).incident()
    line = headline_of(incident, RECOVERED, (told("web lost redis", verdict=Verdict.POSSIBLE),))
    assert line.startswith("Possibly: web lost redis.")


def test_headline_keeps_to_one_line() -> None:
    incident = healthy(World()).incident()
    findings = tuple(told(f"something number {n} happened to somebody", f"{n}") for n in range(9))
    line = headline_of(incident, RECOVERED, findings)
    assert len(line) <= WIDTH
    assert line.endswith("0 new/min.")


def test_qualifiers_make_no_headline() -> None:
    incident = healthy(World()).incident()
    line = headline_of(incident, QUIET, (told("routine", qualifier=True),))
    assert line == "Nothing stands out in what was read."


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition.FAILING, "Still failing; no known pattern explains it"),
        (Condition.RECOVERED, "Recovered; no known pattern explains it"),
        (Condition.UNKNOWN, "was read up to now"),
    ],
)
def test_without_findings_the_state_is_the_headline(condition: Condition, words: str) -> None:
    incident = healthy(World()).incident()
    state = State(condition, at(100), 1.5, ("user:1",), at(2100))
    assert words in headline_of(incident, state, ())


def test_an_unexplained_state_names_the_routine_that_was_seen_beside_it() -> None:
    incident = healthy(World()).incident()
    state = State(Condition.RECOVERED, at(100), 0.0, ("user:1",), at(2100))
    line = headline_of(incident, state, (told("1 deadlock", qualifier=True),))
    assert line.startswith("Recovered; seen beside it: 1 deadlock (last error")


def test_errors_that_hurt_nobody_are_mentioned_and_no_more() -> None:
    incident = healthy(World()).incident()
    state = State(Condition.RECOVERED, at(100), 0.0, (), at(2100))
    line = headline_of(incident, state, ())
    assert line == "Nothing stands out in what was read (last error 02:01:40.000). 0 new/min."


def test_nothing_read_is_said() -> None:
    assert headline_of(World().incident(), QUIET, ()) == "Nothing was read for this window."


def test_next_action_is_about_keys_before_it_is_about_the_network() -> None:
    trigger = told("trigger", "a", kind=Hiccup, next_action="Look at the network.")
    effect = told("effect", "b", next_action="Replay 4711.")
    assert next_action_of((trigger, effect)) == "Replay 4711."
    assert next_action_of((trigger,)) == "Look at the network."
    assert next_action_of((told("plain"),)) == "Do the right thing."
    assert next_action_of(()) == ""
