"""A partner calls a hook and waits ten seconds for the answer. Tonight the handler is slower than
that, so the partner calls again; both calls put a job on the queue, and both jobs are done.

A person sees it by:
- two calls of the hook with one event id, the first of them cut off by its caller;
- two jobs with the same argument, put on the queue by those two requests;
- both jobs done, and two rows for one record among what they leave.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import accessed
from tests.score.held import Act, narrowed, of_these
from tests.score.sixth_company.acts import (
    answered,
    asked,
    both_names,
    close,
    left_behind,
    pushed,
    rows_of,
    told,
)
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import Thing, World

PATIENCE_S = 10.0


def prepare(world: World) -> None:
    settle(world, fronts=(2, 4))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    partner = rng.choice(("parcelbox", "gridworks", "mandato", "northpay"))
    at = rng.uniform(20, 60)
    while at < start - 30:  # as on any night
        _called(here, at, partner, _event(here), here.new_id(), rng.uniform(0.2, 1.5))
        at += rng.uniform(30, 90)
    twice, at, last = list[Thing](), start, start
    for _ in range(rng.randint(3, 9)):
        if at > here.end_s - 90:
            break
        event, thing = _event(here), here.new_id()
        calls, again = [], at
        for _ in range(rng.choice((2, 2, 3))):
            calls.append(_called(here, again, partner, event, thing, rng.uniform(10.8, 17)))
            again += PATIENCE_S + rng.uniform(1, 9)
        found = here.entity(thing)
        found.keys |= frozenset().union(*(both_names(rid) for _, rid in calls))
        found.keys |= frozenset(f"{kind}:{job}" for job, _ in calls for kind in ("job", "message"))
        found.request = event
        twice.append(found)
        last, at = again + 20, at + rng.uniform(15, 60)
    close(here)
    effect = all(_doubled(here, thing) for thing in twice)
    truth = fault(here, "duplicate-enqueue", last, twice, effect=effect)
    named = frozenset[str]().union(*truth.entities)
    jobs = {key for key in named if key.startswith(("job:", "message:"))}
    events = {f"event:{thing.request}" for thing in twice}
    # the partner's event came again; no job was begun twice
    came = Act("delivered-again", truth.onset, truth.ended, (named - jobs) | events)
    return narrowed(truth, came, of_these(truth, "duplicate-create"))


def _event(here: Shift) -> str:
    return f"evt_{here.rng.getrandbits(80):020x}"


def _called(
    here: Shift, at: float, partner: str, event: str, thing: str, took: float
) -> tuple[str, str]:
    """One call: the job and the request it made."""
    firm, rng = here.company, here.rng
    path = f"/hooks/{partner}"
    rid, host = asked(here, at, firm.front, path)
    named = f"event_id={event} {firm.thing}_id={thing} request_id={rid}"
    here.line(at + 0.01, firm.front, f"hook from {partner}: {named}", host=host)
    here.line(at + took * 0.9, firm.front, f"hook payload archived, {named}", host=host)
    sent = at + took * 0.95
    job = pushed(here, sent, thing, rid, host)
    answered(here, at + took, firm.front, path, rid, host, took)
    cut = took > PATIENCE_S
    status, seen = (499, PATIENCE_S) if cut else (200, took)
    more = f' "{partner}-hooks/3.1" request_id={rid}'
    accessed(here, at, "nginx", f"POST {path}", status, seen, more)
    begins, lasts = sent + rng.uniform(0.1, 1.5), rng.uniform(0.2, 1.2)
    attempt = here.run(job, begins, lasts)
    left_behind(here, begins + lasts * 0.9, thing, attempt)
    return job.id, rid


def _doubled(here: Shift, thing: Thing) -> bool:
    calls = told(here, thing.request, "hook from")
    requests = [event.body.partition("request_id=")[2].split()[0] for event in calls]
    cut = [event for rid in requests for event in told(here, " 499 ", "/hooks/", rid)]
    asked_for = [job for job in here.jobs if job.args.endswith(f"={thing.id}")]
    left = rows_of(here, here.company.effects, thing.id)
    return len(calls) == len(cut) == len(asked_for) == len(left) > 1
