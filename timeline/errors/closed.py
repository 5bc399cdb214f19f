"""Connections that broke: reset, end of file, orderly shutdown.

Data only. Ambiguous unless the wording itself says otherwise: an idle connection found dead at
send, a server that was never ready, a session the server ended inside a transaction.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_RESET, _CLOSED = ErrorClass.RESET, ErrorClass.CLOSED
_N, _A, _R, _E = (
    Outcome.NOT_EXECUTED,
    Outcome.AMBIGUOUS,
    Outcome.ROLLED_BACK,
    Outcome.EXECUTED,
)
_L, _S, _C, _K = Provenance.LIVE, Provenance.SOURCE, Provenance.CODE, Provenance.KNOWN
_EXCEPTION, _UMBRELLA, _PINNED = Evidence.EXCEPTION, Evidence.UMBRELLA, Evidence.PINNED

_RESETS: tuple[Fragment, ...] = (
    Fragment("Connection reset by peer", _RESET, _A, "libc", _S),
    Fragment("Connection reset", _RESET, _A, "JDK", _S, weak=True),
    Fragment("java.net.SocketException: Connection reset", _RESET, _A, "JDK", _S),
    Fragment("ConnectionResetError", _RESET, _A, "Python", _L, _EXCEPTION),
    Fragment("BrokenPipeError", _RESET, _A, "Python", _S, _EXCEPTION),
    Fragment("ConnectionAbortedError", _RESET, _A, "Python", _K, _EXCEPTION),
    Fragment("Broken pipe", _RESET, _A, "libc, JDK, Go, Ruby", _S),
    Fragment("econnreset", _RESET, _A, "node, Erlang, Ruby", _S, weak=True, errno=104),
    Fragment("epipe", _RESET, _A, "node, Erlang, Ruby", _S, weak=True, errno=32),
    Fragment("read ECONNRESET", _RESET, _A, "node", _L, errno=104),
    Fragment("write EPIPE", _RESET, _A, "node", _S, errno=32),
    Fragment("Software caused connection abort", _RESET, _A, "libc", _S),
    Fragment("Transport endpoint is not connected", _RESET, _A, "libc", _S),
    Fragment("forcibly closed by the remote host", _RESET, _A, ".NET, Windows", _C, errno=104),
    Fragment("httpx.ReadError", _RESET, _A, "httpx", _L, _UMBRELLA),
    Fragment("httpx.WriteError", _RESET, _A, "httpx", _K, _UMBRELLA),
    Fragment("ClientOSError", _RESET, _A, "aiohttp", _L, _UMBRELLA),
    Fragment("Error while reading from *: (104", _RESET, _A, "redis-py", _L, errno=104),
    Fragment("while writing to socket.", _RESET, _A, "redis-py", _S, _UMBRELLA),
    Fragment("Connection lost (ECONNRESET)", _RESET, _A, "redis-rb", _S, errno=104),
    Fragment("StreamLostError", _RESET, _A, "pika", _L, _UMBRELLA),
    Fragment("ConnectionDoesNotExistError", _RESET, _A, "asyncpg", _L, _EXCEPTION),
    Fragment("connection was closed in the middle of operation", _RESET, _A, "asyncpg", _L),
    Fragment("Recv failure: Connection reset by peer", _RESET, _A, "curl", _S),
    Fragment("Send failure:", _RESET, _A, "curl", _S, _UMBRELLA),
    Fragment("Stream removed", _RESET, _A, "grpc", _S, weak=True),
    Fragment("Socket closed", _RESET, _A, "grpc", _S, weak=True),
    Fragment("Connection dropped", _RESET, _A, "grpc-js", _S, weak=True),
    Fragment("stream error: stream ID", _RESET, _A, "Go", _S),
    Fragment("recv() failed (104: Connection reset by peer)", _RESET, _A, "nginx", _S, errno=104),
)

_RUNTIMES: tuple[Fragment, ...] = (
    Fragment(": EOF", _CLOSED, _A, "Go", _S, weak=True, exact_case=True, at_end=True),
    Fragment("=EOF", _CLOSED, _A, "Go", _S, weak=True, exact_case=True, at_end=True),
    Fragment('":"EOF', _CLOSED, _A, "Go", _S, weak=True, exact_case=True, at_end=True),
    Fragment('": "EOF', _CLOSED, _A, "Go", _S, weak=True, exact_case=True, at_end=True),
    Fragment("unexpected EOF", _CLOSED, _A, "Go", _S, weak=True, exact_case=True),
    Fragment("end of file reached", _CLOSED, _A, "Ruby", _S, weak=True),
    Fragment("EOFError", _CLOSED, _A, "Ruby", _S, _UMBRELLA),
    Fragment("java.io.EOFException", _CLOSED, _A, "JDK", _K, _UMBRELLA),
    Fragment("use of closed network connection", _CLOSED, _A, "Go", _S),
    Fragment("Attempted to read past the end of the stream", _CLOSED, _A, ".NET", _C),
)

_HTTP: tuple[Fragment, ...] = (
    Fragment("TransportError) socket closed", _CLOSED, _A, "Mint, Req", _K),
    Fragment("RemoteDisconnected", _CLOSED, _A, "requests", _L, _EXCEPTION),
    Fragment("Remote end closed connection without response", _CLOSED, _A, "requests", _L),
    Fragment("Server disconnected without sending a response", _CLOSED, _A, "httpx", _L),
    Fragment("RemoteProtocolError", _CLOSED, _A, "httpx", _L, _UMBRELLA),
    Fragment("ServerDisconnectedError", _CLOSED, _A, "aiohttp", _L, _EXCEPTION),
    Fragment("ClientPayloadError", _CLOSED, _A, "aiohttp", _S, _UMBRELLA),
    Fragment("ChunkedEncodingError", _CLOSED, _E, "requests", _S, _UMBRELLA),
    Fragment("Connection broken: IncompleteRead", _CLOSED, _E, "requests", _S, _PINNED),
    Fragment("socket hang up", _CLOSED, _A, "node", _L, _PINNED),
    Fragment("UND_ERR_SOCKET", _CLOSED, _A, "undici", _L, _PINNED),
    Fragment("other side closed", _CLOSED, _A, "undici", _L, weak=True),
    Fragment("TypeError: fetch failed", _CLOSED, _A, "undici", _L, _UMBRELLA),
    Fragment("http: server closed idle connection", _CLOSED, _N, "Go", _S),
    Fragment("http2: client connection lost", _CLOSED, _A, "Go", _S),
    Fragment("graceful shutdown GOAWAY", _CLOSED, _A, "Go", _S),
    Fragment("Unexpected end of file from server", _CLOSED, _A, "JDK", _S),
    Fragment("HTTP/1.1 header parser received no bytes", _CLOSED, _A, "JDK", _S),
    Fragment("NoHttpResponseException", _CLOSED, _A, "HttpClient", _C, _EXCEPTION),
    Fragment("failed to respond", _CLOSED, _A, "HttpClient", _C, weak=True),
    Fragment("PrematureCloseException", _CLOSED, _A, "reactor-netty", _C, _EXCEPTION),
    Fragment("Connection prematurely closed BEFORE response", _CLOSED, _A, "reactor-netty", _C),
    Fragment("Connection prematurely closed DURING response", _CLOSED, _E, "reactor-netty", _K),
    Fragment("unexpected end of stream on", _CLOSED, _A, "OkHttp", _K),
    Fragment("The response ended prematurely", _CLOSED, _A, ".NET", _K),
    Fragment("Empty reply from server", _CLOSED, _A, "curl", _S),
)

_DATABASES: tuple[Fragment, ...] = (
    Fragment("server closed the connection unexpectedly", _CLOSED, _A, "libpq", _L),
    Fragment(
        "This probably means the server terminated abnormally", _CLOSED, _A, "libpq", _L, _UMBRELLA
    ),
    Fragment("SSL SYSCALL error: EOF detected", _CLOSED, _A, "libpq", _S),
    Fragment("SSL connection has been closed unexpectedly", _CLOSED, _A, "libpq", _S),
    Fragment("could not receive data from server:", _CLOSED, _A, "libpq", _S, _UMBRELLA),
    Fragment("no connection to the server", _CLOSED, _N, "libpq", _S),
    Fragment("This connection has been closed.", _CLOSED, _N, "pgjdbc", _S),
    Fragment(
        "An I/O error occurred while sending to the backend",
        _CLOSED,
        _A,
        "pgjdbc",
        _S,
        _UMBRELLA,
    ),
    Fragment("PG::UnableToSend", _CLOSED, _N, "pg-gem", _S, _UMBRELLA),
    Fragment("Connection terminated unexpectedly", _CLOSED, _A, "pg", _L),
    Fragment(
        "Client has encountered a connection error and is not queryable", _CLOSED, _N, "pg", _S
    ),
    Fragment("tcp recv (idle): closed", _CLOSED, _N, "Postgrex", _C),
    Fragment("ssl recv (idle): closed", _CLOSED, _N, "Postgrex", _C),
    Fragment("tcp recv: closed", _CLOSED, _A, "Postgrex", _C),
    Fragment("ssl recv: closed", _CLOSED, _A, "Postgrex", _K),
    Fragment("terminating connection due to administrator command", _CLOSED, _R, "PostgreSQL", _S),
    Fragment(
        "terminating connection because of crash of another server process",
        _CLOSED,
        _R,
        "PostgreSQL",
        _S,
    ),
    Fragment(
        "terminating connection due to idle-in-transaction timeout",
        _CLOSED,
        _R,
        "PostgreSQL",
        _S,
    ),
    Fragment("terminating connection due to idle-session timeout", _CLOSED, _N, "PostgreSQL", _S),
    Fragment("connection to client lost", _CLOSED, _R, "PostgreSQL", _S),
    Fragment(
        "unexpected EOF on client connection with an open transaction",
        _CLOSED,
        _R,
        "PostgreSQL",
        _S,
    ),
    Fragment("Lost connection to MySQL server during query", _CLOSED, _A, "PyMySQL", _L),
    Fragment("Lost connection to server during query", _CLOSED, _A, "MariaDB", _S),
    Fragment("MySQL server has gone away", _CLOSED, _N, "MySQL", _S),
    Fragment("PROTOCOL_CONNECTION_LOST", _CLOSED, _A, "mysql2", _S),
    Fragment("Connection lost: The server closed the connection", _CLOSED, _A, "mysql2", _S),
    Fragment("Communications link failure", _CLOSED, _A, "Connector/J", _C, _UMBRELLA),
    Fragment(
        "The last packet sent successfully to the server was 0 milliseconds ago",
        _CLOSED,
        _N,
        "Connector/J",
        _C,
    ),
    Fragment("driver: bad connection", _CLOSED, _N, "database/sql", _S),
    Fragment("invalid connection", _CLOSED, _A, "go-sql-driver", _S, weak=True),
    Fragment("Got timeout reading communication packets", _CLOSED, _A, "MariaDB", _S),
    Fragment("Got an error reading communication packets", _CLOSED, _A, "MariaDB", _K),
    Fragment("Server shutdown in progress", _CLOSED, _A, "MariaDB", _S, weak=True),
)

_REDIS: tuple[Fragment, ...] = (
    Fragment("the connection to Redis is closed", _CLOSED, _A, "Redix", _K),
    Fragment("Redix.ConnectionError) tcp connection closed", _CLOSED, _A, "Redix", _K),
    Fragment("Connection closed by server", _CLOSED, _A, "redis-py", _L),
    Fragment("Connection is closed.", _CLOSED, _A, "ioredis", _L, _UMBRELLA, weak=True),
    Fragment(
        "Stream isn't writeable and enableOfflineQueue options is false", _CLOSED, _N, "ioredis", _S
    ),
    Fragment("Unexpected end of stream.", _CLOSED, _A, "Jedis", _K, weak=True),
)

_BROKERS: tuple[Fragment, ...] = (
    Fragment("Transport indicated EOF", _CLOSED, _A, "pika", _L),
    Fragment("No activity or too many missed heartbeats", _CLOSED, _A, "pika", _S),
    Fragment("ConnectionClosedByBroker", _CLOSED, _A, "pika", _S, _EXCEPTION),
    Fragment("CONNECTION_FORCED", _CLOSED, _A, "AMQP", _S, exact_case=True),
    Fragment("Heartbeat timeout", _CLOSED, _A, "AMQP", _S, weak=True),
    Fragment("missed heartbeats from client", _CLOSED, _A, "RabbitMQ", _S),
    Fragment("client unexpectedly closed TCP connection", _CLOSED, _A, "RabbitMQ", _S),
    Fragment("MissedHeartbeatException", _CLOSED, _A, "RabbitMQ-Java", _S, _EXCEPTION),
    Fragment("ShutdownSignalException", _CLOSED, _A, "RabbitMQ-Java", _S, _UMBRELLA),
    Fragment("AlreadyClosedException", _CLOSED, _N, "RabbitMQ-Java", _S, _EXCEPTION),
    Fragment("Socket closed abruptly during opening handshake", _CLOSED, _N, "amqplib", _L),
    Fragment("Unexpected close", _CLOSED, _A, "amqplib", _S, weak=True),
    Fragment("Channel closed by server", _CLOSED, _A, "amqplib", _S),
    Fragment("Connection to broker lost", _CLOSED, _A, "celery", _S),
    Fragment("Local: Broker transport failure", _CLOSED, _A, "librdkafka", _S),
    Fragment("All broker connections are down", _CLOSED, _A, "librdkafka", _S),
)

_GRPC_AND_PROXIES: tuple[Fragment, ...] = (
    Fragment("UNAVAILABLE: io exception", _CLOSED, _A, "grpc-java", _C, _UMBRELLA),
    Fragment("Network closed for unknown reason", _CLOSED, _A, "grpc-java", _C),
    Fragment("transport is closing", _CLOSED, _A, "grpc-go", _S),
    Fragment("the connection is draining", _CLOSED, _N, "grpc-go", _S),
    Fragment("all SubConns are in TransientFailure", _CLOSED, _N, "grpc-go", _S, _UMBRELLA),
    Fragment("GOAWAY received", _CLOSED, _A, "grpc", _S),
    Fragment("keepalive watchdog timeout", _CLOSED, _A, "grpc", _S),
    Fragment("upstream prematurely closed connection", _CLOSED, _A, "nginx", _C),
    Fragment("reset reason: connection termination", _CLOSED, _A, "Envoy", _C),
)

FRAGMENTS: tuple[Fragment, ...] = (
    _RESETS + _RUNTIMES + _HTTP + _DATABASES + _REDIS + _BROKERS + _GRPC_AND_PROXIES
)
