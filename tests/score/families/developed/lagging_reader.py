"""Workers read from a replica that has fallen behind a report. They look for what was committed
seconds ago and find nothing, or the state of before, and act on it."""

from __future__ import annotations

from tests.score.families.acts import fault, lookup_fails
from tests.score.fourth_company.acts import SEVERITY_WARN, asked, done, forget_curves
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Kind


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 6))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm, onset = night.house, night.onset_s
    took = rng.uniform(60, 240)
    until = min(onset + took, night.end_s - 40)
    lag = rng.uniform(4, 20)
    _signs(night, onset, until, lag)
    old_state = rng.random() < 0.4
    hit = []
    for _ in range(rng.randint(8, 30)):
        at = rng.uniform(onset + 2, until - 2)
        columns = {"state": "draft"} if old_state else None
        thing, job = asked(night, at, columns=columns)
        start = at + rng.uniform(0.4, lag * 0.6)
        if old_state:
            submitted = at + 0.1
            shown = {"state": "submitted"}
            night.row(
                submitted,
                firm.table,
                thing.id,
                kind=Kind.ROW_UPDATED,
                columns=shown,
                commit=submitted,
            )
            host = night.run(job, start, 0.05).host
            words = f"{firm.thing}_id={thing.id} is still draft on replica, skipped"
            night.line(start + 0.03, firm.worker, words, SEVERITY_WARN, host)
        else:
            again = start + lag + rng.uniform(3, 15)
            more = again + 1 < night.end_s
            lookup_fails(night, thing.id, job, start, outcome="retried" if more else "failed")
            if more:
                done(night, job, thing.id, again, rng.uniform(0.1, 0.6))
        hit.append(thing)
    night.samples()
    unmade = old_state or any(job.state() == "failed" for job in night.jobs)
    also = ["orphaned-record"] if unmade else []
    also += ["delivered-again"] if night.brand.name in COUNTING and not old_state else []
    return fault(night, "stale-read", until + lag, hit, also=also)


def _signs(night: Shift, onset: float, until: float, lag: float) -> None:
    """The lag as metrics tell it, as the workers' library warns of it, or both."""
    rng, firm = night.rng, night.house
    where = rng.choice(("metric", "log", "both"))
    forget_curves(night, "replication_lag_seconds")
    if where != "log":
        every = [15.0 * n for n in range(int(night.end_s // 15))]
        points = [
            (s, lag * rng.uniform(0.8, 1.2) if onset <= s < until else abs(rng.gauss(0.03, 0.01)))
            for s in every
        ]
        labels = {"job": "database", "instance": "replica-2"}
        night.curve("replica_lag_seconds", labels, points)
    if where != "metric":
        at = onset + rng.uniform(1, 6)
        while at < until:
            words = f"replica replica-2 is {lag * rng.uniform(0.8, 1.2):.1f} s behind primary"
            night.line(at, firm.worker, words, SEVERITY_WARN)
            at += rng.uniform(8, 25)
