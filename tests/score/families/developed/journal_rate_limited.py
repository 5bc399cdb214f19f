"""One host's journal drops what is over its rate: the first lines of every half minute pass, the
rest does not. A debug flag left on makes the service far too talkative.

A person sees it by: the journal's own "Suppressed N messages"; lines of that host only in the first
seconds of each interval; other hosts of the service all the time; jobs of that host going on.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import drop_lines
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

INTERVAL_S = 30.0
BRANDS = SHOWING


def inject(world: World) -> Truth:
    rng, worker = world.rng, world.company.worker
    host, open_s = rng.choice(worker.hosts), rng.uniform(1.5, 4)
    begin = world.onset_s
    ended = min(world.end_s, begin + rng.uniform(240, 700))
    at = begin - open_s
    while at < ended:
        for _ in range(rng.randint(25, 60)):
            seconds = at + rng.uniform(0, open_s)
            words = f"DEBUG lease renewed slot={rng.randint(0, 63)} epoch={rng.randint(900, 999)}"
            if begin <= seconds < ended:
                world.log(seconds, worker.name, host, words, 5)
        at += INTERVAL_S
    low, high = world.at(begin), world.at(ended)
    lost = drop_lines(
        world,
        lambda event, by: (
            by == host
            and event.actor == worker.name
            and low <= event.timestamp < high
            and (event.timestamp - world.at(begin - open_s)) / 1e9 % INTERVAL_S > open_s
        ),
    )
    at, told = begin + INTERVAL_S - open_s, 0
    while at < ended:
        words = f"Suppressed {rng.randint(4000, 90_000)} messages from {worker.name}.service"
        world.log(at, "systemd-journald", host, words, 13, source="journal")
        told, at = told + 1, at + INTERVAL_S
    return fault(
        world,
        "blind-spot",
        ended,
        effect=told >= 3 and lost >= 3,
    )
