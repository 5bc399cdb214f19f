"""One of several nodes keeps answering with the version it had cached before.

Every node has a cache of entities in its own memory; an invalidation is sent to all on each write.
One node no longer receives them. The gateway sends requests round robin, so a customer who has
just saved something sees the old one in every third or fourth answer.

A person sees it by: the gateway's access log, which shows the entity tag of every answer: a PUT
answered with a higher number, and a GET of the same resource after it with a lower one; all those
GETs went to one upstream; before a certain minute no answer of any upstream was older.
"""

from __future__ import annotations

import json

from tests.score.families.acts import fault
from tests.score.families.shopfloor import access_line, thing_keys
from tests.score.truth import Entity, Truth
from tests.score.world import World

GATEWAY = "kong"


def inject(world: World) -> Truth:
    rng = world.rng
    nodes = [f"10.42.{rng.randint(1, 9)}.{20 + n}:8080" for n in range(rng.randint(3, 5))]
    deaf = rng.choice(nodes)
    things = {thing.id: rng.randint(1, 9) for thing in world.things[: rng.randint(25, 60)]}
    if len(things) < 10:
        things |= {world.new_id(): rng.randint(1, 9) for _ in range(20)}
    names = list(things)
    held: dict[str, int] = {}
    hit: dict[str, Entity] = {}
    begun, last = 0.0, world.onset_s
    at = 8.0
    while at < world.end_s - 5:
        at += rng.expovariate(0.35)
        thing = rng.choice(names)
        if rng.random() < 0.3:
            held.setdefault(thing, things[thing])
            if at < world.onset_s:
                held.pop(thing)
            things[thing] += 1
            _answer(world, at, "PUT", thing, things[thing], rng.choice(nodes))
            at += rng.uniform(0.4, 3)
        for _ in range(rng.randint(1, 3)):
            node = rng.choice(nodes)
            shown = held.get(thing, things[thing]) if node == deaf else things[thing]
            rid = _answer(world, at, "GET", thing, shown, node)
            if shown < things[thing]:
                begun, last = begun or at, at
                keys = hit.get(thing, thing_keys(world, thing))
                hit[thing] = keys | {f"request:{rid}"}
            at += rng.uniform(0.2, 2)
    return fault(
        world,
        "stale-read",
        last,
        list(hit.values()),
        effect=len(hit) >= 3 and _answered_older(world) >= len(hit) and begun < world.end_s,
        onset_s=begun,
    )


def _answer(world: World, at: float, method: str, thing: str, version: int, node: str) -> str:
    rid = world.request_id()
    fields = {
        "etag": f'W/"{version}"',
        "upstream_host": node,
        "request_id": rid,
        "route": f"{world.company.table}-v1",
    }
    path = f"/api/v1/{world.company.table}/{thing}"
    ms = world.rng.uniform(4, 90)
    access_line(world, at, GATEWAY, f"{GATEWAY}-1", method, path, 200, ms, fields)
    return rid


def _answered_older(world: World) -> int:
    """How many answers were older than one that had been given before."""
    newest: dict[str, int] = {}
    older = 0
    told = [(e.timestamp, e.body) for e, _ in world.told if e.actor == GATEWAY]
    for _, body in sorted(told):
        answer = json.loads(body)
        number = int(answer["etag"].strip('W/"'))
        older += number < newest.get(answer["path"], 0)
        newest[answer["path"]] = max(number, newest.get(answer["path"], 0))
    return older
