"""Requests signed for Amazon's OpenSearch: the region from the host name, every target canonical.

The identity and the signature are `connectors.aws`; this module only says what is signed. Imports
no driver.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult

from connectors.aws import Identity, canonical
from connectors.elasticsearch.options import ElasticsearchOptions

_AMAZON = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.(?:es|aoss)\.amazonaws\.com(?:\.cn)?$")
"""`search-shop-x.eu-west-1.es.amazonaws.com`, `x.eu-west-1.aoss.amazonaws.com`."""


class Signer:
    """Signs what is sent to one cluster."""

    def __init__(self, options: ElasticsearchOptions, url: SplitResult) -> None:
        host = options.tls_server_name or url.hostname or ""
        found = _AMAZON.search(host)
        region = options.aws_region or (found[1] if found else "")
        self._identity = Identity(region, options.aws_profile)
        self._service = options.aws_service
        self._base = url._replace(
            netloc=url.netloc.rpartition("@")[2], path=url.path.rstrip("/"), query="", fragment=""
        ).geturl()
        self._host = options.tls_server_name
        """What the request is for, when the url leads to the local end of a tunnel."""

    def __repr__(self) -> str:
        return f"Signer({self._service}, {self._identity!r})"

    async def signed(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[str, dict[str, str]]:
        """The target as it must be sent, and `headers` with the signature.

        Raises `SourceProblem` when there are no credentials.
        """
        spelt = canonical(target)
        own = {**headers, **({"host": self._host} if self._host else {})}
        url = self._base + spelt
        signed = await self._identity.signed(method, url, own, body or b"", self._service)
        return spelt, signed


def signer_of(options: ElasticsearchOptions, url: SplitResult) -> Signer | None:
    """What signs the requests; None for a cluster that wants no signature."""
    return Signer(options, url) if options.aws_service else None
