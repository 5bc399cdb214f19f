"""An app on a poor connection sends the same form twice within moments. Both requests look whether
it is there already, both find nothing, and no index keeps them from writing it twice.

A person sees it by:
- two requests with one reference of the client's, on two hosts or one, milliseconds apart;
- the line of each, by which it had looked and found no record of that reference;
- two rows with that reference; for some, a later job that met two where it wanted one.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.held import narrowed, of_these
from tests.score.sixth_company.acts import (
    SEVERITY_ERROR,
    answered,
    asked,
    close,
    left_behind,
    pushed,
    told,
)
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind


def prepare(world: World) -> None:
    settle(world, fronts=(2, 5))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    column = rng.choice(("client_ref", "idempotency_token", "device_form"))
    for _ in range(rng.randint(10, 25)):
        _sent(here, rng.uniform(30, here.end_s - 30), column, _reference(here))
    twins: list[Entity] = []
    references, at = list[str](), start
    for _ in range(rng.randint(3, 8)):
        if at > here.end_s - 70:
            break
        reference = _reference(here)
        apart, thinks = rng.uniform(0.002, 0.06), rng.uniform(0.07, 0.4)
        one = _sent(here, at, column, reference, thinks)
        two = _sent(here, at + apart, column, reference, thinks * rng.uniform(0.9, 1.2))
        if rng.random() < 0.5:
            _met_two(here, at + rng.uniform(20, 60), column, reference)
        references.append(reference)
        twins += [one, two]
        at += rng.uniform(10, 70)
    close(here)
    effect = all(_twice(here, column, reference) for reference in references)
    truth = fault(here, "duplicate-create", at, twins, effect=effect)
    # one submission put two jobs on the queue
    return narrowed(truth, of_these(truth, "duplicate-enqueue"))


def _reference(here: Shift) -> str:
    return f"{here.rng.getrandbits(64):016X}"


def _sent(here: Shift, at: float, column: str, reference: str, thinks: float = 0.1) -> Entity:
    """One form that is looked for, not found, and written; its keys."""
    firm, rng = here.company, here.rng
    path = f"/{firm.table}"
    rid, host = asked(here, at, firm.front, path)
    looked = f"select {firm.table} where {column}={reference}: 0 rows request_id={rid}"
    here.line(at + rng.uniform(0.003, 0.02), firm.front, looked, host=host)
    thing, written = here.new_id(), at + thinks
    columns = {column: reference, "state": "new"}
    here.row(written, firm.table, thing, columns=columns, commit=written + 0.008)
    told_row = {"id": thing, "rid": rid, "ms": 3}
    here.say(written + 0.004, firm.front, "wrote", told_row, host=host)
    job = pushed(here, written + 0.015, thing, rid, host)
    answered(here, written + 0.03, firm.front, path, rid, host, thinks + 0.03, status=201)
    begins = written + rng.uniform(0.1, 1.2)
    attempt = here.run(job, begins, rng.uniform(0.05, 0.4))
    left_behind(here, begins + 0.04, thing, attempt)
    return here.entity(thing, rid, job).keys


def _met_two(here: Shift, at: float, column: str, reference: str) -> None:
    """Something that asks for the one record of a reference."""
    back = here.company.backs[0]
    words = f"query did not return a unique result: 2 results were returned ({column}={reference})"
    here.line(at, back, words, SEVERITY_ERROR)


def _twice(here: Shift, column: str, reference: str) -> bool:
    about = told(here, f"{column}={reference}")
    rows = [event for event in about if event.kind is Kind.ROW_INSERTED]
    empty = [event for event in about if f"{column}={reference}: 0 rows" in event.body]
    return len(rows) == 2 and len(empty) == 2 and empty[1].timestamp < rows[0].timestamp
