"""The kernel kills a worker that holds jobs, and nobody gives them to another.

One large job takes the memory of its machine; the kernel ends the process with everything it had
in hand. The supervisor starts it again and it takes new jobs. Those it held stay claimed by a
process that is gone: they neither end nor fail, or fail only when a pruner finds them.

A person sees it by: the kernel's and the supervisor's lines; jobs that began on that host before
the kill and have no end, neither in the queue, where they still count as taken, nor in the log;
the host's next jobs, which end well; no row for the things in question.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.queues.transitions import iso
from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import WORD, saying
from tests.score.fifth_company.harbour import KEEPING, Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.queues import Job
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Event, Lane

_PROCESSES = {"rails": "ruby", "log4js": "node", "loguru": "python3"}
PRUNED_S = 330
"""Solid Queue's pruner: five minutes without a heartbeat, and its next round."""


def prepare(world: World) -> None:
    settle(world, (*KEEPING, "graphile-worker"), workers=(2, 5))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    host = rng.choice(night.firm.worker.hosts)
    up = night.onset_s + rng.uniform(4, 30)
    held = _held(night, host)
    _elsewhere(night, host, up, {job.id for job in held})
    _killed(night, host, up)
    if night.brand.name == "solid-queue":
        _pruned(night, held)
    surroundings(night)
    night.close_the_books()
    hit = [_keys(night, job) for job in held]
    things = {job.args.partition("=")[2] for job in held}
    worker = night.firm.worker.name
    spoken = sum(
        event.actor in (worker, night.firm.effects)
        and event.timestamp > night.at(night.onset_s + 0.01)
        and not things.isdisjoint(WORD.findall(event.body))
        for event, _ in night.told
        if event.lane is not Lane.QUEUE
    )
    return fault(
        night,
        "lost-worker",
        night.end_s,
        hit,
        also=("orphaned-record", "full"),
        effect=len(hit) >= 2 and spoken == 0 and len(saying(night, "Killed process")) >= 1,
    )


def _held(night: Watch, host: str) -> list[Job]:
    """Long jobs of that host, and whatever else it had in hand at that instant."""
    rng, firm = night.rng, night.firm
    end = night.at(night.onset_s)
    held: list[Job] = []
    for job in night.jobs:
        last = job.attempts[-1] if job.attempts else None
        if last is None or last.host != host or last.ended is None:
            continue
        if last.started < end <= last.ended:
            last.outcome, last.ended = "lost", None
            held.append(job)
    for _ in range(rng.randint(2, 5)):
        thing, at = night.new_id(), night.onset_s - rng.uniform(6, 40)
        night.row(at, firm.table, thing, columns={"state": "pending"}, commit=at + 0.01)
        job = night.push(at + 0.02, thing, rng.choice(firm.front.hosts))
        begun = at + rng.uniform(0.1, 3)
        night.run(job, begun, 1.0, "lost")
        attempt = job.attempts[-1]
        night.told[-1] = (_on(night.told[-1][0], attempt.host, host), host)
        attempt.host, attempt.worker = host, night.worker_on(host)
        night.entity(thing, job=job)
        held.append(job)
    ids = {job.args.partition("=")[2] for job in held}
    night.told = [
        (event, by)
        for event, by in night.told
        if event.timestamp < end or by != host or ids.isdisjoint(WORD.findall(event.body))
    ]
    left = {f"{firm.thing}:{thing}" for thing in ids}
    night.told = [
        (event, by)
        for event, by in night.told
        if event.actor != firm.effects or left.isdisjoint(event.keys)
    ]
    return held


def _on(event: Event, old: str, host: str) -> Event:
    """The same line on another host."""
    told = event.attributes.replace(old, host) if event.attributes else None
    return replace(event, clock=host, attributes=told)


def _elsewhere(night: Watch, host: str, up: float, held: set[str]) -> None:
    """Jobs that would have begun on the dead host were taken by another."""
    low, high = night.at(night.onset_s), night.at(up)
    other = next(name for name in night.firm.worker.hosts if name != host)
    reborn = f"{host}.{night.rng.randint(10_000, 30_000)}"
    for job in night.jobs:
        for attempt in job.attempts:
            if attempt.host != host or attempt.started < low or job.id in held:
                continue
            if attempt.started >= high:
                attempt.worker = reborn
            else:
                attempt.host, attempt.worker = other, night.worker_on(other)
    night.told = [
        (_on(event, host, other), other)
        if by == host and low <= event.timestamp < high and event.lane is Lane.LOG
        else (event, by)
        for event, by in night.told
    ]


def _killed(night: Watch, host: str, up: float) -> None:
    """The kernel's lines and the supervisor's, and the new process."""
    rng, worker = night.rng, night.firm.worker
    process = _PROCESSES[worker.style_name]
    pid, pages = rng.randint(1200, 9000), rng.randint(3_000_000, 8_000_000)
    unit = f"{worker.name}.service"
    for at, who, words, severity in (
        (
            night.onset_s,
            "kernel",
            f"Out of memory: Killed process {pid} ({process}) total-vm:{pages + 900_000}kB,"
            f" anon-rss:{pages}kB, file-rss:0kB, shmem-rss:0kB, UID:1000 oom_score_adj:0",
            17,
        ),
        (
            night.onset_s + 0.2,
            "systemd",
            f"{unit}: Main process exited, code=killed, status=9/KILL",
            13,
        ),
        (night.onset_s + 0.2, "systemd", f"{unit}: Failed with result 'oom-kill'.", 13),
        (up - 2, "systemd", f"{unit}: Scheduled restart job, restart counter is at 1.", 9),
    ):
        night.log(at, who, host, words, severity, source="journal")
    version = f"{rng.getrandbits(32):08x}"
    told = {"service": worker.name, "version": version, "n": 10}
    night.say(up, worker, "boot", told, host=host)


def _pruned(night: Watch, held: list[Job]) -> None:
    """What Solid Queue's pruner makes of them, when the night is long enough."""
    found = night.onset_s + PRUNED_S
    if found >= night.end_s:
        return
    for job in held:
        attempt = job.attempts[-1]
        attempt.ended = night.at(found)
        attempt.error = (
            "SolidQueue::Processes::ProcessPrunedError: Process was found dead and pruned (last"
            f" heartbeat at: {iso(night.at(night.onset_s - 20))})"
        )


def _keys(night: Watch, job: Job) -> Entity:
    thing = job.args.partition("=")[2]
    found = next((known.keys for known in night.things if known.id == thing), frozenset())
    own = f"job:{job.id}"
    rows = {
        key
        for event, _ in night.told
        if event.lane is Lane.QUEUE and own in event.keys
        for key in event.keys
        if key.startswith("job:")
    }  # where the queue numbers the job beside the framework's id of it
    return found | job_keys(job.id) | rows | {f"{night.firm.thing}:{thing}"}
