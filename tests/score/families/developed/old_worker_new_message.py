"""The front is released before the workers: new messages lack what old workers read.

Messages that old workers take fail; a worker that is new already handles the same message well.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.second_company.acts import ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR


def prepare(world: World) -> None:
    settle(world, workers=(3, 8))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm = here.rng, here.firm
    version = f"{rng.getrandbits(160):040x}"
    gap = rng.uniform(120, 330)
    for at, service in ((here.onset_s - 15, firm.front), (here.onset_s - 15 + gap, firm.worker)):
        words = f"rollout of {service.name} {version[:12]} finished"
        here.change(at, words, service.name, version=version, who="argo", status="success")
        for place, host in enumerate(service.hosts):
            told = {"service": service.name, "version": version[:8], "n": 5}
            here.say(at - 9 + place, service, "boot", told, host=host)
    error = here.error(firm.worker, "arguments", field=rng.choice(("recipient", "currency")))
    at, things = here.onset_s, list[Thing]()
    while at < here.onset_s - 25 + gap:
        things.append(_misread(here, at, error, here.onset_s + gap))
        at += rng.uniform(2.0, 18.0)
    here.close_the_books()
    tried = [[a.outcome for a in t.job.attempts] for t in things if t.job is not None]
    then = here.told_text(here.onset_s - 1, here.end_s)
    return fault(
        here,
        "deploy-skew",
        here.onset_s + gap + 40,
        things,
        alternates=("change-before",),
        also=("poison-job",),
        effect=all(o[0] == "retried" and o[-1] == "finished" for o in tried)
        and sum(error in body for body in then) >= len(things) >= 5,
    )


def _misread(here: Night, at: float, error: str, renewed: float) -> Thing:
    receipt, job = ordered(here, at - 0.3)
    old, new = here.rng.sample(here.firm.worker.hosts, 2)
    _tried(here, job, at, old, error)
    again = renewed + here.rng.uniform(1, 30)
    _tried(here, job, again, new, "")
    thing = receipt.thing
    shown = {f"{here.firm.thing}_id": int(thing) if thing.isdigit() else thing}
    here.row(again + 0.06, here.firm.effects, here.new_id(), columns=shown, host=new)
    return here.entity(receipt.thing, receipt.rid, job)


def _tried(here: Night, job: Job, at: float, host: str, error: str) -> None:
    """One attempt on `host`, which fails with `error` or ends well."""
    worker, ended = here.firm.worker, here.at(at + 0.08)
    outcome = "retried" if error else "finished"
    job.attempts.append(Attempt(here.at(at), ended, outcome, here.worker_on(host), host, error))
    thing = job.args.partition("=")[2]
    values = {"job": job.job_class, "jid": job.id, "id": thing, "ms": 80, "error": error}
    here.say(at + 0.002, worker, "started", values, host=host)
    severity = SEVERITY_ERROR if error else 9
    here.say(at + 0.08, worker, "failed" if error else "done", values, host=host, severity=severity)
