"""The dashboard's "run now" on a long job, three times in a quarter of an hour.

The job fails after some hundred of its items; whoever watches presses again, either the failed job
itself ("retry": the same id) or a new one of it ("run now": a new id). It begins at its first item.
A person sees it by: one class with the same arguments, pushed again by a person's pace after each
failure; the worker's lines have the same items after each of its starts.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import asked_for
from tests.score.queues import REMEMBERING, Attempt
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World

BRANDS = (*REMEMBERING, "rq")


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    job_class = rng.choice(
        ("CloseBooks", "reports.tasks.build_all", "nightly-catalogue", "SyncErp")
    )
    noun, args = rng.choice(("ledger", "branch", "product")), "period=2026-01"
    words = rng.choice(
        (
            "closed {noun}_id={id} job_id={jid}",
            "{job} [{jid}] wrote {noun}_id={id}",
            "job_id={jid} step=post {noun}_id={id} ms={ms}",
        )
    )
    error = rng.choice(
        (
            "Net::ReadTimeout with #<TCPSocket:(closed)>",
            "MemoryError",
            "psycopg.errors.QueryCanceled: canceling statement due to statement timeout",
        )
    )
    same = rng.random() < 0.4
    count, first, pace = rng.randint(60, 160), rng.randint(100, 9_000), rng.uniform(0.2, 0.8)
    press, seen, ids = world.onset_s, dict[int, int](), set[str]()
    job = asked_for(world, press, job_class, "reports", args, (), firm.front.hosts[0])
    for n in range(rng.randint(2, 4)):
        if n and same:
            job.pushed.append(world.at(press))
        elif n:
            job = asked_for(world, press, job_class, "reports", args, (), firm.front.hosts[0])
        host, at = rng.choice(firm.worker.hosts), press + 0.5
        begun = at
        for place in range(min(count, count * (4 + 2 * n) // 10 + rng.randint(0, 5))):
            at += pace * rng.uniform(0.6, 1.4)
            told = {"noun": noun, "id": first + place, "jid": job.id, "job": job_class, "ms": 31}
            world.log(at, firm.worker.name, host, words.format(**told))
            seen[first + place] = seen.get(first + place, 0) + 1
        job.attempts.append(
            Attempt(
                world.at(begun), world.at(at + 0.3), "failed", world.worker_on(host), host, error
            )
        )
        ids.add(job.id)
        press = at + rng.uniform(15, 70)
        if press > PIN_S - 40:
            break
    twice: list[Entity] = [frozenset((f"{noun}:{i}",)) for i, times in seen.items() if times > 1]
    jobs = [frozenset(f"job:{i}" for i in ids)]
    return fault(
        world,
        "re-press",
        min(press + 30, world.end_s),
        [*twice, *jobs],
        also=(
            "poison-job",
            "full",
            "unsafe-replay",
            "partial-batch",
            "rate-change",
            "delivered-again",
            "duplicate-enqueue",
            "extra-runs",
        ),
        effect=len(twice) > 5,
    )
