"""Where the obvious reading is wrong: wordings captured from live failures, chains and phases."""

from __future__ import annotations

import pytest

from timeline.errors.kinds import ErrorClass, Outcome, Phase
from timeline.errors.matcher import ErrorMatch, match_one

C, O = ErrorClass, Outcome  # noqa: E741 - the table's own short names
SERVER = 'connection to server at "db", port 5432 failed: '


def read(body: str, severity_number: int = 17) -> ErrorMatch:
    match = match_one(body, severity_number)
    assert match is not None, body
    return match


def verdict(body: str) -> tuple[ErrorClass, Outcome]:
    match = read(body)
    return match.error_class, match.outcome


def test_an_empty_message_is_read_from_its_class() -> None:
    assert verdict("pika.exceptions.AMQPConnectionError: ''") == (C.REFUSED, O.NOT_EXECUTED)
    assert verdict("job 7 failed: TimeoutError: ''") == (C.READ_TIMEOUT, O.AMBIGUOUS)


def test_connect_call_failed_is_refused_without_the_word() -> None:
    match = read("OSError: Connect call failed ('10.0.0.5', 5432)")
    assert (match.error_class, match.peer) == (C.REFUSED, "10.0.0.5:5432")
    assert verdict("[Errno 110] Connect call failed ('h', 80)")[0] is C.CONNECT_TIMEOUT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("httpx.ConnectError: [Errno 111] Connection refused", C.REFUSED),
        ("httpx.ConnectError: [Errno -2] Name or service not known", C.DNS),
        ("(2003, \"Can't connect to MySQL server on 'h' ([Errno 111] refusé)\")", C.REFUSED),
        ("(2003, \"Can't connect to MySQL server on 'h' ([Errno -2] unbekannt)\")", C.DNS),
        ("Error -3 connecting to redis:6379. Réessayez.", C.DNS),
    ],
)
def test_errno_splits_what_one_class_covers(body: str, expected: ErrorClass) -> None:
    assert verdict(body) == (expected, O.NOT_EXECUTED)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("Error: connect ECONNREFUSED 10.0.0.1:80", C.REFUSED),
        ("Error: read ECONNRESET", C.RESET),
        ("SocketError: other side closed␊ code: 'UND_ERR_SOCKET'", C.CLOSED),
        ("HeadersTimeoutError: Headers Timeout Error code: 'UND_ERR_HEADERS_TIMEOUT'", None),
    ],
)
def test_fetch_failed_is_read_from_its_cause(cause: str, expected: ErrorClass | None) -> None:
    body = f"TypeError: fetch failed␊    at node:internal/deps/undici␊  [cause]: {cause}"
    assert read(body).error_class is (expected or C.READ_TIMEOUT)


def test_ioredis_collapses_its_causes_but_not_the_logged_one() -> None:
    assert verdict("Error: Connection is closed.") == (C.CLOSED, O.AMBIGUOUS)
    body = "Error: Connection is closed.␊ cause: connect ECONNREFUSED 10.0.0.1:6379"
    assert verdict(body) == (C.REFUSED, O.NOT_EXECUTED)


def test_axios_calls_its_timeout_aborted() -> None:
    body = "AxiosError: timeout of 1000ms exceeded, code: 'ECONNABORTED'"
    assert verdict(body) == (C.READ_TIMEOUT, O.AMBIGUOUS)


def test_socket_hang_up_is_an_end_of_file_whatever_its_code() -> None:
    match = read("Error: socket hang up␊ errno: -104, code: 'ECONNRESET'")
    assert (match.error_class, match.errno) == (C.CLOSED, 104)


def test_pymysql_says_lost_connection_for_a_timeout() -> None:
    text = "Lost connection to MySQL server during query"
    assert verdict(f"(2013, '{text} (timed out)')")[0] is C.READ_TIMEOUT
    assert verdict(f"(2013, '{text}')")[0] is C.CLOSED


@pytest.mark.parametrize("text", ["server closed the connection unexpectedly", "timeout expired"])
def test_the_libpq_prefix_decides_the_outcome(text: str) -> None:
    assert read(SERVER + text).outcome is O.NOT_EXECUTED
    assert read(SERVER + text).phase is Phase.CONNECT


def test_without_the_libpq_prefix_nobody_knows() -> None:
    assert read("server closed the connection unexpectedly").outcome is O.AMBIGUOUS


def test_a_commit_in_flight_is_ambiguous() -> None:
    shutdown = "terminating connection due to administrator command"
    assert read(shutdown).outcome is O.ROLLED_BACK
    assert read(f"could not commit order 4711: {shutdown}").outcome is O.AMBIGUOUS
    assert read(f"COMMIT failed: {shutdown} (SQLSTATE 57P01)").outcome is O.AMBIGUOUS
    assert read("failed to commit: could not serialize access due to update").outcome is (
        O.ROLLED_BACK
    )


def test_a_connect_timeout_on_an_established_socket_is_a_read_timeout() -> None:
    text = "[Errno 110] Connection timed out"
    assert verdict(f"{text} while reading from upstream") == (C.READ_TIMEOUT, O.AMBIGUOUS)
    assert verdict(f"{text} while connecting to upstream") == (C.CONNECT_TIMEOUT, O.NOT_EXECUTED)
    assert read(text).outcome is O.AMBIGUOUS


@pytest.mark.parametrize(
    "told",
    [
        "TLS handshake completed in 12 ms, then Connection reset by peer",
        "failed to connect to mailer: read tcp 10.0.0.1:5->10.0.0.2:80: connection reset by peer",
        "connectTimeout=3000 socketTimeout=5000 java.net.SocketException: Connection reset",
    ],
)
def test_not_executed_is_only_said_when_the_connect_phase_is_proven(told: str) -> None:
    assert verdict(told) == (C.RESET, O.AMBIGUOUS)


def test_a_java_chain_is_read_from_its_innermost_cause() -> None:
    body = (
        "org.springframework.CannotCreateTransactionException: Could not open connection␊"
        "Caused by: HikariPool-1 - Connection is not available, request timed out after 30000ms.␊"
        "Caused by: org.postgresql.util.PSQLException: FATAL: the database system is starting up"
    )
    assert verdict(body) == (C.SERVER_STATE, O.NOT_EXECUTED)


def test_a_python_chain_prints_its_innermost_cause_first() -> None:
    body = (
        "Traceback (most recent call last):␊ConnectionResetError: [Errno 104] reset␊␊"
        "During handling of the above exception, another exception occurred:␊␊"
        "Traceback (most recent call last):␊redis.exceptions.ConnectionError: "
        "Connection closed by server."
    )
    assert verdict(body) == (C.RESET, O.AMBIGUOUS)


def test_a_lookup_miss_that_was_being_handled_is_not_the_failure() -> None:
    body = (
        "shop.models.User.DoesNotExist: User matching query does not exist.␊␊"
        "During handling of the above exception, another exception occurred:␊␊"
        'psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "u"'
    )
    assert read(body).error_class is C.UNIQUE_VIOLATION


def test_a_status_yields_to_the_cause_named_beside_it() -> None:
    body = "status=503 upstream connect error, reset reason: connection failure"
    assert verdict(body) == (C.REFUSED, O.NOT_EXECUTED)
    body = 'rpc error: code = Unavailable desc = "dial tcp 10.0.0.1:50051: i/o timeout"'
    assert verdict(body) == (C.CONNECT_TIMEOUT, O.NOT_EXECUTED)


def test_a_missing_file_is_not_an_unresolvable_name() -> None:
    assert match_one("Error: ENOENT: open 'x' errno: -2, code: 'ENOENT'", 17) is None


def test_escaped_line_breaks_end_words_too() -> None:
    body = r'{"level":"error","stack":"Error: sign-up\nConnection refused\n    at push"}'
    assert read(body, 0).error_class is C.REFUSED


def test_letters_of_any_script_stand_beside_a_wording() -> None:
    match = read("注文4711：Error 111 connecting to redis:6379. 接続拒否␊詳細なし")
    assert (match.error_class, match.errno, match.peer) == (C.REFUSED, 111, "redis:6379")


@pytest.mark.parametrize("word", ["Socket closed", "timeout expired", "no such host"])
def test_everyday_words_need_a_severity_or_the_look_of_an_error(word: str) -> None:
    assert match_one(f"state: {word}", 9) is None
    assert match_one(f"state: {word}", 13) is not None
    assert match_one(f"MailError: {word}", 9) is not None


def test_a_source_file_is_no_peer() -> None:
    assert read("Connection refused␊  at push (Mailer.java:5432)").peer is None
