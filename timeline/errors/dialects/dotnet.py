"""How .NET libraries tell that a call failed.

Data only. HttpClient, Npgsql, SqlClient, EF Core, StackExchange.Redis, RabbitMQ.Client,
MassTransit, Hangfire, Polly. `SocketException (111)` is in `codes`.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
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
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _REFUSED,
        _N,
        "Npgsql",
        "Npgsql.NpgsqlException (0x80004005): Failed to connect to",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "SqlClient",
        "error occurred while establishing a connection to SQL Server",
        "Could not open a connection to SQL Server",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "StackExchange.Redis",
        "UnableToConnect on",
        "UnableToResolvePhysicalConnection on",
        "Error connecting right now. To allow this multiplexer",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "RabbitMQ.Client",
        "BrokerUnreachableException",
        "None of the specified endpoints were reachable",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "MassTransit",
        "Connection Failed: rabbitmq://",
        "Broker unreachable:",
        evidence=_UMBRELLA,
    ),
    *known(
        _CONNECT,
        _N,
        "SqlClient",
        "Connection Timeout Expired.",
        "while attempting to consume the pre-login handshake acknowledgement",
        weak=True,
    ),
    *known(
        _READ,
        _A,
        "SqlClient",
        "Execution Timeout Expired",
        "prior to completion of the operation or the server is not responding",
    ),
    *known(
        _READ,
        _A,
        ".NET",
        "The operation has timed out",
        "The operation was canceled.",
        "A task was canceled.",
        evidence=_UMBRELLA,
        weak=True,
    ),
    *known(_READ, _A, "Polly", "TimeoutRejectedException", evidence=_EXCEPTION),
    *known(_READ, _A, "Polly", "didn't complete within the allowed timeout"),
    *known(
        _READ,
        _A,
        "StackExchange.Redis",
        "Timeout performing",
        "The message timed out in the backlog attempting to send",
    ),
    *known(_READ, _A, "RabbitMQ.Client", "continuation timed out", weak=True),
    *known(_READ, _A, "Npgsql", "Timeout during reading attempt", "Timeout during writing attempt"),
    *known(
        _CLOSED,
        _A,
        "StackExchange.Redis",
        "SocketFailure on",
        "SocketFailure (",
        "SocketClosed on",
        "SocketClosed (",
    ),
    *known(_CLOSED, _N, "StackExchange.Redis", "active/available to service this operation"),
    *known(_RESET, _A, "SqlClient", "A transport-level error has occurred when"),
    *known(
        _CLOSED,
        _A,
        ".NET",
        "Unable to read data from the transport connection",
        "Unable to write data to the transport connection",
        "An error occurred while sending the request",
        "Error while copying content to a stream",
        evidence=_UMBRELLA,
    ),
    *known(_CLOSED, _A, "Npgsql", "Exception while writing to stream", evidence=_UMBRELLA),
    *known(_CLOSED, _A, "EF", "likely due to a transient failure", evidence=_UMBRELLA),
    *known(
        _CLOSED,
        _A,
        "RabbitMQ.Client",
        "OperationInterruptedException",
        "The AMQP operation was interrupted",
        evidence=_UMBRELLA,
    ),
    *known(
        _TLS,
        _N,
        ".NET",
        "The remote certificate is invalid",
        "The remote certificate was rejected",
        "RemoteCertificateNameMismatch",
        "RemoteCertificateChainErrors",
    ),
    *known(_POOL, _N, "SqlClient", "The request limit for the database is"),
    *known(
        _GATEWAY,
        _N,
        "Polly",
        "BrokenCircuitException",
        "The circuit is now open and is not allowing calls",
        "RateLimiterRejectedException",
        evidence=_UMBRELLA,
    ),
    *known(_STATE, _R, "EF", "DbUpdateConcurrencyException", evidence=_EXCEPTION),
    *known(_STATE, _R, "EF", "row(s), but actually affected 0 row(s)"),
    *known(
        _STATE,
        _R,
        "SQL Server",
        "chosen as the deadlock victim",
        "Lock request time out period exceeded",
        "Snapshot isolation transaction aborted due to update conflict",
        "The transaction log for database",
    ),
    *known(
        _STATE,
        _N,
        "SQL Server",
        "requested by the login. The login failed",
        "is not currently available. Please retry the connection later",
    ),
    *known(_STATE, _R, "Hangfire", "Could not place a lock on the resource"),
    *known(_STATE, _R, "Hangfire", "DistributedLockTimeoutException", evidence=_EXCEPTION),
    *known(_MISSING, _R, ".NET", "Sequence contains no matching element"),
    *known(_MISSING, _R, "SQL Server", "conflicted with the FOREIGN KEY constraint"),
    *known(
        _DUPLICATE,
        _R,
        "SQL Server",
        "Violation of UNIQUE KEY constraint",
        "Violation of PRIMARY KEY constraint",
    ),
)
