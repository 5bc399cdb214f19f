"""Whole columns of JSON lines into texts by role; agrees with `jsonshape` line for line.

The engine refuses a whole column for one broken line. Then torn lines (no closing brace) are set
aside, the rest goes in small blocks, and only blocks refused again are read line by line.
"""

from __future__ import annotations

import polars as pl

from connectors.logs.jsonshape import (
    ERROR_FIELDS,
    JsonShape,
    Path,
    decode,
)
from connectors.logs.pgformats import JSON_LABELLED

SMALL_BLOCK = 64
"""Lines that share the fate of one broken line among them: read one by one, a third of a ms."""
ROLES = ("time", "level", "message", "service", "host", "logger", "process", "written")
_ERROR_NAMES = "|".join({name.partition(".")[0] for name in ERROR_FIELDS})
ERROR_MARK = rf'"(?:{_ERROR_NAMES})(?:\.[a-z_]+)?"\s*:\s*(?:"[^"]|\{{|\[)'
"""Stands in every line with an error field that is neither null nor empty."""
LABELLED_MARK = rf'"(?:{"|".join(JSON_LABELLED)})"\s*:\s*"'
"""Stands in every line of a jsonlog with an explaining field."""


def json_texts(lines: pl.Series, shape: JsonShape) -> pl.DataFrame:
    """ROLES as strings (null when absent) and `broken` for each line of the column."""
    dtype = _dtype(shape)
    decoded = _decoded(lines, dtype)
    if decoded is not None:
        return _by_role(decoded, shape)
    whole = lines.str.ends_with("}") | lines.str.contains(r"\}\s+$")
    torn = (~whole).arg_true()
    if torn.is_empty():
        return _by_block(lines, shape, dtype)
    rows = whole.arg_true()
    texts = pl.concat([json_texts(lines.gather(rows), shape), _by_line(lines.gather(torn), shape)])
    numbered = texts.with_columns(pl.concat([rows, torn]).alias("row"))
    return numbered.sort("row").drop("row")


def with_errors(lines: pl.Series, messages: pl.Series, shape: JsonShape) -> pl.Series:
    """`messages`, followed by the error and explaining fields of the lines that have any."""
    if shape.journal:
        return messages
    mark = f"{ERROR_MARK}|{LABELLED_MARK}" if shape.postgresql else ERROR_MARK
    rows = lines.str.contains(mark).fill_null(value=False).arg_true()
    if rows.is_empty():
        return messages
    told = [
        "\n".join([message, *shape.appended(decode(line) or {}, message)])
        for line, message in zip(lines.gather(rows), messages.gather(rows), strict=True)
    ]
    return messages.scatter(rows, pl.Series(told, dtype=pl.String))


def _decoded(lines: pl.Series, dtype: pl.Struct) -> pl.Series | None:
    """The column as structs, or None when the engine refuses it for any of its lines."""
    try:
        return lines.str.json_decode(dtype)
    except pl.exceptions.PolarsError:
        return None


def _by_block(lines: pl.Series, shape: JsonShape, dtype: pl.Struct) -> pl.DataFrame:
    """A refused column block by block; blocks that are refused again are read line by line."""
    parts = []
    for start in range(0, lines.len(), SMALL_BLOCK):
        block = lines.slice(start, SMALL_BLOCK)
        decoded = _decoded(block, dtype)
        parts.append(_by_line(block, shape) if decoded is None else _by_role(decoded, shape))
    return pl.concat(parts)


def _by_role(decoded: pl.Series, shape: JsonShape) -> pl.DataFrame:
    frame = pl.DataFrame({"record": decoded})
    columns = []
    for role, paths in shape.roles().items():
        found = [_at(path) for path in paths]
        text = pl.coalesce(found) if found else pl.lit(None, dtype=pl.String)
        columns.append(text.alias(role))
    return frame.select(*columns, pl.lit(value=False).alias("broken"))


def _by_line(lines: pl.Series, shape: JsonShape) -> pl.DataFrame:
    records = [decode(line) for line in lines]
    fields = [shape.read(record) if record is not None else None for record in records]
    columns: dict[str, pl.Series] = {
        role: pl.Series(
            [None if item is None else _storable(getattr(item, role)) for item in fields],
            dtype=pl.String,
        )
        for role in ROLES
    }
    broken = pl.Series([item is None for item in fields], dtype=pl.Boolean)
    return pl.DataFrame({**columns, "broken": broken})


def _storable(text: str | None) -> str | None:
    """Lone surrogates, which JSON escapes can spell and UTF-8 cannot, as the replacement sign."""
    return (
        None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def _at(path: Path) -> pl.Expr:
    value = pl.col("record")
    for name in path:
        value = value.struct.field(name)
    return value


def _dtype(shape: JsonShape) -> pl.Struct:
    """The smallest struct that holds every path of the shape; all leaves are strings."""
    tree: dict[str, object] = {}
    for path in (path for paths in shape.roles().values() for path in paths):
        branch = tree
        for name in path[:-1]:
            inner = branch.setdefault(name, {})
            branch = inner if isinstance(inner, dict) else {}
        branch.setdefault(path[-1], None)
    return _struct(tree)


def _struct(tree: dict[str, object]) -> pl.Struct:
    return pl.Struct(
        [
            pl.Field(name, _struct(inner) if isinstance(inner, dict) else pl.String())
            for name, inner in tree.items()
        ]
    )
