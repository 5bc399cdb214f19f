"""The way to the cluster: two connections, bounded answers, patient with overload, never leaking.

Plain `application/json` is the one content type that Elasticsearch 7.17, 8 and 9 and OpenSearch 2
and 3 all take; the official clients' own type is refused by some of them (elasticsearch-py #2923).
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.options import ElasticsearchOptions
from connectors.elasticsearch.problems import ConnectionLost, TooLarge, failure, not_json, refusal
from connectors.elasticsearch.requests import Request, permitted
from connectors.elasticsearch.signing import signer_of
from timeline.problems import Misconfigured, MissingDriver, SourceProblem, Unreachable

if TYPE_CHECKING:
    from elastic_transport import AsyncTransport

CONNECTIONS = 2
"""The most that one source may hold on a system under investigation."""
ATTEMPTS = 3
"""How often a request is sent that the cluster turns away for the moment."""
RETRY_STATUSES = frozenset([429, 502, 503, 504])
FIRST_PAUSE_S = 0.2
"""Pause before the second attempt when the server names none; doubled each time."""
LONGEST_PAUSE_S = 5.0
"""A server that asks for more patience than this is not waited for."""
MAX_BODY_BYTES = 32 * 1024 * 1024
"""Most bytes of one decompressed answer; a page is about one MB, so this is a runaway."""
DEFAULT_PORTS = {"http": 80, "https": 443}


class SearchTransport:
    """Sends permitted requests. Opened when first needed; safe to use after `close`."""

    def __init__(self, options: ElasticsearchOptions) -> None:
        self._options = options
        self._url = urlsplit(options.address)
        self._signer = signer_of(options, self._url)
        self._transport: AsyncTransport | None = None
        self._opening = asyncio.Lock()
        self._was_warm = False
        self.server = _address(self._url)
        self.bytes_read = 0

    def __repr__(self) -> str:
        return f"SearchTransport({self.server})"

    async def ask(self, request: Request, deadline: float | None = None) -> Reply:
        """The answer, whatever its status. `deadline` is a `time.monotonic()` instant.

        Raises `SourceProblem` when there is none, `RequestRefused` before anything is sent.
        """
        permitted(request)
        where = f"{self.server}, {request.label}"
        pause = FIRST_PAUSE_S
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = await self._exchange(request, where, self._timeout(deadline, where))
            except ConnectionLost:
                # A kept connection may have been ended by the server meanwhile; reads repeat.
                if attempt > 1 or not self._was_warm:
                    raise
                continue
            if reply.status not in RETRY_STATUSES or attempt == ATTEMPTS:
                return reply
            pause = _asked_pause(reply.headers, pause)
            if pause > LONGEST_PAUSE_S or (
                deadline is not None and time.monotonic() + pause >= deadline
            ):
                return reply
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def read(self, request: Request, deadline: float | None = None) -> Reply:
        """The answer when it is a success and JSON; raises the `SourceProblem` it means else."""
        reply = await self.ask(request, deadline)
        if reply.status != 200:
            raise refusal(reply)
        if reply.content is None:
            raise not_json(reply)
        return reply

    async def close(self) -> None:
        """End both connections. Safe to call twice."""
        transport, self._transport = self._transport, None
        self._was_warm = False
        if transport is not None:
            await transport.close()

    def _timeout(self, deadline: float | None, where: str) -> float:
        longest = self._options.read_timeout_s
        if deadline is None:
            return longest
        left = deadline - time.monotonic()
        if left <= 0:
            raise Unreachable("The time this source may take is up", where=where)
        return min(longest, left)

    async def _exchange(self, request: Request, where: str, timeout_s: float) -> Reply:
        transport = await self._opened()
        from elastic_transport import TransportError
        from httpx import HTTPError, InvalidURL

        from connectors.elasticsearch.node import BodyTooLarge, MeasuredMeta

        body = None if request.body is None else json.dumps(request.body).encode()
        headers, target = {"accept": "application/json"}, request.target
        if body is not None:
            headers["content-type"] = "application/json"
        if self._signer is not None:
            target, headers = await self._signer.signed(request.method, target, headers, body)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await transport.perform_request(
                    request.method,
                    target,
                    body=body,
                    headers=headers,
                    request_timeout=timeout_s,
                )
        except BodyTooLarge:
            problem: SourceProblem = TooLarge(
                f"One answer is larger than {MAX_BODY_BYTES / 1024**2:g} MB",
                where=where,
                remedy="Exclude the index with such records, or look at them where they are kept.",
            )
        except (HTTPError, InvalidURL, OSError, TimeoutError, TransportError) as error:
            problem = failure(error, where)
        else:
            self._was_warm = True
            wire_bytes = answer.meta.wire_bytes if isinstance(answer.meta, MeasuredMeta) else 0
            self.bytes_read += wire_bytes
            return Reply(
                answer.meta.status, dict(answer.meta.headers), answer.body, where, wire_bytes
            )
        raise problem

    async def _opened(self) -> AsyncTransport:
        async with self._opening:
            if self._transport is None:
                await asyncio.to_thread(_load_driver)  # a third of a second the loop need not wait
                self._transport = self._built()
            return self._transport

    def _built(self) -> AsyncTransport:
        from elastic_transport import AsyncTransport, NodeConfig

        from connectors.elasticsearch.node import BoundedNode, RawBody

        url = self._url
        node = NodeConfig(
            url.scheme,
            url.hostname or "",
            url.port or DEFAULT_PORTS[url.scheme],
            path_prefix=url.path.rstrip("/"),
            headers={"accept-encoding": "gzip", **authorization(self._options, url)},
            connections_per_node=CONNECTIONS,
            ssl_context=self._trust() if url.scheme == "https" else None,
            _extras={
                "tls_server_name": self._options.tls_server_name,
                "connect_timeout_s": self._options.connect_timeout_s,
                "max_body_bytes": MAX_BODY_BYTES,
            },
        )
        raw = RawBody()
        return AsyncTransport(
            [node],
            node_class=BoundedNode,
            serializers={"application/json": raw, "application/*": raw, "text/*": raw},
            max_retries=0,
            retry_on_status=(),
            meta_header=False,
        )

    def _trust(self) -> ssl.SSLContext:
        ca_file = self._options.ca_file
        try:
            return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except OSError as error:
            problem: SourceProblem = Misconfigured(
                f"The certificates cannot be read: {error.strerror or error}",
                where=f"ca_file {ca_file}",
                remedy="Name a PEM file.",
            )
        raise problem


def _load_driver() -> None:
    try:
        import elastic_transport  # noqa: F401
        import httpx  # noqa: F401  # elastic-transport asks for it only when it is used
    except ImportError:
        raise MissingDriver(
            "The Elasticsearch driver is not installed",
            where="elasticsearch",
            remedy="Install it: pip install 'halfawake[elasticsearch]'",
        ) from None


def authorization(options: ElasticsearchOptions, url: SplitResult) -> dict[str, str]:
    """The authorization header of the configured login; none for an open cluster."""
    if options.aws_service:
        return {}  # every request has a signature of its own
    if options.api_key is not None:
        key = options.api_key.get_secret_value()
        encoded = base64.b64encode(key.encode()).decode() if ":" in key else key
        return {"authorization": f"ApiKey {encoded}"}
    if options.bearer is not None:
        return {"authorization": f"Bearer {options.bearer.get_secret_value()}"}
    user = options.username or unquote(url.username or "")
    password = (
        options.password.get_secret_value()
        if options.password is not None
        else unquote(url.password or "")
    )
    if not user and not password:
        return {}
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


def _address(url: SplitResult) -> str:
    """Host, port and path without the login."""
    return f"{url.hostname}:{url.port or DEFAULT_PORTS[url.scheme]}{url.path.rstrip('/')}"


def _asked_pause(headers: Mapping[str, str], otherwise: float) -> float:
    """Seconds of the Retry-After header (its date form is not used by search clusters)."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return otherwise
