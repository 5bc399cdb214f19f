"""How Java, Kotlin and Scala libraries tell that a call failed.

Data only. JDK, Netty, Reactor, R2DBC, OkHttp, Ktor, Exposed, Spring, Hibernate, Lettuce, Jedis,
Redisson, Akka and Pekko.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
_RESET = ErrorClass.RESET
_CLOSED = ErrorClass.CLOSED
_DNS = ErrorClass.DNS
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
    *known(_REFUSED, _N, "OkHttp, Jedis", "Failed to connect to any host resolved for DNS name"),
    *known(
        _REFUSED,
        _N,
        "OkHttp",
        "java.net.ConnectException: Failed to connect to",
        evidence=_UMBRELLA,
    ),
    *known(
        _REFUSED,
        _N,
        "Lettuce",
        "Unable to connect to Redis",
        "RedisConnectionFailureException",
        "Cannot get Jedis connection",
        evidence=_UMBRELLA,
    ),
    *known(
        _CONNECT, _N, "Netty, OkHttp, HttpClient", "ConnectTimeoutException", evidence=_EXCEPTION
    ),
    *known(_CONNECT, _N, "Ktor", "Connect timeout has expired"),
    *known(_READ, _A, "Ktor", "Request timeout has expired", "Socket timeout has expired"),
    *known(_READ, _A, "Ktor", "HttpRequestTimeoutException", evidence=_EXCEPTION),
    *known(
        _READ,
        _A,
        "JDK",
        "java.util.concurrent.TimeoutException",
        "InterruptedIOException: timeout",
        evidence=_UMBRELLA,
    ),
    *known(
        _READ, _A, "Netty", "ReadTimeoutException", "WriteTimeoutException", evidence=_EXCEPTION
    ),
    *known(_READ, _A, "Reactor", "Did not observe any item or terminal signal within"),
    *known(_READ, _A, "Redisson", "Redis server response timeout"),
    *known(
        _READ, _A, "Akka", "AskTimeoutException", "TcpIdleTimeoutException", evidence=_EXCEPTION
    ),
    *known(
        _READ,
        _A,
        "Akka, Scala",
        "Ask timed out on",
        "Futures timed out after",
        "Future timed out after",
    ),
    *known(_READ, _R, "Hibernate", "QueryTimeoutException", evidence=_EXCEPTION),
    *known(_RESET, _A, "OkHttp", "StreamResetException", evidence=_EXCEPTION),
    *known(_RESET, _A, "OkHttp", "stream was reset: ", weak=True),
    *known(
        _RESET,
        _A,
        "Tomcat, Jetty",
        "ClientAbortException",
        "AsyncRequestNotUsableException",
        evidence=_UMBRELLA,
    ),
    *known(_CLOSED, _A, "JDK", "ClosedChannelException", evidence=_EXCEPTION),
    *known(
        _CLOSED,
        _A,
        "JDK",
        "java.net.SocketException: Socket closed",
        "java.net.SocketException: Socket is closed",
        "java.net.ProtocolException: unexpected end of stream",
        "java.net.SocketException: Unexpected end of file",
    ),
    *known(_CLOSED, _A, "OkHttp", "ConnectionShutdownException", evidence=_EXCEPTION),
    *known(
        _CLOSED,
        _A,
        "Spring",
        "I/O error on POST request",
        "I/O error on GET request",
        "I/O error on PUT request",
        "I/O error on PATCH request",
        "I/O error on DELETE request",
        "WebClientRequestException",
        evidence=_UMBRELLA,
    ),
    *known(
        _CLOSED, _A, "R2DBC", "Connection unexpectedly closed", "Connection unexpectedly terminated"
    ),
    *known(_CLOSED, _A, "R2DBC", "PostgresConnectionClosedException", evidence=_EXCEPTION),
    *known(_CLOSED, _N, "R2DBC", "Cannot exchange messages because the connection is closed"),
    *known(
        _CLOSED,
        _N,
        "Lettuce",
        "Currently not connected. Commands are rejected",
        "Connection is closed. Command is rejected",
    ),
    *known(
        _CLOSED,
        _A,
        "Lettuce",
        "Connection disconnected",
        "RedisException: Connection closed",
        weak=True,
    ),
    *known(
        _CLOSED,
        _A,
        "Akka",
        "closed the connection unexpectedly before delivering responses",
        "The connection closed with error:",
        "StreamTcpException",
        "connection was aborted by peer",
        evidence=_UMBRELLA,
    ),
    *known(
        _CLOSED,
        _A,
        "Ktor",
        "Failed to parse HTTP response: unexpected EOF",
        "Server closed the connection before response",
    ),
    *known(_DNS, _N, "JDK", "UnresolvedAddressException", evidence=_EXCEPTION),
    *known(_DNS, _N, "Netty", "DnsNameResolverTimeoutException", "DnsErrorCauseException"),
    *known(
        _TLS,
        _N,
        "JDK",
        "CertificateExpiredException",
        "CertificateNotYetValidException",
        "SSLPeerUnverifiedException",
        "SunCertPathBuilderException",
        evidence=_EXCEPTION,
    ),
    *known(
        _TLS,
        _N,
        "JDK",
        "No subject alternative names",
        "No subject alternative DNS name",
        "unable to find valid certification path",
    ),
    *known(_TLS, _A, "JDK", "javax.net.ssl.SSLException", evidence=_UMBRELLA),
    *known(_POOL, _N, "Reactor", "Pending acquire queue has reached its maximum size"),
    *known(
        _POOL,
        _N,
        "Reactor",
        "PoolAcquireTimeoutException",
        "PoolAcquirePendingLimitException",
        evidence=_EXCEPTION,
    ),
    *known(
        _POOL,
        _N,
        "Reactor",
        "has been pending for more than the configured timeout",
        "Connection acquisition timed out after",
    ),
    *known(
        _POOL,
        _N,
        "Spring",
        "Failed to obtain JDBC Connection",
        "Unable to acquire JDBC Connection",
        "Could not open JPA EntityManager for transaction",
        "Could not open JDBC Connection for transaction",
        evidence=_UMBRELLA,
    ),
    *known(
        _POOL,
        _N,
        "Tomcat JDBC, c3p0",
        "PoolExhaustedException",
        "JedisExhaustedPoolException",
        evidence=_EXCEPTION,
    ),
    *known(_POOL, _N, "c3p0", "An attempt by a client to checkout a Connection has timed out"),
    *known(_POOL, _N, "Tomcat JDBC", "Timeout: Pool empty. Unable to fetch a connection"),
    *known(_POOL, _N, "Redisson", "Unable to acquire connection!"),
    *known(_POOL, _N, "Akka", "Exceeded configured max-open-requests value"),
    *known(
        _GATEWAY,
        _N,
        "Resilience4j",
        "is OPEN and does not permit further calls",
        "CallNotPermittedException",
        "HystrixRuntimeException: * short-circuited",
        "is full and does not permit further calls",
        "RequestNotPermitted:",
        evidence=_UMBRELLA,
    ),
    *known(
        _STATE,
        _R,
        "Spring",
        "CannotAcquireLockException",
        "DeadlockLoserDataAccessException",
        "PessimisticLockingFailureException",
        "LockAcquisitionException",
        "PessimisticLockException",
        "LockTimeoutException",
        "OptimisticLockException",
        "OptimisticLockingFailureException",
        "StaleObjectStateException",
        "StaleStateException",
        "ObjectOptimisticLockingFailureException",
        evidence=_EXCEPTION,
    ),
    *known(
        _STATE,
        _R,
        "Hibernate",
        "Row was updated or deleted by another transaction",
        "Batch update returned unexpected row count",
    ),
    *known(_MISSING, _R, "JPA", "No entity found for query", "No result found for query"),
    *known(
        _MISSING,
        _R,
        "JPA",
        "NoResultException",
        "JpaObjectRetrievalFailureException",
        "NoDataFoundException",
        evidence=_EXCEPTION,
    ),
    *known(
        _MISSING,
        _R,
        "Spring",
        "Incorrect result size: expected 1, actual 0",
        "No class * entity with id",
    ),
    *known(_MISSING, _R, "Exposed", "Entity * not found in the database"),
    *known(
        _MISSING,
        _R,
        "Kotlin, Scala",
        "NoSuchElementException: None.get",
        "NoSuchElementException: List is empty",
        "NoSuchElementException: Collection is empty",
        "NoSuchElementException: Sequence contains no element",
        "NoSuchElementException: Source was empty",
        "NoSuchElementException: next on empty",
    ),
    *known(
        _DUPLICATE, _R, "Exposed, MongoDB", "MongoWriteException: E11000", "WriteError{code=11000"
    ),
)
