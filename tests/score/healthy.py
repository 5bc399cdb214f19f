"""An ordinary night: traffic that swings, jobs that run, and the noise every night has.

What is drawn here must set no detector off: restarts that announce themselves, connections that
were idle for too long, bots, a deadlock that was tried again, lines shipped twice, a queue that was
paused for maintenance and caught up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.score.company import new_uuid
from tests.score.queues import Job
from tests.score.world import PIN_S, Thing, World
from timeline.event import Kind
from timeline.knowledge import Contract, ExpectedSet, Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

WRITES = 0.25
"""Share of the requests that write a row and push a job."""
SHIPPED_TWICE = 0.33
"""Share of the nights in which a shipper repeats itself for a minute."""
PROMISED_S = 480
"""Every new thing gets its effect within so many seconds, as the teams that write it down say."""
RETRIED = 0.006
"""Share of the jobs whose first attempt meets a refusing neighbour and whose second does not."""


def healthy(
    seed: str, brands: tuple[str, ...] = (), prepare: Callable[[World], None] | None = None
) -> World:
    """A whole healthy world; `prepare` may plan something before any traffic is laid out."""
    world = World.drawn(seed, brands)
    if prepare is not None:
        prepare(world)
    for noise, share in _NOISE:
        if world.rng.random() < share:
            noise(world)
    _traffic(world)
    if world.rng.random() < SHIPPED_TWICE:
        _shipped_twice(world)
    return world


def _traffic(world: World) -> None:
    rng = world.rng
    base, swing, phase = rng.uniform(0.35, 0.9), rng.uniform(0.1, 0.5), rng.uniform(0, 6.3)
    seconds = 0.0
    while seconds < world.end_s:
        rate = base * (1 + swing * math.sin(seconds / 300 + phase))
        seconds += rng.expovariate(max(rate, 0.05))
        if seconds < world.end_s - 0.5:
            request(world, seconds)


def request(world: World, seconds: float) -> None:
    """One request, healthy from end to end."""
    if world.rng.random() < WRITES:
        write(world, seconds)
        return
    firm, rng = world.company, world.rng
    rid, took = world.request_id(), rng.lognormvariate(-3, 0.6)
    path = rng.choice((f"/{firm.table}", f"/{firm.table}/recent", "/health/deep", "/search", "/me"))
    told = {"method": "GET", "path": path, "rid": rid}
    host = world.say(seconds, firm.front, "begin", told)
    if rng.random() < 0.6:
        back = rng.choice(firm.backs)
        there = world.say(seconds + 0.002, back, "begin", told)
        ms = int(took * 700)
        world.say(seconds + took * 0.8, back, "end", {**told, "status": 200, "ms": ms}, host=there)
    status = 200 if rng.random() < 0.985 else 404
    world.say(
        seconds + took,
        firm.front,
        "end",
        {**told, "status": status, "ms": int(took * 1e3)},
        host=host,
    )


def write(
    world: World, seconds: float, *, job: bool = True, columns: Mapping[str, object] | None = None
) -> Thing:
    """A request that writes a row, commits, pushes a job and answers; the job does its work."""
    firm, rng = world.company, world.rng
    thing, rid = world.new_id(), world.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = world.say(seconds, firm.front, "begin", told)
    shown = {"state": "pending", **(columns or {})}
    commit = seconds + rng.uniform(0.008, 0.02)
    world.row(seconds + 0.004, firm.table, thing, columns=shown, commit=commit)
    world.say(seconds + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    pushed: Job | None = None
    if job:
        sent = commit + rng.uniform(0.002, 0.01)
        pushed = world.push(sent, thing, host)
        told_job = {"job": firm.job_class, "jid": pushed.id, "id": thing, "rid": rid}
        world.say(sent + 0.003, firm.front, "pushed", told_job, host=host)
        work(world, pushed, thing, starts(world, sent))
    done = commit + rng.uniform(0.02, 0.06)
    took = int((done - seconds) * 1000)
    world.say(done, firm.front, "end", {**told, "status": 201, "ms": took}, host=host)
    return world.entity(thing, rid, pushed)


def starts(world: World, sent: float) -> float:
    """When a worker takes a job pushed at `sent`; a pause is made up for evenly afterwards."""
    rng = world.rng
    begin, end = world.paused
    if begin <= sent < end:
        return end + (sent - begin) * rng.uniform(0.35, 0.4) + rng.uniform(0.1, 1.0)
    return sent + rng.uniform(0.03, 0.9)


def work(world: World, job: Job, thing: str, seconds: float) -> None:
    """A job that does its work, now and then at the second attempt."""
    firm, rng = world.company, world.rng
    took = rng.uniform(0.05, 0.7)
    if seconds + took > world.end_s:
        return  # it waits when the collection ends
    if rng.random() < RETRIED:
        third = world.error(
            firm.worker, "http_5xx", host=firm.third[1], path=firm.third[2], status=503
        )
        world.run(job, seconds, took, "retried", third)
        seconds += rng.uniform(15, 30)
        if seconds + took > world.end_s:
            return
    attempt = world.run(job, seconds, took)
    world.row(
        seconds + took * 0.8,
        firm.effects,
        world.new_id(),
        columns={f"{firm.thing}_id": int(thing) if thing.isdigit() else thing},
        host=attempt.host,
    )


# -- noise ---------------------------------------------------------------------------------------


def _rolling_deploy(world: World) -> None:
    """One service after the other host: stop, boot; a deployment in the record."""
    rng = world.rng
    service = rng.choice(world.company.services)
    seconds = rng.uniform(200, 1700)
    version = f"{rng.getrandbits(160):040x}"
    words = f"deployed {service.name} {version[:12]} to production"
    world.change(seconds, words, service.name, version=version, who="release-bot", status="success")
    world.deploys.append(seconds)
    for place, host in enumerate(service.hosts):
        at = seconds + 12 + place * 25
        world.say(at, service, "stop", host=host)
        world.say(
            at + 9,
            service,
            "boot",
            {"service": service.name, "version": version[:8], "n": 7},
            host=host,
        )


def _worker_recycling(world: World) -> None:
    """Workers that are replaced after so many jobs, idle when they go."""
    for _ in range(world.rng.randint(2, 5)):
        at = world.rng.uniform(60, world.end_s - 30)
        host = world.rng.choice(world.company.worker.hosts)
        world.log(at, world.company.worker.name, host, "worker reached its job limit, recycling", 9)
        world.log(at + 2, world.company.worker.name, host, "worker ready", 9)


def _idle_resets(world: World) -> None:
    """Single connections that a balancer dropped while nobody used them; the client reconnects."""
    for _ in range(world.rng.randint(2, 6)):
        service = world.rng.choice(world.company.services)
        at = world.rng.uniform(30, world.end_s - 30)
        words = world.error(service, "closed")
        world.log(at, service.name, world.rng.choice(service.hosts), f"{words}, reconnected", 13)


def _cache_noise(world: World) -> None:
    """A cache that answers late now and then all night; the page is rendered without it."""
    service = world.rng.choice(world.company.backs)
    at = world.rng.uniform(5, 60)
    while at < world.end_s - 5:
        words = world.error(service, "timeout", host="cache", port=11211)
        world.log(
            at, service.name, world.rng.choice(service.hosts), f"cache miss after {words}", 13
        )
        at += world.rng.uniform(60, 200)


def _bots(world: World) -> None:
    """Scanners: paths that never existed, forms without a token."""
    front = world.company.front
    paths = ("/wp-login.php", "/.env", "/admin/config.php", "/cgi-bin/test", "/.git/HEAD")
    at = world.rng.uniform(100, 1200)
    for _ in range(world.rng.randint(8, 30)):
        told = {"method": "GET", "path": world.rng.choice(paths), "rid": world.request_id()}
        status = world.rng.choice((404, 404, 403, 400))
        world.say(at, front, "end", {**told, "status": status, "ms": 2})
        at += world.rng.uniform(0.2, 6)


def _deadlock_tried_again(world: World) -> None:
    """Two transactions in opposite order; the client of the ended one repeats it and succeeds."""
    rng, service = world.rng, world.rng.choice(world.company.backs)
    at, one, two = rng.uniform(60, 1700), rng.randint(2000, 9000), rng.randint(9001, 19000)
    world.database_log(
        at,
        one,
        f"deadlock detected␊DETAIL:  Process {one} waits for ShareLock on transaction 88121; "
        f"blocked by process {two}. Process {two} waits for ShareLock on transaction 88120; "
        f"blocked by process {one}.",
        17,
    )
    words = world.error(service, "sql", message="deadlock detected")
    host = rng.choice(service.hosts)
    world.log(at + 0.004, service.name, host, f"{words} (attempt 1, will retry)", 13)
    world.log(at + 0.12, service.name, host, "transaction committed on attempt 2", 9)


def _shipped_twice(world: World) -> None:
    """A shipper that sends the lines of one host twice for a minute."""
    host = world.rng.choice(world.company.worker.hosts)
    low = world.at(world.rng.uniform(200, 1600))
    high = low + MINUTE_NS
    again = [
        (replace(event, ref=f"{event.ref}+", seq=event.seq + 10_000_000), by)
        for event, by in world.told
        if by == host and low <= event.timestamp < high and event.kind is Kind.LOG
    ]
    world.told += again


def _maintenance(world: World) -> None:
    """The queue was paused on purpose and caught up without harm."""
    if world.paused != (0.0, 0.0):
        return
    begin = world.rng.uniform(200, 700)
    world.paused = (begin, begin + world.rng.uniform(90, 240))
    queue = world.company.queue
    world.change(begin, f"maintenance: queue {queue} paused (announced)", who="ops")
    world.change(world.paused[1], f"maintenance over: queue {queue} resumed", who="ops")


def _rollup(world: World) -> None:
    """A small job every five minutes, always on time, as the team has configured."""
    firm, rng = world.company, world.rng
    offset = rng.uniform(5, 280)
    line = "hourly counters rolled up"
    at = offset
    while at < world.end_s - 5:
        host = firm.worker.hosts[0]
        world.log(
            at + rng.uniform(0, 2), firm.worker.name, host, f"{line} rows={rng.randint(90, 400)}"
        )
        at += 300
    schedule = Schedule("rollup", Work(log=line), every=300 * SECOND_NS, tolerance=MINUTE_NS)
    world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))


def _batch(world: World) -> None:
    """A nightly batch over every tenant that gets to its end."""
    firm, rng = world.company, world.rng
    tenants = [str(300 + n) for n in range(rng.randint(20, 60))]
    at, line = rng.uniform(120, 300), "tenant export written"
    for tenant in tenants:
        at += rng.uniform(0.5, 4)
        host = rng.choice(firm.worker.hosts)
        world.log(
            at,
            firm.worker.name,
            host,
            f"{line} tenant_id={tenant} batch_id=nightly-{world.seed[-3:]}",
        )
    expected = ExpectedSet(
        "tenants with an export tonight",
        Work(log=line),
        tuple(f"tenant:{tenant}" for tenant in tenants),
        ordered=True,
        asked_at=world.at(world.now_s),
    )
    world.knowledge = replace(world.knowledge, expected=(*world.knowledge.expected, expected))


def _promise(world: World) -> None:
    """The team has written down that every new thing gets its effect within two minutes."""
    firm = world.company
    contract = Contract(
        f"every {firm.thing} gets a row in {firm.effects}",
        firm.table,
        Work(table=firm.effects),
        within=PROMISED_S * SECOND_NS,
    )
    world.knowledge = replace(world.knowledge, contracts=(*world.knowledge.contracts, contract))


def _metrics(world: World) -> None:
    """Memory, lag and latency, every 15 s, with nothing to be seen in them."""
    rng = world.rng
    every = [15.0 * n for n in range(int(world.end_s // 15))]
    for service in (world.company.front, world.company.worker):
        for host in service.hosts:
            level, labels = rng.uniform(2e8, 6e8), {"job": service.name, "instance": f"{host}:9100"}
            world.curve(
                "memory_bytes",
                labels,
                (
                    (s, level * (1 + 0.03 * math.sin(s / 90 + level) + rng.uniform(-0.01, 0.01)))
                    for s in every
                ),
            )
    labels = {"job": "postgresql", "instance": world.company.database}
    world.curve("replication_lag_seconds", labels, ((s, abs(rng.gauss(0.02, 0.01))) for s in every))
    front = {"job": world.company.front.name}
    world.curve("request_p95_seconds", front, ((s, rng.uniform(0.1, 0.16)) for s in every))


def _guilty_of_nothing(world: World) -> None:
    """Somebody notes something that has no bearing."""
    world.change(
        world.rng.uniform(100, PIN_S - 60), "feature flag new-footer set to 10 %", who="web team"
    )


def _two_people(world: World) -> None:
    """A row that is edited and edited again, minutes apart, by an application that reads first."""
    thing, at = new_uuid(world.rng), world.rng.uniform(100, 900)
    world.row(at, "settings", thing, columns={"state": "active"})
    world.row(at + 300, "settings", thing, kind=Kind.ROW_UPDATED, columns={"state": "active"})


_NOISE: tuple[tuple[Callable[[World], None], float], ...] = (
    (_rolling_deploy, 0.35),
    (_worker_recycling, 0.5),
    (_idle_resets, 0.7),
    (_cache_noise, 0.5),
    (_bots, 0.5),
    (_deadlock_tried_again, 0.3),
    (_maintenance, 0.2),
    (_rollup, 0.5),
    (_batch, 0.4),
    (_promise, 0.4),
    (_metrics, 0.7),
    (_guilty_of_nothing, 0.3),
    (_two_people, 0.2),
)
