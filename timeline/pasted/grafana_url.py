"""Links to Grafana: Explore (`panes`, and `left` of older versions), dashboards (`from`, `to`)."""

from __future__ import annotations

import re

from timeline.finding import JsonValue
from timeline.pasted.contract import Instant, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    Fields,
    json_of,
    keys_in,
    named,
    pairs_in,
    record,
    records,
    text_of,
)
from timeline.pasted.links import parameters, range_of, sole_link

_PLACE = re.compile(r"/explore\b|/d/|/d-solo/|/alerting/", re.IGNORECASE)
_SEARCHED = re.compile(r"\|[=~] ?[\"`]([^\"`]{1,200})[\"`]")


def understood(text: str) -> Pasted | None:
    link = sole_link(text)
    if not link or not _PLACE.search(link):
        return None
    found = parameters(link)
    if not ({"panes", "left", "from", "to", "orgId"} & set(found)):
        return None
    instants, remarks, queries = _explored(found)
    if not queries and not instants and not remarks:
        instants, remarks = range_of(_first(found, "from"), _first(found, "to"))
    chosen: Fields = {
        name.removeprefix("var-"): values[0]
        for name, values in found.items()
        if name.startswith("var-") and values[0] not in ("", "All", "$__all", ".*")
    }
    told = " ".join(queries)
    said = {**pairs_in(told.replace('="', "=")), **chosen}
    return Pasted(
        "Grafana link",
        instants=instants,
        service=named(said, SERVICE_NAMES),
        environment=named(said, ENVIRONMENT_NAMES),
        keys=keys_in(" ".join([told, *(f"{name}={value}" for name, value in chosen.items())])),
        filters=tuple(f'"{match[1]}"' for match in _SEARCHED.finditer(told)),
        links=(link,),
        remarks=remarks,
    )


def _explored(
    found: dict[str, list[str]],
) -> tuple[tuple[Instant, ...], tuple[str, ...], list[str]]:
    """Range, remarks and queries of Explore; panes of different ranges name no range."""
    panes: list[Fields] = []
    for name in ("panes", "left"):
        value = json_of(_first(found, name))
        if isinstance(value, list) and len(value) >= 2:  # ["now-1h", "now", "Loki", {...}]
            old: dict[str, JsonValue] = {"range": {"from": value[0], "to": value[1]}}
            panes.append({**old, "queries": [dict(one) for one in records(value[2:])]})
        elif isinstance(value, dict) and "range" in value:
            panes.append(value)
        elif isinstance(value, dict):
            panes.extend(one for one in value.values() if isinstance(one, dict))
    ranges = {
        (text_of(span, "from"), text_of(span, "to"))
        for pane in panes
        if (span := record(dict(pane), "range"))
    }
    queries = [
        text
        for pane in panes
        for one in records(pane.get("queries"))
        if (text := text_of(one, "expr", "query", "rawSql"))
    ]
    if len(ranges) > 1:
        return (), (f"the link has {len(ranges)} panes of different time ranges",), queries
    if not ranges:
        return (), (), queries
    instants, remarks = range_of(*ranges.pop())
    return instants, remarks, queries


def _first(found: dict[str, list[str]], name: str) -> str:
    return found.get(name, [""])[0]
