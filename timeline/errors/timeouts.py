"""Timeouts: while connecting (nothing was sent) and while waiting for an answer (nobody knows).

Data only. Texts that do not say which of the two it was are listed with the ambiguous outcome;
the matcher turns them into a connect timeout when the rest of the line proves the phase.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_CONNECT, _READ = ErrorClass.CONNECT_TIMEOUT, ErrorClass.READ_TIMEOUT
_N, _A, _R = Outcome.NOT_EXECUTED, Outcome.AMBIGUOUS, Outcome.ROLLED_BACK
_L, _S, _C, _K = Provenance.LIVE, Provenance.SOURCE, Provenance.CODE, Provenance.KNOWN
_EXCEPTION, _UMBRELLA, _PINNED = Evidence.EXCEPTION, Evidence.UMBRELLA, Evidence.PINNED

_CONNECTING: tuple[Fragment, ...] = (
    Fragment("Connection timed out", _CONNECT, _A, "libc", _S, _UMBRELLA),
    Fragment("etimedout", _CONNECT, _A, "node, Erlang, Ruby", _S, weak=True, errno=110),
    Fragment("connect ETIMEDOUT", _CONNECT, _N, "ioredis, mysql2, amqplib", _L, errno=110),
    Fragment("ConnectTimeoutError", _CONNECT, _N, "urllib3", _S, _EXCEPTION),
    Fragment("timed out. (connect timeout=", _CONNECT, _N, "requests", _S),
    Fragment("ConnectTimeout", _CONNECT, _N, "requests, httpx", _K, _EXCEPTION),
    Fragment("ConnectionTimeoutError", _CONNECT, _N, "aiohttp", _S, _EXCEPTION),
    Fragment("ServerTimeoutError", _CONNECT, _A, "aiohttp", _S, _UMBRELLA),
    Fragment("Timeout connecting to server", _CONNECT, _N, "redis-py", _S),
    Fragment("failed: timeout expired", _CONNECT, _N, "libpq", _L),
    Fragment("connection timeout expired", _CONNECT, _N, "psycopg", _L, weak=True),
    Fragment("AMQPConnectorStackTimeout", _CONNECT, _N, "pika", _L, _EXCEPTION),
    Fragment("Timeout during AMQP handshake", _CONNECT, _N, "pika", _L),
    Fragment("UND_ERR_CONNECT_TIMEOUT", _CONNECT, _N, "undici", _S, _PINNED),
    Fragment("Connect Timeout Error", _CONNECT, _N, "undici", _S, weak=True),
    Fragment("timeout expired", _CONNECT, _N, "pg", _L, weak=True),
    Fragment("Connection terminated due to connection timeout", _CONNECT, _N, "pg-pool", _S),
    Fragment("Failed to connect before the deadline", _CONNECT, _N, "grpc-js", _S),
    Fragment("dial tcp *: i/o timeout", _CONNECT, _N, "Go", _S),
    Fragment("net/http: TLS handshake timeout", _CONNECT, _N, "Go", _S),
    Fragment("Net::OpenTimeout", _CONNECT, _N, "net/http", _S, _EXCEPTION),
    Fragment("execution expired", _CONNECT, _A, "Ruby", _S, _UMBRELLA, weak=True),
    Fragment("Redis::TimeoutError", _READ, _A, "redis-rb", _S, _EXCEPTION),
    Fragment("connect timed out", _CONNECT, _N, "JDK", _S),
    Fragment("HttpConnectTimeoutException", _CONNECT, _N, "JDK", _S, _EXCEPTION),
    Fragment("Connection attempt timed out.", _CONNECT, _N, "pgjdbc", _S),
    Fragment("The connection attempt failed.", _CONNECT, _N, "pgjdbc", _S, _UMBRELLA),
    Fragment("io.netty.channel.ConnectTimeoutException", _CONNECT, _N, "Netty", _K, _EXCEPTION),
    Fragment("the connected party did not properly respond", _CONNECT, _N, ".NET", _K, errno=110),
    Fragment("Connection timed out after * milliseconds", _CONNECT, _N, "curl", _S),
    Fragment("cURL error 28", _CONNECT, _A, "Guzzle", _S, _UMBRELLA),
    Fragment("Lost connection to server at", _CONNECT, _N, "MariaDB", _S, _UMBRELLA),
    Fragment("Lost connection to MySQL server at", _CONNECT, _N, "MySQL", _K, _UMBRELLA),
    Fragment("reset reason: connection timeout", _CONNECT, _N, "Envoy", _K),
    Fragment("reset reason: remote connection timeout", _CONNECT, _N, "Envoy", _K),
)

_WAITING: tuple[Fragment, ...] = (
    # Operating system and language runtimes
    Fragment("TimeoutError", _READ, _A, "asyncio, asyncpg", _L, _UMBRELLA),
    Fragment("TimeoutError: timed out", _READ, _A, "urllib, socket", _L, _UMBRELLA),
    Fragment("socket.timeout: timed out", _READ, _A, "Python", _K, _UMBRELLA),
    Fragment("i/o timeout", _READ, _A, "Go", _S, _UMBRELLA, weak=True),
    Fragment("read tcp *: i/o timeout", _READ, _A, "Go", _C),
    Fragment("write tcp *: i/o timeout", _READ, _A, "Go", _K),
    Fragment("context deadline exceeded", _READ, _A, "Go", _S, _UMBRELLA),
    Fragment("SocketTimeoutException", _READ, _A, "JDK", _S, _UMBRELLA),
    # HTTP clients
    Fragment("Read timed out", _READ, _A, "requests, JDK", _L),
    Fragment("ReadTimeoutError", _READ, _A, "urllib3", _K, _EXCEPTION),
    Fragment("requests.exceptions.ReadTimeout", _READ, _A, "requests", _L, _EXCEPTION),
    Fragment("httpx.ReadTimeout", _READ, _A, "httpx", _L, _EXCEPTION),
    Fragment("httpx.WriteTimeout", _READ, _A, "httpx", _K, _EXCEPTION),
    Fragment("ReadTimeout", _READ, _A, "requests, httpx", _K, _UMBRELLA, exact_case=True),
    Fragment("SocketTimeoutError", _READ, _A, "aiohttp", _L, _EXCEPTION),
    Fragment("Timeout on reading data from socket", _READ, _A, "aiohttp", _L),
    Fragment("timeout of *ms exceeded", _READ, _A, "axios", _L),
    Fragment("UND_ERR_HEADERS_TIMEOUT", _READ, _A, "undici", _L, _PINNED),
    Fragment("Headers Timeout Error", _READ, _A, "undici", _L),
    Fragment("UND_ERR_BODY_TIMEOUT", _READ, _A, "undici", _S, _PINNED),
    Fragment("Body Timeout Error", _READ, _A, "undici", _S),
    Fragment("Client.Timeout exceeded while awaiting headers", _READ, _A, "Go", _S),
    Fragment("Client.Timeout or context cancellation while reading body", _READ, _A, "Go", _K),
    Fragment("net/http: timeout awaiting response headers", _READ, _A, "Go", _S),
    Fragment("Net::ReadTimeout", _READ, _A, "net/http", _S, _EXCEPTION),
    Fragment("Net::WriteTimeout", _READ, _A, "net/http", _S, _EXCEPTION),
    Fragment("HttpTimeoutException", _READ, _A, "JDK", _S, _EXCEPTION),
    Fragment("due to the configured HttpClient.Timeout of", _READ, _A, ".NET", _C),
    Fragment(
        "Operation timed out after * milliseconds with * bytes received", _READ, _A, "curl", _S
    ),
    # Redis, databases, brokers
    Fragment("redis.exceptions.TimeoutError", _READ, _A, "redis-py", _L, _UMBRELLA),
    Fragment("Timeout reading from", _READ, _A, "redis-py", _L, weak=True),
    Fragment("Timeout writing to socket", _READ, _A, "redis-py", _S),
    Fragment("Command timed out", _READ, _A, "ioredis, Lettuce", _L, weak=True),
    Fragment("RedisCommandTimeoutException", _READ, _A, "Lettuce", _C, _EXCEPTION),
    Fragment("read error on connection to", _READ, _A, "phpredis", _C),
    Fragment(
        "Lost connection to MySQL server during query (timed out)",
        _READ,
        _A,
        "PyMySQL",
        _L,
        _PINNED,
    ),
    Fragment("Exception while reading from stream", _READ, _A, "Npgsql", _C),
    Fragment("RedisTimeoutException", _READ, _A, "StackExchange.Redis", _K, _EXCEPTION),
    Fragment("Timeout awaiting response", _READ, _A, "StackExchange.Redis", _K),
    # Elixir: the exception's module stands in brackets before a message of one word
    Fragment("Redix.ConnectionError) timeout", _READ, _A, "Redix", _K),
    Fragment("Mint.TransportError) timeout", _READ, _A, "Mint", _K),
    Fragment("Req.TransportError) timeout", _READ, _A, "Req", _K),
    Fragment("HTTPoison.Error) :timeout", _READ, _A, "HTTPoison", _K),
    Fragment("client timed out because it queued and checked out", _READ, _A, "DBConnection", _K),
    Fragment("canceling statement due to statement timeout", _READ, _R, "PostgreSQL", _S, _PINNED),
    Fragment("max_statement_time exceeded", _READ, _R, "MariaDB", _S),
    Fragment("maximum statement execution time exceeded", _READ, _R, "MySQL", _K),
    Fragment("KafkaJSRequestTimeoutError", _READ, _A, "kafkajs", _S, _EXCEPTION),
    Fragment("KafkaJSNumberOfRetriesExceeded", _READ, _A, "kafkajs", _S, _UMBRELLA),
    Fragment("Expiring * record(s) for *ms has passed since", _READ, _A, "Kafka", _C),
    Fragment("Local: Message timed out", _READ, _A, "librdkafka", _S),
    Fragment("KafkaTimeoutError", _READ, _A, "kafka-python", _S, _EXCEPTION),
    Fragment("REQUEST_TIMED_OUT", _READ, _A, "Kafka", _S, exact_case=True),
    Fragment("HTTP request timed out", _READ, _A, "Elasticsearch, OpenSearch", _K, weak=True),
    # gRPC, servers and proxies
    Fragment("DEADLINE_EXCEEDED", _READ, _A, "grpc", _S, _UMBRELLA, exact_case=True),
    Fragment("Deadline Exceeded", _READ, _A, "grpc", _S, _UMBRELLA, weak=True),
    Fragment("code = DeadlineExceeded", _READ, _A, "grpc-go", _K, _UMBRELLA),
    Fragment("Maximum execution time of * exceeded", _READ, _A, "PHP", _S),
    Fragment("upstream timed out", _READ, _A, "nginx", _S, _PINNED),
    Fragment("upstream request timeout", _READ, _A, "Envoy", _K),
    Fragment("WORKER TIMEOUT (pid:", _READ, _A, "gunicorn", _S, exact_case=True),
)

FRAGMENTS: tuple[Fragment, ...] = _CONNECTING + _WAITING
