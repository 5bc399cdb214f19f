"""A search through the text of the records that may hold it, and no others.

A search for many wordings costs several times what one literal costs, so the records are chosen by
their columns first. Where most records are chosen, choosing and searching go in one pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from timeline.incident import Incident

FEW = 0.2
"""Share of all records up to which the chosen ones are copied out before they are searched."""


def told_with(incident: Incident, chosen: pl.Expr, wording: pl.Expr, *columns: str) -> pl.DataFrame:
    """`row`, `timestamp`, `columns` of events for which `chosen` and `wording` hold, time order.

    `chosen` must not look at texts; `columns` hold whatever `wording` looks at.
    """
    snapshot = incident.snapshot
    count = snapshot.events.select(chosen.fill_null(value=False).sum()).item()
    if not count:  # even a search in nothing reads its wording first
        return snapshot.told(chosen, *columns)
    if count > FEW * max(snapshot.events.height, 1):
        return snapshot.told(chosen & wording, *columns)
    return snapshot.told(chosen, *columns).filter(wording.fill_null(value=False))
