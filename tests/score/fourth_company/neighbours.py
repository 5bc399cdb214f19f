"""What else talks in a night of the fourth company: proxies, kernels, time, cron, the database.

Nothing here is anybody's fault. Each act tells a few lines that stand in many real files.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.score.fourth_company.company import Shift


def surround(world: Shift) -> None:
    """Let some of the neighbours talk, as chance has it."""
    for act, share in _ACTS:
        if world.rng.random() < share:
            act(world)


def _proxy_health(world: Shift) -> None:
    """HAProxy marks a server down for a check that came late, and up again."""
    rng, back = world.rng, world.rng.choice(world.house.backs)
    at, server = rng.uniform(100, 1100), rng.choice(back.hosts)
    words = f"Health check for server be_{back.name}/{server} "
    world.aside(at, "haproxy", words + "failed, reason: Layer7 timeout, check duration: 2001ms", 13)
    world.aside(at + 4, "haproxy", words + "succeeded, reason: Layer7 check passed, code: 200")


def _time_sync(world: Shift) -> None:
    """chronyd chooses another source; the offset is a fraction of a millisecond."""
    host = world.rng.choice(world.house.worker.hosts)
    for at in (world.rng.uniform(60, 700), world.rng.uniform(800, 1700)):
        server = f"10.31.0.{world.rng.randint(2, 9)}"
        world.aside(
            at, "chronyd", f"Selected source {server} (ntp{server[-1]}.bottega.lan)", 9, host
        )


def _cron_mail(world: Shift) -> None:
    """crond runs small things that say nothing else."""
    at = world.rng.uniform(5, 60)
    while at < world.end_s:
        world.aside(at, "CROND", "(root) CMD (/usr/lib64/sa/sa1 1 1)")
        at += 600


def _checkpoints(world: Shift) -> None:
    """Checkpoints and a report that reads a whole table now and then."""
    for _ in range(world.rng.randint(2, 5)):
        at = world.rng.uniform(20, world.end_s - 20)
        pid = world.rng.randint(900, 31_000)
        world.server_line(at, pid, "checkpoint", ms=world.rng.randint(1100, 4000))
        world.server_line(at + 3, pid + 4, "slow", ms=world.rng.randint(1200, 4800))


def _certificate(world: Shift) -> None:
    """Something that will matter in a month."""
    at = world.rng.uniform(30, 1700)
    words = f"certificate for {world.house.broker} expires in 31 days"
    world.aside(at, "cert-exporter", words, 13)


def _third_was_slow(world: Shift) -> None:
    """A call to a partner times out at once in a while, and is made again with success."""
    rng, by = world.rng, world.house.worker
    for _ in range(rng.randint(1, 3)):
        at, (_, place, path) = rng.uniform(60, world.end_s - 60), world.house.third
        words = world.error(by, "http_timeout", host=place, path=path)
        host = world.line(at, by, f"{words}, second try in 2 s", 13)
        world.line(at + 2.6, by, f"{place} answered at the second try", 9, host)


def _scaled(world: Shift) -> None:
    """One more host of a back for a while, as the autoscaler thinks fit."""
    rng, back = world.rng, world.rng.choice(world.house.backs)
    at = rng.uniform(200, 1200)
    world.aside(at, "autoscaler", f"Scaled up replica set {back.name} from 2 to 3 (cpu 71 %)")
    world.aside(at + 420, "autoscaler", f"Scaled down replica set {back.name} from 3 to 2")


_ACTS: tuple[tuple[Callable[[Shift], None], float], ...] = (
    (_proxy_health, 0.4),
    (_time_sync, 0.5),
    (_cron_mail, 0.6),
    (_checkpoints, 0.8),
    (_certificate, 0.3),
    (_third_was_slow, 0.5),
    (_scaled, 0.3),
)
