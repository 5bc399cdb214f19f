"""Every few minutes whoever holds a lease uploads a file. The holder is evicted and does not give
the lease back; all others see it held, and nobody uploads any more.

A person sees it by:
- the schedule of the upload, as configured, and its line at every due time before and none after;
- the others' line at each due time: the lease is held by a pod;
- the eviction of that very pod, shortly before the first upload that is missing.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.families.shopfloor import pod_event
from tests.score.held import Act, narrowed
from tests.score.sixth_company.acts import close, taken_over, told
from tests.score.sixth_company.company import settle, shift
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

_FILES = ("settlement file", "price feed", "stock snapshot", "sepa batch")


def prepare(world: World) -> None:
    settle(world, workers=(3, 6))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, worker = here.rng, here.company.worker
    every, name = rng.choice((90, 120, 150)), rng.choice(_FILES)
    line, lease = f"{name} uploaded", name.replace(" ", "-")
    due = here.onset_s % every
    holder, others = worker.hosts[0], worker.hosts[1:]
    while due < here.onset_s - 1:
        at = due + rng.uniform(0.1, 2)
        size = rng.randint(20_000, 900_000)
        here.line(at, worker, f"lease {lease} renewed by {holder}", host=holder)
        here.line(at + 1.3, worker, f"{line} bytes={size}", host=holder)
        due += every
    gone = here.onset_s - rng.uniform(10, every * 0.6)
    taken_over(here, holder, others[0], gone)
    pod_event(here, gone, holder, "Evicted", "The node was low on resource: ephemeral-storage.")
    missed = 0
    while due < here.end_s - 5:
        for host in others:
            words = f"lease {lease} is held by {holder}, not my turn"
            here.line(due + rng.uniform(0.1, 2), worker, words, host=host)
        due, missed = due + every, missed + 1
    work = Work(log=line)
    schedule = Schedule(name, work, every=every * SECOND_NS, tolerance=MINUTE_NS)
    here.knowledge = replace(here.knowledge, schedules=(*here.knowledge.schedules, schedule))
    close(here)
    before, after = told(here, line, until=here.onset_s), told(here, line, since=here.onset_s)
    held = told(here, f"lease {lease} is held by", since=here.onset_s)
    effect = len(before) >= 4 and not after and missed >= 2 and len(held) >= 2
    effect &= bool(told(here, "Evicted", holder))
    truth = fault(here, "missed-run", here.end_s, effect=effect)
    # the holder is gone, and had no job at hand
    lost = Act("lost-worker", here.at(gone), truth.ended, frozenset((f"pod:{holder}",)))
    return narrowed(truth, lost)
