"""Chains that log lines alone tell: each hop a line that says that a message was put back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN
from timeline.facts.chains import MAX_HOPS, MIN_LINKS, Chain, Fork, Hop, last_of, patience_of
from timeline.facts.entities import entity_pairs
from timeline.facts.spoken import BATON_MARKS, form, spoken_with
from timeline.facts.work import FAIL_LINE, run_keys

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_LINES = 4
"""Lines of one form before they are taken for hops where no id links them."""
MAX_SPREAD = 0.3
"""Median deviation of hop gaps up to which lines without linking ids are one even chain."""
MESSAGE_KEYS = r"^(?:job|\w*message|\w*msg):"


def line_chains(incident: Incident) -> Iterator[Chain]:
    """Lines of one form that say that a message was put back, by whichever consumer had it."""
    lines = spoken_with(incident, BATON_MARKS)
    if lines.is_empty():
        return
    lines = lines.filter(
        (pl.col("severity_number") < SEVERITY_WARN)
        & ~pl.col("body").str.contains(FAIL_LINE)
        & (pl.col("timestamp") >= incident.window.start)
    )
    lines = lines.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
    alike = lines.with_columns(form=form())
    alike = alike.filter(pl.len().over("form").is_between(MIN_LINKS, MAX_HOPS))
    for (_,), part in alike.group_by("form", maintain_order=True):
        chain = _line_chain(incident, part)
        if chain is not None:
            yield chain


def _line_chain(incident: Incident, part: pl.DataFrame) -> Chain | None:
    ids = _ids(incident, part.get_column("row"))
    hops = [
        Hop(
            (ids.get(told["row"]) or ("",))[0],
            None,
            told["timestamp"],
            None,
            "put back",
            told["row"],
            (run_keys(told["body"]) or ("",))[0],
            told["source"],
            told["actor"],
        )
        for told in part.iter_rows(named=True)
    ]
    pairs = [ids.get(hop.row, ()) for hop in hops]
    exact = sum(1 for pair in pairs if len(pair) > 1) * 2 > len(pairs)
    gaps = [two.at - one.at for one, two in pairwise(hops)]
    period = int(median(gaps))
    forks = tuple(_line_forks(hops, pairs)) if any(pairs) else ()
    if not _is_chain(hops, gaps, period, linked=_linked(pairs), forked=bool(forks)):
        return None
    longest = max(gaps) if forks or not exact else period
    about = entity_pairs(incident.snapshot.keys_of(part.get_column("row")))
    about = about.filter(~pl.col("key").str.contains(MESSAGE_KEYS))
    usual = max(period, min(longest, 2 * period))
    last = last_of(incident, hops, patience_of(usual, exact=exact))
    if about.height and not any(hop.run for hop in hops):
        last = None  # it waits for something, and is meant to end
    speaker = re.sub(r"[-_.]?\d+$", "", hops[0].actor) or hops[0].source
    return Chain(f"{speaker} messages", "lines", tuple(hops), period, exact, forks, last)


def _ids(incident: Incident, rows: pl.Series) -> dict[int, tuple[str, ...]]:
    """Message keys of each line in the order of the text: what was taken, then what was pushed."""
    keys = incident.snapshot.keys_of(rows)
    named = keys.filter(pl.col("key").str.contains(MESSAGE_KEYS))
    bodies = incident.snapshot.events.get_column("body").gather(named.get_column("row"))
    found: dict[int, list[tuple[int, str]]] = {}
    for (row, key), body in zip(named.iter_rows(), bodies, strict=True):
        found.setdefault(row, []).append((body.find(key.partition(":")[2]), key))
    return {
        row: tuple(dict.fromkeys(key for _, key in sorted(held))) for row, held in found.items()
    }


def _value(key: str) -> str:
    return key.partition(":")[2]


def _linked(pairs: Sequence[tuple[str, ...]]) -> int:
    """Lines whose taken message is one that an earlier line pushed."""
    pushed: set[str] = set()
    links = 0
    for pair in pairs:
        links += bool(pair) and _value(pair[0]) in pushed
        pushed.update(_value(key) for key in pair[1:])
    return links


def _is_chain(
    hops: Sequence[Hop], gaps: Sequence[int], period: int, *, linked: int, forked: bool
) -> bool:
    """Whether the lines are hops of one baton: linked by ids, or at an even pace."""
    if linked >= MIN_LINKS - 1:
        return True
    if len(hops) < MIN_LINES or not period:
        return False
    spread = median(abs(gap - period) for gap in gaps)
    few = max(2, len(hops) // MIN_LINKS)
    of_one_run = any(
        all(names) and len(set(names)) <= few
        for names in ([hop.run for hop in hops], [hop.id for hop in hops])
    )
    return of_one_run and (forked or spread <= MAX_SPREAD * period)


def _line_forks(hops: Sequence[Hop], pairs: Sequence[tuple[str, ...]]) -> Iterator[Fork]:
    """Messages that were taken and put back more than once, each time as another message."""
    by_taken: dict[str, list[int]] = {}
    for place, pair in enumerate(pairs):
        if len(pair) > 1:
            by_taken.setdefault(_value(pair[0]), []).append(place)
    for places in by_taken.values():
        pushed = {_value(pairs[place][1]) for place in places}
        if len(pushed) > 1:
            following = tuple(
                hop
                for hop, pair in zip(hops, pairs, strict=True)
                if pair and _value(pair[0]) in pushed
            )
            successors = following or tuple(hops[place] for place in places)
            yield Fork(hops[places[0]], successors, len(places))
