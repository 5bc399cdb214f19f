"""A partner forgot to renew its domain. The registry took the name away, and every machine fails
to look it up from the moment on which its own cached answer has reached its age.

The resolver answers at once and says that there is no such name: no time-outs, and every other name
is found. Nothing comes back within the window.

A person sees it by: errors of name resolution that all name the one partner, from several services,
beginning minutes apart machine by machine and never healing on a machine once they have begun;
where the resolver writes a query log, NXDOMAIN for that name and for no other.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.families.watched import beside
from tests.score.queues import Attempt
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

UNKNOWN: Mapping[str, str] = {
    "spring": "java.net.UnknownHostException: Failed to resolve '{host}' [A(1)] and search domain"
    " query for configured domains failed as well: [svc.cluster.local]",
    "clojure": "java.net.UnknownHostException: {host}",
    "django": "urllib3.exceptions.NameResolutionError: <urllib3.connection.HTTPSConnection object"
    " at 0x7f3c5a1e4d90>: Failed to resolve '{host}' ([Errno -2] Name or service not known)",
    "rails": "Faraday::ConnectionFailed: Failed to open TCP connection to {host}:443 (getaddrinfo:"
    " Name or service not known)",
    "node": "TypeError: fetch failed [cause]: Error: getaddrinfo ENOTFOUND {host}",
    "go": 'Post "https://{host}{path}": dial tcp: lookup {host} on 10.96.0.10:53: no such host',
    "elixir": "** (Req.TransportError) non-existing domain"
    " %Mint.TransportError{{reason: :nxdomain}} POST https://{host}{path}",
    "dotnet": "System.Net.Http.HttpRequestException: No such host is known. ({host}:443)",
}


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    _, host, path = firm.third
    callers = [firm.worker, *rng.sample(firm.backs, rng.randint(1, 2))]
    forgets = {place: world.onset_s + rng.uniform(0, 280) for one in callers for place in one.hosts}
    forgets[rng.choice(firm.worker.hosts)] = world.onset_s
    logged = rng.random() < 0.5
    hit = list[Entity]()
    for service in callers:
        error = UNKNOWN[service.style_name].format(host=host, path=path)
        at = 120.0
        while at < world.end_s - 3:
            place = rng.choice(service.hosts)
            failing = error if at >= forgets[place] else ""
            called = _job if service is firm.worker else _request
            names = called(world, at, service, place, failing)
            if failing:
                hit.append(names)
                if logged:
                    _asked(world, at, host)
            at += rng.expovariate(1 / 14) + 1
    return fault(
        world,
        "dns-failure",
        world.end_s,
        hit,
        also=("third-party", "expired"),
        effect=len(hit) >= 8,
    )


def _job(world: World, at: float, service: Service, place: str, error: str) -> Entity:
    """A job that tells the partner of something written a while ago, of each thing once."""
    rng, firm = world.rng, world.company
    told = {job.args for job in world.jobs if job.job_class.startswith("Partner")}
    known = (thing for thing in world.things if thing.job is not None)
    old = [thing for thing in known if f"{firm.thing}_id={thing.id}" not in told]
    thing = rng.choice(old[: max(1, int(len(old) * at / world.end_s) - 5)])
    job = world.push(at - 0.3, thing.id, place, f"Partner{firm.thing.title()}")
    took, outcome = (0.04, "failed") if error else (0.4, "finished")
    values = {"job": job.job_class, "jid": job.id, "id": thing.id, "error": error, "ms": 400}
    worker, span = world.worker_on(place), (world.at(at), world.at(at + took))
    job.attempts.append(Attempt(*span, outcome, worker, place, error))
    world.say(at + 0.002, service, "started", values, host=place)
    phrase, severity = ("failed", SEVERITY_ERROR) if error else ("done", 9)
    world.say(at + took + 0.002, service, phrase, values, host=place, severity=severity)
    return frozenset((f"job:{job.id}", *job.keys))


def _request(world: World, at: float, service: Service, place: str, error: str) -> Entity:
    told = {"method": "POST", "path": "/partner/refresh", "rid": world.request_id()}
    world.say(at, service, "begin", told, host=place)
    if error:
        failed = {**told, "error": error}
        world.say(at + 0.02, service, "request_failed", failed, host=place, severity=SEVERITY_ERROR)
    status, ms = (502, 21) if error else (200, world.rng.randint(60, 300))
    ended = {**told, "status": status, "ms": ms}
    world.say(at + ms / 1000, service, "end", ended, host=place)
    return frozenset((f"request:{told['rid']}",))


def _asked(world: World, at: float, name: str) -> None:
    """CoreDNS' query log: the address, the id, the question, the answer, its size and time."""
    rng = world.rng
    asker = f"10.244.{rng.randint(0, 9)}.{rng.randint(2, 250)}:{rng.randint(30_000, 60_000)}"
    words = (
        f'{asker} - {rng.randint(1_000, 65_000)} "A IN {name}. udp 58 false 512" NXDOMAIN qr,rd,ra'
        f" 131 0.0{rng.randint(10, 90)}s"
    )
    beside(world, at, "coredns", words)
