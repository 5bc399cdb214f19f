"""The fourth company: moves a drawn world to other services, languages, ids, queues, databases.

`relocate` is called from a family's `prepare`, before the traffic is laid out. It replaces the
drawn company and turns the world into a `Shift`, which makes its own ids and writes every line of
a service in that service's tongue.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tests.score.company import Company, Service
from tests.score.fourth_company.brands import BROKERS, IN_POSTGRES, NUMBERED, QUEUES, SPEAKERS
from tests.score.fourth_company.databases import (
    MYSQL_DRIVERS,
    MYSQL_LOG,
    POSTGRES,
    SPOKEN,
    Sayings,
    as_read,
    without_level,
)
from tests.score.fourth_company.ids import LOWER, RECORDS, REQUESTS
from tests.score.fourth_company.tongues import TONGUES, Tongue
from tests.score.queues import Job
from tests.score.second_company.queues import rabbit_samples
from tests.score.truth import Entity
from tests.score.wording import Style
from tests.score.world import Thing, World
from timeline.event import Lane, Precision

_THINGS = (
    ("permit", "permits", "notices"),
    ("quote", "quotes", "pdfs"),
    ("refund", "refunds", "payouts"),
    ("voucher", "vouchers", "emails"),
    ("reading", "readings", "bills"),
    ("loan", "loans", "agreements"),
    ("repair", "repairs", "tasks"),
)
_VERBS = ("issue", "print", "forward", "price", "index", "hand_over")
_FRONTS = ("sportello", "www", "clients-api", "counter", "edge-api", "mobile-bff")
_BACKS = (
    "anagrafe",
    "templates",
    "risk",
    "payments-core",
    "calendar",
    "warehouse",
    "sessions",
    "tax",
    "contracts",
    "uploads",
)
_WORKERS = ("botteghini", "batcher", "courier", "task-runner", "handlers")
_THIRD = (
    ("payment provider", "api.przelewy.example", "/v3/transfers"),
    ("signature service", "sign.firmadigitale.example", "/api/envelopes"),
    ("register", "registry.chamber.example", "/companies"),
    ("meter cloud", "ingest.gridline.example", "/values"),
)


@dataclass(frozen=True, slots=True)
class Voice(Service):
    """A service that speaks one of `TONGUES`."""

    @property
    def style(self) -> Style:
        return TONGUES[self.style_name].phrases

    @property
    def tongue(self) -> Tongue:
        return TONGUES[self.style_name]


@dataclass(frozen=True, slots=True)
class House(Company):
    """A company with its own shape of ids and a database that speaks one of `SPOKEN`."""

    record_ids: str = "ksuid"
    request_ids: str = "short"
    server: str = "postgres"


class Shift(World):
    """A world of a `House`. Adds no state: everything drawn stands in the company."""

    @property
    def house(self) -> House:
        if not isinstance(self.company, House):
            raise TypeError("relocate the world in the family's prepare()")
        return self.company

    def new_id(self) -> str:
        return RECORDS[self.house.record_ids](self.rng)

    def new_job_id(self) -> str:
        if self.brand.name in NUMBERED:
            self._number += 1
            return str(91_300 + self._number)
        return super().new_job_id()

    def request_id(self) -> str:
        return REQUESTS[self.house.request_ids](self.rng)

    def entity(self, thing: str, request: str = "", job: Job | None = None) -> Thing:
        """Everything that names `thing`, by whatever name its language gives a field."""
        found = super().entity(thing, request, job)
        found.keys |= request_names(request) if request else frozenset()
        found.keys |= job_names(job.id) if job else frozenset()
        return found

    def log(
        self,
        seconds: float,
        service: str,
        host: str,
        body: str,
        severity: int = 9,
        *,
        source: str = "",
        precision: Precision = Precision.MILLISECOND,
    ) -> None:
        """One line; what a service of the company says is read as its tongue is read."""
        by = next((s for s in self.company.services if s.name == service), None)
        if isinstance(by, Voice) and not source:
            body, severity = by.tongue.read(body, severity, service, host)
        super().log(seconds, service, host, body, severity, source=source, precision=precision)

    def say(
        self,
        seconds: float,
        by: Service,
        phrase: str,
        values: Mapping[str, object] = MappingProxyType({}),
        *,
        host: str = "",
        severity: int = 9,
    ) -> str:
        plain = {"n": 12, "ms": 3, **values}
        return super().say(seconds, by, phrase, plain, host=host, severity=severity)

    def line(
        self, seconds: float, by: Service, words: str, severity: int = 9, host: str = ""
    ) -> str:
        """One line of `by` in words of the family's own; returns the host."""
        where = host or self.rng.choice(by.hosts)
        lead = TONGUES[by.style_name].lead.format(service=by.name.replace("-", "_"))
        self.log(seconds, by.name, where, lead + words, severity)
        return where

    def aside(
        self, seconds: float, who: str, words: str, severity: int = 9, host: str = ""
    ) -> None:
        """A line of something that is no service of the company: a kernel, a proxy, a cron."""
        place = host or f"{who}-a"
        self.log(
            seconds, who, place, words, severity, source=f"{who}-log", precision=Precision.SECOND
        )

    def error(self, service: Service, phrase: str, /, **values: object) -> str:
        """The text of an error; the generator's own words of a database are put into its tongue."""
        if values.get("message") == "deadlock detected":
            values["message"] = self.server_says("deadlock")
        if phrase == "sql" and self.house.server == "mysql":
            return MYSQL_DRIVERS[service.style_name].format(**values)
        return super().error(service, phrase, **values)

    def server_says(self, saying: str, /, **values: object) -> str:
        """A message of the database in its language, as a driver hands it on."""
        return without_level(self._said(SPOKEN[self.house.server], saying, values))

    def server_line(self, seconds: float, pid: int, saying: str, /, **values: object) -> None:
        """The same in the server's own log, if it writes that at all."""
        if self.house.server == "mysql":
            if saying in MYSQL_LOG:
                words = self._said(MYSQL_LOG, saying, values)
                self._mysql_log(seconds, pid, words, 17 if "[ERROR]" in words else 9)
            return
        words, level = as_read(self._said(SPOKEN[self.house.server], saying, values))
        super().database_log(seconds, pid, words, level)

    def _said(self, sayings: Sayings, saying: str, values: Mapping[str, object]) -> str:
        told = {"table": self.house.table, "name": f"{self.house.table}_pkey", **values}
        return sayings[saying].format(**told)

    def database_log(self, seconds: float, pid: int, words: str, severity: int = 9) -> None:
        """What the generator lets PostgreSQL say in English, as this server has it."""
        if words.startswith("deadlock detected"):
            self.server_line(seconds, pid, "deadlock")
            return
        super().database_log(seconds, pid, words, severity)

    def _mysql_log(self, seconds: float, pid: int, words: str, severity: int) -> None:
        place = self.house.database
        self.log(seconds, "mysqld", place, f"{pid} {words}", severity, source="db-log")

    def bodies(self, since: float, until: float, lane: Lane = Lane.LOG) -> list[str]:
        """Bodies of one lane in `[since, until)`, to see whether an effect is there."""
        low, high = self.at(since - 0.001), self.at(until)
        return [e.body for e, _ in self.told if e.lane is lane and low <= e.timestamp < high]

    def samples(self) -> None:
        """RabbitMQ's measurements, once all messages of the night are known."""
        if self.brand.name != "rabbitmq":
            return
        for queue in sorted({job.queue for job in self.jobs}):
            mine = [job for job in self.jobs if job.queue == queue]
            end, now = self.at(self.end_s), self.at(self.now_s)
            for event in rabbit_samples(queue, mine, self.start, end, now):
                self.tell(event, "rabbitmq")


def request_names(request: str) -> Entity:
    return frozenset(f"{kind}:{request}" for kind in ("request", "correlation"))


def job_names(job: str) -> Entity:
    return frozenset((f"job:{job}", f"message:{job}"))


def shift(world: World) -> Shift:
    """The world as `relocate` left it. Raises `TypeError` for one that was not moved."""
    if not isinstance(world, Shift):
        raise TypeError("relocate the world in the family's prepare()")
    return world


def relocate(
    world: World,
    queues: Iterable[str] = tuple(QUEUES),
    *,
    workers: tuple[int, int] = (1, 7),
    servers: Sequence[str] = tuple(SPOKEN),
) -> Shift:
    """Move `world` here, to a part of the company that uses one of `queues`.

    `workers` is how many hosts these have at least and at most, `servers` which databases it may
    have (queues in tables have PostgreSQL).
    """
    rng = world.rng
    queue = rng.choice(list(queues))
    world.brand = QUEUES[queue]
    world.company = _house(rng, world.company, queue, workers, servers)
    world.__class__ = Shift
    return shift(world)


def _house(
    rng: random.Random,
    drawn: Company,
    queue: str,
    workers: tuple[int, int],
    servers: Sequence[str],
) -> House:
    thing, table, effects = rng.choice(_THINGS)
    tongue = rng.choice(SPEAKERS[queue])
    fit = [s for s in servers if s in POSTGRES or queue not in IN_POSTGRES] or list(POSTGRES)
    server = rng.choice(fit)
    database = rng.choice(("dbsrv02", "db-rw.bottega.lan", "cluster-eu.rds.internal"))
    broker, port = BROKERS.get(queue, (database, 5432))
    verb = rng.choice(_VERBS)
    forms = {
        "django": f"{table}.tasks.{verb}_{thing}",
        "django-rq": f"{table}.tasks.{verb}_{thing}",
        "winston": f"{thing}-{verb.replace('_', '-')}",
        "bunyan": f"{verb}_{thing}",
    }
    shape = rng.choice((_pod, _machine, _instance))
    request_ids = {"django": "hex", "django-rq": "hex", "zap": "xid"}.get(tongue, "short")

    def voice(name: str, hosts: int, speaks: str) -> Voice:
        return Voice(name, tuple(shape(rng, name, place) for place in range(hosts)), speaks)

    others = sorted(TONGUES)
    return House(
        front=voice(rng.choice(_FRONTS), rng.randint(1, 5), tongue),
        backs=tuple(
            voice(name, rng.randint(1, 3), rng.choice(others))
            for name in rng.sample(_BACKS, rng.randint(2, 6))
        ),
        worker=voice(rng.choice(_WORKERS), rng.randint(*workers), tongue),
        thing=thing,
        table=table,
        effects=effects,
        job_class=forms.get(tongue, f"{verb.title().replace('_', '')}{thing.title()}"),
        queue=rng.choice(("work", "slow", f"{table}-out", "notifications", "p2")),
        queue_brand=QUEUES[queue].name,
        broker=broker,
        broker_port=port,
        database=database,
        third=rng.choice(_THIRD),
        region=drawn.region,
        other_region=drawn.other_region,
        numeric_ids=False,
        central_logs=rng.random() < 0.5,
        commit_times=drawn.commit_times and server != "mysql",
        zone=drawn.zone,
        record_ids=rng.choice(list(RECORDS)),
        request_ids=request_ids,
        server=server,
    )


def _pod(rng: random.Random, name: str, _place: int) -> str:
    return f"{name}-{rng.getrandbits(36):09x}-{''.join(rng.choices(LOWER, k=5))}"


def _machine(rng: random.Random, name: str, place: int) -> str:
    return f"vm-{name[:8]}{place + 1:02}-{rng.randint(1, 3)}"


def _instance(rng: random.Random, name: str, _place: int) -> str:
    return f"i-{rng.getrandbits(68):017x}.{name[:4]}"
