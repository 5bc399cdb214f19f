"""A batch that reads so many and writes fewer, and says both in passing; no item is named.

Earlier runs of the same batch in the same night wrote what they read.
A person sees it by: the total at the beginning, the count at the end or the last progress line, and
the runs before, where both were the same.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import bodies
from tests.score.truth import Truth
from tests.score.world import PIN_S, World

SPRING = (
    "o.s.b.c.l.support.SimpleJobLauncher : Job: [SimpleJob: [name={b}]] launched with parameters"
    " [{{run.id={r}}}]",
    "c.a.batch.ItemReader : {n} {t} selected for run.id={r}",
    "",
    "c.a.batch.StepReport : StepExecution: id={r}, name={b}Step, status=COMPLETED,"
    " exitStatus=COMPLETED, readCount={n}, filterCount=0, writeCount={d} readSkipCount=0,"
    " commitCount={c}, rollbackCount=0",
)
RAKE = (
    "rake {b} invoked",
    "{n} {t} to go",
    "  {d}/{n}",
    "",
)
GO = (
    'msg="{b} start" run={r}',
    'msg="loaded {t}" count={n} run={r}',
    "msg=progress done={d} of={n} run={r}",
    'msg="{b} end" run={r} written={d} dur=211s',
)
NODE = (
    "{b} started {{ runNo: {r}, total: {n} }}",
    "",
    "{b} progress {{ runNo: {r}, processed: {d}, total: {n} }}",
    "{b} finished {{ runNo: {r}, processed: {d} }}",
)
PYTHON = (
    "[{b}] run {r}: {n} {t}",
    "",
    "[{b}] run {r}: {d}/{n} ({p}%)",
    "[{b}] run {r}: done, {d} stored",
)


def inject(world: World) -> Truth:
    rng = world.rng
    words = rng.choice((SPRING, RAKE, GO, NODE, PYTHON))
    batch = rng.choice(("billing", "statements", "reindex", "dunning", "price-sync"))
    number, total = rng.randint(20, 400), rng.randint(400, 4000)
    part = rng.choice((0.5, rng.uniform(0.3, 0.95), 1 - 7 / total))
    length = rng.uniform(60, 200)
    begin = world.onset_s - length * part
    for back in (2, 1):
        at = begin - back * (length + 60)
        if at > 5:
            _run(world, words, at, length, batch, number - back, total - rng.randint(0, 3), 1.0)
    done = _run(world, words, begin, length * part, batch, number, total, part)
    told = bodies(world)
    return fault(
        world,
        "partial-batch",
        min(world.onset_s + 60, PIN_S),
        also=("rate-change",),
        effect=str(total) in told and str(done) in told and done < total,
    )


def _run(
    world: World,
    words: tuple[str, ...],
    at: float,
    length: float,
    batch: str,
    number: int,
    total: int,
    part: float,
) -> int:
    """One run; how many it did."""
    worker, table = world.company.worker, world.company.table
    host = worker.hosts[number % len(worker.hosts)]
    reached = int(total * part)
    told = {"b": batch, "r": number, "n": total, "t": table, "c": reached // 100 + 1}

    def say(second: float, place: int, done: int) -> None:
        if words[place]:
            body = words[place].format(d=done, p=done * 100 // total, **told)
            world.log(second, worker.name, host, body)

    say(at, 0, 0)
    say(at + 0.6, 1, 0)
    for step in range(1, 10):
        if total * step // 10 < reached:
            say(at + 1 + (length - 2) * step / 10 / part, 2, total * step // 10)
    say(at + length - 0.5, 2, reached)
    say(at + length, 3, reached)
    return reached
