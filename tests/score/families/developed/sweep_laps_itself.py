"""A sweep that is started anew every few minutes takes longer than its interval once its list has
grown: the next one begins while it still runs, and both work on the same things.

Told by the sweep's own lines alone; each run is a container of its own, so no lease is involved.
A person sees it by: two beginnings without an end between them, on two hosts; the same things
handled by both runs minutes apart; the effect written twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.score.families.acts import fault
from tests.score.families.watched import row_names
from tests.score.truth import Truth
from tests.score.world import World

WORDS = (
    ("{name}: run {run} started, {n} candidates", "settled {thing}_id={id} run_id={run}",
     "{name}: run {run} finished in {s}s, {n} settled"),
    ("msg=\"begin sweep\" run_id={run} due={n}", "msg=\"handled\" run_id={run} {thing}_id={id}",
     "msg=\"sweep complete\" run_id={run} took={s}s"),
    ("Starting {name} [runId={run}] batch of {n}", "{thing}Id={id} recalculated [runId={run}]",
     "Completed {name} [runId={run}] in {s} s"),
)  # fmt: skip


@dataclass
class _Sweep:
    name: str
    words: tuple[str, str, str]
    done: dict[str, set[str]]


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    name = rng.choice(("reconcile", "dunning", "stock-sync", "recalc-balances"))
    sweep = _Sweep(name, rng.choice(WORDS), {})
    every = rng.choice((120.0, 180.0, 240.0))
    grown = world.onset_s
    at = grown % every + 1
    known = [world.new_id() for _ in range(rng.randint(60, 110))]
    ended = 0.0
    while at < world.end_s - 5:
        long = at >= grown - 1
        took = every * rng.uniform(1.3, 1.9) if long else rng.uniform(0.15, 0.4) * every
        things = known if long else rng.sample(known, rng.randint(6, 15))
        ended = max(ended, at + took)
        _run(world, sweep, at + rng.uniform(0, 1.5), took, things)
        at += every
    both = [thing for thing, runs in sweep.done.items() if len(runs) > 1]
    entities = [
        frozenset({f"{firm.thing}:{t}", *(f"run:{r}" for r in sweep.done[t])})
        | row_names(firm.table, t)
        for t in both
    ]
    return fault(
        world,
        "overlapping-runs",
        min(ended, world.end_s),
        entities,
        alternates=("run-overlap",),
        also=("extra-runs", "delivered-again", "duplicate-create"),
        onset_s=grown,
        effect=len(both) >= 20,
    )


def _run(world: World, sweep: _Sweep, at: float, took: float, things: list[str]) -> None:
    """One container from start to end, as far as the night goes."""
    rng, firm = world.rng, world.company
    run = f"{rng.getrandbits(40):010x}"
    host = f"{sweep.name}-{28_934_000 + int(at)}-{rng.getrandbits(20):05x}"
    told = {"name": sweep.name, "run": run, "n": len(things), "thing": firm.thing, "s": int(took)}
    begin, each, end = sweep.words
    world.log(at, sweep.name, host, begin.format(**told))
    long = took > 100
    for place, thing in enumerate(things):
        when = at + took * (place + 0.6) / (len(things) + 1)
        if when > world.end_s - 1:
            return
        world.log(when, sweep.name, host, each.format(**told, id=thing))
        columns = {f"{firm.thing}_id": int(thing) if thing.isdigit() else thing}
        world.row(when - 0.01, "settlements", world.new_id(), columns=columns, host=host)
        if long:
            sweep.done.setdefault(thing, set()).add(run)
    if at + took < world.end_s - 1:
        world.log(at + took, sweep.name, host, end.format(**told))
