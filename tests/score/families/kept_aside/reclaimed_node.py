"""A cheap machine is taken back by its owner at two minutes' notice that nobody listens for. The
worker on it dies in the middle of its jobs; nobody else takes these up.

A person sees it by:
- jobs begun on one host without an end, in the queue still as running;
- not one line of that host after a certain second, while its siblings go on;
- the notice, and the cluster's word that the node was gone.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import pod_event
from tests.score.families.watched import beside
from tests.score.held import narrowed, of_these
from tests.score.queues import Job
from tests.score.sixth_company.acts import close, pushed, rows_of, taken_over, told
from tests.score.sixth_company.company import KEEPING, Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import Thing, World

MARGIN_S = 1.5
"""A job of an ordinary night takes less: none of them is cut in two."""


def prepare(world: World) -> None:
    settle(world, KEEPING, workers=(3, 7))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, worker, start = here.rng, here.company.worker, here.onset_s
    host, sibling = worker.hosts[0], worker.hosts[1]
    taken_over(here, host, sibling, start - MARGIN_S, ends=start)
    lost = [_cut_off(here, start - rng.uniform(0.5, 9), host) for _ in range(rng.randint(2, 7))]
    instance = f"i-0{rng.getrandbits(64):016x}"
    notice = f"Spot interruption notice received - instance {instance} will be terminated"
    if rng.random() < 0.6:
        beside(here, start - 120, "node-agent", notice, 13, f"{host}-node")
    words = "Marking for deletion Pod, node is not ready"
    pod_event(here, start + rng.uniform(38, 45), host, "TaintManagerEviction", words)
    close(here)
    late = [e for e, by in here.told if by == host and e.timestamp > here.at(start)]
    going_on = [e for e, by in here.told if by == sibling and e.timestamp > here.at(start)]
    begun = all(told(here, _job(thing).id, since=start - 10, until=start) for thing in lost)
    ended = any(rows_of(here, here.company.effects, thing.id) for thing in lost)
    held = all(_job(thing).state() == "lost" for thing in lost)
    effect = not late and len(going_on) > 10 and begun and held and not ended
    effect &= len(told(here, "TaintManagerEviction", host)) == 1
    truth = fault(here, "lost-worker", here.end_s, lost, effect=effect)
    made = here.at(start - 10)  # they were begun within the last nine seconds, as soon as made
    return narrowed(truth, of_these(truth, "orphaned-record", since=made))


def _cut_off(here: Shift, begins: float, host: str) -> Thing:
    """A record whose job was at work when the machine went."""
    firm, rng = here.company, here.rng
    thing, rid = here.new_id(), here.request_id()
    sent = begins - rng.uniform(0.1, 0.8)
    sender = rng.choice(firm.front.hosts)
    here.row(sent - 0.02, firm.table, thing, columns={"state": "new"}, commit=sent - 0.01)
    job = pushed(here, sent, thing, rid, sender)
    attempt = here.run(job, begins, 0, "lost")
    attempt.host, attempt.worker = host, here.worker_on(host)
    event, _ = here.told.pop()  # the run's first line, told again by the host that is lost
    here.log(begins + 0.002, firm.worker.name, host, event.body)
    return here.entity(thing, rid, job)


def _job(thing: Thing) -> Job:
    """The job of a record that has one. Raises `TypeError` for one that has none."""
    if thing.job is None:
        raise TypeError("a record of this night has a job")
    return thing.job
