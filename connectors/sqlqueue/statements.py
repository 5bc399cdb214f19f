"""The SELECT statements over a queue's tables, each with a LIMIT, from a description and a place.

Identifiers come from the catalogue and fragments from the description; everything else is a
parameter. Instants travel as whole microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, LiteralString, TypeGuard

from connectors.sqlqueue.places import COLUMN, Here
from connectors.sqlqueue.shape import History, Jobs, Records, Search, Stamp

if TYPE_CHECKING:
    from psycopg import sql

ARGUMENT_BYTES = 64 * 1024
"""Arguments stored in more (compressed, as PostgreSQL keeps them) stay on the server."""
ARGUMENT_LENGTH = 256 * 1024
"""Characters of arguments that travel at most; a cut JSON text is shown as not opened."""
ERROR_LENGTH = 4_000
WORD_LENGTH = 200
DEPTH_JOBS = 100_000
"""Live jobs that are counted; of a longer queue it is said that it holds more."""

RECORD_FIELDS = ("id", "job", "state", "worker", "error", "heartbeat", "attempt")
JOB_FIELDS = (
    "job_class",
    "queue",
    "args",
    "args_bytes",
    "opaque_bytes",
    "other_id",
    "max_attempts",
    "due",
    "running",
    "lost",
)


def known_otherwise(records: Records) -> TypeGuard[Jobs]:
    """Whether jobs go by another id than their row's."""
    return isinstance(records, Jobs) and records.known_as != "NULL"


class Statements:
    """Builds the statements for the records `records` of the system that is `here`."""

    def __init__(self, here: Here, records: Records, zone: str) -> None:
        self._here = here
        self._records = records
        self._zone = zone or "UTC"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the columns that `found`, `by_ids` and `listed` answer, in order."""
        stamps = tuple(f"@{name}" for name in self._records.columns)
        if isinstance(self._records, Jobs):
            details = tuple(f"+{name}" for name in self._records.details)
            return (*RECORD_FIELDS, *JOB_FIELDS, *details, *stamps)
        return (*RECORD_FIELDS, *stamps)

    def has(self, fragment: LiteralString) -> bool:
        """Whether this version of the queue has what `fragment` names."""
        return not self._here.lacks(self._records, fragment)

    def found(
        self, search: Search, limit: int, *, newest: bool, bracketed: bool, queues: bool
    ) -> sql.Composed:
        """Rows with the column in `[%s, %s)`, with ids in `[%s, %s]`, of the queues in `%s`."""
        from psycopg import sql

        records = self._records
        conditions: list[sql.Composable] = [
            sql.SQL("({}) >= {}").format(sql.SQL(search.sql), self._parameter(search.sql)),
            sql.SQL("({}) < {}").format(sql.SQL(search.sql), self._parameter(search.sql)),
        ]
        if search.states:
            states = sql.SQL(", ").join(map(sql.Literal, search.states))
            conditions.append(sql.SQL("({}) IN ({})").format(self._fragment(records.state), states))
        if bracketed:
            conditions.append(sql.SQL("{} BETWEEN %s AND %s").format(sql.SQL(records.id)))
        if queues and isinstance(records, Jobs):
            conditions.append(sql.SQL("{} = ANY(%s::text[])").format(sql.SQL(records.queue)))
        direction = sql.SQL(" DESC" if newest else " ASC")
        order = sql.SQL(", ").join(
            [sql.SQL("({})").format(sql.SQL(search.sql)) + direction, sql.SQL(records.id)]
        )
        return self._select(conditions, order, limit)

    def by_ids(self, fragment: LiteralString, limit: int) -> sql.Composed:
        """Rows whose column `fragment` is among the values of the only (array) parameter."""
        from psycopg import sql

        type_name = self._here.type_of(self._records, fragment) or "text"
        among = sql.SQL("{} = ANY(%s::{}[])").format(
            sql.SQL(fragment), sql.Identifier("pg_catalog", type_name)
        )
        return self._select([among], sql.SQL(self._records.id), limit)

    def listed(
        self, condition: LiteralString, order: LiteralString, limit: int, *, newest: bool = False
    ) -> sql.Composed:
        """Rows that meet `condition`, by `order`; only its LIMIT bounds it."""
        from psycopg import sql

        direction = sql.SQL(" DESC" if newest else " ASC")
        ordered = sql.SQL("({})").format(sql.SQL(order)) + direction
        return self._select([self._fragment(condition, "false")], ordered, limit)

    def coming_due(self, limit: int) -> sql.Composed:
        """(id, queue, µs) of live jobs that may run later than now, the soonest first."""
        from psycopg import sql

        jobs = self._jobs
        return sql.SQL(
            "SELECT ({})::text, ({})::text, {} FROM {} WHERE {} AND ({}) > now() AND NOT ({})"
            " ORDER BY ({}), ({}) LIMIT {}"
        ).format(
            sql.SQL(jobs.id),
            self._fragment(jobs.queue),
            self._microseconds(jobs.due),
            self._from(),
            self._live(),
            self._instant(jobs.due),
            self._fragment(jobs.running, "false"),
            self._fragment(jobs.due),
            sql.SQL(jobs.id),
            sql.Literal(limit),
        )

    def depths(self) -> sql.Composed:
        """(queue, waiting, running, coming due, µs of the longest waiting) of the live jobs."""
        from psycopg import sql

        jobs = self._jobs
        return sql.SQL(
            """SELECT q::text, count(*) FILTER (WHERE NOT r AND (d IS NULL OR d <= now())),
       count(*) FILTER (WHERE r), count(*) FILTER (WHERE NOT r AND d > now()),
       (extract(epoch FROM min(d) FILTER (WHERE NOT r AND d <= now())) * 1000000)::bigint
  FROM (SELECT {queue} AS q, coalesce({running}, false) AS r, {due} AS d
          FROM {tables} WHERE {live} LIMIT {most}) AS live
 GROUP BY q ORDER BY q LIMIT 500"""
        ).format(
            queue=self._fragment(jobs.queue),
            running=self._fragment(jobs.running, "false"),
            due=sql.SQL("({})::timestamptz").format(self._instant(jobs.due)),
            tables=self._from(),
            live=self._live(),
            most=sql.Literal(DEPTH_JOBS + 1),
        )

    def oldest(self, stamp: Stamp) -> sql.Composed:
        """(µs) of the row with the smallest value of a stamp, in the states it is told for."""
        from psycopg import sql

        conditions = [sql.SQL("({}) IS NOT NULL").format(sql.SQL(stamp.sql))]
        if stamp.states:
            states = sql.SQL(", ").join(map(sql.Literal, stamp.states))
            conditions.append(sql.SQL("({}) IN ({})").format(sql.SQL(self._records.state), states))
        return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY ({}) LIMIT 1").format(
            self._microseconds(stamp.sql),
            self._from(),
            sql.SQL(" AND ").join(conditions),
            sql.SQL(stamp.sql),
        )

    def id_since(self, search: Search) -> sql.Composed:
        """(id, µs) of the first row by id from the only parameter on: one probe of the index."""
        from psycopg import sql

        key = sql.SQL(self._records.id)
        return sql.SQL(
            "SELECT {key}, {stamp} FROM {tables} WHERE {key} >= %s::bigint AND ({plain}) IS NOT"
            " NULL AND {records} ORDER BY {key} LIMIT 1"
        ).format(
            key=key,
            stamp=self._microseconds(search.sql),
            tables=self._from(),
            plain=sql.SQL(search.sql),
            records=self._fragment(self._records.where, "true"),
        )

    def last(self, search: Search) -> sql.Composed:
        """(id, µs) of the row with the largest id."""
        from psycopg import sql

        key = sql.SQL(self._records.id)
        return sql.SQL("SELECT {key}, {stamp} FROM {tables} ORDER BY {key} DESC LIMIT 1").format(
            key=key, stamp=self._microseconds(search.sql), tables=self._from()
        )

    def _select(
        self, conditions: Sequence[sql.Composable], order: sql.Composable, limit: int
    ) -> sql.Composed:
        from psycopg import sql

        whole = [self._fragment(self._records.where, "true"), *conditions]
        return sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
            sql.SQL(", ").join(self._projection()),
            self._from(),
            sql.SQL(" AND ").join(sql.SQL("({})").format(one) for one in whole),
            order,
            sql.Literal(limit),
        )

    def _projection(self) -> list[sql.Composable]:
        records = self._records
        parts = [
            self._text(records.id),
            self._text(self._job_id()),
            self._text(records.state),
            self._text(records.worker),
            self._text(records.error, ERROR_LENGTH),
            self._microseconds(records.heartbeat),
            self._whole(records.attempt),
        ]
        if isinstance(records, Jobs):
            parts += self._job_projection(records)
        return [*parts, *(self._microseconds(column) for column in records.columns.values())]

    def _job_id(self) -> LiteralString:
        records = self._records
        if isinstance(records, History):
            return records.job
        return records.known_as if known_otherwise(records) else records.id

    def _job_projection(self, jobs: Jobs) -> list[sql.Composable]:
        from psycopg import sql

        args = self._fragment(jobs.args)
        fits = sql.SQL("CASE WHEN pg_column_size({}) <= {} THEN left(({})::text, {}) END").format(
            args, sql.Literal(ARGUMENT_BYTES), args, sql.Literal(ARGUMENT_LENGTH + 1)
        )
        return [
            self._text(jobs.job_class),
            self._text(jobs.queue),
            fits,
            sql.SQL("pg_column_size({})").format(args),
            sql.SQL("octet_length(({})::text)").format(self._fragment(jobs.opaque)),
            self._text(jobs.other_id),
            self._whole(jobs.max_attempts),
            self._microseconds(jobs.due),
            sql.SQL("coalesce({}, false)").format(self._fragment(jobs.running, "false")),
            sql.SQL("coalesce({} < now() - {}::interval, false) OR coalesce({}, false)").format(
                sql.SQL("({})::timestamptz").format(self._instant(jobs.alive)),
                self._fragment(jobs.silent_for),
                self._fragment(jobs.lost, "false"),
            ),
            *(self._text(fragment) for fragment in jobs.details.values()),
        ]

    def _from(self) -> sql.Composed:
        """The tables that are there; a table that is not simply is not joined."""
        from psycopg import sql

        parts: list[sql.Composable] = []
        for table in self._records.tables:
            place = self._here.places.get(table.name)
            if place is None:
                continue
            named = sql.SQL("{} AS {}").format(
                sql.Identifier(place.schema, place.name), sql.Identifier(table.alias)
            )
            on = sql.SQL(" LEFT JOIN {} ON {}").format(named, self._fragment(table.on, "false"))
            parts.append(on if parts else named)
        if self._records.lateral:
            parts.append(sql.SQL(" ") + sql.SQL(self._records.lateral))
        return sql.Composed(parts)

    def _fragment(self, fragment: LiteralString, instead: LiteralString = "NULL") -> sql.SQL:
        from psycopg import sql

        there = self._here.reduced(self._records, fragment)
        return sql.SQL(instead if self._here.lacks(self._records, there) else there)

    def _text(self, fragment: LiteralString, length: int = WORD_LENGTH) -> sql.Composable:
        from psycopg import sql

        return sql.SQL("left(({})::text, {})").format(self._fragment(fragment), sql.Literal(length))

    def _whole(self, fragment: LiteralString) -> sql.Composable:
        from psycopg import sql

        return sql.SQL("({})::bigint").format(self._fragment(fragment))

    def _microseconds(self, fragment: LiteralString) -> sql.Composable:
        """Microseconds since the epoch; `infinity` has no place on a timeline."""
        from psycopg import sql

        if self._here.lacks(self._records, fragment) or fragment == "NULL":
            return sql.SQL("NULL::bigint")
        return sql.SQL(
            "CASE WHEN isfinite({}) THEN (extract(epoch FROM {}) * 1000000)::bigint END"
        ).format(sql.SQL(fragment), self._instant(fragment))

    def _instant(self, fragment: LiteralString) -> sql.Composable:
        from psycopg import sql

        if not self.is_zoneless(fragment):
            return self._fragment(fragment)
        return sql.SQL("(({}) AT TIME ZONE {})").format(sql.SQL(fragment), sql.Literal(self._zone))

    def _parameter(self, fragment: LiteralString) -> sql.Composable:
        """A parameter holding an instant, in the fragment's own type so that an index serves."""
        from psycopg import sql

        if not self.is_zoneless(fragment):
            return sql.SQL("%s::timestamptz")
        return sql.SQL("(%s::timestamptz AT TIME ZONE {})").format(sql.Literal(self._zone))

    def is_zoneless(self, fragment: LiteralString) -> bool:
        """Whether a fragment is made of stamps without a time zone."""
        types = (
            self._here.type_of(self._records, f"{alias}.{column}")
            for alias, column in COLUMN.findall(fragment)
        )
        return "timestamp" in types

    def _live(self) -> sql.Composed:
        from psycopg import sql

        return sql.SQL("({}) AND ({})").format(
            self._fragment(self._records.where, "true"), self._fragment(self._jobs.live, "false")
        )

    @property
    def _jobs(self) -> Jobs:
        if not isinstance(self._records, Jobs):
            raise TypeError("only jobs have a depth")
        return self._records
