"""What lives beside the sixth company's services on any night: a pooler, cron, probes, vacuum, an
editor at work, a slow statement, a certificate that was renewed in time. None of it is a fault.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.score.families.shopfloor import pod_event
from tests.score.families.watched import audited, beside
from tests.score.sixth_company.company import Shift

PROBE_S = 30


def neighbours(world: Shift) -> None:
    """Some of them, as the seed has it."""
    for tell, share in _ALL:
        if world.rng.random() < share:
            tell(world)


def _pooler(world: Shift) -> None:
    """PgBouncer's line of every minute."""
    rng, seconds = world.rng, world.rng.uniform(0, 60)
    while seconds < world.end_s:
        words = (
            f"LOG stats: {rng.randint(18, 60)} xacts/s, {rng.randint(40, 140)} queries/s, in"
            f" {rng.randint(9_000, 30_000)} B/s, out {rng.randint(20_000, 90_000)} B/s, xact"
            f" {rng.randint(900, 4_000)} us, query {rng.randint(300, 900)} us, wait"
            f" {rng.randint(2, 80)} us"
        )
        beside(world, seconds, "pgbouncer", words)
        seconds += 60


def _cron(world: Shift) -> None:
    rng, seconds = world.rng, world.rng.uniform(10, 200)
    while seconds < world.end_s:
        pid = rng.randint(4_000, 30_000)
        beside(world, seconds, "cron", f"(root) CMD (/usr/lib/sysstat/sa1 1 1) pid={pid}")
        seconds += 600


def _probes(world: Shift) -> None:
    """A synthetic check from outside, now and then slow, never failing."""
    rng, seconds = world.rng, world.rng.uniform(0, PROBE_S)
    while seconds < world.end_s:
        took = rng.lognormvariate(-2.2, 0.5)
        words = f"probe_success 1 target=https://{world.company.front.name}/healthz"
        beside(world, seconds, "blackbox", f"{words} duration_seconds={took:.3f}")
        seconds += PROBE_S


def _vacuum(world: Shift) -> None:
    rng = world.rng
    for _ in range(rng.randint(2, 6)):
        removed = rng.randint(40, 9_000)
        words = (
            f'automatic vacuum of table "app.public.{world.company.table}": index scans: 1␊pages: 0'
            f" removed, {removed * 3} remain␊tuples: {removed} removed, {removed * 20} remain"
        )
        world.database_log(rng.uniform(20, world.end_s - 20), rng.randint(300, 900), words)


def _slow_statements(world: Shift) -> None:
    """Reports that take as long as they always do."""
    rng = world.rng
    for _ in range(rng.randint(2, 7)):
        took = rng.uniform(1_050, 3_900)
        words = (
            f"duration: {took:.3f} ms  execute <unnamed>: SELECT date_trunc('day', created_at),"
            f" count(*) FROM {world.company.table} GROUP BY 1"
        )
        world.database_log(rng.uniform(20, world.end_s - 20), rng.randint(5_000, 9_000), words)


def _editor(world: Shift) -> None:
    """A person who corrects master data, one version after the other, each from the last."""
    rng, seconds = world.rng, world.rng.uniform(60, 700)
    pk, old = str(rng.randint(200, 900)), rng.randint(10, 40)
    for number in range(rng.randint(2, 6)):
        new = old + rng.choice((-2, -1, 1, 3))
        changed = {"sort_order": (old, new)}
        host = world.company.front.hosts[0]
        audited(world, seconds, "depots", pk, changed, "71", host=host, version=number + 4)
        old, seconds = new, seconds + rng.uniform(8, 90)


def _renewal(world: Shift) -> None:
    world.change(
        world.rng.uniform(60, 1_700),
        f"renewed certificate {world.company.front.name}-tls, 30 days before its end",
        who="cert-manager",
        status="success",
    )


def _slow_start(world: Shift) -> None:
    """A pod that is not ready at its first probe and is at its second."""
    pod = world.rng.choice(world.company.backs).hosts[0]
    seconds = world.rng.uniform(60, 1_700)
    pod_event(world, seconds, pod, "Unhealthy", "Readiness probe failed: connect: timeout")
    pod_event(world, seconds + 11, pod, "Ready", "Readiness probe succeeded")


def _tried_again(world: Shift) -> None:
    """A third party that answers 503 once and 200 a second later."""
    rng, service = world.rng, world.rng.choice(world.company.backs)
    for _ in range(rng.randint(1, 4)):
        at, host = rng.uniform(30, world.end_s - 30), rng.choice(service.hosts)
        _, peer, path = world.company.third
        error = world.error(service, "http_5xx", host=peer, path=path, status=503)
        world.log(at, service.name, host, f"attempt 1 of 3: {error}, again in 900 ms", 13)
        world.log(at + 1.1, service.name, host, f"attempt 2 of 3: 200 from {peer}{path}")


_ALL: tuple[tuple[Callable[[Shift], None], float], ...] = (
    (_pooler, 0.5),
    (_cron, 0.6),
    (_probes, 0.5),
    (_vacuum, 0.5),
    (_slow_statements, 0.4),
    (_editor, 0.4),
    (_renewal, 0.3),
    (_slow_start, 0.3),
    (_tried_again, 0.5),
)
