"""Somebody closes a month by a button. The gateway gives up on the page though the run goes on,
so the button is pressed again, and again; each run takes up the same accounts from the first.

A person sees it by:
- several calls of one address by one person, the earlier ones ended by the gateway after a minute;
- a run of each call that begins before the one before it has said its last word;
- the same accounts, named again under another run.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from tests.score.families.acts import fault
from tests.score.families.watched import accessed, beside
from tests.score.sixth_company.acts import SEVERITY_ERROR, asked, close, quiet_run, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World

TIMEOUT_S = 60.0


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    accounts = [str(rng.randint(100_000, 900_000)) for _ in range(rng.randint(70, 150))]
    user = rng.choice(("h.brandt", "ines.f", "j.osei", "admin2"))
    gaps = [TIMEOUT_S + rng.uniform(4, 40) for _ in range(rng.choice((1, 2, 2, 3)))]
    first = start - gaps[0]
    presses = [first]
    for gap in gaps:
        presses.append(presses[-1] + gap)
    presses = [at for at in presses if at < here.end_s - 100]
    runs, last = list[str](), start
    pace = (sum(gaps) + rng.uniform(30, 90)) / len(accounts)  # the first is at work all the while
    for at in presses:
        job, ended = _pressed(here, at, user, accounts, pace * rng.uniform(0.9, 1.1))
        runs.append(job)
        last = max(last, ended)
    close(here)
    many = [account for account, count in _done(here, accounts).items() if count > 1]
    entities: list[Entity] = [frozenset((f"job:{job}", f"message:{job}")) for job in runs]
    entities += [frozenset((f"account:{account}",)) for account in many]
    spans = [told(here, "month close", job) for job in runs]
    overlap = all(b[0].timestamp < a[-1].timestamp for a, b in pairwise(spans))
    cut = told(here, "/admin/periods/", " 504 ", f"user={user}")
    effect = len(runs) > 1 and len(cut) >= len(runs) - 1 and overlap and len(many) > 20
    also = {"overlapping-runs", "extra-runs", "duplicate-enqueue"}  # no schedule set them off
    return fault(here, "re-press", last, entities, also=also, effect=effect)


def _pressed(
    here: Shift, at: float, user: str, accounts: list[str], pace: float
) -> tuple[str, float]:
    """One press: the run's job, and when that stopped telling."""
    firm, path = here.company, "/admin/periods/2026-01/close"
    rid, host = asked(here, at, firm.front, path)
    accessed(here, at, "nginx", f"POST {path}", 504, TIMEOUT_S, f" user={user} request_id={rid}")
    words = "upstream timed out (110: Connection timed out) while reading response header from"
    request = f'upstream, request: "POST {path} HTTP/1.1", upstream: "http://{host}:8080{path}"'
    beside(here, at + TIMEOUT_S, "nginx-error", f"{words} {request}", SEVERITY_ERROR)
    job = here.push(at + 0.05, "2026-01", host, "close_period")
    job.args, job.keys = "period=2026-01", ()
    told_line = f"month close requested by {user} period=2026-01 job_id={job.id} request_id={rid}"
    here.line(at + 0.06, firm.front, told_line, host=host)
    begins = at + here.rng.uniform(0.2, 1.5)
    took = pace * len(accounts)
    finishes = begins + took < here.end_s - 5
    attempt = quiet_run(here, job, begins, took)
    if not finishes:
        attempt.ended, attempt.outcome = None, "running"
    worker = firm.worker
    words = f"month close begins: {len(accounts)} accounts job_id={job.id}"
    here.line(begins, worker, words, host=attempt.host)
    for number, account in enumerate(accounts, 1):
        done = begins + pace * number
        if done < here.end_s:
            words = f"statement issued account_id={account} job_id={job.id}"
            here.line(done, worker, words, host=attempt.host)
    if finishes:
        words = f"month close ends: {len(accounts)} statements job_id={job.id}"
        here.line(begins + took + 0.1, worker, words, host=attempt.host)
    return job.id, min(begins + took, here.end_s)


def _done(here: Shift, accounts: list[str]) -> Counter[str]:
    issued = told(here, "statement issued account_id=")
    names = (event.body.partition("account_id=")[2].partition(" ")[0] for event in issued)
    return Counter(name for name in names if name in accounts)
