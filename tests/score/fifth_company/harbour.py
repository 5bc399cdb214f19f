"""The fifth company: who it is, what it calls things, and how a family's world moves there.

`settle` is called from a family's `prepare`, before traffic is laid out. It makes the world a
`Watch`, which makes its own ids, words a family's facts in the speaker's language and tells the
queue's tables once all jobs of the night are known.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tests.score.company import Company, Service
from tests.score.fifth_company.ids import RECORDS, REQUESTS
from tests.score.fifth_company.java_ruby import PEKKO, QUARKUS, RAILS
from tests.score.fifth_company.python_node import LOG4JS, LOGURU
from tests.score.fifth_company.tables import QUEUES, TABLES, job_id
from tests.score.second_company.elsewhere import Firm, Night
from tests.score.wording import Style
from tests.score.world import World

TONGUES: dict[str, Style] = {
    "quarkus": QUARKUS,
    "pekko": PEKKO,
    "rails": RAILS,
    "loguru": LOGURU,
    "log4js": LOG4JS,
}
SPEAKERS: dict[str, tuple[str, ...]] = {
    "solid-queue": ("rails",),
    "pg-boss": ("log4js",),
    "graphile-worker": ("log4js",),
    "procrastinate": ("loguru",),
    "rabbitmq": ("quarkus", "pekko"),
}
"""Who uses which queue."""
KEEPING = ("solid-queue", "pg-boss", "procrastinate")
"""Queues that still show a job that has ended."""
_THINGS = (
    ("permit", "permits", "notices"),
    ("meter", "meters", "readings"),
    ("specimen", "specimens", "lab_reports"),
    ("voucher", "vouchers", "redemptions"),
    ("berth", "berths", "dockings"),
    ("subscription", "subscriptions", "charges"),
    ("complaint", "complaints", "replies"),
)
_VERBS = ("Issue", "Bill", "Transmit", "Certify", "Forward", "Publish")
_FRONTS = ("self-service", "counter", "app-backend", "intake", "desk")
_BACKS = (
    "registry",
    "rating",
    "calendar",
    "archive",
    "eligibility",
    "signing",
    "addresses",
    "fees",
    "translations",
    "maps",
    "dunning",
)
_WORKERS = ("stoker", "deckhands", "postroom", "background-lane")
_THIRD = (
    ("post office", "api.postnett.example", "/v4/letters"),
    ("e-signature", "sign.trustwell.example", "/envelopes"),
    ("utility hub", "hub.gridlink.example", "/meter-values"),
    ("payments", "gateway.coinbridge.example", "/debits"),
)
_NO_FIELDS: Mapping[str, object] = MappingProxyType({})
_DATABASES = ("pg-primary-0.vik.local", "ledger-db", "rds-vik-writer")


@dataclass(frozen=True, slots=True)
class Speaker(Service):
    """A service that speaks one of `TONGUES`."""

    @property
    def style(self) -> Style:
        return TONGUES[self.style_name]


class Watch(Night):
    """A night of this company. Adds no state: everything drawn stands in the firm."""

    def new_id(self) -> str:
        return RECORDS[self.firm.record_ids](self.rng)

    def request_id(self) -> str:
        return REQUESTS[self.firm.request_ids](self.rng)

    def new_job_id(self) -> str:
        self._number += 1
        return job_id(self.brand.name, self._number, self.rng.getrandbits(128))

    def note(
        self,
        seconds: float,
        by: Service,
        words: str,
        fields: Mapping[str, object] = _NO_FIELDS,
        *,
        host: str = "",
        severity: int = 9,
    ) -> str:
        """A line of `by` about its own work, with `fields` as its language writes them."""
        text = f"{words}{_written(by.style_name, fields)}"
        return self.say(seconds, by, "note", {"words": text}, host=host, severity=severity)

    def named(self, thing: str) -> dict[str, str]:
        """The thing as a field of a line: `permit_id`."""
        return {f"{self.firm.thing}_id": thing}

    def close_the_books(self) -> None:
        """The queue's own account, once all jobs of the night are known."""
        super().close_the_books()
        tables = TABLES.get(self.brand.name)
        if tables is None:
            return
        low, now = self.start, self.at(self.now_s)
        for event, host in tables.told(self.jobs, now):
            if low <= event.timestamp < now:
                self.tell(event, host)


def _written(tongue: str, fields: Mapping[str, object]) -> str:
    """Fields behind a message: an object in Node, `snake=value` in Python and Ruby, else camel."""
    if not fields:
        return ""
    if tongue == "log4js":
        shown = (
            f"{_camel(name)}: {value}" if isinstance(value, int) else f"{_camel(name)}: '{value}'"
            for name, value in fields.items()
        )
        return f" {{ {', '.join(shown)} }}"
    plain = tongue in ("loguru", "rails")
    pairs = (f"{name if plain else _camel(name)}={value}" for name, value in fields.items())
    return f" {' '.join(pairs)}"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def watch(world: World) -> Watch:
    """The world as `settle` left it. Raises `TypeError` for one that was not settled."""
    if not isinstance(world, Watch):
        raise TypeError("settle the world in the family's prepare()")
    return world


def settle(
    world: World,
    queues: Iterable[str] = tuple(SPEAKERS),
    *,
    workers: tuple[int, int] = (2, 6),
    fronts: tuple[int, int] = (2, 5),
    records: Sequence[str] = tuple(RECORDS),
    central: bool | None = None,
) -> None:
    """Move `world` to this company, which uses one of `queues`.

    `workers` and `fronts` are how many hosts those have at least and at most; `central` says
    whether all logs lie in one store, where that must not be drawn.
    """
    rng = world.rng
    pairs = [(queue, tongue) for queue in queues for tongue in SPEAKERS[queue]]
    queue, tongue = rng.choice(pairs)
    world.brand = QUEUES[queue]
    thing, table, effects = rng.choice(_THINGS)
    database = rng.choice(_DATABASES)
    drawn: Company = world.company
    others = sorted(TONGUES)
    in_rails = tongue == "rails"
    shapes = [shape for shape in records if not in_rails or shape in ("uuid7", "serial")]
    world.company = Firm(
        front=_speaker(rng, rng.choice(_FRONTS), rng.randint(*fronts), tongue),
        backs=tuple(
            _speaker(rng, name, rng.randint(1, 3), rng.choice(others))
            for name in rng.sample(_BACKS, rng.randint(3, 7))
        ),
        worker=_speaker(rng, rng.choice(_WORKERS), rng.randint(*workers), tongue),
        thing=thing,
        table=table,
        effects=effects,
        job_class=job_name(rng.choice(_VERBS), thing, tongue),
        queue=rng.choice(("letters", "standard", f"{thing}_work", "evening", "lane_2")),
        queue_brand=world.brand.name,
        broker="mq-1.vik.local" if queue == "rabbitmq" else database,
        broker_port=5672 if queue == "rabbitmq" else 5432,
        database=database,
        third=rng.choice(_THIRD),
        region=drawn.region,
        other_region=drawn.other_region,
        numeric_ids=False,
        central_logs=drawn.central_logs if central is None else central,
        commit_times=drawn.commit_times,
        zone=drawn.zone,
        record_ids=rng.choice(shapes or ["serial"]),
        request_ids=tongue,
    )
    world.__class__ = Watch


def job_name(verb: str, thing: str, tongue: str) -> str:
    """As each language calls a job: `CloseBerthJob`, `berth-close`, …"""
    return {
        "rails": f"{verb}{thing.title()}Job",
        "log4js": f"{thing}-{verb.lower()}",
        "loguru": f"vik.{thing}.tasks.{verb.lower()}_{thing}",
    }.get(tongue, f"{verb}{thing.title()}Command")


def _speaker(rng: random.Random, name: str, hosts: int, tongue: str) -> Speaker:
    zone = rng.choice("abc")
    places = tuple(
        f"{name}-{zone}{place + 1:02d}-{rng.getrandbits(16):04x}" for place in range(hosts)
    )
    return Speaker(name, places, tongue)
