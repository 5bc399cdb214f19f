"""A log file is renamed by rotation and the workers go on writing to the file they had opened,
which nobody reads any more. They work as before; nothing of it is told.

A person sees it by:
- not one line of the workers after a certain second, on none of their hosts;
- the queue, by which these workers begin and end jobs all the while, and the rows they leave;
- rotation of that very file in that second, without a signal to the program.
"""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.families.watched import beside
from tests.score.sixth_company.acts import close, told
from tests.score.sixth_company.company import KEEPING, settle, shift
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane


def prepare(world: World) -> None:
    settle(world, KEEPING)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, worker, start = here.rng, here.company.worker, here.onset_s
    until = here.end_s if rng.random() < 0.6 else float(round(start + rng.uniform(300, 390)))
    mute(here, worker.hosts, start, until)
    for host in worker.hosts:
        place = f"/srv/log/{worker.name}.log"
        lines = (
            f"rotating pattern: {place} after 1 days (14 rotations)",
            f"renaming {place} to {place}.1",
            f"creating new {place} mode = 0640 uid = 990 gid = 990",
        )
        for number, words in enumerate(lines):
            beside(here, start - 0.4 + 0.1 * number, "logrotate", words, host=f"{host}-sys")
    if until < here.end_s - 60:
        for host in worker.hosts:
            here.line(until, worker, "SIGUSR1: log files reopened", host=host)
    close(here)
    low, high = here.at(start + 1), here.at(min(until, here.end_s))
    silent = not [
        event
        for event in told(here, since=start + 1, until=until)
        if event.lane is Lane.LOG and event.actor == worker.name
    ]
    runs = [attempt for job in here.jobs for attempt in job.attempts]
    ended = [run for run in runs if low < (run.ended or 0) < high]
    rows = [e for e in told(here, since=start, until=until) if e.actor == here.company.effects]
    effect = silent and len(ended) > 10 and len(rows) > 10
    return fault(here, "blind-spot", until, effect=effect)
