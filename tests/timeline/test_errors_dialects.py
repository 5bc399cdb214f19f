"""Whole lines of many ecosystems: class, outcome and peer; and their harmless look-alikes."""

from __future__ import annotations

import polars as pl
import pytest

from timeline.errors.kinds import ErrorClass
from timeline.errors.matcher import match_errors, match_one
from timeline.errors.translations import TRANSLATIONS

C = ErrorClass

LINES: tuple[tuple[str, ErrorClass, str, str | None], ...] = (
    # Elixir and Erlang
    ("** (Mint.TransportError) connection refused", C.REFUSED, "N", None),
    (
        "[error] Redix: Failed to connect to Redis (redis-1:6379): ** (Redix.ConnectionError) "
        ":econnrefused",
        C.REFUSED,
        "N",
        "redis-1:6379",
    ),
    (
        'send failed: {:failed_connect, [{:to_address, {~c"mailer", 8080}}, {:inet, [:inet], '
        ":econnrefused}]}",
        C.REFUSED,
        "N",
        "mailer:8080",
    ),
    (
        "[error] lookup failed addr={127,0,0,1}:6379 reason: :econnrefused",
        C.REFUSED,
        "N",
        "127.0.0.1:6379",
    ),
    (
        "** (exit) exited in: GenServer.call(S, :take, 5000)␊ ** (EXIT) time out",
        C.READ_TIMEOUT,
        "A",
        None,
    ),
    ("** (DBConnection.ConnectionError) tcp send: closed", C.CLOSED, "A", None),
    ("** (Postgrex.Error) ERROR 40P01 (deadlock_detected)", C.SERVER_STATE, "R", None),
    ("** (Ecto.StaleEntryError) attempted to update a stale struct", C.SERVER_STATE, "R", None),
    # Rust
    (
        "error sending request for url (http://mailer:8080/send): error trying to connect: tcp "
        "connect error: Verbindungsaufbau abgelehnt (os error 111)",
        C.REFUSED,
        "N",
        "mailer:8080",
    ),
    (
        "error sending request for url (http://mailer:8080/send): operation timed out",
        C.READ_TIMEOUT,
        "A",
        "mailer:8080",
    ),
    (
        "error sending request for url (http://mailer:8080/send): connection closed before message "
        "completed",
        C.CLOSED,
        "A",
        "mailer:8080",
    ),
    (
        "thread 'tokio-runtime-worker' panicked at src/db.rs:41: called `Result::unwrap()` on an "
        "`Err` value: PoolTimedOut",
        C.POOL,
        "N",
        None,
    ),
    (
        'cache unavailable peer.address=redis-2:6380 error="Broken pipe (os error 32)"',
        C.RESET,
        "A",
        "redis-2:6380",
    ),
    # JVM
    (
        "AnnotatedConnectException: Connection refused: mailer/10.0.0.9:8080",
        C.REFUSED,
        "N",
        "10.0.0.9:8080",
    ),
    (
        "ConnectTimeoutException: Connect timeout has expired [url=http://mailer:8080/send]",
        C.CONNECT_TIMEOUT,
        "N",
        "mailer:8080",
    ),
    (
        "HttpRequestTimeoutException: Request timeout has expired [url=http://mailer:8080/send]",
        C.READ_TIMEOUT,
        "A",
        "mailer:8080",
    ),
    (
        "AskTimeoutException: Ask timed out on [Actor[akka://shop]] after [5000 ms]",
        C.READ_TIMEOUT,
        "A",
        None,
    ),
    # PHP
    (
        "Predis ConnectionException: Connection refused [tcp://redis:6379]",
        C.REFUSED,
        "N",
        "redis:6379",
    ),
    ("RedisException: Redis server redis:6379 went away", C.CLOSED, "A", "redis:6379"),
    (
        "ConnectException: cURL error 6: Could not resolve host: mail.internal",
        C.DNS,
        "N",
        "mail.internal",
    ),
    # .NET
    (
        "HttpRequestException: Connection refused (mailer:8080)␊ ---> "
        "System.Net.Sockets.SocketException (111): Connection refused",
        C.REFUSED,
        "N",
        "mailer:8080",
    ),
    ("SqlException (0x80131904): ... chosen as the deadlock victim.", C.SERVER_STATE, "R", None),
    (
        "RedisTimeoutException: Timeout performing GET (5000ms), next: GET k, server: redis:6379",
        C.READ_TIMEOUT,
        "A",
        "redis:6379",
    ),
    ("Transaktion wurde beendet. Error Number:1205,State:51,Class:13", C.SERVER_STATE, "R", None),
    # Go
    ("rpc error: code = NotFound desc = order 4711", C.NOT_FOUND, "R", None),
    ("nats: no responders available for request", C.SERVER_STATE, "N", None),
    # Node
    ("Can't reach database server at `db:5432`", C.REFUSED, "N", "db:5432"),
    ("SequelizeConnectionAcquireTimeoutError: Operation timeout", C.POOL, "N", None),
    (
        "MongooseError: `orders.findOne()` buffering timed out after 10000ms",
        C.CONNECT_TIMEOUT,
        "N",
        None,
    ),
    # Python and Ruby
    ("shop.OrderDoesNotExist: <Model: Order> instance matching", C.NOT_FOUND, "R", None),
    (
        "StaleDataError: UPDATE statement on table 'o' expected to update 1 row(s)",
        C.SERVER_STATE,
        "R",
        None,
    ),
    (
        'Faraday::ConnectionFailed (Connection refused - connect(2) for "mailer" port 3000)',
        C.REFUSED,
        "N",
        "mailer:3000",
    ),
    ("ConnectionPool::TimeoutError: Waited 5.0 sec, 0/5 available", C.POOL, "N", None),
    # Perl, shell
    (
        "500 Can't connect to mailer:8080 (Connection refused) at mail.pl line 12.",
        C.REFUSED,
        "N",
        "mailer:8080",
    ),
    ("curl: (52) Empty reply from server", C.CLOSED, "A", None),
    # Databases and brokers
    ("ORA-12541: TNS:no listener (ADDRESS=(HOST=ora-1)(PORT=1521))", C.REFUSED, "N", "ora-1:1521"),
    ("ORA-00060: Deadlock beim Warten auf Ressource festgestellt", C.SERVER_STATE, "R", None),
    (
        "TimeoutException: Topic orders not present in metadata after 60000 ms.",
        C.CONNECT_TIMEOUT,
        "N",
        None,
    ),
    ("Connect to ipv4#10.0.0.7:9092 failed: Connection refused", C.REFUSED, "N", "10.0.0.7:9092"),
    ('Key (order_id)=(4711) is not present in table "orders".', C.NOT_FOUND, "R", None),
    # Meshes and resolvers
    (
        "[ERROR] plugin/errors: 2 mailer.internal. A: read udp a->b:53: i/o timeout",
        C.DNS,
        "N",
        None,
    ),
    (
        '{"server.address":"stock","server.port":8080,"error":"connection refused"}',
        C.REFUSED,
        "N",
        "stock:8080",
    ),
    ("connection to [::1]:5432 failed: Connection refused", C.REFUSED, "N", "::1:5432"),
    # Translated
    (
        "Verbindung zum Server auf »db« (10.0.0.5), Port 5432 fehlgeschlagen: FEHLER:  tut mir "
        "leid, schon zu viele Verbindungen",
        C.POOL,
        "N",
        "db:5432",
    ),
    (
        "ERREUR:  la valeur d'une clé dupliquée rompt la contrainte unique « u »",
        C.UNIQUE_VIOLATION,
        "R",
        None,
    ),
    ("ОШИБКА:  обнаружена взаимоблокировка", C.SERVER_STATE, "R", None),
    ("connect() failed: Conexión rehusada", C.REFUSED, "N", None),
)


@pytest.mark.parametrize(("body", "error_class", "letter", "peer"), LINES)
def test_a_line_of_any_ecosystem_is_read_right(
    body: str, error_class: ErrorClass, letter: str, peer: str | None
) -> None:
    found = match_one(body, 17)
    assert found is not None
    assert (found.error_class, found.outcome.letter, found.peer) == (error_class, letter, peer)


@pytest.mark.parametrize("severity", [0, 9, 17])
def test_every_translation_says_what_its_english_text_says(severity: int) -> None:
    def said(texts: list[str]) -> list[tuple[int, str, str]]:
        bodies = pl.Series([f"ERROR: order 4711: {text}" for text in texts])
        stamps = pl.Series([severity] * len(texts), dtype=pl.UInt8)
        found = match_errors(bodies, severities=stamps)
        return [tuple(row) for row in found.select("row", "error_class", "outcome").rows()]

    translated, english = said(list(TRANSLATIONS)), said(list(TRANSLATIONS.values()))
    assert len(translated) == len(TRANSLATIONS)
    assert translated == english


HARMLESS = (
    "Redix: connected to redis:6379 after 2 attempts",
    "Oban queue default started, timeout: 30000",
    "reconnected to Redis, 0 errors",
    "tokio worker pool size=8 acquire_timeout=30s",
    "reqwest client built: connect_timeout=3s timeout=10s",
    "HikariPool-1 - Start completed.",
    "HikariPool-1 - Shutdown completed.",
    "Hosting environment: Production, HttpClient.Timeout = 100",
    "Polly retry 1 succeeded for mailer:8080",
    "circuit breaker closed again after 30 s",
    "Prisma Client generated in 120 ms",
    "mongoose connected to db:27017, bufferTimeoutMS=10000",
    "autoReconnect=true&connectTimeout=3000",
    "request_timeout=30s response_timeout=10s stream_idle_timeout=5m",
    "lookup succeeded: order 4711 found",
    "handled 12 queries for request 77",
    "websocket client 12 disconnected",
    "kafka rebalance finished, 3 partitions assigned",
    "deadlock_timeout = 1s, lock_timeout = 0",
    "Application is shutting down...",
    "keine Verklemmung (Deadlocks: 0)",
    "connexion établie avec le serveur db, port 5432",
    "product status: unavailable, restock on Monday",
    "column id is not primary",
    "retry policy: ThrottleOnBusy, max 3",
    "GET /readyz 200 in 2 ms",
)


@pytest.mark.parametrize("severity", [0, 5, 9])
@pytest.mark.parametrize("body", HARMLESS)
def test_a_harmless_line_of_any_ecosystem_is_no_error(body: str, severity: int) -> None:
    assert match_one(body, severity) is None
