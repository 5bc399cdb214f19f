"""No connection to be had: client pools used up, servers at their connection limit.

Data only. Nothing was sent in any of these, so every outcome is NOT_EXECUTED.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_POOL = ErrorClass.POOL
_N = Outcome.NOT_EXECUTED
_S, _C, _I, _K = Provenance.SOURCE, Provenance.CODE, Provenance.ISSUE, Provenance.KNOWN
_EXCEPTION, _UMBRELLA, _PINNED = Evidence.EXCEPTION, Evidence.UMBRELLA, Evidence.PINNED

FRAGMENTS: tuple[Fragment, ...] = (
    # Client pools
    Fragment(
        "QueuePool limit of size * overflow * reached, connection timed out",
        _POOL,
        _N,
        "SQLAlchemy",
        _S,
        _PINNED,
    ),
    Fragment("connection pool exhausted", _POOL, _N, "psycopg2", _S),
    Fragment("couldn't get a connection after", _POOL, _N, "psycopg_pool", _K),
    Fragment("PoolTimeout", _POOL, _N, "httpx, psycopg_pool", _S, _EXCEPTION),
    Fragment("MaxConnectionsError", _POOL, _N, "redis-py", _S, _EXCEPTION),
    Fragment("No connection available.", _POOL, _N, "redis-py", _S, weak=True),
    Fragment("ActiveRecord::ConnectionTimeoutError", _POOL, _N, "ActiveRecord", _S, _EXCEPTION),
    Fragment("could not obtain a connection from the pool", _POOL, _N, "ActiveRecord", _S),
    Fragment(
        "Connection is not available, request timed out after", _POOL, _N, "HikariCP", _I, _PINNED
    ),
    Fragment("Cannot get a connection, pool error", _POOL, _N, "DBCP2", _S),
    Fragment("Timeout waiting for idle object", _POOL, _N, "DBCP2", _S),
    Fragment("Could not get a resource from the pool", _POOL, _N, "Jedis", _C, _UMBRELLA),
    Fragment("ConnectionPoolTimeoutException", _POOL, _N, "HttpClient", _C, _EXCEPTION),
    Fragment("Timeout waiting for connection from pool", _POOL, _N, "HttpClient", _C),
    Fragment(
        "timeout period elapsed prior to obtaining a connection from the pool",
        _POOL,
        _N,
        "ADO.NET",
        _C,
    ),
    Fragment("Timeout acquiring a connection", _POOL, _N, "knex", _S),
    Fragment("timeout exceeded when trying to connect", _POOL, _N, "pg-pool", _S),
    Fragment("Queue limit reached.", _POOL, _N, "mysql2", _S, weak=True),
    Fragment("redis: connection pool timeout", _POOL, _N, "go-redis", _C),
    Fragment(
        "net/http: request canceled while waiting for connection", _POOL, _N, "Go", _S, _PINNED
    ),
    Fragment(
        "connection not available and request was dropped from queue after",
        _POOL,
        _N,
        "DBConnection",
        _I,
    ),
    Fragment(
        "unable to provide a connection within the timeout due to excess queuing",
        _POOL,
        _N,
        "Finch",
        _C,
    ),
    Fragment("The connection pool has been exhausted", _POOL, _N, "Npgsql", _K),
    Fragment("prior to obtaining a connection from the pool", _POOL, _N, "SqlClient", _K),
    # Servers at their limit
    Fragment("sorry, too many clients already", _POOL, _N, "PostgreSQL", _S),
    Fragment("remaining connection slots are reserved", _POOL, _N, "PostgreSQL", _S),
    Fragment("too many connections for role", _POOL, _N, "PostgreSQL", _S),
    Fragment("too many connections for database", _POOL, _N, "PostgreSQL", _S),
    Fragment("Too many connections", _POOL, _N, "MySQL", _S, weak=True),
    Fragment("max number of clients reached", _POOL, _N, "Redis", _S),
    Fragment("worker_connections are not enough", _POOL, _N, "nginx", _S),
    Fragment("no more connections allowed", _POOL, _N, "PgBouncer", _K),
    Fragment("query_wait_timeout", _POOL, _N, "PgBouncer", _K, weak=True, exact_case=True),
)
