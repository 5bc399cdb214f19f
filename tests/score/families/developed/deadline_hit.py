"""A Kubernetes job archives site after site and is ended by its deadline in the middle.

Two smaller runs earlier tonight went through. The one that matters has more sites than its
activeDeadlineSeconds allow; the controller removes its pod. Nobody has written down what is due.

A person sees it by: lines that count themselves, `263/412`, of which the last is not the last;
the job controller's DeadlineExceeded at that instant; no closing line, which the other runs have.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.rota import cluster_says, pod_told
from tests.score.truth import Truth
from tests.score.world import World

_WORDS = (
    ("archived site {name} ({n}/{of})", "archive run complete: {of} sites"),
    ("[{n}/{of}] site_id={name} uploaded to cold storage", "all {of} sites uploaded, exiting"),
    ("site={name} snapshot ok progress={n}/{of}", "snapshots done total={of}"),
    ("Snapshot {n} of {of} finished: site_id={name}", "Finished. {of} snapshots, 0 failed."),
)


def inject(world: World) -> Truth:
    rng = world.rng
    item, end = rng.choice(_WORDS)
    base = rng.choice(("site-archive", "snapshots", "cold-copy"))
    number = rng.randint(29_000_000, 29_900_000)
    at = rng.uniform(20, 60)
    for _ in range(2):
        count = rng.randint(18, 50)
        at = _run(world, at, f"{base}-{number}", item, end, count, count)
        at, number = at + rng.uniform(40, 80), number + 5
    count = rng.randint(150, 520)
    reached = int(count * rng.uniform(0.3, 0.94))
    job = f"{base}-{number}"
    stopped = _run(world, world.onset_s - 90, job, item, end, count, reached)
    message = "Job was active longer than specified deadline"
    cluster_says(world, stopped + 0.6, "Job", job, "DeadlineExceeded", message)
    closing = [event for event, _ in world.told if event.body == end.format(of=count)]
    return fault(
        world,
        "partial-batch",
        world.end_s,
        alternates=("lost-worker",),
        onset_s=world.onset_s - 90,
        effect=not closing and 10 < reached < count and stopped < world.end_s - 20,
    )


def _run(
    world: World, begin: float, job: str, item: str, end: str, count: int, reached: int
) -> float:
    """One pod's work on `count` sites, of which `reached` are done; when it ended."""
    rng = world.rng
    pod = f"{job}-{rng.getrandbits(24):05x}"[:60]
    at, first = begin + 2, rng.randint(1_000, 8_000)
    pace = min(2.0, (world.end_s - begin - 60) / max(reached, 1))
    for place in range(reached):
        at += pace * rng.uniform(0.5, 1.0)
        words = item.format(name=first + place, n=place + 1, of=count)
        world.log(at, job.rpartition("-")[0], pod, words, source="pods")
    done = reached == count
    if done:
        world.log(at + 0.2, job.rpartition("-")[0], pod, end.format(of=count), source="pods")
    cluster_says(world, begin - 1, "Job", job, "SuccessfulCreate", f"Created pod: {pod}")
    reason, code = ("Completed", 0) if done else ("Error", 143)
    over = at + (0.5 if done else 1.5)
    pod_told(world, pod, "archive", started=begin, ended=over, reason=reason, code=code)
    if done:
        cluster_says(world, over + 1, "Job", job, "Completed", "Job completed")
    return over
