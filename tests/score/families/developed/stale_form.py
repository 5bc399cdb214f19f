"""Two people open the same form, or a person and a nightly job. Each saves the whole record as it
was when they opened it, and the second takes back what the first had changed."""

from __future__ import annotations

import json

from connectors.sql.rows import APPLICATION_CLOCK
from tests.score.families.acts import fault
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.keys import KeyRules


def prepare(world: World) -> None:
    relocate(world, ("procrastinate", "rq", "pg-boss", "sqs", "rabbitmq"))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    audited = night.house.worker.style_name.startswith("django") or rng.random() < 0.3
    for _ in range(rng.randint(10, 24)):
        at = rng.uniform(30, night.end_s - 60)
        thing = night.new_id()
        request, version = night.request_id(), rng.randint(2, 9)
        _load(night, at, thing, request, version)
        _save(night, at + rng.uniform(4, 25), thing, request, version, ("note", "", "ok"), audited)
    hit: list[Entity] = []
    for place in range(rng.randint(3, 10)):
        at = night.onset_s if not place else rng.uniform(night.onset_s, night.end_s - 75)
        hit.append(_taken_back(night, at, audited))
    night.samples()
    return fault(night, "lost-update", night.end_s, hit, also=("overlapping-runs",))


def _taken_back(night: Shift, at: float, audited: bool) -> Entity:
    rng = night.rng
    thing, version = night.new_id(), rng.randint(2, 9)
    one, two = night.request_id(), night.request_id()
    _load(night, at, thing, one, version)
    _load(night, at + rng.uniform(0.5, 4), thing, two, version)
    first = at + rng.uniform(5, 20)
    second = first + rng.uniform(0.8, 40)
    _save(night, first, thing, one, version, ("state", "pending", "approved"), audited)
    _save(night, second, thing, two, version, ("state", "approved", "pending"), audited, "amount")
    columns = {"state": "pending", "version": version + 1}
    night.row(second, night.house.table, thing, kind=Kind.ROW_UPDATED, columns=columns)
    return night.entity(thing, one).keys | request_names(two)


def _load(night: Shift, seconds: float, thing: str, request: str, version: int) -> None:
    name = night.house.thing
    words = f"read {name}_id={thing} version={version} request_id={request}"
    night.line(seconds, night.house.front, words)


def _save(
    night: Shift,
    seconds: float,
    thing: str,
    request: str,
    version: int,
    changed: tuple[str, str, str],
    audited: bool,
    further: str = "",
) -> None:
    """The whole record is written, as it was read but for what this one changed."""
    name, (column, before, after) = night.house.thing, changed
    words = (
        f"wrote all columns of {name}_id={thing} {column}={after} based on version={version}"
        f" request_id={request}"
    )
    night.line(seconds, night.house.front, words)
    if not audited:
        return
    pairs = {column: [before, after]} | ({further: ["120", "95"]} if further else {})
    table = night.house.table
    shown = ", ".join(f"{c} {old or '∅'} → {new}" for c, (old, new) in pairs.items())
    number = len(night.told)
    content = {
        "tool": "django-simple-history",
        "audit_table": f"{table}_historical{name}",
        "item_type": "",
        "pk": thing,
        "action": "updated",
        "actor": f"clerk{1 + len(request) * version % 7}",
        "actor_type": "user",
        "columns": {c: new for c, (_, new) in pairs.items()},
        "before": {c: old for c, (old, _) in pairs.items()},
        "changed": pairs,
        "txid": "",
        "request_id": "",
        "note": "",
        "endpoint": "primary",
        "table": table,
    }
    body = f"{table}/{thing} updated by user {content['actor']}: {shown} (django-simple-history)"
    event = Event(
        timestamp=night.at(seconds),
        source="database",
        lane=Lane.DATABASE,
        kind=Kind.ROW_VERSION,
        body=body,
        ref=f"{content['audit_table']}/{number}",
        seq=number,
        actor=str(content["actor"]),
        clock=APPLICATION_CLOCK,
        meaning=Meaning.TRANSACTION_START,
        precision=Precision.MICROSECOND,
        keys=(*KeyRules().row_keys(table, thing), f"user:{content['actor']}"),
        attributes=json.dumps(content),
    )
    night.tell(event, night.house.front.hosts[0])
