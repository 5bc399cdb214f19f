"""What the account could change, proved from the server's own catalogue and never by trying.

Privileges are asked for every role that the account is a member of, because SET ROLE reaches those
too. The functions asked are has_table_privilege, pg_has_role and their like: no lock, no write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from connectors.postgresql.session import Session

MAX_NAMED = 5
"""Tables named one by one in a sentence."""

RIGHTS: LiteralString = """
WITH mine AS (
    SELECT r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolbypassrls
      FROM pg_roles AS r WHERE pg_has_role(current_user, r.oid, 'MEMBER')),
tables AS (
    SELECT c.oid, n.nspname, c.relname,
           has_table_privilege(c.oid, 'SELECT') AS readable,
           EXISTS (SELECT 1 FROM mine
                    WHERE has_table_privilege(mine.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
                       OR has_any_column_privilege(mine.oid, c.oid, 'INSERT, UPDATE')) AS writable
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'),
schemas AS (
    SELECT n.nspname FROM pg_namespace AS n
     WHERE n.nspname NOT IN ('information_schema') AND n.nspname !~ '^pg_'
       AND EXISTS (SELECT 1 FROM mine WHERE has_schema_privilege(mine.oid, n.oid, 'CREATE')))
SELECT (SELECT count(*) FROM tables)::int,
       (SELECT count(*) FROM tables WHERE readable)::int,
       (SELECT count(*) FROM tables WHERE writable)::int,
       coalesce((SELECT string_agg(named.name, ', ') FROM (
           SELECT format('%%I.%%I', nspname, relname) AS name FROM tables WHERE writable
            ORDER BY 1 LIMIT %s) AS named), ''),
       EXISTS (SELECT 1 FROM mine WHERE rolsuper),
       EXISTS (SELECT 1 FROM mine WHERE rolcreaterole OR rolcreatedb),
       coalesce((SELECT string_agg(rolname::text, ', ' ORDER BY rolname) FROM mine
                  WHERE rolname = ANY(%s::text[])), ''),
       coalesce((SELECT string_agg(nspname::text, ', ' ORDER BY nspname) FROM schemas), ''),
       (SELECT count(*) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND has_function_privilege(p.oid, 'EXECUTE'))::int,
       current_user::text
"""
ACTING_ROLES = (
    "pg_write_all_data",
    "pg_write_server_files",
    "pg_execute_server_program",
    "pg_signal_backend",
    "pg_maintain",
    "pg_checkpoint",
    "pg_create_subscription",
)
"""Predefined roles that let an account change data, files or other sessions (PostgreSQL 17
manual, 21.5); those a version does not know are no roles there."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the account may do. Counts are of tables and views outside the system schemas."""

    role: str
    tables: int
    readable: int
    writable: int
    named: str
    """The first few writable tables."""
    superuser: bool
    creates_roles: bool
    acting: str
    """Predefined roles it belongs to that act on the server."""
    schemas: str
    """Schemas in which it may create objects."""
    definer_functions: int
    """Functions it may call that run with their owner's rights; what they do is not known."""

    @property
    def can_write(self) -> bool:
        """Whether the catalogue names anything that this account could change."""
        return bool(
            self.superuser or self.writable or self.acting or self.schemas or self.creates_roles
        )

    def sentences(self) -> list[str]:
        """What a person who gave us this account should know, the worst first."""
        said = []
        if self.superuser:
            said.append(
                f"{self.role} is a superuser or can become one; a reader needs no such role"
            )
        elif self.writable:
            more = ", …" if self.writable > MAX_NAMED else ""
            said.append(f"{self.role} could write to {self.named}{more}; halfawake never does")
        if self.creates_roles and not self.superuser:
            said.append(f"{self.role} could create roles or databases")
        if self.acting and not self.superuser:
            said.append(f"{self.role} belongs to {self.acting}")
        if self.schemas and not self.superuser:
            said.append(
                f"{self.role} could create objects in {self.schemas} "
                f"(REVOKE CREATE ON SCHEMA {self.schemas.split(', ')[0]} FROM PUBLIC)"
            )
        if not said:
            said.append(
                f"{self.role} cannot write to any of the {self.tables} tables, so says the "
                "server's catalogue"
            )
        if self.definer_functions:
            said.append(
                f"{self.definer_functions} functions would run with their owner's rights if "
                "called; halfawake calls none"
            )
        said.append(f"{self.readable} of {self.tables} tables and views are readable")
        return said


async def read_rights(session: Session) -> Rights:
    """Ask the catalogue. Raises `SourceProblem`."""
    (row,) = await session.read(RIGHTS, (MAX_NAMED, list(ACTING_ROLES)))
    tables, readable, writable = (_whole(cell) for cell in row[:3])
    return Rights(
        role=str(row[9]),
        tables=tables,
        readable=readable,
        writable=writable,
        named=str(row[3]),
        superuser=bool(row[4]),
        creates_roles=bool(row[5]),
        acting=str(row[6]),
        schemas=str(row[7]),
        definer_functions=_whole(row[8]),
    )


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
