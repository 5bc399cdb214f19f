"""A partner over whose interface every follow-up goes stops answering in time, for some minutes.

Its gateway first lets calls wait until the caller gives up, then answers 503 to most of what comes;
the company's own services are well throughout, and what was refused goes through later.
"""

from __future__ import annotations

from tests.score.families.acts import fault, left_alone
from tests.score.held import Act, narrowed
from tests.score.seventh_company.acts import opened, running_between, tried, unrun
from tests.score.seventh_company.utility import Shift, move_in
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.window import MINUTE_NS

BACKOFF_S = {"pg-boss": (30.0, 60.0, 120.0), "river": (1.0, 16.0, 81.0)}


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = opened(world)
    begin = here.onset_s
    end = min(begin + here.rng.uniform(240, 460), here.end_s - 20)
    hit = running_between(here, begin, end)
    unrun(here, hit)
    failed = [thing for thing in hit if _worked_on(here, thing, begin, end)]
    _page_that_asks_too(here, begin, end)
    late = left_alone(here, begin, end)
    truth = fault(
        here,
        "third-party",
        end,
        failed,
        also=("orphaned-record",) if late else (),
        effect=len(failed) >= 5,
    )
    return narrowed(truth, *_mostly_again(here, truth, failed))


def _mostly_again(here: Shift, truth: Truth, failed: list[Thing]) -> list[Act]:
    """That retries were the load, of the jobs that failed, up to the last of their attempts.

    It is so where from the onset on most attempts were repetitions and most did not succeed, and
    some minute had twice as many as a minute before it. Those that wait out their pause are no
    backlog: nothing waits for a worker, and each is put off until its hour.
    """
    tried_at = [(run, place) for job in here.jobs for place, run in enumerate(job.attempts)]
    ill = [(run, place) for run, place in tried_at if truth.onset <= run.started < truth.ended]
    calm = sum(run.started < truth.onset for run, _ in tried_at)
    usual = calm * MINUTE_NS / (truth.onset - here.start)
    starts = [run.started for run, _ in ill]
    within = (sum(begun <= at < begun + MINUTE_NS for at in starts) for begun in starts)
    busiest = max(within, default=0)
    again = sum(place > 0 for _, place in ill)
    refused = sum(run.outcome in ("retried", "failed") for run, _ in ill)
    if min(again, refused) * 2 <= len(ill) or busiest < 2 * usual:
        return []
    runs = [run for thing in failed if thing.job is not None for run in thing.job.attempts]
    last = max(run.started if run.ended is None else run.ended for run in runs)
    names = frozenset[str]().union(*(thing.keys for thing in failed))
    return [Act("retry-storm", truth.onset, last, names)]


def _worked_on(here: Shift, thing: Thing, begin: float, end: float) -> bool:
    """Attempts until one goes through; whether any did not."""
    job = thing.job
    at = max(begin + 0.1, (job.pushed[0] - here.start) / 1e9 + 0.3) if job is not None else begin
    waits = BACKOFF_S[here.brand.name]
    worker, (_, host, path) = here.utility.worker, here.utility.third
    for place in range(len(waits) + 1):
        slow = here.rng.random() < (0.8 if at < begin + 60 else 0.3)
        bad = begin <= at < end and (slow or here.rng.random() < 0.75)
        if not bad:
            tried(here, thing, at, here.rng.uniform(0.2, 1.4))
            return place > 0
        phrase = "http_timeout" if slow else "http_5xx"
        error = here.error(worker, phrase, host=host, path=path, status=503)
        took = 15.0 + here.rng.uniform(0, 0.02) if slow else here.rng.uniform(0.2, 2.5)
        last = place == len(waits)
        if not tried(here, thing, at, took, "failed" if last else "retried", error):
            return place > 0
        if not last:
            at += took + waits[place] * here.rng.uniform(1.0, 1.1)
    return True


def _page_that_asks_too(here: Shift, begin: float, end: float) -> None:
    """One page of the front asks the same partner while the customer waits."""
    firm = here.utility
    at = here.rng.uniform(40, 90)
    while at < here.end_s - 20:
        ill = begin <= at < end
        error = ""
        if ill:
            values = {"host": firm.third[1], "path": firm.third[2], "status": 503}
            error = here.error(firm.front, "http_5xx", **values)
        status, took = (502, here.rng.uniform(1, 3)) if ill else (200, here.rng.uniform(0.2, 0.6))
        path = f"/{firm.table}/preview"
        here.served(at, firm.front, path, method="POST", status=status, took=took, error=error)
        at += here.rng.uniform(20, 60)
