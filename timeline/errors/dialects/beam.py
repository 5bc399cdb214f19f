"""How Elixir and Erlang libraries tell that a call failed.

Data only. Ecto, DBConnection, Postgrex, Redix, Mint, Finch, Req, HTTPoison, hackney, AMQP, OTP.
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
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_DUPLICATE = ErrorClass.UNIQUE_VIOLATION
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(_REFUSED, _N, "httpc", "failed_connect", evidence=_UMBRELLA, weak=True),
    *known(_REFUSED, _N, "Redix", "Failed to connect to Redis (", evidence=_UMBRELLA),
    *known(
        _CONNECT, _N, "hackney", ":connect_timeout", "TransportError) connect timeout", weak=True
    ),
    *known(
        _READ,
        _A,
        "Mint, Finch, Req",
        "TransportError{reason: :timeout",
        ":request_timeout",
        "HTTPError{reason: :timeout",
        "Tesla.Error) :timeout",
        "Tesla.Error{reason: :timeout",
        weak=True,
    ),
    *known(_READ, _A, "HTTPoison", "HTTPoison.Error{reason: :timeout", "HTTPoison.Error) timeout"),
    *known(_READ, _A, "Redix", "Redix.ConnectionError{reason: :timeout"),
    *known(
        _READ,
        _A,
        "OTP",
        "(EXIT) time out",
        "Postgrex.Error) tcp recv: timeout",
        "tcp recv: timeout",
    ),
    *known(_READ, _A, "OTP", "{timeout,{gen_server,call", "{timeout, {gen_server, call"),
    *known(_READ, _A, "Task", "the task took too long", weak=True),
    *known(
        _CLOSED,
        _A,
        "Mint, Finch, Req",
        "TransportError{reason: :closed",
        "HTTPoison.Error{reason: :closed",
        "HTTPoison.Error) :closed",
        "socket_closed_remotely",
        "Tesla.Error) :closed",
        "TransportError) closed",
        "HTTPError{reason: :server_closed_connection",
        "the connection was closed by the server",
    ),
    *known(
        _CLOSED,
        _A,
        "Redix",
        "Redix.ConnectionError{reason: :closed",
        "Disconnected from Redis",
        "reason: :tcp_closed",
        "{:error, :tcp_closed}",
        weak=True,
    ),
    *known(
        _CLOSED,
        _A,
        "DBConnection",
        "connection is closed because of an error, disconnect or timeout",
        "connection closed by the pool, possibly due to a timeout",
        "tcp async_recv: closed",
        "ssl async_recv: closed",
        "(DBConnection.ConnectionError) tcp send: closed",
        "(DBConnection.ConnectionError) ssl send: closed",
        "tcp send: closed",
        "ssl send: closed",
    ),
    *known(
        _CLOSED,
        _A,
        "AMQP-Elixir",
        "socket_closed_unexpectedly",
        "server_initiated_close",
        "heartbeat_timeout",
        weak=True,
    ),
    *known(_DNS, _N, "AMQP-Elixir", ":unknown_host", weak=True),
    *known(
        _TLS,
        _A,
        "OTP",
        "tls_alert",
        "generated CLIENT ALERT: Fatal",
        "received SERVER ALERT: Fatal",
    ),
    *known(_POOL, _N, "hackney", ":checkout_timeout", "{error,checkout_timeout}", weak=True),
    *known(_POOL, _N, "Finch", "pool_not_available", weak=True),
    *known(_POOL, _N, "poolboy", "{:full, {:poolboy", ":poolboy.checkout", evidence=_UMBRELLA),
    *known(_STATE, _R, "Ecto", "Ecto.StaleEntryError", evidence=_EXCEPTION),
    *known(
        _STATE,
        _R,
        "Ecto",
        "attempted to * a stale struct",
        "(deadlock_detected)",
        "(lock_not_available)",
    ),
    *known(_STATE, _R, "Ecto", "(serialization_failure)", "transaction rolling back"),
    *known(_READ, _R, "Postgrex", "(query_canceled)"),
    *known(_POOL, _N, "Postgrex", "(too_many_connections)"),
    *known(_MISSING, _R, "Ecto", "{:error, :not_found}", "{error,not_found}", weak=True),
    *known(_DUPLICATE, _R, "Ecto", "(unique_violation)", "(unique_constraint)"),
)
