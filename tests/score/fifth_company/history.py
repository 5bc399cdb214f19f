"""The audit trail of the fifth company: PaperTrail in Rails, system-versioned tables elsewhere.

Versions become events by the connectors' own `VersionEvents`; an edit tells its log lines, its
version and the row as it stands afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connectors.sql.audit import Version
from connectors.sql.audit_events import VersionEvents
from connectors.sql.audit_shapes import Tool
from tests.score.company import Service
from tests.score.fifth_company.harbour import Watch
from timeline.event import Kind
from timeline.keys import KeyRules

Value: TypeAlias = str | int | None
Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Edit:
    """One read-modify-write of a thing: what was read when, what was stored when."""

    thing: str
    read_at: float
    stored_at: float
    read: Values
    """The row as the writer saw it."""
    stored: Values
    """The row as the writer left it."""
    form: str = ""
    """Fields that the caller asked to change."""


def edited(night: Watch, by: Service, edit: Edit, before: Values) -> str:
    """Tell the whole edit; `before` is what the row held until then. Returns its request."""
    rid = night.request_id()
    path = f"/{night.firm.table}/{edit.thing}"
    told = {"method": "PATCH", "path": path, "rid": rid}
    host = night.say(edit.read_at - 0.004, by, "begin", told)
    fields = {**night.named(edit.thing), **edit.read, "request_id": rid}
    night.note(edit.read_at, by, "loaded", fields, host=host)
    fields = {**night.named(edit.thing), **edit.stored, "request_id": rid}
    words = f"stored (fields from the caller: {edit.form})" if edit.form else "stored"
    night.note(edit.stored_at, by, words, fields, host=host)
    ms = int((edit.stored_at - edit.read_at) * 1000) + 9
    end = edit.stored_at + 0.006
    night.say(end, by, "end", {**told, "status": 200, "ms": ms}, host=host)
    changed = {
        name: (before.get(name), value)
        for name, value in edit.stored.items()
        if before.get(name) != value
    }
    version(night, edit.stored_at, edit.thing, changed, request=rid, host=host)
    return rid


def version(
    night: Watch,
    seconds: float,
    thing: str,
    changed: Mapping[str, tuple[Value, Value]],
    *,
    action: str = "updated",
    request: str = "",
    host: str = "",
) -> None:
    """One recorded version of `thing`."""
    firm = night.firm
    rails = firm.front.style_name == "rails"
    place = str(700_000 + int(seconds * 1000))
    writer = str(9_120_000 + int(seconds * 10))
    told = Version(
        tool=Tool.PAPER_TRAIL if rails else Tool.PERIODS,
        item_type=firm.thing.title() if rails else "",
        item_id=thing,
        action=action,
        at=night.at(seconds) // 1_000,
        place=place,
        actor="",
        actor_type="",
        txid="",
        request=request if rails else "",
        changed=changed,
        note="",
    )
    label = "versions" if rails else f"{firm.table}_history"
    events = VersionEvents("database", label, firm.table, "primary", KeyRules(), ())
    event = events.of(told, writer)
    if event is None:
        raise ValueError(f"a version of {thing} at {seconds} s has no place")
    night.tell(event, host if rails and host else "database")


def row_now(night: Watch, seconds: float, thing: str, columns: Values) -> None:
    """The row as it stands, stamped with its last update."""
    night.row(seconds, night.firm.table, thing, kind=Kind.ROW_UPDATED, columns=columns)
