"""Links to Discover and dashboards of Kibana and OpenSearch Dashboards: `_g` and `_a` in rison."""

from __future__ import annotations

import re
from urllib.parse import unquote

from timeline.pasted.contract import Pasted
from timeline.pasted.fields import ENVIRONMENT_NAMES, SERVICE_NAMES, keys_in, named, pairs_in
from timeline.pasted.links import parameters, range_of, sole_link

_TIME = re.compile(r"time:\(([^()]{0,300})\)")
_VALUE = r"(?:'((?:[^'!]|!.){0,2000})'|([^,()']{0,200}))"
_FROM = re.compile(rf"\bfrom:{_VALUE}")
_TO = re.compile(rf"\bto:{_VALUE}")
_QUERY = re.compile(rf"\bquery:{_VALUE}")
_PHRASE = re.compile(r"match_phrase:\(([\w.@-]{1,80}):(?:\(query:)?'?([\w./@-]{1,120})'?")


def understood(text: str) -> Pasted | None:
    link = sole_link(text)
    found = parameters(link) if link else {}
    parts = [*found.get("_g", []), *found.get("_a", []), *found.get("_q", [])]
    if not any(part.startswith("(") for part in parts):
        return None
    state = "\n".join(parts)
    time = _TIME.search(state)
    inside = time[1] if time else ""
    instants, remarks = range_of(_said(_FROM, inside), _said(_TO, inside))
    query = _said(_QUERY, re.sub(r"\bquery:\(", "(", state))
    phrases = [f"{match[1]}:{match[2]}" for match in _PHRASE.finditer(state)]
    said = pairs_in(" ".join([_spaced(query), *phrases]))
    app = "OpenSearch Dashboards" if "data-explorer" in link or "_dashboards" in link else "Kibana"
    return Pasted(
        f"{app} link",
        instants=instants,
        service=named(said, SERVICE_NAMES),
        environment=named(said, ENVIRONMENT_NAMES),
        keys=keys_in(" ".join([_spaced(query), *(p.replace(":", "=", 1) for p in phrases)])),
        filters=tuple(filter(None, [query, *phrases])),
        links=(link,),
        remarks=remarks,
    )


def _said(pattern: re.Pattern[str], text: str) -> str:
    """The value behind the name; rison escapes a quotation mark with an exclamation mark."""
    match = pattern.search(text)
    if match is None:
        return ""
    return unquote(re.sub(r"!(.)", r"\1", match[1] or match[2] or "")).strip()


def _spaced(query: str) -> str:
    """`service.name : "web"` as `service.name:"web"`."""
    return re.sub(r" ?: ?", ":", query)
