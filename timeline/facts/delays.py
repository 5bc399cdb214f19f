"""The least delay between two clocks, direction by direction: what pairs of records say together.

A pair that contradicts all others of its direction is taken for a wrong match and dropped, so a
limit is never tighter than `MIN_IDS` ids say. It blames no clock; `timeline.facts.skew` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import polars as pl

from timeline.clock import MILLISECOND_NS
from timeline.facts.causal_pairs import SPOKEN_FIRST

MIN_SKEW_NS = 50 * MILLISECOND_NS
"""Two clocks on NTP in one site differ by less; a smaller difference changes nobody's mind."""
MIN_IDS = 3
"""So many different ids must say so: one or two may be a retry whose stamps are of two attempts."""
DROPPED_SHARE = 0.02
"""Share of a direction's pairs that may contradict all others and are dropped as wrong matches."""


class Limit(NamedTuple):
    """The tightest believed statement of one direction: `o(receiver) - o(sender) <= most` (ns).

    `ids` pairs were read, `dropped` of them say less than `most` and are not believed;
    `violating` have a stamp of the effect before that of its cause, `early` of them by more than
    `MIN_SKEW_NS`. `place` is that of the pair that sets the limit.
    """

    most: int
    ids: int
    dropped: int
    violating: int
    early: int
    place: int
    spoken: bool
    """Whether the causes that stand after their effects are all log lines, which may be late."""


Limits: TypeAlias = Mapping[tuple[str, str], Limit]
"""By (sender, receiver)."""


def allowed_to_drop(ids: int) -> int:
    """How many of so many pairs of one direction may be wrong matches."""
    return max(MIN_IDS - 1, int(ids * DROPPED_SHARE))


NEIGHBOURS = 3
"""Pairs of the other direction, before and after, that tell what the clocks were at the time."""


def without_strays(pairs: pl.DataFrame) -> pl.DataFrame:
    """`pairs` (by `received`) without those that the pairs of the other direction right before and
    right after them exclude: a clock that is wrong then is wrong for both. They match wrongly."""
    told = pairs.with_row_index("at").with_columns(delay=pl.col("received") - pl.col("sent"))
    early = told.filter(pl.col("delay") < -MIN_SKEW_NS)
    if early.is_empty():
        return pairs
    strays: list[int] = []
    ways = told.partition_by("sender", "receiver", as_dict=True, maintain_order=True)
    for (sender, receiver), part in early.partition_by(
        "sender", "receiver", as_dict=True, maintain_order=True
    ).items():
        back = ways.get((receiver, sender))
        if back is None:
            continue
        delays, stamps = back.get_column("delay"), back.get_column("received")
        places = stamps.search_sorted(part.get_column("received"), "left").to_list()
        for at, delay, place in zip(part["at"], part["delay"], places, strict=True):
            before = delays.slice(max(place - NEIGHBOURS, 0), min(place, NEIGHBOURS)).to_list()
            after = delays.slice(place, NEIGHBOURS).to_list()
            # The receipts are stamped by two clocks: a pair may be its own neighbour's neighbour.
            if all(len(side) == NEIGHBOURS and _excluded(delay, side) for side in (before, after)):
                strays.append(at)
    return told.filter(~pl.col("at").is_in(strays)).select(pairs.columns)


def _excluded(delay: int, others: list[int]) -> bool:
    """Whether most of `others` allow no offset that `delay` asks for."""
    return 2 * sum(other + delay < -MIN_SKEW_NS for other in others) > len(others)


def limits_of(pairs: pl.DataFrame) -> dict[tuple[str, str], Limit]:
    """The limit of every (sender, receiver) for which enough ids speak."""
    told = pairs.with_row_index("place").with_columns(delay=pl.col("received") - pl.col("sent"))
    ranked = told.sort("delay", "place").unique(
        ["sender", "receiver", "id"], keep="first", maintain_order=True
    )
    found: dict[tuple[str, str], Limit] = {}
    groups = ranked.partition_by("sender", "receiver", as_dict=True, maintain_order=True)
    for (sender, receiver), group in sorted(groups.items()):
        allowed = allowed_to_drop(group.height)
        if group.height <= allowed:
            continue
        delays = group.get_column("delay")
        most = int(delays[allowed])
        turned = group.filter(delays < 0) if delays[0] is None or delays[0] < 0 else group.clear()
        found[str(sender), str(receiver)] = Limit(
            most,
            group.height,
            int((delays < most - MIN_SKEW_NS).sum()),
            turned.height,
            int((turned.get_column("delay") < -MIN_SKEW_NS).sum()) if turned.height else 0,
            int(group.get_column("place")[allowed]),
            not turned.height or bool(turned.get_column("how").is_in(SPOKEN_FIRST).all()),
        )
    return found


CONSTANT_IDS = 2 * MIN_IDS
"""Fewer ids of one direction agree with a constant by chance, as the worst of them are dropped."""
CUTS = 60
"""Places at which a clock is tried to have been set; the answer is as fine as the pairs lie."""


def set_between(pairs: pl.DataFrame, one: str, other: str) -> tuple[int, int] | None:
    """Between which receipts (ns) the offset of two clocks changed; None if no one change fits.

    Before and after it, constant offsets must agree with both directions, and differ.
    """
    both = pl.col("sender").is_in([one, other]) & pl.col("receiver").is_in([one, other])
    told = pairs.filter(both).sort("received", "sent", "id")
    best: tuple[int, int, int] | None = None
    for place in range(MIN_IDS, told.height, max(1, told.height // CUTS)):
        early, late = limits_of(told.head(place)), limits_of(told.slice(place))
        if not (_constant(early, one, other) and _constant(late, one, other)):
            continue
        middle = [_middle(limits, one, other) for limits in (early, late)]
        change = abs(middle[1] - middle[0])
        if change > MIN_SKEW_NS:
            around = (int(told["received"][place - 1]), int(told["received"][place]))
            best = max(filter(None, (best, (change, *around))))
    return best[1:] if best else None


def _constant(limits: Limits, one: str, other: str) -> bool:
    there, back = limits.get((one, other)), limits.get((other, one))
    if there is None or back is None or min(there.ids, back.ids) < CONSTANT_IDS:
        return False
    return there.most + back.most >= 0


def _middle(limits: Limits, one: str, other: str) -> int:
    return (limits[one, other].most - limits[other, one].most) // 2
