"""A search through the text of the records that may hold it, and no others.

A search for many wordings costs several times what one literal costs, so the records are chosen by
their columns first. Where most of many are chosen, choosing and searching go in one pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.facts.wordings import may_hold
from timeline.store import SMALL

if TYPE_CHECKING:
    import polars as pl

    from timeline.incident import Incident

FEW = 0.2
"""Share of all records up to which the chosen ones are copied out before they are searched."""


def told_with(
    incident: Incident,
    chosen: pl.Expr,
    wording: pl.Expr,
    *columns: str,
    bodies: tuple[str, ...] = (),
) -> pl.DataFrame:
    """`row`, `timestamp`, `columns` of events for which `chosen` and `wording` hold, time order.

    `chosen` must not look at texts; `columns` hold whatever `wording` looks at. `bodies` are
    regexes: whatever fits `wording` has a body that fits one of them.
    """
    snapshot = incident.snapshot
    if snapshot.events.height >= SMALL:
        count = snapshot.events.select(chosen.fill_null(value=False).sum()).item()
        if count > FEW * snapshot.events.height:
            return snapshot.told(chosen & wording, *columns)
    told = snapshot.told(chosen, *columns)
    if told.is_empty():  # even a search in nothing reads its wording first
        return told
    if bodies and not may_hold(told.get_column("body"), *bodies):
        return told.clear()
    return told.filter(wording.fill_null(value=False))
