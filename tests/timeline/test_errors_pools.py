"""Pools that gave no connection, in applications' own words, and lines that only mention one."""

from __future__ import annotations

import pytest

from timeline.errors.kinds import ErrorClass, Outcome
from timeline.errors.matcher import match_one

ERROR, INFO = 17, 9


@pytest.mark.parametrize(
    "body",
    [
        "list orders: acquire conn: context deadline exceeded",
        'level=ERROR msg=checkout err="get connection from pool: i/o timeout"',
        "could not serve: getting connection: timed out",
        "OperationalError: timed out while waiting for a connection",
        "RepositoryException: no free connections available",
        "Sequel::PoolTimeout: timeout: 5.0, elapsed: 5.0",
        'msg="load basket" err="acquire: context deadline exceeded (3 waiting, 8/8 in use)"',
        "{timeout,{gen_server,call,[users_db,{checkout,#Ref<0.1.2.3>,true},8000]}}",
        "** (exit) exited in: :gen_server.call(:books, {:checkout, #Reference<0.1.2.3>, true}, 9) "
        "** (EXIT) time out",
        "db: none of 8 free after 2000ms",
        "TimeoutError: ResourceRequest timed out",
        "MongoServerSelection: WaitQueueTimeoutError: Timed out while checking out",
        "java.sql.SQLException: Acquisition timeout while waiting for new connection",
        "die verbleibenden Verbindungen sind für Superuser reserviert",
        "wyjątek: przykro mi, jest już zbyt wielu klientów",
        "已保留的连接位置为执行非复制请求的超级用户预留",
    ],
)
def test_no_connection_was_to_be_had_and_nothing_was_sent(body: str) -> None:
    match = match_one(body, ERROR)
    assert match is not None
    assert (match.error_class, match.outcome) == (ErrorClass.POOL, Outcome.NOT_EXECUTED)


@pytest.mark.parametrize(
    "body",
    [
        "connection pool: timeout 30s, size 10, idle 2",
        "HikariPool-1 - Start completed, get connection: timeout is 30000 ms",
        "maximum pool size reached its configured value of 20 at boot",
        "metrics: connection pool is full 0 times",
    ],
)
def test_settings_and_counts_of_a_pool_are_no_errors(body: str) -> None:
    assert match_one(body, INFO) is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Failed to acquire connection from pool: Connection refused", ErrorClass.REFUSED),
        ("failed to acquire connection: failed to connect to `host=db`: dial error: timeout: "
         "context deadline exceeded", ErrorClass.READ_TIMEOUT),
        ("GET /stock: context deadline exceeded", ErrorClass.READ_TIMEOUT),
    ],
)  # fmt: skip
def test_a_pool_that_could_not_connect_is_no_full_pool(body: str, said: ErrorClass) -> None:
    match = match_one(body, ERROR)
    assert match is not None
    assert match.error_class is said


@pytest.mark.parametrize(
    "body",
    [
        "{timeout,{gen_server,call,[basket_server,{checkout_order,4711},5000]}}",
        "lock acquire: context deadline exceeded",
    ],
)
def test_other_calls_that_timed_out_are_no_pool(body: str) -> None:
    match = match_one(body, ERROR)
    assert match is not None
    assert match.error_class is ErrorClass.READ_TIMEOUT
