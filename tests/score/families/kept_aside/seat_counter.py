"""A pot of places is counted down by requests that read it, think, and write a number back. In the
rush two of them read the same number; the later one writes as if the other had never been.

A person sees it by:
- two audited versions of one pot that both start from the same number, the second after the first;
- the lines of both requests: each read that number before either had saved;
- what later versions and the row itself hold: the places of the first request are not missing.
"""

from __future__ import annotations

from itertools import pairwise

from tests.score.families.acts import fault
from tests.score.families.watched import audited, row_names
from tests.score.held import narrowed, of_these
from tests.score.sixth_company.acts import answered, asked, both_names, close, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind

TABLE = "tariff_pots"
PATH = "/pots/reserve"


def prepare(world: World) -> None:
    settle(world, fronts=(2, 5))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    pots = rng.sample(range(11, 400), rng.randint(4, 9))
    hit = pots[: rng.randint(1, max(1, len(pots) // 2))]
    struck: list[Entity] = []
    ended = start
    for place, pot in enumerate(pots):
        pk, left, version = str(pot), rng.randint(60, 240), rng.randint(3, 40)
        at = rng.uniform(60, 300)
        while at < start - 40:
            left, version = _alone(here, at, pk, left, version)
            at += rng.uniform(60, 260)
        if pot in hit:
            at = start + place * rng.uniform(0, 40)
            requests, left, version = _together(here, at, pk, left, version)
            struck.append(row_names(TABLE, pk).union(*map(both_names, requests)))
            ended = max(ended, at + 3)
        at = start + 90 + rng.uniform(0, 200)
        left, version = _alone(here, at, pk, left, version)
        here.row(at + 0.2, TABLE, pk, kind=Kind.ROW_UPDATED, columns={"remaining": left})
    close(here)
    effect = all(_forgotten(here, str(pot)) for pot in hit)
    truth = fault(here, "lost-update", ended, struck, effect=effect)
    return narrowed(truth, of_these(truth, "overlapping-runs"))


def _step(
    here: Shift, read: float, saved: float, pk: str, left: int, version: int
) -> tuple[str, int]:
    """One request that reads `left` and writes what it makes of it: its id and the number."""
    front, wants = here.company.front, here.rng.randint(1, 6)
    rid, host = asked(here, read - 0.01, front, PATH)
    named = f"tariff_pot_id={pk} request_id={rid}"
    here.line(read, front, f"pot read: remaining={left} wanted={wants} {named}", host=host)
    here.line(saved, front, f"pot saved: remaining={left - wants} {named}", host=host)
    user = str(here.rng.randint(1_000, 9_000))
    changed = {"remaining": (left, left - wants)}
    audited(here, saved - 0.002, TABLE, pk, changed, user, host=host, version=version)
    answered(here, saved + 0.01, front, PATH, rid, host, saved - read + 0.02)
    return rid, left - wants


def _alone(here: Shift, at: float, pk: str, left: int, version: int) -> tuple[int, int]:
    _, left = _step(here, at, at + here.rng.uniform(0.02, 0.2), pk, left, version)
    return left, version + 1


def _together(
    here: Shift, at: float, pk: str, left: int, version: int
) -> tuple[tuple[str, str], int, int]:
    """Two requests that both read `left`; the second to save wins."""
    apart, thinks = here.rng.uniform(0.03, 0.4), here.rng.uniform(0.5, 1.4)
    one, _ = _step(here, at, at + thinks, pk, left, version)
    later = at + thinks + here.rng.uniform(0.03, 0.6)
    two, remains = _step(here, at + apart, later, pk, left, version + 1)
    return (one, two), remains, version + 2


def _forgotten(here: Shift, pk: str) -> bool:
    """Whether two versions start from one number that both requests had read."""
    versions = [e for e in told(here, f"{TABLE}/{pk} updated") if e.kind is Kind.ROW_VERSION]
    starts = [event.body.partition("remaining ")[2].partition(" →")[0] for event in versions]
    twice = [before for before, after in pairwise(starts) if before == after]
    reads = [told(here, f"pot read: remaining={left} ", f"tariff_pot_id={pk} ") for left in twice]
    return len(twice) == 1 and len(reads[0]) == 2
