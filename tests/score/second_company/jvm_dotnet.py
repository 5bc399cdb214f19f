"""Kotlin (Ktor, Exposed), Spring with a German PostgreSQL, and C# (ASP.NET, MassTransit)."""

from __future__ import annotations

from tests.score.wording import Style

KTOR: Style = {
    "begin": "[eventLoopGroupProxy-4] ktor.application - {method} {path} requestId={rid}",
    "end": "[eventLoopGroupProxy-4] ktor.application - {status}: {method} - {path} in {ms}ms"
    " requestId={rid}",
    "wrote": "[DefaultDispatcher-worker-3] {Thing}Repository - insert {thing}Id={id}"
    " requestId={rid}",
    "pushed": "[DefaultDispatcher-worker-3] SqsPublisher - sent {job} messageId={jid}"
    " {thing}Id={id} requestId={rid}",
    "started": "[sqs-poller-1] {job} - handling messageId={jid} {thing}Id={id}",
    "done": "[sqs-poller-1] {job} - handled messageId={jid} {thing}Id={id} durationMs={ms}",
    "failed": "[sqs-poller-1] {job} - handling failed messageId={jid} {thing}Id={id} {error}␊"
    "\tat com.kontor.jobs.Handler$run$2.invokeSuspend(Handler.kt:61)",
    "push_failed": "[DefaultDispatcher-worker-3] SqsPublisher - send of {job} failed"
    " requestId={rid} {error}",
    "request_failed": "[eventLoopGroupProxy-4] ktor.application - Unhandled: {path} requestId={rid}"
    " {error}",
    "timeout": "aws.smithy.kotlin.runtime.http.HttpException: HttpErrorCode(CONNECT_TIMEOUT) for"
    " {host}:{port}",
    "refused": "java.net.ConnectException: Failed to connect to {host}:{port}",
    "closed": "java.io.IOException: unexpected end of stream on https://{host}/...",
    "db_closed": "org.jetbrains.exposed.exceptions.ExposedSQLException: PSQLException: This"
    " connection has been closed.",
    "db_timeout": "org.postgresql.util.PSQLException: Connection to {host}:{port} refused. Check"
    " that the hostname and port are correct and that the postmaster is accepting TCP/IP"
    " connections.",
    "sql": "org.jetbrains.exposed.exceptions.ExposedSQLException: PSQLException: ERROR: {message}",
    "pool": "java.sql.SQLTransientConnectionException: main-pool - Connection is not available,"
    " request timed out after 5001ms (total=16, active=16, idle=0, waiting={n})",
    "http_timeout": "io.ktor.client.plugins.HttpRequestTimeoutException: Request timeout has"
    " expired [url=https://{host}{path}, request_timeout=8000 ms]",
    "http_5xx": "io.ktor.client.plugins.ServerResponseException: Server error(GET"
    " https://{host}{path}: {status}.",
    "http_4xx": "io.ktor.client.plugins.ClientRequestException: Client request(POST"
    " https://{host}{path}) invalid: {status}.",
    "not_found": "java.util.NoSuchElementException: {Thing} {id} does not exist {thing}Id={id}",
    "dns": "java.net.UnknownHostException: {host}: Name or service not known",
    "tls": "javax.net.ssl.SSLHandshakeException: PKIX path validation failed:"
    " java.security.cert.CertPathValidatorException: validity check failed (https://{host}{path})",
    "arguments": "kotlinx.serialization.MissingFieldException: Field '{field}' is required for type"
    " with serial name 'com.kontor.jobs.Payload', but it was missing",
    "boot": "[main] ktor.application - Responding at http://0.0.0.0:8080 {service} {version}",
    "stop": "[KtorShutdownHook] ktor.application - Application stopping",
    "null": "java.lang.NullPointerException: {field} must not be null",
    "full": "java.nio.file.FileSystemException: /data/out: No space left on device",
}
SPRING_GERMAN: Style = {
    "begin": "[http-nio-8080-exec-7] d.k.web.Protokoll : Anfrage {method} {path} trace_id={rid}",
    "end": "[http-nio-8080-exec-7] d.k.web.Protokoll : Antwort {status} für {method} {path} nach"
    " {ms} ms trace_id={rid}",
    "wrote": "[http-nio-8080-exec-7] d.k.{thing}.Ablage : angelegt {thing}_id={id} trace_id={rid}",
    "pushed": "[http-nio-8080-exec-7] d.k.auftrag.Sender : {job} gesendet job_id={jid}"
    " {thing}_id={id} trace_id={rid}",
    "started": "[container-0-C-1] d.k.auftrag.Empfaenger : {job} begonnen job_id={jid}"
    " {thing}_id={id}",
    "done": "[container-0-C-1] d.k.auftrag.Empfaenger : {job} erledigt job_id={jid} {thing}_id={id}"
    " dauer={ms}ms",
    "failed": "[container-0-C-1] d.k.auftrag.Empfaenger : {job} gescheitert job_id={jid}"
    " {thing}_id={id} org.springframework.amqp.rabbit.support.ListenerExecutionFailedException:"
    " Listener threw exception␊Caused by: {error}",
    "push_failed": "[http-nio-8080-exec-7] d.k.auftrag.Sender : {job} konnte nicht gesendet werden"
    " trace_id={rid} {error}",
    "request_failed": "[http-nio-8080-exec-7] d.k.web.Fehler : Servlet.service() für {path}"
    " abgebrochen trace_id={rid} {error}",
    "timeout": "org.springframework.amqp.AmqpTimeoutException: "
    "java.util.concurrent.TimeoutException ({host}:{port})",
    "refused": "org.springframework.amqp.AmqpConnectException: java.net.ConnectException:"
    " Verbindungsaufbau abgelehnt ({host}:{port})",
    "closed": "org.springframework.amqp.AmqpIOException: java.net.SocketException: Connection reset"
    " ({host}:{port})",
    "db_closed": "org.postgresql.util.PSQLException: Eingabe/Ausgabe-Fehler beim Senden an das"
    " Backend.",
    "db_timeout": "org.postgresql.util.PSQLException: Verbindung zu {host}:{port} verweigert."
    " Überprüfen Sie die Korrektheit von Hostnamen und der Portnummer und dass der Datenbankserver"
    " TCP/IP-Verbindungen annimmt.",
    "sql": "org.postgresql.util.PSQLException: FEHLER: {message}",
    "pool": "java.sql.SQLTransientConnectionException: kontorPool - Connection is not available,"
    " request timed out after 20000ms (total=12, active=12, idle=0, waiting={n})",
    "http_timeout": "org.springframework.web.client.ResourceAccessException: I/O error on POST"
    ' request for "https://{host}{path}": Read timed out',
    "http_5xx": "org.springframework.web.client.HttpServerErrorException: {status} :"
    " https://{host}{path}",
    "http_4xx": "org.springframework.web.client.HttpClientErrorException: {status} :"
    " https://{host}{path}",
    "not_found": "de.kontor.NichtGefunden: {Thing} {id} ist nicht vorhanden {thing}_id={id}",
    "dns": "java.net.UnknownHostException: {host}: Der Name oder der Dienst ist nicht bekannt",
    "tls": "org.springframework.web.client.ResourceAccessException: I/O error on POST request for"
    ' "https://{host}{path}": java.security.cert.CertificateExpiredException: NotAfter',
    "arguments": "com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException: Unrecognized"
    ' field "{field}" (class de.kontor.Auftrag), not marked as ignorable',
    "boot": "[main] d.k.Anwendung : Started {service} in 9.114 seconds, version {version}",
    "stop": "[SpringApplicationShutdownHook] o.s.b.w.e.tomcat.GracefulShutdown : Commencing"
    " graceful shutdown. Waiting for active requests to complete",
    "null": 'java.lang.NullPointerException: Cannot invoke "{field}.betrag()" because the return'
    " value is null",
    "full": "java.io.IOException: Auf dem Gerät ist kein Speicherplatz mehr verfügbar",
}
MASSTRANSIT: Style = {
    "begin": 'HTTP "{method}" "{path}" starting RequestId={rid}',
    "end": 'HTTP "{method}" "{path}" responded {status} in {ms}.2190 ms RequestId={rid}',
    "wrote": "{Thing} persisted {Thing}Id={id} RequestId={rid}",
    "pushed": "SEND rabbitmq://bus/{job} JobId={jid} {Thing}Id={id} RequestId={rid}",
    "started": "CONSUME rabbitmq://bus/{job} JobId={jid} {Thing}Id={id}",
    "done": "RECEIVE rabbitmq://bus/{job} JobId={jid} {Thing}Id={id} Contracts.{job}"
    " Consumers.{job}Consumer({ms} ms)",
    "failed": "R-FAULT rabbitmq://bus/{job} JobId={jid} {Thing}Id={id} Contracts.{job}"
    " Consumers.{job}Consumer {error}",
    "push_failed": "Send failed: rabbitmq://bus/{job} RequestId={rid} {error}",
    "request_failed": 'HTTP "POST" "{path}" faulted RequestId={rid} {error}',
    "timeout": "MassTransit.RabbitMqConnectionException: Operation timed out:"
    " rabbitmq://{host}:{port}/",
    "refused": "RabbitMQ.Client.Exceptions.BrokerUnreachableException: None of the specified"
    " endpoints were reachable ({host}:{port})",
    "closed": "RabbitMQ.Client.Exceptions.AlreadyClosedException: Already closed: The AMQP"
    " operation was interrupted: close-reason, initiated by Library, code=541 ({host}:{port})",
    "db_closed": "Npgsql.NpgsqlException (0x80004005): Exception while writing to stream",
    "db_timeout": "Npgsql.NpgsqlException (0x80004005): Failed to connect to {host}:{port}␊ --->"
    " System.TimeoutException: The operation has timed out.",
    "sql": "Npgsql.PostgresException (0x80004005): {message}",
    "pool": "System.InvalidOperationException: Timeout expired. The timeout period elapsed prior to"
    " obtaining a connection from the pool. This may have occurred because all pooled connections"
    " were in use and max pool size was reached.",
    "http_timeout": "Polly.Timeout.TimeoutRejectedException: The operation didn't complete within"
    " the allowed timeout of '00:00:10'. https://{host}{path}",
    "http_5xx": "Refit.ApiException: Response status code does not indicate success: {status}"
    " https://{host}{path}",
    "http_4xx": "Refit.ApiException: Response status code does not indicate success: {status}"
    " https://{host}{path}",
    "not_found": "Contracts.EntityMissingException: {Thing} {id} was not found {Thing}Id={id}",
    "dns": "System.Net.Sockets.SocketException (00000001, 11): Resource temporarily unavailable"
    " ({host}:443)",
    "tls": "System.Security.Authentication.AuthenticationException: The remote certificate is"
    " invalid because of errors in the certificate chain: NotTimeValid (https://{host}{path})",
    "arguments": "System.Text.Json.JsonException: JSON deserialization for type 'Contracts.Payload'"
    " was missing required properties, including: '{field}'.",
    "boot": "Now listening on: http://[::]:8080 {service} {version}",
    "stop": "Bus stopping: rabbitmq://bus/",
    "null": "System.ArgumentNullException: Value cannot be null. (Parameter '{field}')",
    "full": "System.IO.IOException: There is not enough space on the disk. : '/data/out'",
}
