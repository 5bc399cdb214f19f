"""Recorded row versions for synthetic incidents, with the attributes that connectors give."""

from __future__ import annotations

import json

from timeline.event import Event, Kind, Lane, Meaning, Precision

from .worlds import World, at

Value = str | int | float | bool | None


def version(
    world: World,
    seconds: float,
    table: str,
    pk: int | str,
    changed: dict[str, tuple[Value, Value]],
    *,
    actor: str = "",
    request: str = "",
    txn: str = "",
    number: int | None = None,
    lock: tuple[int, int] | None = None,
    action: str = "updated",
    tool: str = "paper_trail",
    item_type: str = "",
    source: str = "postgres",
) -> Event:
    """One version of a row, as `connectors.sql` tells it; `table` may be empty with `item_type`."""
    told: dict[str, object] = {
        "tool": tool,
        "audit_table": "versions",
        "item_type": item_type,
        "pk": pk,
        "action": action,
        "actor": actor,
        "columns": {} if action == "deleted" else {name: new for name, (_, new) in changed.items()},
        "before": {} if action == "created" else {name: old for name, (old, _) in changed.items()},
        "changed": {name: list(pair) for name, pair in changed.items()},
        "txid": "",
        "request_id": request,
        "note": "",
        "endpoint": "primary",
    }
    told |= {"table": table} if table else {}
    told |= {"txn": txn} if txn else {}
    told |= {"version": number} if number is not None else {}
    told |= {"lock_version": list(lock)} if lock else {}
    keys = world.rules.row_keys(table, pk) if table else (f"{item_type.lower()}:{pk}",)
    number_of_event = len(world.events)
    event = Event(
        timestamp=at(seconds),
        source=source,
        lane=Lane.DATABASE,
        kind=Kind.ROW_VERSION,
        body=f"{table or item_type}/{pk} {action}",
        ref=f"versions/{tool}/{number_of_event}",
        seq=number_of_event,
        actor=actor or "versions",
        clock="application?" if tool != "system-versioned" else "",
        meaning=Meaning.TRANSACTION_START,
        precision=Precision.MICROSECOND,
        keys=(*keys, *((f"request:{request}",) if request else ())),
        attributes=json.dumps(told),
    )
    world.events.append(event)
    return event


def request(
    world: World, name: str, begin: float, end: float, path: str, actor: str = "web"
) -> None:
    """The first and the last line of a request."""
    world.log(begin, actor, f"PUT {path} started request_id={name}")
    world.log(end, actor, f"PUT {path} 200 request_id={name}")
