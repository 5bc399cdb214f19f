"""Which server answers, and the little that Elasticsearch and OpenSearch do not share.

Sources: Elasticsearch reference 7.10 to 9 ("Point in time API", "Paginate search results"),
OpenSearch documentation ("Point in Time", since 2.4), OpenSearch #18924 (`_shard_doc`, 3.3.0).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.answers import at, members, text
from connectors.elasticsearch.options import Flavor
from connectors.elasticsearch.problems import not_json, refusal
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.transport import SearchTransport
from timeline.problems import AccessRefused, BadAnswer, Overloaded, SourceProblem

PRODUCT_HEADER = "x-elastic-product"
"""Sent by Elasticsearch 7.14 and newer with every answer, errors included; never by OpenSearch."""
KEEP_ALIVE = "30s"
"""A reading context lives this long after its last page: short, because each pins old segments."""
SHARD_DOC_SINCE = {Flavor.ELASTICSEARCH: (7, 12), Flavor.OPENSEARCH: (3, 3)}
"""First version whose `_shard_doc` breaks ties in a point in time."""
OLDEST = (7, 0)
"""Elasticsearch before this answers searches in another shape."""

FAKED = (7, 10)
"""What OpenSearch says for old clients (compatibility.override_main_response_version)."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One cluster's way to keep a search still while it is paged through."""

    flavor: Flavor
    version: tuple[int, ...] = ()
    """Empty when the server hides it; then only what every version can do is asked."""

    @property
    def name(self) -> str:
        """`Elasticsearch 8.19.21`, `OpenSearch` when the version is hidden."""
        product = "Elasticsearch" if self.flavor is Flavor.ELASTICSEARCH else "OpenSearch"
        return " ".join([product, ".".join(map(str, self.version))]).strip()

    def pages_by_point_in_time(self, *, nanoseconds: bool) -> bool:
        """Whether pages of a point in time lose nothing; else scrolling is the safe way.

        Without `_shard_doc` equal stamps have no order across shards: `_doc` alone repeats or
        loses records, and `_id` cannot be sorted on by default. OpenSearch skips shards by their
        oldest and newest value when a search continues after a stamp (OpenSearch #7453, #14824)
        and loses records of a date_nanos field by it: on 3.8.0 with three shards, 28 to 60 of 60
        arrived, with and without a tie-break. Scrolling brought all.
        """
        if nanoseconds and self.flavor is Flavor.OPENSEARCH:
            return False
        return self.version >= SHARD_DOC_SINCE[self.flavor]

    def open(self, index: str) -> Request:
        """Keep the present state of `index` for paging."""
        api = "_pit" if self.flavor is Flavor.ELASTICSEARCH else "_search/point_in_time"
        return Request("POST", on(index, api), {"keep_alive": KEEP_ALIVE})

    def opened_id(self, answer: object) -> str:
        """The id in the answer to `open`; "" when there is none."""
        if not isinstance(answer, dict):
            return ""
        return text(answer.get("id" if self.flavor is Flavor.ELASTICSEARCH else "pit_id"))

    def close(self, context: str) -> Request:
        """Give the point in time back."""
        if self.flavor is Flavor.ELASTICSEARCH:
            return Request("DELETE", "/_pit", body={"id": context})
        return Request("DELETE", "/_search/point_in_time", body={"pit_id": [context]})


async def identify(transport: SearchTransport, configured: Flavor | None) -> Dialect:
    """Ask who answers: `GET /`, then the product header, then the nodes API, then the setting.

    `GET /` may be forbidden to a least-privilege account (403) or missing from the build (405).
    Raises `SourceProblem` when nothing tells.
    """
    reply = await transport.ask(Request("GET", "/"))
    if reply.status == 401:
        raise refusal(reply)
    content = reply.content
    if reply.status == 200 and content is None:
        raise not_json(reply)
    version = members(at(content or {}, "version"))
    number = _numbers(text(version.get("number")))
    if version.get("distribution") == "opensearch":
        honest = number if number[:2] != FAKED else ()
        return _supported(Dialect(configured or Flavor.OPENSEARCH, honest), reply.where)
    if number and (PRODUCT_HEADER in reply.headers or "build_flavor" in version):
        return _supported(Dialect(configured or Flavor.ELASTICSEARCH, number), reply.where)
    elastic = PRODUCT_HEADER in reply.headers
    flavor = configured or (Flavor.ELASTICSEARCH if elastic else None)
    refused = refusal(reply) if reply.status != 200 else None
    found = await _from_nodes(transport)
    if flavor is None and found is not None:
        flavor = Flavor.OPENSEARCH  # every Elasticsearch since 7.14 would have sent the header
    if flavor is None:
        raise refused if isinstance(refused, Overloaded | AccessRefused) else _unknown(reply.where)
    return _supported(Dialect(flavor, number or found or ()), reply.where)


async def _from_nodes(transport: SearchTransport) -> tuple[int, ...] | None:
    """The version the answering node gives, or None."""
    wanted = {"filter_path": "nodes.*.version"}
    reply = await transport.ask(Request("GET", "/_nodes/_local", wanted))
    nodes = members(at(reply.content or {}, "nodes")) if reply.status == 200 else {}
    return next((_numbers(text(at(node, "version"))) for node in nodes.values()), None)


def _numbers(version: str) -> tuple[int, ...]:
    """(8, 19, 21) of `8.19.21-SNAPSHOT`."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def _supported(dialect: Dialect, where: str) -> Dialect:
    if dialect.flavor is Flavor.ELASTICSEARCH and dialect.version and dialect.version < OLDEST:
        raise BadAnswer(
            f"{dialect.name} is too old",
            where=where,
            remedy="Elasticsearch 7.17 or newer is needed, or any OpenSearch.",
        )
    return dialect


def _unknown(where: str) -> SourceProblem:
    return BadAnswer(
        "The server does not say whether it is Elasticsearch or OpenSearch",
        where=where,
        remedy='Check the url, or set flavor = "elasticsearch" or "opensearch".',
    )
