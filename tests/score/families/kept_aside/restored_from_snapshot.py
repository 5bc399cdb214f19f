"""A worker's machine is brought back from its saved state and goes on from the hour it had then.

Its clock is seconds behind everybody's until its time service is heard again; all that it writes
itself, lines and stamps in rows, lies too early, while what servers stamp for it is right.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.seventh_company.acts import opened, seconds_of
from tests.score.seventh_company.utility import Shift, move_in, without_pause
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import PRECISION_NS, SEVERITY_WARN, Event, Kind, Lane
from timeline.window import SECOND_NS

FEWEST = 6


def prepare(world: World) -> None:
    move_in(world, workers=(2, 4))
    without_pause(world)


def inject(world: World) -> Truth:
    here = opened(world)
    worker, begin = here.utility.worker, here.onset_s
    host = here.rng.choice(worker.hosts)
    behind = here.rng.uniform(5, 28)
    also: tuple[str, ...] = ()
    if here.rng.random() < 0.5:
        words = f"node maintenance: {host} suspended and restored"
        here.change(begin, words, worker.name, who="platform")
        also = ("change-before",)
    if here.rng.random() < 0.5:
        at = begin + here.rng.uniform(20, 60)
        while at < here.end_s - 30:
            words = (
                "systemd-timesyncd[411]: Timed out waiting for reply from 10.30.0.5:123"
                " (ntp-1.sw.internal)."
            )
            here.aside(at, "journal", words, SEVERITY_WARN, host=host)
            at += here.rng.uniform(120, 260)
    _written_by(here, host, begin, behind)
    return fault(
        here,
        "clock-skew",
        here.end_s,
        also=also,
        effect=_begun_before_pushed(here, host, begin) >= FEWEST,
    )


def _written_by(here: Shift, host: str, since: float, behind: float) -> None:
    """What `host` stamped itself is too early by `behind` seconds; River's ends among it."""
    low, back = here.at(since), round(behind * 1_000_000) * 1_000
    told: list[tuple[Event, str]] = []
    for event, by in here.told:
        if by == host and event.timestamp >= low:
            unit = PRECISION_NS[event.precision]
            stamp = (event.timestamp - back) // unit * unit
            told.append((replace(event, timestamp=stamp), by))
        else:
            told.append((event, by))
    here.told = told
    for job in here.jobs if here.brand.name == "river" else ():
        for run in job.attempts:
            if run.host == host and run.ended is not None and run.ended >= low:
                run.ended -= back


def _begun_before_pushed(here: Shift, host: str, since: float) -> int:
    """Jobs whose worker's line of `host` stands before the push that it answers."""
    pushed = {job.id: job.pushed[0] for job in here.jobs if seconds_of(here, job.pushed[0]) > since}
    early = {
        name
        for event, by in here.told
        if by == host and event.lane is Lane.LOG and event.kind is Kind.LOG
        for name in pushed
        if name in event.body and event.timestamp < pushed[name] - SECOND_NS
    }
    return len(early)
