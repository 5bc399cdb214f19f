"""lost-worker where something else came up on the host of the one that died and writes there."""

from __future__ import annotations

import pytest

from timeline.order import Verdict

from .test_lost_worker import DEATH, only, overdue, started
from .worlds import World, at, healthy

HOST = "worker-7c9f-x2k4"


def speaks_on(world: World, *, again: float) -> None:
    """Lines of one host all night, with a pause before `again`."""
    for place in range(140):
        seconds = 5.0 + 15 * place
        if not DEATH <= seconds < again:
            world.log(seconds, "worker", f"performed mail n={place}", clock=HOST)


@pytest.mark.parametrize(
    ("actor", "line"),
    [
        (HOST, "container worker ended: Error, exit code 137 (SIGKILL)"),
        ("kubelet", f"pod {HOST}: container worker ended: OOMKilled, exit code 137"),
        ("systemd", f"{HOST}: worker.service: Main process exited, code=killed, status=9/KILL"),
    ],
)
def test_a_kill_dates_the_loss_though_the_host_speaks_on(actor: str, line: str) -> None:
    world = healthy(World())
    started(world, seconds=DEATH - 40, worker=HOST)
    speaks_on(world, again=DEATH + 20)
    world.error(DEATH + 2, actor, line, source="cluster")
    overdue(world, "j1")
    finding = only(world)
    assert finding.killed_at == at(DEATH + 2)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.alive is not None
    assert finding.alive < at(DEATH + 2)


def test_another_start_on_the_host_dates_it_as_well() -> None:
    world = healthy(World())
    started(world, seconds=DEATH - 40, worker=HOST)
    speaks_on(world, again=DEATH + 20)
    world.log(DEATH + 15, "worker", "worker ready", clock=HOST)
    overdue(world, "j1")
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert at(DEATH - 40) <= finding.began < at(DEATH + 15)


def test_what_a_program_says_while_it_starts_is_no_sign_of_the_one_before() -> None:
    world = healthy(World())
    started(world, seconds=DEATH - 40, worker=HOST)
    speaks_on(world, again=DEATH + 20)
    for place, said in enumerate(("subscribing to channel", "cleaning registries")):
        world.log(DEATH + 14.5 + place / 10, "worker", said, clock=HOST)
    world.log(DEATH + 15, "worker", "worker ready", clock=HOST)
    overdue(world, "j1")
    alive = only(world).alive
    assert alive is not None
    assert alive < at(DEATH + 14.5)


def test_a_host_that_only_speaks_on_is_believed() -> None:
    world = healthy(World())
    started(world, seconds=DEATH - 40, worker=HOST)
    speaks_on(world, again=DEATH)
    overdue(world, "j1")
    finding = only(world)
    assert finding.killed_at is None
    assert finding.alive is not None
    assert finding.alive > at(DEATH + 300)
