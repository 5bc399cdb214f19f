"""Attributes of refused and failed requests, from structured lines of files.

A file's event keeps its message and its place in the file; its other fields stay there, for memory.
What a server answered with 400 and more is rare and explains nights, so those lines carry the
fields of their request along, under OpenTelemetry's names. Values are decoded, then cleaned.
"""

from __future__ import annotations

import polars as pl

from timeline.clean import clean_column
from timeline.facts.requests import METHOD_NAMES, PATH_NAMES, SIZE_NAMES, STATUS_NAMES

MARK = "tatus"
"""In every name of a status; a literal is searched ten times as fast as a pattern."""
REFUSED = r"tatus(?:_code|Code)?\"? ?[:=] ?\"?[45][0-9]{2}\b"
LONGEST = 32_768
"""Bytes; a longer line is a document rather than the record of a request."""
STATUS = "http.response.status_code"
FIELDS: dict[str, tuple[str, ...]] = {
    STATUS: STATUS_NAMES,
    "http.request.method": METHOD_NAMES,
    "url.original": (*PATH_NAMES, "url"),
    "http.request.body.size": SIZE_NAMES,
}


def request_attributes(texts: pl.Series, *, json_lines: bool) -> pl.Series:
    """The column `attributes` for raw lines: a JSON object, or null for what was not refused."""
    told = pl.Series("attributes", [None], dtype=pl.String).new_from_index(0, len(texts))
    text = pl.col("text")
    lines = pl.DataFrame({"text": texts}).with_row_index("place")
    marked = lines.filter(text.str.contains(MARK, literal=True))
    refused = marked.filter(text.str.contains(REFUSED) & (text.str.len_bytes() <= LONGEST))
    if refused.is_empty():
        return told
    if json_lines:
        refused = refused.filter(_is_object(refused.get_column("text")))
    spelt = _of_json if json_lines else _of_logfmt
    fields = [pl.coalesce(spelt(name) for name in names).alias(to) for to, names in FIELDS.items()]
    values = refused.select("place", *fields)
    values = values.filter(pl.col(STATUS).str.contains(r"^[45][0-9]{2}$"))
    if values.is_empty():
        return told
    places = values.drop_in_place("place")
    cleaned = values.select(clean_column(column) for column in values)
    packed = cleaned.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return told.scatter(places, packed)


def _is_object(texts: pl.Series) -> pl.Series:
    """Whether a text is an object as a whole: a cut line or a sentence is none."""
    return texts.str.starts_with("{") & texts.str.strip_chars_end().str.ends_with("}")


def _of_json(name: str) -> pl.Expr:
    flat = pl.col("text").str.json_path_match(f"$['{name}']")
    flat = pl.when(~flat.str.starts_with("{")).then(flat)  # an object is no value
    if "." not in name:
        return flat
    return pl.coalesce(flat, pl.col("text").str.json_path_match(f"$.{name}"))


def _of_logfmt(name: str) -> pl.Expr:
    bare = name.replace(".", r"\.")
    return pl.col("text").str.extract(rf'(?:^|\s){bare}="?([^\s"]+)', 1)
