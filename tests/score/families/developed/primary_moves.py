"""The primary is lost and a standby promoted: connections break, then writes meet a server that
is still read-only, then all is well. Ten seconds to a minute, every service.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import failed_request, unhappen
from tests.score.second_company.elsewhere import night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm = here.rng, here.firm
    broken, frozen = rng.uniform(1.0, 6.0), rng.uniform(6.0, 50.0)
    promoted = here.onset_s + broken + frozen
    unhappen(here, here.onset_s, promoted)
    here.database_line(here.onset_s, 1, "administrator", 21)
    hit, writes = list[Entity](), list[str]()
    for service in (firm.front, *firm.backs):
        for _ in range(rng.randint(1, 4)):
            at = here.onset_s + rng.uniform(0.01, broken)
            hit.append(failed_request(here, at, service, here.error(service, "db_closed")))
        for _ in range(rng.randint(1, 5)):
            at = here.onset_s + broken + rng.uniform(0.0, frozen)
            verb = rng.choice(("INSERT", "UPDATE", "SELECT FOR UPDATE"))
            words = here.database_says("read_only", verb=verb)
            here.database_log(at, rng.randint(300, 900), words, 17)
            error = here.error(service, "sql", message=words)
            writes.append(words)
            hit.append(failed_request(here, at + 0.002, service, error))
    here.database_line(promoted - 2, 1, "promoted", 9)
    here.database_line(promoted, 1, "ready", 9)
    said = here.told_text(here.onset_s, promoted)
    frozen_lines = sum(any(words in body for words in set(writes)) for body in said)
    return fault(
        here,
        "failover",
        promoted,
        hit,
        also=("network-hiccup",),
        effect=frozen_lines >= len(writes) >= 3,
    )
