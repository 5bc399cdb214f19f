"""The fifth company tells what it means to: its wordings are read, its queues tell, its families
leave the marks that a person would look for. No detector runs here."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from connectors.file import FileConnector, FileOptions
from tests.score.collection import collected
from tests.score.fifth_company import java_ruby, python_node
from tests.score.fifth_company.harbour import SPEAKERS, TONGUES, settle, watch
from tests.score.fifth_company.quiet import quiet_night
from tests.score.fifth_company.tables import TABLES
from tests.score.healthy import healthy
from tests.score.truth import Truth
from tests.score.wording import SPRING
from tests.score.world import PIN_S, World
from timeline.batch import Batch
from timeline.event import Kind, Lane
from timeline.keys import KeyRules
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

FAMILIES = {
    "saved_over": "lost-update",
    "refused_downstream": "swallowed-error",
    "stepped_clock": "clock-skew",
    "impatient_client": "change-before",
    "lease_ran_out": "overlapping-runs",
    "gates_opened": "resume-herd",
    "relay_read_twice": "duplicate-enqueue",
    "shipper_stuck": "blind-spot",
    "reader_behind": "stale-read",
    "pressed_again": "re-press",
    "report_holds_table": "lock-queue",
    "half_rolled": "deploy-skew",
    "killed_with_work": "lost-worker",
    "two_taps": "duplicate-create",
    "shard_left_out": "partial-batch",
    "unconfirmed": "ambiguous-enqueue",
}
MOST_EVENTS = 18_000
HEADS = {**java_ruby.HEADS, **python_node.HEADS}
LEVELS = {**java_ruby.LEVELS, **python_node.LEVELS}
MOMENT = int(datetime(2026, 2, 3, 1, 2, tzinfo=UTC).timestamp()) * SECOND_NS
FILLED = {
    "thing": "permit",
    "Thing": "Permit",
    "method": "POST",
    "path": "/permits",
    "rid": "1-6981abcd-0123456789abcdef01234567",
    "id": "44120077",
    "job": "IssuePermitJob",
    "jid": "3f6c1d1e-0aaa-4bbb-8ccc-001122334455",
    "ms": 12,
    "n": 7,
    "status": 201,
    "error": "java.net.ConnectException: Connection refused",
    "host": "mq-1.vik.local",
    "port": 5672,
    "message": "deadlock detected",
    "field": "officer",
    "service": "desk",
    "version": "1f0c22ab",
    "words": "loaded",
}


@cache
def world_of(name: str, seed: int) -> tuple[World, Truth]:
    return built(name, seed)


def built(name: str, seed: int) -> tuple[World, Truth]:
    module = importlib.import_module(f"tests.score.families.developed.{name}")
    prepare: Callable[[World], None] = module.prepare
    inject: Callable[[World], Truth] = module.inject
    world = healthy(f"{name.replace('_', '-')}/{seed}", prepare=prepare)
    return world, inject(world)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", FAMILIES)
def test_family_leaves_its_mark(name: str, seed: int) -> None:
    world, truth = world_of(name, seed)
    assert truth.term == FAMILIES[name]
    assert truth.effect
    assert world.start + MINUTE_NS < truth.onset < world.at(PIN_S)
    assert truth.onset < truth.ended <= world.at(world.now_s + 120)
    snapshot = collected(world).snapshot
    assert len(snapshot) <= MOST_EVENTS
    unnamed = [keys for keys in truth.entities if not snapshot.rows_with(keys).len()]
    assert not unnamed


@pytest.mark.parametrize("name", FAMILIES)
def test_family_is_the_same_for_a_seed(name: str) -> None:
    assert world_of(name, 1)[0].told == built(name, 1)[0].told


def test_every_term_is_known() -> None:
    known = {point.name for point in entry_points(group="halfawake.detectors")}
    for name in FAMILIES:
        truth = world_of(name, 0)[1]
        assert {truth.term, *truth.also, *truth.alternates} <= known


@pytest.mark.parametrize("seed", range(5))
def test_quiet_night_is_told_by_everybody(seed: int) -> None:
    night = quiet_night(f"quiet/{seed}")
    actors = {event.actor for event, _ in night.told if event.lane is Lane.LOG}
    assert {night.firm.front.name, night.firm.worker.name} <= actors
    incident = collected(night)
    assert night.brand.name in {source.name for source in incident.sources}
    assert len(incident.snapshot) <= MOST_EVENTS


@pytest.mark.parametrize("tongue", TONGUES)
def test_wording_has_every_phrase(tongue: str) -> None:
    assert set(SPRING) < set(TONGUES[tongue])
    assert "note" in TONGUES[tongue]


@pytest.mark.parametrize("tongue", TONGUES)
def test_wording_is_read_from_a_file(tongue: str, tmp_path: Path) -> None:
    """Every phrase at every level the framework has, behind its own head."""
    meant: list[tuple[int, str]] = []
    lines: list[str] = []
    for phrase in TONGUES[tongue].values():
        body = phrase.format(**FILLED)
        for severity, level in LEVELS[tongue].items():
            lines.append(HEADS[tongue].format(second=len(lines) % 60, level=level, body=body))
            meant.append((severity, body))
    path = tmp_path / f"{tongue}.log"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    assert sorted(asyncio.run(_read(path))) == sorted(meant)


async def _read(path: Path) -> list[tuple[int, str]]:
    options = FileOptions.model_validate({"paths": [str(path)]})
    connector = FileConnector("log", options, KeyRules())
    window = Window(MOMENT, MOMENT - MINUTE_NS, MOMENT + 2 * MINUTE_NS)
    found: list[tuple[int, str]] = []
    async for answer in connector.fetch(window, Budget(preview=False)):
        if isinstance(answer, Batch):
            found += answer.events.select("severity_number", "body").rows()
    await connector.close()
    return found


@pytest.mark.parametrize("queue", TABLES)
def test_tables_tell_what_their_queue_keeps(queue: str) -> None:
    night = watch(healthy(f"tables/{queue}", prepare=lambda world: settle(world, (queue,))))
    done = {job.id for job in night.jobs if job.state() == "finished"}
    ended = {
        key.removeprefix("job:")
        for event, _ in TABLES[queue].told(night.jobs, night.at(night.now_s))
        if event.kind is Kind.JOB_FINISHED
        for key in event.keys
    }
    assert done
    assert done & ended == (done if TABLES[queue].keeps_ended else set())


def test_every_queue_has_speakers() -> None:
    assert {tongue for tongues in SPEAKERS.values() for tongue in tongues} == set(TONGUES)
