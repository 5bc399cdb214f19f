"""Something has no room left: the database's volume, the spool of one worker, the broker's disk or
its memory. Who writes is refused as soon as it takes new room; who reads notices nothing."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import (
    SEVERITY_ERROR,
    SEVERITY_WARN,
    asked,
    failed_request,
    named,
    recorded,
    run_on,
)
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World

GIBIBYTE = 2.0**30
ALARMS = 3
"""How often the broker's alarm comes back, at most, after the first time."""


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 6))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    brand, onset = night.brand.name, night.onset_s
    until = night.end_s - 5 if rng.random() < 0.6 else onset + rng.uniform(120, 280)
    broker = {"rq": _broker_memory, "bullmq": _broker_memory, "rabbitmq": _broker_disk}.get(brand)
    act = rng.choice([_database, _spool, *([broker, broker] if broker else [])])
    times = sorted(rng.uniform(onset, until) for _ in range(rng.randint(12, 40)))
    hit = act(night, [onset, *times])
    also: tuple[str, ...] = ()
    if act in (_broker_memory, _broker_disk):
        also = ("orphaned-record", "ambiguous-enqueue")  # a refused push was surely not sent
    if act is _spool and brand in COUNTING:
        also = ("delivered-again",)
    if until < night.end_s - 5:
        night.change(until, "volume grown and old files removed", who="on call")
    night.samples()
    return fault(night, "full", until + 60, hit, also=also)


def _falling(night: Shift, instance: str, mount: str) -> None:
    """The free space as metrics have it, down to nothing at the onset."""
    if night.rng.random() < 0.4:
        return
    begin = night.rng.uniform(2, 9) * GIBIBYTE
    points = [
        (15.0 * n, max(0.0, begin * (1 - 15.0 * n / night.onset_s)))
        for n in range(int(night.end_s // 15))
    ]
    labels = {"instance": instance, "mountpoint": mount}
    night.curve("node_filesystem_avail_bytes", labels, points)


def _database(night: Shift, times: list[float]) -> list[Entity]:
    firm = night.house
    _falling(night, firm.database, "/var/lib/db")
    hit = []
    for at in times:
        said = night.server_says("disk_full")
        error = night.error(firm.front, "sql", message=said)
        rid = failed_request(night, at, firm.front, error, method="POST")
        night.server_line(at + 0.01, night.rng.randint(3000, 30_000), "disk_full")
        hit.append(request_names(rid))
    return hit


def _spool(night: Shift, times: list[float]) -> list[Entity]:
    """One worker of several: what lands on it fails, its neighbours do the same work."""
    firm, rng = night.house, night.rng
    host = rng.choice(firm.worker.hosts)
    _falling(night, f"{host}:9100", "/var/spool")
    hit = []
    for at in times:
        thing, job = asked(night, at - 0.5)
        run_on(night, job, at, 0.08, host, "retried", night.error(firm.worker, "full"))
        again = at + rng.uniform(15, 40)
        if again + 2 < night.end_s:
            other = next(h for h in firm.worker.hosts if h != host)
            run_on(night, job, again, rng.uniform(0.2, 1), other)
        hit.append(thing.keys)
    return hit


def _broker_memory(night: Shift, times: list[float]) -> list[Entity]:
    words = "OOM command not allowed when used memory > 'maxmemory'."
    error = {
        "django-rq": f"redis.exceptions.OutOfMemoryError: {words}",
        "winston": f"ReplyError: {words}",
    }[night.house.front.style_name]
    return [_refused(night, at, error, 0.03) for at in times]


def _broker_disk(night: Shift, times: list[float]) -> list[Entity]:
    where = f"rabbit@{night.house.broker.partition('.')[0]}"
    alarms = sorted(night.rng.sample(times[1:], ALARMS)) if len(times) > ALARMS else []
    alarms = [times[0], *(at for at in alarms if at > times[0] + 30)]
    for at in alarms:
        words = "Free disk space is insufficient. Free bytes: 41943040. Limit: 50000000"
        night.aside(at - 0.5, "rabbit", f"{words} on {where}", SEVERITY_WARN)
        words = "disk resource limit alarm set, publishers will be blocked until this alarm clears"
        night.aside(at - 0.4, "rabbit", f"{words} on {where}", SEVERITY_WARN)
        night.aside(at + 14, "rabbit", f"disk resource limit alarm cleared on {where}")
    times = [night.rng.choice(alarms) + night.rng.uniform(0, 3) for _ in times]
    _falling(night, f"{night.house.broker}:9100", "/var/lib/rabbitmq")
    error = "no confirm within 10 s, connection.blocked: low on disk"
    return [_refused(night, at, error, 10.0) for at in times]


def _refused(night: Shift, seconds: float, error: str, waited: float) -> Entity:
    """The row is there, the push is refused, the caller is told so."""
    firm = night.house
    thing, rid, host = recorded(night, seconds, answered=False)
    told = {"job": firm.job_class, "rid": rid, "error": error}
    at = seconds + 0.02 + waited
    night.say(at, firm.front, "push_failed", told, host=host, severity=SEVERITY_ERROR)
    end = {"method": "POST", "path": f"/{firm.table}", "rid": rid, "status": 500}
    night.say(at + 0.01, firm.front, "end", {**end, "ms": int(waited * 1000) + 30}, host=host)
    return named(night, thing, rid)
