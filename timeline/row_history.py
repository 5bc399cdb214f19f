"""Every known version of one database row: what changed, who wrote it, in which transaction.

Versions are told by audit tables and by the database's own history (`row.version`). Without them a
source shows a row as it was when it was read: two reads that differ tell that something changed in
between, and nothing tells what it held before the first. It never guesses an old value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from timeline.event import Kind
from timeline.keys import split_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from timeline.event import Event
    from timeline.incident import Incident

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

MOST_VERSIONS = 100
"""Versions of one row that are told, the latest; a counter has more than anybody reads."""
HIDDEN = "(not shown)"
"""How connectors say that a value changed which they do not tell."""
ROW = "row"


@dataclass(frozen=True, slots=True)
class Change:
    """One column; values as text, None where there was (or is) none."""

    column: str
    old: str | None
    new: str | None

    @property
    def hidden(self) -> bool:
        """Whether only that it changed is told."""
        return HIDDEN in (self.old, self.new)


@dataclass(frozen=True, slots=True)
class Version:
    """One write of the row, or one difference between two reads of it."""

    event: Event
    action: str
    """`inserted`, `updated`, `deleted`, or the audit tool's own word."""
    actor: str
    """Who, as recorded; empty where nothing says it."""
    transaction: str
    request: str
    changes: tuple[Change, ...]
    note: str = ""
    """What about this version is not known."""


@dataclass(frozen=True, slots=True)
class RowHistory:
    """`kept` is whether any source keeps versions of this row; `sentence` says what that means."""

    record: str
    versions: tuple[Version, ...]
    more: int
    kept: bool
    sentence: str


def history_of(incident: Incident, event: Event) -> RowHistory | None:
    """The versions of the row that `event` is about; None when it is about none."""
    record = next((key for key in event.keys if split_key(key)[0] == ROW), "")
    if not record or not event.kind.value.startswith("row."):
        return None
    snapshot = incident.snapshot
    held = snapshot.events_at(snapshot.rows_with([record]).to_list()[-4 * MOST_VERSIONS :])
    told = [one for one in held if one.kind.value.startswith("row.")]
    kept = any(one.kind is Kind.ROW_VERSION for one in told)
    versions = [_version(one) for one in told]
    versions = _last_write_alone(versions)
    if not kept:
        versions = _with_reads(versions)
    latest = versions[-MOST_VERSIONS:]
    return RowHistory(
        record, tuple(latest), len(versions) - len(latest), kept, _sentence(told, kept)
    )


def _sentence(told: Sequence[Event], kept: bool) -> str:
    if kept:
        tools = dict.fromkeys(str(_attributes(one).get("tool", "")) for one in told)
        by = ", ".join(tool for tool in tools if tool) or "the source"
        return f"Versions are kept by {by}; what bypassed it left none."
    source = told[-1].source if told else "this source"
    return (
        f"No version is kept by this source ({source}): values are those of the last read, "
        "and what the row held before is not known."
    )


def _version(event: Event) -> Version:
    told = _attributes(event)
    transaction = next((split_key(key)[1] for key in event.keys if key.startswith("txn:")), "")
    return Version(
        event,
        str(told.get("action") or event.kind.value.removeprefix("row.")),
        str(told.get("actor") or ""),
        str(told.get("txn") or told.get("txid") or transaction or told.get("xmin") or ""),
        str(told.get("request_id") or ""),
        tuple(_changes(told)),
        str(told.get("note") or ""),
    )


def _last_write_alone(versions: list[Version]) -> list[Version]:
    """A row as it was read names the transaction of its last write; earlier ones are not known."""
    plain = [n for n, one in enumerate(versions) if one.event.kind is not Kind.ROW_VERSION]
    earlier = set(plain[:-1])
    return [
        replace(one, transaction="") if number in earlier else one
        for number, one in enumerate(versions)
    ]


def _changes(told: Mapping[str, Json]) -> Iterator[Change]:
    changed = told.get("changed")
    if not isinstance(changed, dict):
        return
    for column, pair in changed.items():
        if isinstance(pair, list) and len(pair) == 2:
            yield Change(column, _text(pair[0]), _text(pair[1]))


def _with_reads(versions: list[Version]) -> list[Version]:
    """Versions with what two reads of the row found different, at the later of the two."""
    found = list(versions)
    reads = sorted(_reads(versions), key=lambda read: read[0])
    for (then, before, _), (now, after, place) in pairwise(reads):
        changes = tuple(
            Change(column, _text(before.get(column)), _text(after.get(column)))
            for column in dict.fromkeys((*before, *after))
            if before.get(column) != after.get(column)
        )
        if changes and then != now:
            note = f"changed between the reads at {then} and {now}"
            found[place] = replace(found[place], changes=changes, note=note)
    return found


def _reads(versions: Sequence[Version]) -> Iterator[tuple[str, dict[str, Json], int]]:
    """(when, columns, place) of each read of the row, once."""
    seen: set[str] = set()
    for place, version in enumerate(versions):
        told = _attributes(version.event)
        when, columns = told.get("seen_at"), told.get("columns")
        if isinstance(when, str) and isinstance(columns, dict) and when not in seen:
            seen.add(when)
            yield when, columns, place


def _attributes(event: Event) -> dict[str, Json]:
    try:
        told = json.loads(event.attributes or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _text(value: Json) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
