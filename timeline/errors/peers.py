"""Who was at the other end: `host:port` in the wording, and the system behind it.

Patterns and names only; standard library. The patterns are Rust regexes (no look-around) and each
has exactly two groups, host and port; the port may be absent. An unknown system is ""; it is
never guessed.
"""

from __future__ import annotations

_HOST = r"\[?((?:::)?(?:[A-Za-z0-9_][A-Za-z0-9_.:-]*?[A-Za-z0-9_]|[A-Za-z0-9_]))\]?"
_NAME = r"([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)"
_PORT = r"(\d{1,5})"

HTTP = "http"

PEER_PATTERNS: tuple[str, ...] = (
    rf"host='{_HOST}', port='?{_PORT}",
    rf'server at "([^"]+)"(?: \([^)]*\))?, port {_PORT}',
    rf'upstream: "(?:[a-z]+://)?{_HOST}(?::{_PORT})?[/"]',
    rf"(?:read|write) tcp6? \S+->{_HOST}:{_PORT}: ",
    rf"dial tcp6? {_HOST}:{_PORT}: ",
    rf"lookup {_NAME}(?: on \S+:53)?(): ",
    rf"(?i:connecting to|connection to|can't connect to|unable to connect to|could not connect to|"
    rf"attempt to connect to|refused: no further information:|refused:|(?:to|from) Redis \(|"
    rf"Connect\(|connected to|Cannot connect to host|Redis on|reading from|"
    rf"Connection to node -?\d+ \(|tcp connect \(|failed to connect to|all addresses: ipv4:|"
    rf"connection on) ?(?:[a-z]+://)?(?:[^/\s@,]*@)?(?:[\w.-]+/)?{_HOST}:{_PORT}",
    rf"connect E[A-Z]+ {_HOST}:{_PORT}",
    rf"Connect call failed \('([^']+)', {_PORT}",
    rf"Multiple exceptions: .*?\('([^']+)', {_PORT}",
    rf'connect\(2\) for "([^"]+)" port {_PORT}',
    rf"(?:Failed to connect to|connect to) {_NAME} port {_PORT}",
    rf"{_HOST}:{_PORT} failed to respond",
    rf"connection timed out: (?:[\w.-]+/)?{_HOST}:{_PORT}",
    r"(?:server on|server at|server host) '([^']+)'()",
    rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN|for) {_NAME}(?::{_PORT})?",
    rf"(?i:resolve host:?|UnknownHostException:|host not found in upstream|"
    rf"server host) [\"']?{_NAME}(?::{_PORT})?",
    rf"(?:redis|rediss|amqps?|postgres(?:ql)?|mysql|mongodb|nats|rabbitmqs?|tcp|tls|ssl)://"
    rf"(?:[^/\s@,]*@)?{_HOST}:{_PORT}",
    rf'(?:url \(|request for "|(?:Get|Post|Put|Patch|Delete|Head) "|\b[A-Z]{{3,6}} |url[=:] ?"?)'
    rf"https?://(?:[^/\s@,]*@)?{_HOST}:{_PORT}",
    rf"database server at `{_HOST}`?:`?{_PORT}`",
    rf"ipv[46]#{_HOST}:{_PORT}",
    rf"to_address, ?\{{(?:~c)?[\"']?{_HOST}[\"']?, ?{_PORT}\}}",
    rf"\{{((?:\d{{1,3}},){{3}}\d{{1,3}})\}}[:,] ?{_PORT}",
    rf"(?i:\bHOST) ?= ?{_HOST}\) ?\((?i:PORT) ?= ?{_PORT}\)",
    rf"(?i:refused|known|unreachable|to host|timed out|resolution|it\.?) \({_HOST}:{_PORT}\)",
    rf"(?:server\.address|(?:net\.)?peer\.(?:name|hostname))[\"':= ]+{_HOST}[\"', ]+"
    rf"(?:server\.port|(?:net\.)?peer\.port)[\"':= ]+{_PORT}",
    rf"(?i:\b(?:peer|addr|address|upstream|upstream_(?:host|addr)|endpoint|broker|target|server|"
    rf"remote|node|dest|destination))[\"']?\s?[=:]\s?:?[\"']?(?:[a-z]+://)?{_HOST}:{_PORT}",
    rf"(?i:\bhost\b)[\"':= ]+{_HOST}[\"', ]+:?[\"']?(?i:port\b)[\"':= ]+{_PORT}",
    rf"(?:host name \"|Failed to resolve '|TCP connection to ){_NAME}(?::{_PORT})?",
)
"""Wordings that name the peer, in order of preference."""

PEER_MARKS: tuple[tuple[str, ...], ...] = (
    ("host='",),
    ('server at "',),
    ('upstream: "',),
    ("read tcp", "write tcp"),
    ("dial tcp",),
    ("lookup ",),
    ("connect", "refused:", "redis", "reading from", "all addresses: ipv4:"),
    ("connect e",),
    ("connect call failed ('",),
    ("multiple exceptions: ",),
    ('connect(2) for "',),
    ("connect to ",),
    (" failed to respond",),
    ("connection timed out: ",),
    ("server on '", "server at '", "server host '"),
    ("getaddrinfo ",),
    ("resolve host", "unknownhostexception:", "host not found in upstream", "server host "),
    ("://",),
    ("http",),
    ("database server at `",),
    ("ipv4#", "ipv6#"),
    ("to_address,",),
    ("{",),
    ("host",),
    (" (",),
    ("server.address", "peer.name", "peer.hostname"),
    (
        "peer",
        "addr",
        "upstream",
        "endpoint",
        "broker",
        "target",
        "server",
        "remote",
        "node",
        "dest",
    ),
    ("host",),
    ('host name "', "failed to resolve '", "tcp connection to "),
)
"""For each of `PEER_PATTERNS` texts in small letters, one of which stands in all that it fits."""

DEFAULT_PORTS: dict[int, str] = {
    80: "http",
    443: "http",
    1433: "sqlserver",
    1521: "oracle",
    3306: "mysql",
    4222: "nats",
    5432: "postgresql",
    5672: "rabbitmq",
    5671: "rabbitmq",
    6379: "redis",
    6432: "postgresql",  # PgBouncer
    9042: "cassandra",
    9092: "kafka",
    9200: "elasticsearch",
    11211: "memcached",
    27017: "mongodb",
}
"""Registered or documented default ports of the systems this project names."""

BARE_PEER_PATTERN = (
    r"(?:^|[^\w.:/-])((?:\d{1,3}\.){3}\d{1,3}|[A-Za-z](?:[A-Za-z0-9.-]*[A-Za-z0-9])?):"
    r"(" + "|".join(str(port) for port in DEFAULT_PORTS if port > 1024) + r")(?:[^\d:]|$)"
)
"""Any `host:port` on a known default port: the last resort, since `file.py:80` looks the same."""

SOURCE_FILE_PATTERN = r"\.(?:java|kt|scala|clj|py|rb|js|ts|mjs|go|ex|exs|erl|php|cs|rs|c|cc|cpp)$"
"""A `host` that is really a source file before a line number."""

SYSTEM_WORDS: dict[str, str] = {
    "redis": "redis",
    "jedis": "redis",
    "lettuce": "redis",
    "redix": "redis",
    "carmine": "redis",
    "postgres": "postgresql",
    "psycopg": "postgresql",
    "asyncpg": "postgresql",
    "pg::": "postgresql",
    "pgconn": "postgresql",
    "npgsql": "postgresql",
    "pgbouncer": "postgresql",
    "psqlexception": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "rabbitmq": "rabbitmq",
    "amqp": "rabbitmq",
    "bunny": "rabbitmq",
    "kafka": "kafka",
    "elasticsearch": "elasticsearch",
    "opensearch": "opensearch",
    "mongo": "mongodb",
    "cassandra": "cassandra",
    "nats://": "nats",
    "sqlclient": "sqlserver",
    "sql server": "sqlserver",
    "ora-": "oracle",
}
"""Words in a record that tell the system when neither port nor wording does; the nearest wins."""

_SYSTEM_CLIENTS: dict[str, str] = {
    "redis": "redis-py redis-rb ioredis phpredis go-redis Jedis Lettuce Redis StackExchange.Redis "
    "Redix Predis node-redis redis-rs Redisson redigo Carmine",
    "postgresql": "libpq psycopg psycopg2 psycopg_pool asyncpg pg pg-pool pg-gem pgjdbc pgx "
    "Postgrex Npgsql PostgreSQL PgBouncer tokio-postgres Supavisor",
    "mysql": "MySQL MariaDB PyMySQL mysql2 Connector/J go-sql-driver",
    "rabbitmq": "pika bunny amqplib AMQP RabbitMQ RabbitMQ-Java RabbitMQ.Client amqp091-go lapin "
    "php-amqplib AMQP-Elixir py-amqp aio-pika",
    "kafka": "Kafka kafka-python kafkajs sarama librdkafka franz-go rdkafka",
    "mongodb": "pymongo MongoDB Mongoid Mongoose mongo-go",
    "elasticsearch": "Elasticsearch",
    "sqlserver": "SqlClient SQL-Server",
    "oracle": "Oracle",
    "cassandra": "Cassandra gocql",
    "nats": "nats.go",
    HTTP: "HTTP requests urllib urllib3 httpx aiohttp axios undici net/http HttpClient OkHttp "
    "reactor-netty curl Guzzle nginx Envoy HAProxy hyper reqwest Mint HTTPoison Ktor got "
    "node-fetch LWP Mojo wget Apache",
}

CLIENT_SYSTEMS: dict[str, str] = {
    client: system for system, clients in _SYSTEM_CLIENTS.items() for client in clients.split()
}
"""The system a client's own wording implies. HTTP yields to any other hint: search engines and
brokers are reached over HTTP too."""


def peer_system(peer: str) -> str:
    """Name the system behind `host:port` by its default port: "redis:6379" is "redis".

    "" when the peer has no port or the port is not a known default.
    """
    _, _, port = peer.rpartition(":")
    return DEFAULT_PORTS.get(int(port), "") if port.isascii() and port.isdigit() else ""
