"""Addresses at which a cited record is found in the team's own tools, by templates of theirs.

Absolute times only: a link that says "last 15 minutes" is wrong by breakfast. An address is made
after redaction from what is printed anyway, so nothing leaves in it that does not leave in the
text; a record whose id was redacted gets none. Without a template there is no link, never a guess.
Shapes: Kibana 8 Discover (Rison), OpenSearch Dashboards 2 and Kibana 7 (the same with `index`),
Grafana 10 Explore (`panes`); any other tool by a template.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from timeline.event import Precision
from timeline.export.document import Address
from timeline.export.times import rfc3339
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.export.document import Document, Evidence

LONGEST = 2_000
"""Characters of an address; chats and mail programs cut longer ones, and then they lead nowhere."""
AROUND_NS = 5 * MINUTE_NS
"""Shown on either side of the record unless the template says otherwise."""
PLACES = ("from", "to", "from_ms", "to_ms", "id", "ref", "job", "query")
"""What a template may ask for in braces."""

_PLACE = re.compile(r"\{(\w+)\}")
_SAFE = "-._~:/?#&=%,;@+$"
"""Signs that stay in an address. Brackets of all kinds, `!`, `'`, `*`, `|` and quotes do not: they
end links in Markdown and in Jira."""
_VALUE = "-._~:,"
_MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class LinkTemplate:
    """How records of some sources are found in one tool."""

    name: str
    """As the link is called: `kibana`."""
    kind: str
    """`kibana`, `opensearch`, `grafana` or `url`."""
    base: str
    """`https://kibana.example.com/s/shop`; for `url` the whole template."""
    sources: tuple[str, ...]
    query: str = ""
    """In the tool's own language, with places in braces."""
    data_view: str = ""
    """Kibana's data view or the index pattern of OpenSearch Dashboards, by id."""
    datasource: str = ""
    """Grafana's data source, by uid."""
    datasource_type: str = "loki"
    org: int = 1
    around: int = AROUND_NS


def linked(document: Document, templates: Iterable[LinkTemplate]) -> Document:
    """The redacted document with addresses at the records that a template reaches."""
    told = tuple(templates)
    if not told or document.ids_replaced:
        return document
    evidence = tuple(
        replace(record, addresses=tuple(_addresses(record, told))) for record in document.evidence
    )
    return replace(document, evidence=evidence)


def unknown_places(template: str) -> tuple[str, ...]:
    """Places that no record fills, in the order they stand."""
    return tuple(name for name in _PLACE.findall(template) if name not in PLACES)


def problem_with(base: str) -> str:
    """Why no link may begin like that; empty when it may."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return f"{base!r} is no http:// or https:// address"
    if parts.username is not None or parts.password is not None:
        return "an address with a user name in it would be sent to every reader"
    return ""


def _addresses(record: Evidence, templates: Iterable[LinkTemplate]) -> Iterable[Address]:
    for template in templates:
        if record.source in template.sources:
            url = address(template, record)
            if url:
                yield Address(template.name, url)


def address(template: LinkTemplate, record: Evidence) -> str:
    """The address of `record`, or nothing where a place cannot be filled or it gets too long."""
    if problem_with(template.base):
        return ""
    values = _values(template, record)
    try:
        if template.kind in ("kibana", "opensearch"):
            made = _discover(template, values)
        elif template.kind == "grafana":
            made = _explore(template, values)
        else:
            query = quote(_filled(template.query, values), safe="")
            encoded = {name: quote(value, safe=_VALUE) for name, value in values.items()}
            made = _filled(template.base, {**encoded, "query": query})
    except KeyError:
        return ""
    made = quote(made, safe=_SAFE)
    return made if len(made) <= LONGEST else ""


def _values(template: LinkTemplate, record: Evidence) -> Mapping[str, str]:
    """What a template may ask of the record; ids that were redacted are not among it."""
    at = record.moment.timestamp
    start, end = at - template.around, at + template.around
    jobs = [key.removeprefix("job:") for key in record.keys if key.startswith("job:")]
    values = {
        "from": rfc3339(start, Precision.MILLISECOND),
        "to": rfc3339(end, Precision.MILLISECOND),
        "from_ms": str(start // _MILLISECOND),
        "to_ms": str(end // _MILLISECOND),
        "id": record.ref.rpartition("/")[2],
        "ref": record.ref,
    }
    if len(jobs) == 1:
        values["job"] = jobs[0]
    return {name: value for name, value in values.items() if value and not _is_redacted(value)}


def _is_redacted(value: str) -> bool:
    return re.search(r"\{redacted:|\b(?:email|ip|user|session)#[0-9]", value) is not None


def _filled(template: str, values: Mapping[str, str], escape: str = "") -> str:
    """`template` with its places filled. Raises KeyError for one that the record does not have."""

    def value(match: re.Match[str]) -> str:
        found = values[match[1]]
        return re.sub(r'(["\\])', r"\\\1", found) if escape else found

    return _PLACE.sub(value, template) if template else ""


def _discover(template: LinkTemplate, values: Mapping[str, str]) -> str:
    """Kibana's Discover around the record, and only what the query finds."""
    query = _rison(_filled(template.query or '_id:"{id}"', values, escape='"'))
    span = f"(from:{_rison(values['from'])},to:{_rison(values['to'])})"
    state = f"(filters:!(),refreshInterval:(pause:!t,value:0),time:{span})"
    view = _rison(template.data_view)
    data = f"dataSource:(dataViewId:{view},type:dataView)"
    if template.kind == "opensearch":
        data = f"index:{view}"
    language = f"query:(language:kuery,query:{query})"
    app = f"(columns:!(),{data},filters:!(),interval:auto,{language},sort:!())"
    encoded = f"_g={quote(state, safe=_VALUE)}&_a={quote(app, safe=_VALUE)}"
    return f"{template.base.rstrip('/')}/app/discover#/?{encoded}"


def _rison(text: str) -> str:
    return "'" + text.replace("!", "!!").replace("'", "!'") + "'"


def _explore(template: LinkTemplate, values: Mapping[str, str]) -> str:
    """Grafana's Explore with one pane around the record."""
    source = {"type": template.datasource_type, "uid": template.datasource}
    asked = {
        "refId": "A",
        "datasource": source,
        "expr": _filled_braces(template.query, values),
    }
    pane = {
        "datasource": template.datasource,
        "queries": [asked],
        "range": {"from": values["from_ms"], "to": values["to_ms"]},
    }
    panes = quote(json.dumps({"a": pane}, separators=(",", ":"), ensure_ascii=False), safe="")
    base = template.base.rstrip("/")
    return f"{base}/explore?schemaVersion=1&orgId={template.org}&panes={panes}"


def _filled_braces(query: str, values: Mapping[str, str]) -> str:
    """A LogQL query has braces of its own; only the names of places are filled."""
    for name in PLACES:
        if f"{{{name}}}" in query:
            query = query.replace(f"{{{name}}}", re.sub(r'(["\\])', r"\\\1", values[name]))
    return query
