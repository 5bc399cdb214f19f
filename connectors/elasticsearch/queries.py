"""The bodies of all searches: what is asked of the cluster, and nothing it has to guess.

Plain dictionaries of the query language that Elasticsearch 7.17 to 9 and OpenSearch 2 and 3
share. Stretches of time are half-open and in whole milliseconds; the exact window is kept by
whoever reads the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.elasticsearch.fields import (
    EXACT_TYPES,
    NUMBER_TYPES,
    TEXT_TYPES,
    FieldMap,
    IdField,
    TimeField,
)
from connectors.logs.jsonshape import JsonValue
from timeline.keys import split_key

Body = dict[str, JsonValue]
Query = dict[str, JsonValue]

MILLISECOND_NS = 1_000_000
MOST_TERMS = 50
"""Different level words, and services, counted apart. With fewer of them every shard tells all of
its values, and counts are exact; with more the answer says how far they may be off."""
MOST_BARS = 600
"""Bars of a window that is counted: several for each cell of the widest screen."""
MOST_BUCKETS = 50_000
"""Bars times levels times services; a search that makes more than 65 535 is refused
(search.max_buckets of both products)."""
SEVERE_WORDS = (
    "error err warn warning fatal critical crit alert emerg emergency panic severe failure "
    "exception traceback"
)
"""Words by which records without a level are chosen: how loggers and stack traces call it."""
CHANGE_PHRASES = (
    "SIGTERM",
    "SIGQUIT",
    "shutting down",
    "graceful shutdown",
    "stopping",
    "starting up",
    "restarting",
    "restarted",
    "deploy",
    "deployed",
    "rollout",
    "rolling update",
    "rolling restart",
    "failover",
    "migration",
)
"""What programs say when they are stopped, started or changed on purpose."""
SHORTEST_TEXT_KEY = 2
"""Characters of a value from which it is looked for in free text: one digit is in every line."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """`[start, end)` in ms since the epoch."""

    start: int
    end: int

    @classmethod
    def of(cls, start: int, end: int) -> Stretch:
        """The whole milliseconds that hold `[start, end)` in ns."""
        return cls(start // MILLISECOND_NS, -(-end // MILLISECOND_NS))

    @property
    def empty(self) -> bool:
        return self.end <= self.start

    def split(self, instant: int) -> tuple[Stretch, ...]:
        """The parts before and after an instant; itself when it lies on one side."""
        if not self.start < instant < self.end:
            return (self,)
        return Stretch(self.start, instant), Stretch(instant, self.end)


def within(time: TimeField, stretch: Stretch, further: Iterable[Query] = ()) -> Query:
    """The records of a stretch that also satisfy `further`."""
    bounds: JsonValue = {"gte": stretch.start, "lt": stretch.end, "format": "epoch_millis"}
    conditions: list[JsonValue] = [{"range": {time.name: bounds}}, *further]
    return {"bool": {"filter": conditions}}


def by_time(time: TimeField, *, newest_first: bool = False) -> Query:
    """Sort by the instant. Indices that map it differently are brought to one unit."""
    order: dict[str, JsonValue] = {
        "order": "desc" if newest_first else "asc",
        "unmapped_type": "date",
    }
    if time.nanoseconds:
        order["numeric_type"] = "date_nanos"
    return {time.name: order}


def search(
    query: Query,
    sort: Sequence[JsonValue],
    size: int,
    timeout_s: float,
    source: Sequence[str] = (),
) -> Body:
    """One search for documents. `source` narrows what travels of each; empty takes all."""
    body: Body = {
        "size": size,
        "query": query,
        "sort": list(sort),
        "track_total_hits": False,
        "timeout": f"{max(1, int(timeout_s * 1_000))}ms",
    }
    if source:
        body["_source"] = list(source)
    return body


def survey(fields: FieldMap, query: Query, timeout_s: float) -> Body:
    """Counts only: how many records, per level and per service."""
    named = (("levels", fields.level), ("services", fields.service))
    aggregations: Body = {name: _terms(field, MOST_TERMS) for name, field in named if field}
    return _counting(query, timeout_s, aggregations)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one width that cover a stretch; T stands on the border between two (ms)."""

    window: Stretch
    width: int
    offset: int

    @classmethod
    def over(cls, window: Stretch, pin: int, most: int) -> Bars:
        """At most `most` bars, and one more where T's border makes both ends partial."""
        width = max(1, -(-(window.end - window.start) // most))
        return cls(window, width, pin % width)

    def stretches(self) -> Iterator[tuple[int, Stretch]]:
        """(the bar's name in an answer, the part of it inside the window)."""
        first = (self.window.start - self.offset) // self.width * self.width + self.offset
        for start in range(first, self.window.end, self.width):
            end = min(start + self.width, self.window.end)
            yield start, Stretch(max(start, self.window.start), end)


def counted(fields: FieldMap, query: Query, bars: Bars, services: int, timeout_s: float) -> Body:
    """Counts only: per bar of time, per level, per service; `services` 0 does not tell them."""
    within_level: Body = (
        {"aggs": {"services": _terms(fields.service, services)}} if services else {}
    )
    levels: Body = (
        {"aggs": {"levels": {**_terms(fields.level, MOST_TERMS), **within_level}}}
        if fields.level
        else {}
    )
    histogram: Body = {
        "field": fields.time.name,
        "fixed_interval": f"{bars.width}ms",
        "offset": f"{bars.offset}ms",
        "min_doc_count": 1,
    }
    return _counting(query, timeout_s, {"bars": {"date_histogram": histogram, **levels}})


def rare(field: str, most: int, query: Query, timeout_s: float) -> Body:
    """Values of a field that at most `most` records hold."""
    terms: Body = {"rare_terms": {"field": field, "max_doc_count": most}}
    return _counting(query, timeout_s, {"rare": terms})


def _terms(field: str, size: int) -> Body:
    return {"terms": {"field": field, "size": size, "shard_size": size}}


def _counting(query: Query, timeout_s: float, aggregations: Body) -> Body:
    body: Body = {
        "size": 0,
        "query": query,
        "track_total_hits": True,
        "timeout": f"{max(1, int(timeout_s * 1_000))}ms",
    }
    return {**body, "aggs": aggregations} if aggregations else body


def edge(time: TimeField, now_ms: int, further: Iterable[Query] = (), *, oldest: bool) -> Body:
    """The oldest record kept, or the newest that is not of the future: only its instant."""
    return {
        "size": 1,
        "_source": False,
        "query": both({"range": {time.name: {"lte": now_ms, "format": "epoch_millis"}}}, *further),
        "sort": [by_time(time, newest_first=not oldest)],
        "track_total_hits": False,
    }


def both(*conditions: Query) -> Query:
    """The records that satisfy every one of the conditions."""
    return conditions[0] if len(conditions) == 1 else {"bool": {"filter": list(conditions)}}


def without(field: str) -> Query:
    """Records that lack a field."""
    return {"bool": {"must_not": [{"exists": {"field": field}}]}}


def any_value(field: str, values: Sequence[JsonValue]) -> Query:
    """Records whose field holds one of the values."""
    return {"terms": {field: list(values)}}


def carrying(keys: Iterable[str], fields: FieldMap) -> Query | None:
    """Records that may carry one of the keys; None when no field could hold any of them.

    Candidates only: the words of a message are found without their meaning, so whoever reads the
    answer keeps the records in which the key itself is found.
    """
    clauses: list[JsonValue] = []
    for kind, value in map(split_key, keys):
        for field in fields.ids:
            if kind in field.kinds:
                clauses += _equal(field, value)
        if len(value) >= SHORTEST_TEXT_KEY:
            clauses += [{"match_phrase": {name: value}} for name in fields.messages]
    return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else None


def lacking_level(fields: FieldMap) -> Query | None:
    """Records without a level whose text holds a word of trouble: a guess, and so it is told."""
    if not fields.messages:
        return None
    words: list[JsonValue] = [{"match": {name: SEVERE_WORDS}} for name in fields.messages]
    query: Body = {"should": words, "minimum_should_match": 1}
    if fields.level:
        query["must_not"] = [{"exists": {"field": fields.level}}]
    return {"bool": query}


def about_changes(fields: FieldMap) -> Query | None:
    """Records that speak of a stop, a start or a change; None without a full-text field."""
    clauses: list[JsonValue] = [
        {"match_phrase": {name: phrase}} for name in fields.messages for phrase in CHANGE_PHRASES
    ]
    return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else None


NOT_FROZEN: Query = {"bool": {"must_not": [{"term": {"_tier": "data_frozen"}}]}}
"""Leaves the frozen tier alone: a search there fetches whole segments from object storage. Where
the field `_tier` is not known it excludes nothing."""


def in_frozen_tier(time: TimeField, stretch: Stretch) -> Query:
    """Whether an index is in the frozen tier and may hold records of the stretch."""
    frozen: Query = {"term": {"_tier": "data_frozen"}}
    return within(time, stretch, (frozen,))


def _equal(field: IdField, value: str) -> list[JsonValue]:
    """Clauses for one value in one id field, by how the field is indexed."""
    clauses: list[JsonValue] = []
    if field.mapped & (EXACT_TYPES | NUMBER_TYPES):
        # Lenient: a value that is no number must not fail the shards that map the field as one.
        clauses.append({"match": {field.name: {"query": value, "lenient": True}}})
    if field.mapped & TEXT_TYPES:
        clauses.append({"match_phrase": {field.name: value}})
    return clauses
