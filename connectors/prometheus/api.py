"""The way to the query API: GET only, a handful of paths, answers as series.

Everything is sent by `QueryAPI.get`, which refuses a path that is not listed before a byte leaves.
The administrative API (delete_series, snapshot, clean_tombstones), remote write and the lifecycle
endpoints are absent on purpose.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlencode, urlsplit

from connectors.answers import at, items, members, text
from connectors.clock_sampling import ClockSample
from connectors.logs.jsonshape import JsonValue
from connectors.prometheus.options import PrometheusOptions
from connectors.queues.transitions import epoch_ns
from connectors.web import Answer, Reach, Web
from timeline.clean import clean
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    NothingHere,
    Overloaded,
    SourceProblem,
    quoted,
)
from timeline.window import SECOND_NS

ALLOWED = frozenset(
    (
        "/api/v1/query",
        "/api/v1/query_range",
        "/api/v1/status/buildinfo",
        "/api/v1/status/flags",
        "/api/v1/status/runtimeinfo",
    )
)
REASON_CHARACTERS = 300
MILLISECOND_NS = 1_000_000
OVERLOADED = frozenset((429, 502, 503, 504))
REMEDY = "Give the url below which /api/v1/query answers; http://host:9090 as a rule."


class RequestRefused(ValueError):
    """A request is not on the allow-list. Nothing was sent. A bug of ours."""


@dataclass(frozen=True, slots=True)
class Series:
    """One time series of an answer. Labels are cleaned; samples are (ns UTC, value as text)."""

    labels: Mapping[str, str]
    samples: tuple[tuple[int, str], ...]

    @property
    def name(self) -> str:
        return self.labels.get("__name__", "")

    def words(self, *without: str) -> str:
        """`job="web", instance="web:9090"`: the labels that tell it from others."""
        told = (
            f'{name}="{value}"'
            for name, value in sorted(self.labels.items())
            if name not in ("__name__", *without)
        )
        return ", ".join(told)


class QueryAPI:
    """Reads one server's query API."""

    def __init__(self, options: PrometheusOptions) -> None:
        parts = urlsplit(options.url.get_secret_value())
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self.server = f"{parts.hostname}:{port}"
        self._base = f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"
        self._headers = _headers(
            options, unquote(parts.username or ""), unquote(parts.password or "")
        )
        self._web = Web(
            Reach(
                "Prometheus",
                "prometheus",
                options.connect_timeout_s,
                options.read_timeout_s,
                options.ca_file,
                options.tls_server_name,
            )
        )

    def __repr__(self) -> str:
        return f"QueryAPI({self.server})"

    def unreported(self) -> int:
        """Bytes that travelled since this was asked last."""
        return self._web.unreported()

    async def get(
        self, path: str, deadline: float | None = None, **parameters: str | float
    ) -> JsonValue:
        """`data` of the answer. Raises `SourceProblem`, or `RequestRefused` before sending."""
        if path not in ALLOWED:
            raise RequestRefused(f"GET {path} is not a read that halfawake may send")
        where = f"{self.server}, GET {path}"
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        answer = await self._web.send(
            "GET", self._base + target, where, self._headers, deadline=deadline
        )
        if answer.status != 200:
            raise refusal(answer)
        content = answer.content()
        if text(at(content, "status")) != "success":
            raise BadAnswer(
                "The answer is not one of the Prometheus query API", where=where, remedy=REMEDY
            )
        return at(content, "data")

    async def samples(self, selector: str, start: int, end: int, deadline: float) -> list[Series]:
        """Raw samples of `selector` in `[start, end]` (ns UTC) with the stamps of their scrapes."""
        width = -(-(end - start) // MILLISECOND_NS) + 1
        data = await self.get(
            "/api/v1/query",
            deadline,
            query=f"{selector}[{width}ms]",
            time=f"{end / SECOND_NS:.3f}",
        )
        return list(series_of(data))

    async def curve(
        self, expression: str, start: int, end: int, step_s: int, deadline: float
    ) -> list[Series]:
        """An expression evaluated every `step_s` seconds of `[start, end]` (ns UTC)."""
        data = await self.get(
            "/api/v1/query_range",
            deadline,
            query=expression,
            start=f"{start / SECOND_NS:.3f}",
            end=f"{end / SECOND_NS:.3f}",
            step=step_s,
        )
        return list(series_of(data))

    async def sample_clock(self, count: int) -> list[ClockSample]:
        """The server's clock, read by the expression `time()`."""
        taken = []
        for _ in range(count):
            before, started = time.time_ns(), time.monotonic_ns()
            data = await self.get("/api/v1/query", query="time()")
            after = before + time.monotonic_ns() - started
            clock = epoch_ns(_told_by_time(data), SECOND_NS)
            if clock is not None:
                taken.append(ClockSample(before, clock, after, MILLISECOND_NS))
        return taken

    async def close(self) -> None:
        await self._web.close()


def series_of(data: JsonValue) -> Iterator[Series]:
    """The series of a `matrix` or `vector`; whatever has another shape is left out."""
    for entry in items(at(data, "result")):
        labels = {clean(k): clean(text(v)) for k, v in members(at(entry, "metric")).items()}
        pairs = items(at(entry, "values")) or [at(entry, "value")]
        samples = [sample for pair in pairs if (sample := _sample(items(pair))) is not None]
        if samples:
            yield Series(labels, tuple(samples))


def refusal(answer: Answer) -> SourceProblem:
    """What an answer that is no success means."""
    said = _reason(answer)
    tail = f": {said}" if said else ""
    if answer.status in (401, 403):
        return AccessRefused(
            f"Prometheus, or the proxy before it, refused the login{tail}",
            where=answer.where,
            remedy="Set username and password, or token.",
        )
    if answer.status == 404:
        return NothingHere("No Prometheus API answers there", where=answer.where, remedy=REMEDY)
    if answer.status == 400:
        return BadAnswer(
            f"Prometheus does not understand the query{tail}",
            where=answer.where,
            remedy="Try the expression in Prometheus' own page, and correct it in queries.",
        )
    if answer.status == 422:
        return Overloaded(
            f"Prometheus gave up on the query{tail}",
            where=answer.where,
            remedy="Ask for less: narrow select, or a cheaper expression.",
        )
    if answer.status in OVERLOADED:
        return Overloaded(
            f"Prometheus cannot answer now (HTTP {answer.status}){tail}",
            where=answer.where,
            remedy="That is evidence too: it starts, or it is overloaded.",
        )
    return BadAnswer(
        f"Prometheus answered HTTP {answer.status}{tail}", where=answer.where, remedy=REMEDY
    )


def _headers(options: PrometheusOptions, user: str, password: str) -> dict[str, str]:
    headers = {"accept": "application/json"}
    if options.tenant:
        headers["x-scope-orgid"] = options.tenant
    if options.token is not None:
        headers["authorization"] = f"Bearer {options.token.get_secret_value()}"
        return headers
    user = options.username or user
    if options.password is not None:
        password = options.password.get_secret_value()
    if user or password:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["authorization"] = f"Basic {pair}"
    return headers


def _sample(pair: list[JsonValue]) -> tuple[int, str] | None:
    if len(pair) != 2 or not isinstance(pair[0], int | float) or isinstance(pair[0], bool):
        return None
    stamp = epoch_ns(pair[0], SECOND_NS)
    return None if stamp is None else (stamp, clean(text(pair[1])))


def _told_by_time(data: JsonValue) -> str | None:
    """The value of `time()`: a scalar, which VictoriaMetrics gives as a vector of one.

    The value, not its stamp, which VictoriaMetrics rounds to whole seconds.
    """
    told = _sample(items(at(data, "result")))
    if told is None:
        told = next((series.samples[0] for series in series_of(data)), None)
    return told[1] if told is not None else None


def _reason(answer: Answer) -> str:
    try:
        said = text(at(answer.content(), "error"))
    except BadAnswer:
        return ""
    return quoted(said, REASON_CHARACTERS)
