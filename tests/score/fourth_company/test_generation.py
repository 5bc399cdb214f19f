"""The fourth company's nights are what they say: parsed as meant, with an effect that is there.

Nothing here looks at a detector. Every tongue is written out as its framework would print it and
read by the file connector's own parser; every family is built for a few seeds.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.logs.chunk import Reading, read_chunk
from connectors.logs.dialect import decide
from connectors.logs.record import Place
from connectors.logs.zones import ZoneRule
from tests.score.collection import collected
from tests.score.families.find import family_module
from tests.score.fourth_company.brands import IN_POSTGRES, QUEUES, SPEAKERS
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.databases import POSTGRES, SPOKEN, as_read
from tests.score.fourth_company.quiet import quiet_night
from tests.score.fourth_company.tongues import TONGUES, stamped
from tests.score.healthy import healthy
from tests.score.queues import Attempt, Job
from tests.score.truth import Truth
from tests.score.world import NIGHT, World
from timeline.clean import LINE_BREAK
from timeline.keys import KeyRules
from timeline.window import MINUTE_NS, SECOND_NS

MINE = {
    "unreadable_manifest": "poison-job",
    "stopped_chrony": "clock-skew",
    "sluice_opened": "resume-herd",
    "polite_rejection": "swallowed-error",
    "renamed_setting": "change-before",
    "dropped_promise": "orphaned-record",
    "lagging_reader": "stale-read",
    "swelling_worker": "memory-leak",
    "stale_form": "lost-update",
    "impatient_webhook": "duplicate-enqueue",
    "twin_schedulers": "extra-runs",
    "pressed_thrice": "re-press",
    "clogged_forwarder": "blind-spot",
    "brimming_volume": "full",
    "lost_nameserver": "dns-failure",
    "hammering_clients": "retry-storm",
    "impossible_dates": "bad-data",
    "slow_cron": "run-overlap",
}
SEEDS = range(3)
MOST_EVENTS = 18_000


def built(name: str, seed: int) -> tuple[Shift, Truth]:
    module = family_module(name)
    family = name.replace("_", "-")
    world: World = healthy(f"{family}/{seed}", (), module.prepare)
    truth: Truth = module.inject(world)
    return shift(world), truth


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", MINE)
def test_a_family_leaves_its_mark_and_names_whom_it_hit(name: str, seed: int) -> None:
    night, truth = built(name, seed)
    assert truth.effect
    assert truth.term == MINE[name]
    assert truth.term not in truth.also
    end = night.at(night.end_s)
    assert night.start <= truth.onset < min(end, truth.ended)
    assert truth.ended <= end + MINUTE_NS
    incident = collected(night)
    assert len(incident.snapshot) <= MOST_EVENTS
    assert {event.body for event, _ in night.told}.isdisjoint(("", " "))
    carried = frozenset(incident.snapshot.keys["key"].unique())
    assert [entity for entity in truth.entities if not entity & carried] == []


@pytest.mark.parametrize("name", MINE)
def test_a_seed_gives_the_same_night_again(name: str) -> None:
    first, again = (built(name, 7)[0].told for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", TONGUES)
def test_a_tongue_is_read_as_meant(name: str) -> None:
    """What `Tongue.read` says is what the connector reads out of `Tongue.written`."""
    tongue = TONGUES[name]
    fields = {
        "method": "POST", "path": "/quotes", "rid": "dk3v9x1q", "thing": "quote", "Thing": "Quote",
        "id": "bt_4fQ8", "job": "issue_quote", "jid": "91377", "ms": 31, "status": 503, "n": 12,
        "error": "broken pipe", "host": "db.lan", "port": 5432, "message": "no", "field": "limits",
        "service": "www", "version": "4f1c22d9",
    }  # fmt: skip
    expected, written = [], []
    for place, (phrase, words) in enumerate(sorted(tongue.phrases.items())):
        severity = (9, 13, 17)[place % 3]
        text = words.format(**fields)
        stamp = stamped(tongue, NIGHT + place * SECOND_NS + 120_000_000)
        expected.append((phrase, tongue.read(text, severity, "www", "vm-1")))
        written.append(tongue.written(stamp, text, severity, "www", "vm-1"))
    assert _read("\n".join(written)) == [line for _, line in expected]


@pytest.mark.parametrize("server", POSTGRES)
def test_a_line_of_the_database_is_read_as_meant(server: str) -> None:
    """What `as_read` says is what the connector reads out of PostgreSQL's own log."""
    expected: list[tuple[str, int]] = []
    written: list[str] = []
    for place, saying in enumerate(SPOKEN[server].values()):
        said = saying.format(table="quotes", name="quotes_pkey", ms=1200)
        body, severity = as_read(said)
        stamp = datetime.fromtimestamp(NIGHT // SECOND_NS + place, UTC)
        lead = f"{stamp:%Y-%m-%d %H:%M:%S}.120 UTC [812] app@shop "
        expected.append((f"[812] app@shop {body}", severity))
        written.extend(lead + part for part in said.split(LINE_BREAK))
    assert _read("\n".join(written)) == expected


def _read(text: str) -> list[tuple[str, int]]:
    """Bodies and severity numbers that the connector reads out of this file."""
    dialect = decide(text.split("\n"), ZoneRule(), NIGHT // SECOND_NS + 86_400)
    reading = Reading(Place("log", "app.log"), dialect, KeyRules(), 0, 2**62)
    events = read_chunk(f"{text}\n".encode(), 0, reading).events
    return events.select("body", "severity_number").rows()


@pytest.mark.parametrize("queue", QUEUES)
def test_a_part_of_the_company_speaks_what_its_queue_has_a_client_for(queue: str) -> None:
    night = relocate(World.drawn(f"queue/{queue}"), [queue])
    assert night.brand is QUEUES[queue]
    assert night.house.front.style_name in SPEAKERS[queue]
    assert queue not in IN_POSTGRES or night.house.server in POSTGRES


@pytest.mark.parametrize(
    ("queue", "outcomes", "kinds"),
    [
        ("pg-boss", ("finished",), "enqueued started finished"),
        ("pg-boss", ("retried",), "enqueued started retried"),
        ("pg-boss", ("retried", "finished"), "enqueued started finished"),
        ("graphile-worker", ("finished",), ""),
        ("graphile-worker", ("retried",), "enqueued retried"),
        ("graphile-worker", ("dead",), "enqueued failed"),
        ("procrastinate", ("retried", "finished"), "enqueued started retried started finished"),
        ("procrastinate", ("dead",), "enqueued started failed"),
    ],
)
def test_a_queue_remembers_what_its_product_keeps(
    queue: str, outcomes: tuple[str, ...], kinds: str
) -> None:
    runs = [
        Attempt((3 + 2 * place) * SECOND_NS, (4 + 2 * place) * SECOND_NS, outcome)
        for place, outcome in enumerate(outcomes)
    ]
    job = Job("7", "mail", "", (), "work", "www-1", [SECOND_NS], runs)
    told = [moment for _, moment, _ in QUEUES[queue].told(job, 60 * SECOND_NS)]
    assert [moment.kind.removeprefix("job.") for moment in told] == kinds.split()
    assert [moment.timestamp for moment in told] == sorted(moment.timestamp for moment in told)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_quiet_night_is_no_empty_night(seed: int) -> None:
    night = quiet_night(f"quiet/{seed}")
    incident = collected(night)
    assert 500 < len(incident.snapshot) <= MOST_EVENTS
    assert {event.severity_number for event, _ in night.told} >= {9}
