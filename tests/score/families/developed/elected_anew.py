"""A replica set elects a new primary; drivers write to the old one for some seconds.

The old primary's machine stalls, the others hear nothing of it for ten seconds and elect one of
themselves. Services that hold connections get errors until their drivers have found the new one.

A person sees it by: in the logs of the members, an election that one of them wins, and the old
one's that steps down when it is back; errors of several services that name the old member, or that
find no primary, from the same instant on; none of them once the new one has been found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

NO_PRIMARY: Mapping[str, str] = {
    "spring": "com.mongodb.MongoTimeoutException: Timed out while waiting for a server that matches"
    " WritableServerSelector after 10000 ms",
    "clojure": "com.mongodb.MongoTimeoutException: Timed out after 10000 ms while waiting for a"
    " server that matches WritableServerSelector",
    "django": "pymongo.errors.ServerSelectionTimeoutError: No replica set members match selector"
    ' "Primary()", Timeout: 10.0s',
    "rails": "Mongo::Error::NoServerAvailable: No primary server is available in cluster:"
    " #<Cluster topology=ReplicaSetNoPrimary[{old}]> with timeout=10",
    "node": "MongoServerSelectionError: Server selection timed out after 10000 ms",
    "go": "server selection error: server selection timeout, current topology:"
    " {{ Type: ReplicaSetNoPrimary, Servers: [{{ Addr: {old}, Type: Unknown }}] }}",
    "elixir": "** (Mongo.Error) no primary available",
    "dotnet": "System.TimeoutException: A timeout occurred after 10000ms selecting a server using"
    " CompositeServerSelector{{ WritableServerSelector }}",
}
NOT_PRIMARY: Mapping[str, str] = {
    "spring": "com.mongodb.MongoNotPrimaryException: Command failed with error 10107"
    " (NotWritablePrimary): 'not primary' on server {old}",
    "clojure": "com.mongodb.MongoNotPrimaryException: Command failed with error 10107"
    " (NotWritablePrimary): 'not primary' on server {old}",
    "django": "pymongo.errors.NotPrimaryError: not primary, full error: {{'ok': 0.0, 'code': 10107,"
    " 'codeName': 'NotWritablePrimary'}} ({old})",
    "rails": "Mongo::Error::OperationFailure: [10107:NotWritablePrimary]: not primary (on {old})",
    "node": "MongoNotPrimaryError: not primary ({old})",
    "go": "(NotWritablePrimary) not primary (connection({old}[-41]))",
    "elixir": '%Mongo.Error{{code: 10107, message: "not primary", host: "{old}"}}',
    "dotnet": "MongoDB.Driver.MongoNotPrimaryException: Server returned not primary error"
    ' (code = 10107, codeName = "NotWritablePrimary"). ({old})',
}


def inject(world: World) -> Truth:
    rng, since = world.rng, world.onset_s
    members = [f"mongo-{place}.{world.company.region}" for place in "abc"]
    old, new, third = rng.sample(members, 3)
    _members_at_ease(world, members)
    told = partial(_told, world)
    heard = since + 10 + rng.uniform(0.1, 1.5)
    told(heard, new, "Starting an election, since we've seen no PRIMARY in election timeout period")
    told(heard + 0.01, new, "Conducting a dry run election to see if we could be elected")
    told(heard + 0.02, new, "Dry election run succeeded, running for election")
    told(heard + 0.02, third, "Responding to vote request")
    told(heard + 0.05, new, "Election succeeded, assuming primary role")
    open_again = heard + rng.uniform(0.4, 3)
    told(open_again, new, "Transition to primary complete; database writes are now permitted")
    told(open_again + 0.3, third, "Choosing new sync source")
    back = open_again + rng.uniform(2, 9)
    told(back, old, "Stepping down from primary in response to heartbeat")
    told(back + 0.01, old, "Stepping down from primary, stats")
    hit: list[Entity] = []
    services = [*world.company.backs, world.company.front]
    for service in rng.sample(services, rng.randint(2, len(services))):
        for _ in range(rng.randint(2, 9)):
            hit.append(
                _refused(world, service, rng.uniform(since + 1, open_again), old, NO_PRIMARY)
            )
        for _ in range(rng.randint(1, 5)):
            hit.append(_refused(world, service, rng.uniform(back, back + 4), old, NOT_PRIMARY))
    return fault(
        world,
        "failover",
        back + 5,
        hit,
        also=("network-hiccup",),
    )


def _members_at_ease(world: World, members: Iterable[str]) -> None:
    """What members write all night."""
    for member in members:
        at = world.rng.uniform(1, 60)
        while at < world.end_s:
            words = world.rng.choice(
                ("Connection accepted", "Connection ended", "WiredTiger message")
            )
            _told(world, at, member, words)
            at += world.rng.expovariate(1 / 20)


def _told(world: World, at: float, member: str, words: str) -> None:
    world.log(at, "mongod", member, words, 0, source=f"{member.partition('.')[0]}-log")


def _refused(
    world: World, service: Service, at: float, old: str, words: Mapping[str, str]
) -> Entity:
    """A request that needs to write and cannot."""
    rid, path = world.request_id(), f"/{world.company.table}"
    error = words[service.style_name].format(old=f"{old}:27017")
    told = {"method": "POST", "path": path, "rid": rid}
    host = world.say(at - 0.05, service, "begin", told)
    failed = {**told, "error": error}
    world.say(at, service, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
    world.say(at + 0.001, service, "end", {**told, "status": 500, "ms": 51}, host=host)
    return frozenset((f"request:{rid}",))
