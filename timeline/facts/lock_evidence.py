"""Where lock waits are told: the present state of a database, and PostgreSQL's log lines.

Reads the attributes of the PostgreSQL and MySQL connectors and what `lock_lines` reads in the log;
concludes nothing. A server only logs a wait that outlasts `deadlock_timeout`, and by default none
at all, so a quiet log says nothing here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.lock_lines import WaitLine, wait_lines
from timeline.facts.locks import PREPARED, SHORT_WAIT_NS, Holder, LockWait, LockWaits
from timeline.facts.words import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_SESSIONS = 5_000
"""Sessions of the database that are followed, the latest; a pile of thousands has the same root as
its first hundreds."""
HEADLINE = 80
"""Characters of a statement that name it."""
CANCELED = "canceling statement due to"
"""How PostgreSQL ends a statement that waited for longer than it may, in the table of errors."""
_BRACKETED = re.compile(r"\[(\d{1,10})\]")
"""The session's number (%p) where nearly every log_line_prefix has it: in the stock one, too."""
MYSQL_WAIT = re.compile(r" waits for (\d+) s for a lock on (\S+),")
_LITERAL = re.compile(r"'(?:[^']|'')*(?:'|$)")


def lock_waits(incident: Incident) -> LockWaits:
    """Every lock wait that began before the window's end, from state and log."""
    shown, holders = _from_state(incident)
    told = (*shown, *_from_log(incident))
    waits = [wait for wait in told if wait.from_instant <= incident.window.end]
    return LockWaits(tuple(sorted(waits, key=lambda w: (w.from_instant, w.source, w.row))), holders)


def headline(statement: str) -> str:
    """The beginning of a statement, without quoted literals, on one line."""
    plain = " ".join(_LITERAL.sub("'…'", statement.replace("␊", " ")).split())
    return plain if len(plain) <= HEADLINE else f"{plain[: HEADLINE - 1]}…"


def _from_log(incident: Incident) -> list[LockWait]:
    """Waits that PostgreSQL's log tells.

    A session waits until its `acquired` line, and surely as long as others see it in the queue; one
    that never got the lock waited until the server ended its statement.
    """
    found: dict[tuple[str, str, str], LockWait] = {}
    ended: set[tuple[str, str, str]] = set()
    for line in wait_lines(incident):
        wait = _line(line)
        own = (wait.source, wait.session, line.target)
        known = found.get(own)
        same = known is not None and abs(known.from_instant - wait.from_instant) < SHORT_WAIT_NS
        found[own] = replace(known, until=wait.until) if known is not None and same else wait
        ended.discard(own)
        if line.acquired:
            ended.add(own)
        for pid in line.queue:
            other = (wait.source, pid, line.target)
            if other in found and other not in ended:
                found[other] = replace(found[other], until=wait.until)
    waiting = {own for own in found if own not in ended}
    for source, session, until in _canceled(incident) if waiting else ():
        for own in [own for own in waiting if own[:2] == (source, session)]:
            if until >= found[own].until:
                found[own] = replace(found[own], until=until)
                waiting.discard(own)
    return list(found.values())


def _canceled(incident: Incident) -> Iterator[tuple[str, str, int]]:
    """(source, session, ns UTC) of every statement that a server's own log says it ended."""
    hits = incident.errors.filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("fragment").str.contains(CANCELED, literal=True)
    ).sort("timestamp", "row")
    for source, timestamp, body in hits.select("source", "timestamp", "body").iter_rows():
        number = _BRACKETED.search(body[:HEADLINE])
        if number is not None:
            yield str(source), number[1], timestamp


def _line(line: WaitLine) -> LockWait:
    return LockWait(
        source=line.source,
        session=line.pid,
        who=f"pid {line.pid}",
        mode=line.mode,
        target=f"{line.target} ({line.relation})" if line.relation else line.target,
        since=line.timestamp - line.waited,
        until=line.timestamp,
        blockers=line.holders,
        statement=headline(line.statement),
        from_state=False,
        row=line.row,
    )


def _from_state(incident: Incident) -> tuple[list[LockWait], dict[tuple[str, str], Holder]]:
    """Waits and sessions that databases showed when they were asked."""
    shown = incident.snapshot.told(
        (pl.col("lane") == Lane.DATABASE.value)
        & pl.col("kind").is_in([Kind.LOG.value, Kind.TXN_BEGIN.value])
        & pl.col("attributes").str.contains('"now": true', literal=True),
        *("source", "body", "kind", "attributes"),
    )
    waits: list[LockWait] = []
    holders: dict[tuple[str, str], Holder] = {}
    for record in shown.tail(MAX_SESSIONS).iter_rows(named=True):
        told = json.loads(record["attributes"])
        number = told.get("pid", told.get("connection"))
        waiting = "blocked_pid" in told or "blocked_by" in told
        if waiting and number is not None:
            waits.append(_shown_wait(record, told, str(number)))
        elif number is not None:
            holders[record["source"], str(number)] = _shown_holder(record, told, str(number))
        elif "gid" in told:
            holder = _shown_holder(record, told, PREPARED)
            who = f"the prepared transaction {told['gid']}"
            key = (record["source"], f"xid {told['backend_xid']}")
            holders[key] = replace(holder, who=who, began=record["timestamp"])
    for wait in waits:  # a root whose own transaction is not shown may still be one that waits
        holders.setdefault((wait.source, wait.session), Holder(wait.session, wait.who))
    return waits, holders


def _shown_wait(record: Mapping[str, object], told: Mapping[str, object], number: str) -> LockWait:
    body, seen = str(record["body"]), cast("int", record["timestamp"])
    since = _stamp(told.get("waits_since"))
    target = str(told.get("relation") or told.get("lock") or "")
    if mysql := MYSQL_WAIT.search(body):
        since, target = seen - int(mysql[1]) * SECOND_NS, mysql[2]
    prepared = re.search(r" on transaction (\d+)", body)
    blockers = cast("list[object]", told.get("blocking_pids", told.get("blocked_by")) or [])
    names = tuple(str(blocker) for blocker in blockers if blocker is not None)
    return LockWait(
        source=str(record["source"]),
        session=number,
        who=_who(told, number),
        mode=str(told.get("lock_mode") or "a lock"),
        target=f"transaction {prepared[1]}" if prepared and PREPARED in names else target,
        since=since,
        until=seen,
        blockers=names,
        statement=headline(str(told.get("query") or "")),
        from_state=True,
        row=cast("int", record["row"]),
    )


def _shown_holder(record: Mapping[str, object], told: Mapping[str, object], number: str) -> Holder:
    state = str(told.get("state") or "")
    seen = _stamp(told.get("seen_at"))
    began = cast("int", record["timestamp"]) if record["kind"] == Kind.TXN_BEGIN.value else None
    idle = _stamp(told.get("state_change")) if state.startswith("idle in transaction") else None
    if told.get("command") == "Sleep" and (slept := re.search(r"idle for (\d+) s", _body(record))):
        idle = None if seen is None else seen - int(slept[1]) * SECOND_NS
    return Holder(
        session=number,
        who=_who(told, number),
        state=state,
        began=began,
        idle_since=idle,
        seen=seen,
        statement=headline(str(told.get("query") or "")),
        holds=tuple(str(lock) for lock in cast("list[object]", told.get("holds") or [])),
        row=cast("int", record["row"]),
    )


def _body(record: Mapping[str, object]) -> str:
    return str(record["body"])


def _who(told: Mapping[str, object], number: str) -> str:
    noun = "pid" if "pid" in told else "connection"
    name = told.get("application_name") or told.get("user")
    return f"{noun} {number} ({name})" if name else f"{noun} {number}"


def _stamp(text: object) -> int | None:
    """ns UTC of an ISO text, exact to the microsecond; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    seconds = moment.replace(microsecond=0).timestamp()
    return int(seconds) * SECOND_NS + moment.microsecond * 1_000
