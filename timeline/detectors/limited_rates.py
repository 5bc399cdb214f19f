"""The part of rejected-by-limit about rates: a limit that began to hit the wrong ones.

Story: since its configuration was loaded anew the proxy takes everybody for one client, the
balancer. The limit on log-ins, meant for one address each, turns most of the world away.

Predicate: from some instant on a server turned away at least `MIN_REFUSED` requests on a route for
their rate, after a time without any, and those hit are not one client of the world that asked too
often: they are one address of the own network, or many addresses of which none has half. Likely
where the limiter's own words say so and the demand on that route is not known to have risen; that
a flood or an own script met the limit is possible at most.

False positives: limits that work all night (usual: silent), one outside address (that is what
limits are for: silent), delayed requests and dry runs (not refused), an outside host's limit
(`third-party`).

Reference: RFC 6585 section 4 (429); nginx, ngx_http_limit_req_module and ngx_http_realip_module.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.facts.rate_limits import TOO_MANY, askers, limited
from timeline.facts.rates import MINUTE_NS
from timeline.facts.requests import on_routes
from timeline.facts.sight import read_until
from timeline.facts.words import capital, counted, instant, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict, before
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_REFUSED = 5
"""Fewer are a burst of one page."""
MIN_QUIET_NS = 2 * MINUTE_NS
QUIET_FOLD = 10
"""So many times its usual pause a limit must have been silent before its first refusal."""
ONE_SHARE = 0.9
MANY, NONE_HAS = 5, 0.5
"""From so many addresses on, of which none has this share, it is no single client."""
MIN_BEFORE = 5
"""Requests on the route before the first refusal on which its demand is based."""
RISEN = 2.0
"""Demand that is this many times what it was may have met the limit for good reason."""
BESIDE_NS = 2 * SECOND_NS
"""The limiter's line and the access line of one request stand within this time."""
UNAVAILABLE = 503
"""What nginx answers by default where it refuses for a rate."""
MAX_ROUTES = 10
INSIDE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)
"""Own networks: RFC 1918, 6598, 4193; loopback and link-local addresses."""


@dataclass(frozen=True, kw_only=True)
class RateLimited(Finding):
    """Requests of one route refused for their rate. Times are ns UTC.

    `client` is the one address that all of them had, or empty; `clients` how many there were.
    `before` different addresses had asked on the route until then (0: not known), and `demand` is
    its requests a minute since, as a multiple of before (None: not known).
    """

    term: ClassVar[str] = "rejected-by-limit"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Let the limiter count by the true client: hand its address on and trust it from one's own "
        "proxies alone, and count by account beside it."
    )

    service: str
    route: str
    statuses: tuple[int, ...]
    failures: int
    client: str
    clients: int
    before: int
    demand: float | None

    def sentence(self) -> str:
        status = f" with {' and '.join(map(str, self.statuses))}" if self.statuses else ""
        known = []
        if self.client and self.before > 1:
            known.append(f"{self.before} addresses had asked there before")
        if self.demand is not None and self.demand < RISEN:
            known.append("requests had not clearly grown")
        return (
            f"{capital(self.service)} refused {self._what}{status} from {instant(self.began)} to "
            f"{instant(self.ended)} for their rate: {self._whom}"
            f"{f' ({listed(known)})' if known else ''}."
        )

    def clause(self) -> str:
        return f"{self.service} refused {self._what} as too many"

    @property
    def _what(self) -> str:
        where = f" on {self.route}" if self.route else ""
        return f"{counted(self.failures, 'request')}{where}"

    @property
    def _whom(self) -> str:
        if self.client:
            return f"all were taken for one address inside, {self.client}"
        return f"they came from {self.clients} addresses"


def limited_rates(incident: Incident) -> list[RateLimited]:
    """Findings by server and route, those with most refusals first."""
    refused = limited(incident)
    if refused.height < MIN_REFUSED:
        return []
    groups = refused.group_by("actor", "route", maintain_order=True).len()
    worth = groups.filter(pl.col("len") >= MIN_REFUSED).sort("len", descending=True)
    found = []
    for actor, route, _ in worth.head(MAX_ROUTES).iter_rows():
        part = refused.filter((pl.col("actor") == actor) & (pl.col("route") == route))
        finding = _judge(incident, part) if _sudden(incident, part) else None
        found += [finding] if finding is not None else []
    return sorted(found, key=lambda one: (-one.failures, one.began, one.route))


def _sudden(incident: Incident, part: pl.DataFrame) -> bool:
    first, last = part["timestamp"][0], part["timestamp"][-1]
    usual = (last - first) / (part.height - 1)
    return bool(first - incident.window.start >= max(MIN_QUIET_NS, QUIET_FOLD * usual))


def _judge(incident: Incident, part: pl.DataFrame) -> RateLimited | None:
    clients = part.filter(pl.col("client") != "").get_column("client").value_counts(sort=True)
    named = int(clients.get_column("count").sum())
    if named < ONE_SHARE * part.height:
        return None  # nobody says whom it hit
    most, first = int(clients["count"][0]), str(clients["client"][0])
    one = first if most >= ONE_SHARE * named else ""
    if one and not _is_inside(one):
        return None
    if not one and (clients.height < MANY or most > NONE_HAS * named):
        return None
    return _finding(incident, part, one, clients.height)


def _is_inside(address: str) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in network for network in INSIDE)


def _finding(incident: Incident, part: pl.DataFrame, one: str, clients: int) -> RateLimited:
    first, last, route = part["timestamp"][0], part["timestamp"][-1], str(part["route"][0])
    actor = str(part["actor"][0])
    every = on_routes(incident, [route]) if route else incident.turned_away.clear()
    every = askers(incident, every.filter(pl.col("actor") == actor))
    earlier = every.filter(pl.col("timestamp") < first)
    demand = _demand(incident, every, first) if earlier.height >= MIN_BEFORE else None
    answers = every.filter(
        pl.col("status").is_in([TOO_MANY, UNAVAILABLE])
        & pl.col("timestamp").is_between(first - BESIDE_NS, last + BESIDE_NS)
    )
    rows = pl.concat([part.get_column("row"), answers.get_column("row")]).unique().sort()
    keys = incident.snapshot.keys_of(rows).get_column("key").unique().sort()
    others = earlier.filter(pl.col("client") != "").get_column("client").n_unique()
    verdict, link = _verdict(said=bool(part["said"][0]), one=one, demand=demand)
    return RateLimited(
        verdict=verdict,
        weakest_link=link,
        began=first,
        ended=last,
        steps=_steps(incident, part),
        keys=tuple(key for key in keys.to_list() if key.startswith(("request:", "trace:"))),
        would_decide=(f"Look by what {actor} tells clients apart, and when that was changed.",),
        alternatives=("there were truly too many requests",),
        next_action=f"Compare the address that {actor} counts by with that of the true clients.",
        service=actor or str(part["source"][0]),
        route=route,
        statuses=tuple(sorted(set(answers.get_column("status").to_list()))),
        failures=part.height,
        client=one,
        clients=clients,
        before=others,
        demand=demand,
    )


def _demand(incident: Incident, every: pl.DataFrame, first: int) -> float:
    """Requests a minute since `first`, as a multiple of those before."""
    earlier = every.filter(pl.col("timestamp") < first).height
    start, until = incident.window.start, max(read_until(incident), first + MINUTE_NS)
    return (every.height - earlier) / (until - first) * (first - start) / earlier


def _verdict(*, said: bool, one: str, demand: float | None) -> tuple[Verdict, str]:
    if demand is not None and demand >= RISEN:
        return Verdict.POSSIBLE, "there were more requests than before: the limit may be right"
    if not said:
        return Verdict.POSSIBLE, "the status alone says so, and not why"
    if not one and demand is None:
        return Verdict.POSSIBLE, "whether there were more requests than before is not on record"
    return Verdict.LIKELY, "the limiter says that it refused; that it should not have is inferred"


def _steps(incident: Incident, part: pl.DataFrame) -> tuple[Step, ...]:
    first, last = incident.snapshot.events_at([part["row"][0], part["row"][-1]])
    order = before(first, last, incident.clocks)
    return (
        Step("refused", first, "the first one for its rate"),
        Step("refused again", last, f"{part.height} in all", order),
    )
