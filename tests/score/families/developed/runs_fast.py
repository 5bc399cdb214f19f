"""A virtual machine's time source is unstable: its clock gains some milliseconds every second.

Nobody corrects it. At first nothing shows; after some minutes its lines stand seconds after what
they answer to. The fleet's exporter compares every clock with a time server twice a minute.

A person sees it by: the kernel's line about the time source, on that machine alone; the curve of
its offset, which climbs in a straight line while all others stay at nought; requests that this
machine, by its own lines, begins to serve after the front has answered them, by more and more.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.clockwork import gaining, misdate
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World

EVERY_S = 30.0


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    rng, since = here.rng, here.onset_s
    neighbours(here)
    service = rng.choice((*here.firm.backs, here.firm.front))
    wrong, rate = rng.choice(service.hosts), rng.uniform(0.004, 0.015)
    for at in _asked(here, 5):
        told = {"method": "GET", "path": f"/{here.firm.table}/recent", "rid": here.request_id()}
        host = here.say(at, here.firm.front, "begin", told)
        if service is not here.firm.front:
            there = here.say(at + 0.003, service, "begin", told)
            done = {**told, "status": 200, "ms": 20}
            here.say(at + 0.023, service, "end", done, host=there)
        done = {**told, "status": 200, "ms": 31}
        here.say(at + 0.031, here.firm.front, "end", done, host=host)
    cpu = rng.randint(0, 7)
    for place, words in enumerate(
        (
            f"clocksource: timekeeping watchdog on CPU{cpu}: Marking clocksource 'tsc' as unstable"
            " because the skew is too large:",
            f"clocksource:                       'hpet' wd_nsec: 5{rng.randint(10, 99)}1211"
            f" wd_now: {rng.getrandbits(32):x} wd_last: {rng.getrandbits(32):x} mask: ffffffff",
            "clocksource: Switched to clocksource hpet",
        )
    ):
        here.log(since + place * 0.0004, "kernel", wrong, words, 12 + (place == 0), source="kern")
    hosts = [host for known in here.firm.services for host in known.hosts]
    for host in hosts:
        ahead = gaining(since, rate if host == wrong else 0.0)
        points = [
            (at, round(ahead(at) + rng.gauss(0, 0.0004), 6))
            for at in (EVERY_S * n for n in range(int(here.end_s // EVERY_S)))
        ]
        labels = {"job": "ntp-exporter", "instance": f"{host}:9975"}
        here.curve("ntp_clock_offset_seconds", labels, points)
    moved = misdate(here, wrong, since, gaining(since, rate))
    here.close_the_books()
    gained = (here.end_s - since) * rate
    return fault(here, "clock-skew", here.end_s, effect=moved >= 15 and gained >= 1.5)


def _asked(here: Night, apart: float) -> list[float]:
    """Instants of requests that are made all night, about `apart` seconds from each other."""
    at, found = here.rng.uniform(0, apart), []
    while at < here.end_s - 1:
        found.append(at)
        at += here.rng.expovariate(1 / apart)
    return found
