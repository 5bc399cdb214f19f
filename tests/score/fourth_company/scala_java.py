"""Scala with Akka and logback; Java's own java.util.logging in Italian, two lines a record.

A phrase of the latter is `class method␊message`; the level's word goes between the two.
"""

from __future__ import annotations

from tests.score.wording import Style

AKKA: Style = {
    "begin": "[bottega-akka.actor.default-dispatcher-7] i.b.http.Routes - {method} {path}"
    " requestId={rid}",
    "end": "[bottega-akka.actor.default-dispatcher-9] i.b.http.Routes - {method} {path} completed"
    " with {status} in {ms}ms requestId={rid}",
    "wrote": "[bottega-db-3] i.b.{thing}.{Thing}Repository - inserted {thing}Id={id}"
    " requestId={rid}",
    "pushed": "[bottega-akka.actor.default-dispatcher-4] i.b.queue.Producer - sent {job}"
    " messageId={jid} {thing}Id={id} requestId={rid}",
    "started": "[bottega-akka.actor.default-dispatcher-12] i.b.queue.ConsumerActor - processing"
    " {job} messageId={jid} {thing}Id={id}",
    "done": "[bottega-akka.actor.default-dispatcher-12] i.b.queue.ConsumerActor - acked {job}"
    " messageId={jid} {thing}Id={id} after {ms}ms",
    "failed": "[bottega-akka.actor.internal-dispatcher-2] i.b.queue.ConsumerActor - {error} while"
    " processing {job} messageId={jid} {thing}Id={id}",
    "push_failed": "[bottega-akka.actor.default-dispatcher-4] i.b.queue.Producer - sending {job}"
    " failed requestId={rid}␊{error}",
    "request_failed": "[bottega-akka.actor.default-dispatcher-8] akka.actor.ActorSystemImpl - "
    "Error during processing of request: '{error}'. Completing with 500 Internal Server Error "
    "response. requestId={rid} {method} {path}",
    "timeout": "akka.stream.StreamTcpException: Tcp command [Connect({host}:{port})] failed because"
    " of akka.io.TcpOutgoingConnection$$anon$2: Connect timeout of Some(10 seconds) expired",
    "refused": "akka.stream.StreamTcpException: Tcp command [Connect({host}:{port})] failed because"
    " of java.net.ConnectException: Connection refused",
    "closed": "akka.http.impl.engine.client.OutgoingConnectionBlueprint$UnexpectedConnectionClosure"
    "Exception: The http server closed the connection unexpectedly ({host}:{port})",
    "db_closed": "org.postgresql.util.PSQLException: This connection has been closed.",
    "sql": "org.postgresql.util.PSQLException: {message}",
    "pool": "java.util.concurrent.RejectedExecutionException: Task slick.basic.BasicBackend$$anon$3"
    " rejected from slick.util.AsyncExecutor$$anon$1[Running, pool size = 20, active threads = 20,"
    " queued tasks = 1000]",
    "http_timeout": "akka.http.scaladsl.model.StreamTimeoutException: no response from"
    " https://{host}{path} within 20 seconds",
    "http_5xx": "i.b.client.UnexpectedStatus: {status} from https://{host}{path}",
    "not_found": "java.util.NoSuchElementException: {thing} {id} not found",
    "dns": "akka.stream.StreamTcpException: Tcp command [Connect({host}:443)] failed because of"
    " java.net.UnknownHostException: {host}",
    "boot": "[main] i.b.Boot$ - {service} bound to /0:0:0:0:0:0:0:0:8080, build {version}, {n}"
    " shards",
    "stop": "[CoordinatedShutdown-akka.actor.default-dispatcher-5] akka.actor.CoordinatedShutdown -"
    " Running CoordinatedShutdown with reason [JvmExitReason]",
    "null": 'java.lang.NullPointerException: Cannot invoke "scala.Option.isEmpty()"'
    ' because "{field}" is null',
    "full": "java.nio.file.FileSystemException: /data/spool: No space left on device",
}
JUL: Style = {
    "begin": "it.bottega.web.FiltroAccessi doFilter␊ricevuta {method} {path} requestId={rid}",
    "end": "it.bottega.web.FiltroAccessi doFilter␊risposta {status} a {method} {path} in {ms} ms"
    " requestId={rid}",
    "wrote": "it.bottega.{thing}.Archivio salva␊registrato {thing}Id={id} requestId={rid}",
    "pushed": "it.bottega.coda.Mittente invia␊inviato {job} messageId={jid} {thing}Id={id}"
    " requestId={rid}",
    "started": "it.bottega.coda.Ricevitore elabora␊inizio {job} messageId={jid} {thing}Id={id}",
    "done": "it.bottega.coda.Ricevitore elabora␊fine {job} messageId={jid} {thing}Id={id} in {ms}"
    " ms",
    "failed": "it.bottega.coda.Ricevitore elabora␊errore in {job} messageId={jid} {thing}Id={id}␊"
    "{error}",
    "push_failed": "it.bottega.coda.Mittente invia␊invio di {job} non riuscito requestId={rid}␊"
    "{error}",
    "request_failed": "org.apache.catalina.core.StandardWrapperValve invoke␊Servlet.service() for"
    " servlet [api] in context with path [] threw exception {method} {path} requestId={rid}␊"
    "{error}",
    "timeout": "java.net.SocketTimeoutException: Connect timed out ({host}:{port})",
    "refused": "java.net.ConnectException: Connessione rifiutata ({host}:{port})",
    "closed": "java.net.SocketException: Connessione interrotta dal corrispondente ({host}:{port})",
    "db_closed": "java.sql.SQLNonTransientConnectionException: No operations allowed after"
    " connection closed.",
    "sql": "java.sql.SQLException: {message}",
    "pool": "org.apache.tomcat.jdbc.pool.PoolExhaustedException: [http-nio-8080-exec-{n}] Timeout:"
    " Pool empty. Unable to fetch a connection in 30 seconds, none available[size:50; busy:50;"
    " idle:0; lastwait:30000].",
    "http_timeout": "java.net.http.HttpTimeoutException: request timed out https://{host}{path}",
    "http_5xx": "jakarta.ws.rs.ServerErrorException: HTTP {status} da https://{host}{path}",
    "not_found": "jakarta.ws.rs.NotFoundException: {thing} {id} inesistente",
    "dns": "java.net.UnknownHostException: {host}: Nome o servizio sconosciuto",
    "boot": "org.apache.catalina.startup.Catalina start␊Server startup in [{n}412] milliseconds"
    " {service} {version}",
    "stop": 'org.apache.coyote.AbstractProtocol pause␊Pausing ProtocolHandler ["http-nio-8080"]',
    "null": 'java.lang.NullPointerException: Cannot read field "{field}" because "<local4>" is'
    " null",
    "full": "java.io.IOException: Spazio esaurito sul dispositivo",
}
