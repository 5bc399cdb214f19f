"""What the environment and the cluster itself say about how to configure a source.

Reads counts per index and the field map that is known already; never a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from connectors.answers import at, items, text
from connectors.discovery import Candidate, KeyHint, Place, Sampled
from connectors.elasticsearch.checking import EVERY_INDEX, few, fields_sentence
from connectors.elasticsearch.fields import FieldMap
from connectors.elasticsearch.queries import Body
from connectors.elasticsearch.reading import Settings
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.transport import SearchTransport
from connectors.logs.jsonshape import JsonValue
from timeline.clean import clean

VARIABLES = ("ELASTICSEARCH_URL", "ELASTIC_URL", "OPENSEARCH_URL", "ES_HOST")
API_KEYS = ("ELASTICSEARCH_API_KEY", "ELASTIC_API_KEY", "ES_API_KEY")
LOG_INS = (
    ("ELASTICSEARCH_USERNAME", "ELASTICSEARCH_PASSWORD"),
    ("ELASTIC_USERNAME", "ELASTIC_PASSWORD"),
    ("OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD"),
)
DEFAULT_PORT = 9200
LATELY = "now-7d"
"""Indices that took no record for a week are archives or forgotten."""
MOST_INDICES = 500
MOST_SERVICES = 30
MOST_PATTERNS = 10
"""More patterns than this say less than "*" does."""

_BACKING = re.compile(r"\.ds-(?P<stream>.+)-\d{4}\.\d{2}\.\d{2}-\d{6}")
"""A data stream's own index: `.ds-logs-web-default-2026.03.14-000001`."""
_ROLLED = re.compile(r"(?P<stem>.*?[-_.])(?:\d{4}(?:[-_.]?\d{2}){1,3}|\d{6})")
"""A day's or a roll-over's index: `logs-web-2026.03.14`, `web-000042`."""


def candidates_in(place: Place) -> Iterator[Candidate]:
    """One candidate for each variable that names a cluster; its log-in stays a reference."""
    for variable in VARIABLES:
        if not (value := place.variables.get(variable, "")):
            continue
        options = {"url": _address(variable, value), "index": EVERY_INDEX, **_log_in(place, value)}
        yield Candidate("elasticsearch", "logs", options, f"the variable {variable}")


async def sampled(transport: SearchTransport, settings: Settings) -> Sampled:
    """Which indices took records lately, who spoke, and the fields. Raises `SourceProblem`."""
    fields = settings.reading.fields
    body = lately(fields)
    reply = await transport.read(Request("POST", on(settings.index, "_search"), body=body))
    content = reply.content or {}
    options: Mapping[str, object] = {}
    if settings.index == EVERY_INDEX and (pattern := pattern_of(_names(content, "indices"))):
        options = {"index": pattern}
    notes = [fields_sentence(fields)]
    if fields.ids:
        notes.append(f"ids in {few(tuple(one.name for one in fields.ids))}")
    services = tuple(sorted(clean(name) for name in _names(content, "services")))
    return Sampled(_hints(fields), tuple(notes), options, services)


def lately(fields: FieldMap) -> Body:
    """Counts per index and per service of what arrived lately: no document travels."""
    window: Body = {"range": {fields.time.name: {"gte": LATELY}}}
    counts: Body = {"indices": {"terms": {"field": "_index", "size": MOST_INDICES}}}
    if fields.service:
        counts["services"] = {"terms": {"field": fields.service, "size": MOST_SERVICES}}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": [window]}},
        "aggs": counts,
    }


def pattern_of(indices: Iterable[str]) -> str:
    """The pattern that covers `indices` and their successors; "" when it would say too little."""
    patterns = dict.fromkeys(_pattern(name) for name in indices)
    shown = sorted(pattern for pattern in patterns if pattern)
    return ",".join(shown) if len(shown) <= MOST_PATTERNS else ""


def _pattern(index: str) -> str:
    """One index's pattern; "" for the cluster's own."""
    if stream := _BACKING.fullmatch(index):
        return stream["stream"]
    if index.startswith("."):
        return ""
    rolled = _ROLLED.fullmatch(index)
    return f"{rolled['stem']}*" if rolled else index


def _names(content: Mapping[str, JsonValue], counted: str) -> list[str]:
    buckets = items(at(content, "aggregations", counted, "buckets"))
    return [name for bucket in buckets if (name := text(at(bucket, "key")))]


def _hints(fields: FieldMap) -> tuple[KeyHint, ...]:
    """Key types that some field carries, with the names of those fields."""
    keys: dict[str, dict[str, None]] = {}
    for one in fields.ids:
        for kind in one.kinds:
            keys.setdefault(kind, {})[one.name.rpartition(".")[2]] = None
    return tuple(KeyHint(kind, tuple(names)) for kind, names in keys.items())


def _address(variable: str, value: str) -> str:
    """A reference to the variable, completed to an address when it holds a bare host."""
    if "://" in value:
        return f"${{{variable}}}"
    port = "" if re.search(r":\d+$", value) else f":{DEFAULT_PORT}"
    return f"http://${{{variable}}}{port}"


def _log_in(place: Place, value: str) -> dict[str, object]:
    """References to a log-in that stands beside the address, unless the address holds one."""
    if "@" in value:
        return {}
    for variable in API_KEYS:
        if place.variables.get(variable):
            return {"api_key": f"${{{variable}}}"}
    for user, password in LOG_INS:
        if place.variables.get(user) and place.variables.get(password):
            return {"username": f"${{{user}}}", "password": f"${{{password}}}"}
    return {}
