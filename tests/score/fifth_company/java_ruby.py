"""How a Quarkus, a Pekko and a Rails service word what happens to them.

Bodies as the file connector leaves them: without the stamp and the level, which `HEADS` writes.
`note` carries whatever else a service says of its own work.
"""

from __future__ import annotations

from tests.score.wording import Style

_QUARKUS_HTTP = "[io.quarkus.http.access-log] (executor-thread-7)"
_QUARKUS_SAID = "[no.vik.{thing}.{Thing}Service] (executor-thread-7)"
_QUARKUS_WORK = "[no.vik.work.Consumer] (vert.x-worker-thread-3)"
QUARKUS: Style = {
    "begin": "[no.vik.web.RequestFilter] (vert.x-eventloop-thread-2) {method} {path} accepted"
    " requestId={rid}",
    "end": _QUARKUS_HTTP + ' "{method} {path} HTTP/2.0" {status} - {ms}ms requestId={rid}',
    "wrote": _QUARKUS_SAID + " persisted {Thing} {thing}Id={id} requestId={rid}",
    "pushed": _QUARKUS_SAID
    + " sent {job} messageId={jid} {thing}Id={id} requestId={rid} after commit",
    "started": _QUARKUS_WORK + " {job} taken messageId={jid} {thing}Id={id}",
    "done": _QUARKUS_WORK + " {job} acknowledged after {ms} ms messageId={jid} {thing}Id={id}",
    "failed": _QUARKUS_WORK + " {job} nacked messageId={jid} {thing}Id={id}: {error}",
    "push_failed": _QUARKUS_SAID + " SRMSG17020: {job} could not be sent requestId={rid}: {error}",
    "request_failed": "[io.qua.ver.htt.run.QuarkusErrorHandler] (executor-thread-7) HTTP Request"
    " to {path} failed, requestId={rid}: {error}",
    "timeout": "io.vertx.core.impl.NoStackTraceThrowable: Timed out waiting for a publisher"
    " confirmation from {host}:{port}",
    "refused": "io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused:"
    " {host}/10.64.12.9:{port}",
    "closed": "io.vertx.core.http.HttpClosedException: Connection was closed ({host}:{port})",
    "db_closed": "io.vertx.pgclient.impl.ClosedConnectionException: Failed to read any response"
    " from the server, the underlying connection might get lost unexpectedly.",
    "sql": "org.hibernate.exception.GenericJDBCException: could not execute statement"
    " [ERROR: {message}]",
    "pool": "java.sql.SQLException: Acquisition timeout while waiting for new connection"
    " (agroal, max-size=16, awaiting={n})",
    "http_timeout": "jakarta.ws.rs.ProcessingException: The timeout period of 2500ms has been"
    " exceeded while executing POST {path} for server {host}:443",
    "http_5xx": "org.jboss.resteasy.reactive.ClientWebApplicationException: Received: 'status code"
    " {status}' when invoking REST Client method against https://{host}{path}",
    "not_found": "jakarta.persistence.NoResultException: No {Thing} for id {id}",
    "dns": "java.net.UnknownHostException: Failed to resolve '{host}' [A(1)] and search domain"
    " query for configured domains failed as well",
    "boot": "[io.quarkus] (main) {service} {version} on JVM (powered by Quarkus 3.17.4) started in"
    " 2.914s.",
    "stop": "[io.quarkus] (Shutdown thread) stopped in 0.087s",
    "null": 'java.lang.NullPointerException: Cannot invoke "java.lang.Integer.intValue()" because'
    ' "{field}" is null',
    "full": "java.nio.file.FileSystemException: /var/spool/out: No space left on device",
    "note": "[no.vik.{thing}.{Thing}Service] (executor-thread-11) {words}",
}
_PEKKO = "[vik-pekko.actor.default-dispatcher-9]"
PEKKO: Style = {
    "begin": _PEKKO + " n.v.http.Routes - --> {method} {path} traceId={rid}",
    "end": _PEKKO + " n.v.http.Routes - <-- {method} {path} {status} in {ms} ms traceId={rid}",
    "wrote": _PEKKO + " n.v.{thing}.{Thing}Repo - insert ok {thing}Id={id} traceId={rid}",
    "pushed": _PEKKO + " n.v.amqp.Publisher - confirmed {job} messageId={jid} {thing}Id={id}"
    " traceId={rid}",
    "started": _PEKKO + " n.v.amqp.Subscriber - handling {job} messageId={jid} {thing}Id={id}",
    "done": _PEKKO + " n.v.amqp.Subscriber - ack {job} messageId={jid} {thing}Id={id} took={ms}ms",
    "failed": _PEKKO + " n.v.amqp.Subscriber - {job} failed messageId={jid} {thing}Id={id} {error}",
    "push_failed": _PEKKO + " n.v.amqp.Publisher - {job} not confirmed traceId={rid} {error}",
    "request_failed": _PEKKO + " o.a.p.http.scaladsl.HttpExt - Error during processing of request:"
    " {method} {path} traceId={rid} {error}. Completing with 500 Internal Server Error response.",
    "timeout": "java.util.concurrent.TimeoutException: no confirmation from {host}:{port} within"
    " 4000 milliseconds",
    "refused": "org.apache.pekko.stream.StreamTcpException: Tcp command [Connect({host}:{port})]"
    " failed because of java.net.ConnectException: Connection refused",
    "closed": "org.apache.pekko.http.impl.engine.HttpConnectionIdleTimeoutException: The connection"
    " to {host}:{port} closed with error: Connection reset by peer",
    "db_closed": "slick.SlickException: the backend connection to the database was closed:"
    " This connection has been closed.",
    "sql": "slick.jdbc.JdbcActionFailed: FATAL or ERROR of the statement: {message}",
    "pool": "java.util.concurrent.RejectedExecutionException: Task slick.basic.BasicBackend"
    " rejected from slick.util.AsyncExecutor [pool size = 20, active threads = 20, queued tasks ="
    " 1000, waiting = {n}]",
    "http_timeout": "org.apache.pekko.http.scaladsl.model.RequestTimeoutException: The response to"
    " POST https://{host}{path} was not received within 3 seconds",
    "http_5xx": "no.vik.http.UnexpectedStatus: https://{host}{path} answered {status}",
    "not_found": "java.util.NoSuchElementException: {Thing} {id} does not exist",
    "dns": "java.net.UnknownHostException: {host}: Temporary failure in name resolution",
    "boot": _PEKKO + " n.v.Main - {service} {version} bound to 0.0.0.0:8080, {n} shards ready",
    "stop": "[vik-pekko.actor.internal-dispatcher-3] o.a.p.actor.CoordinatedShutdown - Running"
    " CoordinatedShutdown with reason [ProcessTerminateReason]",
    "null": "java.util.NoSuchElementException: None.get ({field})",
    "full": "java.io.IOException: write failed: No space left on device",
    "note": _PEKKO + " n.v.{thing}.{Thing}Flow - {words}",
}
_TAG = "[request_id={rid}]"
_JOB = "[ActiveJob] [{job}] [{jid}]"
RAILS: Style = {
    "begin": _TAG + ' Started {method} "{path}" for 10.64.3.18',
    "end": _TAG + " method={method} path={path} format=json controller={Thing}sController"
    " status={status} duration={ms}.41 request_id={rid}",
    "wrote": _TAG + " {Thing} Create (1.9ms) {thing}_id={id}",
    "pushed": _TAG + " [ActiveJob] Enqueued {job} (Job ID: {jid}) to SolidQueue with arguments:"
    " gid://vik/{Thing}/{id}",
    "started": _JOB + " Performing {job} (Job ID: {jid}) from SolidQueue with arguments:"
    " gid://vik/{Thing}/{id}",
    "done": _JOB + " Performed {job} (Job ID: {jid}) from SolidQueue in {ms}.02ms {thing}_id={id}",
    "failed": _JOB + " Error performing {job} (Job ID: {jid}) from SolidQueue {thing}_id={id}:"
    " {error}",
    "push_failed": _TAG + " [ActiveJob] Failed enqueuing {job} to SolidQueue: {error}",
    "request_failed": _TAG + " {error} in {method} {path} request_id={rid}",
    "timeout": "ActiveRecord::ConnectionFailed: PG::ConnectionBad: PQconsumeInput() SSL SYSCALL"
    " error: Connection timed out ({host}:{port})",
    "refused": 'ActiveRecord::ConnectionNotEstablished: connection to server at "{host}", port'
    " {port} failed: Connection refused",
    "closed": "Errno::ECONNRESET: Connection reset by peer - SSL_connect ({host}:{port})",
    "db_closed": "ActiveRecord::ConnectionFailed: PG::ConnectionBad: PQconsumeInput() server closed"
    " the connection unexpectedly",
    "sql": "ActiveRecord::StatementInvalid: PG::Error: ERROR:  {message}",
    "pool": "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool"
    " within 5.000 seconds (waited 5.003 seconds); all pooled connections were in use ({n})",
    "http_timeout": "Faraday::TimeoutError: Net::ReadTimeout with #<TCPSocket:({host})> on {path}",
    "http_5xx": "Faraday::ServerError: the server responded with status {status} for POST"
    " https://{host}{path}",
    "not_found": "ActiveRecord::RecordNotFound: Couldn't find {Thing} with 'id'={id}",
    "dns": "Socket::ResolutionError: Failed to open TCP connection to {host}:443 (getaddrinfo(3)"
    ": Temporary failure in name resolution)",
    "boot": "=> Rails 8.0.1 application starting in production: {service} {version} (threads: {n})",
    "stop": "- Gracefully stopping, waiting for requests to finish",
    "null": "NoMethodError: undefined method '{field}' for nil",
    "full": "Errno::ENOSPC: No space left on device @ rb_sysopen - /srv/app/tmp/out.csv",
    "note": "[{Thing}Service] {words}",
}
HEADS = {
    "quarkus": "2026-02-03 01:02:{second:02d},417 {level:<5} {body}",
    "pekko": "2026-02-03T01:02:{second:02d}.417Z {level} {body}",
    "rails": "{level[0]}, [2026-02-03T01:02:{second:02d}.417002 #2217] {level:>5} -- : {body}",
}
"""A whole line of each, as its framework writes it to a file."""
LEVELS = {
    "quarkus": {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR"},
    "pekko": {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR"},
    "rails": {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR", 21: "FATAL"},
}
