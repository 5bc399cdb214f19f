"""Keys: what two events can share. Typed (`user:4711`), never a bare number.

A `KeyType` says where keys of one type stand: field names (JSON, logfmt, nested), patterns in
free text, and the table and columns of its rows. Types nobody configured are discovered from
`<name>_id` fields in their usual spellings and from Active Job GlobalIDs. `in_text` and
`in_column` find the same keys; the second is made for millions of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from timeline.clean import clean
from timeline.key_fields import (
    EDN_ID,
    NAMED_IDS,
    NESTED_ID,
    NOT_VALUES,
    TRACEPARENT,
    FieldRule,
    any_of,
    bare_name,
    literal_rules,
    matches,
    snake,
    thing_named_by,
    uncovered,
)
from timeline.key_patterns import PortablePattern, portable
from timeline.key_phrases import SPOKEN, Phrase, phrases_for, spoken, spoken_column

if TYPE_CHECKING:
    import polars as pl

TOO_BROAD_SHARE = 0.05
"""A key on more than this share of all keyed events joins nothing (a tenant, a region)."""
TOO_BROAD_MINIMUM = 200
"""Below this many events a key is never too broad, however small the window."""
SLICE_ROWS = 65_536
"""Lines searched at a time: intermediate columns stay small whatever the column's length."""
SAMPLE_KEYS = 50_000
"""Keys drawn from a large frame to find the few that may be too broad."""
NEIGHBOURS = 8
"""Up to this many keys of one line, repeats are found by comparing neighbours."""

NEVER_KEYS = frozenset(
    [
        "process",
        "proc",
        "pid",
        "thread",
        "tid",
        "client",
        "consumer",
        "connection",
        "conn",
        "session_cookie",
        "utm",  # whence a visitor came, by the campaign's own count
        "group",
        "build",
        "node",
        "cluster",
        "project",
        "stream",
        "chat",
        "bot",
        "channel",
        "function",
    ]
)
"""`<name>_id` fields that identify a machine part rather than the work being done."""


@dataclass(frozen=True, slots=True)
class KeyType:
    """One kind of key. `patterns` are regular expressions with exactly one group, the value.

    A field stands for all its spellings: `user_id` also covers `userId` and `User-ID`. What a
    pattern may contain is said in `timeline.key_patterns`.
    """

    name: str
    fields: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    table: str = ""
    pk: str = "id"
    public_id: str = ""


WELL_KNOWN: tuple[KeyType, ...] = (
    KeyType("request", ("request_id", "requestId", "req_id", "x-request-id", "x_request_id")),
    KeyType("trace", ("trace_id", "traceId", "trace.id", "traceparent")),
    KeyType("job", ("job_id", "jobId", "jid", "provider_job_id", "rq_job_id")),
    KeyType("txn", ("txid", "xid", "transaction_id")),
)
"""Types every installation has; a configured type of the same name replaces its entry."""

_GLOBAL_ID_MARK = "gid://"
_GLOBAL_ID = "gid://[0-9A-Za-z_.-]{1,64}/([A-Z][0-9A-Za-z_:]{0,80})/([0-9A-Za-z_-]{1,64})"


@dataclass(frozen=True, slots=True)
class KeyRules:
    """Everything known about keys: configured types first, then the well-known ones.

    Raises ValueError for a pattern that cannot be used, saying which and why.
    """

    types: tuple[KeyType, ...] = ()
    discover: bool = True
    _fields: tuple[FieldRule, ...] = field(init=False, repr=False, compare=False, default=())
    _patterns: tuple[tuple[str, PortablePattern], ...] = field(
        init=False, repr=False, compare=False, default=()
    )
    _phrases: tuple[Phrase, ...] = field(init=False, repr=False, compare=False, default=())
    _by_field: dict[str, tuple[str, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _by_thing: dict[str, tuple[str, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        taken = {key_type.name for key_type in self.types}
        own = [phrase for t in self.types for phrase in phrases_for(t.name, t.table)]
        known = (*self.types, *(t for t in WELL_KNOWN if t.name not in taken))
        fields = [(name, t.name) for t in known for name in t.fields]
        literal = literal_rules(uncovered(name for name, _ in fields))
        patterns = [(t.name, portable(pattern)) for t in known for pattern in t.patterns]
        object.__setattr__(self, "types", known)
        object.__setattr__(self, "_fields", (*literal, *NAMED_IDS, NESTED_ID, EDN_ID, TRACEPARENT))
        object.__setattr__(self, "_patterns", tuple(patterns))
        object.__setattr__(self, "_phrases", (*SPOKEN, *own))
        object.__setattr__(self, "_by_field", _grouped(fields))
        things = [(thing, kind) for name, kind in fields if (thing := thing_named_by(name))]
        object.__setattr__(self, "_by_thing", _grouped(things))

    def for_table(self, table: str) -> KeyType | None:
        """The type whose rows live in `table` (bare or schema-qualified name)."""
        bare = table.rpartition(".")[2]
        return next((t for t in self.types if t.table and t.table in (table, bare)), None)

    def named(self, name: str) -> KeyType | None:
        return next((t for t in self.types if t.name == name), None)

    def row_keys(self, table: str, pk: object) -> tuple[str, ...]:
        """Keys of the row `pk` of `table`: always `row:table/pk`, and its typed key.

        Without a configured type the table's name in the singular names the type, as
        frameworks do.
        """
        bare = table.rpartition(".")[2]
        key_type = self.for_table(table)
        name = key_type.name if key_type else _thing_of(bare)
        value = clean(str(pk))
        return (f"row:{clean(bare)}/{value}", f"{name}:{value}")

    def in_text(self, text: str) -> tuple[str, ...]:
        """All keys in one text: rule by rule, and in order of appearance for each rule."""
        return tuple(dict.fromkeys(self._found(text)))

    def _found(self, text: str) -> Iterator[str]:
        for rule in self._fields:
            for name, value in rule.pairs(text):
                if value not in NOT_VALUES:
                    yield from (f"{kind}:{value}" for kind in self.types_of(name))
        for kind, pattern in self._patterns:
            yield from (f"{kind}:{value}" for value in pattern.values(text))
        yield from spoken(self._phrases, text)
        for match in re.finditer(_GLOBAL_ID, text) if _GLOBAL_ID_MARK in text else ():
            yield f"{snake(match.group(1))}:{match.group(2)}"

    def types_of(self, field_name: str) -> tuple[str, ...]:
        """Names of the types that a field's value belongs to; none when it is no key."""
        if (exact := self._by_field.get(field_name)) is not None:
            return exact
        thing = thing_named_by(field_name)
        if (spelt_otherwise := self._by_thing.get(thing)) is not None:
            return spelt_otherwise
        return (thing,) if self.discover and thing and thing not in NEVER_KEYS else ()

    def in_column(self, texts: pl.Series) -> pl.DataFrame:
        """KEY_SCHEMA frame of all keys in a string column; `row` indexes the column.

        Sorted by row; the keys of one row stand in the order of `in_text`, each once.
        """
        import polars as pl  # one text can be searched without Polars

        lines = pl.DataFrame({"text": texts}).with_row_index("row")
        parts = [self._in_slice(piece) for piece in lines.iter_slices(SLICE_ROWS)]
        return pl.concat([*parts, _no_keys()])

    def _in_slice(self, lines: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        marks = {mark for rule in self._fields for mark in rule.marks} | {_GLOBAL_ID_MARK}
        marked = lines.filter(pl.col("text").str.contains(any_of(sorted(marks))))
        parts = []
        for rule in self._fields:
            searched = marked if rule.marks else lines
            if searched.height and (pairs := rule.column_pairs(searched)).height:
                parts.append(self._typed(pairs))
        for kind, pattern in self._patterns:
            values = pattern.column_values(lines)
            parts.append(values.select("row", (pl.lit(f"{kind}:") + pl.col("value")).alias("key")))
        parts += spoken_column(self._phrases, lines)
        if marked.height:
            parts.append(_global_ids(marked))
        found = [part for part in parts if part.height]
        if not found:
            return _no_keys()
        merged = found[0] if len(found) == 1 else pl.concat(found).sort("row", maintain_order=True)
        return _each_once(merged)

    def _typed(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """`row`, `key` of named values, one line for each type that a name stands for."""
        import polars as pl

        no_value = pairs.get_column("value").is_in(pl.Series(NOT_VALUES).implode())
        pairs = pairs.filter(~no_value) if no_value.any() else pairs
        names = pairs.get_column("name").unique().to_list()  # a handful in real logs
        kinds = {name: self.types_of(bare_name(name)) for name in names}
        parts = []
        for nth in range(max((len(types) for types in kinds.values()), default=0)):
            kind = {name: f"{types[nth]}:" for name, types in kinds.items() if len(types) > nth}
            key = pl.col("name").replace_strict(kind, default=None, return_dtype=pl.String)
            parts.append(pairs.select("row", (key + pl.col("value")).alias("key")))
        if len(parts) < 2:
            return parts[0].drop_nulls() if parts else _no_keys()
        numbered = pl.concat([part.with_row_index("match") for part in parts])
        return numbered.sort("match", maintain_order=True).drop("match").drop_nulls()


def _no_keys() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema={"row": pl.UInt32, "key": pl.String})


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, dict[str, None]] = {}
    for key, value in pairs:
        grouped.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in grouped.items()}


def _global_ids(lines: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    found = matches(lines, _GLOBAL_ID)
    model = pl.col("match").str.extract(_GLOBAL_ID, 1)
    names = found.select(model.alias("model")).get_column("model")
    kinds = pl.DataFrame(
        [(name, f"{snake(name)}:") for name in names.unique().to_list()],
        schema={"model": pl.String, "kind": pl.String},
        orient="row",
    )
    value = pl.col("match").str.extract(_GLOBAL_ID, 2)
    joined = found.with_columns(names).join(kinds, on="model", maintain_order="left")
    return joined.select("row", (pl.col("kind") + value).alias("key"))


def _each_once(keys: pl.DataFrame) -> pl.DataFrame:
    """Drop repeats of a key in the same row; `keys` is sorted by row."""
    import polars as pl

    row, key = pl.col("row"), pl.col("key")
    most = keys.get_column("row").rle().struct.field("len").max() if keys.height else 0
    if not isinstance(most, int) or most < 2:
        return keys
    if most > NEIGHBOURS:
        return keys.unique(maintain_order=True)
    repeats = [(row == row.shift(n)) & (key == key.shift(n)) for n in range(1, most)]
    return keys.filter(~pl.any_horizontal(repeats).fill_null(value=False))


@lru_cache(maxsize=256)
def _thing_of(table: str) -> str:
    """What a row of `table` is called; a database has few tables and many rows."""
    return _singular(snake(table))


def _singular(table: str) -> str:
    for plural, singular in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch")):
        if table.endswith(plural):
            return table.removesuffix(plural) + singular
    if table.endswith(("xes", "tuses", "ruses")):
        return table.removesuffix("es")
    return table if table.endswith(("ss", "us", "news")) else table.removesuffix("s")


def too_broad(keys: pl.DataFrame) -> frozenset[str]:
    """Keys carried by too large a share of the keyed events to join anything on.

    `keys` is a KEY_SCHEMA frame sorted by row. Of a large one, the candidates come from a sample
    in which a key at the limit is met a thousand times; their counts are exact.
    """
    import polars as pl

    if keys.is_empty():
        return frozenset()
    row, key = keys.get_column("row"), keys.get_column("key")
    events = int((row != row.shift(1)).sum()) + 1
    limit = max(TOO_BROAD_MINIMUM, int(events * TOO_BROAD_SHARE))
    if key.len() > SAMPLE_KEYS:
        met = key.sample(SAMPLE_KEYS, seed=0).value_counts(name="n")
        expected = limit * SAMPLE_KEYS // key.len()
        candidates = met.filter(pl.col("n") >= expected // 2).get_column("key")
        key = key.filter(key.is_in(candidates.implode()))
    counted = key.value_counts(name="n").filter(pl.col("n") > limit)
    return frozenset(counted.get_column("key").to_list())


def split_key(key: str) -> tuple[str, str]:
    """`("user", "4711")` of `user:4711`; an untyped text gives an empty type."""
    kind, colon, value = key.partition(":")
    return (kind, value) if colon else ("", key)


def joinable(keys: Sequence[str], broad: frozenset[str]) -> tuple[str, ...]:
    """The keys that may be joined on, order kept."""
    return tuple(key for key in keys if key not in broad)
