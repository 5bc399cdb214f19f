"""Two faults, one behind the other: the broker is lost for seconds, then jobs outrun their rows."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.developed import job_before_commit, network_hiccup
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = SHOWING


def inject(world: World) -> Truth:
    hiccup = network_hiccup.inject(world)
    world.onset_s += 20
    race = job_before_commit.inject(world)
    world.onset_s -= 20
    return replace(
        race,
        entities=(*race.entities, *hiccup.entities),
        onset=hiccup.onset,
        also=race.also | hiccup.also | {hiccup.term},
        effect=race.effect and hiccup.effect,
    )
