"""The third company itself, and a world that lives in it.

A family's `prepare` calls `move_in` before traffic is laid out. From then on the world is a
`Watch`: it makes ids of this company's shapes, lets the database speak its own language, and knows
the few acts that the families here share.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.score.company import Company, Service
from tests.score.queues import Job
from tests.score.second_company.queues import rabbit_samples
from tests.score.third_company.compiled import LOG4J2, SPDLOG, VAPOR
from tests.score.third_company.ids import RECORDS, REQUESTS, uuid4
from tests.score.third_company.queues import QUEUES
from tests.score.third_company.scripted import LOGGER, LOGRAGE, STRUCTLOG, ZEROLOG
from tests.score.third_company.servers import POSTGRES, SERVERS, Server
from tests.score.truth import Entity
from tests.score.wording import Style
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR, Event
from timeline.keys import KeyRules

LANGUAGES: Mapping[str, Style] = {
    "log4j2": LOG4J2,
    "structlog": STRUCTLOG,
    "lograge": LOGRAGE,
    "zerolog": ZEROLOG,
    "logger": LOGGER,
    "spdlog": SPDLOG,
    "vapor": VAPOR,
}
USERS: Mapping[str, tuple[str, ...]] = {
    "solid-queue": ("lograge",),
    "good-job": ("lograge",),
    "procrastinate": ("structlog",),
    "dramatiq": ("structlog",),
    "rabbitmq": ("log4j2", "zerolog", "logger", "spdlog"),
}
"""The languages in which each queue has a client that people use."""
KEEPING = ("solid-queue", "good-job", "procrastinate")
"""Queues in tables, which still show a job that has ended."""
IN_DATABASE = KEEPING
NUMBERED = ("procrastinate",)
_BROKERS = {"rabbitmq": ("rmq-ha.svc.halle", 5672), "dramatiq": ("redis-tasks.svc.halle", 6379)}
_THINGS = (
    ("rental", "rentals", "handovers"),
    ("subscription", "subscriptions", "renewals"),
    ("consignment", "consignments", "waybills"),
    ("refund", "refunds", "notices"),
    ("reservation", "reservations", "vouchers"),
    ("sample", "samples", "findings"),
    ("tenancy", "tenancies", "deposits"),
    ("repair", "repairs", "estimates"),
)
_JOBS = ("Confirm{T}Job", "{T}NoticeJob", "{t}.announce", "{t}_followup", "Issue{T}Papers")
_FRONTS = ("desk", "selfservice", "mobile-bff", "edge-api", "extranet")
_BACKS = (
    "authz",
    "calendar",
    "documents",
    "fleet",
    "fx-rates",
    "customers",
    "workflow",
    "translations",
    "thumbnails",
    "availability",
    "risk",
)
_WORKERS = ("handler", "spooler", "taskrunner", "backoffice")
_THIRD = (
    ("bank transfer", "api.swiftpay.example", "/v4/transfers"),
    ("postal service", "ws.poste-lettres.example", "/lettres/v1"),
    ("identity check", "verify.idbureau.example", "/checks"),
    ("text messages", "api.mensajes.example", "/sms"),
    ("road tolls", "tolls.autovia.example", "/v2/crossings"),
)
_DATABASES = ("sql-a.svc.halle", "rds-core", "pgbouncer.svc.halle", "db-paris-1")
_SITES = ("par2", "mad1", "lys3")
_RULES = KeyRules()


@dataclass(frozen=True, slots=True)
class Voice(Service):
    """A service that speaks one of `LANGUAGES`."""

    @property
    def style(self) -> Style:
        return LANGUAGES[self.style_name]


@dataclass(frozen=True, slots=True)
class House(Company):
    """What the generator's company does not say: the shapes of ids, the server's language."""

    records: str = "uuid7"
    server: str = "english"


class Watch(World):
    """A world of a `House`; all that was drawn stands in the company, so it adds no fields."""

    @property
    def house(self) -> House:
        if not isinstance(self.company, House):
            raise TypeError("move_in() has to come first, in the family's prepare()")
        return self.company

    @property
    def server(self) -> Server:
        return SERVERS[self.house.server]

    # -- names ---------------------------------------------------------------------------------

    def new_id(self) -> str:
        return RECORDS[self.house.records](self.rng)

    def new_job_id(self) -> str:
        if self.brand.name not in NUMBERED:
            return uuid4(self.rng)
        self._number += 1
        return str(18_400_000 + self._number)

    def request_id(self) -> str:
        return REQUESTS[self.house.front.style_name](self.rng)

    def entity(self, thing: str, request: str = "", job: Job | None = None) -> Thing:
        found = super().entity(thing, request, job)
        found.keys |= request_names(request) if request else frozenset()
        found.keys |= job_names(job.id) if job else frozenset()
        return found

    # -- speaking ------------------------------------------------------------------------------

    def error(self, service: Service, phrase: str, /, **values: object) -> str:
        """As the generator's, but of the database that this company has."""
        if phrase == "sql" and values.get("message") == ENGLISH_DEADLOCK:
            values["message"] = self.server["deadlock"]
        if self.house.server == "mariadb" and phrase in ("sql", "db_closed"):
            phrase += "_maria"
        words = super().error(service, phrase, **values)
        return words.replace("ERROR:", "ERREUR:") if self.house.server == "french" else words

    def says(self, phrase: str, /, **values: object) -> str:
        """What the server says."""
        return self.server[phrase].format(**values)

    def sql_error(self, service: Service, phrase: str, /, **values: object) -> str:
        """What `service` makes of what the server says."""
        return self.error(service, "sql", message=self.says(phrase, **values))

    def database_log(self, seconds: float, pid: int, words: str, severity: int = 9) -> None:
        """A line of the server's own log, whichever server it is."""
        if words.startswith(ENGLISH_DEADLOCK):
            words = words.replace(ENGLISH_DEADLOCK, self.server["deadlock"], 1)
        if self.house.server != "mariadb":
            super().database_log(seconds, pid, words, severity)
            return
        level = "ERROR" if severity >= SEVERITY_ERROR else "Warning" if severity > 9 else "Note"
        body = f"{pid} [{level}] {words.partition('␊')[0]}"
        self.log(seconds, "mariadb", self.house.database, body, severity, source="db-log")

    def server_line(
        self, seconds: float, phrase: str, severity: int = 9, /, **values: object
    ) -> None:
        pid = int(str(values.get("pid", self.rng.randint(900, 31_000))))
        self.database_log(seconds, pid, self.says(phrase, **values), severity)

    def line(
        self, seconds: float, by: Service, words: str, severity: int = 9, host: str = ""
    ) -> str:
        """A line in words that are the family's own; returns the host that wrote it."""
        where = host or self.rng.choice(by.hosts)
        self.log(seconds, by.name, where, words, severity)
        return where

    def aside(
        self, seconds: float, who: str, words: str, severity: int = 9, host: str = ""
    ) -> None:
        """A line of what is no service: a kernel, a proxy, a scheduler, a cluster manager."""
        self.log(seconds, who, host or f"{who}-a", words, severity, source=f"{who}-log")

    # -- what really happens -------------------------------------------------------------------

    def begun(self, seconds: float, method: str = "POST", path: str = "") -> tuple[str, str]:
        """A request arrives at the front: its id and the host that has it."""
        rid = self.request_id()
        told = {"method": method, "path": path or f"/{self.house.table}", "rid": rid}
        return rid, self.say(seconds, self.house.front, "begin", told)

    def answered(
        self, seconds: float, rid: str, host: str, status: int, ms: float, **more: str
    ) -> None:
        told: dict[str, object] = {"method": "POST", "path": f"/{self.house.table}", "rid": rid}
        told |= {"status": status, "ms": int(ms), **more}
        self.say(seconds, self.house.front, "end", told, host=host)

    def refused_request(
        self,
        seconds: float,
        service: Service,
        error: str,
        status: int = 500,
        method: str = "GET",
        *,
        took: float = 0.03,
        host: str = "",
    ) -> Entity:
        """A request that a service fails with `error` at `seconds`, `took` after it came."""
        path = f"/{self.house.table}"
        rid, front = self.begun(seconds - took, method, path)
        told = {"method": method, "path": path, "rid": rid, "error": error}
        by = host or (front if service is self.house.front else "")
        self.say(seconds, service, "request_failed", told, host=by, severity=SEVERITY_ERROR)
        self.answered(seconds + 0.003, rid, front, status, took * 1000, method=method)
        return request_names(rid)

    def effect_row(
        self, seconds: float, thing: str, host: str, *, table: str = "", **columns: object
    ) -> Entity:
        """The row that a job leaves, in `table` or where its kind of job does; its keys."""
        made, where = self.new_id(), table or self.house.effects
        shown = {f"{self.house.thing}_id": thing, **columns}
        self.row(seconds, where, made, columns=shown, host=host)
        return frozenset(_RULES.row_keys(where, made))

    def move_work(self, host: str, since: float, to: str, until: float = 1e6) -> None:
        """What `host` would have done from `since` to `until` is done by `to`."""
        low, high = self.at(since), self.at(until)
        self.told = [
            (_rehosted(event, host, to), to)
            if by == host and low <= event.timestamp < high
            else (event, by)
            for event, by in self.told
        ]
        for job in self.jobs:
            for attempt in job.attempts:
                if attempt.host == host and low <= attempt.started < high:
                    attempt.host, attempt.worker = to, self.worker_on(to)

    def counted(self, text: str, since: float = 0.0, until: float = 1e9) -> int:
        """How many events of `[since, until)` hold `text`."""
        low, high = self.at(since), self.at(min(until, self.now_s))
        return sum(low <= e.timestamp < high and text in e.body for e, _ in self.told)

    def settle_accounts(self) -> None:
        """RabbitMQ's samples; the last act of every night here."""
        if self.brand.name != "rabbitmq":
            return
        end, now = self.at(self.end_s), self.at(self.now_s)
        for queue in sorted({job.queue for job in self.jobs}):
            mine = [job for job in self.jobs if job.queue == queue]
            for sample in rabbit_samples(queue, mine, self.start, end, now):
                self.tell(sample, "rabbitmq")


ENGLISH_DEADLOCK = "deadlock detected"
"""What the generator's ordinary noise says in every database."""


def request_names(request: str) -> Entity:
    return frozenset((f"request:{request}", f"trace:{request}"))


def job_names(job: str) -> Entity:
    """Whatever its library calls a job."""
    return frozenset(f"{kind}:{job}" for kind in ("job", "message", "task"))


def watch(world: World) -> Watch:
    """The world after `move_in`. Raises `TypeError` for any other."""
    if isinstance(world, Watch):
        return world
    raise TypeError("move_in() has to come first, in the family's prepare()")


def move_in(
    world: World,
    queues: Iterable[str] = tuple(USERS),
    *,
    languages: Sequence[str] = (),
    servers: Sequence[str] = tuple(SERVERS),
    workers: tuple[int, int] = (2, 7),
    fronts: tuple[int, int] = (1, 5),
    backs: tuple[int, int] = (2, 7),
) -> None:
    """Make `world` a night of this company.

    `languages` narrows what the front and the workers are written in, `servers` what the database
    may be; the pairs are least and most hosts, and least and most further services.
    """
    rng = world.rng
    known = {q: [v for v in USERS[q] if not languages or v in languages] for q in queues}
    queue = rng.choice([name for name, users in known.items() if users])
    language = rng.choice(known[queue])
    allowed = [s for s in servers if s in POSTGRES or queue not in IN_DATABASE]
    world.brand = QUEUES[queue]
    world.company = _house(rng, world.company, queue, language, allowed, workers, fronts, backs)
    world.__class__ = Watch


def _house(
    rng: random.Random,
    drawn: Company,
    queue: str,
    language: str,
    servers: Sequence[str],
    workers: tuple[int, int],
    fronts: tuple[int, int],
    backs: tuple[int, int],
) -> House:
    thing, table, effects = rng.choice(_THINGS)
    database = rng.choice(_DATABASES)
    broker, port = _BROKERS.get(queue, (database, 5432))
    others = sorted(LANGUAGES)
    server = rng.choice(list(servers))
    shape = rng.choice(_JOBS) if language in ("log4j2", "logger", "zerolog") else "Confirm{T}Job"
    if language == "structlog":
        shape = rng.choice(("{t}s.tasks.announce", "{t}s.tasks.issue_papers"))
    near = [
        _voice(rng, name, rng.randint(1, 3), rng.choice(others))
        for name in rng.sample(_BACKS, rng.randint(*backs))
    ]
    return House(
        front=_voice(rng, rng.choice(_FRONTS), rng.randint(*fronts), language),
        backs=tuple(near),
        worker=_voice(rng, rng.choice(_WORKERS), rng.randint(*workers), language),
        thing=thing,
        table=table,
        effects=effects,
        job_class=shape.format(T=thing.title(), t=thing),
        queue=rng.choice(("notices", "within_30s", f"{table}.followup", "normal", "papers")),
        queue_brand=QUEUES[queue].name,
        broker=broker,
        broker_port=port,
        database=database,
        third=rng.choice(_THIRD),
        region=drawn.region,
        other_region=drawn.other_region,
        numeric_ids=False,
        central_logs=drawn.central_logs,
        commit_times=drawn.commit_times and server != "mariadb",
        zone=drawn.zone,
        records=rng.choice(sorted(RECORDS)),
        server=server,
    )


def _voice(rng: random.Random, name: str, hosts: int, language: str) -> Voice:
    shape = rng.choice(("pod", "metal", "node"))
    release, site = f"{rng.getrandbits(36):09x}", rng.choice(_SITES)
    places = {
        "pod": [f"{name}-{release}-{rng.getrandbits(20):05x}" for _ in range(hosts)],
        "metal": [f"{site}-{name}{rng.randint(1, 9)}{n}" for n in range(hosts)],
        "node": [f"{name}-{n}.{site}.halle" for n in range(hosts)],
    }
    return Voice(name, tuple(places[shape]), language)


def _rehosted(event: Event, host: str, to: str) -> Event:
    attributes = event.attributes
    if attributes and f'"host.name": {json.dumps(host)}' in attributes:
        attributes = attributes.replace(json.dumps(host), json.dumps(to))
    clock = to if event.clock == host else event.clock
    return replace(event, clock=clock, attributes=attributes)
