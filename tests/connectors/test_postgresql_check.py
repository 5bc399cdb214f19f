"""What `check` proves and says of an account and a database, and where databases are found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from connectors.contract import CheckReport
from connectors.discovery import Discoverable, Place
from connectors.postgresql import PostgreSQLConnector, PostgreSQLOptions
from connectors.postgresql.session import _parts
from tests.connectors.pg import Database, connector, database_on
from tests.servers.process import RunningServer
from timeline.problems import NothingHere

USERS = "CREATE TABLE users (id bigserial PRIMARY KEY, status text, created_at timestamptz)"
READ_ALL = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as created:
        created.run(USERS)
        yield created


def checked(url: str, **options: object) -> CheckReport:
    async def check() -> CheckReport:
        reader = connector(url, **options)
        try:
            return await reader.check()
        finally:
            await reader.close()

    return asyncio.run(check())


def facts(report: CheckReport) -> str:
    return " | ".join((*report.facts, *report.rights))


@pytest.mark.servers
def test_an_account_that_can_only_read_is_proved(database: Database) -> None:
    url, _ = database.role(READ_ALL)
    report = checked(url)
    assert report.writes_refused is True
    assert "cannot write to any of the 1 tables" in facts(report)
    assert "1 of 1 tables and views are readable" in facts(report)
    with psycopg.connect(url) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("INSERT INTO users (status) VALUES ('x')")


@pytest.mark.servers
@pytest.mark.parametrize(
    ("grants", "words"),
    [
        (["GRANT UPDATE (status) ON users TO {role}"], "could write to public.users"),
        (["GRANT TRUNCATE ON users TO {role}"], "could write to public.users"),
        (["GRANT pg_write_all_data TO {role}"], "could write to public.users"),
        (["GRANT pg_signal_backend TO {role}"], "belongs to pg_signal_backend"),
        (["GRANT CREATE ON SCHEMA public TO {role}"], "create objects in public"),
        (["ALTER ROLE {role} CREATEDB"], "create roles or databases"),
        (["ALTER ROLE {role} SUPERUSER"], "is a superuser"),
        (
            [
                "CREATE ROLE {role}_writer",
                "GRANT INSERT ON users TO {role}_writer",
                "ALTER ROLE {role} NOINHERIT",
                "GRANT {role}_writer TO {role}",
            ],
            "could write to public.users",
        ),
    ],
)
def test_every_way_to_write_is_seen_and_none_is_tried(
    database: Database, grants: list[str], words: str
) -> None:
    url, _ = database.role(READ_ALL, *grants)
    report = checked(url)
    assert report.writes_refused is False
    assert words in facts(report)


@pytest.mark.servers
def test_a_database_without_tables_holds_nothing(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as empty:
        with pytest.raises(NothingHere) as caught:
            checked(empty.url)
        assert "no tables" in caught.value.what
        empty.run("CREATE TABLE settings (name text)")
        report = checked(empty.url)
    assert "rows are read from: none" in facts(report), "tables that tell no stamp are no error"


@pytest.mark.servers
def test_the_cost_of_reading_is_estimated_for_each_stamp(database: Database) -> None:
    database.run(
        "CREATE TABLE orders (id bigserial PRIMARY KEY, created_at timestamptz)",
        "INSERT INTO orders (created_at) SELECT now() - n * interval '1 second'"
        " FROM generate_series(1, 20000) AS n",
        "CREATE INDEX orders_by_time ON orders (created_at)",
        "ANALYZE orders, users",
    )
    costs = {cost.read: cost for cost in checked(database.url).cost}
    assert costs["orders.created_at"].way == "orders_by_time"
    assert (costs["orders.created_at"].rows or 0) > 0
    assert costs["users.created_at"].way == "a whole read, it is small"
    assert not any(cost.refused for cost in costs.values())


@pytest.mark.servers
def test_what_the_settings_hide_is_said(database: Database) -> None:
    url, _ = database.role(READ_ALL)
    words = " | ".join(checked(url).cannot_see)
    assert "log_lock_waits is off" in words
    assert "only the start of its transaction" in words
    assert "no audit table was found" in words
    assert "pg_read_all_stats" in words
    database.run(
        "CREATE TABLE versions (id bigserial PRIMARY KEY, item_type text, item_id bigint,"
        " event text, whodunnit text, created_at timestamptz)"
    )
    owner = checked(database.url)
    assert "no audit table" not in " | ".join(owner.cannot_see)
    assert "versions are read from: versions (paper_trail)" in facts(owner)


@pytest.mark.servers
def test_a_url_as_frameworks_write_it_is_understood(database: Database) -> None:
    url = database.url.replace("postgresql://", "postgresql+asyncpg://")
    assert checked(f"{url}?pool=5&connect_timeout=7&schema=public").system.startswith("PostgreSQL")


def test_what_libpq_knows_of_a_url_is_kept() -> None:
    dsn = "postgres://u:p%40ss@h:5433/shop?pool=5&sslmode=require&pgbouncer=true"
    parts = _parts(PostgreSQLOptions.model_validate({"dsn": dsn}))
    assert parts == {
        "user": "u",
        "password": "p@ss",
        "host": "h",
        "port": "5433",
        "dbname": "shop",
        "sslmode": "require",
    }


def candidates(tmp_path: Path, **variables: str) -> list[tuple[str, dict[str, object]]]:
    place = Place(variables, folder=tmp_path, home=tmp_path)
    assert issubclass(PostgreSQLConnector, Discoverable)
    found = list(PostgreSQLConnector.candidates(place))
    assert all(candidate.connector == "postgresql" for candidate in found)
    return [(candidate.name, dict(candidate.options)) for candidate in found]


def test_urls_are_proposed_without_their_secrets(tmp_path: Path) -> None:
    found = candidates(
        tmp_path,
        DATABASE_URL="postgres://u:hidden@h/shop",
        BILLING_DATABASE_URL="postgresql+psycopg2://u:hidden@h/billing",
        MYSQL_DATABASE_URL="mysql://u:hidden@h/shop",
        SECRET_URL="postgres://u:hidden@h/other",
    )
    assert found == [
        ("billing", {"dsn": "${BILLING_DATABASE_URL}"}),
        ("db", {"dsn": "${DATABASE_URL}"}),
    ]


def test_libpq_variables_are_proposed(tmp_path: Path) -> None:
    found = candidates(
        tmp_path, PGHOST="db.internal", PGPORT="5433", PGDATABASE="shop", PGPASSWORD="hidden"
    )
    options = {
        "host": "db.internal",
        "port": 5433,
        "dbname": "shop",
        "password": "${PGPASSWORD}",
    }
    assert found == [("shop", options)]
    assert candidates(tmp_path, PGPORT="5433") == []


def test_services_are_proposed_by_name(tmp_path: Path) -> None:
    (tmp_path / ".pg_service.conf").write_text(
        "# ours\n[shop]\nhost=h\npassword=hidden%\n[odd name]\nhost=x\n[shop]\nhost=h2\n"
    )
    assert candidates(tmp_path) == [("shop", {"dsn": "service=shop"})]
    elsewhere = tmp_path / "services"
    elsewhere.write_text("[other]\nhost=h\n")
    assert candidates(tmp_path, PGSERVICEFILE=str(elsewhere)) == [
        ("other", {"dsn": "service=other"})
    ]
    elsewhere.write_bytes(b"\x00no section\nhost")
    assert candidates(tmp_path, PGSERVICEFILE=str(elsewhere)) == []


@pytest.mark.servers
def test_a_proposed_service_connects(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(database.url)
    file = tmp_path / "services"
    file.write_text("[shop]\n" + "".join(f"{name}={value}\n" for name, value in parts.items()))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    report = checked("service=shop")
    assert "to service shop" in facts(report)
