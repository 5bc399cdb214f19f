"""What settings of every table are made of: strict models and lengths of time."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def parse_duration_ms(value: object) -> float:
    """Milliseconds of `20ms`, `1.5s`, `30m` or `2h`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration such as '20ms', '1.5s' or '30m'")
    return float(match.group(1)) * _UNIT_MS[match.group(2)]


DurationMs = Annotated[float, BeforeValidator(parse_duration_ms)]


class Strict(BaseModel):
    """A table whose settings are all known: a misspelt one is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
