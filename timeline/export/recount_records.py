"""What counts log records again: `_count` of Elasticsearch and OpenSearch, `grep` over a file.

A search names the field that the key was read from; records whose key stands in their text are
named by their ids, because a word is found in any field. A file is asked which of the ids its
stretch of bytes holds: that number cannot exceed what is asked for, whatever else stands there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from timeline.event import Lane
from timeline.export.document import Recount
from timeline.export.recounted import Carrier, Scope, Span, instant, shell
from timeline.export.sources import relative_reference
from timeline.keys import split_key
from timeline.words import count_of

Query: TypeAlias = dict[str, object]

_ISO = "%Y-%m-%dT%H:%M:%SZ"
_SEARCHED = frozenset({"elasticsearch", "opensearch"})
MOST_IDS = 100
"""Records named one by one; a longer list is no query that anybody reads."""
SHORTEST_VALUE = 3
"""Signs of an id that is looked for in a file: a shorter one stands in every line."""
_PACKED = {".gz": "gzip -dc", ".zst": "zstd -dcq"}


def record_counts(
    scope: Scope, carriers: Sequence[Carrier], wanted: frozenset[str]
) -> list[Recount]:
    """What counts the records of one source that carry `wanted`."""
    if scope.lane is not Lane.LOG:
        return []
    if scope.product in _SEARCHED:
        return list(_searches(scope, carriers, wanted))
    return list(_files(scope, carriers, wanted)) if scope.product == "file" else []


def _searches(
    scope: Scope, carriers: Sequence[Carrier], wanted: frozenset[str]
) -> Iterator[Recount]:
    named = [(one, _flat(one.attributes)) for one in carriers if one.keys & wanted]
    time = _time_field(named)
    if time is None:
        return
    fields = {(key, name) for one, flat in named for key in one.keys & wanted
              for name, value in flat.items() if value == split_key(key)[1]}  # fmt: skip
    by_field = {key for key, _ in fields}
    clauses: list[Query] = [
        {"match_phrase": {name: split_key(key)[1]}} for key, name in sorted(fields)
    ]
    pairs = {(name, split_key(key)[1]) for key, name in fields}
    matching = [one for one, flat in named if not pairs.isdisjoint(flat.items())]
    if clauses:
        one_of: Query = {"bool": {"should": clauses, "minimum_should_match": 1}}
        yield _search(scope, matching, time, one_of, by_field)
    rest = wanted - by_field
    spoken = [one for one, _ in named if one.keys & rest]
    if spoken and len({one.ref for one in spoken}) <= MOST_IDS:
        ids = sorted({one.ref.rpartition("/")[2] for one in spoken})
        keys = {key for one in spoken for key in one.keys & rest}
        yield _search(scope, spoken, time, {"ids": {"values": ids}}, keys)


def _search(
    scope: Scope, records: Sequence[Carrier], time: str, which: Query, keys: set[str]
) -> Recount:
    span = Span.of((one.timestamp for one in records), scope.window)
    bounds = {
        "gte": instant(span.start, _ISO), "lt": instant(span.end, _ISO),
        "format": "strict_date_optional_time",
    }  # fmt: skip
    body = {"query": {"bool": {"filter": [{"range": {time: bounds}}, which]}}}
    indices = ",".join(sorted({one.ref.rpartition("/")[0] for one in records}))
    by_ids = "ids" in which
    carried = count_of(len(keys), "key")
    return Recount(
        scope.source, f"record that carries {carried}", f"records that carry {carried}",
        len({one.ref for one in records}), "search",
        f"GET {indices}/_count {json.dumps(body, ensure_ascii=False)}", tuple(sorted(keys)),
        at_least=scope.cut and not by_ids,
        note="named one by one: the ids stand in their text" if by_ids else "",
    )  # fmt: skip


def _time_field(records: Sequence[tuple[Carrier, Mapping[str, str]]]) -> str | None:
    """The field that holds every record's own time; `@timestamp` where several do."""
    names: set[str] | None = None
    for one, flat in records:
        holding = {name for name, value in flat.items() if _is_time(value, one.timestamp)}
        names = holding if names is None else names & holding
    return next(iter(sorted(names or (), key=lambda name: (name != "@timestamp", name))), None)


def _is_time(text: str, timestamp: int) -> bool:
    """Whether `text` is the instant, as far as a microsecond tells."""
    if text.isascii() and text.isdigit():
        return int(text) * 1_000_000 == timestamp
    if not text[:4].isdigit():
        return False
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return microseconds == timestamp // 1_000


def _flat(value: Mapping[str, object], before: str = "") -> dict[str, str]:
    """Fields by their dotted names, as text; lists and empty values left out."""
    found: dict[str, str] = {}
    for name, item in value.items():
        if isinstance(item, dict):
            found.update(_flat(item, f"{before}{name}."))
        elif isinstance(item, (str, int)) and not isinstance(item, bool):
            found[f"{before}{name}"] = str(item)
    return found


def _files(scope: Scope, carriers: Sequence[Carrier], wanted: frozenset[str]) -> Iterator[Recount]:
    """File by file, the one that holds most of the keys first."""
    by_file: dict[str, list[Carrier]] = {}
    for one in carriers:
        if one.keys & wanted and one.length:
            by_file.setdefault(one.ref.rpartition("@")[0], []).append(one)
    left = set(wanted)
    while left and by_file:
        file = max(sorted(by_file), key=lambda name: len(_held(by_file[name], left)))
        records = by_file.pop(file)
        keys = {key for key in _held(records, left) if len(split_key(key)[1]) >= SHORTEST_VALUE}
        if not keys:
            return
        left -= keys
        carrying = [one for one in records if one.keys & keys]
        yield _grep(scope, file, carrying, keys)


def _held(records: Sequence[Carrier], keys: set[str]) -> set[str]:
    return {key for one in records for key in one.keys & keys}


def _grep(scope: Scope, file: str, records: Sequence[Carrier], keys: set[str]) -> Recount:
    """Which of the ids the bytes from the first to the last of the records hold."""
    starts = {int(one.ref.rpartition("@")[2]): one.length for one in records}
    first, last = min(starts), max(starts)
    size = last + starts[last] - first
    values = sorted({split_key(key)[1] for key in keys})
    name = relative_reference(file, scope.root)
    packed = next((way for suffix, way in _PACKED.items() if name.endswith(suffix)), "")
    opened = f"{packed} {shell([name])} | tail -c +{first + 1}" if packed else (
        f"tail -c +{first + 1} {shell([name])}"
    )  # fmt: skip
    patterns = shell(word for value in values for word in ("-e", value))
    query = f"{opened} | head -c {size} | LC_ALL=C grep -owF {patterns} | sort -u | wc -l"
    return Recount(
        scope.source, f"id in {name}", f"ids in {name}", len(values), "shell", query,
        tuple(sorted(keys)), note="of the file as it was read",
    )  # fmt: skip
