"""A release breaks one path of one service: its new error begins within a minute of it.

It is rolled back in some nights, and the error ends with that. A second release, of another
service at about the same time, is innocent.
"""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.second_company.acts import failed_request
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm = here.rng, here.firm
    guilty, innocent = rng.sample((firm.front, *firm.backs), 2)
    commit = _released(here, here.onset_s - rng.uniform(5, 50), guilty.name)
    if rng.random() < 0.7:
        _released(here, here.onset_s - rng.uniform(200, 700), innocent.name)
    ended = here.end_s
    if rng.random() < 0.5:
        ended = here.onset_s + rng.uniform(150, 290)
        words = f"rolled {guilty.name} back to the release before"
        here.change(ended, words, guilty.name, who="on-call", status="success")
    field, path = rng.choice(("tenant_plan", "shipping_zone", "vat_class")), f"/{firm.table}/quote"
    error, at = here.error(guilty, "null", field=field), here.onset_s
    hit = list[Entity]()
    while at < ended - 1:
        hit.append(failed_request(here, at, guilty, error, path=path))
        at += rng.uniform(1.0, 12.0)
    before = lines(here, error, 0, here.onset_s - 1)
    after = lines(here, error, here.onset_s - 1)
    return fault(
        here,
        "change-before",
        min(ended, here.end_s),
        (frozenset((f"commit:{commit}",)), *hit),
        onset_s=here.onset_s - 50,
        effect=before == 0 and after >= len(hit) >= 8,
    )


def _released(here: Night, at: float, service: str) -> str:
    """A release in the record: the twelve digits of its commit."""
    version = f"{here.rng.getrandbits(160):040x}"
    words = f"released {service} {version[:12]}"
    here.change(at, words, service, version=version, who="pipeline", status="success")
    return version[:12]
