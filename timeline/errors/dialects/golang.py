"""How Go libraries tell that a call failed.

Data only. net/http, pgx, database/sql, go-redis, sarama, franz-go, gRPC, NATS, asynq, GORM, ent,
the MongoDB driver, gocql.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_READ = ErrorClass.READ_TIMEOUT
_RESET = ErrorClass.RESET
_CLOSED = ErrorClass.CLOSED
_TLS = ErrorClass.TLS
_POOL = ErrorClass.POOL
_GATEWAY = ErrorClass.GATEWAY
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_DUPLICATE = ErrorClass.UNIQUE_VIOLATION
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _REFUSED, _N, "nats.go", "nats: no servers available for connection", evidence=_UMBRELLA
    ),
    *known(_REFUSED, _N, "pgx", "failed to connect to `", evidence=_UMBRELLA),
    *known(_REFUSED, _N, "mongo-go", "server selection error:", evidence=_UMBRELLA),
    *known(_REFUSED, _N, "franz-go", "unable to dial:", evidence=_UMBRELLA),
    *known(_READ, _A, "nats.go", "nats: timeout", "nats: no response from stream"),
    *known(_READ, _A, "gocql", "no response received from cassandra within timeout period"),
    *known(_READ, _A, "franz-go", "records have timed out before they were able to be produced"),
    *known(
        _READ,
        _A,
        "Go",
        "http: Handler timeout",
        "http2: timeout awaiting response headers",
        "os: i/o deadline reached",
    ),
    *known(_RESET, _A, "Go", "http: abort Handler", "write: connection reset", weak=True),
    *known(
        _CLOSED,
        _A,
        "Go",
        "HTTP/1.x transport connection broken",
        "http2: server sent GOAWAY and closed the connection",
        "http2: client connection force closed",
        "http2: client conn is closed",
    ),
    *known(
        _CLOSED,
        _N,
        "Go",
        "http2: client conn not usable",
        "http2: no cached connection was available",
        "sql: database is closed",
        "sql: connection is already closed",
        "redis: client is closed",
        "nats: connection closed",
        "kafka: broker not connected",
        "kafka: tried to use a client that was closed",
    ),
    *known(_CLOSED, _N, "pgx", "conn closed", weak=True, at_end=True),
    *known(
        _CLOSED,
        _A,
        "mongo-go",
        "socket was unexpectedly closed",
        "incomplete read of message header",
        "incomplete read of full message",
    ),
    *known(
        _CLOSED,
        _A,
        "franz-go",
        "broker closed the connection",
        "the internal broker struct chosen to issue this request has died",
    ),
    *known(
        _CLOSED,
        _A,
        "grpc-go",
        "error reading from server",
        "the client connection is closing",
        "closing transport due to",
        evidence=_UMBRELLA,
    ),
    *known(
        _CLOSED,
        _A,
        "amqp091-go",
        "Exception (501) Reason:",
        "Exception (320) Reason:",
        "Exception (504) Reason:",
    ),
    *known(
        _TLS,
        _N,
        "Go",
        "tls: failed to verify certificate",
        "tls: first record does not look like a TLS handshake",
        "http: server gave HTTP response to HTTPS client",
        "x509: cannot validate certificate",
        "x509: certificate relies on legacy",
    ),
    *known(_TLS, _A, "Go", "tls: handshake failure", "tls: bad certificate", weak=True),
    *known(_POOL, _N, "gocql", "no hosts available in the pool", "gocql: no host available"),
    *known(_POOL, _N, "mongo-go", "timed out while checking out a connection from connection pool"),
    *known(_POOL, _N, "redigo, pgx", "redigo: connection pool exhausted", "closed pool", weak=True),
    *known(_POOL, _N, "redigo", "redigo: get on closed pool"),
    *known(_GATEWAY, _A, "Go", "context canceled", evidence=_UMBRELLA, weak=True),
    *known(
        _GATEWAY,
        _N,
        "gobreaker",
        "circuit breaker is open",
        "circuit breaker: too many requests",
        "hystrix: circuit open",
        evidence=_UMBRELLA,
        weak=True,
    ),
    *known(_GATEWAY, _A, "grpc-go", "code = Aborted", "code = Internal", evidence=_UMBRELLA),
    *known(
        _STATE,
        _N,
        "sarama",
        "kafka server: Tried to send a message to a replica that is not the leader",
        "kafka server: In the middle of a leadership election",
        "kafka server: Request was for a topic or partition that does not exist",
    ),
    *known(_STATE, _N, "sarama", "kafka server: Message was too large, server rejected it"),
    *known(
        _STATE,
        _N,
        "nats.go",
        "nats: no responders available",
        "nats: maximum payload exceeded",
        "nats: authorization violation",
    ),
    *known(
        _STATE, _R, "database/sql", "sql: transaction has already been committed or rolled back"
    ),
    *known(_STATE, _R, "pgx", "commit unexpectedly resulted in rollback"),
    *known(_MISSING, _R, "go-redis", "redis: nil", weak=True, at_end=True),
    *known(
        _MISSING,
        _R,
        "grpc-go",
        "code = NotFound",
        "StatusCode.NOT_FOUND",
        "StatusRuntimeException: NOT_FOUND",
        "5 NOT_FOUND:",
    ),
    *known(
        _DUPLICATE,
        _R,
        "grpc-go",
        "code = AlreadyExists",
        "StatusCode.ALREADY_EXISTS",
        "StatusRuntimeException: ALREADY_EXISTS",
        "6 ALREADY_EXISTS:",
    ),
    *known(_DUPLICATE, _R, "GORM", "duplicated key not allowed"),
    *known(
        _DUPLICATE, _R, "asynq", "asynq: task already exists", "task ID conflicts with another task"
    ),
    *known(
        _READ,
        _A,
        "grpc-java, grpc-js",
        "StatusCode.DEADLINE_EXCEEDED",
        "StatusRuntimeException: DEADLINE_EXCEEDED",
        "4 DEADLINE_EXCEEDED:",
        evidence=_UMBRELLA,
    ),
)
