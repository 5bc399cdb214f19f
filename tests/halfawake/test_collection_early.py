"""What is said while sources still answer: soon, seldom, and never that something is absent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from connectors.contract import Answer
from halfawake import early_looks, plugins
from halfawake.collection import CollectionSession
from halfawake.early_looks import EarlyLooks, telling_rows
from halfawake.setup import PreparedSource, Setup
from tests.halfawake.fakes import FakeConnector, event, fake, setup_of
from tests.timeline.test_lost_worker import silent, started
from tests.timeline.worlds import HICCUP, START, World, at, healthy, shop
from timeline.analysis import Analysis, Condition, analyse
from timeline.batch import Batch, batch_of
from timeline.coverage import Sight
from timeline.event import Event, Kind
from timeline.finding import speaks_early
from timeline.incident import Incident
from timeline.progress import CollectionEnded, IncidentGrew, Update
from timeline.window import Budget, Window

PATIENCE_S = 20.0
ABSENT = ("no row in", "not visible", "was lost", "no line", "silent", "enqueue lost", "no known")


@dataclass
class Night:
    """A world's sources; those in `slow` give their last batch only when `released`."""

    world: World
    slow: frozenset[str]
    released: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[Update] = field(default_factory=list)
    before: Incident | None = None
    """What was known when the slow sources were released."""

    @property
    def window(self) -> Window:
        return Window(at(self.world.pin), START, at(self.world.end))

    def setup(self, later: Callable[[Event], bool]) -> Setup:
        """Every source; of the slow ones, events for which `later` holds come at the end."""
        whole = {batch.source: batch for batch in self.world.batches()}
        sources = []
        for info in self.world.sources():
            events = [event for event in self.world.events if event.source == info.name]
            connector = fake(info.name)
            connector.behaviour = self._giving(info.name, whole[info.name], events, later)
            sources.append(PreparedSource(info, connector, Budget(seconds=60)))
        return Setup(tuple(sources), self.world.rules, detectors=plugins.detectors())

    def _giving(
        self, name: str, whole: Batch, events: list[Event], later: Callable[[Event], bool]
    ) -> Callable[[Window], AsyncIterator[Answer]]:
        async def behaviour(window: Window) -> AsyncIterator[Answer]:
            if name not in self.slow:
                yield whole
                return
            first = batch_of(name, [event for event in events if not later(event)])
            # As bold as a connector can be: it claims the window before it has told all of it.
            yield replace(first, coverage=whole.coverage)
            await self.released.wait()
            yield batch_of(name, [event for event in events if later(event)])

        return behaviour

    async def collect(self, setup: Setup, seen: Callable[[IncidentGrew], bool]) -> None:
        """Collect; the slow sources go on once an early look was told that `seen` accepts."""
        session = CollectionSession(setup, self._take, lambda: at(self.world.end + 5))
        work = asyncio.create_task(session.collect(self.window))
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not any(seen(g) for g in self.looks):  # noqa: ASYNC110  # any of many
                    await asyncio.sleep(0.01)
            self.before = next(grew.incident for grew in self.looks if seen(grew))
            self.released.set()
            await work
        finally:
            work.cancel()
            await session.close()

    def _take(self, update: Update) -> None:
        self.told.append(update)

    @property
    def looks(self) -> list[IncidentGrew]:
        grown = [update for update in self.told if isinstance(update, IncidentGrew)]
        return [grew for grew in grown if grew.analysis is not None]

    @property
    def early(self) -> list[tuple[Incident, Analysis]]:
        return [
            (grew.incident, grew.analysis)
            for grew in self.looks
            if grew.incident.reading and grew.analysis is not None
        ]

    @property
    def last(self) -> Analysis:
        analysis = self.looks[-1].analysis
        assert analysis is not None
        assert isinstance(self.told[-1], CollectionEnded)
        return analysis


def said_in(analysis: Analysis) -> str:
    """Everything the screen would say above the rows."""
    sentences = [finding.sentence() for finding in analysis.findings]
    return " ".join([analysis.headline, analysis.next_action, *sentences])


def as_if_all_had_answered(incident: Incident) -> Analysis:
    """What would be said of the very same rows if nobody knew that a source is being read."""
    named = [e for e in incident.snapshot.coverage.entries if e.sight is not Sight.BLIND]
    coverage = replace(incident.snapshot.coverage, entries=tuple(named))
    bold = replace(incident, reading=(), snapshot=replace(incident.snapshot, coverage=coverage))
    return analyse(bold, plugins.detectors())


def everything_but(*slow: str) -> Callable[[IncidentGrew], bool]:
    return lambda grew: set(grew.incident.reading) == set(slow)


def mails_elsewhere() -> World:
    """The shop, but the mails of those three users are held by a second database."""
    world = shop()
    for user in (4711, 4712, 4716):
        world.row(HICCUP + 40, "mails", user * 10, columns={"user_id": user}, source="archive")
    return world


def finished_after_all() -> World:
    """A worker that is not heard of, whose job the queue tells to have ended, but only later."""
    world = healthy(World())
    started(world, "j1", 1500.0)
    silent(world, seconds=1510.0)
    world.job(1530.0, Kind.JOB_FINISHED, "j1", "user_id=1")
    return world


CASES: Sequence[tuple[Callable[[], World], str, Callable[[Event], bool], str]] = [
    (mails_elsewhere, "archive", lambda event: True, "have no row in mails"),
    (
        finished_after_all,
        "rq",
        lambda event: event.ref.startswith("j1#job.finished"),
        "worker w1 was lost",
    ),
]


@pytest.mark.parametrize(("world", "slow", "later", "absence"), CASES)
def test_nothing_is_called_absent_that_a_slow_source_refutes(
    world: Callable[[], World], slow: str, later: Callable[[Event], bool], absence: str
) -> None:
    async def scene() -> Night:
        night = Night(world(), frozenset({slow}))
        await night.collect(night.setup(later), everything_but(slow))
        return night

    night = asyncio.run(scene())
    assert night.before is not None
    assert absence in said_in(as_if_all_had_answered(night.before)).lower(), "a trap that is none"
    for _, analysis in night.early:
        assert not [words for words in ABSENT if words in said_in(analysis).lower()]
        assert analysis.state.condition is Condition.UNKNOWN
        quiet = {skipped.term for skipped in analysis.not_evaluated}
        assert {"lost-worker", "ambiguous-enqueue", "blind-spot"} <= quiet
    assert absence not in said_in(night.last).lower()
    assert not night.looks[-1].incident.reading


def test_what_is_there_is_said_before_the_slow_source_has_answered() -> None:
    async def scene() -> Night:
        night = Night(shop(), frozenset({"postgres"}))
        wanted = everything_but("postgres")
        await night.collect(
            night.setup(lambda event: True),
            lambda grew: (
                wanted(grew) and grew.analysis is not None and bool(grew.analysis.findings)
            ),
        )
        return night

    night = asyncio.run(scene())
    early = next(analysis for _, analysis in night.early if analysis.findings)
    assert [finding.term for finding in early.findings] == ["network-hiccup"]
    assert early.headline.startswith("Web and 2 more lost redis:6379 for 1.9 s.")
    assert "new/min" not in early.headline
    assert "3 users have no row in mails" in night.last.headline


def test_a_source_that_claims_its_window_early_is_not_believed_before_it_ends() -> None:
    async def scene() -> Night:
        night = Night(healthy(World()), frozenset({"rq"}))
        await night.collect(night.setup(lambda event: False), everything_but("rq"))
        return night

    night = asyncio.run(scene())
    incident, analysis = night.early[-1]
    limits = incident.snapshot.coverage.limits(["rq"], START, at(2100))
    assert any(entry.sight is Sight.BLIND for entry in limits)
    assert "rq" not in {entry.source for entry in analysis.blind}, "progress tells, not the blind"
    final = night.looks[-1].incident.snapshot.coverage
    assert not final.limits(["rq"], START, at(2100))


def test_without_a_promise_a_detector_waits() -> None:
    speaking = {detector.term for detector in plugins.detectors() if speaks_early(detector)}
    assert "network-hiccup" in speaking
    assert not speaking & {"lost-worker", "ambiguous-enqueue", "blind-spot", "poison-job"}


# When it is looked


@dataclass
class Watch:
    """Looks that take `takes_s` each, and when they were begun and told."""

    takes_s: float = 0.0
    begun: list[int] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    told: int = 0

    def analyse(self, incident: Incident) -> Analysis:
        began = time.monotonic()
        self.begun.append(telling_rows(incident))
        time.sleep(self.takes_s)
        analysis = replace(analyse(incident, ()), headline="")
        self.spans.append((began, time.monotonic()))
        return analysis

    def tell(self, analysis: Analysis) -> None:
        self.told += 1


def holding(errors: int, *reading: str) -> Incident:
    world = World()
    for number in range(errors):
        world.log(number, "web", "GET / 200")
        world.error(number + 0.5, "web", "GET / 500")
    return replace(world.incident(), reading=reading)


def test_looks_never_overlap_and_rest_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_looks, "SOONEST_S", 0.0)
    watch = Watch(takes_s=0.02)
    growing = [holding(2**number, "db") for number in range(4)]

    async def scene() -> None:
        looks = EarlyLooks(watch.analyse, watch.tell)
        async with asyncio.timeout(PATIENCE_S):
            for incident in growing:
                while telling_rows(incident) not in watch.begun:
                    looks.consider(incident)
                    await asyncio.sleep(0.002)
        looks.end()

    asyncio.run(scene())
    assert watch.begun == [1, 2, 4, 8]
    for (began, ended), (after, _) in pairwise(watch.spans):
        assert after - ended >= early_looks.REST * (ended - began)


def test_little_that_is_new_is_not_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early_looks, "SOONEST_S", 0.0)
    monkeypatch.setattr(early_looks, "REST", 0.0)
    watch = Watch()

    async def scene() -> None:
        looks = EarlyLooks(watch.analyse, watch.tell)
        for rows, reading in ((0, "db"), (100, "db"), (120, "db"), (120, ""), (200, "")):
            looks.consider(holding(rows, *filter(None, [reading])))
            while looks.under_way:  # noqa: ASYNC110  # as the collector's clock does
                await asyncio.sleep(0.005)
        looks.end()

    asyncio.run(scene())
    assert watch.begun == [100, 120, 200], "the second 120 because a source has ended"
    assert watch.told == 3


def test_a_look_under_way_is_not_told_after_the_end() -> None:
    watch = Watch(takes_s=0.1)

    async def scene() -> None:
        looks = EarlyLooks(watch.analyse, watch.tell)
        looks.consider(holding(10, "db"))
        await asyncio.sleep(0.02)
        looks.end()
        await asyncio.sleep(0.2)

    asyncio.run(scene())
    assert watch.begun == [10]
    assert watch.told == 0


def test_a_hanging_source_does_not_keep_the_others_unsaid() -> None:
    """Nothing more arrives, so nothing but the clock can bring the look about."""
    quick, hanging = fake("web"), fake("db")

    async def one_error(window: Window) -> AsyncIterator[Answer]:
        yield batch_of("web", [event("web", at(1790), "boom", severity=17)])

    async def never(window: Window) -> AsyncIterator[Answer]:
        await asyncio.sleep(60)
        return
        yield

    quick.behaviour, hanging.behaviour = one_error, never
    told: list[str] = []

    def take(update: Update) -> None:
        if isinstance(update, IncidentGrew) and update.analysis is not None:
            told.append(update.analysis.headline)

    async def scene() -> None:
        session = CollectionSession(setup_for(quick, hanging), take, lambda: at(2105))
        work = asyncio.create_task(session.collect(Window(at(1800), START, at(2100))))
        async with asyncio.timeout(PATIENCE_S):
            while not told:  # noqa: ASYNC110  # as a screen would look
                await asyncio.sleep(0.02)
        work.cancel()
        await session.close()

    asyncio.run(scene())
    assert told[-1] == "Errors from 02:29:50.000 on, as far as was read."


def setup_for(*connectors: FakeConnector) -> Setup:
    return replace(setup_of(*connectors, seconds=60), detectors=plugins.detectors())
