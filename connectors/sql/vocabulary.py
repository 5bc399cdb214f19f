"""Names under which frameworks keep stamps and small vocabularies; the same in every SQL database.

Plain constants that import nothing of a connector.
"""

from __future__ import annotations

import re

CREATED = frozenset(
    [
        "created_at",
        "inserted_at",
        "created_on",
        "created",
        "createdat",
        "date_created",
        "creation_date",
        "date_joined",
        "created_time",
        "created_date",
        "enqueued_at",
    ]
)
UPDATED = frozenset(
    [
        "updated_at",
        "modified_at",
        "updated_on",
        "updated",
        "updatedat",
        "modified",
        "last_modified",
        "date_modified",
        "updated_time",
        "last_updated",
        "changed_at",
    ]
)
DELETED = frozenset(["deleted_at", "deleted_on", "discarded_at", "removed_at", "deletedat"])
"""Names under which frameworks (Rails, Django, Ecto, Sequelize, Prisma) keep row stamps."""
STATE_LIKE = re.compile(
    r"(?:.*_)?(?:status|state)|aasm_state|type|kind|version|lock_version|attempts|retries|position",
    re.IGNORECASE,
)
"""Columns carried by default beside ids and times: small vocabularies, never free text."""
