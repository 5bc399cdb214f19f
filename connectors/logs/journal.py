"""systemd's journal as `journalctl -o json` and `-o export` print it.

Field names and both formats are systemd's (systemd.journal-fields(7) and the "Journal Export
Formats" page of systemd 252). `_SOURCE_REALTIME_TIMESTAMP` is the writer's own stamp; without one
there is only the moment of arrival, which says "not later than this". Standard library only.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Final

ARRIVED = "__REALTIME_TIMESTAMP"
WRITTEN = "_SOURCE_REALTIME_TIMESTAMP"
LEVEL = ("PRIORITY",)
MESSAGE = ("MESSAGE",)
SPEAKERS = ("CONTAINER_NAME", "_SYSTEMD_USER_UNIT", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_COMM")
HOST = ("_HOSTNAME",)
FIELDS = (WRITTEN, *LEVEL, *MESSAGE, *SPEAKERS, *HOST, "_PID", "_TRANSPORT", "MESSAGE_ID",
          "N_DROPPED", "UNIT", "CONTAINER_ID", "EXIT_CODE", "EXIT_STATUS", "CODE_FUNC")  # fmt: skip
"""What is asked of journalctl; cursor, arrival, monotonic time and boot id come by themselves."""

MOST_VALUE_BYTES: Final = 64 * 1024
"""Of one field; a core dump in the journal has hundreds of MB."""
UNPRINTED = "[no message, or one beyond the 4 kB that journalctl prints without --all]"


def plain(record: Mapping[str, object]) -> dict[str, object]:
    """The record with its binary and repeated fields as text.

    A list of numbers is a value that is not UTF-8 (or holds control characters), byte by byte; a
    list of anything else is a field that was given more than once.
    """
    return {name: _value(value) for name, value in record.items()}


def _value(value: object) -> object:
    if not isinstance(value, list):
        return value
    if all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value[:MOST_VALUE_BYTES]).decode("utf-8", "replace")
    return " ".join(str(_value(item)) for item in value[:MOST_VALUE_BYTES])


def is_export(head: bytes) -> bool:
    """Whether a text begins as `journalctl -o export` does."""
    first = head[:200]
    return first.startswith((b"__CURSOR=", b"__REALTIME_TIMESTAMP=")) and b"\n" in first


def export_entries(raw: bytes) -> Iterator[tuple[int, str]]:
    """(offset, JSON text) of each entry of an export; a torn last one is left as it stands."""
    at, size = 0, len(raw)
    while at < size:
        if raw.startswith(b"\n", at):
            at += 1
            continue
        begin, fields, at = at, *_entry(raw, at)
        yield begin, json.dumps(fields, ensure_ascii=False)


def _entry(raw: bytes, at: int) -> tuple[dict[str, str], int]:
    """The fields of the entry at `at`, and where the next one may begin."""
    fields: dict[str, str] = {}
    while at < len(raw) and not raw.startswith(b"\n", at):
        end = raw.find(b"\n", at)
        if end < 0:  # torn: half a number would be another number
            return fields, len(raw)
        name, equals, value = raw[at:end].partition(b"=")
        at = end + 1
        if not equals:  # binary: eight bytes of length, the value, a line break
            if at + 8 > len(raw):
                return fields, len(raw)
            (length,) = struct.unpack_from("<Q", raw, at)
            if at + 8 + length > len(raw):
                return fields, len(raw)
            value = raw[at + 8 : at + 8 + min(length, MOST_VALUE_BYTES)]
            at = min(at + 8 + length + 1, len(raw))
        fields.setdefault(_text(name), _text(value[:MOST_VALUE_BYTES]))
    return fields, at


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
