"""A real replica and real certificates: how far it can be believed, and who is spoken to."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.connectors.my import MONITOR, READ_ALL, Database, connection_to, fetch, rows
from tests.servers.accounts import unprivileged_account
from tests.servers.mariadb import mariadb
from tests.servers.process import RunningServer, ServerMissing, new_folder
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.coverage import Coverage, Sight
from timeline.event import Kind
from timeline.problems import SourceProblem

pytestmark = pytest.mark.servers

CATCH_UP_S = 10.0
USERS = "CREATE TABLE shop.users (id int PRIMARY KEY, created_at timestamp(6) DEFAULT now(6))"


def installed(settings: dict[str, str]) -> RunningServer:
    try:
        return mariadb(settings=settings)
    except ServerMissing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Database, Database]]:
    """A primary and its replica, each as the administrator's database `shop`."""
    with installed({"log-bin": "log", "server-id": "1"}) as primary:
        with connection_to(primary.url) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW MASTER STATUS")
            status = cursor.fetchone()
        assert status is not None
        with installed({"server-id": "2", "read-only": "1"}) as replica:
            parts = urlsplit(primary.url)
            Database(replica.url, "test").run(
                f"CHANGE MASTER TO MASTER_HOST = '{parts.hostname}', MASTER_PORT = {parts.port},"
                f" MASTER_USER = '{parts.username}', MASTER_PASSWORD = '{parts.password}',"
                f" MASTER_LOG_FILE = '{status[0]}', MASTER_LOG_POS = {status[1]}",
                "START SLAVE",
            )
            Database(primary.url, "test").run("CREATE DATABASE shop", USERS)
            urls = (urlsplit(s.url)._replace(path="/shop").geturl() for s in (primary, replica))
            databases = [Database(url, "shop") for url in urls]
            yield databases[0], databases[1]


def _until_there(replica: Database, count: int) -> None:
    until = time.monotonic() + CATCH_UP_S
    while time.monotonic() < until:
        try:
            if len(rows(fetch(replica.url), Kind.ROW_INSERTED)) >= count:
                return
        except SourceProblem:
            pass  # the database itself has not arrived yet
        time.sleep(0.1)
    raise AssertionError("the replica did not catch up")


def _lag(entries: list[Coverage]) -> list[Coverage]:
    return [entry for entry in entries if "replica" in entry.reason]


def test_a_replica_says_what_it_is_and_how_far_it_came(pair: tuple[Database, Database]) -> None:
    primary, replica = pair
    primary.run("INSERT INTO users (id) VALUES (1)")
    _until_there(replica, 1)
    told = fetch(replica.url)
    (remark,) = [remark for remark in told.remarks if remark.topic == "replica"]
    assert "s behind" in remark.sentence
    (entry,) = _lag(told.coverage)
    assert entry.sight is Sight.PARTIAL
    assert entry.end - entry.start < 10_000_000_000, "only the last moment is in doubt"
    assert all('"endpoint": "replica"' in (e.attributes or "") for e in told.events
               if e.kind is Kind.ROW_INSERTED)  # fmt: skip
    assert not _lag(fetch(primary.url).coverage)


def test_a_replica_that_stands_still_covers_nothing(pair: tuple[Database, Database]) -> None:
    primary, replica = pair
    replica.run("STOP SLAVE SQL_THREAD")
    try:
        primary.run("INSERT INTO users (id) VALUES (2)")
        told = fetch(replica.url)
        assert "users/2" not in rows(told, Kind.ROW_INSERTED)
        assert any("stands still" in entry.reason for entry in told.coverage)
    finally:
        replica.run("START SLAVE SQL_THREAD")


def test_the_right_to_ask_is_the_one_we_name(pair: tuple[Database, Database]) -> None:
    _, replica = pair
    with_right, _ = replica.account(READ_ALL, MONITOR)
    assert any(remark.topic == "replica" for remark in fetch(with_right).remarks)
    without, _ = replica.account(READ_ALL)
    assert any("whether this is a replica" in r.sentence for r in fetch(without).remarks)


@pytest.fixture(scope="module")
def certified() -> Iterator[tuple[Database, Path]]:
    """A server with a certificate for the name `db.shop.example`, and its authority's file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (apt-get install openssl)")
    account = unprivileged_account()
    folder = new_folder("tls", account)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=db.shop.example",
            ],
            *("-addext", "subjectAltName=DNS:db.shop.example"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    if account is not None:
        account.own(key, certificate)
    settings = {"ssl-cert": str(certificate), "ssl-key": str(key)}
    try:
        with installed({**settings, "require-secure-transport": "1"}) as server:
            database = Database(server.url, "test")
            database.run("CREATE TABLE users (id int PRIMARY KEY, created_at timestamp(6))")
            database.run("INSERT INTO users VALUES (1, now(6))")
            yield database, certificate
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tls": "required"},
        {"tls": "verify-ca", "tls_ca": "FILE"},
        {"tls": "verify-identity", "tls_ca": "FILE", "tls_server_name": "db.shop.example"},
    ],
)
def test_tls_is_spoken_as_it_was_asked_for(
    certified: tuple[Database, Path], options: dict[str, str]
) -> None:
    database, certificate = certified
    chosen = {k: str(certificate) if v == "FILE" else v for k, v in options.items()}
    assert len(rows(fetch(database.url, None, **chosen), Kind.ROW_INSERTED)) == 1


@pytest.mark.parametrize(
    "options",
    [{"tls": "verify-ca"}, {"tls": "verify-identity", "tls_ca": "FILE"}, {"tls": "off"}],
)
def test_who_is_not_proven_is_not_spoken_to(
    certified: tuple[Database, Path], options: dict[str, str]
) -> None:
    database, certificate = certified
    chosen = {k: str(certificate) if v == "FILE" else v for k, v in options.items()}
    with pytest.raises(SourceProblem) as caught:
        fetch(database.url, None, **chosen)
    assert "tls" in caught.value.sentence().lower(), caught.value.sentence()


def test_tls_asked_of_a_plain_server_is_refused(mariadb_server: RunningServer) -> None:
    with pytest.raises(SourceProblem) as caught:
        fetch(mariadb_server.url, None, tls="required")
    assert "TLS" in caught.value.sentence()
