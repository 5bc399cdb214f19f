"""One HTTP node of elastic-transport, with what its httpx node leaves out.

Imports the driver: import it inside functions only. The stock node (elastic-transport 8.19,
`_http_httpx.py`) reads answers of any size into memory, does not tell what travelled, ignores the
path in front of the API, and cannot check a certificate against another name than the url's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from elastic_transport import ApiResponseMeta, HttpHeaders, HttpxAsyncHttpNode, Serializer
from elastic_transport._node._base import NodeApiResponse  # the type of what a node answers
from elastic_transport.client_utils import DEFAULT, DefaultType


class BodyTooLarge(Exception):
    """The answer was longer than allowed; the rest was not read."""


@dataclass(repr=False)
class MeasuredMeta(ApiResponseMeta):
    """`wire_bytes` is what travelled: the body as compressed by the server."""

    wire_bytes: int = 0


class BoundedNode(HttpxAsyncHttpNode):
    """Reads answers up to a bound; errors of httpx pass through.

    The `_extras` of its configuration hold `tls_server_name` ("" takes the url's),
    `connect_timeout_s` and `max_body_bytes`.
    """

    async def perform_request(  # type: ignore[override]  # as the stock node: async over a sync base
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        import httpx

        extras: dict[str, Any] = self.config._extras
        name = extras["tls_server_name"]
        limit = request_timeout if isinstance(request_timeout, float) else None
        sent = {**self._headers, **(headers or {}), **({"host": name} if name else {})}
        started = time.perf_counter()
        async with self.client.stream(
            method,
            self._path_prefix + target,
            content=body,
            headers=sent,
            timeout=httpx.Timeout(limit, connect=extras["connect_timeout_s"]),
            extensions={"sni_hostname": name} if name else {},
        ) as response:
            parts, length = [], 0
            async for part in response.aiter_bytes():
                parts.append(part)
                length += len(part)
                if length > extras["max_body_bytes"]:
                    raise BodyTooLarge
        meta = MeasuredMeta(
            response.status_code,
            response.http_version,
            HttpHeaders(response.headers),
            time.perf_counter() - started,
            self.config,
            response.num_bytes_downloaded,
        )
        return NodeApiResponse(meta, b"".join(parts))


class RawBody(Serializer):
    """Leaves answers as bytes, whatever they claim to be: a proxy's HTML page is judged by us."""

    mimetype = "application/json"

    def loads(self, data: bytes) -> bytes:
        return data

    def dumps(self, data: bytes) -> bytes:
        return data
