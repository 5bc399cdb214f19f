"""What is read out of labels, tags and JSON the same way for every kind of paste.

Lookups never raise: a field of another type than expected is a field that is not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from timeline.finding import JsonValue
from timeline.pasted.stamps import number_stamp
from timeline.pin import length_of
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.keys import KeyRules
    from timeline.pasted.contract import Stamp

Fields = Mapping[str, JsonValue]

SEARCHED = 200_000
"""Characters searched for keys and labels; an alert is shorter, a pasted log need not be."""
MOST_KEYS = 12
MOST_LINKS = 6
UNKNOWN_LATE_NS = 15 * MINUTE_NS
"""How late an alert may be whose rule is not in the paste: alerts come 5 to 15 minutes late."""
DEFAULT_INTERVAL_NS = MINUTE_NS
"""Prometheus' and Grafana's evaluation interval where nothing else is configured."""

SERVICE_NAMES = (
    "service",
    "service_name",
    "service.name",
    "servicename",
    "app",
    "application",
    "app_kubernetes_io_name",
    "kube_deployment",
    "deployment",
    "container",
    "job",
)
ENVIRONMENT_NAMES = (
    "environment",
    "env",
    "deployment_environment",
    "deployment.environment",
    "deployment.environment.name",
    "stage",
)
_ALERTING = (
    "alert rule incident event issue monitor org organization organisation integration team"
    " dashboard panel account policy receiver service message group fingerprint subscription"
    " notification routing schedule user_agent datasource escalation conversation alarm"
)
NOT_WORK = frozenset(_ALERTING.split())
"""Types of ids that name a part of the alerting system, not the work that went wrong."""

_FOR = re.compile(
    r"\bfor\b ?[:=]? ?\"?(?:(?:more|longer) than |over |at least |the (?:last|past) )?"
    r"(\d{1,5} ?(?:seconds?|s|minutes?|mins?|m|hours?|h))\b",
    re.IGNORECASE,
)
_INTERVAL = re.compile(r"\binterval ?[:=] ?\"?(\d{1,5} ?(?:seconds?|s|minutes?|mins?|m|h))\b")
_PAIR = re.compile(
    r"(?:^|(?<=[\s,{(\[|•*-]))\"?([A-Za-z][\w.]{1,40})\"?\*? ?[:=]\*? ?\"?([\w][\w./-]{0,80})",
)
_LINK = re.compile(r"https?://[^\s<>\"'|)\]]{1,2000}")


def json_of(text: str) -> JsonValue:
    """The JSON value that the text is, or None; a message inside an SNS envelope is unpacked."""
    begin = text.lstrip()[:1]
    if begin not in ("{", "["):
        return None
    try:
        value: JsonValue = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, dict) and value.get("Type") == "Notification" and "Message" in value:
        inner = value["Message"]
        unpacked = json_of(inner) if isinstance(inner, str) else None
        return unpacked if unpacked is not None else value
    return value


def record(value: JsonValue, *path: str) -> Fields:
    """The object at `path`; empty when there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def records(value: JsonValue) -> list[Fields]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text_of(fields: Fields, *names: str) -> str:
    """The first of the fields that holds a text or a number, as text."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
    return ""


def stamp_at(fields: Fields, *names: str) -> Stamp | None:
    """The first of the fields that holds a time; the zero time of Go is none."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.startswith("0001-01-01"):
            continue
        if (stamp := number_stamp(value)) is not None:
            return stamp
    return None


def tags(value: JsonValue) -> dict[str, JsonValue]:
    """Tags as a mapping, however they are written: an object, `a:b` texts, pairs, key and value."""
    if isinstance(value, Mapping):
        return {str(name): one for name, one in value.items()}
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    found: dict[str, JsonValue] = {}
    for one in value if isinstance(value, list) else []:
        if isinstance(one, str):
            name, colon, rest = one.partition(":")
            if colon:
                found[name.strip()] = rest.strip()
        elif isinstance(one, list) and len(one) == 2 and isinstance(one[0], str):
            found[one[0]] = one[1]
        elif isinstance(one, Mapping) and isinstance(one.get("key"), str):
            found[str(one["key"])] = one.get("value")
        elif isinstance(one, Mapping) and isinstance(one.get("name"), str):
            found[str(one["name"])] = one.get("value")
    return found


def named(fields: Fields, names: tuple[str, ...]) -> str:
    """The first field of these names, whatever its capitals."""
    lower = {name.lower(): value for name, value in fields.items()}
    return text_of(lower, *names)


def common(groups: list[Fields], names: tuple[str, ...]) -> str:
    """What all groups of labels that say it at all agree on; empty when they differ."""
    said = {value for group in groups if (value := named(group, names))}
    return said.pop() if len(said) == 1 else ""


def pairs_in(text: str) -> dict[str, JsonValue]:
    """`name: value` and `name=value` in running text, the first of each name."""
    found: dict[str, JsonValue] = {}
    for match in _PAIR.finditer(text[:SEARCHED]):
        found.setdefault(match[1].lower(), match[2].rstrip(".,"))
    return found


@cache
def _rules() -> KeyRules:
    from timeline.keys import KeyRules

    return KeyRules()


def keys_in(text: str) -> tuple[str, ...]:
    """Typed keys of the work that the text speaks of."""
    found = _rules().in_text(_LINK.sub(" ", text[:SEARCHED]))
    return tuple(key for key in found if key.partition(":")[0] not in NOT_WORK)[:MOST_KEYS]


def links_in(text: str) -> tuple[str, ...]:
    found = dict.fromkeys(match.group().rstrip(".,;") for match in _LINK.finditer(text[:SEARCHED]))
    return tuple(found)[:MOST_LINKS]


def host_of(link: str) -> str:
    try:
        return urlsplit(link).hostname or ""
    except ValueError:
        return ""


def lateness(text: str) -> tuple[int, str]:
    """How late an alert's start is by its rule (ns), and why, from what the paste says of it."""
    waits = [length for match in _FOR.finditer(text[:SEARCHED]) if (length := _length(match[1]))]
    intervals = [
        length for match in _INTERVAL.finditer(text[:SEARCHED]) if (length := _length(match[1]))
    ]
    if not waits:
        minutes = UNKNOWN_LATE_NS // MINUTE_NS
        why = f"an alert starts late by its for: and evaluation interval, not said: {minutes} min"
        return UNKNOWN_LATE_NS, why
    interval = max(intervals, default=DEFAULT_INTERVAL_NS)
    late = max(waits) + interval
    wait = _FOR.search(text[:SEARCHED])
    said = wait[1] if wait is not None and len(waits) == 1 else "the longest for:"
    return late, f"an alert starts late by its for: ({said}) and one evaluation interval"


def _length(text: str) -> int | None:
    return length_of(text.lower())


def texts_in(value: JsonValue, depth: int = 6) -> Iterator[str]:
    """Every `name: value` of a JSON value as text, for the search of keys."""
    if depth == 0:
        return
    if isinstance(value, Mapping):
        for name, one in value.items():
            if isinstance(one, (str, int)) and not isinstance(one, bool):
                yield f"{name}={one}" if " " not in str(one) else f"{name}: {one}"
            else:
                yield from texts_in(one, depth - 1)
    elif isinstance(value, list):
        for one in value[:200]:
            if isinstance(one, str):
                yield one
            else:
                yield from texts_in(one, depth - 1)
