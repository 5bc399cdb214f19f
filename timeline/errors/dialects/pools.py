"""How applications of any language say that their pool gave no connection.

Data only, all from general knowledge. Clients' own wordings stand with their language and in
`timeline.errors.pools`. A wait that ended says "pool" or "acquire" and then why: the reason
alone (a deadline, a time-out) would read like a request without an answer.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_POOL = ErrorClass.POOL
_N = Outcome.NOT_EXECUTED
_PINNED, _EXCEPTION = Evidence.PINNED, Evidence.EXCEPTION

_ASKED = (
    "from pool",
    "from the pool",
    "connection pool",
    "acquire connection",
    "acquire a connection",
    "acquire conn",
    "acquire db connection",
    "acquire database connection",
    "acquiring connection",
    "acquiring conn",
    "checkout connection",
    "check out connection",
    "get connection",
    "get a connection",
    "get conn",
    "get db connection",
    "getting connection",
    "obtain connection",
    "obtain a connection",
)
_ENDED = ("context deadline exceeded", "deadline exceeded", "timeout", "timed out", "i/o timeout")

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _POOL,
        _N,
        "pgxpool, database/sql",
        *(f"{asked}: {ended}" for asked in _ASKED for ended in _ENDED),
        evidence=_PINNED,
        weak=True,
    ),
    *known(
        _POOL,
        _N,
        "any pool",
        "connection pool is exhausted",
        "connection pool exhaustion",
        "pool is exhausted",
        "connection pool timed out",
        "connection pool timeout",
        "connection pool is full",
        "no connections available in pool",
        "no connection available in pool",
        "no available connection in pool",
        "no available connections in pool",
        "no connections available in the pool",
        "no free connections available",
        "no free connection available",
        "no idle connections available",
        "timed out waiting for a connection",
        "timed out waiting for an available connection",
        "timed out waiting for a free connection",
        "timeout waiting for a connection from",
        "timeout while waiting for a connection",
        "timed out while waiting for a connection",
        "while waiting for a free connection",
        "all pooled connections were in use",
        "all connections in the pool are in use",
        "all connections are in use",
        "waiting for an available connection timed out",
        "unable to acquire connection from pool",
        "could not acquire connection from pool",
        "cannot acquire connection from pool",
        "could not get connection from pool",
        "cannot get a connection from the pool",
        "failed to get connection from pool",
        "maximum pool size reached",
        "max pool size reached",
        evidence=_PINNED,
        weak=True,
    ),
    *known(
        _POOL,
        _N,
        "any pool",
        # A deadline that ran out while the pool was counted full: the wrapper says what it counted.
        "acquire: context deadline exceeded (* in use",
        "acquire: context deadline exceeded (* waiting",
        "acquire: deadline exceeded (* in use",
        "acquire: timeout (* in use",
        "acquire timeout (* in use",
        "none of * free after",
        "no free connection after",
        "no connection became free",
        "no connection available after",
        "waited * for a connection from the pool",
        "waited * for a pooled connection",
        "gave up waiting for a connection",
        "timed out waiting for a slot in the connection pool",
        "pool has no free connection",
        # The pool counts who has a connection and who waits for one.
        "pool: no connection within",
        "waiters, * of * in use",
        "connections in use, * waiting",
        "connections busy, * waiting",
        "total=*, active=*, idle=0, waiting=",
        evidence=_PINNED,
        weak=True,
    ),
    *known(
        _POOL,
        _N,
        "poolboy",
        # The call that timed out is the one that borrows a worker, not one that a worker serves.
        "{timeout,{gen_server,call,[*,{checkout,",
        "{timeout, {gen_server, call, [*, {checkout,",
        "{:checkout, #Reference<* (EXIT) time out",
        evidence=_PINNED,
    ),
    *known(_POOL, _N, "AsyncKit, deadpool, bb8", "ConnectionPoolTimeoutError",
           "PoolError::Timeout", "TimeoutError::Wait", evidence=_EXCEPTION),
    *known(_POOL, _N, "hasql-pool", "AcquisitionTimeoutUsageError", evidence=_EXCEPTION),
    *known(_POOL, _N, "Sequel", "Sequel::PoolTimeout", evidence=_EXCEPTION),
    *known(_POOL, _N, "MongoDB", "WaitQueueTimeoutError", "MongoWaitQueueFullException",
           "MongoConnectionPoolClearedException", evidence=_EXCEPTION),
    *known(_POOL, _N, "Agroal", "Acquisition timeout while waiting for new connection"),
    *known(_POOL, _N, "UCP", "All connections in the Universal Connection Pool are in use",
           "UCP-29", "UCP-45064"),
    *known(_POOL, _N, "WebLogic, JBoss", "PoolLimitSQLException", "IJ000453", "IJ000655",
           "No managed connections available within configured blocking timeout"),
    *known(_POOL, _N, "RDS Proxy", "Timed-out waiting to acquire database connection"),
    *known(_POOL, _N, "Vert.x", "The connection pool reached max wait queue size"),
    *known(_POOL, _N, "DBConnection", "connection not available and request was dropped"),
    *known(_POOL, _N, "Odyssey, PgCat", "too many active clients for user", "AllServersDown",
           "could not get connection from the pool"),
    *known(_POOL, _N, "Swoole, Hyperf", "Connection pool exhausted. Cannot establish new"),
    *known(_POOL, _N, "SQL Server", "max pool size was reached"),
)  # fmt: skip
