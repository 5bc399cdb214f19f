"""What is open right now and gone in a minute: long transactions, who waits, who blocks.

Statement text is carried without its quoted literals, because that is where personal data and
secrets stand. pg_stat_activity has no history: every event here says `"now": true`.
"""

from __future__ import annotations

import json
import re
from typing import LiteralString

from connectors.postgresql.session import Row, Session
from connectors.postgresql.statements import iso
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules

OPEN_FOR_MS = 1_000
"""A transaction open for longer than a second is worth a row on the screen."""
MAX_BACKENDS = 200
QUERY_LENGTH = 300
HIDDEN_QUERY = "<insufficient privilege>"

ACTIVITY: LiteralString = """
SELECT a.pid, coalesce(a.usename, '')::text, coalesce(a.application_name, '')::text,
       coalesce(host(a.client_addr), 'local')::text, coalesce(a.state, '')::text,
       coalesce(a.wait_event_type, '')::text, coalesce(a.wait_event, '')::text,
       (extract(epoch FROM a.xact_start) * 1000000)::bigint,
       (extract(epoch FROM a.state_change) * 1000000)::bigint,
       coalesce(a.backend_xid::text, ''), left(coalesce(a.query, ''), %s),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) END
  FROM pg_stat_activity AS a
 WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
   AND a.backend_type = 'client backend'
   AND (a.wait_event_type = 'Lock' OR a.backend_xid IS NOT NULL
        OR a.xact_start < clock_timestamp() - %s * interval '1 millisecond')
 ORDER BY a.xact_start NULLS LAST, a.pid
 LIMIT %s
"""

_QUOTED = re.compile(r"'(?:[^']|'')*(?:'|$)|\$(\w*)\$.*?(?:\$\1\$|$)", re.DOTALL)


def without_literals(query: str) -> str:
    """The statement with every quoted literal replaced by `'…'`."""
    return _QUOTED.sub("'…'", query)


async def read_activity(session: Session, source: str, key_rules: KeyRules) -> list[Event]:
    """Open transactions and lock waits as events. Raises `SourceProblem`."""
    rows = await session.read(ACTIVITY, (QUERY_LENGTH, OPEN_FOR_MS, MAX_BACKENDS))
    events: list[Event] = []
    for row in rows:
        backend = _Backend(source, row, key_rules)
        if backend.began is not None:
            events.append(backend.transaction())
        if backend.waits:
            events.append(backend.wait())
    return events


class _Backend:
    def __init__(self, source: str, row: Row, key_rules: KeyRules) -> None:
        self.source = source
        self.pid = row[0]
        self.user, self.application, self.client, self.state = (str(cell) for cell in row[1:5])
        self.waits = row[5] == "Lock"
        self.wait_event = str(row[6])
        self.began = row[7] if isinstance(row[7], int) else None
        self.changed = row[8] if isinstance(row[8], int) else None
        self.xid = str(row[9])
        self.query = without_literals(str(row[10]))
        self.seen = row[11] if isinstance(row[11], int) else 0
        self.blockers = list(row[12]) if isinstance(row[12], list) else []
        self.key_rules = key_rules

    def transaction(self) -> Event:
        began = self.began or self.seen
        age = (self.seen - began) / 1e6
        words = f"transaction of {self.who} open for {age:.1f} s"
        if self.state.startswith("idle in transaction") and self.changed is not None:
            words += f", {self.state} for {(self.seen - self.changed) / 1e6:.1f} s"
        return self._event(
            began, Kind.TXN_BEGIN, words, f"pg_stat_activity/{self.pid}@{began}", Meaning.OCCURRED
        )

    def wait(self) -> Event:
        by = ", ".join(f"pid {pid}" for pid in self.blockers) or "nobody any more"
        return self._event(
            self.seen,
            Kind.LOG,
            f"{self.who} waits for a {self.wait_event} lock, blocked by {by}",
            f"pg_locks/{self.pid}@{self.seen}",
            Meaning.POLLED,
            severity=SEVERITY_WARN,
        )

    @property
    def who(self) -> str:
        return f"pid {self.pid} ({self.application or self.user or self.client})"

    def _event(
        self,
        stamp: int,
        kind: Kind,
        words: str,
        ref: str,
        meaning: Meaning,
        severity: int = 0,
    ) -> Event:
        shown = "" if self.query == HIDDEN_QUERY else self.query
        attributes = {
            "now": True,
            "pid": self.pid,
            "user": self.user,
            "application_name": self.application,
            "client_addr": self.client,
            "state": self.state,
            "query": self.query,
            "blocked_by": self.blockers,
            "seen_at": iso(self.seen),
        }
        keys = [f"txn:{self.xid}"] if self.xid else []
        return Event(
            timestamp=stamp * 1_000,
            source=self.source,
            lane=Lane.DATABASE,
            kind=kind,
            body=f"{words}: {shown}" if shown else words,
            ref=ref,
            seq=intrinsic_seq(ref),
            severity_number=severity,
            actor=self.application or self.user,
            meaning=meaning,
            precision=Precision.MICROSECOND,
            keys=(*keys, *self.key_rules.in_text(shown)),
            attributes=json.dumps(attributes, ensure_ascii=False),
        )
