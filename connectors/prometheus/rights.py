"""Whether the HTTP API of a Prometheus could change it: read from its own flags, never tried.

A Prometheus has no accounts: what its flags leave closed is closed to everybody, and what they
open is open to whoever reaches it. Other servers of the same API do not say.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.answers import at, text
from connectors.prometheus.api import QueryAPI
from timeline.problems import AccessRefused, BadAnswer, NothingHere

OPENING = (
    "web.enable-admin-api",
    "web.enable-lifecycle",
    "web.enable-remote-write-receiver",
    "web.enable-otlp-receiver",
)
"""Flags that let an HTTP request change something: delete series, stop or reload the server, add
samples (Prometheus, "Management API", "TSDB Admin APIs"; the last came with 3.0)."""
FEATURES = ("remote-write-receiver", "otlp-write-receiver")
"""The same as values of enable-feature, before they had flags of their own."""
ALWAYS_SAID = OPENING[:2]
"""A server that does not state these is not Prometheus itself."""
ASK = (
    "the server does not state flags of Prometheus (VictoriaMetrics takes samples from whoever "
    "reaches it); let a proxy pass GET /api/v1/query and /api/v1/query_range only"
)


@dataclass(frozen=True, slots=True)
class Rights:
    """`refused` as in `CheckReport.writes_refused`; `said` are the sentences it rests on."""

    refused: bool | None
    said: tuple[str, ...]


async def rights_of(api: QueryAPI) -> Rights:
    """One small request. Raises `Unreachable`, `Overloaded`."""
    try:
        flags = await api.get("/api/v1/status/flags")
    except (AccessRefused, BadAnswer, NothingHere):
        return Rights(None, (ASK,))
    stated = {name: text(at(flags, name)) for name in OPENING}
    if not all(stated[name] for name in ALWAYS_SAID):
        return Rights(None, (ASK,))
    enabled = text(at(flags, "enable-feature")).split(",")
    opened = [name for name, value in stated.items() if value == "true"]
    opened += [f"enable-feature={name}" for name in FEATURES if name in enabled]
    if opened:
        return Rights(False, (f"its flags let HTTP change it: {', '.join(opened)}",))
    closed = ", ".join(name for name, value in stated.items() if value)
    return Rights(True, (f"closed to everybody by its flags: {closed}",))
