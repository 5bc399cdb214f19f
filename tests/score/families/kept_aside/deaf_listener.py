"""One front host no longer hears of what it has written, so nobody is asked to follow it up.

Follow-ups are pushed by whoever listens for committed rows, in the same process. On one host the
listening connection has gone and nothing opens it again; customers get their 201 as ever.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.healthy import write
from tests.score.seventh_company.acts import followed, in_tongue, opened, spread, unpushed
from tests.score.seventh_company.utility import Shift, move_in, without_pause
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_WARN
from timeline.knowledge import Contract, Work
from timeline.window import SECOND_NS

WITHIN_S = 180
LEAST = 6
LAST_WORDS = {
    "nest": "[OutboxListener] client ended: Error: Connection terminated unexpectedly",
    "slog": '{{"level":"WARN","msg":"outbox: listen stopped","err":"conn closed"}}',
    "loguru": "app.outbox:listen:88 - listener task finished: connection is closed",
}


def prepare(world: World) -> None:
    move_in(world, fronts=(2, 4))
    without_pause(world)


def inject(world: World) -> Truth:
    here = opened(world)
    firm, begin = here.utility, here.onset_s
    promise = Contract(
        f"a {firm.thing} is followed up",
        firm.table,
        Work(table=firm.effects),
        within=WITHIN_S * SECOND_NS,
    )
    known = here.knowledge
    here.knowledge = replace(known, contracts=(*known.contracts, promise))
    host = here.rng.choice(firm.front.hosts)
    heard_again = min(begin + here.rng.uniform(280, 600), here.end_s)
    _enough(here, host, begin, begin + 200)
    forgotten = _by(here, host, begin, heard_again)
    unpushed(here, forgotten)
    if here.rng.random() < 0.6:
        here.line(begin, firm.front, in_tongue(firm.front, LAST_WORDS), SEVERITY_WARN, host)
    return fault(
        here,
        "orphaned-record",
        here.end_s,
        forgotten,
        effect=len(forgotten) >= LEAST and followed(here, forgotten) == 0,
    )


def _by(here: Shift, host: str, begin: float, end: float) -> list[Thing]:
    low, high = here.at(begin), here.at(end)
    return [
        thing
        for thing in here.things
        if thing.job is not None
        and thing.job.host == host
        and low <= thing.job.pushed[0] - SECOND_NS // 10 < high
    ]


def _enough(here: Shift, host: str, begin: float, end: float) -> None:
    """On a very quiet night a few more people write something."""
    for at in spread(here, begin + 1, end, 60):
        if len(_by(here, host, begin, end)) >= LEAST:
            return
        write(here, at)
