"""A time as people and their tools write it into a table, a note or an answer, into ns UTC.

Adds to the stamps of log lines what only people write: a minute without its seconds. Standard
library only. Never guesses: a time without a zone takes the declared one, or UTC and says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.logs.formats import STAMPS
from connectors.logs.stamps import NOT_A_TIME, Stamp, read_stamp
from connectors.logs.textformat import DATE, ZONE
from connectors.logs.zones import ZoneRule
from timeline.clean import clean
from timeline.event import Precision
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    import polars as pl

MINUTE = rf"^{DATE}[T ](?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}}){ZONE}?$"
"""`2026-03-14 03:14`: spreadsheets and people leave the seconds out."""
_WHOLE = {name: re.compile(pattern) for name, pattern in STAMPS.items()}
_MINUTE = re.compile(MINUTE)


def read_written(text: str, zone: ZoneRule) -> Stamp:
    """The stamp that `text` is, from end to end; `reason` says why it is none."""
    text = text.strip()
    if match := _MINUTE.match(text):
        stamp = read_stamp(match.groupdict(), zone, not_after=0)
        return replace(stamp, precision=Precision.MINUTE)
    for pattern in _WHOLE.values():
        if match := pattern.match(text):
            return read_stamp(match.groupdict(), zone, not_after=0)
    return Stamp(None, reason=NOT_A_TIME)


def in_utc(text: str) -> Stamp:
    """The stamp of a system that always writes a zone (`2026-03-14T02:13:40Z`)."""
    return read_written(text, _UTC)


def whole_second(seconds: str) -> int | None:
    """ns UTC of whole seconds since the epoch, as git prints them; None for anything else."""
    return int(seconds) * SECOND_NS if re.fullmatch(r"[0-9]{1,10}", seconds) else None


@dataclass(frozen=True, slots=True)
class Undated:
    """A record without a usable time, as it is listed. Texts may be raw."""

    reason: str
    body: str
    ref: str


def undated_frame(source: str, records: Sequence[Undated]) -> pl.DataFrame | None:
    """`timeline.columns.UNDATED_SCHEMA` of the records; None when there is none."""
    if not records:
        return None
    import polars as pl

    from timeline.columns import UNDATED_SCHEMA

    rows = [(source, one.reason, clean(one.body), clean(one.ref)) for one in records]
    return pl.DataFrame(rows, schema=UNDATED_SCHEMA, orient="row")


_UTC = ZoneRule.named("UTC")
