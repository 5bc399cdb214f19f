"""Another company than the generator draws: other languages, ids, sizes and queues.

`settle` is called from a family's `prepare`, before the traffic is laid out: it replaces the drawn
company and turns the world into a `Night`, which makes its own ids and knows a few more acts.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.score.company import Company, Service
from tests.score.queues import Job
from tests.score.second_company.beam_node import NEST_PINO, PHOENIX
from tests.score.second_company.database import ENGLISH, GERMAN
from tests.score.second_company.ids import BASE62, RECORDS, mvc_request, trace, ulid
from tests.score.second_company.jvm_dotnet import KTOR, MASSTRANSIT, SPRING_GERMAN
from tests.score.second_company.php_perl import LARAVEL, PERL
from tests.score.second_company.queues import QUEUES, rabbit_samples
from tests.score.second_company.rust_go import GO_SLOG, RUST
from tests.score.truth import Entity
from tests.score.wording import Style
from tests.score.world import Thing, World
from timeline.clock import MILLISECOND_NS
from timeline.event import Lane

TONGUES: dict[str, Style] = {
    "rust": RUST,
    "go-slog": GO_SLOG,
    "laravel": LARAVEL,
    "perl": PERL,
    "ktor": KTOR,
    "spring-german": SPRING_GERMAN,
    "masstransit": MASSTRANSIT,
    "phoenix": PHOENIX,
    "nest-pino": NEST_PINO,
}
SPEAKERS: dict[str, tuple[str, ...]] = {
    "oban": ("phoenix",),
    "oban-pruned": ("phoenix",),
    "river": ("go-slog",),
    "rabbitmq": ("masstransit", "rust", "spring-german"),
    "bullmq": ("nest-pino",),
    "sqs": ("laravel", "ktor", "perl"),
}
"""Who uses which queue: a library of one language, or a client that the language really has."""
BROKERS = {
    "rabbitmq": ("amqp.kontor.internal", 5672),
    "bullmq": ("valkey-queue", 6379),
    "sqs": ("sqs.eu-central-1.amazonaws.com", 443),
}
KEEPING = ("oban", "river", "bullmq")
"""Queues that still show a job that has ended."""
COUNTING = ("rabbitmq", "sqs")
"""Queues that show no single message."""
_THINGS = (
    ("parcel", "parcels", "scans"),
    ("policy", "policies", "documents"),
    ("ticket", "tickets", "transcripts"),
    ("lease", "leases", "statements"),
    ("donation", "donations", "thanks"),
    ("enrolment", "enrolments", "certificates"),
    ("prescription", "prescriptions", "dispatches"),
)
_VERBS = ("Dispatch", "Archive", "Reconcile", "Announce", "Stamp", "Deliver")
_FRONTS = ("public-site", "kiosk", "partner-api", "checkout", "graphql")
_BACKS = (
    "tariffs",
    "ledgerd",
    "geo",
    "loyalty",
    "pdf",
    "stock",
    "accounts",
    "rules",
    "audit-trail",
    "quotes",
    "media",
)
_WORKERS = ("runner", "consumer", "crew", "night-shift")
_THIRD = (
    ("courier", "gw.fastparcel.example", "/v2/labels"),
    ("bank", "open.nordbank.example", "/payments"),
    ("letter shop", "print.briefwerk.example", "/jobs"),
    ("tax office", "einvoice.state.example", "/submit"),
)


@dataclass(frozen=True, slots=True)
class Speaker(Service):
    """A service that speaks one of `TONGUES`."""

    @property
    def style(self) -> Style:
        return TONGUES[self.style_name]


@dataclass(frozen=True, slots=True)
class Firm(Company):
    """A company with its own shape of ids; `german` is the language of its database."""

    record_ids: str = "ulid"
    request_ids: str = "trace"
    german: bool = False


class Night(World):
    """A world of a `Firm`. Adds no state: everything drawn stands in the company."""

    @property
    def firm(self) -> Firm:
        if not isinstance(self.company, Firm):
            raise TypeError("settle the world in the family's prepare()")
        return self.company

    def new_id(self) -> str:
        return RECORDS[self.firm.record_ids](self.rng)

    def new_job_id(self) -> str:
        if self.brand.name in ("oban", "river", "bullmq"):
            self._number += 1
            return str(5_210_000 + self._number)
        return super().new_job_id()

    def request_id(self) -> str:
        makers = {"trace": trace, "ulid": ulid, "mvc": mvc_request}
        return makers[self.firm.request_ids](self.rng)

    def entity(self, thing: str, request: str = "", job: Job | None = None) -> Thing:
        """Everything that names `thing`, by whatever name its language gives a field."""
        found = super().entity(thing, request, job)
        found.keys |= request_keys(request) if request else frozenset()
        found.keys |= job_keys(job.id) if job else frozenset()
        return found

    def line(
        self, seconds: float, by: Service, words: str, severity: int = 9, host: str = ""
    ) -> str:
        """One line of `by` in words of the family's own; returns the host."""
        where = host or self.rng.choice(by.hosts)
        self.log(seconds, by.name, where, words, severity)
        return where

    def beside(self, seconds: float, who: str, words: str, severity: int = 9) -> None:
        """A line of something that is no service of the company: a kernel, a balancer, a cron."""
        self.log(seconds, who, f"{who}-1", words, severity, source=f"{who}-log")

    def database_says(self, phrase: str, /, **values: object) -> str:
        """A message of PostgreSQL in the language of this company's server."""
        return (GERMAN if self.firm.german else ENGLISH)[phrase].format(**values)

    def database_line(
        self, seconds: float, pid: int, phrase: str, severity: int = 9, /, **values: object
    ) -> None:
        """The same in the server's own log."""
        self.database_log(seconds, pid, self.database_says(phrase, **values), severity)

    def told_text(self, since: float, until: float, lane: Lane = Lane.LOG) -> list[str]:
        """Bodies of one lane in `[since, until)`, to see whether an effect is there."""
        low, high = self.at(since) // MILLISECOND_NS * MILLISECOND_NS, self.at(until)
        return [e.body for e, _ in self.told if e.lane is lane and low <= e.timestamp < high]

    def close_the_books(self) -> None:
        """RabbitMQ's samples, once all jobs of the night are known."""
        if self.brand.name != "rabbitmq":
            return
        for queue in sorted({job.queue for job in self.jobs}):
            mine = [job for job in self.jobs if job.queue == queue]
            end, now = self.at(self.end_s), self.at(self.now_s)
            for event in rabbit_samples(queue, mine, self.start, end, now):
                self.tell(event, "rabbitmq")


def request_keys(request: str) -> Entity:
    """Whatever a line calls it. Of Kestrel's `connection:number` the first part alone is a key;
    here every request has a connection of its own."""
    known = (request, request.partition(":")[0])
    return frozenset(f"{kind}:{value}" for kind in ("request", "trace") for value in known)


def job_keys(job: str) -> Entity:
    return frozenset((f"job:{job}", f"message:{job}"))


def night(world: World) -> Night:
    """The world as `settle` left it. Raises `TypeError` for one that was not settled."""
    if not isinstance(world, Night):
        raise TypeError("settle the world in the family's prepare()")
    return world


def settle(
    world: World,
    queues: Iterable[str] = tuple(SPEAKERS),
    *,
    tongues: Sequence[str] = (),
    workers: tuple[int, int] = (1, 9),
    records: Sequence[str] = tuple(RECORDS),
) -> None:
    """Move `world` to another company, which uses one of `queues`.

    `tongues` narrows the languages of the front and the workers, `workers` is how many hosts the
    latter have at least and at most.
    """
    rng = world.rng
    pairs = [(q, t) for q in queues for t in SPEAKERS[q] if not tongues or t in tongues]
    queue, tongue = rng.choice(pairs)
    world.brand = QUEUES[queue]
    world.company = _firm(rng, world.company, queue, tongue, workers, records)
    world.__class__ = Night


def _firm(
    rng: random.Random,
    drawn: Company,
    queue: str,
    tongue: str,
    workers: tuple[int, int],
    records: Sequence[str],
) -> Firm:
    thing, table, effects = rng.choice(_THINGS)
    database = rng.choice(("pg-14-a.kontor.internal", "db.kontor.internal", "aurora-writer"))
    broker, port = BROKERS.get(queue, (database, 5432))
    others = sorted(TONGUES)
    backs = rng.sample(_BACKS, rng.randint(2, 9))
    verb = rng.choice(_VERBS)
    return Firm(
        front=_speaker(rng, rng.choice(_FRONTS), rng.randint(1, 6), tongue),
        backs=tuple(_speaker(rng, b, rng.randint(1, 4), rng.choice(others)) for b in backs),
        worker=_speaker(rng, rng.choice(_WORKERS), rng.randint(*workers), tongue),
        thing=thing,
        table=table,
        effects=effects,
        job_class=f"{verb}{thing.title()}",
        queue=rng.choice(("bulk", "critical", f"{thing}.events", "outgoing_mail", "q1")),
        queue_brand=QUEUES[queue].name,
        broker=broker,
        broker_port=port,
        database=database,
        third=rng.choice(_THIRD),
        region=drawn.region,
        other_region=drawn.other_region,
        numeric_ids=False,
        central_logs=drawn.central_logs,
        commit_times=drawn.commit_times,
        zone=drawn.zone,
        record_ids=rng.choice(list(records)),
        request_ids={"masstransit": "mvc", "laravel": "ulid", "perl": "ulid"}.get(tongue, "trace"),
        german=tongue == "spring-german" or rng.random() < 0.15,
    )


def _speaker(rng: random.Random, name: str, hosts: int, tongue: str) -> Speaker:
    places = tuple(
        f"{name}-{''.join(rng.choice(BASE62[10:]) for _ in range(5)).lower()}-{place}"
        for place in range(hosts)
    )
    return Speaker(name, places, tongue)
