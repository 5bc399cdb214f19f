"""The month's settlement is started by hand, seems to hang, and is started again, and again.

The page waits for half a minute and shows a gateway timeout, while the run goes on behind it. So
the button is pressed once more: a second run begins at the first account again, and so on. The
accounts that several runs have reached are booked several times.

A person sees it by: the requests that started the runs, each with a run number of its own, and the
504 behind each; the booking lines of two and three runs between one another; one account booked
under two run numbers; in the queue, where it shows jobs, as many runs at once.
"""

from __future__ import annotations

from collections import defaultdict

from tests.score.families.acts import fault
from tests.score.fifth_company.deeds import saying, served, unspoken_run
from tests.score.fifth_company.harbour import Watch, job_name, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.queues import Job
from tests.score.truth import Truth
from tests.score.world import World

MONTH = "2026-01"
WAITS_S = 30.0


def prepare(world: World) -> None:
    settle(world, workers=(3, 6))


def inject(world: World) -> Truth:
    night = watch(world)
    rng = night.rng
    accounts = [str(rng.randint(100_000, 999_999)) for _ in range(rng.randint(120, 320))]
    presses = [night.onset_s - rng.uniform(60, 160), night.onset_s]
    for _ in range(rng.randint(0, 2)):
        presses.append(presses[-1] + rng.uniform(45, 200))
    presses = [at for at in presses if at < night.end_s - 60]
    first_takes = rng.uniform(300, max(320, min(700, night.end_s - presses[0] - 20)))
    booked: defaultdict[str, int] = defaultdict(int)
    for number, at in enumerate(presses, 1):
        pace = first_takes / len(accounts) * (1 if number == 1 else rng.uniform(0.5, 1.1))
        for account in _settlement(night, at, f"{MONTH}/{number}", accounts, pace):
            booked[account] += 1
    surroundings(night)
    night.close_the_books()
    twice = [frozenset((f"account:{account}",)) for account, n in booked.items() if n > 1]
    runs = [saying(night, "booked", f"{MONTH}/{number}") for number in range(1, len(presses) + 1)]
    return fault(
        night,
        "re-press",
        night.end_s,
        twice,
        also=(
            "overlapping-runs",
            "run-overlap",
            "extra-runs",
            "duplicate-enqueue",
            "duplicate-create",
            "unsafe-replay",
        ),
        effect=len(twice) > 10 and all(runs) and min(runs[1]) < max(runs[0]),
    )


def _settlement(night: Watch, at: float, run: str, accounts: list[str], pace: float) -> list[str]:
    """One press: the request, the job, its bookings; the accounts that it reached."""
    rng, firm = night.rng, night.firm
    path = "/admin/settlements"
    rid, front = served(night, at, firm.front, path, status=504, took=WAITS_S)
    night.note(
        at + 0.02,
        firm.front,
        "settlement requested",
        {"run_id": run, "request_id": rid},
        host=front,
    )
    job = _job(night, at + 0.03, front)
    begun = at + rng.uniform(0.2, 1.5)
    needed = len(accounts) * pace
    over = begun + needed < night.end_s - 1
    host = unspoken_run(night, job, begun, needed, "finished" if over else "running")
    told = {"run_id": run, "job_id": job.id}
    night.note(begun, firm.worker, "settlement begins", {"n": len(accounts), **told}, host=host)
    reached: list[str] = []
    for place, account in enumerate(accounts):
        when = begun + (place + rng.uniform(0.2, 0.8)) * pace
        if when > night.end_s - 1:
            break
        night.note(when, firm.worker, "booked", {"account_id": account, "run_id": run}, host=host)
        columns = {"account_id": int(account), "month": MONTH}
        night.row(when - 0.003, "settlements", night.new_id(), columns=columns, host=host)
        reached.append(account)
    if over:
        night.note(begun + needed, firm.worker, "settlement complete", told, host=host)
    return reached


def _job(night: Watch, at: float, host: str) -> Job:
    job = night.push(at, MONTH, host, job_name("Settle", "month", night.firm.worker.style_name))
    job.args, job.keys = f"month={MONTH}", ()
    return job
