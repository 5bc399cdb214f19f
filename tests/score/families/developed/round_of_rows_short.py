"""Every few minutes a round writes one row for each station; the last round ends half way.

No queue and no log takes part: the collector writes into the database and nothing else.
A person sees it by: complete rounds of the same stations at the same distance before; one round
that writes rows for some of them; no row for the others although the next minutes are seen.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    rng = world.rng
    noun, table = rng.choice(
        (("station", "readings"), ("sensor", "samples"), ("merchant", "balances"))
    )
    first, count = rng.randint(1_000, 9_000), rng.randint(60, 240)
    stations = [str(first + n * rng.randint(1, 3)) for n in range(count)]
    stations = list(dict.fromkeys(stations))
    every, pace = rng.uniform(240, 300), rng.uniform(0.2, 0.6)
    shape = rng.choice(("prefix", "cap", "scattered", "shard"))
    reached = {
        "prefix": len(stations) * rng.randint(30, 80) // 100,
        "cap": 50,
    }.get(shape, 0)
    begin = world.onset_s - pace * len(stations) * 0.4
    rounds = [begin - every * n for n in range(1, 6) if begin - every * n > 5]
    number, missing, last = rng.randint(50_000, 60_000), [], begin
    for start in (*reversed(rounds), begin):
        at = start
        for place, station in enumerate(stations):
            at += pace * rng.uniform(0.7, 1.3)
            number += rng.randint(1, 2)
            short = start == begin and (
                place >= reached
                if shape in ("prefix", "cap")
                else place % 3 == 1
                if shape == "shard"
                else rng.random() < 0.12
            )
            if short:
                missing.append(frozenset((f"{noun}:{station}",)))
            else:
                columns = {f"{noun}_id": int(station), "value": rng.randint(1, 999)}
                world.row(at, table, str(number), columns=columns)
                last = at if start == begin else last
    return fault(
        world,
        "partial-batch",
        world.end_s,
        missing,
        onset_s=min(begin, world.onset_s),
        also=("rate-change", "missed-run"),
        effect=0 < len(missing) < len(stations) and len(rounds) >= 2 and last > begin,
    )
