"""How PHP libraries tell that a call failed.

Data only. Laravel, Symfony, Doctrine, Guzzle, PDO, phpredis, Predis, FPM. libcurl's numbers are in
`codes`.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_READ = ErrorClass.READ_TIMEOUT
_CLOSED = ErrorClass.CLOSED
_POOL = ErrorClass.POOL
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_DUPLICATE = ErrorClass.UNIQUE_VIOLATION
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(_REFUSED, _N, "FPM", "failed (11: Resource temporarily unavailable) while connecting"),
    *known(_READ, _A, "Symfony", "Idle timeout reached for"),
    *known(
        _READ,
        _A,
        "Symfony",
        "Symfony\\Component\\HttpClient\\Exception\\TimeoutException",
        evidence=_EXCEPTION,
    ),
    *known(
        _READ, _A, "PHP", "stream_socket_client(): unable to connect to * (Connection timed out)"
    ),
    *known(
        _CLOSED,
        _A,
        "phpredis",
        "Redis server went away",
        "Redis server * went away",
        "socket error on read socket",
        "Connection lost and socket is in detached state",
    ),
    *known(
        _CLOSED,
        _A,
        "Predis",
        "Error while reading line from the server",
        "Error while writing bytes to the server",
        "Error while reading bytes from the server",
    ),
    *known(
        _CLOSED, _A, "php-amqplib", "Broken pipe or closed connection", "Missed server heartbeat"
    ),
    *known(
        _CLOSED,
        _A,
        "php-amqplib",
        "AMQPConnectionClosedException",
        "AMQPHeartbeatMissedException",
        evidence=_EXCEPTION,
    ),
    *known(_READ, _A, "php-amqplib", "AMQPTimeoutException", evidence=_EXCEPTION),
    *known(
        _REFUSED, _N, "php-amqplib", "Socket error: could not connect to host", evidence=_UMBRELLA
    ),
    *known(
        _CLOSED,
        _A,
        "Doctrine",
        "Doctrine\\DBAL\\Exception\\ConnectionLost",
        "Doctrine\\DBAL\\Exception\\ConnectionException",
        evidence=_UMBRELLA,
    ),
    *known(_CLOSED, _A, "Guzzle", "GuzzleHttp\\Exception\\ConnectException", evidence=_UMBRELLA),
    *known(
        _CLOSED,
        _A,
        "PHP",
        "failed to open stream: HTTP request failed!",
        "fwrite(): Send of * bytes failed with errno=",
        evidence=_UMBRELLA,
    ),
    *known(
        _POOL,
        _N,
        "FPM",
        "server reached pm.max_children setting",
        "server reached max_children setting",
    ),
    *known(
        _STATE, _R, "Doctrine", "DeadlockException", "LockWaitTimeoutException", evidence=_EXCEPTION
    ),
    *known(_STATE, _N, "Doctrine", "The EntityManager is closed", weak=True),
    *known(_STATE, _R, "Doctrine", "The optimistic lock on an entity failed"),
    *known(
        _MISSING,
        _R,
        "Doctrine",
        "No result was found for query although at least one row was expected",
        "Entity of type '* for IDs ",
    ),
    *known(
        _DUPLICATE, _R, "PDO", "Integrity constraint violation: 1062", "Unique violation: 7 ERROR"
    ),
)
