"""One worker's clock runs seconds behind since its machine woke up: it answers before it is asked.

Everything that this host stamps from then on is displaced; nothing else is wrong.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    settle(world, ("oban", "rabbitmq", "sqs", "bullmq"), workers=(2, 4))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    host = here.rng.choice(here.firm.worker.hosts)
    off = int(here.rng.uniform(1.6, 9.0) * SECOND_NS) // 1_000_000 * 1_000_000
    since = here.at(here.onset_s)
    told = here.told
    here.told = [
        (replace(event, timestamp=event.timestamp - off), by)
        if by == host and event.timestamp >= since and event.lane is not Lane.METRIC
        else (event, by)
        for event, by in told
    ]
    if here.brand.name == "oban":
        for attempt in (a for job in here.jobs for a in job.attempts):
            if attempt.host == host and attempt.started >= since:
                attempt.started -= off
                attempt.ended = None if attempt.ended is None else attempt.ended - off
    early = _begun_before_pushed(here, host)
    here.close_the_books()
    return fault(here, "clock-skew", here.end_s, effect=early >= 3)


def _begun_before_pushed(here: Night, host: str) -> int:
    """Jobs that `host` says to have begun before anybody pushed them."""
    pushed = {job.id: job.pushed[0] for job in here.jobs}
    since = here.at(here.onset_s - 10)
    lines = [e for e, by in here.told if by == host and e.timestamp >= since]
    return sum(
        any(job in event.body and event.timestamp < sent for event in lines)
        for job, sent in pushed.items()
        if sent >= since
    )
