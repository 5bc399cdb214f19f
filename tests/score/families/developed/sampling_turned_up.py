"""Somebody lets a collector keep one line in fifty of one service. Errors still pass. The service
works as before.

A person sees it by: that service's lines fall to a few per cent within a minute; the rows it writes
and the jobs it pushes go on at their pace; the change of the collector is on record.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import drop_lines, said_by
from tests.score.truth import Truth
from tests.score.world import World

CHANGES = (
    "otel-collector: probabilistic_sampler/logs sampling_percentage 100 -> 2",
    "vector: sample transform rate=50 added to pipeline app-logs",
    "fluent-bit: throttle filter Rate 5 Window 10 rolled out",
    "logging budget: INFO of {service} sampled 1:50",
)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    service, share = firm.front, rng.choice((0.01, 0.02, 0.04))
    ended = world.end_s if rng.random() < 0.7 else world.onset_s + rng.uniform(240, 500)
    before = said_by(world, service, world.onset_s - 240, world.onset_s)
    if rng.random() < 0.6:
        words = rng.choice(CHANGES).format(service=service.name)
        world.change(world.onset_s - 6, words, who="observability", status="success")
    low, high = world.at(world.onset_s), world.at(ended)
    drop_lines(
        world,
        lambda event, _: (
            event.actor == service.name
            and low <= event.timestamp < high
            and event.severity_number < 17
            and rng.random() >= share
        ),
    )
    after = said_by(world, service, world.onset_s, world.onset_s + 240)
    rows = sum(low <= e.timestamp < high and e.actor == firm.table for e, _ in world.told)
    return fault(
        world,
        "blind-spot",
        min(ended, world.end_s),
        also=("change-before",),
        effect=before >= 40 and after < before * 0.12 and rows >= 10,
    )
