"""One host of the front serves as ever and nothing it says arrives.

Its log shipper's buffer is full and it waits for ever. The balancer goes on sending a fair share
of the requests there, and the host's own counter, which is scraped, goes on rising.

A person sees it by: the balancer's lines, which name that host with 200 before and after; its
scraped request rate, unbroken, where rates are scraped; the log store, in which its last line is
the onset's and the others' lines go on.
"""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane


def prepare(world: World) -> None:
    settle(world, fronts=(2, 4), central=True)


def inject(world: World) -> Truth:
    night = watch(world)
    rng, front = night.rng, night.firm.front
    silent = rng.choice(front.hosts)
    for_ever = rng.random() < 0.6
    until = night.end_s if for_ever else min(night.onset_s + rng.uniform(240, 500), night.end_s)
    surroundings(night)
    served = _balancer(night)
    if rng.random() < 0.8:
        _rates(night)
    gone = mute(night, (silent,), night.onset_s, until)
    night.close_the_books()
    through = [at for at, host in served if host == silent and night.onset_s <= at < until]
    spoken = sum(
        event.clock == silent
        and event.lane is Lane.LOG
        and night.at(night.onset_s) <= event.timestamp < night.at(until)
        for event, _ in night.told
    )
    return fault(
        night,
        "blind-spot",
        until,
        effect=gone > 10 and len(through) > 10 and spoken == 0,
    )


def _balancer(night: Watch) -> list[tuple[float, str]]:
    """HAProxy's line for every request that the front ended; where each of them went."""
    front = night.firm.front
    ended = [
        ((event.timestamp - night.start) / 1e9, event.clock)
        for event, _ in night.told
        if event.lane is Lane.LOG and event.actor == front.name and event.severity_number == 9
    ]
    served = ended[::3]
    for at, host in served:
        client = f"198.51.100.{night.rng.randint(2, 250)}:{night.rng.randint(20000, 60000)}"
        ms = night.rng.randint(8, 160)
        night.beside(
            at + 0.002,
            "haproxy",
            f"{client} https-in~ {front.name}/{host} 0/0/1/{ms}/{ms + 1} 200"
            f" {night.rng.randint(300, 9000)} - - ---- 41/40/3/1/0 0/0 {front.name}",
        )
    return served


def _rates(night: Watch) -> None:
    """Requests per second of each host, every fifteen seconds."""
    every = [15.0 * n for n in range(int(night.end_s // 15))]
    for host in night.firm.front.hosts:
        labels = {"job": night.firm.front.name, "instance": f"{host}:9102"}
        level = night.rng.uniform(2, 6)
        samples = [(s, level + night.rng.uniform(-0.4, 0.4)) for s in every]
        night.curve("http_requests_per_second", labels, samples)
