"""A job's arguments as text: JSON is read, everything else is measured and left closed.

Pickle, YAML, Marshal and MessagePack run or build what their author chose, so such a body is
told by its format and size alone. Nothing here raises for what somebody wrote into a queue.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.queues.transitions import LATEST_NS
from timeline.clean import clean
from timeline.keys import KeyRules

ARGUMENT_CHARACTERS = 2_000
"""Of a job's arguments that are shown; keys are looked for in all that was read."""
FORMATS = (
    ("pickle", "pickled"),
    ("python", "pickled"),
    ("yaml", "YAML"),
    ("msgpack", "MessagePack"),
    ("marshal", "marshalled"),
    ("zip", "compressed"),
    ("zlib", "compressed"),
    ("brotli", "compressed"),
    ("zstd", "compressed"),
    ("bzip2", "compressed"),
    ("lzma", "compressed"),
)


def opaque(content: bytes, stated: str = "") -> str:
    """`pickled, 312 bytes, not opened`: by the format stated beside it, else by its first byte."""
    lowered = stated.lower()
    found = next((words for mark, words in FORMATS if mark in lowered), "")
    if not found and content[:1] == b"\x80" and content[-1:] == b".":
        found = "pickled"  # PROTO and STOP, pickletools of Python 3.11
    if not found and content[:3] in (b"---", b"!!p"):
        found = "YAML"
    return f"{found or 'not JSON'}, {len(content)} bytes, not opened"


def too_large(size: int) -> str:
    return f"{size} bytes, too large to fetch"


def json_value(content: bytes | str) -> object:
    """The JSON value, or None (also for `null`) when it is not JSON or too deep to be meant."""
    try:
        value: object = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value


def mapping(value: object) -> Mapping[str, object]:
    """`value` when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence_of(value: object) -> Sequence[object]:
    """`value` when it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else ()


def word(value: object) -> str:
    """A JSON scalar as cleaned text; empty for anything else."""
    return clean(str(value)) if isinstance(value, str | int | float) else ""


def number(value: object) -> int | None:
    """A JSON whole number, also one written as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None


def iso_ns(stamp: object) -> int | None:
    """ns UTC of ISO 8601 text, exact to the microsecond; a stamp without a zone is UTC.

    None for anything else, and for what lies before 1970 or beyond the year 2262.
    """
    try:
        moment = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
        if moment is None:
            return None
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        found = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000
    except (ValueError, OverflowError):
        return None
    return found if 0 < found <= LATEST_NS else None


def call_text(positional: Sequence[object], named: Mapping[str, object]) -> str:
    """`4711, kind="welcome"`: arguments as a person would write them, cleaned, not cut."""
    parts = [_shown(value) for value in positional]
    parts += [f"{key}={_shown(value)}" for key, value in named.items()]
    return clean(", ".join(parts))


def cut(shown: str) -> str:
    """At most `ARGUMENT_CHARACTERS` of a text."""
    return shown if len(shown) <= ARGUMENT_CHARACTERS else f"{shown[:ARGUMENT_CHARACTERS]}…"


def keys_of(
    rules: KeyRules,
    arguments: str,
    names: Sequence[str] = (),
    positional: Sequence[object] = (),
) -> tuple[str, ...]:
    """Typed keys in a call's text, and of positional arguments that somebody has named."""
    found = rules.in_text(arguments)
    pairs = [f"{n}={v}" for n, v in zip(names, positional, strict=False) if word(v)]
    return tuple(dict.fromkeys((*found, *rules.in_text(clean(" ".join(pairs))))))


def names_for(job_class: str, configured: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Names of positional arguments configured for a job by its full or its last name."""
    return configured.get(job_class) or configured.get(job_class.rpartition(".")[2]) or ()


def _shown(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "…"
