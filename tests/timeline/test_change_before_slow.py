"""change-before where the errors come slowly, among the everyday errors of others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.detectors.change_before import ChangeBeforeDetector
from timeline.detectors.change_findings import ChangeBefore
from timeline.event import Event, Kind, Lane
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .worlds import World, at, healthy

CHANGED, FIRST = 1200.0, 1231.0


def claimed(world: World) -> list[ChangeBefore]:
    result = ChangeBeforeDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return [one for one in result if isinstance(one, ChangeBefore) and not one.qualifier]


def everyday(world: World) -> World:
    """Another service that fails now and then, all night."""
    healthy(world)
    for number in range(40):
        world.error(20 + number * 52.0, "search", f"index shard {number} is late")
    return world


def slowly(world: World, service: str, words: str, *, every: float = 35.0) -> World:
    for number in range(int((2000 - FIRST) / every)):
        body = f"{words} request_id=r{number:04d}"
        world.error(FIRST + number * every, service, body)
    return world


def changed(world: World, words: str, actor: str = "") -> World:
    event = Event(at(CHANGED), "deploys", Lane.CHANGE, Kind.CHANGE, words, "release/9", actor=actor)
    world.events.append(event)
    return world


@pytest.mark.parametrize(
    ("service", "words", "change", "actor"),
    [
        ("billing", "TypeError: Cannot read properties of undefined (reading 'vat')",
         "ConfigMap billing-env replaced", "billing"),
        ("kasse", "Schlüssel 'rabatt' fehlt", "Konfiguration kasse r88 ausgerollt", "kasse"),
        ("tarifs", "Undefined array key \"plafond\"", "ansible: tarifs.yml appliqué", "tarifs"),
        ("quotes-api", "panic: assignment to entry in nil map", "terraform apply quotes-api", ""),
        ("billing", "PG::UndefinedColumn: column vat_code does not exist",
         "migration 20260301_drop_vat_code on billing", ""),
    ],
)  # fmt: skip
def test_a_path_that_fails_since_the_change_is_told(
    service: str, words: str, change: str, actor: str
) -> None:
    (finding,) = claimed(changed(slowly(everyday(World()), service, words), change, actor))
    assert finding.service == service
    assert finding.onset == at(FIRST)
    assert finding.verdict is Verdict.LIKELY


def test_failed_jobs_of_the_changed_worker_tell_it_as_well() -> None:
    world = everyday(World())
    for number in range(24):
        start = FIRST + number * 30.0
        world.job(start - 1, Kind.JOB_ENQUEUED, f"p{number}", source="resque")
        world.job(start - 0.8, Kind.JOB_STARTED, f"p{number}", source="resque", worker="packer-1")
        world.job(start, Kind.JOB_FAILED, f"p{number}", source="resque", worker="packer-1")
        world.error(start, "packer", f"ValueError: unknown carrier job_id=p{number}")
    (finding,) = claimed(changed(world, "vault: packer/settings version 12", "packer"))
    assert finding.onset <= at(FIRST)


def as_many_before(world: World) -> None:
    everyday(world)
    for number in range(30):
        world.error(10 + number * 38.0, "billing", f"no such coupon request_id=b{number}")
    changed(slowly(world, "billing", "no such coupon"), "config of billing applied", "billing")


def another_service(world: World) -> None:
    changed(
        slowly(everyday(world), "billing", "no such coupon"), "config of kiosk applied", "kiosk"
    )


def too_few(world: World) -> None:
    slowly(everyday(world), "billing", "no such coupon", every=110.0)
    changed(world, "config of billing applied", "billing")


def begun_before(world: World) -> None:
    everyday(world)
    for number in range(16):
        world.error(700 + number * 35.0, "billing", f"no such coupon request_id=b{number}")
    changed(slowly(world, "billing", "no such coupon"), "config of billing applied", "billing")


@pytest.mark.parametrize("confuser", [as_many_before, another_service, too_few, begun_before])
def test_look_alikes_are_no_claim(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert claimed(world) == []
