"""Whole lines as programs print them: class, outcome, peer; and harmless lines that look alike."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from timeline.errors.kinds import ErrorClass, Outcome
from timeline.errors.matcher import match_one
from timeline.errors.peers import peer_system

N, A, R, E = (
    Outcome.NOT_EXECUTED,
    Outcome.AMBIGUOUS,
    Outcome.ROLLED_BACK,
    Outcome.EXECUTED,
)
C = ErrorClass


class Line(NamedTuple):
    name: str
    body: str
    error_class: ErrorClass
    outcome: Outcome
    peer: str | None
    system: str | None


LINES = (
    Line(
        "redis-py refused",
        "redis.exceptions.ConnectionError: Error 111 connecting to redis-1:6379. "
        "Connection refused.",
        C.REFUSED,
        N,
        "redis-1:6379",
        "redis",
    ),
    Line(
        "redis-py unresolvable",
        "redis.exceptions.ConnectionError: Error -2 connecting to redis:6379. "
        "Name or service not known.",
        C.DNS,
        N,
        "redis:6379",
        "redis",
    ),
    Line(
        "redis-py read timeout",
        "enqueue WelcomeMail failed: redis.exceptions.TimeoutError: Timeout reading from socket",
        C.READ_TIMEOUT,
        A,
        None,
        "redis",
    ),
    Line(
        "redis-py reset",
        "redis.exceptions.ConnectionError: Error while reading from 10.0.4.2:6379 : "
        "(104, 'Connection reset by peer')",
        C.RESET,
        A,
        "10.0.4.2:6379",
        "redis",
    ),
    Line(
        "requests read timeout",
        "requests.exceptions.ReadTimeout: HTTPConnectionPool(host='mailer', port=8080): "
        "Read timed out. (read timeout=5)",
        C.READ_TIMEOUT,
        A,
        "mailer:8080",
        "http",
    ),
    Line(
        "requests connect timeout",
        "HTTPSConnectionPool(host='api.mail.example', port=443): Max retries exceeded with url: "
        "/v1/send (Caused by ConnectTimeoutError(<urllib3.connection.HTTPSConnection object>, "
        "'Connection to api.mail.example timed out. (connect timeout=3)'))",
        C.CONNECT_TIMEOUT,
        N,
        "api.mail.example:443",
        "http",
    ),
    Line(
        "psycopg connect phase",
        'psycopg.OperationalError: connection failed: connection to server at "10.2.0.9", port '
        "5432 failed: FATAL:  the database system is starting up",
        C.SERVER_STATE,
        N,
        "10.2.0.9:5432",
        "postgresql",
    ),
    Line(
        "psycopg query phase",
        "psycopg.OperationalError: consuming input failed: server closed the connection "
        "unexpectedly␊␉This probably means the server terminated abnormally␊␉before or while "
        "processing the request.",
        C.CLOSED,
        A,
        None,
        "postgresql",
    ),
    Line(
        "psycopg duplicate",
        "psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "
        '"users_email_key"␊DETAIL:  Key (email)=(a@example.org) already exists.',
        C.UNIQUE_VIOLATION,
        R,
        None,
        "postgresql",
    ),
    Line(
        "redis-rb refused",
        "Redis::CannotConnectError: Error connecting to Redis on redis.internal:6379 "
        "(Errno::ECONNREFUSED)",
        C.REFUSED,
        N,
        "redis.internal:6379",
        "redis",
    ),
    Line(
        "redis-rb timeout",
        "Redis::TimeoutError: Connection timed out␊␉from resque.rb:171:in `push'",
        C.READ_TIMEOUT,
        A,
        None,
        "redis",
    ),
    Line(
        "ActiveRecord lookup",
        "ActiveRecord::RecordNotFound: Couldn't find User with 'id'=4711",
        C.NOT_FOUND,
        R,
        None,
        None,
    ),
    Line(
        "ActiveRecord pool",
        "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool within "
        "5.000 seconds (waited 5.004 seconds); all pooled connections were in use",
        C.POOL,
        N,
        None,
        None,
    ),
    Line(
        "ActiveRecord duplicate",
        "ActiveRecord::RecordNotUnique: PG::UniqueViolation: ERROR:  duplicate key value violates "
        'unique constraint "index_users_on_email"',
        C.UNIQUE_VIOLATION,
        R,
        None,
        "postgresql",
    ),
    Line(
        "Ruby net/http",
        "Errno::ECONNREFUSED: Failed to open TCP connection to mailer:3000 (Connection refused - "
        'connect(2) for "mailer" port 3000)',
        C.REFUSED,
        N,
        "mailer:3000",
        "http",
    ),
    Line(
        "pgjdbc refused",
        "org.postgresql.util.PSQLException: Connection to db.eu:5432 refused. Check that the "
        "hostname and port are correct and that the postmaster is accepting TCP/IP connections.",
        C.REFUSED,
        N,
        "db.eu:5432",
        "postgresql",
    ),
    Line(
        "JDK chain",
        "o.s.w.c.ResourceAccessException: I/O error on POST␊␉at org.springframework.Rest␊Caused "
        "by: java.net.SocketTimeoutException: Read timed out␊␉at sun.nio.ch.NioSocketImpl",
        C.READ_TIMEOUT,
        A,
        None,
        None,
    ),
    Line(
        "Hikari",
        "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, "
        "request timed out after 30000ms.",
        C.POOL,
        N,
        None,
        None,
    ),
    Line(
        "Clojure not found",
        "clojure.lang.ExceptionInfo: order not found {:type :not-found, :id 4711}",
        C.NOT_FOUND,
        R,
        None,
        None,
    ),
    Line(
        "Node pg refused",
        "Error: connect ECONNREFUSED 10.1.1.7:5432␊    at TCPConnectWrap.afterConnect",
        C.REFUSED,
        N,
        "10.1.1.7:5432",
        "postgresql",
    ),
    Line(
        "axios timeout",
        "AxiosError: timeout of 1000ms exceeded␊  code: 'ECONNABORTED'",
        C.READ_TIMEOUT,
        A,
        None,
        "http",
    ),
    Line(
        "Node DNS",
        "Error: getaddrinfo ENOTFOUND mailer.internal␊  errno: -3008, code: 'ENOTFOUND'",
        C.DNS,
        N,
        "mailer.internal",
        None,
    ),
    Line(
        "Go refused",
        'level=error msg="push failed" err="dial tcp 10.9.0.3:6379: connect: connection refused"',
        C.REFUSED,
        N,
        "10.9.0.3:6379",
        "redis",
    ),
    Line(
        "Go reset",
        'Post "http://mailer/send": read tcp 10.0.0.1:52114->10.0.0.9:80: read: connection reset '
        "by peer",
        C.RESET,
        A,
        "10.0.0.9:80",
        "http",
    ),
    Line(
        "Go resolver",
        'Get "http://stats": dial tcp: lookup stats on 10.0.0.2:53: read udp '
        "10.0.0.1:4242->10.0.0.2:53: i/o timeout",
        C.DNS,
        N,
        "stats",
        None,
    ),
    Line("Go EOF", 'Post "http://mailer/send": EOF', C.CLOSED, A, None, None),
    Line(
        "Go no rows",
        'level=warn handler=mail err="sql: no rows in result set"',
        C.NOT_FOUND,
        R,
        None,
        None,
    ),
    Line(
        "pgx serialization",
        "ERROR: could not serialize access due to concurrent update (SQLSTATE 40001)",
        C.SERVER_STATE,
        R,
        None,
        "postgresql",
    ),
    Line(
        "Elixir queue",
        "** (DBConnection.ConnectionError) connection not available and request was dropped from "
        "queue after 2941ms",
        C.POOL,
        N,
        None,
        None,
    ),
    Line(
        "Postgrex refused",
        "[error] Postgrex.Protocol (#PID<0.361.0>) failed to connect: "
        "** (DBConnection.ConnectionError) tcp connect (db:5432): connection refused - "
        ":econnrefused",
        C.REFUSED,
        N,
        "db:5432",
        "postgresql",
    ),
    Line(
        "nginx read timeout",
        "[error] 31#31: *9 upstream timed out (110: Connection timed out) while reading response "
        'header from upstream, client: 192.0.2.7, server: shop, request: "POST /signup HTTP/1.1", '
        'upstream: "http://10.3.0.4:8080/signup", host: "shop.example"',
        C.READ_TIMEOUT,
        A,
        "10.3.0.4:8080",
        "http",
    ),
    Line(
        "nginx connect timeout",
        "[error] 31#31: *9 upstream timed out (110: Connection timed out) while connecting to "
        'upstream, client: 192.0.2.7, upstream: "http://10.3.0.4:8080/signup"',
        C.CONNECT_TIMEOUT,
        N,
        "10.3.0.4:8080",
        "http",
    ),
    Line(
        "nginx access log",
        '192.0.2.7 - - [12/Mar/2024:03:14:00 +0000] "POST /signup HTTP/1.1" 504 167 "-" "curl/8"',
        C.GATEWAY,
        A,
        None,
        "http",
    ),
    Line("gunicorn", "[CRITICAL] WORKER TIMEOUT (pid:4242)", C.READ_TIMEOUT, A, None, None),
    Line(
        "PyMySQL deadlock",
        "pymysql.err.OperationalError: (1213, 'Deadlock found when trying to get lock; try "
        "restarting transaction')",
        C.SERVER_STATE,
        R,
        None,
        "mysql",
    ),
    Line(
        "MySQL duplicate, translated",
        "pymysql.err.IntegrityError: (1062, \"Doppelter Eintrag 'a@example.org' für 'email'\")",
        C.UNIQUE_VIOLATION,
        R,
        None,
        "mysql",
    ),
    Line(
        "PostgreSQL, translated",
        "FEHLER: Verbindung wird abgebrochen (SQLSTATE 57P01)",
        C.CLOSED,
        R,
        None,
        "postgresql",
    ),
    Line(
        "Kafka after append",
        "org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException: Messages are "
        "written to the log, but to fewer in-sync replicas than required.",
        C.SERVER_STATE,
        E,
        None,
        "kafka",
    ),
    Line(
        "Django lookup",
        "shop.models.User.DoesNotExist: User matching query does not exist.",
        C.NOT_FOUND,
        R,
        None,
        None,
    ),
    Line(
        "Elasticsearch over urllib3",
        "elastic_transport.ConnectionError: Connection error caused by: NewConnectionError("
        "HTTPConnectionPool(host='es-1', port=9200): Failed to establish a new connection: "
        "[Errno 111] Connection refused)",
        C.REFUSED,
        N,
        "es-1:9200",
        "elasticsearch",
    ),
)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
def test_a_real_line_is_read_right(line: Line) -> None:
    found = match_one(line.body, 17)
    assert found is not None
    assert (found.error_class, found.outcome) == (line.error_class, line.outcome), found
    assert (found.peer, found.system) == (line.peer, line.system), found


HARMLESS = (
    "connection pool timeout set to 5s",
    "starting with timeout=30s retries=3",
    "timeout: 5000, pool: {max: 20, idle: 10000}",
    "order id=5043 shipped to warehouse 504",
    "served 502 requests in 12 s",
    "processed 429 of 503 items",
    "GET /orders/502 completed in 18 ms",
    '10.0.0.1 - - "GET /status/504 HTTP/1.1" 200 504',
    "status=200 bytes=503 duration=0.499",
    '{"status":200,"items":502,"error":null}',
    "exit status 0, 413 files copied",
    "store closed at 18:00, reopens Monday",
    "issue closed: broken pipeline fixed in review",
    "ticket closed by server team",
    "connection closed cleanly by client after 300 s idle",
    "sale closed, socket wrench added to basket",
    "cat <<EOF > /etc/motd",
    "parser reached EOF, 12 records",
    "read 12 lines until EOF marker",
    "heartbeat timeout configured: 60 s",
    "keepalive_timeout 65; client_body_timeout 12",
    "idle connections dropped by reaper: 4",
    "connection draining enabled for target group",
    "password reset mail sent to user 4711",
    "offer was refused by the customer",
    "resetting the counter, cache reset complete",
    "retry policy: on connection reset, on read timeout, max 3",
    "retryable errors: ECONNRESET, ETIMEDOUT, EPIPE",
    "0 connection refused in the last hour",
    "no broken pipe seen since deploy",
    "broken pipe errors: 0",
    "deadlock detected count=0",
    "deadlock detection runs every 1 s",
    "too many connections alert threshold: 400",
    "max_connections = 100, superuser_reserved_connections = 3",
    "TLS handshake completed in 12 ms, cipher TLS_AES_128_GCM_SHA256",
    "certificate for shop.example renewed, valid for 90 days",
    "resolved mailer.internal to 10.0.0.9 in 3 ms",
    "loading the catalogue into memory",
    "BUSY hours are 17:00 to 19:00",
    "LOADING dock 3 assigned to order 4711",
    "READONLY flag set on report 12",
    "record not found in cache, loading from database",
    "user not found in cache, falling back",
    "duplicate keyword removed from search index",
    "unique visitors: 5043",
    "Verbindung hergestellt nach 111 ms",
    "délai d'attente configuré : 30 s, connexion établie",
    "接続しました 504 件の注文を処理",
    "tiempo de espera 110 ms, conexión cerrada correctamente",
    "соединение установлено, 502 записи обработаны",
    "worker 111 started, errno=0",
    "java.util.concurrent.TimeUnit SECONDS timeout 30",
    "deployed v1062 (2013-06-01) to host 2006",
    'config {"onConnectionReset":"retry","connectTimeoutMs":3000}',
    "lookup table rebuilt: 104 rows",
    'open() "/srv/www/favicon.ico" failed (2: No such file or directory)',
    "Error: ENOENT: no such file or directory, errno: -2, code: 'ENOENT'",
)


@pytest.mark.parametrize("body", HARMLESS)
@pytest.mark.parametrize("severity", [0, 5, 9])
def test_a_harmless_line_is_no_error(body: str, severity: int) -> None:
    assert match_one(body, severity) is None


STILL_HARMLESS_AS_ERROR = (
    "order id=5043 rejected: weight 504 kg",
    "timeout=30s must be larger than 40s",
    "item 429 of 503 has no price",
    "password reset mail not accepted for user 502",
    "worker 111 stopped, job [2006] left",
    "Error: ENOENT: no such file or directory, errno: -2, code: 'ENOENT'",
    'open() "/srv/www/favicon.ico" failed (2: No such file or directory)',
    "invoice is closed and cannot be changed",
    "offer refused",
)


@pytest.mark.parametrize("body", STILL_HARMLESS_AS_ERROR)
def test_another_error_is_not_taken_for_a_network_error(body: str) -> None:
    assert match_one(body, 17) is None


@pytest.mark.parametrize(
    ("peer", "system"),
    [
        ("redis:6379", "redis"),
        ("[::1]:5432", "postgresql"),
        ("db:3306", "mysql"),
        ("mq:5672", "rabbitmq"),
        ("k1:9092", "kafka"),
        ("es:9200", "elasticsearch"),
        ("m:27017", "mongodb"),
        ("www:80", "http"),
        ("www:443", "http"),
        ("redis", ""),
        ("redis:6380", ""),
        ("", ""),
        ("host:²", ""),
    ],
)
def test_a_default_port_names_the_system(peer: str, system: str) -> None:
    assert peer_system(peer) == system
