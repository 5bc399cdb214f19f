"""The store takes lines later and later: when it is asked, what it holds ends minutes before T. It
says so of itself. Rows, the queue and the proxy, which have ways of their own, go on.

A person sees it by: the newest record of the store long before T, for every service at once; the
store's own statement up to when it is complete; requests and rows after that.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import accessed, clock_words, drop_lines, in_one_store, seen_only
from tests.score.truth import Truth
from tests.score.world import World


def prepare(world: World) -> None:
    in_one_store(world)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    behind = world.onset_s
    high = world.at(behind)
    lost = drop_lines(world, lambda e, _: e.source == "central-logs" and e.timestamp >= high)
    newest = max(e.timestamp for e, _ in world.told if e.source == "central-logs")
    last = (newest - world.start) / 1e9
    face = clock_words(newest)[11:19]
    reason = f"complete to {face}, the newest record so far"
    remedy = "Later ones may still be on their way; look again in a minute."
    seen_only(world, "central-logs", last, world.end_s, reason, remedy)
    at, seen = 4.0, 0
    while at < world.end_s - 2:
        path = rng.choice((f"/{firm.table}", "/me", "/search"))
        accessed(world, at, "alb", f"GET {path}", 200, rng.uniform(0.01, 0.2))
        seen += at > behind
        at += rng.uniform(0.8, 6)
    rows = sum(e.timestamp > high and e.source == "database" for e, _ in world.told)
    return fault(
        world,
        "blind-spot",
        world.end_s,
        onset_s=last,
        effect=lost >= 100 and seen >= 30 and rows >= 10,
    )
