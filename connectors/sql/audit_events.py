"""A recorded version of a row as an event: its keys, its words, its attributes.

An audit stamp is what the application or the transaction wrote: the change became visible no
earlier. The attributes are the same for every database and listed in `connectors.sql`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.sql.audit import HIDDEN, JsonValue, Version, may_show
from connectors.sql.audit_shapes import Tool
from connectors.sql.rows import APPLICATION_CLOCK
from connectors.sql.stamps import LATEST_NS
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.key_fields import snake
from timeline.keys import KeyRules

CHANGES_SHOWN = 3
FIRST_NORMAL_XID = 3
"""Smaller transaction ids are the bootstrap and frozen markers (PostgreSQL, access/transam.h)."""


class Named(Protocol):
    """A column."""

    @property
    def name(self) -> str: ...


class RecordTable(Protocol):
    """A table whose rows are read themselves, so that it is known what may be told of them."""

    @property
    def label(self) -> str: ...
    @property
    def key_type(self) -> str: ...
    @property
    def carried(self) -> Sequence[Named]: ...


@dataclass(frozen=True, slots=True)
class VersionEvents:
    """Turns the versions of one audit table into events."""

    source: str
    label: str
    item_table: str
    """The audited table, where the audit table keeps the history of one table only."""
    endpoint: str
    """`primary`, `replica` or `file`."""
    key_rules: KeyRules
    records: Sequence[RecordTable]

    def of(self, version: Version, writer: str) -> Event | None:
        """The event; None for a stamp without place. `writer` is the transaction that wrote it."""
        if not 0 < version.at * 1_000 <= LATEST_NS:
            return None
        table, kind = self._item(version)
        ref = f"{self.label}/{version.place}"
        triggered = version.tool is Tool.PERIODS
        return Event(
            timestamp=version.at * 1_000,
            source=self.source,
            lane=Lane.DATABASE,
            kind=Kind.ROW_VERSION,
            body=_words(table or kind, version),
            ref=ref,
            seq=int(version.place) if _is_whole(version.place) else intrinsic_seq(ref),
            actor=version.actor or self.label,
            clock="" if triggered else APPLICATION_CLOCK,
            meaning=Meaning.TRANSACTION_START,
            precision=Precision.MILLISECOND
            if version.tool is Tool.LOGIDZE
            else Precision.MICROSECOND,
            keys=self._keys(version, table, kind, writer),
            attributes=json.dumps(self._attributes(version, table, writer), ensure_ascii=False),
        )

    def shown(self, item_type: str, column: str) -> bool:
        """A value is told here where the row's own would be: configured columns too."""
        if may_show(item_type, column):
            return True
        kind = kind_name(item_type) if item_type else self.kind_of(self.item_table)
        return any(
            column == carried.name
            for table in self.records
            if table.key_type == kind
            for carried in table.carried
        )

    def kind_of(self, table: str) -> str:
        """The type of the keys of its rows."""
        return self.key_rules.row_keys(table, "")[1].removesuffix(":")

    def _keys(self, version: Version, table: str, kind: str, writer: str) -> tuple[str, ...]:
        keys = [f"{kind}:{version.item_id}"]
        if table:
            keys = list(self.key_rules.row_keys(table, version.item_id))
        if version.actor and version.actor_type:
            keys.append(f"{kind_name(version.actor_type)}:{version.actor}")
        if writer.isdigit() and int(writer) >= FIRST_NORMAL_XID:
            keys.append(f"txn:{writer}")
        if version.request:
            keys.append(f"request:{version.request}")
        return tuple(dict.fromkeys(keys))

    def _attributes(self, version: Version, table: str, writer: str) -> dict[str, object]:
        attributes: dict[str, object] = {
            "tool": version.tool.value,
            "audit_table": self.label,
            "item_type": version.item_type,
            "pk": int(version.item_id) if _is_whole(version.item_id) else version.item_id,
            "action": version.action,
            "actor": version.actor,
            "actor_type": version.actor_type,
            **_values(version),
            "changed": {column: list(pair) for column, pair in version.changed.items()},
            "txid": version.txid,
            "request_id": version.request,
            "note": version.note,
            "endpoint": self.endpoint,
        }
        if table:
            attributes["table"] = table
        if writer:
            attributes["txn"] = attributes["xmin"] = writer
        if version.number is not None:
            attributes["version"] = version.number
        if version.lock_version != (None, None):
            attributes["lock_version"] = list(version.lock_version)
        return attributes

    def _item(self, version: Version) -> tuple[str, str]:
        """The audited table, if this source knows it, and the key type of its rows."""
        if not version.item_type:
            return self.item_table, self.kind_of(self.item_table)
        kind = kind_name(version.item_type)
        return next((t.label for t in self.records if t.key_type == kind), ""), kind


def _values(version: Version) -> dict[str, dict[str, JsonValue]]:
    """New values of what changed, and the old ones where there were any."""
    columns = {name: after for name, (_, after) in version.changed.items()}
    before = {name: value for name, (value, _) in version.changed.items()}
    return {
        "columns": {} if version.action == "deleted" else columns,
        "before": {} if version.action == "created" else before,
    }


def class_name(kind: str) -> str:
    """`OrderItem` of the key type `order_item`, as Rails names its models."""
    return "".join(part.capitalize() for part in kind.split("_"))


def kind_name(item_type: str) -> str:
    """The key type of a recorded class: `order_item` of `Shop::OrderItem` or `shop.orderitem`."""
    return snake(item_type.rpartition("::")[2].rpartition(".")[2])


def _words(what: str, version: Version) -> str:
    by = f" by {version.actor_type + ' ' if version.actor_type else ''}{version.actor}"
    words = f"{what}/{version.item_id} {version.action}{by if version.actor else ''}"
    open_first = sorted(version.changed.items(), key=lambda entry: HIDDEN in entry[1])
    told = [_change(*entry) for entry in open_first[:CHANGES_SHOWN]]
    if len(version.changed) > CHANGES_SHOWN:
        told.append(f"{len(version.changed) - CHANGES_SHOWN} more columns")
    if told:
        words += f": {', '.join(told)}"
    note = f"; {version.note}" if version.note else ""
    return f"{words} ({version.tool.value}{note})"


def _change(column: str, pair: tuple[JsonValue, JsonValue]) -> str:
    before, after = pair
    if HIDDEN in (before, after):
        return f"{column} changed"
    return f"{column} {_shown(before)} → {_shown(after)}"


def _shown(value: JsonValue) -> str:
    return "null" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
