"""SELECT statements that count rows of a database, and jobs that a queue keeps in one.

A row is named by its primary key, whose column is known by its value; where that is not decided
there is no statement. The stretch of time is the one in which those rows were written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from timeline.event import Kind, Lane
from timeline.export.document import Recount
from timeline.export.recounted import Carrier, Scope, Span, instant, quoted
from timeline.keys import split_key

_TEXT = "%Y-%m-%d %H:%M:%S"
_MYSQL = frozenset({"mysql", "mariadb"})
_SESSION_NOTE = "in a session whose time_zone is '+00:00'"
"""MySQL has no literal of an instant that holds for DATETIME and TIMESTAMP columns alike."""
PREFERRED_KEY = "id"


@dataclass(frozen=True, slots=True)
class _Row:
    pk: str
    literal_is_number: bool
    columns: Mapping[str, object]
    column: str
    """The time column that told the event; empty for one that is none."""
    carrier: Carrier


def row_counts(scope: Scope, carriers: Sequence[Carrier], wanted: frozenset[str]) -> list[Recount]:
    """One statement for each table whose rows are what `wanted` names."""
    if scope.lane is not Lane.DATABASE:
        return []
    tables: dict[str, list[_Row]] = {}
    for carrier in carriers:
        found = _row(carrier)
        if found is not None and carrier.keys & wanted:
            tables.setdefault(str(carrier.attributes["table"]), []).append(found)
    counts = (_table_count(scope, table, tables[table], wanted) for table in sorted(tables))
    return [count for count in counts if count is not None]


def _row(carrier: Carrier) -> _Row | None:
    told = carrier.attributes
    pk, columns = told.get("pk"), told.get("columns")
    if not isinstance(told.get("table"), str) or not isinstance(columns, dict):
        return None
    if "audit_table" in told:  # a version of a row, which may be gone
        return None
    if not isinstance(pk, (int, str)) or isinstance(pk, bool):
        return None
    column = carrier.ref.rpartition("#")[2] if "#" in carrier.ref else ""
    return _Row(str(pk), isinstance(pk, int), columns, column, carrier)


def _table_count(
    scope: Scope, table: str, rows: Sequence[_Row], wanted: frozenset[str]
) -> Recount | None:
    """The rows of one table that are what a key names, by their primary keys."""
    named = [(row, _own_keys(table, row) & wanted) for row in rows]
    column = _key_column([row for row, keys in named if keys])
    if column is None:
        return None
    own = [(row, keys) for row, keys in named if keys and str(row.columns.get(column)) == row.pk]
    keys = frozenset[str]().union(*(keys for _, keys in own))
    by_pk = {row.pk: row for row, _ in own}
    mark = "`" if scope.product in _MYSQL else '"'
    listed = ", ".join(_literal(by_pk[pk], scope.product) for pk in sorted(by_pk, key=_as_number))
    where = f"{quoted(column, mark)} IN ({listed})"
    between = _written(scope, [row for row, _ in own], mark)
    statement = f"SELECT count(*) FROM {_identifier(table, mark)} WHERE {where}{between};"  # noqa: S608  # quoted
    note = _SESSION_NOTE if between and scope.product in _MYSQL else ""
    return Recount(
        scope.source, f"row of {table}", f"rows of {table}", len(by_pk), "sql", statement,
        tuple(sorted(keys)), note=note,
    )  # fmt: skip


def _own_keys(table: str, row: _Row) -> frozenset[str]:
    """Keys that name this row, not those of rows it refers to: by its key or a public id."""
    referred = {
        str(value)
        for name, value in row.columns.items()
        if name.endswith("_id") and name != "public_id" and value is not None
    } - {row.pk}
    bare = table.rpartition(".")[2]
    own = set()
    for key in row.carrier.keys:
        kind, value = split_key(key)
        by_pk = kind not in ("row", "txn") and value == row.pk and not _names_another(row, kind)
        public = kind == _public_kind(row, value) and value not in referred
        if by_pk or public or (kind == "row" and value == f"{bare}/{row.pk}"):
            own.add(key)
    return frozenset(own)


def _names_another(row: _Row, kind: str) -> bool:
    """A type that a column of this row refers by (`user_id`) is not the row's own."""
    return f"{kind}_id" in row.columns


def _public_kind(row: _Row, value: str) -> str | None:
    """The type under which a public id names the row: that of its primary key."""
    if not any(str(cell) == value for cell in row.columns.values()) or value == row.pk:
        return None
    kinds = {split_key(key)[0] for key in row.carrier.keys if split_key(key)[1] == row.pk}
    return next(iter(kinds - {"row"}), None)


def _key_column(rows: Sequence[_Row]) -> str | None:
    """The one column that holds the primary key of the most rows; None where it is not decided."""
    holding = Counter(
        name for row in rows for name, value in row.columns.items() if str(value) == row.pk
    )
    most = [name for name, count in holding.items() if count == max(holding.values())]
    if PREFERRED_KEY in most:
        return PREFERRED_KEY
    return most[0] if len(most) == 1 else None


def _written(scope: Scope, rows: Sequence[_Row], mark: str) -> str:
    """` AND created_at >= … AND created_at < …`; empty where a row tells no such instant."""
    inserted = Counter(row.column for row in rows if row.carrier.kind is Kind.ROW_INSERTED)
    if not inserted:
        return ""
    column = min(inserted, key=lambda name: (-inserted[name], name))
    told = {row.pk: stamp for row in rows if (stamp := _stamp(row, column)) is not None}
    if len(told) < len({row.pk for row in rows}):
        return ""
    span = Span.of(told.values(), scope.window)
    name = quoted(column, mark)
    zone = "" if scope.product in _MYSQL or scope.product == "sqlite" else "+00"
    if scope.product == "sqlite":  # a text, or seconds since the epoch
        name = f"datetime({name}, 'auto')"
    first, end = (quoted(f"{instant(edge, _TEXT)}{zone}") for edge in (span.start, span.end))
    return f" AND {name} >= {first} AND {name} < {end}"


def _stamp(row: _Row, column: str) -> int | None:
    """ns UTC of one column of the row."""
    if row.column == column and row.carrier.kind is Kind.ROW_INSERTED:
        return row.carrier.timestamp
    try:
        moment = datetime.fromisoformat(str(row.columns.get(column)))
    except ValueError:
        return None
    return None if moment.tzinfo is None else int(moment.timestamp()) * 1_000_000_000


def _identifier(table: str, mark: str) -> str:
    return ".".join(quoted(part, mark) for part in table.split("."))


def _literal(row: _Row, product: str) -> str:
    if row.literal_is_number:
        return row.pk
    text = row.pk.replace("\\", "\\\\") if product in _MYSQL else row.pk
    return quoted(text)


def _as_number(pk: str) -> tuple[int, str]:
    return (int(pk), pk) if pk.isascii() and pk.isdigit() else (0, pk)
