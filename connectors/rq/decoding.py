"""Reads the texts RQ stores: stamps, tracebacks, calls. Nothing here ever loads a pickle.

Every function takes what whoever could write to Redis wrote: it answers with an empty value for
what it cannot read, never with an exception, and never unpacks more than it says.
"""

from __future__ import annotations

import ast
import base64
import binascii
import zlib
from datetime import UTC, datetime, timedelta

from connectors.queues.transitions import LATEST_NS
from timeline.clean import clean

ERROR_CHARACTERS = 8_192
"""Of an error's text; a traceback is read from its end, so the end is what is kept."""
RESULT_TEXT_BYTES = 1024 * 1024
"""A traceback that unpacks to more than this is cut: a small entry must not fill the memory."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(stamp: str) -> int | None:
    """ns UTC of RQ's `%Y-%m-%dT%H:%M:%S.%fZ`; None for anything else or beyond the year 2262."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    whole = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return whole if 0 <= whole <= LATEST_NS else None


def seconds(raw: bytes) -> int | None:
    """ns of float seconds text, exact to the microsecond that RQ had."""
    try:
        value = round(float(raw) * 1_000_000) * 1_000
    except (ValueError, OverflowError):
        return None
    return value if 0 < value <= LATEST_NS else None


def whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def old_error(raw: bytes) -> str:
    """The text of `exc_info`, which RQ before 1.16 kept in the hash (zlib, not encoded)."""
    return inflated(raw, encoded=False)


def inflated(raw: bytes, *, encoded: bool) -> str:
    """Text of `base64(zlib(text))` or `zlib(text)`, never more than a bounded tail of it."""
    if not raw:
        return ""
    try:
        packed = base64.b64decode(raw, validate=True) if encoded else raw
        text = zlib.decompressobj().decompress(packed, RESULT_TEXT_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        return ""
    return clean(text.decode("utf-8", "replace")[-ERROR_CHARACTERS:])


def positional(call: str) -> list[str]:
    """The literal positional arguments of a call's text, up to the first that is none.

    Parsed, never evaluated: the text was written by whoever could enqueue a job.
    """
    try:
        tree = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    values = []
    for argument in tree.args if isinstance(tree, ast.Call) else ():
        if not isinstance(argument, ast.Constant):
            break
        values.append(str(argument.value))
    return values
