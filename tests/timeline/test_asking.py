"""Asking detectors: once, and once more by better clocks; what would make an order certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

import pytest

from halfawake.plugins import detectors as known_detectors
from tests.timeline.worlds import TIGHT, World, shop
from timeline import asking
from timeline.asking import Flip, ask_all, with_clock_needs
from timeline.clock import ClockBound, ClockTable, consulted_clocks
from timeline.finding import Finding, NotEvaluated, Step
from timeline.incident import Incident
from timeline.once import once
from timeline.order import Verdict, before

SECOND = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Ordered(Finding):
    term: ClassVar[str] = "ordered"
    remedy: ClassVar[str] = "wait"

    def sentence(self) -> str:
        return f"{self.steps[0].event.body} came before {self.steps[-1].event.body}"


@dataclass(frozen=True, kw_only=True)
class Wrong(Finding):
    term: ClassVar[str] = "wrong"
    remedy: ClassVar[str] = "set it"
    bounds: Mapping[str, ClockBound] = field(default_factory=dict)
    flipped: tuple[Flip, ...] = ()

    def sentence(self) -> str:
        return "a clock is wrong"

    def better_clocks(self) -> Mapping[str, ClockBound]:
        return self.bounds

    def having_flipped(self, flips: tuple[Flip, ...]) -> Finding:
        return replace(self, flipped=flips)


class Orders:
    """Tells in which order two lines stand, by their clocks; counts how often it is asked."""

    term: ClassVar[str] = "ordered"

    def __init__(self, first: str, second: str) -> None:
        self.first, self.second = first, second
        self.asked = 0

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        self.asked += 1
        events = incident.snapshot.in_order(0, len(incident.snapshot))
        one, other = (
            next(event for event in events if event.body == body)
            for body in (self.first, self.second)
        )
        order = before(one, other, incident.clocks)
        if order.verdict is None:
            return []
        steps = (Step("first", one, "it began"), Step("second", other, "it followed", order))
        told = Ordered(
            verdict=order.verdict,
            weakest_link=f"the order of the two: {order.because}",
            began=one.timestamp,
            ended=other.timestamp,
            steps=steps,
            would_decide=("Look twice.",),
        )
        return [told]


class Knows:
    term: ClassVar[str] = "wrong"

    def __init__(self, bounds: Mapping[str, ClockBound]) -> None:
        self.bounds = bounds
        self.asked = 0

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        self.asked += 1
        incident.clocks.bound("db")
        link = "it says so"
        return [
            Wrong(verdict=Verdict.CERTAIN, weakest_link=link, began=0, ended=0, bounds=self.bounds)
        ]


class Broken:
    term: ClassVar[str] = "broken"

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        raise KeyError("no such column")


def two_lines(apart: float = 1.0, bound: ClockBound = TIGHT) -> Incident:
    world = World(bound=bound)
    world.log(100, "web", "asked", clock="web")
    world.log(100 + apart, "db", "answered", clock="db")
    world.log(200, "mail", "sent", clock="mail")
    world.log(201, "pay", "paid", clock="pay")
    return world.incident()


def test_who_used_the_clock_is_asked_again_and_nobody_else() -> None:
    knows = Knows({"db": ClockBound(3 * SECOND, 0, "from shared ids")})
    used, other = Orders("asked", "answered"), Orders("sent", "paid")
    answers = ask_all(two_lines(), [used, knows, other])
    assert (used.asked, knows.asked, other.asked) == (2, 1, 1)
    verdicts = {f.sentence(): f.verdict for f in answers.findings}
    assert verdicts["asked came before answered"] is Verdict.POSSIBLE
    assert verdicts["sent came before paid"] is Verdict.CERTAIN
    (wrong,) = (f for f in answers.findings if isinstance(f, Wrong))
    assert wrong.flipped == (Flip("ordered", Verdict.CERTAIN, Verdict.POSSIBLE),)
    assert wrong.flipped[0].words() == "ordered: certain → possible"


def test_what_is_refuted_is_not_told_any_more() -> None:
    knows = Knows({"db": ClockBound(3 * SECOND, -2 * SECOND, "from shared ids")})
    answers = ask_all(two_lines(), [knows, Orders("asked", "answered")])
    (wrong,) = answers.findings
    assert isinstance(wrong, Wrong)
    assert wrong.flipped == (Flip("ordered", Verdict.CERTAIN, None),)
    assert wrong.flipped[0].words() == "ordered: certain → not told"
    assert answers.looked_for == ("ordered",)


def test_without_a_wrong_clock_everybody_is_asked_once() -> None:
    used, knows = Orders("asked", "answered"), Knows({})
    answers = ask_all(two_lines(), [used, knows])
    assert (used.asked, knows.asked) == (1, 1)
    assert all(not f.flipped for f in answers.findings if isinstance(f, Wrong))


def test_a_detector_that_breaks_the_second_time_is_not_evaluated() -> None:
    class Fragile(Orders):
        def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
            if self.asked:
                raise RuntimeError("only once")
            return super().detect(incident)

    knows = Knows({"db": ClockBound(3 * SECOND, 0, "from shared ids")})
    answers = ask_all(two_lines(), [Fragile("asked", "answered"), knows])
    assert [skipped.needs for skipped in answers.not_evaluated] == [
        "a repair: RuntimeError('only once')"
    ]


@pytest.mark.parametrize(
    ("millis", "within"),
    [(300, 49), (100, None), (400, 149)],
)
def test_what_would_make_it_certain(millis: int, within: int | None) -> None:
    """Of two clocks known to ±250 ms one alone, or both, would have to be known better."""
    (finding,) = ask_all(
        two_lines(millis / 1000, ClockBound()), [Orders("asked", "answered")]
    ).findings
    assert finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    (first, *more) = finding.would_decide
    assert first == "Look twice."
    (told,) = more
    if within is None:
        assert "web's clock and db's clock are right to within 49.5 ms" in told
    else:
        assert f"is right to within {within} ms" in told
        assert "±250 ms assumed" in told
    assert "halfawake check" in told


@pytest.mark.parametrize("millis", [60, 100, 300, 420, 490])
def test_the_bound_that_is_asked_for_is_enough_and_no_looser_one_is(millis: int) -> None:
    incident = two_lines(millis / 1000, ClockBound())
    (finding,) = ask_all(incident, [Orders("asked", "answered")]).findings
    needs = finding.steps[1].order.needs if finding.steps[1].order else None
    assert needs is not None
    one, other = (step.event for step in finding.steps)
    for slack, certain in ((0, True), (1_000_001, False)):
        by = needs.within + slack
        table = ClockTable(dict.fromkeys(needs.clocks, ClockBound(by, by, "measured")))
        assert (before(one, other, table).verdict is Verdict.CERTAIN) is certain


def test_a_certain_finding_and_one_with_another_weak_link_ask_for_nothing() -> None:
    (certain,) = ask_all(two_lines(2.0), [Orders("asked", "answered")]).findings
    assert certain.would_decide == ("Look twice.",)
    (weak,) = ask_all(two_lines(0.3, ClockBound()), [Orders("asked", "answered")]).findings
    plain = replace(weak, would_decide=(), weakest_link="a source could not be read")
    assert with_clock_needs(plain) is plain


def test_no_shared_fact_asks_for_a_clock() -> None:
    """Facts are kept when clocks become known better, so none may depend on their bounds."""
    incident = shop().incident()
    names = [name for name, kind in vars(Incident).items() if isinstance(kind, once)]
    assert {"errors", "jobs", "lost_attempts"} <= set(names)
    with consulted_clocks() as consulted:
        for name in names:
            getattr(incident, name)
    assert consulted == set()
    better = incident.with_clocks(ClockTable({"web.log": ClockBound(1, 1)}))
    assert all(getattr(better, name) is getattr(incident, name) for name in names)
    assert better.clocks != incident.clocks
    kept = [f.name for f in fields(Incident) if f.name != "clocks"]
    assert all(getattr(better, name) is getattr(incident, name) for name in kept)


def test_watching_ends_with_its_block() -> None:
    table = ClockTable()
    with consulted_clocks() as outer:
        table.bound("a")
        with consulted_clocks() as inner:
            table.bound("b")
        table.bound("c")
    table.bound("d")
    assert (outer, inner) == ({"a", "c"}, {"b"})


def test_a_wrong_clock_says_so_in_words() -> None:
    slow = ClockBound(-1_800_000_000, 1_812_000_000, "from shared ids")
    assert slow.excludes_right and slow.words() == "1806 ms slow ±6 ms from shared ids"
    fast = ClockBound().shifted(2 * SECOND, "in another zone")
    assert fast.words() == "2000 ms fast ±250 ms in another zone"
    assert not ClockBound(5, 5).excludes_right


def test_of_many_events_two_threads_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    detectors = [*known_detectors(), Broken()]
    alone = ask_all(shop().incident(), detectors)
    monkeypatch.setattr(asking, "MANY", 1)
    for _ in range(5):  # whoever comes first must not matter
        together = ask_all(shop().incident(), detectors)
        assert together == alone
    assert len(alone.findings) == 6
    assert together.not_evaluated[-1].term == "broken"


def test_each_thread_tells_whose_clocks_it_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MANY", 1)
    knows = Knows({"db": ClockBound(3 * SECOND, 0, "from shared ids")})
    used, other = Orders("asked", "answered"), Orders("sent", "paid")
    ask_all(two_lines(), [used, knows, other])
    assert (used.asked, knows.asked, other.asked) == (2, 1, 1)
