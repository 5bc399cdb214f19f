"""What else goes on in this company on any night, and means nothing.

The broker that meters talk to, the quarter-hour at which all of them report, rolling restarts,
autoscaling, the database's housekeeping, a retried call, a slow query. All of it may stand beside a
fault and must not be taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.score.healthy import request
from tests.score.seventh_company.utility import Shift
from timeline.event import SEVERITY_WARN, Lane
from timeline.window import SECOND_NS

FEWEST, MOST = 4_000, 8_000
"""A night is filled up, or thinned out, to so many events before its fault is laid in."""
QUARTER_S = 900
_REQUEST = re.compile(r"(?:request_id|requestId|traceId)[\"=: ]+([0-9A-Za-z-]+)")


def surroundings(here: Shift, most: int = MOST) -> None:
    """Each of them on its share of the nights; then the night gets its usual size."""
    for one, share in _SURROUNDINGS:
        if here.rng.random() < share:
            one(here)
    _thinned(here, most)
    _telegrams(here)


def size(here: Shift) -> int:
    """Events that a collection would hold, about."""
    return len(here.told) + 3 * len(here.jobs)


def _thinned(here: Shift, most: int) -> None:
    """Fewer ordinary reads on a night with very many: whole requests go, never a part of one."""
    over = size(here) - most
    if over <= 0:
        return
    reads: dict[str, int] = {}
    for event, _ in here.told:
        found = _REQUEST.search(event.body) if event.lane is Lane.LOG else None
        if found is not None and ("GET " in event.body or '"GET"' in event.body):
            reads[found[1]] = reads.get(found[1], 0) + 1
    gone: set[str] = set()
    for rid in here.rng.sample(sorted(reads), len(reads)):
        if over <= 0:
            break
        gone.add(rid)
        over -= reads[rid]
    here.told = [
        (event, host)
        for event, host in here.told
        if event.lane is not Lane.LOG
        or (found := _REQUEST.search(event.body)) is None
        or found[1] not in gone
    ]


def _telegrams(here: Shift) -> None:
    """Gateways that connect, report and go: Mosquitto's own words, all night long."""
    count = max(150, FEWEST - size(here))
    every = here.end_s / count
    for place in range(count // 2):
        at = (2 * place + here.rng.random()) * every
        gateway = f"sgw-{here.rng.randint(10_000, 99_999)}"
        peer = f"10.44.{here.rng.randint(0, 63)}.{here.rng.randint(2, 250)}"
        port = here.rng.randint(30_000, 60_000)
        words = f"New client connected from {peer}:{port} as {gateway} (p5, c1, k60)."
        here.aside(at, "mosquitto", words)
        here.aside(at + here.rng.uniform(0.2, 2), "mosquitto", f"Client {gateway} disconnected.")


def _quarter_hours(here: Shift) -> None:
    """Meters report at every full quarter of an hour: half a minute of more to do."""
    first = -(here.start // SECOND_NS) % QUARTER_S
    for mark in range(first, int(here.end_s) - 60, QUARTER_S):
        for _ in range(here.rng.randint(30, 60)):
            request(here, mark + here.rng.triangular(0, 40, 6))


def _rolling_restart(here: Shift) -> None:
    """A new configuration: pod after pod, each up again before the next one goes."""
    service, at = here.rng.choice(here.utility.backs), here.rng.uniform(150, 1600)
    version = f"v{here.rng.randint(3, 9)}.{here.rng.randint(0, 40)}.{here.rng.randint(0, 9)}"
    here.change(at, f"argocd: {service.name} synced to {version}", service.name, version=version)
    for host in service.hosts:
        at += here.rng.uniform(15, 30)
        here.say(at, service, "stop", host=host)
        values = {"service": service.name, "version": version}
        here.say(at + here.rng.uniform(4, 9), service, "boot", values, host=host)


def _autoscaler(here: Shift) -> None:
    for _ in range(here.rng.randint(1, 3)):
        at, size_now = here.rng.uniform(60, here.end_s - 60), here.rng.randint(3, 6)
        words = (
            f"New size: {size_now}; reason: cpu resource utilization (percentage of request)"
            " above target"
        )
        here.aside(at, "horizontal-pod-autoscaler", words)


def _housekeeping(here: Shift) -> None:
    """Checkpoints, an automatic vacuum, and the report that takes its seconds every night."""
    at = here.rng.uniform(10, 280)
    while at < here.end_s - 30:
        here.database_log(at, 71, "checkpoint starting: time")
        here.database_log(
            at + 26, 71, "checkpoint complete: wrote 2114 buffers (1.6%); write=26.1 s"
        )
        at += 300
    at = here.rng.uniform(100, 1700)
    words = f'automatic vacuum of table "core.public.{here.utility.effects}": index scans: 1'
    here.database_log(at, 4_410, words)
    for _ in range(here.rng.randint(0, 3)):
        at, ms = here.rng.uniform(60, here.end_s - 10), here.rng.randint(1_050, 2_900)
        words = f"duration: {ms}.118 ms  statement: SELECT count(*) FROM {here.utility.effects}"
        here.database_log(at, here.rng.randint(4_500, 9_000), words)


def _second_try(here: Shift) -> None:
    """Calls that fail once and succeed at once, one every few minutes."""
    for _ in range(here.rng.randint(2, 5)):
        at, service = here.rng.uniform(30, here.end_s - 30), here.rng.choice(here.utility.backs)
        words = here.error(service, "timeout", host="weather.svc", port=8443)
        host = here.line(at, service, f"{words}, trying once more", SEVERITY_WARN)
        here.line(at + here.rng.uniform(0.2, 0.9), service, "second try succeeded", host=host)


def _timers(here: Shift) -> None:
    """Small things that systemd starts on a machine of the workers."""
    host, at = here.utility.worker.hosts[0], here.rng.uniform(0, 500)
    while at < here.end_s - 10:
        here.aside(at, "systemd", "Started tmp-cleanup.service - Cleanup of /tmp.", host=host)
        words = "tmp-cleanup.service: Deactivated successfully."
        here.aside(at + 0.4, "systemd", words, host=host)
        at += 600


def _clients_gone(here: Shift) -> None:
    """People who close the page before it is there, as every ingress sees them."""
    at = here.rng.uniform(10, 90)
    while at < here.end_s - 5:
        address = f"198.51.100.{here.rng.randint(2, 250)}"
        words = f'{address} - - "GET /{here.utility.table}/recent HTTP/2.0" 499 0 "-" "Mozilla/5.0"'
        here.aside(at, "ingress-nginx", words)
        at += here.rng.expovariate(1 / 80)


def _note(here: Shift) -> None:
    here.change(
        here.rng.uniform(40, 1700),
        "reading service desk rota updated for week 9",
        who="back office",
    )


_SURROUNDINGS: tuple[tuple[Callable[[Shift], None], float], ...] = (
    (_quarter_hours, 0.8),
    (_rolling_restart, 0.35),
    (_autoscaler, 0.5),
    (_housekeeping, 0.8),
    (_second_try, 0.6),
    (_timers, 0.5),
    (_clients_gone, 0.6),
    (_note, 0.2),
)
