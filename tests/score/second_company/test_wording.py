"""Every language knows every phrase, says what the generator's languages say, and is read."""

from __future__ import annotations

import random
from string import Formatter

import pytest

from tests.score.healthy import healthy
from tests.score.queues import Attempt, Job
from tests.score.second_company.database import ENGLISH, GERMAN
from tests.score.second_company.elsewhere import SPEAKERS, TONGUES, Night, settle
from tests.score.second_company.ids import RECORDS
from tests.score.second_company.queues import QUEUES
from tests.score.second_company.quiet import quiet_night
from tests.score.wording import STYLES
from tests.score.world import World
from timeline.event import Kind
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

OWN = {"db_timeout", "http_4xx", "tls", "arguments"}
TOLD = {"id": "a1b2", "rid": "c3d4", "jid": "77001", "ms": 5, "thing": "parcel", "Thing": "Parcel"}
NAMED = {"wrote": ("parcel:a1b2",), "pushed": ("parcel:a1b2",), "started": ("parcel:a1b2",)}


@pytest.mark.parametrize("tongue", TONGUES)
def test_a_language_knows_every_phrase_and_no_other(tongue: str) -> None:
    known = set().union(*(set(style) for style in STYLES.values()))
    assert set(TONGUES[tongue]) == known | OWN


@pytest.mark.parametrize("tongue", TONGUES)
def test_what_a_language_needs_to_be_told_is_told_to_all(tongue: str) -> None:
    for phrase, words in TONGUES[tongue].items():
        needed = {name for _, name, _, _ in Formatter().parse(words) if name}
        asked = {
            name
            for style in STYLES.values()
            for _, name, _, _ in Formatter().parse(style.get(phrase, ""))
            if name
        }
        always = {"thing", "Thing", "host", "port", "n"}
        assert phrase in OWN or needed <= asked | always, phrase


@pytest.mark.parametrize("tongue", TONGUES)
def test_a_record_is_recognised_in_every_language(tongue: str) -> None:
    for phrase, keys in NAMED.items():
        line = TONGUES[tongue][phrase].format(job="StampParcel", **TOLD)
        assert set(keys) <= set(KeyRules().in_text(line)), line


def test_both_languages_of_the_server_say_the_same() -> None:
    assert set(ENGLISH) == set(GERMAN)
    for phrase, words in ENGLISH.items():
        fields = [
            {name for _, name, _, _ in Formatter().parse(text) if name}
            for text in (words, GERMAN[phrase])
        ]
        assert fields[0] == fields[1], phrase


@pytest.mark.parametrize("shape", RECORDS)
def test_an_id_is_read_whole_and_is_the_same_for_a_seed(shape: str) -> None:
    made, again = (RECORDS[shape](random.Random(5)) for _ in range(2))
    assert made == again
    assert f"parcel:{made}" in KeyRules().in_text(f"done parcel_id={made} ok")


@pytest.mark.parametrize("name", ["oban", "river"])
def test_a_table_queue_keeps_the_last_start_and_every_error(name: str) -> None:
    tries = [
        Attempt(10 * SECOND_NS, 11 * SECOND_NS, "retried", "w1", "h1", "boom"),
        Attempt(20 * SECOND_NS, 21 * SECOND_NS, "finished", "w2", "h2"),
    ]
    job = Job("9", "StampParcel", "parcel_id=3", (), "bulk", "front", [9 * SECOND_NS], tries)
    told = [(m.kind, m.timestamp) for _, m, _ in QUEUES[name].told(job, 30 * SECOND_NS)]
    assert sorted(told, key=lambda pair: pair[1]) == [
        (Kind.JOB_ENQUEUED, 9 * SECOND_NS),
        (Kind.JOB_RETRIED, 11 * SECOND_NS),
        (Kind.JOB_STARTED, 20 * SECOND_NS),
        (Kind.JOB_FINISHED, 21 * SECOND_NS),
    ]


def test_every_queue_has_somebody_who_speaks_to_it() -> None:
    assert set(SPEAKERS) == set(QUEUES)
    assert {tongue for tongues in SPEAKERS.values() for tongue in tongues} == set(TONGUES)


def test_rabbitmq_tells_counts_and_never_a_message() -> None:
    world = healthy("rabbit/1", prepare=_on_rabbit)
    assert isinstance(world, Night)
    world.close_the_books()
    samples = [event for event, _ in world.told if event.source == "rabbitmq"]
    assert samples
    assert {event.kind for event in samples} == {Kind.METRIC}
    assert not any(event.keys for event in samples)
    assert sum("published" in event.body for event in samples) > 5


def test_a_quiet_night_is_another_for_another_seed_and_loses_no_job() -> None:
    first, again, other = (quiet_night(seed) for seed in ("quiet/1", "quiet/1", "quiet/2"))
    assert [event for event, _ in first.told] == [event for event, _ in again.told]
    assert first.firm != other.firm
    ended = [job.state() == "finished" for job in first.jobs]
    assert sum(ended) > 0.9 * len(ended) > 20


def _on_rabbit(world: World) -> None:
    settle(world, ("rabbitmq",))
