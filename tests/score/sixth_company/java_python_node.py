"""How a Quarkus house (JBoss logging), a FastAPI house (structlog, dramatiq) and an Express house
(winston, pg-boss or graphile-worker) word things.

After the formats of those libraries. Owns words only, under the names of `tests.score.wording`.
"""

from __future__ import annotations

from tests.score.wording import Style

QUARKUS: Style = {
    "begin": "[de.hafen.http] (executor-thread-11) --> {method} {path} traceId={rid}",
    "end": "[de.hafen.http] (executor-thread-11) <-- {method} {path} {status} {ms} ms"
    " traceId={rid}",
    "wrote": "[de.hafen.{thing}] (executor-thread-11) persisted {Thing} {thing}Id={id} in {ms} ms"
    " traceId={rid}",
    "pushed": "[de.hafen.out] (executor-thread-11) sent {job} messageId={jid} {thing}Id={id}"
    " traceId={rid}",
    "started": "[de.hafen.in] (vert.x-worker-thread-3) received {job} messageId={jid}"
    " {thing}Id={id}",
    "done": "[de.hafen.in] (vert.x-worker-thread-3) acked {job} messageId={jid} {thing}Id={id}"
    " after {ms} ms",
    "failed": "[io.sma.rea.mes.rabbitmq] (vert.x-worker-thread-3) SRMSG17021: a message sent to"
    " channel has been nacked: {job} messageId={jid} {thing}Id={id} {error}",
    "push_failed": "[de.hafen.out] (executor-thread-11) SRMSG17018: unable to send {job}"
    " traceId={rid} {error}",
    "request_failed": "[io.qua.ver.htt.run.QuarkusErrorHandler] (executor-thread-11) HTTP Request"
    " to {path} failed, method={method} traceId={rid}: {error}",
    "timeout": "io.vertx.core.impl.NoStackTraceThrowable: Connection timed out: {host}:{port}",
    "refused": "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused:"
    " {host}/10.64.9.4:{port}",
    "closed": "io.vertx.core.http.HttpClosedException: Connection was closed ({host}:{port})",
    "db_closed": "org.hibernate.exception.JDBCConnectionException: This connection has been"
    " closed.",
    "sql": "org.hibernate.exception.GenericJDBCException: JDBC exception executing SQL [ERROR:"
    " {message}]",
    "pool": "java.sql.SQLException: Acquisition timeout while waiting for new connection"
    " (io.agroal.pool.ConnectionPool)",
    "http_timeout": "jakarta.ws.rs.ProcessingException: The timeout period of 5000ms has been"
    " exceeded while executing POST {path} for server {host}:443",
    "http_5xx": "org.jboss.resteasy.reactive.ClientWebApplicationException: Received: 'Server"
    " Error, status code {status}' when invoking https://{host}{path}",
    "not_found": "org.hibernate.ObjectNotFoundException: No row with the given identifier exists:"
    " [de.hafen.{Thing}#{id}]",
    "dns": "io.netty.resolver.dns.DnsErrorCauseException: Query failed with SERVFAIL for '{host}'",
    "boot": "[io.quarkus] (main) {service} {version} on JVM (powered by Quarkus 3.15.1) started in"
    " 2.11s. Listening on: http://0.0.0.0:8080",
    "stop": "[io.quarkus] (Shutdown thread) stopping, waiting for 3 in-flight requests",
    "null": 'java.lang.NullPointerException: Cannot invoke "{field}()" because the return value is'
    " null",
    "full": "java.nio.file.FileSystemException: /var/lib/app/spool: No space left on device",
}
FASTAPI: Style = {
    "begin": "event=request_started method={method} path={path} request_id={rid} client=10.64.2.9",
    "end": "event=request_finished method={method} path={path} status={status} duration_ms={ms}"
    " request_id={rid}",
    "wrote": "event={thing}_saved {thing}_id={id} flush_ms={ms} request_id={rid}",
    "pushed": "event=message_enqueued actor={job} message_id={jid} {thing}_id={id}"
    " request_id={rid}",
    "started": "event=actor_started actor={job} message_id={jid} {thing}_id={id}",
    "done": "event=actor_succeeded actor={job} message_id={jid} {thing}_id={id} duration_ms={ms}",
    "failed": "event=actor_failed actor={job} message_id={jid} {thing}_id={id}"
    ' exception="{error}" action=retry',
    "push_failed": 'event=enqueue_failed actor={job} request_id={rid} exception="{error}"',
    "request_failed": "event=unhandled_exception method={method} path={path} request_id={rid}"
    ' exception="{error}"',
    "timeout": "redis.exceptions.TimeoutError: Timeout reading from {host}:{port}",
    "refused": "redis.exceptions.ConnectionError: Error 111 connecting to {host}:{port}. Connection"
    " refused.",
    "closed": "ConnectionResetError: [Errno 104] Connection reset by peer ({host}:{port})",
    "db_closed": "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) consuming input"
    " failed: server closed the connection unexpectedly",
    "sql": "sqlalchemy.exc.DBAPIError: (psycopg.errors) {message}",
    "pool": "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection"
    " timed out, timeout 5.00",
    "http_timeout": "httpx.ReadTimeout: The read operation timed out (POST https://{host}{path})",
    "http_5xx": "httpx.HTTPStatusError: Server error '{status}' for url 'https://{host}{path}'",
    "not_found": "sqlalchemy.exc.NoResultFound: No row was found when one was required"
    " ({Thing} {thing}_id={id})",
    "dns": "httpx.ConnectError: [Errno -3] Temporary failure in name resolution ({host})",
    "boot": "Application startup complete. service={service} version={version} workers={n}",
    "stop": "Waiting for background tasks to complete. (CTRL+C to force quit)",
    "null": "AttributeError: 'NoneType' object has no attribute '{field}'",
    "full": "OSError: [Errno 28] No space left on device: '/var/spool/app/out.ndjson'",
}
EXPRESS: Style = {
    "begin": "http: --> {method} {path} reqId={rid}",
    "end": "http: <-- {method} {path} {status} {ms}ms reqId={rid}",
    "wrote": "repo: insert {thing} ok {thing}Id={id} {ms}ms reqId={rid}",
    "pushed": "queue: add {job} jobId={jid} {thing}Id={id} reqId={rid}",
    "started": "worker: start {job} jobId={jid} {thing}Id={id}",
    "done": "worker: Completed task {jid} ({job}, {ms}ms, attempt 1 of 5) with success jobId={jid}"
    " {thing}Id={id}",
    "failed": "worker: Failed task {jid} ({job}) with error '{error}' jobId={jid} {thing}Id={id}",
    "push_failed": "queue: add {job} failed reqId={rid} {error}",
    "request_failed": "http: unhandled error on {method} {path} reqId={rid} {error}",
    "timeout": "Error: connect ETIMEDOUT {host}:{port}",
    "refused": "Error: connect ECONNREFUSED {host}:{port}",
    "closed": "Error: read ECONNRESET ({host}:{port})",
    "db_closed": "Error: Connection terminated unexpectedly (pg)",
    "sql": "error: {message} (pg DatabaseError)",
    "pool": "Error: timeout exceeded when trying to connect (pg-pool, waiting={n})",
    "http_timeout": "AxiosError: timeout of 5000ms exceeded POST https://{host}{path}",
    "http_5xx": "AxiosError: Request failed with status code {status} POST https://{host}{path}",
    "not_found": "NotFoundError: No {Thing} found ({thing}Id={id})",
    "dns": "Error: getaddrinfo EAI_AGAIN {host}",
    "boot": "{service}@{version} listening on :3000 (cluster of {n})",
    "stop": "SIGTERM received, closing http server, draining connections",
    "null": "TypeError: Cannot read properties of undefined (reading '{field}')",
    "full": "Error: ENOSPC: no space left on device, write",
}
