"""How Node libraries tell that a call failed.

Data only. node-redis, Prisma, TypeORM, Sequelize, Knex, Mongoose, amqplib, kafkajs, undici, got,
node-fetch.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
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
    *known(_REFUSED, _N, "Prisma", "Can't reach database server at", evidence=_UMBRELLA),
    *known(_REFUSED, _N, "Sequelize", "SequelizeConnectionRefusedError", evidence=_EXCEPTION),
    *known(_REFUSED, _N, "Sequelize", "SequelizeConnectionError", evidence=_UMBRELLA),
    *known(
        _REFUSED,
        _N,
        "Mongoose",
        "MongooseServerSelectionError",
        "MongoServerSelectionError",
        evidence=_UMBRELLA,
    ),
    *known(_REFUSED, _N, "Node", "NGHTTP2_REFUSED_STREAM"),
    *known(_REFUSED, _N, "kafkajs", "KafkaJSBrokerNotFound", evidence=_UMBRELLA),
    *known(_CONNECT, _N, "Prisma", "was reached but timed out"),
    *known(_CONNECT, _N, "Sequelize", "SequelizeConnectionTimedOutError", evidence=_EXCEPTION),
    *known(_CONNECT, _N, "Mongoose", "buffering timed out after"),
    *known(
        _CONNECT,
        _N,
        "got",
        "Timeout awaiting 'connect' for",
        "Timeout awaiting 'secureConnect' for",
        "Timeout awaiting 'lookup' for",
    ),
    *known(_CONNECT, _N, "Node", "ERR_SOCKET_CONNECTION_TIMEOUT"),
    *known(
        _READ,
        _A,
        "got",
        "Timeout awaiting 'request' for",
        "Timeout awaiting 'response' for",
        "Timeout awaiting 'socket' for",
    ),
    *known(
        _READ, _A, "node-fetch", "network timeout at:", "response timeout while trying to fetch"
    ),
    *known(_READ, _A, "Node", "ESOCKETTIMEDOUT"),
    *known(
        _READ, _A, "undici", "The operation was aborted due to timeout", "The operation timed out"
    ),
    *known(
        _READ,
        _A,
        "undici",
        "This operation was aborted",
        "The operation was aborted",
        "The user aborted a request",
        evidence=_UMBRELLA,
        weak=True,
    ),
    *known(_READ, _A, "Prisma", "Operations timed out after"),
    *known(_READ, _R, "Prisma", "Transaction API error: Transaction already closed"),
    *known(_READ, _A, "MongoDB", "MongoNetworkTimeoutError", evidence=_EXCEPTION),
    *known(
        _READ,
        _A,
        "kafkajs",
        "Request Produce(* timed out",
        "Request Fetch(* timed out",
        "Request Metadata(* timed out",
    ),
    *known(_CLOSED, _A, "node-redis", "SocketClosedUnexpectedlyError", evidence=_EXCEPTION),
    *known(_CLOSED, _A, "node-redis", "Socket closed unexpectedly"),
    *known(
        _CLOSED, _N, "node-redis", "ClientClosedError", "ClientOfflineError", evidence=_EXCEPTION
    ),
    *known(_CLOSED, _N, "node-redis", "The client is closed", weak=True),
    *known(_CLOSED, _A, "Prisma", "Server has closed the connection"),
    *known(_CLOSED, _A, "MongoDB", "MongoNetworkError", evidence=_UMBRELLA),
    *known(
        _CLOSED,
        _N,
        "TypeORM, mysql2",
        "Cannot enqueue Query after fatal error",
        "Can't add new command when connection is in closed state",
        "CannotExecuteNotConnectedError",
        "Connection with sqlite database is not established",
    ),
    *known(
        _CLOSED,
        _N,
        "amqplib",
        "IllegalOperationError: Channel closed",
        "IllegalOperationError: Channel closing",
        "IllegalOperationError: Connection closed",
    ),
    *known(_CLOSED, _A, "amqplib", "Channel ended, no reply will be forthcoming"),
    *known(_CLOSED, _A, "kafkajs", "KafkaJSConnectionClosedError", evidence=_EXCEPTION),
    *known(
        _CLOSED,
        _A,
        "Node",
        "ERR_STREAM_PREMATURE_CLOSE",
        "ERR_HTTP2_GOAWAY_SESSION",
        "ERR_HTTP2_STREAM_CANCEL",
        "ERR_HTTP2_STREAM_ERROR",
    ),
    *known(_CLOSED, _A, "Node", "Premature close", "ERR_NETWORK", evidence=_UMBRELLA, weak=True),
    *known(_DNS, _N, "Sequelize", "SequelizeHostNotFoundError", evidence=_EXCEPTION),
    *known(
        _DNS,
        _N,
        "Node",
        "queryA ETIMEOUT",
        "querySrv ENOTFOUND",
        "querySrv ETIMEOUT",
        "queryA ESERVFAIL",
        "DNSException:",
    ),
    *known(
        _TLS,
        _N,
        "Node",
        "Client network socket disconnected before secure TLS connection was established",
        "ERR_TLS_CERT_ALTNAME_INVALID",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "ERR_SSL_WRONG_VERSION_NUMBER",
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
        "Hostname/IP does not match certificate's altnames",
    ),
    *known(_UNREACHABLE, _N, "Sequelize", "SequelizeHostNotReachableError", evidence=_EXCEPTION),
    *known(_POOL, _N, "Sequelize", "SequelizeConnectionAcquireTimeoutError", evidence=_EXCEPTION),
    *known(
        _POOL,
        _N,
        "Sequelize, tarn",
        "ConnectionAcquireTimeoutError",
        "KnexTimeoutError",
        "ResourceRequest timed out",
        "MongoWaitQueueTimeoutError",
        "MongoPoolClearedError",
        "PoolClearedError",
    ),
    *known(
        _POOL,
        _N,
        "Prisma",
        "Timed out fetching a new connection from the connection pool",
        "Unable to start a transaction in the given time",
    ),
    *known(
        _GATEWAY, _N, "opossum", "Breaker is open", "EOPENBREAKER", evidence=_UMBRELLA, weak=True
    ),
    *known(_GATEWAY, _N, "Node", "NGHTTP2_ENHANCE_YOUR_CALM"),
    *known(
        _GATEWAY,
        _A,
        "axios",
        "Request failed with status code 502",
        "Request failed with status code 503",
        "Request failed with status code 504",
        evidence=_UMBRELLA,
    ),
    *known(_STATE, _R, "Prisma", "Transaction failed due to a write conflict or a deadlock"),
    *known(_STATE, _R, "mysql2", "ER_LOCK_DEADLOCK", "ER_LOCK_WAIT_TIMEOUT"),
    *known(
        _POOL,
        _N,
        "mysql2",
        "ER_CON_COUNT_ERROR",
        "ER_USER_LIMIT_REACHED",
        "ER_TOO_MANY_USER_CONNECTIONS",
    ),
    *known(_READ, _R, "mysql2", "ER_QUERY_INTERRUPTED", "ER_QUERY_TIMEOUT"),
    *known(
        _STATE,
        _R,
        "Sequelize",
        "SequelizeOptimisticLockError",
        "OptimisticLockVersionMismatchError",
        evidence=_EXCEPTION,
    ),
    *known(
        _MISSING,
        _R,
        "Prisma",
        "Record to update not found",
        "Record to delete does not exist",
        "depends on one or more records that were required",
    ),
    *known(_MISSING, _R, "Sequelize, Mongoose", "SequelizeEmptyResultError", evidence=_EXCEPTION),
    *known(
        _MISSING, _R, "Mongoose", "No matching document found for id", "No document found for query"
    ),
    *known(_MISSING, _R, "Sequelize, MySQL", "ER_NO_REFERENCED_ROW"),
    *known(_DUPLICATE, _R, "Sequelize", "SequelizeUniqueConstraintError", evidence=_EXCEPTION),
)
