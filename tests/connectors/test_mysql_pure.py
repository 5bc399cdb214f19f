"""What needs no server: versions, rights, plans, replicas, discovery, and MySQL 8 by its documents.

MySQL 8 is not run here. Its rows below are made by hand after its manual (8.4 manual: 29.12.13.1
"The data_locks Table", 29.12.13.2 "The data_lock_waits Table", 15.7.7.36 "SHOW REPLICA STATUS",
10.8.2 "EXPLAIN Output Format") and prove how we read them, not that a server answers so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.discovery import Discoverable, Place
from connectors.mysql import MySQLConnector, MySQLOptions
from connectors.mysql.activity import (
    ActivityReader,
    lock_waits,
    processlist,
    without_literals,
    zone_shift,
)
from connectors.mysql.dialect import MYSQL, quoted
from connectors.mysql.problems import problem_from
from connectors.mysql.replication import replica_from, status_statement
from connectors.mysql.rights import rights_from
from connectors.mysql.session import flavour_of
from connectors.sql.brackets import MAX_PROBES, bracket
from connectors.sql.options import TableOptions
from connectors.sql.stamps import DateTimeForm, Zone
from connectors.sql.statements import Statements
from connectors.sql.tables import Column, ColumnKind, Found, Table, chosen
from connectors.sql.values import Parameter, Row
from timeline.coverage import Sight
from timeline.event import Kind, Precision
from timeline.keys import KeyRules
from timeline.problems import MissingDriver, Overloaded, Unreachable
from timeline.window import MINUTE_NS, SECOND_NS, Window

MARIADB = flavour_of("5.5.5-10.11.19-MariaDB-0+deb12u1-log")
MYSQL_84 = flavour_of("8.4.2")
MYSQL_57 = flavour_of("5.7.44-log")
OPTIONS = MySQLOptions.model_validate({"url": "mysql://u@h/shop"})


def test_products_are_told_by_their_version() -> None:
    assert (MARIADB.mariadb, MARIADB.version) == (True, (10, 11, 19))
    assert (MYSQL_84.mariadb, MYSQL_84.name) == (False, "MySQL 8.4.2")
    assert flavour_of("11.4.3-MariaDB").version == (11, 4, 3)
    assert flavour_of("8.0.36-28.1").version == (8, 0, 36), "Percona's build number is no version"


def test_each_product_gets_the_settings_it_knows() -> None:
    assert "max_statement_time = 2" in MARIADB.settings(OPTIONS)
    assert "max_execution_time" not in MARIADB.settings(OPTIONS)
    modern = MYSQL_84.settings(OPTIONS)
    assert "max_execution_time = 2000" in modern
    assert "information_schema_stats_expiry = 0" in modern, "else a size may be stored by asking"
    assert "information_schema_stats_expiry" not in MYSQL_57.settings(OPTIONS)
    for flavour in (MARIADB, MYSQL_84, MYSQL_57):
        assert "GLOBAL" not in flavour.settings(OPTIONS)
        assert flavour.settings(OPTIONS).startswith("SET SESSION time_zone = '+00:00'")


def test_each_product_is_asked_by_the_names_it_knows() -> None:
    assert "performance_schema.data_lock_waits" in lock_waits(MYSQL_84)
    assert "information_schema.INNODB_LOCK_WAITS" in lock_waits(MARIADB)
    assert "information_schema.INNODB_LOCK_WAITS" in lock_waits(MYSQL_57)
    assert processlist(MYSQL_84) == "performance_schema.processlist"
    assert processlist(flavour_of("8.0.21")) == "information_schema.PROCESSLIST"
    assert status_statement(MYSQL_84) == status_statement(MARIADB) == "SHOW REPLICA STATUS"
    assert status_statement(MYSQL_57) == "SHOW SLAVE STATUS"


NOW = "2026-11-20 03:14:07"


def _transaction(number: str, thread: int, started: str, **other: str | int | None) -> Row:
    wait, modified = other.get("wait"), other.get("modified", 0)
    return (
        number, other.get("state", "RUNNING"), started, wait, thread, modified,
        other.get("query"), "app", "10.0.0.7:4711", "shop", other.get("command", "Query"), 3,
        "updating", NOW, other.get("own", 0),
    )  # fmt: skip


def test_a_lock_wait_of_mysql_8_is_told_as_one_of_mariadb() -> None:
    """Hand-made rows in the shape of performance_schema.data_lock_waits (MySQL 8)."""
    transactions = [
        _transaction("421", 9, "2026-11-20 12:14:07", own=1),
        _transaction("7001", 31, "2026-11-20 12:13:47", modified=1, command="Sleep"),
        _transaction("7002", 32, "2026-11-20 12:14:05", state="LOCK WAIT",
                     wait="2026-11-20 12:14:05", query="UPDATE users SET x = 'ann@example.org'"),
    ]  # fmt: skip
    waits: list[Row] = [(7002, 7001, "shop.users", "X,REC_NOT_GAP")]
    assert zone_shift(transactions) == 9 * 3600, "told by our own transaction"
    reader = ActivityReader("db", MYSQL_84, KeyRules())
    told = {event.kind: event for event in reader.events(transactions, waits)[::-1]}
    blocker = next(e for e in reader.events(transactions, waits) if "innodb_trx/31" in e.ref)
    assert "open for 20 s, idle for 3 s, 1 rows modified" in blocker.body
    assert "txn:7001" in blocker.keys
    wait = told[Kind.LOG]
    assert "connection 32 (app) waits for 2 s for a lock on shop.users" in wait.body
    assert "blocked by connection 31" in wait.body
    assert "ann@example.org" not in wait.body + (wait.attributes or "")
    assert json.loads(wait.attributes or "{}")["now"] is True
    assert not any("/9@" in event.ref for event in reader.events(transactions, waits))


@pytest.mark.parametrize(
    "query", ["x = 'a''b'", "x = 'a\\'b'", 'x = "secret"', "x = 'cut off at the", "x = 'a' 'b'"]
)
def test_no_literal_survives(query: str) -> None:
    assert without_literals(query).replace("'…'", "").strip() == "x ="


SOURCE_WORDS = {
    "Source_Host": "db-1",
    "Source_Port": "3306",
    "Replica_IO_Running": "Yes",
    "Replica_SQL_Running": "Yes",
    "Seconds_Behind_Source": "7",
}


@pytest.mark.parametrize("old", [True, False])
def test_the_lag_of_a_replica_is_coverage(old: bool) -> None:
    words = {"Source": "Master", "Replica": "Slave"} if old else {}
    row: dict[str, object] = {}
    for name, value in SOURCE_WORDS.items():
        for new, former in words.items():
            name = name.replace(new, former)
        row[name] = value
    replica = replica_from(row)
    assert replica.words == "replica of db-1:3306, 7 s behind"
    window = Window(1_000 * SECOND_NS, 900 * SECOND_NS, 1_000 * SECOND_NS + 1)
    (entry,) = replica.coverage("db", window, 1_000 * SECOND_NS)
    assert (entry.start, entry.sight) == (992 * SECOND_NS, Sight.PARTIAL)
    assert replica.coverage("db", window, 2_000 * SECOND_NS) == []


def test_a_broken_replica_covers_nothing_for_certain() -> None:
    row = {**SOURCE_WORDS, "Replica_SQL_Running": "No", "Seconds_Behind_Source": None,
           "Last_SQL_Error": "Duplicate entry"}  # fmt: skip
    replica = replica_from(row)
    window = Window.around(1_000 * SECOND_NS, MINUTE_NS, MINUTE_NS)
    (entry,) = replica.coverage("db", window, 9_000 * SECOND_NS)
    assert (entry.start, entry.end) == (window.start, window.end)
    assert "Duplicate entry" in entry.reason


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (["GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT ON `shop`.* TO `u`@`%`"], True),
        (["GRANT SELECT, PROCESS, REPLICATION CLIENT ON *.* TO `u`@`%`"], True),
        (["GRANT SELECT (`id`, `update`) ON `shop`.`users` TO `u`@`%`"], True),
        (["GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`"], False),
        (["GRANT SELECT, UPDATE (`status`) ON `shop`.`users` TO `u`@`%`"], False),
        (["GRANT SELECT ON *.* TO `u`@`%` WITH GRANT OPTION"], False),
        (["GRANT EXECUTE ON `shop`.* TO `u`@`%`"], False),
        (["GRANT BACKUP_ADMIN ON *.* TO `u`@`%`"], False),
        (["GRANT USAGE ON *.* TO `u`@`%`", "GRANT `reporting`@`%` TO `u`@`%`"], None),
        (["GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*C836'"], True),
    ],
)
def test_rights_are_read_from_grants(lines: list[str], refused: bool | None) -> None:
    assert rights_from(lines, lists_roles=False).refuses_writes is refused


def _orders(rows: int | None) -> Table:
    stamp = DateTimeForm(Precision.SECOND, Zone(), zone_missing=True)
    columns = (
        Column("id", "bigint", ColumnKind.INTEGER, long=False, primary_place=0),
        Column("created_at", "datetime", ColumnKind.TIME, stamp),
    )
    found = Found("", "orders", "orders", rows, columns)
    table = chosen(found, TableOptions(name="orders"), KeyRules())
    assert isinstance(table, Table)
    return table


MYSQL_EXPLAINED = {
    "all": (1, "SIMPLE", "t", None, "ALL", None, None, None, None, 900_000, 11.1, "Using filesort"),
    "backwards": (1, "SIMPLE", "t", None, "index", None, "PRIMARY", "8", None, 201, 10, ""),
    "range": (1, "SIMPLE", "t", None, "range", "by_time", "by_time", "6", None, 300, 100, ""),
}  # fmt: skip
"""EXPLAIN of MySQL from 5.7 on, with its column `partitions`."""


@pytest.mark.parametrize(
    ("plan", "rows", "refused"),
    [
        ("all", 900_000, True),
        ("all", None, True),
        ("backwards", 900_000, True),  # 201 is the limit, not what lies before it
        ("backwards", None, True),
        ("backwards", 90, False),
        ("range", 900_000, False),
    ],
)
def test_a_whole_scan_is_told_by_the_plan(plan: str, rows: int | None, refused: bool) -> None:
    row = MYSQL_EXPLAINED[plan]
    assert MYSQL.plan([row], _orders(rows)).whole_scan is refused
    mariadb = (*row[:3], *row[4:10], row[11])
    assert MYSQL.plan([mariadb], _orders(rows)).whole_scan is refused
    assert MYSQL.plan([row], _orders(rows)).index == (row[6] or "")


@pytest.mark.parametrize("highest", [0, 1, 10, 10_000_000, 2**40])
def test_a_bracket_misses_nothing_and_asks_little(highest: int) -> None:
    """One row a second; from some number of keys on they are sparse, as other ids are."""
    step = max(1, highest // 1_000_000)
    asked = 0

    def select(statement: str, parameters: Sequence[Parameter]) -> list[Row]:
        nonlocal asked
        asked += 1
        if "min(" in statement:
            return [(step, highest)] if highest else [(None, None)]
        key = -(-int(parameters[0]) // step) * step
        return [(key, text_of(key // step))] if key <= highest else []

    def text_of(second: int) -> str:
        minutes, seconds = divmod(second, 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        return f"2026-{1 + days // 28:02}-{1 + days % 28:02} {hours:02}:{minutes:02}:{seconds:02}"

    table = _orders(None)
    created = table.times[0]
    assert created.form is not None
    pin = created.form.read("2026-01-05 00:00:00")
    assert isinstance(pin, int)
    found = bracket(select, Statements(table, MYSQL), created, pin, pin + MINUTE_NS)
    assert asked <= 2 * MAX_PROBES + 1
    assert not found.disorder
    first, last = 4 * 86_400 * step, (4 * 86_400 + 59) * step
    if last <= highest:
        assert found.low <= first
        assert last <= found.high


def test_an_identifier_is_never_code_nor_a_parameter() -> None:
    assert quoted("a`b%s") == "`a``b%%s`"


def test_refusals_are_evidence_and_rsa_is_named() -> None:
    assert isinstance(problem_from(Exception(1040, "Too many connections"), 1040, "h"), Overloaded)
    assert isinstance(problem_from(Exception(2013, "Lost connection"), 2013, "h"), Unreachable)
    wanted = RuntimeError("'cryptography' package is required for sha256_password")
    rsa = problem_from(wanted, 0, "h")
    assert isinstance(rsa, MissingDriver)
    assert "halfawake[mysql]" in rsa.remedy


def test_a_missing_driver_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(MissingDriver, match="not installed") as caught:
        asyncio.run(MySQLConnector("db", OPTIONS, KeyRules()).clock())
    assert "pip install 'halfawake[mysql]'" in caught.value.remedy


def test_options_say_where_once() -> None:
    for wrong in ({}, {"url": "mysql://h/d", "host": "h"}, {"url": "mysql://h"}, {"host": "h"}):
        with pytest.raises(ValidationError):
            MySQLOptions.model_validate(wrong)
    address = MySQLOptions.model_validate({"url": "mysql2://a%40b:p%2Fw@h:1/d?x=1"}).address
    assert (address.user, address.password.get_secret_value()) == ("a@b", "p/w")
    assert address.where == "h:1/d"


def test_discovery_proposes_what_the_variables_name() -> None:
    assert issubclass(MySQLConnector, Discoverable)
    variables = {
        "MYSQL_URL": "mysql://u:hidden@db/shop",
        "DATABASE_URL": "postgresql://u@h/d",
        "MARIADB_HOST": "db",
        "MARIADB_DATABASE": "stock",
        "MARIADB_PASSWORD": "hidden",
    }
    found = list(MySQLConnector.candidates(Place(variables, Path(), Path())))
    assert [candidate.options for candidate in found] == [
        {"url": "${MYSQL_URL}"},
        {"host": "db", "database": "stock", "password": "${MARIADB_PASSWORD}"},
    ]
    assert "hidden" not in repr(found)
    rails = Place({"DATABASE_URL": "mysql2://u@h/d"}, Path(), Path())
    assert [c.found_in for c in MySQLConnector.candidates(rails)] == ["the variable DATABASE_URL"]


def test_importing_the_connectors_loads_neither_driver_nor_polars() -> None:
    program = (
        "import sys, connectors.mysql, connectors.sqlite\n"
        "sys.exit(', '.join({'pymysql', 'polars', 'psycopg'} & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
