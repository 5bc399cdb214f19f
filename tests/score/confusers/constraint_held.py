"""Two requests insert one key; the constraint refuses the second, which finds the first."""

from __future__ import annotations

from tests.score.healthy import write
from tests.score.world import World

TERMS = ("duplicate-create", "ambiguous-enqueue", "swallowed-error")


def disturb(world: World) -> None:
    firm = world.company
    for n in range(3):
        at = world.onset_s + 60 * n
        natural = f"{world.rng.getrandbits(40):x}"
        write(world, at, columns={"external_ref": natural})
        rid = world.request_id()
        told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
        host = world.say(at + 0.1, firm.front, "begin", told)
        message = (
            f'duplicate key value violates unique constraint "{firm.table}_external_ref_key"'
            f" Key (external_ref)=({natural}) already exists."
        )
        words = f"found the existing one: {world.error(firm.front, 'sql', message=message)}"
        world.log(at + 0.12, firm.front.name, host, f"{words} request_id={rid}", 13)
        world.say(at + 0.13, firm.front, "end", {**told, "status": 200, "ms": 30}, host=host)
