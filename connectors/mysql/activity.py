"""What is open right now and gone in a minute: long transactions, who waits, who blocks.

Stamps in innodb_trx are in the server's zone, to the second, and that zone has no offset to ask
for: our own transaction, which began a moment ago, stands in the same view and tells it. Statement
text is carried without its quoted literals. Nothing here has a history: every event says it is now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.mysql.session import Flavour
from connectors.sql.stamps import instant_of, iso
from connectors.sql.values import Row, Select
from timeline.clean import clean
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

OPEN_FOR_S = 1
"""A transaction open for longer than a second is worth a row on the screen."""
MAX_TRANSACTIONS = 200
QUERY_LENGTH = 300
QUARTER_S = 900
"""Zones differ by whole quarters of an hour; the rest is the time between the two readings."""

TRANSACTIONS = """
SELECT x.trx_id, x.trx_state, CAST(x.trx_started AS CHAR), CAST(x.trx_wait_started AS CHAR),
       x.trx_mysql_thread_id, x.trx_rows_modified, LEFT(x.trx_query, {length}),
       p.USER, p.HOST, p.DB, p.COMMAND, p.TIME, p.STATE,
       CAST(UTC_TIMESTAMP() AS CHAR), x.trx_mysql_thread_id = CONNECTION_ID()
  FROM information_schema.INNODB_TRX AS x
  LEFT JOIN {processlist} AS p ON p.ID = x.trx_mysql_thread_id
 ORDER BY x.trx_started, x.trx_id LIMIT {limit}
"""
WAITS_MARIADB = """
SELECT w.requesting_trx_id, w.blocking_trx_id, l.lock_table, l.lock_mode
  FROM information_schema.INNODB_LOCK_WAITS AS w
  LEFT JOIN information_schema.INNODB_LOCKS AS l ON l.lock_id = w.requested_lock_id
 LIMIT {limit}
"""
WAITS_MYSQL_8 = """
SELECT w.REQUESTING_ENGINE_TRANSACTION_ID, w.BLOCKING_ENGINE_TRANSACTION_ID,
       CONCAT(l.OBJECT_SCHEMA, '.', l.OBJECT_NAME), l.LOCK_MODE
  FROM performance_schema.data_lock_waits AS w
  LEFT JOIN performance_schema.data_locks AS l
    ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID AND l.ENGINE = w.ENGINE
 LIMIT {limit}
"""
METADATA_WAITS = """
SELECT ID, USER, HOST, DB, TIME, STATE, LEFT(INFO, {length}), CAST(UTC_TIMESTAMP(6) AS CHAR)
  FROM {processlist}
 WHERE STATE LIKE 'Waiting for %%lock%%' AND ID <> CONNECTION_ID() ORDER BY TIME DESC LIMIT {limit}
"""

_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*(?:'|$)|\"(?:[^\"\\]|\"\"|\\.)*(?:\"|$)", re.DOTALL)


def without_literals(query: str) -> str:
    """The statement with every quoted literal replaced by `'…'`."""
    return _QUOTED.sub("'…'", query)


def processlist(flavour: Flavour) -> str:
    """MySQL's older view stops the server for a moment; since 8.0.22 there is another."""
    if not flavour.mariadb and flavour.version >= (8, 0, 22):
        return "performance_schema.processlist"
    return "information_schema.PROCESSLIST"


def lock_waits(flavour: Flavour) -> str:
    """MySQL 8 dropped the views that MariaDB and MySQL 5.7 have (MySQL 8 manual, 17.15.2)."""
    return WAITS_MYSQL_8 if not flavour.mariadb and flavour.version >= (8, 0, 1) else WAITS_MARIADB


@dataclass(frozen=True, slots=True)
class ActivityReader:
    """The work that reads open transactions and waits, and turns them into events."""

    source: str
    flavour: Flavour
    key_rules: KeyRules

    def __call__(self, select: Select) -> list[Event]:
        transactions = select(self._filled(TRANSACTIONS), ())
        waits = select(self._filled(lock_waits(self.flavour)), ())
        return self.events(transactions, waits) + self.metadata_waits(
            select(self._filled(METADATA_WAITS), ())
        )

    def events(self, transactions: Sequence[Row], waits: Sequence[Row]) -> list[Event]:
        """Rows of `TRANSACTIONS` and of `lock_waits` as events."""
        shift = zone_shift(transactions)
        threads = {str(row[0]): row[4] for row in transactions}
        told: list[Event] = []
        for row in transactions:
            if row[14]:
                continue  # our own
            blockers = [w for w in waits if str(w[0]) == str(row[0])]
            transaction = _Transaction(self, row, shift)
            if blockers:
                told.append(transaction.wait([threads.get(str(w[1])) for w in blockers], blockers))
            if blockers or transaction.age_s >= OPEN_FOR_S or row[5]:
                told.append(transaction.open())
        return told

    def metadata_waits(self, rows: Sequence[Row]) -> list[Event]:
        """Sessions that wait for an ALTER TABLE, a LOCK TABLES or a backup."""
        told = []
        for row in rows:
            seen = _instant(row[7], 0) or 0
            words = f"connection {row[0]} ({row[1]}) has waited {row[4]} s: {row[5]}"
            told.append(
                self.event(
                    seen,
                    Kind.LOG,
                    words,
                    f"processlist/{row[0]}@{seen}",
                    str(row[6] or ""),
                    {"connection": row[0], "user": row[1], "client": row[2], "state": row[5]},
                    seen,
                    severity=SEVERITY_WARN,
                )
            )
        return told

    def event(
        self,
        stamp: int,
        kind: Kind,
        words: str,
        ref: str,
        query: str,
        attributes: dict[str, object],
        seen: int,
        *,
        severity: int = 0,
        keys: tuple[str, ...] = (),
        precision: Precision = Precision.MICROSECOND,
    ) -> Event:
        shown = clean(without_literals(query))
        content = {"now": True, **attributes, "query": shown, "seen_at": iso(seen)}
        return Event(
            timestamp=stamp,
            source=self.source,
            lane=Lane.DATABASE,
            kind=kind,
            body=clean(f"{words}: {shown}" if shown else words),
            ref=ref,
            seq=intrinsic_seq(ref),
            severity_number=severity,
            actor=clean(str(attributes.get("user") or "")),
            meaning=Meaning.POLLED if kind is Kind.LOG else Meaning.OCCURRED,
            precision=precision,
            keys=(*keys, *self.key_rules.in_text(shown)),
            attributes=clean(json.dumps(content, ensure_ascii=False, default=str)),
        )

    def _filled(self, statement: str) -> str:
        return (
            statement.replace("{length}", str(QUERY_LENGTH))
            .replace("{limit}", str(MAX_TRANSACTIONS))
            .replace("{processlist}", processlist(self.flavour))
        )


def zone_shift(transactions: Sequence[Row]) -> int:
    """Seconds by which the stamps of innodb_trx run ahead of UTC, told by our own transaction."""
    for row in transactions:
        began, now = _instant(row[2], 0), _instant(row[13], 0)
        if row[14] and began is not None and now is not None:
            return round((began - now) / SECOND_NS / QUARTER_S) * QUARTER_S
    return 0


def _instant(text: object, shift_s: int) -> int | None:
    """ns UTC of the server's text, which runs `shift_s` ahead."""
    try:
        nominal = datetime.fromisoformat(f"{text}+00:00")
    except ValueError:
        return None
    return instant_of(nominal) - shift_s * SECOND_NS


class _Transaction:
    """One row of `TRANSACTIONS`."""

    def __init__(self, reader: ActivityReader, row: Row, shift: int) -> None:
        self.reader = reader
        self.id = str(row[0])
        self.began = _instant(row[2], shift)
        self.wait_began = _instant(row[3], shift)
        self.thread = row[4]
        self.query = str(row[6] or "")
        self.user = str(row[7] or "")
        self.seen = _instant(row[13], 0) or 0
        self.modified = row[5]
        self.command, self.idle_s, self.state = row[10], row[11], row[12]
        self.attributes: dict[str, object] = {
            "connection": self.thread,
            "user": self.user,
            "client": row[8],
            "database": row[9],
            "command": self.command,
            "state": row[1],
            "rows_modified": self.modified,
        }
        # a transaction that changed nothing has no number of its own: 0, or one that means nothing
        self.keys = (f"txn:{self.id}",) if self.modified else ()

    @property
    def age_s(self) -> int:
        return max(0, (self.seen - (self.began or self.seen)) // SECOND_NS)

    @property
    def who(self) -> str:
        return f"connection {self.thread} ({self.user or 'unknown'})"

    def open(self) -> Event:
        began = self.began or self.seen
        words = f"transaction of {self.who} open for {self.age_s} s"
        if self.command == "Sleep":
            words += f", idle for {self.idle_s} s"
        if self.modified:
            words += f", {self.modified} rows modified"
        return self.reader.event(
            began,
            Kind.TXN_BEGIN,
            words,
            f"innodb_trx/{self.thread}@{began}",
            self.query,
            self.attributes,
            self.seen,
            keys=self.keys,
            precision=Precision.SECOND,
        )

    def wait(self, threads: Sequence[object], waits: Sequence[Row]) -> Event:
        by = ", ".join(f"connection {thread or '?'}" for thread in dict.fromkeys(threads))
        table = str(waits[0][2] or "a row").replace("`", "")
        since = f" for {(self.seen - self.wait_began) // SECOND_NS} s" if self.wait_began else ""
        return self.reader.event(
            self.seen,
            Kind.LOG,
            f"{self.who} waits{since} for a lock on {table}, blocked by {by}",
            f"lock_wait/{self.thread}@{self.seen}",
            self.query,
            {**self.attributes, "blocked_by": list(dict.fromkeys(threads))},
            self.seen,
            severity=SEVERITY_WARN,
            keys=self.keys,
            precision=Precision.SECOND,
        )
