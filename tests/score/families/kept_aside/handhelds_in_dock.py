"""The field staff's devices come back into reach and send what they hold, some of it twice.

The upload is cut off after the server has dealt with it and before the device has its answer; the
second one finds the row, leaves it as it is, and pushes its follow-up all the same.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import starts, work, write
from tests.score.seventh_company.acts import followed, opened, pushed_again, spread, with_columns
from tests.score.seventh_company.utility import Shift, move_in, request_names, without_pause
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    move_in(world)
    without_pause(world)


def inject(world: World) -> Truth:
    here = opened(world)
    channels = ("portal", "app", "letter", "counter")
    with_columns(here, here.utility.table, lambda: {"channel": here.rng.choice(channels)})
    begin = here.onset_s
    end = begin + here.rng.uniform(50, 170)
    count, spoken = here.rng.randint(7, 15), here.rng.random() < 0.5
    hit = []
    for at in (begin, *spread(here, begin + 1, end, count - 1)):
        thing = write(here, at, columns={"channel": "handheld"})
        _sent_again(here, thing, at + here.rng.uniform(0.4, 4.5), spoken=spoken)
        hit.append(thing)
    for at in spread(here, begin, end, count * 2):
        write(here, at, columns={"channel": "handheld"})
    twice = [t for t in hit if sum(job.args.endswith(f"={t.id}") for job in here.jobs) == 2]
    return fault(
        here,
        "duplicate-enqueue",
        end + 10,
        hit,
        also=("duplicate-create",),
        effect=len(twice) == count and followed(here, hit) == count,
    )


def _sent_again(here: Shift, thing: Thing, seconds: float, *, spoken: bool) -> None:
    """The same upload under a request of its own; `spoken` says whether the push is logged."""
    firm = here.utility
    rid = here.request_id()
    told: dict[str, object] = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = here.say(seconds, firm.front, "begin", told)
    job = pushed_again(here, thing, seconds + 0.02, host)
    if spoken:
        values = {"job": firm.job_class, "jid": job.id, "id": thing.id, "rid": rid}
        here.say(seconds + 0.024, firm.front, "pushed", values, host=host)
    here.say(seconds + 0.05, firm.front, "end", {**told, "status": 200, "ms": 50}, host=host)
    work(here, job, thing.id, starts(here, seconds + 0.02))
    thing.keys |= request_names(rid)
