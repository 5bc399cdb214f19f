"""The sixth company's languages say what the others say and are read; each of its nights has in it
what a person would see the fault by; its quiet night is one.

Knows no detector: what is checked is the telling.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace
from string import Formatter

import pytest

from tests.score.catalogue import Scenario, confusers, families, families_in, told_by
from tests.score.collection import Archive
from tests.score.queues import Attempt, Job
from tests.score.sixth_company.acts import taken_over, told
from tests.score.sixth_company.company import SPEAKERS, TONGUES, shift
from tests.score.sixth_company.ids import RECORDS, REQUESTS
from tests.score.sixth_company.queues import QUEUES
from tests.score.sixth_company.quiet import quiet_night
from tests.score.truth import Truth
from tests.score.wording import STYLES
from tests.score.world import World
from timeline.event import SEVERITY_ERROR, Kind, Lane
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

SEEDS = range(5)
MOST_EVENTS = 18_000
TOLD = {"id": "K26-100200", "rid": "c3d4e5f6a7b8c9d0", "jid": "77001", "ms": 5}
NAMED = {"thing": "pallet", "Thing": "Pallet"}
_LOUD = ("unhandled error", "Uncaught PHP Exception on", "unhandled_exception", "Error thrown")
_LEFT_OPEN = re.compile(r"\{(?:thing|Thing|id|rid|jid|ms|error|job|path|words)\}")
OURS = tuple(family for family in families_in("kept-aside") if told_by("sixth_company", family))


@pytest.mark.parametrize("tongue", TONGUES)
def test_a_language_knows_every_phrase_and_no_other(tongue: str) -> None:
    known = set().union(*(set(style) for style in STYLES.values()))
    assert set(TONGUES[tongue]) == known


@pytest.mark.parametrize("tongue", TONGUES)
def test_a_phrase_asks_for_nothing_that_others_are_not_told(tongue: str) -> None:
    for phrase, words in TONGUES[tongue].items():
        asked = set().union(*(_fields(style[phrase]) for style in STYLES.values()))
        assert _fields(words) <= asked | {"thing", "Thing", "host", "port", "n"}, phrase


@pytest.mark.parametrize("shape", RECORDS)
@pytest.mark.parametrize("tongue", TONGUES)
def test_a_record_is_recognised_in_every_language_and_shape(tongue: str, shape: str) -> None:
    record = RECORDS[shape](random.Random(3))
    for phrase in ("wrote", "pushed", "started", "done"):
        words = TONGUES[tongue][phrase]
        line = words.format(job="ReleasePallet", **{**TOLD, **NAMED, "id": record})
        assert f"pallet:{record}" in KeyRules().in_text(line), line


@pytest.mark.parametrize("tongue", TONGUES)
def test_a_request_is_recognised_where_it_begins_and_ends(tongue: str) -> None:
    rid = REQUESTS[tongue](random.Random(4))
    told = {"method": "POST", "path": "/pallets", "status": 201, "ms": 4, "rid": rid}
    for phrase in ("begin", "end"):
        found = KeyRules().in_text(TONGUES[tongue][phrase].format(**told))
        assert {f"request:{rid}", f"trace:{rid}"} & set(found), phrase


@pytest.mark.parametrize("name", ["solid-queue", "pg-boss", "graphile-worker", "dramatiq"])
def test_a_queue_tells_of_a_job_what_its_system_keeps(name: str) -> None:
    tries = [Attempt(10 * SECOND_NS, 11 * SECOND_NS, "retried", "w1", "h1", "boom")]
    job = Job("9a2b1c00", "x", "pallet_id=3", (), "io", "front", [9 * SECOND_NS], tries)
    done = replace(job, attempts=[*tries, Attempt(30 * SECOND_NS, 31 * SECOND_NS, "finished")])
    told = {
        state: [moment.kind for _, moment, _ in QUEUES[name].told(one, 40 * SECOND_NS)]
        for state, one in (("retried", job), ("finished", done))
    }
    keeps = name in ("solid-queue", "pg-boss")
    assert (Kind.JOB_FINISHED in told["finished"]) is keeps
    assert bool(told["finished"]) is keeps
    assert told["retried"][0] is Kind.JOB_ENQUEUED
    assert (Kind.JOB_RETRIED in told["retried"]) is (name != "solid-queue")


def test_every_queue_has_somebody_who_speaks_to_it() -> None:
    assert set(SPEAKERS) == set(QUEUES)
    assert {tongue for tongues in SPEAKERS.values() for tongue in tongues} == set(TONGUES)


def test_a_quiet_night_is_another_for_another_seed_and_loses_no_job() -> None:
    first, again, other = (quiet_night(seed) for seed in ("quiet/1", "quiet/1", "quiet/2"))
    assert [event for event, _ in first.told] == [event for event, _ in again.told]
    assert first.firm != other.firm
    ended = [job.state() == "finished" for job in first.jobs]
    assert sum(ended) > 0.9 * len(ended) > 20


def test_no_two_records_of_a_night_have_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    here = quiet_night("quiet/1")
    drawn = iter(("K26-1", "K26-1", "K26-2"))
    monkeypatch.setitem(RECORDS, here.firm.record_ids, lambda _: next(drawn))
    assert [here.new_id(), here.new_id()] == ["K26-1", "K26-2"]


def test_no_two_jobs_of_a_night_have_one_row_in_solid_queue() -> None:
    one = Job("9a2b1c00", "x", "pallet_id=3", (), "io", "front", [9 * SECOND_NS])
    told = [
        [facts.id for facts, _, _ in QUEUES["solid-queue"].told(job, 40 * SECOND_NS)]
        for job in (one, replace(one, id="9a2b1d00"))
    ]
    assert told[0]
    assert set(told[0]).isdisjoint(told[1])


def test_a_host_that_is_no_more_is_not_scraped_and_its_sibling_is() -> None:
    here = quiet_night("quiet/1")
    for host in ("gone-1", "gone-10"):
        labels = {"job": "drain", "instance": f"{host}:9100"}
        here.curve("memory_bytes", labels, ((at, 2e8) for at in (10.0, 100.0)))
    taken_over(here, "gone-1", "gone-10", 60.0)
    samples = {
        host: [e.timestamp for e in told(here, "memory_bytes", f'"{host}:9100"')]
        for host in ("gone-1", "gone-10")
    }
    assert samples == {"gone-1": [here.at(10.0)], "gone-10": [here.at(10.0), here.at(100.0)]}


def test_no_name_of_a_family_is_anothers() -> None:
    names = [scenario.name for scenario in (*families(), *confusers())]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)
def test_a_night_holds_what_a_person_sees_it_by(family: Scenario, seed: int) -> None:
    world, truth = family.world(seed)
    assert truth is not None
    assert truth.effect
    assert world.start <= truth.onset < world.at(world.end_s)
    assert truth.onset < truth.ended <= world.at(world.end_s + 120)
    assert truth.term not in truth.also
    assert len(world.told) <= MOST_EVENTS
    assert shift(world).company.queue_brand == world.brand.name
    _every_name_stands_in_some_event(world, truth)
    _every_line_has_words(world)


def _every_name_stands_in_some_event(world: World, truth: Truth) -> None:
    snapshot = Archive.of(world).collected().snapshot
    found = set(snapshot.keys["key"].unique().to_list())
    bodies = "\n".join(snapshot.events["body"].to_list())
    for entity in truth.entities:
        assert entity & found, entity
        for key in entity:
            assert key.partition(":")[2].rpartition("/")[2] in bodies, key


def _every_line_has_words(world: World) -> None:
    """All fields are filled in, and what a framework logs as an error is told as one."""
    lines = [event for event, _ in world.told if event.lane is Lane.LOG]
    assert all(event.body.strip() for event in lines)
    assert not [event.body for event in lines if _LEFT_OPEN.search(event.body)]
    loud = [event for event in lines if any(word in event.body for word in _LOUD)]
    assert {event.severity_number for event in loud} <= {SEVERITY_ERROR}


def _fields(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}
