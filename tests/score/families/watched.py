"""Acts of the worlds in which something ran twice at once, read too old a value, or went unseen:
audited versions of any table, lines of what is no service, access logs, runs of a loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from connectors.prometheus.api import Series
from connectors.prometheus.telling import target_events
from connectors.sql.rows import APPLICATION_CLOCK
from tests.score.company import Service
from tests.score.truth import Entity
from tests.score.world import World
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

_RULES = KeyRules()
Value = str | int
SCRAPE_S = 15.0


def row_names(table: str, pk: str) -> Entity:
    """Both names of a row of any table."""
    return frozenset(_RULES.row_keys(table, pk))


def audited(
    world: World,
    seconds: float,
    table: str,
    pk: str,
    changed: Mapping[str, tuple[Value, Value]],
    actor: str,
    *,
    host: str,
    tool: str = "audited",
    version: int | None = None,
) -> None:
    """One recorded version of a row of `table`, as the SQL connectors tell it."""
    number = len(world.told)
    content: dict[str, object] = {
        "tool": tool,
        "audit_table": "audits",
        "item_type": table.removesuffix("s").title(),
        "pk": int(pk) if pk.isdigit() else pk,
        "action": "updated",
        "actor": actor,
        "actor_type": "",
        "columns": {name: after for name, (_, after) in changed.items()},
        "before": {name: before for name, (before, _) in changed.items()},
        "changed": {name: list(pair) for name, pair in changed.items()},
        "txid": "",
        "request_id": "",
        "note": "",
        "endpoint": "primary",
        "table": table,
    }
    if version is not None:
        content["version"] = version
    shown = ", ".join(f"{name} {before} → {after}" for name, (before, after) in changed.items())
    event = Event(
        timestamp=world.at(seconds),
        source="database",
        lane=Lane.DATABASE,
        kind=Kind.ROW_VERSION,
        body=f"{table}/{pk} updated by {actor}: {shown} ({tool})",
        ref=f"audits/{number}",
        seq=number,
        actor=actor,
        clock=APPLICATION_CLOCK,
        meaning=Meaning.TRANSACTION_START,
        precision=Precision.MICROSECOND,
        keys=tuple(_RULES.row_keys(table, pk)),
        attributes=json.dumps(content),
    )
    world.tell(event, host)


def beside(
    world: World, seconds: float, who: str, words: str, severity: int = 9, host: str = ""
) -> None:
    """A line of something that is none of the company's services, in a file of its own."""
    place = host or f"{who}-0"
    world.log(seconds, who, place, words, severity, source=f"{who}-log")


def accessed(
    world: World,
    seconds: float,
    who: str,
    request: str,
    status: int,
    took: float,
    more: str = "",
) -> None:
    """A line of a proxy's access log, stamped in whole seconds as the request ended."""
    peer = f"10.20.{world.rng.randint(0, 3)}.{world.rng.randint(2, 250)}"
    size = world.rng.randint(40, 900)
    words = f'{peer} "{request} HTTP/1.1" {status} {size} {took:.3f}{more}'
    world.log(
        seconds + took,
        who,
        f"{who}-0",
        words,
        9,
        source=f"{who}-access",
        precision=Precision.SECOND,
    )


def drop_lines(world: World, gone: Callable[[Event, str], bool]) -> int:
    """Take away the log lines for which `gone(event, host)` holds; how many they were."""
    kept = [
        (event, host)
        for event, host in world.told
        if not (event.lane is Lane.LOG and event.kind is Kind.LOG and gone(event, host))
    ]
    lost = len(world.told) - len(kept)
    world.told = kept
    return lost


def said_by(world: World, service: Service, since: float, until: float) -> int:
    """How many lines of a service were told in `[since, until)`."""
    low, high = world.at(since), world.at(until)
    return sum(
        event.lane is Lane.LOG and event.actor == service.name and low <= event.timestamp < high
        for event, _ in world.told
    )


def in_files(world: World) -> None:
    """Every service writes a file of its own."""
    world.company = replace(world.company, central_logs=False)


def in_one_store(world: World) -> None:
    """All services write to one central store."""
    world.company = replace(world.company, central_logs=True)


def seen_only(world: World, source: str, begin: float, end: float, reason: str, more: str) -> None:
    """A source says of a stretch that records of it may be missing, and why."""
    told = Coverage(source, world.at(begin), world.at(end), Sight.PARTIAL, reason, more)
    world.weak.append(told)


def target_lost(world: World, labels: dict[str, str], answered: float, lost: float) -> None:
    """`up` of a target goes to 0 between two scrapes, as the Prometheus connector tells it."""
    samples = ((world.at(answered), "1"), (world.at(lost), "0"))
    points = tuple((stamp // 10**6 * 10**6, value) for stamp, value in samples)
    series = Series({"__name__": "up", **labels}, points)
    for event in target_events("prometheus", series):
        world.tell(event, "prometheus")


def clock_words(ns: int) -> str:
    """`2026-02-03 03:12:40Z`."""
    return datetime.fromtimestamp(ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
