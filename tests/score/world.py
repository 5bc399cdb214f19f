"""One night of one company: everything that was told, by whom, on whose clock.

`World` keeps events with the host that truly stamped them, so that a clock error can move real
stamps; what is seen of them is the business of `tests.score.collection`. Times are seconds from
the window's start; everything follows from the seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType

from connectors.changes.change import Change, Origin, event_of
from connectors.prometheus.api import Series
from connectors.prometheus.telling import curve_events
from connectors.queues.transitions import iso
from connectors.sql.rows import APPLICATION_CLOCK
from tests.score.company import Company, Service, company, new_uuid
from tests.score.queues import BRANDS, Attempt, Brand, Job
from tests.score.truth import Entity
from timeline.coverage import Coverage
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.knowledge import Knowledge
from timeline.window import SECOND_NS

PIN_S = 1800.0
NIGHT = int(datetime(2026, 2, 3, 0, 0, tzinfo=UTC).timestamp()) * SECOND_NS
_RULES = KeyRules()


@cache
def _resource(host: str, service: str) -> str:
    """What a central store knows of who wrote a line."""
    return json.dumps({"host.name": host, "service.name": service})


@dataclass
class Thing:
    """One entity with everything that names it."""

    id: str
    request: str
    job: Job | None
    keys: Entity


@dataclass
class World:
    """See the module. `faults` may add knowledge, weaken coverage and mute sources."""

    seed: str
    company: Company
    brand: Brand
    rng: random.Random
    start: int
    end_s: float
    told: list[tuple[Event, str]] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    knowledge: Knowledge = field(default_factory=Knowledge)
    expected: tuple[str, ...] = ()
    weak: list[Coverage] = field(default_factory=list)
    onset_s: float = 0.0
    """When a fault begins: five to fifteen minutes before the pager."""
    paused: tuple[float, float] = (0.0, 0.0)
    """A stretch in which no job starts."""
    deploys: list[float] = field(default_factory=list)
    _number: int = 0

    @classmethod
    def drawn(cls, seed: str, brands: Sequence[str] = ()) -> World:
        """An empty world of a company drawn from `seed`."""
        rng = random.Random(seed)
        brand = BRANDS[rng.choice(list(brands) or sorted(BRANDS))]
        start = NIGHT + rng.randrange(0, 60 * 24 * 3600) * SECOND_NS
        return cls(
            seed=seed,
            company=company(rng, brand.name),
            brand=brand,
            rng=rng,
            start=start,
            end_s=PIN_S + rng.uniform(90, 300),
            onset_s=PIN_S - rng.uniform(300, 900),
        )

    @property
    def now_s(self) -> float:
        return self.end_s + 4

    def at(self, seconds: float) -> int:
        """ns UTC, to the microsecond."""
        return self.start + round(seconds * 1_000_000) * 1_000

    def new_id(self) -> str:
        if not self.company.numeric_ids:
            return new_uuid(self.rng)
        self._number += self.rng.randint(1, 3)
        return str(48_000 + self._number)

    def new_job_id(self) -> str:
        if self.brand.name == "bullmq":
            self._number += 1
            return str(700_000 + self._number)
        if self.brand.name == "sidekiq":
            return f"{self.rng.getrandbits(96):024x}"
        return new_uuid(self.rng)

    def request_id(self) -> str:
        return new_uuid(self.rng) if self.company.central_logs else f"{self.rng.getrandbits(48):x}"

    # -- telling ---------------------------------------------------------------------------------

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
        """One line as the file connector (or a central store) tells it."""
        self._number += 1
        central = self.company.central_logs and not source
        name = source or ("central-logs" if central else f"{service}-log")
        stamp = self.at(seconds) // precision.nanoseconds * precision.nanoseconds
        attributes = _resource(host, service) if central else None
        event = Event(
            timestamp=stamp,
            source=name,
            lane=Lane.LOG,
            kind=Kind.LOG,
            body=body,
            ref=f"{name}@{self._number}",
            seq=self._number,
            severity_number=severity,
            actor=service,
            clock=host,
            precision=precision,
            attributes=attributes,
        )
        self.told.append((event, host))

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
        """`phrase` in the service's own wording; returns the host that said it."""
        host = host or self.rng.choice(by.hosts)
        told = {"thing": self.company.thing, "Thing": self.company.thing.title(), **values}
        self.log(seconds, by.name, host, by.style[phrase].format(**told), severity)
        return host

    def error(self, service: Service, phrase: str, /, **values: object) -> str:
        """The text of an error in the service's language."""
        firm = self.company
        told = {
            "thing": firm.thing,
            "Thing": firm.thing.title(),
            "host": firm.broker,
            "port": firm.broker_port,
            "n": self.rng.randint(3, 40),
            **values,
        }
        return service.style[phrase].format(**told)

    def row(
        self,
        seconds: float,
        table: str,
        pk: str,
        *,
        kind: Kind = Kind.ROW_INSERTED,
        columns: Mapping[str, object] | None = None,
        commit: float | None = None,
        endpoint: str = "primary",
        host: str = "",
    ) -> None:
        """A row as the SQL connectors tell it; `host` is who stamped it, empty for the server."""
        shown = columns or {}
        content: dict[str, object] = {
            "table": table,
            "pk": int(pk) if pk.isdigit() else pk,
            "columns": shown,
            "endpoint": endpoint,
            "seen_at": iso(self.at(self.now_s)),
        }
        if commit is not None and self.company.commit_times:
            content["commit_timestamp"] = iso(self.at(commit))
        place = "created_at" if kind is Kind.ROW_INSERTED else f"updated_at@{seconds:.3f}"
        verb = {Kind.ROW_INSERTED: "inserted", Kind.ROW_DELETED: "marked deleted"}
        values = ", ".join(f"{name}={value}" for name, value in list(shown.items())[:4])
        foreign = [
            f"{name.removesuffix('_id')}:{value}"
            for name, value in shown.items()
            if name.endswith("_id")
        ]
        event = Event(
            timestamp=self.at(seconds),
            source="database",
            lane=Lane.DATABASE,
            kind=kind,
            body=f"{table}/{pk} {verb.get(kind, 'updated')}{f' (now {values})' if values else ''}",
            ref=f"{table}/{pk}#{place}",
            seq=int(pk) if pk.isdigit() else intrinsic_seq(f"{table}/{pk}"),
            actor=table,
            clock=APPLICATION_CLOCK if host else "",
            meaning=Meaning.TRANSACTION_START,
            precision=Precision.MICROSECOND,
            keys=tuple(dict.fromkeys((*_RULES.row_keys(table, pk), *foreign))),
            attributes=json.dumps(content),
        )
        self.told.append((event, host or "database"))

    def tell(self, event: Event, host: str) -> None:
        """Any other event, stamped by `host`."""
        self.told.append((event, host))

    def change(self, seconds: float, words: str, service: str = "", **more: object) -> None:
        """A deployment or the like, as the changes connector tells it."""
        change = Change(
            self.at(seconds) // SECOND_NS * SECOND_NS,
            words,
            f"deploys.csv@{len(self.told)}",
            version=str(more.get("version", "")),
            who=str(more.get("who", "")),
            service=service,
            status=str(more.get("status", "")),
        )
        event = event_of(change, Origin("deploys", "deploys.csv", "", _RULES))
        self.told.append((event, "deploys"))

    def curve(
        self, name: str, labels: dict[str, str], samples: Iterable[tuple[float, float]]
    ) -> None:
        """Points of a configured query, as the Prometheus connector tells them."""
        points = tuple((self.at(s) // 10**6 * 10**6, f"{value:g}") for s, value in samples)
        for event in curve_events("prometheus", name, Series(labels, points)):
            self.told.append((event, "prometheus"))

    def database_log(self, seconds: float, pid: int, words: str, severity: int = 9) -> None:
        """A line of PostgreSQL's own log; its fields follow after the line-break sign."""
        body = f"[{pid}] app@shop {words}"
        self.log(seconds, "postgresql", self.company.database, body, severity, source="db-log")

    def worker_on(self, host: str) -> str:
        return f"{host}.{1000 + sum(host.encode()) % 900}"

    def run(
        self, job: Job, seconds: float, took: float, outcome: str = "finished", error: str = ""
    ) -> Attempt:
        """One attempt of `job` by some worker, with the worker's own lines."""
        host = self.rng.choice(self.company.worker.hosts)
        ended = None if outcome in ("lost", "running") else self.at(seconds + took)
        attempt = Attempt(self.at(seconds), ended, outcome, self.worker_on(host), host, error)
        job.attempts.append(attempt)
        thing = job.args.partition("=")[2]
        values = {"job": job.job_class, "jid": job.id, "id": thing, "ms": int(took * 1000)}
        worker = self.company.worker
        self.say(seconds + 0.002, worker, "started", values, host=host)
        if outcome == "finished":
            self.say(seconds + took, worker, "done", values, host=host)
        elif error:
            self.say(
                seconds + took, worker, "failed", {**values, "error": error}, host=host, severity=17
            )
        return attempt

    def push(self, seconds: float, thing: str, host: str, job_class: str = "") -> Job:
        """A job about `thing`, pushed from `host`."""
        firm = self.company
        job = Job(
            id=self.new_job_id(),
            job_class=job_class or firm.job_class,
            args=f"{firm.thing}_id={thing}",
            keys=(f"{firm.thing}:{thing}",),
            queue=firm.queue,
            host=host,
            pushed=[self.at(seconds)],
        )
        self.jobs.append(job)
        return job

    def entity(self, thing: str, request: str = "", job: Job | None = None) -> Thing:
        """Everything that names `thing`."""
        names = [*_RULES.row_keys(self.company.table, thing), f"{self.company.thing}:{thing}"]
        names += [f"request:{request}"] if request else []
        names += [f"job:{job.id}"] if job else []
        found = Thing(thing, request, job, frozenset(names))
        self.things.append(found)
        return found

    def sources(self) -> tuple[str, ...]:
        """Names of all sources that tell anything."""
        names = {event.source for event, _ in self.told} | {self.brand.name}
        return tuple(sorted(names))
