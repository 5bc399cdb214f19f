"""A loader reads a catalogue and sends one job for each article. Half-way through it is killed for
its memory; its supervisor starts it again and it sends everything from the first line on.

A person sees it by: the loader's progress falls back to the beginning under a new process number;
every article up to where it was killed has two jobs of the same class and the same argument, in
the same order, a minute or two apart; the articles behind that line have one.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import queued, taken
from tests.score.second_company.elsewhere import Night, job_keys, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World

EVERY = 40
"""Lines between two words of progress."""


def prepare(world: World) -> None:
    settle(world, ("oban", "river", "bullmq"), workers=(3, 8))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng = here.rng
    count, share = rng.randint(160, 420), rng.uniform(0.35, 0.8)
    codes = [f"{rng.choice('ABKT')}{n:05d}" for n in rng.sample(range(2_000, 90_000), count)]
    reached = int(count * share)
    pace = rng.uniform(50, 100) / reached
    begin = here.onset_s - reached * pace - 6
    host = f"etl-{rng.randint(1, 4)}.kontor.internal"
    first = _pass(here, begin, codes, reached, pace, host)
    pid = rng.randint(9_000, 30_000)
    killed = begin + reached * pace + 0.5
    words = f"Out of memory: Killed process {pid} (feed-loader) total-vm:4182044kB,"
    here.log(killed, "kernel", host, f"{words} anon-rss:2011932kB", 11, source="syslog")
    unit = "feed-loader.service: Main process exited, code=killed, status=9/KILL"
    here.log(killed + 0.1, "systemd", host, unit, 13, source="syslog")
    second = _pass(here, here.onset_s, codes, count, pace, host)
    here.close_the_books()
    twice = [code for code in codes if code in first and code in second]
    hit: list[Entity] = [
        frozenset({f"article:{code}", f"sku:{code}"}) | job_keys(first[code])
        | job_keys(second[code]) for code in twice
    ]  # fmt: skip
    return fault(
        here,
        "duplicate-enqueue",
        here.end_s,
        hit,
        also=("lost-worker", "extra-runs", "re-press", "partial-batch", "backlog", "memory-leak"),
        effect=len(twice) > 40 and len(second) > len(first) and set(first) == set(codes[:reached]),
    )


def _pass(
    here: Night, at: float, codes: list[str], upto: int, pace: float, host: str
) -> dict[str, str]:
    """One pass over the catalogue up to line `upto`; the job of each article."""
    sent: dict[str, str] = {}
    rng = here.rng
    here.log(at - 0.2, "feed-loader", host, f"opened catalogue.csv ({len(codes)} lines)")
    for line, code in enumerate(codes[:upto], 1):
        at += pace * rng.uniform(0.6, 1.4)
        if at > here.end_s - 3:
            break
        job = queued(here, at, "IndexArticle", f"sku={code}", (f"sku:{code}",), host)
        taken(here, job, at + rng.uniform(0.05, 0.6), rng.uniform(0.03, 0.2))
        sent[code] = job.id
        if line % EVERY == 0:
            here.log(at, "feed-loader", host, f"catalogue.csv: {line}/{len(codes)} lines sent")
    return sent
