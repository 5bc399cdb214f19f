"""Bytes of log text into a column of lines with their byte offsets. Loses no byte."""

from __future__ import annotations

import polars as pl

from connectors.logs.locate import BYTE_ORDER_MARK


def lines_of(raw: bytes, base: int) -> tuple[pl.DataFrame, int]:
    """Columns `text`, `offset` (bytes, from `base`), and how many lines held bad UTF-8.

    A bad byte becomes U+FFFD; offsets are counted in the bytes as they are on disk.
    """
    if not raw:
        return pl.DataFrame(schema={"text": pl.String, "offset": pl.UInt64}), 0
    body = raw[:-1] if raw.endswith(b"\n") else raw
    bad = 0
    try:
        texts = pl.Series([body], dtype=pl.Binary).cast(pl.String).str.split("\n").explode()
        sizes = texts.str.len_bytes().cast(pl.UInt64)
    except pl.exceptions.PolarsError:
        pieces = pl.Series(body.split(b"\n"), dtype=pl.Binary)
        sizes = pieces.bin.size().cast(pl.UInt64)
        texts = pl.Series([body.decode("utf-8", "replace")]).str.split("\n").explode()
        bad = int((texts.str.len_bytes() != sizes).sum())
    begins = (sizes + 1).cum_sum().shift(1, fill_value=0) + base
    texts = texts.str.strip_suffix("\r")
    if raw.startswith(BYTE_ORDER_MARK.encode()):
        texts = texts.str.strip_prefix(BYTE_ORDER_MARK)
    return pl.DataFrame({"text": texts, "offset": begins.cast(pl.UInt64)}), bad
