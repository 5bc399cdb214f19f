"""The machine under one consumer stands still; the broker hears no heartbeat and takes back what
that consumer had not acknowledged.

RabbitMQ shows no single message. Its own log says that it closed a connection; the messages go to
the others, which begin them for the second time. The machine does not come back tonight.

A person sees it by: the broker's line about missed heartbeats from that client's address; no line
of that host after an instant while the others speak; messages begun there without an end, and
begun again elsewhere once the broker had given up.
"""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.families.rota import taken_over
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.queues import Attempt
from tests.score.second_company.elsewhere import job_keys
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Lane


def prepare(world: World) -> None:
    settle(world, ("rabbitmq",), workers=(3, 6))


def inject(world: World) -> Truth:
    night = watch(world)
    rng, firm = night.rng, night.firm
    still, host = night.onset_s, rng.choice(firm.worker.hosts)
    heard = still + rng.uniform(55, 125)
    taken_over(night, host, still - 3, since=still - 1)
    hit: list[Thing] = []
    for _ in range(rng.randint(2, 7)):
        hit.append(_in_hand(night, host, still, heard))
    surroundings(night)
    mute(night, [host], still, night.end_s + 10)
    address = f"10.8.{rng.randint(0, 9)}.{rng.randint(2, 250)}:{rng.randint(30_000, 60_000)}"
    process = f"<0.{rng.randint(900, 90_000)}.0>"
    words = (
        f"closing AMQP connection {process} ({address} -> 10.8.0.4:5672 - {host}, vhost: '/',"
        f" user: '{firm.worker.name}'):␊missed heartbeats from client, timeout: 60s"
    )
    night.log(heard, "rabbitmq", firm.broker, words, 17, source="broker-log")
    night.close_the_books()
    last = [e for e, _ in night.told if e.lane is Lane.LOG and e.clock == host]
    return fault(
        night,
        "lost-worker",
        heard + 30,
        hit,
        alternates=("delivered-again",),
        also=("blind-spot", "network-hiccup", "orphaned-record"),
        effect=bool(last) and max(e.timestamp for e in last) < night.at(still) and len(hit) >= 2,
    )


def _in_hand(night: Watch, host: str, still: float, heard: float) -> Thing:
    """A message begun where time stood still, and done by another after the broker gave up."""
    rng, firm = night.rng, night.firm
    thing, rid = night.new_id(), night.request_id()
    begun = still - rng.uniform(0.02, 1.5)
    job = night.push(begun - rng.uniform(0.02, 0.3), thing, rng.choice(firm.front.hosts))
    told = {"job": job.job_class, "jid": job.id, "id": thing, "rid": rid}
    first = Attempt(night.at(begun), None, "lost", night.worker_on(host), host)
    job.attempts.append(first)
    night.say(begun, firm.worker, "started", told, host=host)
    other = rng.choice([known for known in firm.worker.hosts if known != host])
    again = heard + rng.uniform(0.01, 2)
    took = rng.uniform(0.1, 1.5)
    first.ended = night.at(heard)
    night.say(again, firm.worker, "started", told, host=other)
    night.say(again + took, firm.worker, "done", {**told, "ms": int(took * 1000)}, host=other)
    worker = night.worker_on(other)
    job.attempts.append(Attempt(night.at(again), night.at(again + took), "finished", worker, other))
    found = night.entity(thing, rid, job)
    found.keys |= job_keys(job.id)
    return found
