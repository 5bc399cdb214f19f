"""Audited row versions, as the PostgreSQL connector tells paper_trail's."""

from __future__ import annotations

import json

from connectors.sql.rows import APPLICATION_CLOCK
from tests.score.world import World
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.keys import KeyRules


def version(
    world: World,
    seconds: float,
    pk: str,
    changed: dict[str, tuple[str, str]],
    actor: str,
    request: str = "",
) -> None:
    """One recorded change of a row of the company's table."""
    table = world.company.table
    number = len(world.told)
    content: dict[str, object] = {
        "tool": "paper_trail",
        "audit_table": "versions",
        "item_type": world.company.thing.title(),
        "pk": int(pk) if pk.isdigit() else pk,
        "action": "updated",
        "actor": actor,
        "txid": "",
        "request_id": request,
        "changed": {column: list(pair) for column, pair in changed.items()},
        "note": "",
        "endpoint": "primary",
        "table": table,
    }
    shown = ", ".join(f"{column} {old} → {new}" for column, (old, new) in changed.items())
    keys = [*KeyRules().row_keys(table, pk), *([f"request:{request}"] if request else [])]
    event = Event(
        timestamp=world.at(seconds),
        source="database",
        lane=Lane.DATABASE,
        kind=Kind.ROW_VERSION,
        body=f"{table}/{pk} updated by {actor}: {shown}",
        ref=f"versions/{number}",
        seq=number,
        actor=actor,
        clock=APPLICATION_CLOCK,
        meaning=Meaning.TRANSACTION_START,
        precision=Precision.MICROSECOND,
        keys=tuple(keys),
        attributes=json.dumps(content),
    )
    world.tell(event, world.company.front.hosts[0])
