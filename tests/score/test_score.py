"""The score's own parts, and the goals as far as a minute can hold them.

`HELD` are the families whose fault was on the first screen in every window of the full score; they
must stay there. All others are in the table of `make score`, met or not.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import polars as pl
import pytest

from tests.score.baselines import nearest_errors
from tests.score.catalogue import Scenario, confusers, detectors, families, scenario
from tests.score.collection import Archive, View, collected
from tests.score.healthy import healthy
from tests.score.intervals import quantile, upper_rate, wilson
from tests.score.measure import Plan, Result, false_alarms
from tests.score.observe import HEALTHY, RECORDED, Observation, Said, Task, observe
from tests.score.recorded import NIGHTS, RecordedNight, claims_about, quiet_windows
from tests.score.table import FALSE_GOAL, as_json, as_markdown
from tests.score.truth import Truth, precision, recall
from timeline.event import Lane
from timeline.order import Verdict

HEALTHY_WINDOWS = 25
HELD = (
    "deadlocks",
    "lock-pile-up",
    "network-hiccup",
    "never-collected",
    "poison-job",
    "region-silent",
)
LOUD: frozenset[tuple[str, str]] = frozenset()
"""Confusers that are not silent yet, with the term: known, in the table, not excused elsewhere."""


def test_a_seed_gives_the_same_world_and_another_seed_another() -> None:
    first, second, third = (healthy(seed) for seed in ("a/1", "a/1", "a/2"))
    assert [event for event, _ in first.told] == [event for event, _ in second.told]
    assert [event for event, _ in first.told] != [event for event, _ in third.told]


def test_a_clock_error_moves_the_stamps_of_one_host_together() -> None:
    world = healthy("clock/1")
    straight = collected(world).snapshot.events
    bent = collected(world, View(clock_error=250_000_000))
    host = world.company.front.hosts[0]
    for clock, moved in ((host, True), ("", True)):
        before = straight.filter(straight["clock"] == clock).sort("source", "seq")
        after = bent.snapshot.events.filter(bent.snapshot.events["clock"] == clock)
        differences = (after.sort("source", "seq")["timestamp"] - before["timestamp"]).abs()
        assert bool((differences > 0).any()) is moved
        assert int(str(differences.max())) <= 250_000_000
    assert bent.clocks.bound(host).behind >= 250_000_000


def test_a_source_that_is_left_out_is_gone_with_its_coverage() -> None:
    world = healthy("drop/1")
    seen = collected(world, View(without=frozenset(("database",))))
    assert "database" not in {source.name for source in seen.sources}
    assert not seen.snapshot.coverage.of("database")
    assert "database" in {source.name for source in collected(world).sources}


def test_a_sample_of_the_lines_says_that_it_is_one() -> None:
    world = healthy("sample/1")
    whole, part = collected(world), collected(world, View(log_share=0.1))
    assert 0.02 < len(part.snapshot) / len(whole.snapshot) < 0.6
    assert any("sampled" in entry.reason for entry in part.snapshot.coverage.blind())


@pytest.mark.parametrize(
    "view", [View(), View(log_share=0.1), View(clock_error=250_000_000)], ids=str
)
def test_an_archive_gives_every_line_the_keys_of_its_own_words(view: View) -> None:
    archive = Archive.of(healthy("keys/1"))
    archive.collected(View(log_share=0.5))  # what was seen before leaves no trace
    incident = archive.collected(view)
    events = incident.snapshot.events.with_row_index("row")
    lines = events.filter(pl.col("lane") == Lane.LOG.value)
    found = incident.key_rules.in_column(lines.get_column("body"))
    expected = found.with_columns(lines.get_column("row").gather(found.get_column("row")))
    held = incident.snapshot.keys_of(lines.get_column("row"))
    assert set(held.rows()) == set(expected.select("row", "key").rows())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("family", families(), ids=lambda family: family.name)
def test_every_injection_leaves_its_mark(family: Scenario, seed: int) -> None:
    truth, earliest, latest = injected(family, seed)
    assert truth.effect, f"{family.name} seed {seed} changed nothing"
    assert earliest <= truth.onset < truth.ended <= latest
    assert truth.term not in truth.also


@cache
def injected(family: Scenario, seed: int) -> tuple[Truth, int, int]:
    """What a family did to its world, and from when to when it may have done it, ns."""
    world, truth = family.world(seed)
    assert truth is not None
    return truth, world.start, world.at(world.end_s + 120)


def test_a_healthy_night_is_quiet() -> None:
    looks = [observe(Task(HEALTHY, seed, group=HEALTHY)) for seed in range(HEALTHY_WINDOWS)]
    wrong = false_alarms(looks)
    assert len(wrong) / len(looks) <= FALSE_GOAL
    assert [said for said in wrong if said.verdict is Verdict.CERTAIN] == []
    assert [words for look in looks for words in look.broken] == []


def test_the_recorded_quiet_hour_is_quiet_wherever_it_is_pinned() -> None:
    windows = quiet_windows()
    assert len(windows) >= 10
    looks = [observe(Task(RECORDED, n, group=HEALTHY)) for n in range(0, len(windows), 4)]
    assert [said for look in looks for said in look.said] == []
    assert [words for look in looks for words in look.broken] == []


@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.story)
def test_nothing_false_is_said_of_a_recorded_night(night: RecordedNight) -> None:
    said = claims_about(night)
    assert [one.sentence for one in said if not one.true] == []
    assert set(night.faults) <= {one.term for one in said[:7]}


@pytest.mark.parametrize("name", HELD)
def test_what_was_found_is_still_found(name: str) -> None:
    look = observe(Task(name, 0, group="developed"))
    assert look.effect
    assert look.first_screen, [said.sentence for said in look.said]


@pytest.mark.parametrize("name", [confuser.name for confuser in confusers()])
def test_a_look_alike_sets_nothing_off(name: str) -> None:
    look = observe(Task(name, 0, group="confuser"))
    known = {term for confuser, term in LOUD if confuser == name}
    assert set(look.disturbed) <= known, [said.sentence for said in look.said]


def test_every_registered_detector_has_a_family() -> None:
    sought = {term for family in families() for term in injected(family, 0)[0].accepted}
    assert {detector.term for detector in detectors()} <= sought


def test_the_trivial_answer_names_keys_of_error_lines() -> None:
    world, truth = scenario("connections-exhausted").world(0)
    assert truth is not None
    assert precision(nearest_errors(collected(world)), truth.entities) not in (None, 0.0)


def test_shares_carry_their_interval() -> None:
    low, high = wilson(9, 10)
    assert 0.59 < low < 0.60 and 0.98 < high < 0.99  # tabulated for 9 of 10
    assert wilson(0, 0) == (0.0, 1.0)
    assert upper_rate(0, 300) == pytest.approx(0.01)
    assert upper_rate(1, 100) == pytest.approx(0.0474, abs=0.0005)  # Poisson, one event
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([], 0.5) is None


def test_entities_count_once_whatever_key_names_them() -> None:
    entities = (frozenset(("user:1", "job:a")), frozenset(("user:2",)))
    assert precision(["user:1", "job:a", "user:9"], entities) == pytest.approx(2 / 3)
    assert recall(["user:1", "job:a"], entities) == 0.5
    assert precision([], entities) is None


def test_the_table_says_what_is_not_met() -> None:
    lie = Said("lost-worker", Verdict.CERTAIN, False, "A worker was lost.")
    quiet = Observation(Task(HEALTHY, 1, group=HEALTHY), events=9)
    loud = replace(quiet, said=(lie,))
    plan = Plan.quick()
    page = as_markdown(Result(plan, ("lost-worker",), (quiet, loud), (), 1.0))
    assert "| 0 certain in healthy windows | 1 in 2 (≤ 2.364) | **no** |" in page
    assert "lost-worker (certain) in healthy, 1 times" in page
    assert '"A worker was lost."' in as_json(Result(plan, (), (loud,), (), 1.0))
    clean = as_markdown(Result(plan, ("lost-worker",), (quiet,), (), 1.0))
    assert "| 0 certain in healthy windows | 0 in 1 (≤ 3.000) | yes |" in clean
