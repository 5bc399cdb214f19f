"""One bounded HTTP exchange: two connections, answers up to a limit, failures as sentences.

For connectors that read a web API. It sends what it is given: what may be sent is the connector's
own allow-list. Importing it loads no driver; httpx is loaded by the first exchange. No credential
ever enters a problem: sentences are made here, never taken from the client library.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.logs.jsonshape import JsonValue
from timeline.clean import clean
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    MissingDriver,
    SourceProblem,
    Unreachable,
)

if TYPE_CHECKING:
    import httpx
    from httpx import AsyncClient

CONNECTIONS = 2
"""The most that one source may hold on a system under investigation."""
MAX_BODY_BYTES = 32 * 1024 * 1024
"""Most bytes of one decompressed answer; a page is about one MB, so this is a runaway."""
SECOND_NS = 1_000_000_000


class ConnectionLost(Unreachable):
    """The server ended the connection, perhaps only because it had been idle for long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    where: str

    def content(self) -> JsonValue:
        """The body as JSON. Raises `BadAnswer` when it is something else."""
        try:
            parsed: JsonValue = json.loads(self.body)
        except ValueError:
            kind = clean(self.headers.get("content-type", ""))[:80] or "no content type"
            raise BadAnswer(
                f"The answer is not JSON but {kind} (HTTP {self.status})",
                where=self.where,
                remedy="Check the url: a proxy, a login page or another service answers there.",
            ) from None
        return parsed

    @property
    def stamp(self) -> int | None:
        """ns UTC of the Date header, a whole second; None without one, or from a cache."""
        if "age" in self.headers:
            return None
        try:
            date = parsedate_to_datetime(self.headers.get("date", ""))
        except ValueError:
            return None
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return round((date - epoch).total_seconds()) * SECOND_NS if date.tzinfo else None


@dataclass(frozen=True, slots=True)
class Reach:
    """How one system is reached."""

    system: str
    """As it stands in sentences: `RabbitMQ`."""
    extra: str
    """Name of the extra that installs the driver."""
    connect_timeout_s: float
    read_timeout_s: float
    ca_file: Path | None = None
    tls_server_name: str = ""


class Web:
    """Sends requests. Opened when first needed; safe to use after `close`."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._client: AsyncClient | None = None
        self._opening = asyncio.Lock()
        self._was_warm = False
        self._told = 0
        self.bytes_read = 0

    async def send(
        self,
        method: str,
        url: str,
        where: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        deadline: float | None = None,
    ) -> Answer:
        """The answer, whatever its status. `deadline` is a `time.monotonic()` instant.

        `where` names the endpoint in sentences and holds no secret. Raises `SourceProblem`.
        """
        warm = self._was_warm
        try:
            return await self._once(method, url, where, headers, body, deadline)
        except ConnectionLost:
            if not warm:
                raise
        # A kept connection may have been ended by the server meanwhile; reads repeat.
        return await self._once(method, url, where, headers, body, deadline)

    def unreported(self) -> int:
        """Bytes that travelled since this was last asked: what a batch says it cost."""
        bytes_since, self._told = self.bytes_read - self._told, self.bytes_read
        return bytes_since

    async def close(self) -> None:
        """End every connection. Safe to call twice."""
        client, self._client = self._client, None
        self._was_warm = False
        if client is not None:
            await client.aclose()

    async def _once(
        self,
        method: str,
        url: str,
        where: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: float | None,
    ) -> Answer:
        client = await self._opened()
        import httpx

        limit = self._time_left(deadline, where)
        name = self._reach.tls_server_name
        sent = {**headers, **({"host": name} if name else {})}
        try:
            async with (
                asyncio.timeout(limit),
                client.stream(
                    method,
                    url,
                    content=body,
                    headers=sent,
                    extensions={"sni_hostname": name} if name else {},
                ) as response,
            ):
                read = await self._bounded(response, where)
                status, answered = response.status_code, dict(response.headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            problem = failure(error, self._reach.system, where)
        else:
            self._was_warm = True
            return Answer(status, answered, read, where)
        raise problem

    async def _bounded(self, response: httpx.Response, where: str) -> bytes:
        parts, length = [], 0
        async for part in response.aiter_bytes():
            parts.append(part)
            length += len(part)
            if length > MAX_BODY_BYTES:
                raise BadAnswer(
                    f"One answer is larger than {MAX_BODY_BYTES / 1024**2:g} MB",
                    where=where,
                    remedy="Ask for less: name fewer queues or groups, or a smaller page.",
                )
        self.bytes_read += response.num_bytes_downloaded
        return b"".join(parts)

    def _time_left(self, deadline: float | None, where: str) -> float:
        longest = self._reach.read_timeout_s
        if deadline is None:
            return longest
        if (left := deadline - time.monotonic()) <= 0:
            raise Unreachable("The time this source may take is up", where=where)
        return min(longest, left)

    async def _opened(self) -> AsyncClient:
        async with self._opening:
            if self._client is None:
                await asyncio.to_thread(self._load)  # a tenth of a second the loop need not wait
                import httpx

                reach = self._reach
                self._client = httpx.AsyncClient(
                    verify=self._trust(),
                    timeout=httpx.Timeout(reach.read_timeout_s, connect=reach.connect_timeout_s),
                    limits=httpx.Limits(max_connections=CONNECTIONS),
                    follow_redirects=False,
                    trust_env=True,
                )
            return self._client

    def _load(self) -> None:
        try:
            import httpx  # noqa: F401
        except ImportError:
            raise MissingDriver(
                "The HTTP driver is not installed",
                where=self._reach.system,
                remedy=f"Install it: pip install 'halfawake[{self._reach.extra}]'",
            ) from None

    def _trust(self) -> ssl.SSLContext:
        ca_file = self._reach.ca_file
        try:
            return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except OSError as error:
            problem = Misconfigured(
                f"The certificates cannot be read: {error.strerror or error}",
                where=f"ca_file {ca_file}",
                remedy="Name a PEM file.",
            )
        raise problem


def failure(error: Exception, system: str, where: str) -> SourceProblem:
    """What an error of the HTTP client means. Holds neither the error nor its texts' secrets."""
    import httpx

    causes = list(_causes(error))
    untrusted = next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return _certificate(untrusted, where)
    words = str(error).lower()
    refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
    if isinstance(error, httpx.ConnectTimeout):
        what = "No connection within the time allowed"
        remedy = "Check host, port and VPN; a firewall may drop the packets."
    elif isinstance(error, httpx.TimeoutException | TimeoutError):
        what = f"{system} did not answer in time"
        remedy = "It or the way to it is stuck; see whether others reach it."
    elif any(isinstance(cause, ssl.SSLError) for cause in causes):
        what = "TLS could not be agreed"
        remedy = "Check https:// against http://, and the port."
    elif refused or "all connection attempts failed" in words:
        what = "Nothing listens there: the connection was refused"
        remedy = "Check host and port; is the tunnel up?"
    elif isinstance(error, httpx.ConnectError):
        what = "The host cannot be found or reached"
        remedy = "Check the name, the VPN, or DNS itself."
    else:
        what = f"The connection was lost ({type(error).__name__})"
        return ConnectionLost(what, where=where, remedy="Try again.")
    return Unreachable(what, where=where, remedy=remedy)


def _certificate(error: ssl.SSLCertVerificationError, where: str) -> SourceProblem:
    said = clean(error.verify_message)[:200]
    if "match" in said.lower():  # "Hostname mismatch", "IP address mismatch"
        what, remedy = "is not for this host", "Set tls_server_name to the name in the certificate."
    else:
        what, remedy = "cannot be trusted", "Set ca_file to its authority's certificate."
    return AccessRefused(f"The certificate {what}: {said}", where=where, remedy=remedy)


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
