"""One answer of a cluster, and what its error says in whichever of the shapes it comes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from connectors.answers import at, items, text
from connectors.logs.jsonshape import JsonValue


@dataclass(frozen=True)
class Reply:
    """One answer of the cluster. `wire_bytes` travelled; `where` names server and request."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    where: str
    wire_bytes: int = 0

    @cached_property
    def content(self) -> dict[str, JsonValue] | None:
        """The JSON object of the body, or None when it is anything else."""
        try:
            decoded = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return decoded if isinstance(decoded, dict) else None

    @property
    def error_type(self) -> str:
        """`index_not_found_exception`; the innermost type the server names, or ""."""
        causes = self._causes()
        return text(at(causes[0], "type")) if causes else ""

    @property
    def error_reason(self) -> str:
        """The server's own words, or ""."""
        causes = self._causes()
        if causes:
            return text(at(causes[0], "reason"))
        return text(at(self.content or {}, "error"))

    @property
    def error_types(self) -> frozenset[str]:
        """Every type named anywhere in the error: causes of causes and of single shards too."""
        return frozenset(text(at(cause, "type")) for cause in self._causes()) - {""}

    def _causes(self) -> list[JsonValue]:
        """Causes, the most telling first: those of shards, root causes, the error itself."""
        error = at(self.content or {}, "error")
        found = [at(failure, "reason") for failure in items(at(error, "failed_shards"))]
        found += items(at(error, "root_cause"))
        for cause in [*found, error]:
            while (cause := at(cause, "caused_by")) is not None:
                found.insert(0, cause)
        return [cause for cause in [*found, error] if isinstance(cause, dict)]
