"""How Ruby libraries tell that a call failed.

Data only. ActiveRecord, Sequel, redis-client, Faraday, HTTParty, Excon, RestClient, bunny, Trilogy.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
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

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _REFUSED,
        _N,
        "Ruby",
        "Faraday::ConnectionFailed",
        "HTTP::ConnectionError",
        "Excon::Error::Socket",
        "RedisClient::CannotConnectError",
        "ActiveRecord::DatabaseConnectionError",
        evidence=_UMBRELLA,
    ),
    *known(
        _CONNECT,
        _N,
        "RestClient, bunny",
        "RestClient::Exceptions::OpenTimeout",
        "Bunny::ConnectionTimeout",
        "HTTP::ConnectTimeoutError",
        evidence=_EXCEPTION,
    ),
    *known(
        _READ,
        _A,
        "Ruby",
        "Faraday::TimeoutError",
        "Excon::Error::Timeout",
        "HTTP::TimeoutError",
        "Mysql2::Error::TimeoutError",
        "ActiveRecord::AdapterTimeout",
        "RedisClient::TimeoutError",
        evidence=_UMBRELLA,
    ),
    *known(
        _READ,
        _A,
        "Ruby",
        "RedisClient::ReadTimeoutError",
        "RedisClient::WriteTimeoutError",
        "RestClient::Exceptions::ReadTimeout",
        "Trilogy::TimeoutError",
        "IO::TimeoutError",
        evidence=_EXCEPTION,
    ),
    *known(
        _READ,
        _R,
        "ActiveRecord",
        "ActiveRecord::StatementTimeout",
        "ActiveRecord::QueryCanceled",
        "PG::QueryCanceled",
        evidence=_EXCEPTION,
    ),
    *known(
        _CLOSED,
        _A,
        "Ruby",
        "ActiveRecord::ConnectionFailed",
        "RedisClient::ConnectionError",
        "Mysql2::Error::ConnectionError",
        "Sequel::DatabaseDisconnectError",
        "Bunny::NetworkFailure",
        "Trilogy::ConnectionError",
        "RestClient::ServerBrokeConnection",
        evidence=_UMBRELLA,
    ),
    *known(
        _CLOSED,
        _N,
        "Ruby",
        "Bunny::ConnectionClosedError",
        "Bunny::ChannelAlreadyClosed",
        "Trilogy::ConnectionClosed",
        evidence=_EXCEPTION,
    ),
    *known(_CLOSED, _A, "Trilogy", "TRILOGY_CLOSED_CONNECTION", "trilogy_query_recv"),
    *known(
        _CLOSED,
        _N,
        "pg-gem",
        "PQsocket() can't get socket descriptor",
        "connection is closed (PG::ConnectionBad)",
    ),
    *known(_CLOSED, _R, "pg-gem", "PG::AdminShutdown", evidence=_EXCEPTION),
    *known(_DNS, _N, "Ruby", "Socket::ResolutionError", evidence=_EXCEPTION),
    *known(_TLS, _A, "Ruby", "OpenSSL::SSL::SSLError", "Faraday::SSLError", evidence=_UMBRELLA),
    *known(_POOL, _N, "connection_pool", "ConnectionPool::TimeoutError", evidence=_EXCEPTION),
    *known(_POOL, _N, "connection_pool", "Waited * sec, 0/"),
    *known(
        _GATEWAY,
        _N,
        "Stoplight, Semian",
        "Stoplight::Error::RedLight",
        "Semian::OpenCircuitError",
        "CircuitOpenError",
        evidence=_UMBRELLA,
    ),
    *known(
        _STATE,
        _R,
        "ActiveRecord, Sequel",
        "ActiveRecord::SerializationFailure",
        "ActiveRecord::StaleObjectError",
        "ActiveRecord::TransactionRollbackError",
        "PG::TRDeadlockDetected",
        "PG::TRSerializationFailure",
        "PG::LockNotAvailable",
        "Sequel::DatabaseLockTimeout",
        "Sequel::SerializationFailure",
        "Sequel::NoExistingObject",
        evidence=_EXCEPTION,
    ),
    *known(
        _MISSING,
        _R,
        "Mongoid, ROM",
        "Document(s) not found for class",
        "ROM::TupleCountMismatchError",
    ),
    *known(_MISSING, _R, "GlobalID", "Error while trying to deserialize arguments"),
    *known(
        _MISSING,
        _R,
        "ActiveRecord",
        "ActiveRecord::InvalidForeignKey",
        "PG::ForeignKeyViolation",
        evidence=_UMBRELLA,
    ),
)
