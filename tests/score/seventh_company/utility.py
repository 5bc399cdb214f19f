"""The utility itself, and a world that lives in it.

A family's `prepare` calls `move_in` before traffic is laid out. From then on the world is a
`Shift`: it makes ids of this company's shapes and knows the acts that the families here share.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.score.company import Company, Service
from tests.score.families.shopfloor import side_line
from tests.score.queues import Job
from tests.score.seventh_company.ids import RECORDS, REQUESTS, uuid4
from tests.score.seventh_company.java_python import LOGURU, QUARKUS
from tests.score.seventh_company.node_go import NEST, SLOG
from tests.score.seventh_company.queues import QUEUES
from tests.score.truth import Entity
from tests.score.wording import Style
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR
from timeline.keys import KeyRules

LANGUAGES = {"nest": NEST, "slog": SLOG, "loguru": LOGURU, "quarkus": QUARKUS}
PRODUCERS = {"pg-boss": ("nest",), "river": ("slog", "loguru")}
"""Languages in which each queue has a client that inserts; River's Python client does only that."""
CONSUMERS = {"pg-boss": "nest", "river": "slog"}
_THINGS = (
    ("reading", "readings", "consumptions"),
    ("instalment", "instalments", "collections"),
    ("relocation", "relocations", "confirmations"),
    ("enrolment", "enrolments", "notifications"),
    ("outage", "outages", "dispatches"),
    ("permit", "permits", "activations"),
)
_FRONTS = ("kundenportal", "selfcare-api", "counter", "app-gateway", "marketcomm")
_BACKS = (
    "meterhub",
    "tariffs",
    "contracts",
    "gridmap",
    "forecast",
    "dunning",
    "addresses",
    "documents",
    "balance-group",
)
_WORKERS = ("settler", "letterbox", "nightshift", "runner")
_THIRD = (
    ("letter printing", "print.briefdruck.example", "/v2/letters"),
    ("bank account check", "iban.kontopruef.example", "/v1/verify"),
    ("grid data exchange", "as4.netzdaten.example", "/msh/in"),
    ("address register", "api.strassenwerk.example", "/lookup"),
)
_DATABASES = ("pg-core.sw.internal", "pgc-1.db", "core-rw.postgres.svc")
_JOB_STORES = ("pg-jobs.sw.internal", "jobs-rw.postgres.svc")
_RULES = KeyRules()


@dataclass(frozen=True, slots=True)
class Voice(Service):
    """A service that speaks one of `LANGUAGES`."""

    @property
    def style(self) -> Style:
        return LANGUAGES[self.style_name]


@dataclass(frozen=True, slots=True)
class Utility(Company):
    """What the generator's company does not say: the shape of ids."""

    records: str = "ulid"


class Shift(World):
    """A world of a `Utility`; all that was drawn stands in the company, so it adds no fields."""

    @property
    def utility(self) -> Utility:
        if not isinstance(self.company, Utility):
            raise TypeError("move_in() has to come first, in the family's prepare()")
        return self.company

    # -- names ---------------------------------------------------------------------------------

    def new_id(self) -> str:
        return RECORDS[self.utility.records](self.rng)

    def job_id_at(self, seconds: float) -> str:
        """The id of a job that is inserted now: River's rise with time, pg-boss draws."""
        if self.brand.name == "pg-boss":
            return uuid4(self.rng)
        number, taken = 93_100_000 + int(seconds * 500), {job.id for job in self.jobs}
        while str(number) in taken:
            number += 1
        return str(number)

    def push(self, seconds: float, thing: str, host: str, job_class: str = "") -> Job:
        job = super().push(seconds, thing, host, job_class)
        job.id = self.job_id_at(seconds)
        return job

    def request_id(self) -> str:
        return REQUESTS[self.utility.front.style_name](self.rng)

    def entity(self, thing: str, request: str = "", job: Job | None = None) -> Thing:
        found = super().entity(thing, request, job)
        found.keys |= request_names(request) if request else frozenset()
        return found

    # -- speaking ------------------------------------------------------------------------------

    def database_log(self, seconds: float, pid: int, words: str, severity: int = 9) -> None:
        level = (
            "" if words.partition(":")[0].isupper() else "ERROR:  " if severity > 9 else "LOG:  "
        )
        body = f"[{pid}] svc_core@core {level}{words}"
        self.log(seconds, "postgresql", self.company.database, body, severity, source="db-log")

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
        """A line of what is no service: a broker of telegrams, a kernel, a timer."""
        side_line(self, seconds, who, host or f"{who}-01", words, severity)

    # -- what really happens -------------------------------------------------------------------

    def served(
        self,
        seconds: float,
        by: Service,
        path: str,
        *,
        method: str = "GET",
        status: int = 200,
        took: float = 0.03,
        error: str = "",
        rid: str = "",
        host: str = "",
    ) -> tuple[str, str]:
        """One request's lines, with `error` just before the answer; its id and its host."""
        rid = rid or self.request_id()
        told: dict[str, object] = {"method": method, "path": path, "rid": rid}
        host = self.say(seconds, by, "begin", told, host=host)
        if error:
            at, bad = seconds + took - 0.002, {**told, "error": error}
            self.say(at, by, "request_failed", bad, host=host, severity=SEVERITY_ERROR)
        told |= {"status": status, "ms": int(took * 1000)}
        self.say(seconds + took, by, "end", told, host=host)
        return rid, host

    def effect_row(self, seconds: float, thing: str, host: str, **columns: object) -> Entity:
        """The row that a job leaves; its keys."""
        made, firm = self.new_id(), self.utility
        shown = {f"{firm.thing}_id": thing, **columns}
        self.row(seconds, firm.effects, made, columns=shown, host=host)
        return frozenset(_RULES.row_keys(firm.effects, made))


def request_names(request: str) -> Entity:
    return frozenset((f"request:{request}", f"trace:{request}"))


def thing_names(here: Shift, thing: str) -> Entity:
    rows = _RULES.row_keys(here.utility.table, thing)
    return frozenset((*rows, f"{here.utility.thing}:{thing}"))


def shift(world: World) -> Shift:
    """The world after `move_in`. Raises `TypeError` for any other."""
    if isinstance(world, Shift):
        return world
    raise TypeError("move_in() has to come first, in the family's prepare()")


def move_in(
    world: World,
    queues: Iterable[str] = tuple(QUEUES),
    *,
    fronts: tuple[int, int] = (2, 4),
    workers: tuple[int, int] = (2, 5),
    producers: tuple[str, ...] = (),
) -> None:
    """Make `world` a night of this company. The pairs are least and most hosts; `producers`
    narrows the languages of the front."""
    rng = world.rng
    queue = rng.choice(sorted(queues))
    allowed = [v for v in PRODUCERS[queue] if not producers or v in producers]
    world.brand = QUEUES[queue]
    world.company = _utility(
        rng, world.company, queue, rng.choice(allowed), rng.randint(*fronts), rng.randint(*workers)
    )
    world.__class__ = Shift


def without_pause(world: World) -> None:
    """No maintenance of the queue on this night."""
    world.paused = (0.0, 0.001)


def in_files(here: Shift) -> None:
    """Every service writes a file of its own."""
    here.company = replace(here.utility, central_logs=False)


def _utility(
    rng: random.Random, drawn: Company, queue: str, language: str, fronts: int, workers: int
) -> Utility:
    thing, table, effects = rng.choice(_THINGS)
    job = {"nest": f"{thing}.follow-up", "slog": f"{thing}_follow_up"}[CONSUMERS[queue]]
    names = rng.sample(_BACKS, rng.randint(3, 6))
    return Utility(
        front=_voice(rng, rng.choice(_FRONTS), fronts, language),
        backs=tuple(
            _voice(rng, name, rng.randint(1, 3), rng.choice(sorted(LANGUAGES))) for name in names
        ),
        worker=_voice(rng, rng.choice(_WORKERS), workers, CONSUMERS[queue]),
        thing=thing,
        table=table,
        effects=effects,
        job_class=job,
        queue=job if queue == "pg-boss" else rng.choice(("default", "followups", "letters")),
        queue_brand=queue,
        broker=rng.choice(_JOB_STORES),
        broker_port=5432,
        database=rng.choice(_DATABASES),
        third=rng.choice(_THIRD),
        region=drawn.region,
        other_region=drawn.other_region,
        numeric_ids=False,
        central_logs=drawn.central_logs,
        commit_times=drawn.commit_times,
        zone="Europe/Berlin",
        records=rng.choice(sorted(RECORDS)),
    )


def _voice(rng: random.Random, name: str, hosts: int, language: str) -> Voice:
    if rng.random() < 0.6:
        release = f"{rng.getrandbits(36):09x}"
        places = [f"{name}-{release}-{rng.getrandbits(20):05x}" for _ in range(hosts)]
    else:
        site = rng.choice(("swa", "kraftwerk", "rz2"))
        places = [f"{site}-{name}-{place + 1:02d}" for place in range(hosts)]
    return Voice(name, tuple(places), language)
