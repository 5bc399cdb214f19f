"""The PostgreSQL connector against the conformance suite, on a real server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from connectors.postgresql import PostgreSQLConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.servers.process import RunningServer
from timeline.keys import KeyRules, KeyType
from timeline.window import SECOND_NS, Window

SCHEMA = """
CREATE TABLE users (id bigserial PRIMARY KEY, public_name text, email text, status text,
  created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE TABLE mails (id bigserial PRIMARY KEY, user_id bigint REFERENCES users, state text,
  created_at timestamp(3) NOT NULL DEFAULT now());
CREATE TABLE versions (id bigserial PRIMARY KEY, item_type varchar, item_id bigint, event varchar,
  whodunnit varchar, object_changes jsonb, created_at timestamptz);
"""
HOSTILE = "broken\x1b[31m\u202estate\r\nnext"


@pytest.fixture(scope="module")
def database(postgresql_server: RunningServer) -> Iterator[tuple[str, str]]:
    """A database of its own and the password of a role that may only read it."""
    name, password = f"conformance_{secrets.token_hex(4)}", secrets.token_hex(12)
    with closing(psycopg.connect(postgresql_server.url, autocommit=True)) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        admin.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(name), sql.Literal(password)
            )
        )
        owner = urlsplit(postgresql_server.url)._replace(path=f"/{name}").geturl()
        with closing(psycopg.connect(owner, autocommit=True)) as connection:
            connection.execute(SCHEMA)
            connection.execute(
                "INSERT INTO users (public_name, email, status, created_at, updated_at)"
                " SELECT 'u-' || n, 'secret' || n || '@example.org', CASE n WHEN 3 THEN %s ELSE"
                " 'active' END, now() - n * interval '3 s', now() - (n / 2) * interval '3 s'"
                " FROM generate_series(1, 20) AS n",
                (HOSTILE,),
            )
            connection.execute(
                "INSERT INTO mails (user_id, state, created_at)"
                " SELECT n, 'sent', now() - n * interval '2 s' FROM generate_series(1, 15) AS n"
            )
            connection.execute(
                "INSERT INTO versions (item_type, item_id, event, whodunnit, object_changes,"
                " created_at) SELECT 'User', n, 'update', %s, jsonb_build_object('status',"
                " jsonb_build_array('new', %s::text)), now() - n * interval '3 s'"
                " FROM generate_series(1, 10) AS n",
                (HOSTILE, HOSTILE),
            )
            connection.execute(
                sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(
                    sql.Identifier(name)
                )
            )
        parts = urlsplit(postgresql_server.url)
        yield f"postgresql://{name}:{password}@{parts.hostname}:{parts.port}/{name}", password
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.mark.servers
class TestPostgreSQL(ConnectorConformance):
    @pytest.fixture
    def subject(self, database: tuple[str, str], postgresql_server: RunningServer) -> Subject:
        dsn, password = database
        parts = urlsplit(dsn)

        def connections() -> int:
            with closing(psycopg.connect(postgresql_server.url)) as admin:
                row = admin.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (parts.username,)
                ).fetchone()
            assert row is not None
            return int(row[0])

        def at_port(port: int) -> dict[str, object]:
            login = f"{parts.username}:{password}"
            return {"dsn": f"postgresql://{login}@127.0.0.1:{port}{parts.path}"}

        now = time.time_ns()
        return Subject(
            connector_class=PostgreSQLConnector,
            options={"dsn": dsn},
            window=Window(now - 15 * SECOND_NS, now - 3600 * SECOND_NS, now),
            known_keys=("user:3", "row:users/3", "mail:4"),
            absent_key="user:4711",
            key_rules=KeyRules((KeyType("user", table="users", public_id="public_name"),)),
            drivers=("psycopg", "polars"),
            secrets=(password,),
            hostile="state␊next",
            page_option="page_rows",
            at_port=at_port,
            connections=connections,
        )
