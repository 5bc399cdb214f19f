"""Refused connections: the peer, or something in front of it, said no before any request byte.

Data only. MaxRetriesPerRequestError is the exception: ioredis may have sent the command before.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_REFUSED = ErrorClass.REFUSED
_N, _A = Outcome.NOT_EXECUTED, Outcome.AMBIGUOUS
_L, _S, _C, _K = Provenance.LIVE, Provenance.SOURCE, Provenance.CODE, Provenance.KNOWN
_EXCEPTION, _UMBRELLA = Evidence.EXCEPTION, Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    # Operating system and language runtimes
    Fragment("Connection refused", _REFUSED, _N, "libc, JDK, most", _S),
    Fragment("ConnectionRefusedError", _REFUSED, _N, "Python", _L, _EXCEPTION),
    Fragment("econnrefused", _REFUSED, _N, "Erlang, node, Ruby", _L, weak=True, errno=111),
    Fragment("dial tcp *connect: connection refused", _REFUSED, _N, "Go", _S),
    Fragment("Failed to open TCP connection to *(Connection refused", _REFUSED, _N, "net/http", _S),
    Fragment("java.net.ConnectException: Connection refused", _REFUSED, _N, "JDK", _S),
    Fragment(
        "the target machine actively refused it", _REFUSED, _N, ".NET, Windows", _C, errno=111
    ),
    # HTTP clients
    Fragment("Failed to establish a new connection: [Errno 111]", _REFUSED, _N, "urllib3", _L),
    Fragment("NewConnectionError", _REFUSED, _N, "urllib3", _L, _UMBRELLA),
    Fragment("ClientConnectorError", _REFUSED, _N, "aiohttp", _L, _UMBRELLA),
    Fragment("Connect call failed", _REFUSED, _N, "aiohttp, asyncio, asyncpg", _L, _UMBRELLA),
    Fragment("httpx.ConnectError", _REFUSED, _N, "httpx", _L, _UMBRELLA),
    Fragment("<urlopen error [Errno 111]", _REFUSED, _N, "urllib", _L),
    Fragment("cURL error 7:", _REFUSED, _N, "curl, Guzzle", _S),
    Fragment("Failed to connect to * port *", _REFUSED, _N, "curl", _S, _UMBRELLA),
    # Redis
    Fragment("Redis::CannotConnectError", _REFUSED, _N, "redis-rb", _S, _UMBRELLA),
    Fragment("Error connecting to Redis on", _REFUSED, _N, "redis-rb", _S, _UMBRELLA),
    Fragment(
        "Reached the max retries per request limit", _REFUSED, _A, "ioredis", _S, Evidence.PINNED
    ),
    Fragment("MaxRetriesPerRequestError", _REFUSED, _A, "ioredis", _S, Evidence.PINNED),
    Fragment(
        "It was not possible to connect to the redis server",
        _REFUSED,
        _N,
        "StackExchange.Redis",
        _C,
        _UMBRELLA,
    ),
    # Databases
    Fragment("Can't connect to MySQL server on", _REFUSED, _N, "PyMySQL", _L, _UMBRELLA),
    Fragment("Can't connect to local MySQL server", _REFUSED, _N, "MySQL", _K, _UMBRELLA),
    Fragment(
        "connection to server at *failed: Connection refused",
        _REFUSED,
        _N,
        "libpq",
        _L,
    ),
    Fragment(
        "Is the server running on that host and accepting TCP/IP connections",
        _REFUSED,
        _N,
        "libpq",
        _L,
    ),
    Fragment("could not connect to server", _REFUSED, _N, "libpq", _S, _UMBRELLA),
    Fragment("PG::ConnectionBad", _REFUSED, _N, "pg-gem", _S, _UMBRELLA),
    Fragment("ActiveRecord::ConnectionNotEstablished", _REFUSED, _N, "ActiveRecord", _S, _UMBRELLA),
    Fragment("Connection to * refused. Check that the hostname", _REFUSED, _N, "pgjdbc", _S),
    Fragment("tcp connect (*): connection refused", _REFUSED, _N, "Postgrex", _K),
    Fragment("SQLSTATE[HY000] [2002] Connection refused", _REFUSED, _N, "PDO", _K),
    # Brokers
    Fragment("AMQPConnectionError", _REFUSED, _N, "pika", _L, _UMBRELLA),
    Fragment("Bunny::TCPConnectionFailed", _REFUSED, _N, "bunny", _S, _EXCEPTION),
    Fragment("Bunny::TCPConnectionFailedForAllHosts", _REFUSED, _N, "bunny", _S, _EXCEPTION),
    Fragment("could not be established. Broker may not be available", _REFUSED, _N, "Kafka", _C),
    Fragment("client has run out of available brokers", _REFUSED, _N, "sarama", _C, _UMBRELLA),
    Fragment("NodeNotReadyError", _REFUSED, _N, "kafka-python", _S, _EXCEPTION),
    Fragment("KafkaConnectionError", _REFUSED, _N, "kafka-python", _S, _UMBRELLA),
    Fragment("NoBrokersAvailable", _REFUSED, _N, "kafka-python", _K, _EXCEPTION),
    Fragment("KafkaJSConnectionError", _REFUSED, _N, "kafkajs", _S, _UMBRELLA),
    Fragment("consumer: Cannot connect to", _REFUSED, _N, "celery", _S, _UMBRELLA),
    # gRPC, proxies and load balancers
    Fragment("failed to connect to all addresses", _REFUSED, _N, "grpc", _S, _UMBRELLA),
    Fragment("transport: Error while dialing", _REFUSED, _N, "grpc-go", _S, _UMBRELLA),
    Fragment("No connection established", _REFUSED, _N, "grpc-js", _S, _UMBRELLA, weak=True),
    Fragment("connect() failed (111: Connection refused)", _REFUSED, _N, "nginx", _S, errno=111),
    Fragment("no live upstreams", _REFUSED, _N, "nginx", _S),
    Fragment("reset reason: connection failure", _REFUSED, _N, "Envoy", _C),
    Fragment("reset reason: remote connection failure", _REFUSED, _N, "Envoy", _K),
    Fragment("has no server available!", _REFUSED, _N, "HAProxy", _S),
)
