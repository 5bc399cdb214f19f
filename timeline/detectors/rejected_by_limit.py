"""rejected-by-limit: requests were refused because of their size, or for a check they cannot pass.

Story: the Friday batch named five times as many users in the URL, and the URL became too long. The
POST that replaced it was refused on security grounds. Both were the server's own, final word: a
retry changes nothing.

Predicate: answers 413, 414 or 431, or a server's own words about a limit; 400 and 422 where a limit
is named beside them or size alone parts what failed from what succeeded on that route: the largest
success L is smaller than the smallest failure F, with `MIN_SUCCESSES` successes. For a missing
security token (403, 422): refused, and no success of that route since. For a rate: see
`timeline.detectors.limited_rates`.

False positives: scanners (a public address, one try, no success on that route), expired sessions
(others pass the same check after it), validation errors of single users (sizes are mixed): silent.

Reference: netbox-community/netbox#484 and GM-Alex/user-access-manager#198 (414),
mozilla/addons#7478 (413), django-commons/django-tasks-scheduler#401; Django documentation,
DATA_UPLOAD_MAX_NUMBER_FIELDS (1000 by default).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.detectors.limited_rates import limited_rates
from timeline.detectors.refused_requests import (
    BODY,
    HEADER,
    TOKEN,
    URL,
    Bracket,
    RejectedByLimit,
    as_requests,
    refused,
)
from timeline.event import Lane
from timeline.facts.limits import CSRF, Refusal, refusals
from timeline.facts.requests import on_routes
from timeline.facts.sight import heard
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

TOO_LARGE = {413: BODY, 414: URL, 431: HEADER}
"""Statuses that name what was too large (RFC 9110 section 15.5, RFC 6585 section 5)."""
MAY_BE_SIZE = (400, 422)
"""Statuses that limits on fields and lists are answered with, and validation errors too."""
TOKEN_STATUS = (403, 422)
"""What a failed check of the request's origin is answered with (Django, Spring; Rails: 422)."""
MIN_SUCCESSES = 5
"""Smaller requests that passed before size may be called what parts them (catalogue, D25)."""
MIN_FAILURES = 2
"""Failures that must stand beyond every success where the status itself does not name the size."""
NEAR_NS = 2_000_000_000
"""A service's own words and its access line stand within this time: the line ends the request."""
MAX_ROUTES = 40
MAX_FINDINGS = 4


class RejectedByLimitDetector:
    """Finds requests refused for their size or for a security check; see the module."""

    term: ClassVar[str] = RejectedByLimit.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "access logs, or the logs of the service that refused")
        said = refusals(incident)
        failed = incident.turned_away.filter(
            pl.col("status").is_in([*TOO_LARGE, *MAY_BE_SIZE, *TOKEN_STATUS])
        )
        rates = limited_rates(incident)
        if failed.is_empty() and not said:
            return rates[:MAX_FINDINGS]
        failed = _bounded(failed)
        routes = {str(route) for route in failed.get_column("route").to_list()}
        every = on_routes(incident, sorted(routes | {one.route for one in said if one.route}))
        used: set[int] = set()
        found = _by_status(incident, failed, every, said, used)
        found += _by_words(incident, failed, every, [one for one in said if one.row not in used])
        found += _forbidden_after(incident, failed, every, found)
        found.sort(key=lambda one: (one.what == TOKEN, -one.failures, one.began, one.route))
        return [*_linked(found), *rates][:MAX_FINDINGS]


def _bounded(failed: pl.DataFrame) -> pl.DataFrame:
    """The requests of the most refused routes; scanners try thousands of others, once each."""
    size = pl.col("status").is_in(list(TOO_LARGE))
    routes = failed.group_by("route").agg(n=pl.len(), named=size.any())
    ranked = routes.sort(["named", "n", "route"], descending=[True, True, False]).head(MAX_ROUTES)
    return failed.join(ranked.select("route"), on="route", how="semi").sort("timestamp", "row")


def _bracket(failed: pl.DataFrame, every: pl.DataFrame, measure: str) -> Bracket:
    route, actor = failed["route"][0], failed["actor"][0]
    passed = every.filter(
        (pl.col("route") == route)
        & (pl.col("actor") == actor)
        & pl.col("status").is_between(200, 399)
        & pl.col("method").is_in(failed.get_column("method").unique().implode())
    )
    largest = max(passed.get_column(measure).drop_nulls().to_list(), default=None)
    smallest = min(failed.get_column(measure).drop_nulls().to_list(), default=None)
    return Bracket(passed.height, largest, smallest)


def _by_status(
    incident: Incident,
    failed: pl.DataFrame,
    every: pl.DataFrame,
    said: Sequence[Refusal],
    used: set[int],
) -> list[RejectedByLimit]:
    """Refusals that an answer's status tells, by service, route and status.

    Rows of the server's words that belong to them are added to `used`.
    """
    found = []
    sized = failed.filter(pl.col("status").is_in([*TOO_LARGE, *MAY_BE_SIZE]))
    for _, part in sized.group_by(["actor", "route", "status"], maintain_order=True):
        status = int(part["status"][0])
        what = TOO_LARGE.get(status, BODY)
        words = [one for one in said if one.what != CSRF and _same(one, part)]
        named = status in TOO_LARGE or bool(words)
        told = part.get_column("body_bytes").drop_nulls().len() > 0
        measure = "body_bytes" if what != URL and told else "line_bytes"
        bracket = _bracket(part, every, measure)
        if not named and not (
            bracket.parted and bracket.successes >= MIN_SUCCESSES and part.height >= MIN_FAILURES
        ):
            continue
        if status in MAY_BE_SIZE and not words and measure == "line_bytes":
            what = URL
        strange = not words and _scanned(part, every)
        if strange and part.height < MIN_FAILURES:
            continue
        used.update(one.row for one in words)
        finding = refused(incident, part, what, bracket, words, named)
        found.append(_doubted(finding) if strange else finding)
    return found


def _scanned(part: pl.DataFrame, every: pl.DataFrame) -> bool:
    """Whether only public addresses, or nobody named, asked for what nobody was ever given."""
    route = every.filter(
        (pl.col("route") == part["route"][0]) & pl.col("status").is_between(200, 399)
    )
    clients = [name for name in part.get_column("client").to_list() if name]
    return route.is_empty() and all(map(_is_public, clients))


def _doubted(finding: RejectedByLimit) -> RejectedByLimit:
    why = "nothing on this route succeeded in what was read: a scanner asks so too"
    return replace(finding, verdict=Verdict.POSSIBLE, weakest_link=why, qualifier=True)


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def _same(one: Refusal, part: pl.DataFrame) -> bool:
    """Whether the server's words may be about these answers: close in time, and no other route."""
    first, last = part["timestamp"][0], part["timestamp"][-1]
    near = first - NEAR_NS <= one.timestamp <= last + NEAR_NS
    return near and (not one.route or one.route == part["route"][0])


def _by_words(
    incident: Incident, failed: pl.DataFrame, every: pl.DataFrame, said: Sequence[Refusal]
) -> list[RejectedByLimit]:
    """Refusals that only the server's own words tell: by what, service and route."""
    groups: dict[tuple[str, str, str], list[Refusal]] = {}
    for one in said:
        groups.setdefault((one.what, one.actor, one.route), []).append(one)
    found = []
    for (what, _, route), words in groups.items():
        if what == CSRF:
            finding = _token(incident, words, failed, every, route)
            found += [finding] if finding is not None else []
            continue
        sizes = [one.size for one in words if one.size is not None]
        bracket = Bracket(0, None, min(sizes, default=None))
        found.append(refused(incident, as_requests(words), what, bracket, words, named=True))
    return found


def _token(
    incident: Incident,
    words: Sequence[Refusal],
    failed: pl.DataFrame,
    every: pl.DataFrame,
    route: str,
) -> RejectedByLimit | None:
    """A check that nobody has passed on this route since; sessions expire one at a time."""
    first = words[0].timestamp
    answers = failed.filter(
        pl.col("status").is_in(TOKEN_STATUS) & (pl.col("timestamp") >= first - NEAR_NS)
    )
    if not route:
        route = _route_near(answers, words)
    own = answers.filter(pl.col("route") == route)
    methods = {one.method for one in words if one.method} or set(own["method"].to_list())
    if _passed(every, route, methods, first) or (len(words) < MIN_FAILURES and not route):
        return None
    finding = refused(incident, as_requests(words), TOKEN, Bracket(0, None, None), words, True)
    return replace(
        finding,
        route=route,
        statuses=tuple(sorted(set(own["status"].to_list()))),
        methods=tuple(sorted(methods)),
    )


def _route_near(answers: pl.DataFrame, words: Sequence[Refusal]) -> str:
    """The only route that was answered with such a status beside the words; empty if several."""
    near = {
        str(name)
        for one in words
        for name in answers.filter((pl.col("timestamp") - one.timestamp).abs() <= NEAR_NS)
        .get_column("route")
        .to_list()
    }
    return near.pop() if len(near) == 1 else ""


def _passed(every: pl.DataFrame, route: str, methods: set[str], since: int) -> bool:
    """Whether a request of these methods succeeded on the route after `since` (ns)."""
    later = every.filter(
        (pl.col("route") == route)
        & pl.col("status").is_between(200, 399)
        & (pl.col("timestamp") > since)
        & (pl.col("method").is_in(sorted(methods)) if methods else pl.col("method") != "GET")
    )
    return later.height > 0


def _forbidden_after(
    incident: Incident,
    failed: pl.DataFrame,
    every: pl.DataFrame,
    found: Sequence[RejectedByLimit],
) -> list[RejectedByLimit]:
    """Another method tried where one was too large, and forbidden: the words are not there."""
    told = {one.route for one in found if one.what == TOKEN}
    more = []
    for one in found:
        if one.what == TOKEN or not one.route or one.route in told:
            continue
        part = failed.filter(
            (pl.col("route") == one.route)
            & pl.col("status").is_in(TOKEN_STATUS)
            & ~pl.col("method").is_in(list(one.methods))
            & (pl.col("timestamp") > one.began)
        )
        methods = set(part["method"].to_list())
        if part.is_empty() or _passed(every, one.route, methods, part["timestamp"][0]):
            continue
        finding = refused(incident, part, TOKEN, Bracket(0, None, None), (), named=False)
        link = "the status forbids it and does not say why; a security token is the usual reason"
        more.append(replace(finding, verdict=Verdict.POSSIBLE, weakest_link=link))
    return more


def _linked(found: Sequence[RejectedByLimit]) -> list[RejectedByLimit]:
    """Refusals for a token that follow one for size on the same route name it."""
    linked = []
    for one in found:
        earlier = [
            other
            for other in found
            if other.what != TOKEN and other.route == one.route and other.began < one.began
        ]
        if one.what == TOKEN and one.route and earlier:
            one = replace(one, after=" and ".join(earlier[0].methods) or "another form")
        linked.append(one)
    return linked
