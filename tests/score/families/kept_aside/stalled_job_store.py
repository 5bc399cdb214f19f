"""The database that holds the jobs does not answer for a minute, and its clients give up waiting.

The rows themselves are in another database and are safe. Some of the INSERTs were carried out after
nobody listened any more, some never were, and some were sent a second time and carried out twice.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import work
from tests.score.held import Act, narrowed
from tests.score.seventh_company.acts import (
    in_tongue,
    opened,
    running_between,
    spread,
    tried,
    unrun,
    withdrawn,
)
from tests.score.seventh_company.utility import Shift, move_in, request_names, without_pause
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR

WAITED_S = 5.0
FETCH = {
    "nest": "[JobsConsumer] pg-boss emitted error: {error}",
    "slog": '{{"level":"ERROR","msg":"producer: Error fetching jobs","err":"{error}"}}',
}


def prepare(world: World) -> None:
    move_in(world)
    without_pause(world)


def inject(world: World) -> Truth:
    here = opened(world)
    begin = here.onset_s
    end = begin + here.rng.uniform(45, 110)
    came = withdrawn(here, begin, end)
    for thing in running_between(here, begin, end):  # pushed just before, not fetched in time
        unrun(here, (thing,))
        tried(here, thing, end + here.rng.uniform(0.3, 6), here.rng.uniform(0.1, 0.7))
    given_up = [at for at in came if at + WAITED_S < end - 0.3]
    given_up += spread(here, begin + 0.5, end - 6, max(0, 9 - len(given_up)))
    carried = [(0, 1, 1, 2)[place % 4] for place in range(len(given_up))]
    here.rng.shuffle(carried)
    hit = []
    for place, at in enumerate(sorted(given_up)):
        if at + 2 * WAITED_S >= end:
            carried[place] = min(carried[place], 1)
        hit.append(_asked(here, at, end, carried[place]))
    for at in came:
        if at not in given_up:
            _waited_for(here, at, end)
    _nothing_fetched(here, begin, end)
    words = (
        "[52] LOG:  checkpoint complete: wrote 811 buffers (0.6%); write=3.110 s,"
        f" sync={end - begin - 3:.3f} s, longest={(end - begin) * 0.9:.3f} s"
    )
    here.aside(end + 0.4, "postgresql-jobs", words, host=here.utility.broker)
    also = {"orphaned-record"}
    also |= {"duplicate-enqueue", "duplicate-create"} if 2 in carried else set()
    truth = fault(
        here,
        "ambiguous-enqueue",
        end + WAITED_S * 2,
        hit,
        also=also,
        effect=len(hit) >= 8 and {0, 1} <= {_jobs_of(thing) for thing in hit},
    )
    # The job store answers neither those who push nor those who fetch before `end`: two services
    # have lost one peer. It is said of those pushes alone, and the rows' database stays in reach.
    names = frozenset[str]().union(*truth.entities)
    return narrowed(truth, Act("network-hiccup", here.at(begin), here.at(end), names))


def _jobs_of(thing: Thing) -> int:
    return sum(key.startswith("job:") for key in thing.keys)


def _asked(here: Shift, seconds: float, end: float, carried: int) -> Thing:
    """A write whose row is safe and whose push was given up; `carried` jobs came of it."""
    firm, thing, rid = here.utility, here.new_id(), here.request_id()
    told: dict[str, object] = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = here.say(seconds, firm.front, "begin", told)
    here.row(
        seconds + 0.004, firm.table, thing, columns={"state": "pending"}, commit=seconds + 0.01
    )
    here.say(seconds + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    found = here.entity(thing, rid)
    found.keys |= request_names(rid)
    for place in range(carried):
        job = here.push(seconds + 0.02 + place * WAITED_S, thing, host)
        after = max(end, seconds + place * WAITED_S) + here.rng.uniform(0.3, 6)
        work(here, job, thing, after)
        found.keys |= {f"job:{job.id}"}
    waited = WAITED_S * max(1, carried) + here.rng.uniform(0.001, 0.02)
    error = here.error(firm.front, "job_timeout")
    values = {"job": firm.job_class, "rid": rid, "error": error}
    done = seconds + 0.02 + waited
    here.say(done, firm.front, "push_failed", values, host=host, severity=SEVERITY_ERROR)
    ms = int((done - seconds) * 1000)
    here.say(done + 0.002, firm.front, "end", {**told, "status": 500, "ms": ms}, host=host)
    return found


def _waited_for(here: Shift, seconds: float, end: float) -> None:
    """A write whose push was answered after all, when the store came back."""
    firm, thing, rid = here.utility, here.new_id(), here.request_id()
    told: dict[str, object] = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = here.say(seconds, firm.front, "begin", told)
    here.row(
        seconds + 0.004, firm.table, thing, columns={"state": "pending"}, commit=seconds + 0.01
    )
    here.say(seconds + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    job = here.push(seconds + 0.02, thing, host)
    done = max(end, seconds + 0.02) + here.rng.uniform(0.01, 0.2)
    values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    here.say(done, firm.front, "pushed", values, host=host)
    ms = int((done - seconds) * 1000)
    here.say(done + 0.01, firm.front, "end", {**told, "status": 201, "ms": ms}, host=host)
    work(here, job, thing, done + here.rng.uniform(0.2, 6))
    here.entity(thing, rid, job)


def _nothing_fetched(here: Shift, begin: float, end: float) -> None:
    """The workers ask for work and are not answered either."""
    worker = here.utility.worker
    for host in worker.hosts:
        at = begin + here.rng.uniform(WAITED_S, WAITED_S + 3)
        while at < end:
            words = in_tongue(worker, FETCH, error=here.error(worker, "job_timeout"))
            here.line(at, worker, words, SEVERITY_ERROR, host)
            at += here.rng.uniform(8, 15)
