"""Recognises audit tables by their published columns, and says which column means what.

Pure: table and column names in, an `AuditShape` out. Never looks at a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tool(StrEnum):
    """What writes an audit table."""

    PAPER_TRAIL = "paper_trail"
    AUDITED = "audited"
    LOGIDZE = "logidze"
    SIMPLE_HISTORY = "django-simple-history"
    REVERSION = "django-reversion"
    PERIODS = "system-versioned"


MARKS = (
    "whodunnit",
    "audited_changes",
    "log_data",
    "history_type",
    "serialized_data",
    "sys_period",
    "row_start",
)
"""Columns of which every audit table has at least one: what to look for in a catalogue."""
FRAMEWORK_MARKS = ("whodunnit", "audited_changes", "history_type", "serialized_data")
"""Those of tools that write through the framework and so in any database."""
REVISIONS = "reversion_revision"
"""Where django-reversion keeps the stamp and the user of its versions, which join it."""
HISTORY_STAMP = "history_date"
"""The one audit stamp that has no usual name of a creation stamp."""
_REQUEST = ("request_uuid", "request_id", "controller_info")


@dataclass(frozen=True, slots=True)
class AuditShape:
    """Which column of an audit table means what; an empty name where there is none."""

    tool: Tool
    at: str
    """Column of the version's stamp; for logidze the stamps stand inside the payload."""
    item_id: str
    place: str
    """Column that identifies the version in its table."""
    item_type: str = ""
    item_table: str = ""
    """Name of the audited table, where this one keeps the history of one table only."""
    payload: tuple[str, ...] = ()
    """Columns that hold the change or the state as a document, the best first."""
    actor: tuple[str, ...] = ()
    actor_type: str = ""
    action: str = ""
    txid: str = ""
    request: str = ""
    until: str = ""
    """End of a version's period."""
    own: tuple[str, ...] = ()
    """The tool's own columns, no part of the audited row."""
    number: str = ""
    """Column of the version's own number, where the tool counts them in one."""

    @property
    def keeps_states(self) -> bool:
        """Whether a version is a whole row, so that changes show against the one before it."""
        return self.tool in (Tool.SIMPLE_HISTORY, Tool.REVERSION, Tool.PERIODS)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns to read, each once; for tools that store whole rows beside all others."""
        named = (
            self.at,
            self.until,
            self.item_type,
            self.item_id,
            self.place,
            self.action,
            *self.actor,
            self.actor_type,
            self.txid,
            self.request,
            self.number,
            *self.payload,
        )
        return tuple(dict.fromkeys(name for name in named if name))


def shape_of(table: str, types: Mapping[str, str], pk: str = "id") -> AuditShape | None:
    """The shape of `table` by its columns (name -> type name); None when it is no audit table.

    `pk` is the column that identifies a row, for tables whose rows are versions themselves.
    """
    have = set(types)

    def first(*names: str) -> str:
        return next((name for name in names if name in have), "")

    if {"item_type", "item_id", "event", "whodunnit", "created_at"} <= have:
        return AuditShape(
            Tool.PAPER_TRAIL,
            at="created_at",
            item_id="item_id",
            place=pk,
            item_type=first("item_subtype", "item_type"),
            payload=tuple(name for name in ("object_changes",) if name in have),
            actor=("whodunnit",),
            action="event",
            txid=first("transaction_id"),
            request=first(*_REQUEST),
        )
    if {"auditable_type", "auditable_id", "audited_changes", "created_at"} <= have:
        return AuditShape(
            Tool.AUDITED,
            at="created_at",
            item_id="auditable_id",
            place=pk,
            item_type="auditable_type",
            payload=("audited_changes",),
            actor=tuple(name for name in ("user_id", "username") if name in have),
            actor_type=first("user_type"),
            action=first("action"),
            request=first(*_REQUEST),
            number=first("version"),
        )
    if {"history_id", "history_date", "history_type", "id"} <= have:
        own = tuple(sorted(name for name in have if name.startswith("history_")))
        return AuditShape(
            Tool.SIMPLE_HISTORY,
            at="history_date",
            item_id="id",
            place="history_id",
            item_table=table.replace("historical", "", 1),
            actor=tuple(name for name in ("history_user_id",) if name in have),
            action="history_type",
            own=own,
        )
    if {"revision_id", "object_id", "content_type_id", "serialized_data"} <= have:
        return AuditShape(
            Tool.REVERSION,
            at="date_created",
            item_id="object_id",
            place=pk,
            item_type="content_type_id",
            payload=("serialized_data",),
            actor=("user_id",),
            own=("format", "db", "comment"),
        )
    if types.get("log_data") in ("jsonb", "json"):
        return AuditShape(
            Tool.LOGIDZE,
            at=first("updated_at", "created_at"),
            item_id=pk,
            place="\0version",
            item_table=table,
            payload=("log_data",),
        )
    return _periods(table, types, pk)


def _periods(table: str, types: Mapping[str, str], pk: str) -> AuditShape | None:
    """temporal_tables keeps one range column, system versioning a column for either end."""
    own: tuple[str, ...] = ()
    if types.get("sys_period") in ("tstzrange", "tsrange"):
        at, until, own = "lower(sys_period)", "upper(sys_period)", ("sys_period",)
    elif {"row_start", "row_end"} <= {name.lower() for name in types}:
        names = {name.lower(): name for name in types}
        at, until = names["row_start"], names["row_end"]
    else:
        return None
    return AuditShape(
        Tool.PERIODS,
        at=at,
        until=until,
        item_id=pk,
        place="\0version",
        item_table=table.removesuffix("_history"),
        own=own,
    )
