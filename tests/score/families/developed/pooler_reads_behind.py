"""A pooler sends what only reads to the standby. The standby falls behind, and workers copy a value
that had been replaced a second before: no error, no empty result, a wrong number in a row.

A person sees it by: the recorded change of a value, committed, and a row that a job wrote
afterwards with the value of before; none of that before the lag began; the pooler's own lines about
a node that is behind, or the curve of the lag, for exactly that stretch.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import audited
from tests.score.fourth_company.acts import SEVERITY_WARN, forget_curves, pushed, recorded
from tests.score.fourth_company.brands import SHOWING
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.databases import POSTGRES
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import Thing, World

POLL_S = 10.0
"""`sr_check_period`: how often the pooler asks the nodes where they are."""


def prepare(world: World) -> None:
    relocate(world, SHOWING, workers=(2, 5), servers=tuple(POSTGRES))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    begin, end = night.onset_s, min(night.onset_s + rng.uniform(120, 400), night.end_s - 20)
    for _ in range(rng.randint(15, 40)):
        _copied(night, rng.uniform(20, begin - 30), old=False)
    count = rng.randint(8, 24)
    hit = [_copied(night, rng.uniform(begin + 1, end - 3), old=True) for _ in range(count)]
    _lag(night, begin, end)
    night.samples()
    return fault(night, "stale-read", end, hit)


def _copied(night: Shift, at: float, *, old: bool) -> Thing:
    """A thing whose amount is corrected; the job that the correction asks for copies the amount."""
    rng, firm = night.rng, night.house
    before, after = rng.randint(1_000, 4_000), rng.randint(4_001, 9_000)
    thing, rid, host = recorded(night, at - 9, columns={"amount": after})
    changed = {"amount": (before, after)}
    audited(night, at, firm.table, thing, changed, f"{firm.front.name}", host=host)
    job = pushed(night, at + rng.uniform(0.03, 0.1), thing, rid, host)
    begun, took = at + rng.uniform(0.4, 1.6), rng.uniform(0.1, 0.4)
    run = night.run(job, begun, took)
    shown = {f"{firm.thing}_id": thing, "amount": before if old else after}
    night.row(begun + took * 0.8, firm.effects, night.new_id(), columns=shown, host=run.host)
    return night.entity(thing, rid, job)


def _lag(night: Shift, begin: float, end: float) -> None:
    rng = night.rng
    forget_curves(night, "replication_lag_seconds")
    told = rng.choice(("pooler", "curve", "both"))
    if told != "curve":
        at = begin + rng.uniform(0, POLL_S)
        while at < end:
            size = rng.randint(11_000_000, 90_000_000)
            words = (
                f"LOG:  Replication of node: 1 is behind {size} bytes from the primary server"
                " (node: 0)␊CONTEXT:  while checking replication time lag"
            )
            night.aside(at, "pgpool", words, SEVERITY_WARN)
            at += POLL_S
    if told != "pooler":
        labels = {"server": "standby-1:5432", "application_name": "standby1"}
        ticks = [15.0 * n for n in range(int(night.end_s // 15))]
        points = [
            (s, rng.uniform(3, 9) if begin <= s < end else rng.uniform(0, 0.01)) for s in ticks
        ]
        night.curve("pg_stat_replication_replay_lag_seconds", labels, points)
