"""How Python libraries tell that a call failed.

Data only. SQLAlchemy, asyncpg, psycopg, Django, redis-py, kombu, aio-pika, botocore, aiohttp,
asyncio, pymongo.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
_RESET = ErrorClass.RESET
_CLOSED = ErrorClass.CLOSED
_DNS = ErrorClass.DNS
_TLS = ErrorClass.TLS
_POOL = ErrorClass.POOL
_GATEWAY = ErrorClass.GATEWAY
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA
_PINNED = Evidence.PINNED

FRAGMENTS: tuple[Fragment, ...] = (
    *known(_REFUSED, _N, "kombu", "kombu.exceptions.OperationalError", evidence=_UMBRELLA),
    *known(
        _REFUSED,
        _N,
        "httpcore, anyio",
        "httpcore.ConnectError",
        "All connection attempts failed",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "botocore",
        "EndpointConnectionError",
        "Could not connect to the endpoint URL",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "pymongo",
        "ServerSelectionTimeoutError",
        "No replica set members found yet",
        evidence=_UMBRELLA,
    ),
    *known(
        _CONNECT,
        _N,
        "aiohttp, botocore",
        "Connection timeout to host",
        "Connect timeout on endpoint URL",
    ),
    *known(_READ, _A, "botocore", "Read timeout on endpoint URL"),
    *known(
        _READ,
        _A,
        "httpcore, pymongo",
        "httpcore.ReadTimeout",
        "pymongo.errors.NetworkTimeout",
        evidence=_EXCEPTION,
    ),
    *known(_READ, _A, "redis-py", "Timeout reading from socket"),
    *known(
        _READ,
        _R,
        "psycopg, asyncpg",
        "errors.QueryCanceled",
        "QueryCanceledError",
        evidence=_EXCEPTION,
    ),
    *known(
        _READ,
        _A,
        "libpq",
        "SSL SYSCALL error: Connection timed out",
        "could not receive data from server: Connection timed out",
        evidence=_PINNED,
    ),
    *known(
        _RESET, _A, "aiohttp", "Cannot write to closing transport", "ClientConnectionResetError"
    ),
    *known(_RESET, _A, "requests", "Connection aborted.", evidence=_UMBRELLA, weak=True),
    *known(_CLOSED, _A, "asyncio", "read on a total of", "IncompleteReadError", evidence=_UMBRELLA),
    *known(_CLOSED, _A, "aiohttp", "Server disconnected", weak=True),
    *known(_CLOSED, _A, "botocore", "Connection was closed before we received a valid response"),
    *known(
        _CLOSED,
        _A,
        "py-amqp",
        "Server unexpectedly closed connection",
        "Too many heartbeats missed",
    ),
    *known(
        _CLOSED,
        _N,
        "psycopg, Django",
        "connection already closed",
        "the connection is closed",
        "cursor already closed",
        weak=True,
    ),
    *known(_CLOSED, _A, "psycopg", "the connection is lost"),
    *known(
        _CLOSED,
        _N,
        "asyncpg",
        "InterfaceError: connection is closed",
        "InterfaceError: pool is closed",
        "cannot call Connection.* connection has been closed",
    ),
    *known(
        _CLOSED,
        _R,
        "psycopg",
        "errors.AdminShutdown",
        "AdminShutdownError",
        "errors.IdleInTransactionSessionTimeout",
        evidence=_EXCEPTION,
    ),
    *known(_CLOSED, _A, "pymongo", "errors.AutoReconnect", evidence=_EXCEPTION),
    *known(
        _CLOSED, _N, "aio-pika", "ChannelInvalidStateError", "ChannelClosed", evidence=_EXCEPTION
    ),
    *known(_CLOSED, _A, "redis-py", "Bad response from PING health check"),
    *known(_DNS, _N, "Python", "socket.gaierror", "getaddrinfo failed", evidence=_UMBRELLA),
    *known(_TLS, _N, "Python", "WRONG_VERSION_NUMBER", "SSLCertVerificationError", exact_case=True),
    *known(_TLS, _A, "Python", "sslv3 alert", "tlsv1 alert", "tlsv13 alert", weak=True),
    *known(_POOL, _N, "asyncpg", "TooManyConnectionsError", evidence=_EXCEPTION),
    *known(
        _POOL,
        _N,
        "psycopg_pool",
        "TooManyRequests: the pool",
        "the pool * is already closed",
        "PoolClosed",
    ),
    *known(_GATEWAY, _N, "pybreaker", "CircuitBreakerError", evidence=_UMBRELLA),
    *known(
        _STATE,
        _N,
        "asyncpg, redis-py",
        "CannotConnectNowError",
        "BusyLoadingError",
        "ReadOnlyError",
        "MasterDownError",
        "NotPrimaryError",
        "NotMasterError",
        evidence=_EXCEPTION,
    ),
    *known(
        _STATE,
        _R,
        "asyncpg",
        "DeadlockDetectedError",
        "LockNotAvailableError",
        "asyncpg.exceptions.SerializationError",
        evidence=_EXCEPTION,
    ),
    *known(_STATE, _R, "SQLAlchemy", "StaleDataError", "PendingRollbackError", evidence=_EXCEPTION),
    *known(
        _STATE,
        _R,
        "SQLAlchemy",
        "statement on table * expected to update",
        "transaction has been rolled back due to a previous exception",
        "Can't reconnect until invalid transaction is rolled back",
    ),
    *known(_STATE, _R, "Django", "TransactionManagementError", evidence=_EXCEPTION),
    *known(
        _STATE,
        _R,
        "Django",
        "Record has changed since last read",
        "Save with update_fields did not affect any rows",
    ),
    *known(_MISSING, _R, "peewee, mongoengine", "*DoesNotExist", exact_case=True),
    *known(
        _MISSING,
        _R,
        "Tortoise",
        "Object does not exist",
        "ObjectNotFound",
        "NoResultError",
        weak=True,
    ),
    *known(_MISSING, _R, "asyncpg, psycopg", "ForeignKeyViolation", evidence=_UMBRELLA),
)
