"""The sixth company: `settle` moves a drawn world there, `shift` gives it back as what it became.

Five languages, five queues, five shapes of record ids. Everything is drawn from the world's seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.score.company import Company, Service, new_uuid
from tests.score.second_company.elsewhere import Firm, Night
from tests.score.sixth_company.ids import RECORDS, REQUESTS
from tests.score.sixth_company.java_python_node import EXPRESS, FASTAPI, QUARKUS
from tests.score.sixth_company.queues import QUEUES
from tests.score.sixth_company.ruby_php import RAILS, SYMFONY
from tests.score.wording import Style
from tests.score.world import World

TONGUES: dict[str, Style] = {
    "rails": RAILS,
    "symfony": SYMFONY,
    "quarkus": QUARKUS,
    "fastapi": FASTAPI,
    "express": EXPRESS,
}
SPEAKERS: dict[str, tuple[str, ...]] = {
    "solid-queue": ("rails",),
    "pg-boss": ("express",),
    "graphile-worker": ("express",),
    "dramatiq": ("fastapi",),
    "rabbitmq": ("symfony", "quarkus"),
}
"""Who uses which queue: the language of its library."""
_FRAMES = {
    "rails": "{words}",
    "symfony": "{words} [] []",
    "quarkus": "[de.hafen.app] (executor-thread-4) {words}",
    "fastapi": "{words} logger=app",
    "express": "app: {words}",
}
"""What a logger of each language puts around a message."""
NEVER = (-2.0, -1.0)
"""A pause that was over before the window."""
KEEPING = ("solid-queue", "pg-boss")
"""Queues that still show a job that has ended."""
BROKERS = {"dramatiq": ("keydb.prod.svc", 6379), "rabbitmq": ("rabbit-a.prod.svc", 5672)}
_THINGS = (
    ("consignment", "consignments", "manifests"),
    ("reading", "readings", "bills"),
    ("subscription", "subscriptions", "renewals"),
    ("voucher", "vouchers", "redemptions"),
    ("pallet", "pallets", "movements"),
    ("loan", "loans", "instalments"),
    ("permit", "permits", "notices"),
    ("referral", "referrals", "appointments"),
)
_VERBS = ("Close", "Price", "Forward", "Attach", "Index", "Bill", "Release")
_FRONTS = ("desk", "mobile-api", "counter", "b2b", "self-service", "edge")
_BACKS = (
    "rates",
    "customs",
    "vault",
    "calendar",
    "meters",
    "depot",
    "contacts",
    "ledger-eu",
    "labels",
    "scoring",
    "archive",
    "tenants",
    "routing",
)
_WORKERS = ("backoffice", "handlers", "drain", "tasks", "outbox")
_QUEUES = ("main", "slow", "{thing}_events", "io", "tier2", "post-commit")
_THIRD = (
    ("customs office", "atlas.zoll-gateway.example", "/declarations"),
    ("meter operator", "mdm.gridworks.example", "/v4/readings"),
    ("debit scheme", "sepa.clearhouse.example", "/mandates"),
    ("document signer", "sign.papertrail.example", "/api/envelopes"),
)


@dataclass(frozen=True, slots=True)
class Voice(Service):
    """A service that speaks one of `TONGUES`."""

    @property
    def style(self) -> Style:
        return TONGUES[self.style_name]


class Shift(Night):
    """A world of this company. What is drawn stands in the firm; beside it are the ids given."""

    given: set[str]
    """Ids of records so far: a primary key is nobody else's."""

    def new_id(self) -> str:
        """The id of one more record; as in a table, no other record of this world has it."""
        found = RECORDS[self.firm.record_ids](self.rng)
        while found in self.given:  # the short shapes come up twice in one night of a few
            found = RECORDS[self.firm.record_ids](self.rng)
        self.given.add(found)
        return found

    def new_job_id(self) -> str:
        if self.brand.name == "graphile-worker":
            self._number += 1
            return str(18_400_000 + self._number)
        return new_uuid(self.rng)

    def request_id(self) -> str:
        return REQUESTS[self.firm.request_ids](self.rng)

    def line(
        self, seconds: float, by: Service, words: str, severity: int = 9, host: str = ""
    ) -> str:
        """One line of `by` in words of the family's own, as its logger frames them."""
        framed = _FRAMES[by.style_name].format(words=words)
        return super().line(seconds, by, framed, severity, host)


def shift(world: World) -> Shift:
    """The world as `settle` left it. Raises `TypeError` for one that was not settled."""
    if not isinstance(world, Shift):
        raise TypeError("settle the world in the family's prepare()")
    return world


def settle(
    world: World,
    queues: Iterable[str] = tuple(SPEAKERS),
    *,
    tongues: Sequence[str] = tuple(TONGUES),
    workers: tuple[int, int] = (2, 6),
    fronts: tuple[int, int] = (1, 5),
    backs: tuple[int, int] = (2, 7),
    records: Sequence[str] = tuple(RECORDS),
) -> None:
    """Move `world` to this company, which uses one of `queues` from one of `tongues`.

    The pairs are numbers of hosts at least and at most, and of `backs` how many services there are.
    Nobody pauses the queue for maintenance: families begin jobs at instants of their own.
    """
    rng = world.rng
    queue, tongue = rng.choice([(q, t) for q in queues for t in SPEAKERS[q] if t in tongues])
    world.brand = QUEUES[queue]
    sizes = (rng.randint(*fronts), rng.randint(*workers), rng.randint(*backs))
    world.company = _firm(rng, world.company, queue, tongue, sizes, rng.choice(list(records)))
    world.paused = NEVER
    world.__class__ = Shift
    shift(world).given = set()


def _firm(
    rng: random.Random,
    drawn: Company,
    queue: str,
    tongue: str,
    sizes: tuple[int, int, int],
    records: str,
) -> Firm:
    thing, table, effects = rng.choice(_THINGS)
    database = rng.choice(("pg-core-0.prod.svc", "cluster-rw.prod.svc", "10.64.8.20"))
    broker, port = BROKERS.get(queue, (database, 5432))
    others = sorted(TONGUES)
    fronts, workers, backs = sizes
    return Firm(
        front=_voice(rng, rng.choice(_FRONTS), fronts, tongue),
        backs=tuple(
            _voice(rng, name, rng.randint(1, 4), rng.choice(others))
            for name in rng.sample(_BACKS, backs)
        ),
        worker=_voice(rng, rng.choice(_WORKERS), workers, tongue),
        thing=thing,
        table=table,
        effects=effects,
        job_class=_job_class(tongue, rng.choice(_VERBS), thing),
        queue=rng.choice(_QUEUES).format(thing=thing),
        queue_brand=QUEUES[queue].name,
        broker=broker,
        broker_port=port,
        database=database,
        third=rng.choice(_THIRD),
        region=drawn.region,
        other_region=drawn.other_region,
        numeric_ids=records == "whole",
        central_logs=drawn.central_logs,
        commit_times=drawn.commit_times,
        zone=drawn.zone,
        record_ids=records,
        request_ids=tongue,
    )


def _job_class(tongue: str, verb: str, thing: str) -> str:
    """As each language names such a thing."""
    return {
        "rails": f"{thing.title()}s::{verb}Job",
        "symfony": f"{verb}{thing.title()}Message",
        "quarkus": f"{thing}-{verb.lower()}",
        "fastapi": f"{verb.lower()}_{thing}",
        "express": f"{thing}:{verb.lower()}",
    }[tongue]


def _voice(rng: random.Random, name: str, hosts: int, tongue: str) -> Voice:
    """Pods of one replica set, or numbered machines."""
    if rng.random() < 0.4:
        return Voice(
            name, tuple(f"{name}{n:02d}.{tongue[:2]}" for n in range(1, hosts + 1)), tongue
        )
    tail = "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(9))
    pods = (
        "".join(rng.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5)) for _ in range(hosts)
    )
    return Voice(name, tuple(f"{name}-{tail}-{pod}" for pod in pods), tongue)
