"""The Prometheus connector: what changed among targets and alerts, and the curves asked for.

Owns what may be claimed: a scrape sees a state every 15 to 60 seconds and nothing between, so a
target that was away for less leaves no trace here. That is said with every answer.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.answers import at, text
from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.prometheus import telling
from connectors.prometheus.api import QueryAPI, Series, series_of
from connectors.prometheus.options import MAX_POINTS, PrometheusOptions
from connectors.prometheus.rights import rights_of
from connectors.prometheus.telling import ALERT_GAP_NS
from connectors.queues.account import Account
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Lane
from timeline.keys import KeyRules
from timeline.problems import BadAnswer, NothingHere
from timeline.window import SECOND_NS, Budget, Window

BETWEEN_SCRAPES = "it looks every {seconds:g} s; what came and went between two looks left no trace"
UNKNOWN_INTERVAL_S = 60.0
"""Prometheus' default, for a server that has not scraped for ten minutes."""
OWN_NAME = "Prometheus"
VARIABLES = ("PROMETHEUS_URL", "PROM_URL", "VICTORIAMETRICS_URL")


class PrometheusConnector:
    """One server that speaks the Prometheus query API. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "prometheus"
    lane: ClassVar[Lane] = Lane.METRIC
    Options: ClassVar[type[BaseModel]] = PrometheusOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, PrometheusOptions):
            raise TypeError("PrometheusConnector needs PrometheusOptions")
        self.source = source
        self._options = options
        self._api = QueryAPI(options)

    def __repr__(self) -> str:
        return f"PrometheusConnector({self.source!r}, {self._api!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """The usual variables."""
        for name in VARIABLES:
            if place.variables.get(name, "").startswith("http"):
                options = {"url": f"${{{name}}}"}
                yield Candidate("prometheus", "metrics", options, f"the variable {name}")

    async def check(self) -> CheckReport:
        """Product and version, retention, how many targets, the clock, what it cannot see."""
        build = await self._build()
        up = await self._api.get(
            "/api/v1/query", query=f"count(last_over_time(up{self._matchers()}[1h]))"
        )
        counted = [float(series.samples[0][1]) for series in series_of(up)]
        if not counted:
            raise NothingHere(
                "The server knows no target (no series up)",
                where=self._api.server,
                remedy="Correct select, or the tenant.",
            )
        interval = await self._interval()
        facts = [f"{build} at {self._api.server}", f"{counted[0]:.0f} targets"]
        retention, rights = await self._retention(), await rights_of(self._api)
        facts.append(f"{len(self._options.queries)} queries are configured")
        return CheckReport(
            system=build,
            facts=tuple(facts),
            cannot_see=(BETWEEN_SCRAPES.format(seconds=interval),),
            clock=await self.clock(),
            writes_refused=rights.refused,
            retention=(f"samples are kept for {retention}",) if retention else (),
            rights=rights.said,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Targets, alerts and starts first, then every configured query over the window."""
        try:
            now = await self._now()
            account = Account.opened(self.source, now, budget)
            interval = await self._interval()
            yield await self._changes(window, account)
            for name, expression in self._options.queries.items():
                if account.exhausted:
                    account.cut(f"the query {clean(name)}: the rows or the time were used up")
                    continue
                yield await self._curve(name, expression, window, account)
            yield self._closing(window, account, interval)
        except BaseException:
            await self._api.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Nothing: a series has no keys. Says so, once the server has answered."""
        account = Account.opened(self.source, await self._now(), budget)
        yield account.not_found(keys, "cannot be looked up; metrics carry no keys")

    async def clock(self) -> ClockReading | None:
        """The server's clock against ours; None where `time()` is not the clock itself.

        Prometheus evaluates an instant query at its own now; VictoriaMetrics aligns and caches.
        """
        if not (await self._build()).startswith(OWN_NAME):
            return None
        samples = await self._api.sample_clock(SAMPLES)
        return reading_from(self.source, samples) if samples else None

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        await self._api.close()

    async def _changes(self, window: Window, account: Account) -> Batch:
        # What changed inside the window is told by the looks around it.
        start, end = window.start - ALERT_GAP_NS, min(window.end + ALERT_GAP_NS, account.now)
        events: list[Event] = []
        for name in ("up", "ALERTS", "process_start_time_seconds"):
            selector = name + self._matchers()
            found = await self._api.samples(selector, start, max(end, start), account.deadline)
            for series in self._bounded(found, name, account):
                events += self._told(name, series, end)
        inside = sorted(
            (event for event in events if window.contains(event.timestamp)),
            key=lambda event: (abs(event.timestamp - window.pin), event.seq),
        )
        return account.batch(inside, bytes_read=self._api.unreported())

    def _told(self, name: str, series: Series, end: int) -> Iterable[Event]:
        if name == "up":
            return telling.target_events(self.source, series)
        if name == "ALERTS":
            return telling.alert_events(self.source, series, end)
        return telling.start_events(self.source, series)

    async def _curve(self, name: str, expression: str, window: Window, account: Account) -> Batch:
        step = _step_of(window, self._options.step_s)
        start = -(-window.start // (step * SECOND_NS)) * step * SECOND_NS
        try:
            found = await self._api.curve(expression, start, window.end - 1, step, account.deadline)
        except BadAnswer as problem:
            account.cut(f"the query {clean(name)} was refused: {problem.what}")
            return account.batch((), bytes_read=self._api.unreported())
        points = [
            event
            for series in self._bounded(found, name, account)
            for event in telling.curve_events(self.source, clean(name), series)
            if window.contains(event.timestamp)
        ]
        points.sort(key=lambda event: (abs(event.timestamp - window.pin), event.seq))
        return account.batch(points, bytes_read=self._api.unreported())

    def _bounded(self, found: list[Series], name: str, account: Account) -> list[Series]:
        limit = self._options.max_series
        if len(found) > limit:
            account.cut(f"{clean(name)}: {len(found)} series match; {limit} were read")
        return sorted(found, key=lambda series: series.words())[:limit]

    def _closing(self, window: Window, account: Account, interval: float) -> Batch:
        cuts = "; ".join(account.cuts)
        blind = BETWEEN_SCRAPES.format(seconds=interval)
        seen = Coverage(self.source, window.start, window.end, Sight.PARTIAL, cuts or blind)
        remarks = [Remark(self.source, "cut", cut) for cut in account.cuts]
        return account.batch((), coverage=(seen,), remarks=remarks)

    def _matchers(self) -> str:
        return f"{{{self._options.select}}}" if self._options.select else ""

    async def _now(self) -> int:
        samples = await self._api.sample_clock(1)
        if not samples:
            raise BadAnswer("time() was not answered with a time", where=self._api.server)
        return samples[0].server

    async def _build(self) -> str:
        """`Prometheus 2.42.0`. VictoriaMetrics answers with a version of its own."""
        data = await self._api.get("/api/v1/status/buildinfo")
        version = clean(text(at(data, "version"))) or "version not said"
        is_own = bool(text(at(data, "goVersion")))
        return f"{OWN_NAME} {version}" if is_own else f"A server of Prometheus' API, {version}"

    async def _retention(self) -> str:
        """As Prometheus says it; empty for servers that do not."""
        try:
            data = await self._api.get("/api/v1/status/runtimeinfo")
        except (BadAnswer, NothingHere):
            return ""
        return clean(text(at(data, "storageRetention")))

    async def _interval(self) -> float:
        """Seconds between two scrapes of the median target in the last ten minutes."""
        asked = f"quantile(0.5, count_over_time(up{self._matchers()}[10m]))"
        counted = list(series_of(await self._api.get("/api/v1/query", query=asked)))
        try:
            return round(600 / float(counted[0].samples[0][1]), 1)
        except (IndexError, ValueError, ZeroDivisionError):
            return UNKNOWN_INTERVAL_S


def _step_of(window: Window, wanted_s: int) -> int:
    """Seconds between two points: as wanted, or a multiple of it that stays within MAX_POINTS."""
    seconds = (window.end - window.start) / SECOND_NS
    return wanted_s * max(1, math.ceil(seconds / wanted_s / MAX_POINTS))
