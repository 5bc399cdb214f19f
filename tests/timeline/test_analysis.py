"""The whole: the shop's night end to end, what victims share, and what a verdict must survive."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.analysis import Analysis, Condition, analyse
from timeline.batch import Batch
from timeline.clock import ClockBound, ClockTable
from timeline.coverage import Coverage, Sight
from timeline.detectors.ambiguous_enqueue import AmbiguousEnqueue, AmbiguousEnqueueDetector
from timeline.detectors.blind_spot import BlindSpotDetector
from timeline.detectors.job_before_commit import JobBeforeCommit, JobBeforeCommitDetector
from timeline.detectors.network_hiccup import NetworkHiccup, NetworkHiccupDetector
from timeline.finding import Detector, Finding, NotEvaluated
from timeline.incident import Incident
from timeline.order import Verdict, at_least
from timeline.store import Store

from .worlds import HICCUP, World, early_job, healthy, shop

DETECTORS: tuple[Detector, ...] = (
    NetworkHiccupDetector(),
    JobBeforeCommitDetector(),
    AmbiguousEnqueueDetector(),
    BlindSpotDetector(),
)
SLOW = settings(max_examples=12, deadline=None)
"""Every example analyses a whole incident."""


def night(world: World) -> Analysis:
    return analyse(world.incident(), DETECTORS)


def claims(analysis: Analysis) -> dict[tuple[str, str], Verdict]:
    """Every claim about one thing with its verdict: the finding's, or that of its case."""
    found: dict[tuple[str, str], Verdict] = {}
    for finding in analysis.findings:
        if isinstance(finding, NetworkHiccup):
            found[(finding.term, finding.system)] = finding.verdict
            found |= {(finding.term, flight.id): Verdict.CERTAIN for flight in finding.in_flight}
        elif isinstance(finding, JobBeforeCommit):
            found |= {(case.variant, case.key): case.verdict for case in finding.cases}
        elif isinstance(finding, AmbiguousEnqueue):
            found |= {(case.outcome, case.key): case.verdict for case in finding.cases}
        else:
            found[(finding.term, finding.sentence())] = finding.verdict
    return found


def stronger(after: Analysis, before: Analysis) -> list[tuple[str, str]]:
    """Claims of `before` that `after` makes more surely."""
    held = claims(before)
    return [
        claim
        for claim, verdict in claims(after).items()
        if claim in held and verdict is not held[claim] and at_least(verdict, held[claim])
    ]


def new_certainties(after: Analysis, before: Analysis) -> list[tuple[str, str]]:
    """Claims that only `after` makes, and for certain."""
    held = claims(before)
    told = claims(after).items()
    return [claim for claim, verdict in told if verdict is Verdict.CERTAIN and claim not in held]


@cache
def base() -> Analysis:
    return night(shop())


def test_the_shops_night_in_one_line() -> None:
    analysis = base()
    assert [finding.term for finding in analysis.findings] == [
        "network-hiccup",
        "ambiguous-enqueue",
        "job-before-commit",
    ]
    assert analysis.state.condition is Condition.RECOVERED
    assert analysis.headline == (
        "Web and 2 more lost redis:6379 for 1.9 s. 1 enqueue lost, 3 users have no row in mails. "
        "1 job ran before its row was visible. 0 new/min."
    )
    assert analysis.next_action == "Look up 4711 before replaying."
    assert not analysis.not_evaluated


def test_a_healthy_night_says_nothing() -> None:
    analysis = night(healthy(World()))
    assert analysis.findings == ()
    assert analysis.onset is None
    assert analysis.common == ()
    assert analysis.headline == "Nothing stands out in what was read."


def test_healthy_nights_have_no_findings_however_they_vary() -> None:
    """A few random errors of every kind, far from one another, are not a story."""
    for seed in range(25):
        dice = random.Random(seed)
        world = healthy(World(), every=30.0)
        for number in range(8):
            line = dice.choice(
                [
                    "read ECONNRESET",
                    "redis.exceptions.ConnectionError: Connection closed by server.",
                    "LookupError: Template 9 not found",
                    "upstream timed out (110: Connection timed out)",
                    "boom",
                ]
            )
            seconds = 50 + number * 250 + dice.random() * 200
            world.error(seconds, dice.choice(["web", "billing", "mailer"]), line)
        assert night(world).findings == (), f"seed {seed}"


def test_evidence_is_json() -> None:
    import json

    for finding in base().findings:
        assert json.loads(json.dumps(finding.evidence()))


class Broken:
    """A stranger's detector that raises."""

    term: ClassVar[str] = "broken"

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        raise KeyError("no such column")


class LazilyBroken:
    """A stranger's detector whose findings raise when they are read."""

    term: ClassVar[str] = "lazily-broken"

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        return (1 / 0 for _ in range(1))  # type: ignore[return-value]


def test_a_broken_detector_is_reported_and_takes_nothing_away() -> None:
    analysis = analyse(shop().incident(), (*DETECTORS, Broken(), LazilyBroken()))
    assert len(analysis.findings) == 3
    assert [skipped.term for skipped in analysis.not_evaluated] == ["broken", "lazily-broken"]


def test_what_victims_share_is_found_in_columns_and_attributes() -> None:
    world = World()
    for number in range(400):
        zone = "b" if number % 8 == 0 else "a"
        bad = number > 350 and zone == "b"
        world.log(
            number * 5,
            "web",
            "boom" if bad else "ok",
            severity=17 if bad else 9,
            attributes={"zone": zone, "version": "v412"},
        )
    (trait,) = night(world).common
    assert (trait.trait, trait.value, trait.victims_with) == ("zone", "b", trait.victims)
    assert trait.others_share < 0.2


def test_what_everybody_has_is_not_what_victims_share() -> None:
    world = World()
    for number in range(400):
        world.log(number * 5, "web", "boom", severity=17 if number % 40 == 0 else 9)
    assert night(world).common == ()


@SLOW
@given(st.integers(0, 2**32))
def test_arrival_order_changes_nothing(seed: int) -> None:
    world, dice = shop(), random.Random(seed)
    batches = _split(world, dice)
    dice.shuffle(batches)
    analysis = analyse(world.incident(batches), DETECTORS)
    assert claims(analysis) == claims(base())
    assert analysis.headline == base().headline
    assert analysis.onset == base().onset


def _split(world: World, dice: random.Random) -> list[Batch]:
    """The world's batches, each cut into a few at random places; coverage goes with the first."""
    from timeline.batch import BatchExtras, batch_of

    parts: list[Batch] = []
    for batch in world.batches():
        mine = [event for event in world.events if event.source == batch.source]
        dice.shuffle(mine)
        cut = dice.randint(0, len(mine))
        parts.append(batch_of(batch.source, mine[:cut], BatchExtras(coverage=batch.coverage)))
        parts.append(batch_of(batch.source, mine[cut:]))
    return parts


LINES = (
    ("cart", "GET /cart 200", 9),
    ("cart", "cache miss for basket", 9),
    ("nightly", "report written", 9),
    ("cart", "boom", 17),
    ("cart", "HTTP 404 page not found", 13),
)


@SLOW
@given(st.lists(st.tuples(st.floats(1, 2099), st.sampled_from(LINES)), min_size=1, max_size=60))
def test_unrelated_lines_never_upgrade_a_verdict(
    lines: list[tuple[float, tuple[str, str, int]]],
) -> None:
    world = shop()
    for seconds, (actor, body, severity) in lines:
        world.log(seconds, actor, body, severity=severity)
    analysis = night(world)
    assert stronger(analysis, base()) == []
    assert new_certainties(analysis, base()) == []
    assert claims(base()).keys() <= claims(analysis).keys()


@SLOW
@given(st.integers(-(10**6), 10**6))
def test_shifting_all_clocks_changes_nothing_but_the_times(seconds: int) -> None:
    world = shop()
    world.shift = seconds * 10**9
    for index, event in enumerate(world.events):
        if event.attributes is not None:
            world.events[index] = replace(event, attributes=_moved(event.attributes, seconds))
    assert claims(night(world)) == claims(base())


def _moved(attributes: str, seconds: int) -> str:
    import json
    from datetime import datetime, timedelta

    told = json.loads(attributes)
    for name in ("seen_at", "commit_timestamp"):
        if name in told:
            moment = datetime.fromisoformat(told[name]) + timedelta(seconds=seconds)
            told[name] = moment.isoformat()
    return json.dumps(told)


def uncertain_world() -> World:
    """The shop, and a job whose commit was recorded."""
    world = shop()
    early_job(world, 4800, HICCUP + 60, commit=HICCUP + 60.3)
    return world


@SLOW
@given(st.lists(st.integers(0, 12_000), min_size=2, max_size=4))
def test_wider_clock_bounds_never_upgrade_a_verdict(milliseconds: list[int]) -> None:
    incident = uncertain_world().incident()
    widths = sorted(set(milliseconds))
    nights = [analyse(_with_bound(incident, width), DETECTORS) for width in widths]
    for narrow, wide in pairwise(nights):
        assert stronger(wide, narrow) == []
        assert new_certainties(wide, narrow) == []


def _with_bound(incident: Incident, milliseconds: int) -> Incident:
    bound = ClockBound(milliseconds * 1_000_000, milliseconds * 1_000_000)
    return replace(incident, clocks=ClockTable(assumed=bound))


NEGATIVES = ("lost", "unknown")


@pytest.mark.parametrize("source", ["rq", "mailer.log", "postgres", "web.log"])
def test_a_dropped_source_never_makes_surer(source: str) -> None:
    world = shop()
    world.dropped.add(source)
    analysis = night(world)
    assert stronger(analysis, base()) == []


@pytest.mark.parametrize("source", ["rq", "mailer.log"])
def test_without_a_witness_negatives_are_only_possible(source: str) -> None:
    world = shop()
    world.dropped.add(source)
    negatives = {
        claim: verdict for claim, verdict in claims(night(world)).items() if claim[0] in NEGATIVES
    }
    assert negatives
    assert set(negatives.values()) == {Verdict.POSSIBLE}


def test_dropping_everything_but_one_source_says_what_is_missing() -> None:
    world = shop()
    world.events = [event for event in world.events if event.source == "postgres"]
    analysis = night(world)
    assert {skipped.term for skipped in analysis.not_evaluated} == {
        "network-hiccup",
        "ambiguous-enqueue",
        "blind-spot",
        "job-before-commit",
    }


@pytest.mark.parametrize("sight", [None, Sight.BLIND])
def test_a_source_that_could_not_be_reached_is_no_clean_bill(sight: Sight | None) -> None:
    """The database is configured and did not answer: that is not a database without such rows."""
    world = shop()
    incident = world.incident()
    world.dropped.add("postgres")
    batches = world.batches()
    if sight is not None:
        unread = Coverage("postgres", incident.window.start, incident.window.end, sight)
        batches[0] = replace(batches[0], coverage=(*batches[0].coverage, unread))
    broken = replace(world.incident(batches), sources=incident.sources)
    assert [skipped.term for skipped in analyse(broken, DETECTORS).not_evaluated] == [
        "job-before-commit"
    ]


def test_analysis_of_an_empty_store() -> None:
    incident = replace(World().incident(), snapshot=Store().snapshot())
    analysis = analyse(incident, DETECTORS)
    assert analysis.findings == ()
    assert analysis.state.condition is Condition.UNKNOWN
