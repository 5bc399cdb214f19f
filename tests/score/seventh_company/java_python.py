"""Quarkus with JBoss Logging, and FastAPI with loguru: what their services write.

Words only, one dictionary a language with the phrases that every language of the generator has,
and `job_timeout`: what a client of a job table says when its INSERT is not answered in time.
"""

from __future__ import annotations

from tests.score.wording import Style

_AGROAL = "java.sql.SQLException: Acquisition timeout while waiting for new connection"

QUARKUS: Style = {
    "begin": "[de.sw.http.RequestFilter] (vert.x-eventloop-thread-2) {method} {path} traceId={rid}",
    "end": "[io.quarkus.http.access-log] (executor-thread-4) {method} {path} {status} {ms}ms"
    " traceId={rid}",
    "wrote": "[de.sw.{thing}.{Thing}Repository] (executor-thread-4) persisted {thing}Id={id}"
    " in {ms}ms traceId={rid}",
    "pushed": "[de.sw.jobs.JobGateway] (executor-thread-4) submitted {job} jobId={jid}"
    " {thing}Id={id} traceId={rid}",
    "started": "[de.sw.jobs.JobRunner] (executor-thread-9) running {job} jobId={jid}"
    " {thing}Id={id}",
    "done": "[de.sw.jobs.JobRunner] (executor-thread-9) ran {job} jobId={jid} {thing}Id={id}"
    " in {ms}ms",
    "failed": "[de.sw.jobs.JobRunner] (executor-thread-9) {job} ended in error jobId={jid}"
    " {thing}Id={id}: {error}",
    "push_failed": "[de.sw.jobs.JobGateway] (executor-thread-4) {job} was not submitted"
    " traceId={rid}: {error}",
    "request_failed": "[io.qua.ver.htt.run.QuarkusErrorHandler] (executor-thread-4) HTTP Request to"
    " {path} failed, error id: 5d0e-1 {method} traceId={rid}: {error}",
    "timeout": "io.netty.channel.ConnectTimeoutException: connection timed out: {host}:{port}",
    "refused": "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused:"
    " {host}:{port}",
    "closed": "io.vertx.core.http.HttpClosedException: Connection was closed ({host}:{port})",
    "db_closed": "org.postgresql.util.PSQLException: An I/O error occurred while sending to the"
    " backend.",
    "sql": "org.hibernate.exception.GenericJDBCException: could not execute statement"
    " [ERROR: {message}]",
    "pool": _AGROAL,
    "http_timeout": "jakarta.ws.rs.ProcessingException: The timeout period of 10000ms has been"
    " exceeded while executing POST {path} for server {host}:443",
    "http_5xx": "org.jboss.resteasy.reactive.ClientWebApplicationException: Received: 'Service"
    " Unavailable, status code {status}' when invoking: 'https://{host}{path}'",
    "not_found": "jakarta.persistence.EntityNotFoundException: no {Thing} with {thing}Id={id}",
    "dns": "java.net.UnknownHostException: Failed to resolve '{host}' [A(1)]",
    "boot": "[io.quarkus] (main) {service} {version} on JVM (powered by Quarkus 3.15.1) started in"
    " 2.914s. Listening on: http://0.0.0.0:8080",
    "stop": "[io.quarkus] (Shutdown thread) application stopped in 0.048s",
    "null": 'java.lang.NullPointerException: Cannot invoke "String.trim()" because "{field}" is'
    " null",
    "full": "java.io.IOException: No space left on device",
    "job_timeout": "java.net.SocketTimeoutException: Read timed out",
}
LOGURU: Style = {
    "begin": "app.middleware:dispatch:31 - {method} {path} | request_id={rid}",
    "end": "app.middleware:dispatch:44 - {method} {path} -> {status} in {ms} ms | request_id={rid}",
    "wrote": "app.{thing}s.store:add:58 - {thing} stored | {thing}_id={id} ms={ms}"
    " request_id={rid}",
    "pushed": "app.jobs:insert:22 - job inserted | kind={job} job_id={jid} {thing}_id={id}"
    " request_id={rid}",
    "started": "app.jobs:run:63 - job begins | kind={job} job_id={jid} {thing}_id={id}",
    "done": "app.jobs:run:71 - job over | kind={job} job_id={jid} {thing}_id={id} ms={ms}",
    "failed": "app.jobs:run:77 - job raised | kind={job} job_id={jid} {thing}_id={id} | {error}",
    "push_failed": "app.jobs:insert:27 - job not inserted | kind={job} request_id={rid} | {error}",
    "request_failed": "app.errors:unhandled:19 - {method} {path} | request_id={rid} | {error}",
    "timeout": "TimeoutError: [Errno 110] Connect call failed ('{host}', {port})",
    "refused": "ConnectionRefusedError: [Errno 111] Connect call failed ('{host}', {port})",
    "closed": "httpcore.ReadError: [Errno 104] Connection reset by peer ({host}:{port})",
    "db_closed": "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the"
    " middle of operation",
    "sql": "asyncpg.exceptions.PostgresError: {message}",
    "pool": "sqlalchemy.exc.TimeoutError: QueuePool limit of size 8 overflow 4 reached, connection"
    " timed out, timeout 15.00",
    "http_timeout": "httpx.ReadTimeout: (POST https://{host}{path})",
    "http_5xx": "httpx.HTTPStatusError: Server error '{status}' for url 'https://{host}{path}'",
    "not_found": "sqlalchemy.exc.NoResultFound: No row was found when one was required"
    " | {thing}_id={id}",
    "dns": "httpx.ConnectError: [Errno -3] Temporary failure in name resolution ({host})",
    "boot": "app.main:lifespan:40 - {service} {version} ready",
    "stop": "app.main:lifespan:52 - shutting down",
    "null": "AttributeError: 'NoneType' object has no attribute '{field}'",
    "full": "OSError: [Errno 28] No space left on device",
    "job_timeout": "sqlalchemy.exc.OperationalError: (psycopg.OperationalError) consuming input"
    " failed: could not receive data from server: Connection timed out",
}
