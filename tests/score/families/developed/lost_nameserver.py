"""For a minute or four names cannot be looked up: a resolver was moved, a table of connections is
full, a search domain is wrong. Several services fail towards different places at the same time."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import (
    SEVERITY_ERROR,
    SEVERITY_WARN,
    asked,
    done,
    failed_request,
)
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    relocate(world, QUEUES)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm, onset = night.house, night.onset_s
    until = onset + rng.uniform(35, 240)
    places = [firm.third[1], *(f"{back.name}.bottega.lan" for back in firm.backs[:2])]
    speakers = [firm.front, *rng.sample(firm.backs, rng.randint(1, len(firm.backs)))]
    hit: list[Entity] = []
    for speaker in speakers:
        others = [place for place in places if not place.startswith(f"{speaker.name}.")]
        for _ in range(rng.randint(4, 16)):
            at = rng.uniform(onset, until)
            error = night.error(speaker, "dns", host=rng.choice(others))
            rid = failed_request(night, at, speaker, error, waited=rng.uniform(0.02, 5))
            hit.append(request_names(rid))
    for _ in range(rng.randint(3, 12)):
        at = rng.uniform(onset, until)
        hit.append(_job(night, at, until, places[0]))
    blamed = _signs(night, onset, until, places)
    night.samples()
    also = ["network-hiccup"]
    also += ["change-before"] if blamed else []
    also += ["delivered-again"] if night.brand.name in COUNTING else []
    return fault(night, "dns-failure", until + 60, hit, also=also)


def _job(night: Shift, seconds: float, until: float, place: str) -> Entity:
    """A job that cannot look its partner up and can at the next attempt."""
    rng = night.rng
    thing, job = asked(night, seconds)
    error = night.error(night.house.worker, "dns", host=place)
    start = seconds + rng.uniform(0.2, 1)
    night.run(job, start, rng.uniform(0.02, 5), "retried", error)
    again = max(until, start) + rng.uniform(8, 50)
    if again + 2 < night.end_s:
        done(night, job, thing.id, again, rng.uniform(0.2, 1))
    return thing.keys


def _signs(night: Shift, onset: float, until: float, places: list[str]) -> bool:
    """What the resolver itself says, if anything; whether a change is on record."""
    rng = night.rng
    way = rng.choice(("resolver", "conntrack", "change", "nothing"))
    if way == "resolver":
        at = onset + rng.uniform(0, 3)
        while at < until:
            way_out = f"10.31.0.10:{rng.randint(30_000, 60_000)}->10.31.0.2:53"
            asked_for = rng.choice(places)
            words = f"plugin/errors: 2 {asked_for}. A: read udp {way_out}: i/o timeout"
            night.aside(at, "coredns", words, SEVERITY_ERROR)
            at += rng.uniform(1, 9)
    elif way == "conntrack":
        words = "nf_conntrack: nf_conntrack: table full, dropping packet"
        for n in range(rng.randint(3, 9)):
            night.aside(onset + n * 5 * rng.random(), "kernel", words, SEVERITY_WARN)
    elif way == "change":
        night.change(onset - rng.uniform(1, 20), "resolvers of the cluster moved to 10.31.0.53")
    return way == "change"
