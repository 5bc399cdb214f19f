"""A disk fills up: the database's, or the scratch disk of one service that renders files."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import failed_request, unhappen
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
    of_database = rng.random() < 0.5
    where = firm.database if of_database else rng.choice(firm.backs).hosts[0]
    by = rng.choice((firm.front, *firm.backs))
    one = next((s for s in firm.backs if where in s.hosts), by)
    ended = min(here.onset_s + rng.uniform(120, 500), here.end_s - 5)
    if of_database:
        unhappen(here, here.onset_s, ended)
    at, hit = here.onset_s, list[Entity]()
    while at < ended:
        if of_database:
            words = here.database_says("disk")
            here.database_log(at, rng.randint(4_000, 9_000), words, 17)
            speaker = rng.choice((firm.front, *firm.backs))
            error = here.error(speaker, "sql", message=words.partition("␊")[0])
        else:
            speaker, error = one, here.error(one, "full")
        hit.append(failed_request(here, at + 0.01, speaker, error))
        at += rng.uniform(0.8, 9.0)
    if rng.random() < 0.7:
        _gauge(here, where, ended)
    mark = here.database_says("disk")[:30] if of_database else here.error(one, "full")[:24]
    said = sum(mark in body for body in here.told_text(here.onset_s, here.end_s))
    return fault(here, "full", ended, hit, effect=said >= len(hit) >= 8)


def _gauge(here: Night, where: str, ended: float) -> None:
    """Share of the disk that is in use, rising to one and then falling when somebody tidied up."""
    points = []
    for tick in range(int(here.end_s // 30)):
        at = tick * 30.0
        used = min(1.0, 0.71 + 0.29 * at / here.onset_s)
        points.append((at, used if at < ended else 0.55))
    here.curve("disk_used_ratio", {"instance": where, "mountpoint": "/var/lib"}, points)
