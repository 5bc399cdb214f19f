"""Every language says what all must say, every night is told as meant. No detector runs here."""

from __future__ import annotations

import random
from string import Formatter

import polars as pl
import pytest

from tests.score.families.find import family_module
from tests.score.healthy import healthy
from tests.score.queues import Attempt, Job
from tests.score.third_company.house import LANGUAGES, USERS, Watch
from tests.score.third_company.ids import RECORDS
from tests.score.third_company.queues import QUEUES
from tests.score.third_company.quiet import quiet_night
from tests.score.third_company.servers import ENGLISH, SERVERS
from tests.score.truth import Truth
from tests.score.wording import STYLES
from timeline.event import Kind, Lane
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

FAMILIES = {
    "queue_of_its_own": "job-before-commit",
    "spot_reclaimed": "lost-worker",
    "slow_ack": "delivered-again",
    "ddl_behind_report": "lock-queue",
    "old_payload_reader": "deploy-skew",
    "standby_promoted": "failover",
    "repeated_charge": "unsafe-replay",
    "oversized_message": "rejected-by-limit",
    "too_many_clients": "connections-exhausted",
    "spine_flap": "network-hiccup",
    "confirm_lost": "ambiguous-enqueue",
    "half_the_statements": "partial-batch",
    "silent_clock": "missed-run",
    "gateway_brownout": "third-party",
    "certificate_midnight": "expired",
    "import_flood": "backlog",
}
SEEDS = range(3)
MOST_EVENTS = 18_000
OWN = {"tls", "sql_maria", "db_closed_maria"}
"""Phrases that the generator's languages do not have."""
TOLD = {"id": "k7p2", "rid": "r9q1", "jid": "551", "ms": 4, "thing": "rental", "Thing": "Rental"}


def built(name: str, seed: int) -> tuple[Watch, Truth]:
    """The night as the score would build it."""
    module = family_module(name)
    night = healthy(f"{name.replace('_', '-')}/{seed}", (), module.prepare)
    truth = module.inject(night)
    assert isinstance(night, Watch)
    assert isinstance(truth, Truth)
    return night, truth


def keys_of(night: Watch) -> set[str]:
    """Every key that some event, job or configured set of this night carries."""
    rules = KeyRules()
    found = {key for event, _ in night.told for key in event.keys}
    lines = pl.Series([event.body for event, _ in night.told if event.lane is Lane.LOG])
    found.update(rules.in_column(lines).get_column("key").to_list())
    found.update(key for expected in night.knowledge.expected for key in expected.keys)
    return found | {f"job:{job.id}" for job in night.jobs}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_night_is_as_its_truth_says(name: str, seed: int) -> None:
    night, truth = built(name, seed)
    assert truth.term == FAMILIES[name]
    assert truth.effect
    start, pin, end = night.start, night.at(1800), night.at(night.end_s)
    assert start + 60 * SECOND_NS < truth.onset < pin
    assert truth.onset <= truth.ended <= night.at(night.now_s) + SECOND_NS
    assert len(night.told) + 3 * len(night.jobs) < MOST_EVENTS
    named = keys_of(night)
    for entity in truth.entities:
        assert not entity.isdisjoint(named), entity
    for event, host in night.told:
        assert event.body.strip()
        assert host
        assert event.body.count("{") == event.body.count("}"), event.body
        if event.lane is Lane.LOG:
            assert 1 <= event.severity_number <= 24
            assert start <= event.timestamp < end + 60 * SECOND_NS, event.body


@pytest.mark.parametrize("name", FAMILIES)
def test_a_night_is_the_same_for_a_seed(name: str) -> None:
    (first, one), (again, two) = built(name, 1), built(name, 1)
    assert [event for event, _ in first.told] == [event for event, _ in again.told]
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
        line = style[phrase].format(job="rental.announce", **TOLD)
        assert "rental:k7p2" in rules.in_text(line), line
    for phrase in ("begin", "end", "wrote", "pushed"):
        told = {**TOLD, "method": "POST", "path": "/rentals", "status": 201, "job": "x"}
        assert "request:r9q1" in rules.in_text(style[phrase].format(**told)), phrase


def test_all_servers_say_the_same_things() -> None:
    waiting = {"waits", "got"}  # MariaDB's error log is silent about them
    for name, server in SERVERS.items():
        missing = waiting if name == "mariadb" else set()
        assert set(server) == set(ENGLISH) - missing
        for phrase, words in server.items():
            assert _fields(words) <= _fields(ENGLISH[phrase]), phrase


@pytest.mark.parametrize("shape", RECORDS)
def test_an_id_is_read_whole(shape: str) -> None:
    made = RECORDS[shape](random.Random(11))
    assert made == RECORDS[shape](random.Random(11))
    assert f"rental:{made}" in KeyRules().in_text(f"stored rental_id={made} now")


@pytest.mark.parametrize(
    ("queue", "kinds"),
    [
        ("solid-queue", [Kind.JOB_ENQUEUED, Kind.JOB_FINISHED]),
        (
            "procrastinate",
            [
                Kind.JOB_ENQUEUED,
                Kind.JOB_STARTED,
                Kind.JOB_RETRIED,
                Kind.JOB_STARTED,
                Kind.JOB_FINISHED,
            ],
        ),
        ("dramatiq", []),
        ("rabbitmq", []),
    ],
)
def test_a_queue_remembers_what_it_really_does(queue: str, kinds: list[Kind]) -> None:
    tries = [
        Attempt(4 * SECOND_NS, 5 * SECOND_NS, "retried", "w:1", "a", "boom"),
        Attempt(9 * SECOND_NS, 10 * SECOND_NS, "finished", "w:2", "b"),
    ]
    job = Job("7", "ConfirmRentalJob", "rental_id=3", (), "papers", "f", [3 * SECOND_NS], tries)
    told = list(QUEUES[queue].told(job, 20 * SECOND_NS))
    assert [m.kind for _, m, _ in sorted(told, key=lambda t: t[1].timestamp)] == kinds


def test_every_queue_is_used_by_a_language_that_there_is() -> None:
    assert set(USERS) == set(QUEUES)
    assert {language for users in USERS.values() for language in users} <= set(LANGUAGES)


def test_a_quiet_night_repeats_itself_and_finishes_its_jobs() -> None:
    first, again, other = (quiet_night(seed) for seed in ("calm/1", "calm/1", "calm/2"))
    assert [event for event, _ in first.told] == [event for event, _ in again.told]
    assert first.house != other.house
    ended = [job.state() == "finished" for job in first.jobs]
    assert sum(ended) > 0.9 * len(ended) > 20


def _fields(words: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}
