"""How Rust libraries tell that a call failed.

Data only. std, tokio, hyper, reqwest, tonic, sqlx, diesel, SeaORM, its pools, redis-rs, lapin.
Numbers (`os error 111`) are in `codes`.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_READ = ErrorClass.READ_TIMEOUT
_RESET = ErrorClass.RESET
_CLOSED = ErrorClass.CLOSED
_DNS = ErrorClass.DNS
_TLS = ErrorClass.TLS
_UNREACHABLE = ErrorClass.UNREACHABLE
_POOL = ErrorClass.POOL
_GATEWAY = ErrorClass.GATEWAY
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_DUPLICATE = ErrorClass.UNIQUE_VIOLATION
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _REFUSED,
        _N,
        "hyper, reqwest",
        "tcp connect error",
        "error trying to connect",
        "client error (Connect)",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "std",
        "kind: ConnectionRefused",
        "ErrorKind::ConnectionRefused",
        "Kind(ConnectionRefused)",
    ),
    *known(
        _READ,
        _A,
        "std",
        "kind: TimedOut",
        "ErrorKind::TimedOut",
        "Kind(TimedOut)",
        evidence=_UMBRELLA,
    ),
    *known(
        _RESET,
        _A,
        "std",
        "kind: ConnectionReset",
        "kind: BrokenPipe",
        "kind: ConnectionAborted",
        "kind: NotConnected",
    ),
    *known(
        _CLOSED, _A, "std", "kind: UnexpectedEof", "early eof", "unexpected end of file", weak=True
    ),
    *known(_UNREACHABLE, _N, "std", "kind: HostUnreachable", "kind: NetworkUnreachable"),
    *known(_READ, _A, "tokio", "deadline has elapsed", weak=True),
    *known(_READ, _A, "reqwest", "): operation timed out", "source: TimedOut", weak=True),
    *known(
        _CLOSED,
        _A,
        "hyper",
        "connection closed before message completed",
        "hyper::Error(IncompleteMessage",
        "hyper_util::client::legacy::Error(SendRequest",
        "operation was canceled: connection closed",
        "dispatch dropped without returning error",
    ),
    *known(_CLOSED, _N, "hyper", "operation was canceled: connection was not ready"),
    *known(
        _CLOSED,
        _A,
        "h2",
        "http2 error",
        "http2 error: keep-alive timed out",
        "connection error received:",
        evidence=_UMBRELLA,
    ),
    *known(
        _CLOSED,
        _A,
        "reqwest",
        "error sending request for url",
        evidence=_UMBRELLA,
    ),
    *known(_DNS, _N, "hyper, std", "dns error", "failed to lookup address information", weak=True),
    *known(_TLS, _N, "rustls", "invalid peer certificate", "InvalidCertificate("),
    *known(_TLS, _N, "sqlx", "error occurred while attempting to establish a TLS connection"),
    *known(
        _POOL, _N, "sqlx", "pool timed out while waiting for an open connection", "PoolTimedOut"
    ),
    *known(_POOL, _N, "sqlx", "attempted to acquire a connection on a closed pool"),
    *known(
        _POOL,
        _N,
        "deadpool",
        "Timeout occurred while waiting for a slot to become available",
        "Timeout occurred while creating a new object",
    ),
    *known(_POOL, _N, "r2d2, bb8", "timed out waiting for connection", "Timed out in bb8"),
    *known(_POOL, _N, "SeaORM", "Failed to acquire connection from pool", evidence=_UMBRELLA),
    *known(_CLOSED, _A, "sqlx", "error communicating with database", evidence=_UMBRELLA),
    *known(_CLOSED, _A, "sqlx", "expected to read * bytes, got 0 bytes at EOF"),
    *known(
        _CLOSED, _A, "tokio-postgres", "error communicating with the server", evidence=_UMBRELLA
    ),
    *known(_REFUSED, _N, "tokio-postgres", "error connecting to server", evidence=_UMBRELLA),
    *known(
        _CLOSED,
        _A,
        "redis-rs",
        "Multiplexed connection driver unexpectedly terminated",
        "Multiplexed connection unexpectedly terminated",
    ),
    *known(_CLOSED, _N, "lapin", "invalid connection state: ", "invalid channel state: "),
    *known(_CLOSED, _A, "rdkafka", "BrokerTransportFailure"),
    *known(_READ, _A, "rdkafka", "MessageTimedOut", "OperationTimedOut", evidence=_EXCEPTION),
    *known(
        _GATEWAY,
        _A,
        "tonic",
        "status: Unavailable",
        "The service is currently unavailable",
        evidence=_UMBRELLA,
        weak=True,
    ),
    *known(
        _READ,
        _A,
        "tonic",
        "status: DeadlineExceeded",
        "Deadline expired before operation could complete",
        weak=True,
    ),
    *known(_CLOSED, _A, "tonic", "transport error", evidence=_UMBRELLA, weak=True),
    *known(
        _MISSING, _R, "sqlx, SeaORM", "RowNotFound", "RecordNotFound Error:", evidence=_EXCEPTION
    ),
    *known(_MISSING, _R, "tokio-postgres", "query returned an unexpected number of rows"),
    *known(
        _DUPLICATE, _R, "diesel, sqlx", "DatabaseError(UniqueViolation", "kind: UniqueViolation"
    ),
    *known(_STATE, _R, "diesel", "DatabaseError(SerializationFailure"),
)
