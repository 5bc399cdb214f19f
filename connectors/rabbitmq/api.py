"""The way to the management API: GET only, through an allow-list that nothing gets around.

Everything is sent by `ManagementAPI.get`, which refuses a path or parameter that is not listed
before a byte leaves. Reading messages (`/api/queues/V/Q/get`) is a POST that requeues them and
marks them redelivered; declaring, purging, publishing and the aliveness test write as well.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from connectors.answers import at, text
from connectors.logs.jsonshape import JsonValue
from connectors.rabbitmq.options import RabbitMQOptions
from connectors.web import Answer, ConnectionLost, Reach, Web
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    NothingHere,
    Overloaded,
    SourceProblem,
    quoted,
)

_NAME = "[^/?#]+"
ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        "/api/overview",
        "/api/whoami",
        "/api/nodes",
        "/api/queues",
        f"/api/queues/{_NAME}",
        "/api/connections",
        f"/api/vhosts/{_NAME}/connections",
        f"/api/exchanges/{_NAME}/{_NAME}/bindings/source",
    )
)
"""Whole paths. `/api/queues/V/Q` is absent on purpose: its `get`, `contents` and `actions` write,
and one listing tells the same."""
PARAMETERS = frozenset(
    [
        "columns",
        "page",
        "page_size",
        "sort",
        "sort_reverse",
        "name",
        "use_regex",
        "lengths_age",
        "lengths_incr",
        "msg_rates_age",
        "msg_rates_incr",
        "node_stats_age",
        "node_stats_incr",
        "disable_stats",
        "enable_queue_totals",
    ]
)
REASON_CHARACTERS = 300
"""The broker's own words are quoted up to here."""
OVERLOADED = frozenset([429, 502, 503, 504])
NO_API = (
    "Give the url of the management API (http://host:15672, not the AMQP port 5672), and see that "
    "the plugin rabbitmq_management is on."
)


class RequestRefused(ValueError):
    """A request is not on the allow-list. Nothing was sent. A bug of ours."""


def permitted(path: str, parameters: Mapping[str, str]) -> str:
    """The request's target when the allow-list holds it; raises `RequestRefused`."""
    if not any(pattern.fullmatch(path) for pattern in ALLOWED):
        raise RequestRefused(f"GET {path} is not a read that halfawake may send")
    if unknown := set(parameters) - PARAMETERS:
        raise RequestRefused(f"GET {path}: {', '.join(sorted(unknown))} is never sent")
    query = urlencode(parameters, quote_via=quote, safe=",._")
    return f"{path}?{query}" if query else path


class ManagementAPI:
    """Reads one broker's management API."""

    def __init__(self, options: RabbitMQOptions) -> None:
        self._place = options.place
        self._web = Web(
            Reach(
                "RabbitMQ",
                "rabbitmq",
                options.connect_timeout_s,
                options.read_timeout_s,
                options.ca_file,
                options.tls_server_name,
            )
        )
        pair = base64.b64encode(f"{self._place.user}:{self._place.password}".encode()).decode()
        self._headers = {"accept": "application/json", "authorization": f"Basic {pair}"}

    def __repr__(self) -> str:
        return f"ManagementAPI({self._place.server})"

    @property
    def server(self) -> str:
        return self._place.server

    @property
    def vhost(self) -> str:
        return self._place.vhost

    def unreported_bytes(self) -> int:
        """What travelled since this was last asked."""
        return self._web.unreported()

    async def get(
        self, path: str, deadline: float | None = None, **parameters: str | int
    ) -> JsonValue:
        """The JSON answer. Raises `SourceProblem`; `RequestRefused` before anything is sent."""
        target = permitted(path, {name: str(value) for name, value in parameters.items()})
        where = f"{self._place.server}, GET {path}"
        try:
            answer = await self._web.send(
                "GET", self._place.base + target, where, self._headers, deadline=deadline
            )
        except ConnectionLost as lost:  # as the AMQP port does with HTTP
            raise ConnectionLost(lost.what, where=where, remedy=NO_API) from None
        if answer.status != 200:
            raise refusal(answer, self._place.guessed)
        return answer.content()

    async def close(self) -> None:
        await self._web.close()


def segment(name: str) -> str:
    """A name as one part of a path: the virtual host `/` is `%2F`."""
    return quote(name, safe="")


def refusal(answer: Answer, guessed: bool) -> SourceProblem:
    """What an answer that is no success means."""
    said = _reason(answer)
    tail = f": {said}" if said else ""
    if answer.status == 401 and ("Login failed" in said or not said):
        return AccessRefused(
            "RabbitMQ wants a login or refused the one it got",
            where=answer.where,
            remedy="Set username and password, or check them.",
        )
    if answer.status in (401, 403):
        return AccessRefused(
            f"The account may not read this{tail}",
            where=answer.where,
            remedy="Give it the tag monitoring, and access to the virtual host "
            "(rabbitmqctl set_permissions with ^$ three times allows nothing but to see it).",
        )
    if answer.status == 404:
        if "Object Not Found" in said:
            return Misconfigured(
                "There is no such virtual host or exchange",
                where=answer.where,
                remedy="Correct vhost.",
            )
        return NothingHere("No management API answers there", where=answer.where, remedy=NO_API)
    if answer.status in OVERLOADED:
        return Overloaded(
            f"RabbitMQ cannot answer now (HTTP {answer.status}){tail}",
            where=answer.where,
            remedy="That is evidence too: the broker, or what stands before it, turns us away.",
        )
    if 300 <= answer.status < 400:
        return Misconfigured(
            f"The server sends us elsewhere (HTTP {answer.status})",
            where=answer.where,
            remedy=NO_API if guessed else "Give the url of the API itself, with https:// if so.",
        )
    return BadAnswer(
        f"RabbitMQ answered HTTP {answer.status}{tail}",
        where=answer.where,
        remedy="See the broker's own log at this moment, or that of the proxy before it.",
    )


def _reason(answer: Answer) -> str:
    try:
        content = answer.content()
    except BadAnswer:
        return ""
    words = [text(at(content, "error")), text(at(content, "reason"))]
    return quoted(": ".join(word for word in words if word), REASON_CHARACTERS)
