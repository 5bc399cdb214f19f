"""What may be said of one table, and checks of options that the SQL connectors share."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TableOptions(BaseModel):
    """One table whose rows are evidence. `columns` replaces the columns carried by default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str
    schema_name: str = Field(default="", alias="schema")
    """The database that holds it, when it is not the one of the connection."""
    pk: str = ""
    """Column that identifies a row; empty takes the primary key."""
    time_columns: tuple[str, ...] = ()
    """Columns that become events; empty takes the creation, update and deletion stamps."""
    key: str = ""
    """Type of the rows' keys, when it is not the table's name without its plural "s"."""
    columns: tuple[str, ...] | None = None
    clock: Literal["app", "database"] | None = None
    """Whose clock writes the time columns; empty decides by the column's default."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        """`"sales.orders"` is short for `{name = "orders", schema = "sales"}`."""
        if isinstance(value, str):
            schema, _, name = value.rpartition(".")
            return {"name": name, "schema": schema}
        return value


def known_zone(value: str) -> str:
    """The zone's name, or empty. Raises ValueError for a name that is no zone."""
    if value:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is not a time zone such as 'Europe/Berlin'") from None
    return value
