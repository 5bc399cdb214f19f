"""Every language says what all must say, every night is told as meant. No detector runs here."""

from __future__ import annotations

import random
from collections import Counter
from string import Formatter

import polars as pl
import pytest

from tests.score.collection import collected
from tests.score.families.find import family_module
from tests.score.healthy import healthy
from tests.score.queues import Attempt, Job
from tests.score.seventh_company.ids import RECORDS, REQUESTS
from tests.score.seventh_company.lookalikes import LOOKALIKES
from tests.score.seventh_company.queues import QUEUES
from tests.score.seventh_company.quiet import quiet_night
from tests.score.seventh_company.utility import CONSUMERS, LANGUAGES, PRODUCERS, Shift
from tests.score.truth import Truth
from tests.score.wording import STYLES
from timeline.event import Kind, Lane
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

FAMILIES = {
    "printworks_jammed": "third-party",
    "workers_back_at_once": "resume-herd",
    "meter_filed_twice": "duplicate-create",
    "handhelds_in_dock": "duplicate-enqueue",
    "restored_from_snapshot": "clock-skew",
    "deaf_listener": "orphaned-record",
    "three_layers_deep": "retry-storm",
    "garbled_telegrams": "novel-template",
    "squeezed_quarter_hour": "run-overlap",
    "stalled_job_store": "ambiguous-enqueue",
}
SEEDS = range(12)
"""Of which ten must have their effect, in each family."""
FEWEST, MOST = 3_000, 12_000
OWN = {"job_timeout"}
"""Phrases that the generator's languages do not have."""
TOLD = {"id": "k7p2", "rid": "r9q1", "jid": "551", "ms": 4, "thing": "outage", "Thing": "Outage"}


def built(name: str, seed: int) -> tuple[Shift, Truth]:
    """The night as the score would build it."""
    module = family_module(name)
    night = healthy(f"{name.replace('_', '-')}/{seed}", (), module.prepare)
    truth = module.inject(night)
    assert isinstance(night, Shift)
    assert isinstance(truth, Truth)
    return night, truth


def keys_of(night: Shift) -> set[str]:
    """Every key that some event or job of this night carries."""
    rules = KeyRules()
    found = {key for event, _ in night.told for key in event.keys}
    lines = pl.Series([event.body for event, _ in night.told if event.lane is Lane.LOG])
    found.update(rules.in_column(lines).get_column("key").to_list())
    return found | {f"job:{job.id}" for job in night.jobs}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_its_effect_on_most_nights(name: str) -> None:
    effects = 0
    for seed in SEEDS:
        night, truth = built(name, seed)
        effects += truth.effect
        assert truth.term == FAMILIES[name]
        assert FEWEST <= len(collected(night).snapshot) < MOST
        pin, end = night.at(1800), night.at(night.now_s)
        assert 5 * 60 - 2 <= (pin - truth.onset) / SECOND_NS <= 15 * 60 + 2
        assert truth.onset < truth.ended <= end + SECOND_NS * 15
    assert effects >= 10


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FAMILIES)
def test_a_night_is_as_its_truth_says(name: str, seed: int) -> None:
    night, truth = built(name, seed)
    named = keys_of(night)
    for entity in truth.entities:
        assert not entity.isdisjoint(named), entity
    refs = Counter((event.source, event.ref) for event, _ in night.told)
    assert [ref for ref, count in refs.items() if count > 1 and ref[0] != "prometheus"] == []
    assert max(Counter(job.id for job in night.jobs).values()) == 1
    for event, host in night.told:
        assert event.body.strip()
        assert host
        assert event.body.count("{") == event.body.count("}"), event.body
        if event.lane is Lane.LOG:
            assert 1 <= event.severity_number <= 24
            assert night.start - 60 * SECOND_NS <= event.timestamp
            assert event.timestamp < night.at(night.end_s) + 60 * SECOND_NS, event.body
    for job in night.jobs:
        assert all(a.ended is None or a.ended <= night.at(night.now_s) for a in job.attempts)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_night_is_the_same_for_a_seed(name: str) -> None:
    first, one = built(name, 1)
    again, two = built(name, 1)
    assert [event for event, _ in first.told] == [event for event, _ in again.told]
    assert first.jobs == again.jobs
    assert one == two


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_phrase_and_asks_for_nothing_else(language: str) -> None:
    style = LANGUAGES[language]
    assert set(style) == set().union(*STYLES.values()) | OWN
    always = {"thing", "Thing", "host", "port", "n"}
    for phrase in set(style) - OWN:
        asked = set().union(*(_fields(other.get(phrase, "")) for other in STYLES.values()))
        assert _fields(style[phrase]) <= asked | always, phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_line_is_about_can_be_read(language: str) -> None:
    style, rules = LANGUAGES[language], KeyRules()
    for phrase in ("wrote", "pushed", "started", "done"):
        line = style[phrase].format(job="outage.follow-up", **TOLD)
        assert "outage:k7p2" in rules.in_text(line), line
    for phrase in ("begin", "end", "wrote", "pushed"):
        told = {**TOLD, "method": "POST", "path": "/outages", "status": 201, "job": "x"}
        found = rules.in_text(style[phrase].format(**told))
        assert {"request:r9q1", "trace:r9q1"} & set(found), phrase


@pytest.mark.parametrize("shape", RECORDS)
def test_an_id_is_read_whole(shape: str) -> None:
    made = RECORDS[shape](random.Random(11))
    assert made == RECORDS[shape](random.Random(11))
    assert f"outage:{made}" in KeyRules().in_text(f"stored outage_id={made} now")


@pytest.mark.parametrize(
    ("queue", "kinds"),
    [
        ("pg-boss", [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_FINISHED]),
        ("river", [Kind.JOB_ENQUEUED, Kind.JOB_RETRIED, Kind.JOB_STARTED, Kind.JOB_FINISHED]),
    ],
)
def test_a_queue_remembers_what_it_really_does(queue: str, kinds: list[Kind]) -> None:
    tries = [
        Attempt(4 * SECOND_NS, 5 * SECOND_NS, "retried", "w:1", "a", "boom"),
        Attempt(9 * SECOND_NS, 10 * SECOND_NS, "finished", "w:2", "b"),
    ]
    job = Job("7", "outage_follow_up", "outage_id=3", (), "letters", "f", [3 * SECOND_NS], tries)
    told = list(QUEUES[queue].told(job, 20 * SECOND_NS))
    assert [m.kind for _, m, _ in sorted(told, key=lambda t: t[1].timestamp)] == kinds
    assert len({moment.ref for _, moment, _ in told}) == len(told)


def test_every_queue_has_languages_that_there_are() -> None:
    assert set(PRODUCERS) == set(CONSUMERS) == set(QUEUES)
    assert {v for users in PRODUCERS.values() for v in users} <= set(LANGUAGES)
    assert set(CONSUMERS.values()) <= set(LANGUAGES)
    assert set(REQUESTS) == set(LANGUAGES)


def test_twenty_quiet_nights_finish_their_jobs_and_keep_their_size() -> None:
    again = quiet_night("calm/0")
    for seed in range(20):
        night = quiet_night(f"calm/{seed}")
        ended = [job.state() == "finished" for job in night.jobs]
        assert sum(ended) > 0.9 * len(ended) > 20
        assert FEWEST <= len(collected(night).snapshot) < MOST
        if seed == 0:
            assert [event for event, _ in night.told] == [event for event, _ in again.told]
        else:
            assert night.utility != again.utility


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_lookalike_repeats_itself_and_is_about_drawn_terms(name: str) -> None:
    like = LOOKALIKES[name]
    first, again = like.night(f"{name}/1"), like.night(f"{name}/1")
    assert [event for event, _ in first.told] == [event for event, _ in again.told]
    assert like.terms[0] in FAMILIES.values()
    assert FEWEST <= len(collected(first).snapshot) < MOST


def _fields(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}
