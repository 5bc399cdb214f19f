"""What a person may configure for Celery's tables in PostgreSQL."""

from __future__ import annotations

import re
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from connectors.sqlqueue.options import SqlQueueOptions

CELERY_SCHEME = re.compile(r"(?:sqla|sqlalchemy|db)\+(?=postgres)", re.IGNORECASE)
"""What Celery puts before a database's URL: `sqla+` for a broker, `db+` for results."""
TABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_$]{0,62}$"


class CelerySqlOptions(SqlQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "celery-sql"`."""

    taken_zone: str = ""
    """Zone of the workers' hosts, in which kombu notes when a message was taken. Empty reads it
    as UTC, and says that this was assumed."""
    message_table: str = Field(default="kombu_message", pattern=TABLE_NAME)
    """`message_tablename` of the broker's transport options."""
    queue_table: str = Field(default="kombu_queue", pattern=TABLE_NAME)
    """`queue_tablename` of the broker's transport options."""
    result_table: str = Field(default="celery_taskmeta", pattern=TABLE_NAME)
    """`task` of `database_table_names`."""

    @field_validator("dsn")
    @classmethod
    def _as_celery_writes_it(cls, value: SecretStr | None) -> SecretStr | None:
        """`sqla+postgresql+psycopg://…` and `db+postgresql://…` name the same database."""
        if value is None:
            return None
        return SecretStr(CELERY_SCHEME.sub("", value.get_secret_value(), count=1))

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        try:
            ZoneInfo(self.taken_zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"taken_zone: {self.taken_zone!r} is not a time zone") from None
        return self
