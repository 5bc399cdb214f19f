"""Sentences about one cluster and index pattern for `halfawake check`."""

from __future__ import annotations

import difflib

from connectors.answers import at, items, text, whole
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.fields import FEW_NAMES, FieldMap
from connectors.elasticsearch.reading import Settings
from connectors.logs.jsonshape import Path
from timeline.clean import clean
from timeline.problems import Misconfigured, NothingHere, SourceProblem

NEAR_NAMES = 5
EVERY_INDEX = "*"
"""The pattern of somebody who named no index, so that none can be misspelt."""


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
        f"{len(fields.indices)} indices match {clean(settings.index)}: {few(fields.indices)}",
        fields_sentence(fields),
        f"keys are looked up in {few(tuple(item.name for item in fields.ids))}",
        f"pages are read from {paging}",
    ]


def nothing_to_read(index: str, problem: Misconfigured) -> SourceProblem:
    """What it means that no index or no time field was found; by name, it is a wrong name."""
    if index != EVERY_INDEX:
        return problem
    return NothingHere(
        "The cluster answers, but no index has a field that is known to hold the time",
        where=problem.where,
        remedy="Set time_field if the records call it otherwise.",
    )


def nearest_names(index: str, reply: Reply) -> list[str]:
    """Indices that exist, the most similar names first; hidden ones left out."""
    names = [clean(text(name)) for name in items(at(reply.content or {}, "indices"))]
    shown = [name for name in names if name and not name.startswith(".")]
    near = difflib.get_close_matches(index, shown, n=NEAR_NAMES, cutoff=0.3)
    return near or sorted(shown)[:NEAR_NAMES]


def fields_sentence(fields: FieldMap) -> str:
    """`time from @timestamp (date), level from log.level, …`."""
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
    return few(tuple(dict.fromkeys(".".join(path) for path in paths))) if paths else "nowhere"


def few(names: tuple[str, ...]) -> str:
    """The first names, cleaned, or `none`."""
    shown = ", ".join(clean(name) for name in names[:FEW_NAMES])
    return f"{shown}, …" if len(names) > FEW_NAMES else shown or "none"
