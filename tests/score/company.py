"""A plausible company, drawn from a seed: its services, hosts, things, queue and database.

Every name a detector must not depend on is drawn here. Pure data; it tells no events.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass

from tests.score.wording import STYLES, Style

_FRONTS = ("web", "storefront", "gateway", "portal", "api", "bff")
_BACKS = (
    "billing",
    "catalog",
    "search",
    "pricing",
    "inventory",
    "profile",
    "ledger",
    "shipping",
    "reports",
    "identity",
    "recommend",
)
_WORKERS = ("worker", "jobs", "mailer", "background", "async")
_THINGS = (
    ("user", "users", "mails"),
    ("order", "orders", "receipts"),
    ("invoice", "invoices", "postings"),
    ("booking", "bookings", "confirmations"),
    ("claim", "claims", "letters"),
    ("shipment", "shipments", "labels"),
    ("patient", "patients", "reminders"),
    ("device", "devices", "activations"),
)
_VERBS = ("Welcome", "Confirm", "Sync", "Notify", "Export", "Render", "Settle")
_THIRD = (
    ("mail gateway", "smtp-relay.postbox.example", "/v3/send"),
    ("card gateway", "api.paygate.example", "/v1/charges"),
    ("sms gateway", "rest.textline.example", "/2/messages"),
    ("map service", "geo.places.example", "/route"),
)
_PLACES = ("eu-west-1", "us-east-1", "fra1", "syd", "dc2", "north")


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its name, the hosts it runs on and how it words things."""

    name: str
    hosts: tuple[str, ...]
    style_name: str

    @property
    def style(self) -> Style:
        return STYLES[self.style_name]


@dataclass(frozen=True, slots=True)
class Company:
    """Who speaks about what. `table` holds the things, `effects` what a job leaves behind."""

    front: Service
    backs: tuple[Service, ...]
    worker: Service
    thing: str
    table: str
    effects: str
    job_class: str
    queue: str
    queue_brand: str
    broker: str
    broker_port: int
    database: str
    third: tuple[str, str, str]
    """What it is, its host, a path."""
    region: str
    other_region: str
    numeric_ids: bool
    central_logs: bool
    commit_times: bool
    zone: str

    @property
    def services(self) -> tuple[Service, ...]:
        return (self.front, *self.backs, self.worker)


def company(rng: random.Random, brand: str) -> Company:
    """A company drawn from `rng` that uses the queue `brand`."""
    styles = sorted(STYLES)
    house = rng.sample(styles, 3)  # a company has a few languages, not eight
    thing, table, effects = rng.choice(_THINGS)
    backs = rng.sample(_BACKS, rng.randint(3, 5))
    verb = rng.choice(_VERBS)
    job_style = rng.choice(("{V}{T}Job", "{T}{V}Worker", "tasks.{v}_{t}", "{v}-{t}", "{V}{T}"))
    regions = rng.sample(_PLACES, 2)
    job = job_style.format(V=verb, T=thing.title(), v=verb.lower(), t=thing)

    def service(name: str, hosts: int) -> Service:
        return Service(name, tuple(_host(rng, name) for _ in range(hosts)), rng.choice(house))

    broker = rng.choice(("redis", "redis-queue", "cache-1.internal", "broker.svc"))
    return Company(
        front=service(rng.choice(_FRONTS), rng.randint(2, 4)),
        backs=tuple(service(name, rng.randint(1, 3)) for name in backs),
        worker=service(rng.choice(_WORKERS), rng.randint(2, 4)),
        thing=thing,
        table=table,
        effects=effects,
        job_class=job,
        queue=rng.choice(("default", "mailers", "high", "outbound", f"{thing}s")),
        queue_brand=brand,
        broker=broker,
        broker_port=6379,
        database=rng.choice(("db-1.internal", "pg-main", "shop-db", "primary.db.svc")),
        third=rng.choice(_THIRD),
        region=regions[0],
        other_region=regions[1],
        numeric_ids=rng.random() < 0.6,
        central_logs=rng.random() < 0.4,
        commit_times=rng.random() < 0.4,
        zone=rng.choice(("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo")),
    )


def _host(rng: random.Random, name: str) -> str:
    nonce = f"{rng.getrandbits(32):08x}"
    return rng.choice(
        (
            f"{name}-{nonce[:5]}-{nonce[5:]}",
            f"{name}-{rng.randint(1, 9)}.{nonce[:3]}",
            f"ip-10-{rng.randint(0, 9)}-{rng.randint(0, 250)}-{rng.randint(2, 250)}.{nonce[:3]}",
        )
    )


def new_uuid(rng: random.Random) -> str:
    """A random version-4 UUID that is the same for the same seed."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
