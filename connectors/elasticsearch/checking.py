"""Sentences about one cluster and index pattern for `halfawake check`."""

from __future__ import annotations

import difflib

from connectors.elasticsearch.answers import Reply, at, items, text, whole
from connectors.elasticsearch.fields import FEW_NAMES, FieldMap
from connectors.elasticsearch.reading import Settings
from connectors.logs.jsonshape import Path
from timeline.clean import clean

NEAR_NAMES = 5


def health_in(reply: Reply) -> str:
    """`cluster shop is yellow, 3 nodes`, or why that is not known."""
    if reply.status != 200:
        return f"cluster health is not known (HTTP {reply.status})"
    content = reply.content or {}
    name, status = clean(text(at(content, "cluster_name"))), clean(text(at(content, "status")))
    return f"cluster {name} is {status}, {whole(at(content, 'number_of_nodes'))} nodes"


def facts_of(settings: Settings) -> list[str]:
    """What was found: indices, fields by role, and how records are paged."""
    fields = settings.reading.fields
    paging = "a point in time" if settings.pages_by_point_in_time else "scrolling"
    return [
        f"{len(fields.indices)} indices match {clean(settings.index)}: {_few(fields.indices)}",
        _fields_sentence(fields),
        f"keys are looked up in {_few(tuple(item.name for item in fields.ids))}",
        f"pages are read from {paging}",
    ]


def nearest_names(index: str, reply: Reply) -> list[str]:
    """Indices that exist, the most similar names first; hidden ones left out."""
    names = [clean(text(name)) for name in items(at(reply.content or {}, "indices"))]
    shown = [name for name in names if name and not name.startswith(".")]
    near = difflib.get_close_matches(index, shown, n=NEAR_NAMES, cutoff=0.3)
    return near or sorted(shown)[:NEAR_NAMES]


def _fields_sentence(fields: FieldMap) -> str:
    kind = "date_nanos" if fields.time.nanoseconds else "date"
    parts = [f"time from {clean(fields.time.name)} ({kind})"]
    shape = fields.shape
    for role, paths in (
        ("level", shape.level),
        ("message", shape.message),
        ("service", shape.service),
        ("host", shape.host),
    ):
        parts.append(f"{role} from {_spelt(paths)}")
    return ", ".join(parts)


def _spelt(paths: tuple[Path, ...]) -> str:
    return _few(tuple(dict.fromkeys(".".join(path) for path in paths))) if paths else "nowhere"


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(clean(name) for name in names[:FEW_NAMES])
    return f"{shown}, …" if len(names) > FEW_NAMES else shown or "none"
