"""A library keeps every document it ever rendered. Each worker swells until its limit, is killed
with a job in its hands, and begins again from the bottom."""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.fourth_company.acts import (
    SEVERITY_WARN,
    asked,
    begun,
    deployed,
    done,
    forget_curves,
)
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import Thing, World

MEBIBYTE = 2.0**20


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(1, 4))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm = night.house
    limit = rng.choice((512, 768, 1024, 2048)) * MEBIBYTE
    released = rng.random() < 0.5
    begin = rng.uniform(60, 400)
    if released:
        deployed(night, begin - 20, firm.worker)
    told_by = rng.choice(("metric", "log", "both"))
    swollen = rng.sample(firm.worker.hosts, rng.randint(1, len(firm.worker.hosts)))
    hit: list[Thing] = []
    for place, host in enumerate(swollen):
        forget_curves(night, "memory_bytes", about=f"{host}:")
        floor = limit * rng.uniform(0.15, 0.3)
        first = begin + place * rng.uniform(0, 40)
        climb = rng.uniform(night.onset_s - begin, night.onset_s - begin + 200) * 0.98
        deaths = [first + climb]
        while deaths[-1] + climb < night.end_s - 20:
            deaths.append(deaths[-1] + climb)
        deaths = [d for d in deaths if d < night.end_s - 20]
        for death in deaths:
            hit.append(_killed(night, host, death, limit))
        points = [(s, _level(s, first, deaths, climb, floor, limit)) for s in _every(night)]
        if told_by != "log":
            labels = {"job": firm.worker.name, "instance": f"{host}:9102"}
            name = "container_memory_working_set_bytes"
            night.curve(name, labels, [(s, v * rng.uniform(0.995, 1.005)) for s, v in points])
        if told_by != "metric":
            for s, level in points[::4]:
                words = (
                    f"process memory rss={level / MEBIBYTE:.0f}MiB limit={limit / MEBIBYTE:.0f}MiB"
                )
                night.line(s + 0.4, firm.worker, words, 9, host)
    night.samples()
    twice = any(thing.job is not None and len(thing.job.attempts) > 1 for thing in hit)
    again = ("delivered-again",) if twice or night.brand.name in (*COUNTING, "bullmq") else ()
    return fault(
        night,
        "memory-leak",
        night.end_s,
        hit,
        onset_s=begin,
        also=("lost-worker", "orphaned-record", *again, *(("change-before",) if released else ())),
        effect=len(hit) > 0,
    )


def _every(night: Shift) -> list[float]:
    return [15.0 * n for n in range(int(night.end_s // 15))]


def _level(
    seconds: float, first: float, deaths: list[float], climb: float, floor: float, limit: float
) -> float:
    """Where the line stands: flat at first, then up from the last death or from the beginning."""
    since = max([d for d in deaths if d <= seconds], default=first)
    return floor + (limit - floor) * min(1.0, max(0.0, seconds - since) / climb)


def _killed(night: Shift, host: str, death: float, limit: float) -> Thing:
    """The worker goes down with a job in its hands; that is given out again a while later."""
    rng, firm = night.rng, night.house
    found, job = asked(night, death - rng.uniform(1.5, 4))
    attempt = begun(night, job, found.id, death - rng.uniform(0.3, 1.2), host)
    back = death + rng.uniform(31, 70)
    if back + 2 < night.end_s and rng.random() < 0.8:
        attempt.ended = night.at(back)
        done(night, job, found.id, back + 0.2, rng.uniform(0.3, 1))
    boot = death + rng.uniform(4, 12)
    mute(night, [host], death + 0.001, boot)
    words = (
        f"Memory cgroup out of memory: Killed process 17 ({firm.worker.name}) total-vm:4213004kB,"
        f" anon-rss:{limit / 1024:.0f}kB, oom_score_adj:936"
    )
    night.aside(death, "kernel", words, SEVERITY_WARN, host)
    night.say(boot, firm.worker, "boot", {"service": firm.worker.name, "version": "0.4"}, host=host)
    return found
