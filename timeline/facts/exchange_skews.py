"""Clocks that are wrong, by calls that lie outside whoever made them: always by the same amount.

A queue or a slow network gives a spread of delays, a buffer changes the lengths, and work that
nobody waits for is late on every host that does it. A wrong clock moves each call of one host by
one constant, in both roles, while its siblings, or the host itself before, lie where they should.
So a stretch is looked for in which one offset explains all calls of a clock and nought explains
none, beside enough calls of the same two services that nought does explain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.delays import MIN_IDS, MIN_SKEW_NS
from timeline.facts.exchanges import exchanges, of_one_direction

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_CLOCKS = 4
"""Clocks that are found wrong in one window; more of them are a habit of the services."""
CANDIDATES = 6
"""Clocks with the most displaced calls that are looked at."""
STRAYS = 0.05
"""Share of a stretch's calls, and of the control's, that may say otherwise: wrong matches."""
STRETCH_SHARE = 0.6
"""Share of the calls in the stretch that nought cannot explain: long calls hide a short offset."""
ALIKE = 0.5
"""Share of a clock's usual displacement from which on a call is displaced like the others: smaller
differences are those that all clocks of a site have among themselves."""
TOLERANCE = 0.2
"""Of that share: how far offsets against several peers may differ and still be one."""
MIN_CONTROL = 4
"""Calls of the same two services that lie as they should, below which nothing is compared."""


@dataclass(frozen=True, slots=True)
class ExchangeSkew:
    """One clock that runs ahead of its peers by `low` to `high` ns (behind, where negative).

    `began` and `ended` are the first and the last displaced call, `agreed_until` the last call
    before that lay as it should, or None: ns, on the clocks of the others. `displaced` calls
    contradict nought, of `calls` in the stretch; `control` calls of the same services do not.
    `siblings` of them are of other hosts in the same role. `doubted` is the other clock, where it
    may as well be the wrong one. `rows` are event rows of calls in their order: caller first,
    callee's first and last, caller's last.
    """

    clock: str
    peers: tuple[str, ...]
    low: int
    high: int
    began: int
    ended: int
    agreed_until: int | None
    displaced: int
    calls: int
    control: int
    siblings: int
    doubted: str
    rows: tuple[tuple[int, int, int, int], ...]

    @property
    def least(self) -> int:
        """The smallest difference that agrees with the calls, ns; positive when it runs ahead."""
        return self.low if self.low > 0 else self.high


def exchange_skews(incident: Incident) -> list[ExchangeSkew]:
    """Every clock that displaced calls blame, the one with the most of them first."""
    told = exchanges(incident)
    told = told.with_columns(outside=pl.max_horizontal("low", -pl.col("high")))
    odd = pl.col("outside") > MIN_SKEW_NS
    if told.filter(odd).height < MIN_IDS:
        return []
    told = of_one_direction(told)
    found: list[ExchangeSkew] = []
    while len(found) < MOST_CLOCKS and told.filter(odd).height >= MIN_IDS:
        judged = ((clock, _judged(incident, told, clock)) for clock in _candidates(told))
        wrong, one = next(((c, skew) for c, skew in judged if skew is not None), (0, None))
        if one is None:
            return found
        found.append(one)
        told = told.filter(_without(wrong))
    return found


def _without(clock: int) -> pl.Expr:
    return (pl.col("caller_clock") != clock) & (pl.col("callee_clock") != clock)


def _candidates(told: pl.DataFrame) -> list[int]:
    odd = told.filter(pl.col("outside") > MIN_SKEW_NS)
    names = pl.concat([odd.get_column("caller_clock"), odd.get_column("callee_clock")])
    counts = names.rename("clock").value_counts(name="n").filter(pl.col("n") >= MIN_IDS)
    ranked = counts.sort(["n", "clock"], descending=[True, False])
    return ranked.get_column("clock").head(CANDIDATES).to_list()


def _judged(incident: Incident, told: pl.DataFrame, clock: int) -> ExchangeSkew | None:
    """What the calls of `clock` say of it; None where no one offset explains a stretch of them."""
    called = pl.col("callee_clock") == clock
    mine = told.filter(called | (pl.col("caller_clock") == clock)).with_columns(
        peer=pl.when(called).then("caller_clock").otherwise("callee_clock"),
        peer_row=pl.when(called).then("first_row").otherwise("callee_first_row"),
        own_row=pl.when(called).then("callee_first_row").otherwise("first_row"),
        least=pl.when(called).then("low").otherwise(-pl.col("high")),
        most=pl.when(called).then("high").otherwise(-pl.col("low")),
        # The instant on the others' clocks, so that a jump does not shuffle the calls.
        at=pl.when(called).then("asked").otherwise(pl.col("asked") + pl.col("high")),
    )
    scale = mine.filter(pl.col("outside") > MIN_SKEW_NS).get_column("outside").median()
    least = max(MIN_SKEW_NS, int(scale * ALIKE) if isinstance(scale, float) else 0)
    mine = mine.with_columns(displaced=pl.col("outside") > least).sort("at", "id")
    odd = mine.get_column("displaced").arg_true()
    if odd.len() < MIN_IDS:
        return None
    within = mine.slice(int(odd[0]), int(odd[-1]) - int(odd[0]) + 1)
    bounds = _one_offset(within, least)
    if bounds is None or odd.len() < STRETCH_SHARE * within.height:
        return None
    rest = pl.concat([mine.head(int(odd[0])), mine.slice(int(odd[-1]) + 1)])
    siblings = _siblings(told, within, clock)
    if siblings.filter(pl.col("outside") > least).height > STRAYS * siblings.height:
        return None  # whoever does this work is late with it
    rest = rest.join(_services(within), on=["caller", "callee"], how="semi")
    control = siblings.height + rest.height
    if control < MIN_CONTROL:
        return None
    peers = within.unique("peer", keep="first", maintain_order=True)
    doubted = _doubted(told, clock, peers.get_column("peer").to_list())
    names = _clock_names(incident, peers.get_column("peer_row"))
    before = mine.get_column("at").head(int(odd[0]))
    shown = within.filter("displaced").head(2)
    rows = ("first_row", "callee_first_row", "callee_last_row", "last_row")
    return ExchangeSkew(
        clock=_clock_names(incident, within.get_column("own_row").head(1))[0],
        peers=names,
        low=bounds[0],
        high=bounds[1],
        began=int(within["at"][0]),
        ended=int(within["at"][-1]),
        agreed_until=int(before[-1]) if before.len() else None,
        displaced=odd.len(),
        calls=within.height,
        control=control,
        siblings=siblings.height,
        doubted=names[0] if doubted else "",
        rows=tuple(shown.select(rows).iter_rows()),
    )


def _one_offset(within: pl.DataFrame, least: int) -> tuple[int, int] | None:
    """The offsets (ns) that all calls but a few strays agree with; None if none, or if less than
    `least` is one of them. Peers may differ a little among themselves."""
    allowed = int(STRAYS * within.height)
    low = int(within.get_column("least").sort(descending=True)[allowed])
    high = int(within.get_column("most").sort()[allowed])
    if low - high > max(MIN_SKEW_NS, least * TOLERANCE) or (low <= least and high >= -least):
        return None
    return min(low, high), max(low, high)


def _services(within: pl.DataFrame) -> pl.DataFrame:
    return within.filter("displaced").select("caller", "callee").unique()


def _siblings(told: pl.DataFrame, within: pl.DataFrame, clock: int) -> pl.DataFrame:
    """Calls between the same two services in which `clock` had no part."""
    same = told.join(_services(within), on=["caller", "callee"], how="semi")
    return same.filter(_without(clock))


def _doubted(told: pl.DataFrame, clock: int, peers: list[int]) -> bool:
    """Whether the only peer of `clock` may as well be wrong: nobody else shows it to be right."""
    if len(peers) > 1:
        return False
    return told.filter(~_without(peers[0]) & _without(clock)).height < MIN_IDS


def _clock_names(incident: Incident, rows: pl.Series) -> tuple[str, ...]:
    """The clocks of event rows; one without a name is that of its source."""
    events = incident.snapshot.events_at(rows.to_list())
    return tuple(event.clock or event.source for event in events)
