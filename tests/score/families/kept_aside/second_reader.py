"""Workers read from a replica. While a long export runs there, its replay falls seconds behind, and
jobs that begin at once after an approval still read the state from before; they find nothing to do.

A person sees it by:
- the audited change of a record to its new state, and a worker's line moments later that read the
  old one, with the replica's name in it;
- the replica's lag, which was milliseconds before and is seconds for those minutes;
- approvals that a worker met later than the lag, which were read rightly.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import audited
from tests.score.held import narrowed, of_these
from tests.score.sixth_company.acts import (
    answered,
    asked,
    close,
    left_behind,
    pushed,
    quiet_run,
    rows_of,
    sampled,
    told,
)
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Kind

_STATES = (("draft", "approved"), ("held", "released"), ("unpaid", "paid"))


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    states = rng.choice(_STATES)
    until = min(start + rng.uniform(150, 400), here.end_s - 60)
    lag = rng.uniform(2.5, 14)
    replica = f"{here.company.database.partition('.')[0]}-ro{rng.randint(1, 3)}"
    at, missed = rng.uniform(30, 90), list[Thing]()
    while at < here.end_s - 40:
        behind = lag if start <= at < until else 0.02
        waits = rng.uniform(0.05, 0.9) if rng.random() < 0.8 else lag + rng.uniform(2, 6)
        thing, stale = _approved(here, at, states, waits, behind, replica)
        if stale:
            missed.append(thing)
        at += rng.uniform(8, 30) if behind > 1 else rng.uniform(30, 90)
    samples = []
    for place in range(int(here.end_s // 15)):
        seconds = place * 15.0
        far = start <= seconds < until
        level = lag * rng.uniform(0.9, 1.15) if far else abs(rng.gauss(0.02, 0.01))
        samples.append((seconds, level))
    labels = {"job": "postgres-exporter", "instance": f"{replica}:9187"}
    here.curve("pg_replication_lag_seconds", labels, samples)
    close(here)
    effect = len(missed) > 2 and all(_misread(here, thing, states) for thing in missed)
    rightly = told(here, f"state={states[1]} via {replica}")
    curve = told(here, "pg_replication_lag_seconds", replica, since=start, until=until)
    effect &= len(rightly) > 5 and min(sampled(curve)) > lag / 2
    truth = fault(here, "stale-read", until, missed, effect=effect)
    # approved, and nothing was made of it
    return narrowed(truth, of_these(truth, "orphaned-record"))


def _approved(
    here: Shift, at: float, states: tuple[str, str], waits: float, behind: float, replica: str
) -> tuple[Thing, bool]:
    """An old record that somebody approves, and the job of it; whether that read the old state."""
    firm, rng, thing = here.company, here.rng, here.new_id()
    path = f"/{firm.table}/{thing}/state"
    rid, host = asked(here, at, firm.front, path, method="PUT")
    changed = {"state": states}
    number = rng.randint(2, 9)
    audited(here, at + 0.01, firm.table, thing, changed, "118", host=host, version=number)
    columns = {"state": states[1]}
    kind = Kind.ROW_UPDATED
    here.row(at + 0.01, firm.table, thing, kind=kind, columns=columns, commit=at + 0.016)
    job = pushed(here, at + 0.03, thing, rid, host)
    values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid, "ms": 61}
    answered(here, at + 0.05, firm.front, path, rid, host, 0.05, method="PUT")
    begins = at + 0.03 + waits
    stale = waits < behind
    attempt = quiet_run(here, job, begins, 0.061)
    here.say(begins + 0.002, firm.worker, "started", values, host=attempt.host)
    read = f"{firm.thing}_id={thing} state={states[0] if stale else states[1]} via {replica}"
    here.line(begins + 0.02, firm.worker, f"loaded {read}", host=attempt.host)
    if stale:
        words = f"nothing to do for {firm.thing}_id={thing} job_id={job.id}"
        here.line(begins + 0.03, firm.worker, words, host=attempt.host)
    else:
        left_behind(here, begins + 0.05, thing, attempt)
    here.say(begins + 0.061, firm.worker, "done", values, host=attempt.host)
    return here.entity(thing, rid, job), stale


def _misread(here: Shift, thing: Thing, states: tuple[str, str]) -> bool:
    about = told(here, thing.id)
    written = [event for event in about if event.kind is Kind.ROW_VERSION]
    read = [event for event in about if f"state={states[0]} via" in event.body]
    in_order = bool(written and read) and written[0].timestamp < read[0].timestamp
    return in_order and not rows_of(here, here.company.effects, thing.id)
