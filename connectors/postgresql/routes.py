"""Decides how a stretch of time is found in one table: whole, by an index, by its ids, or not.

A plan is looked at before a large table is touched. Where no index leads to a creation stamp, the
integer primary key does, provided that ids rise with time, which is sampled and never assumed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from connectors.postgresql.plans import plan_of
from connectors.postgresql.session import Row, Session
from connectors.postgresql.statements import (
    BISECT_STEPS,
    PIN_STEPS,
    SAMPLES,
    Statements,
    explained,
    span_of,
)
from connectors.postgresql.tables import Column
from connectors.sql.brackets import MARGIN_NS
from connectors.sql.tables import role_of, single_pk
from timeline.window import MINUTE_NS, Window

MARGIN_WORDS = f"{MARGIN_NS // MINUTE_NS} minutes"
ENDS_PROBES = 2
"""The smallest and the largest id."""
MOST_PROBES = ENDS_PROBES + SAMPLES + 2 * BISECT_STEPS + PIN_STEPS
"""Index probes of one bracket at most, whatever the size of the table."""
LOOKED_UP = "Rows named in logs and jobs are still looked up by key."


class How(StrEnum):
    """The ways to a stretch of time."""

    WHOLE = "whole"
    INDEX = "index"
    IDS = "ids"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Route:
    """How one column is read. `rows` and `cost` are the planner's estimates for the first page."""

    how: How
    why: str = ""
    index: str = ""
    bracket: tuple[int, int] | None = None
    """Inclusive bounds of the primary key, for `IDS`."""
    pin: int = 0
    """About the key that was given out at the pin: between the bounds, where a walk begins."""
    probes: int = 0
    rows: int | None = None
    cost: float | None = None

    def words(self) -> str:
        """For example `by index orders_created_at_idx, about 300 rows, cost 12`."""
        estimate = "" if self.rows is None else f", about {self.rows:,} rows"
        estimate += "" if self.cost is None else f", cost {self.cost:,.0f}"
        if self.how is How.IDS:
            return f"{by_ids(self)}{estimate}"
        if self.how is How.REFUSED:
            return f"not read: {self.why}"
        by = f"by index {self.index}" if self.index else "read whole, it is small"
        return f"{by}{estimate}"


def by_ids(route: Route) -> str:
    """How the bracket was found, in words."""
    return f"by its ids ({route.index}, {route.probes} index probes)"


async def route_to(
    session: Session,
    statements: Statements,
    column: Column,
    window: Window,
    rows: int,
    *,
    planned: bool = False,
    rises: bool = False,
) -> Route:
    """The way to the rows of `window`, `rows` a page. Raises `SourceProblem`.

    Small tables are not planned unless `planned` asks for the estimate. `rises` says of a column
    with an unusual name that it is written when the row is and never again.
    """
    table = statements.table
    if not table.large and not planned:
        return Route(How.WHOLE)
    span = span_of(window.start, window.end)
    statement = explained(statements.page(column, rows))
    plan = plan_of(await session.read(statement, statements.bounds(column, span)))
    if not table.large or not (plan.scans_everything or plan.costly):
        how = How.INDEX if plan.indexes else How.WHOLE
        return Route(how, index=", ".join(plan.indexes), rows=plan.rows, cost=plan.cost)
    refusal = f"no index on {column.name}"
    if not rises and role_of(column) != "created":
        return Route(How.REFUSED, f"{refusal}, and {table.label} is too large to be read whole")
    return await _by_ids(session, statements, column, window, refusal)


async def _by_ids(
    session: Session, statements: Statements, column: Column, window: Window, refusal: str
) -> Route:
    table, key = statements.table, single_pk(statements.table)
    if key is None or not key.is_integer:
        return Route(How.REFUSED, f"{refusal}, and no integer primary key to find its place by")
    samples = statements.samples(column)
    plan = plan_of(await session.read(explained(samples)))
    if plan.scans_everything:
        return Route(How.REFUSED, f"{refusal}, and none on {key.name}")
    ladder = _ladder(await session.read(samples))
    if not ladder:
        return Route(How.IDS, index=", ".join(plan.indexes), bracket=(1, 0))
    if (broken := _out_of_order(ladder)) is not None:
        return Route(
            How.REFUSED,
            f"{refusal}, and its ids do not rise with it ({table.label}/{broken} is older than "
            "rows with smaller ids)",
        )
    search = _Search(session, statements, column, ladder)
    low, _ = await search.first_since(window.start - MARGIN_NS)
    _, high = await search.first_since(window.end + MARGIN_NS)
    pin, _ = await search.first_since(window.pin, (low, high), PIN_STEPS)
    return Route(
        How.IDS,
        index=", ".join(plan.indexes) or key.name,
        bracket=(low, high),
        pin=pin,
        probes=ENDS_PROBES + SAMPLES + search.probes,
    )


@dataclass
class _Search:
    """Bisects the keys of one table for instants, and counts its index probes."""

    session: Session
    statements: Statements
    column: Column
    ladder: Ladder
    probes: int = 0

    async def first_since(
        self, moment: int, between: tuple[int, int] | None = None, steps: int = BISECT_STEPS
    ) -> tuple[int, int]:
        """Two keys between which the first row at or after `moment` (ns UTC) lies."""
        span = span_of(moment, moment)
        low, high = between or _rung(self.ladder, span.start)
        search = self.statements.first_id_since(self.column, steps)
        bound, _ = self.statements.bounds(self.column, span)
        (row,) = await self.session.read(search, (low, high, bound))
        self.probes += _whole(row[2])
        return _whole(row[0]), _whole(row[1])


Ladder: TypeAlias = Sequence[tuple[int, int]]
"""(id, µs since the epoch) of the sampled rows, by id."""


def _ladder(rows: Sequence[Row]) -> Ladder:
    return sorted(
        {(cell, stamp) for cell, stamp in rows if isinstance(cell, int) and isinstance(stamp, int)}
    )


def _out_of_order(ladder: Ladder) -> int | None:
    """The first sampled id whose stamp is earlier than that of a smaller id, beyond the margin."""
    latest = ladder[0][1]
    for key, stamp in ladder:
        if stamp < latest - MARGIN_NS // 1_000:
            return key
        latest = max(latest, stamp)
    return None


def _rung(ladder: Ladder, microseconds: int) -> tuple[int, int]:
    """The two ids between which the first row since an instant must be."""
    early = [key for key, stamp in ladder if stamp < microseconds]
    late = [key for key, stamp in ladder if stamp >= microseconds]
    return (max(early) + 1 if early else ladder[0][0]), (min(late) if late else ladder[-1][0] + 1)


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
