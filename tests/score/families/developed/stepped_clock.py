"""One host's clock stands wrong after its machine was moved.

A virtual machine is moved to other iron during the night and comes back with a clock that is some
seconds off; its time service reaches no source. From then on its lines, and the rows and jobs it
stamps, stand beside the truth. All other clocks are good.

A person sees it by: calls of one request or one job whose callee answers before the caller calls,
or begins after the caller ended; always the same host on one side, always by the same amount;
before the move none. On some nights the time service's own complaint.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import WORD, jobs_call
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Truth
from tests.score.world import World
from timeline.window import SECOND_NS

NEEDED = 4
"""Crossings that a person must be able to point at."""


def prepare(world: World) -> None:
    settle(world, workers=(2, 3))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    back = night.firm.backs[0]
    jobs_call(night, back)
    wrong: Service = rng.choice((back, night.firm.worker))
    host = rng.choice(wrong.hosts)
    off = rng.choice((-1, 1)) * rng.choice((rng.uniform(1.5, 6), rng.uniform(8, 45)))
    recorded = rng.random() < 0.4
    if recorded:
        words = f"live migration of {host} from hv-{rng.randint(1, 4)} to hv-{rng.randint(5, 9)}"
        night.change(night.onset_s, words, who="capacity balancer", status="success")
    if rng.random() < 0.6:
        _time_service(night, host, "Forward" if off > 0 else "Backward")
    surroundings(night)
    night.close_the_books()
    true = _crossings(night, host)
    night.told = [
        (replace(event, timestamp=event.timestamp + int(off * 1e9)), by)
        if by == host and event.timestamp >= night.at(night.onset_s)
        else (event, by)
        for event, by in night.told
    ]
    return fault(
        night,
        "clock-skew",
        night.end_s,
        also=("change-before",) if recorded else (),
        effect=true == 0 and _crossings(night, host) >= NEEDED,
    )


def _time_service(night: Watch, host: str, jump: str) -> None:
    """What chrony says when nobody answers it."""
    name = f"chronyd@{host}"
    words = f"{jump} time jump detected!"
    night.log(night.onset_s + 3, name, host, words, 13, source="journal")
    night.log(
        night.onset_s + 9,
        name,
        host,
        "Can't synchronise: no selectable sources (1 unreachable)",
        13,
        source="journal",
    )


def _crossings(night: Watch, host: str) -> int:
    """Jobs whose callee spoke of the thing outside the run, by the stamps, with `host` in it."""
    things = {job.args.partition("=")[2] for job in night.jobs if len(job.attempts) == 1}
    ran: defaultdict[str, list[int]] = defaultdict(list)
    called: defaultdict[str, list[int]] = defaultdict(list)
    hosts: defaultdict[str, set[str]] = defaultdict(set)
    for event, by in night.told:
        if event.actor == night.firm.worker.name:
            told = ran
        elif event.actor == night.firm.backs[0].name and "entry created" in event.body:
            told = called
        else:
            continue
        for thing in things.intersection(WORD.findall(event.body)):
            told[thing].append(event.timestamp)
            hosts[thing].add(by)
    return sum(
        host in hosts[thing]
        and (
            min(called[thing]) < min(ran[thing]) or max(called[thing]) > max(ran[thing]) + SECOND_NS
        )
        for thing in things
        if ran[thing] and called[thing]
    )
