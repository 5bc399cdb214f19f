"""Java with Log4j2, C++ with spdlog and Swift with Vapor: what their services write.

Words only, one dictionary a language with the phrases that every language of the generator has.
"""

from __future__ import annotations

from tests.score.wording import Style

LOG4J2: Style = {
    "begin": "c.h.e.AccessFilter {{requestId={rid}}} - > {method} {path}",
    "end": "c.h.e.AccessFilter {{requestId={rid}}} - < {status} {method} {path} [{ms}ms]",
    "wrote": "c.h.d.Jdbc{Thing}Store {{requestId={rid}}} - stored {thing}Id={id} in {ms}ms",
    "pushed": "c.h.m.Outbound {{requestId={rid}}} - published {job} messageId={jid} {thing}Id={id}",
    "started": "c.h.m.{Thing}Listener {{messageId={jid}}} - received {job} {thing}Id={id}",
    "done": "c.h.m.{Thing}Listener {{messageId={jid}}} - handled {job} {thing}Id={id} in {ms}ms",
    "failed": "c.h.m.{Thing}Listener {{messageId={jid}}} - {job} failed {thing}Id={id}: {error}",
    "push_failed": "c.h.m.Outbound {{requestId={rid}}} - {job} not published: {error}",
    "request_failed": "c.h.e.FaultMapper {{requestId={rid}}} - {method} {path} ended in {error}",
    "timeout": "java.util.concurrent.TimeoutException: no answer from {host}:{port} within 4000 ms",
    "refused": "java.net.ConnectException: Connection refused (Connection refused) [{host}:{port}]",
    "closed": "java.net.SocketException: Broken pipe (Write failed) [{host}:{port}]",
    "db_closed": "org.postgresql.util.PSQLException: This connection has been closed.",
    "db_closed_maria": "java.sql.SQLNonTransientConnectionException: (conn=8841) Connection reset",
    "sql": "org.postgresql.util.PSQLException: ERROR: {message}",
    "sql_maria": "java.sql.SQLException: (conn=8841) {message}",
    "pool": "java.sql.SQLTransientConnectionException: main-pool - Connection is not available,"
    " request timed out after 5003ms (total=24, active=24, idle=0, waiting={n})",
    "http_timeout": "java.net.http.HttpTimeoutException: request timed out POST"
    " https://{host}{path}",
    "http_5xx": "jakarta.ws.rs.ServerErrorException: HTTP {status} from POST https://{host}{path}",
    "not_found": "jakarta.persistence.NoResultException: no {thing} with {thing}Id={id}",
    "dns": "java.net.UnknownHostException: {host}: Name or service not known",
    "tls": "javax.net.ssl.SSLHandshakeException: PKIX path validation failed:"
    " java.security.cert.CertPathValidatorException: validity check failed ({host}:{port})",
    "boot": "c.h.Main - {service} {version} started in 6204ms (listening on 8080)",
    "stop": "c.h.Main - shutdown hook: draining for up to 20s",
    "null": 'java.lang.NullPointerException: Cannot invoke "Object.toString()" because'
    ' "{field}" is null',
    "full": "java.nio.file.FileSystemException: /var/spool/out: No space left on device",
}
SPDLOG: Style = {
    "begin": "[http] accepted {method} {path} request_id={rid}",
    "end": "[http] answered {method} {path} {status} {ms}ms request_id={rid}",
    "wrote": "[store] {thing} written {thing}_id={id} request_id={rid} us={ms}000",
    "pushed": "[mq] sent {job} message_id={jid} {thing}_id={id} request_id={rid}",
    "started": "[mq] begin {job} message_id={jid} {thing}_id={id}",
    "done": "[mq] end {job} message_id={jid} {thing}_id={id} {ms}ms",
    "failed": "[mq] abandoned {job} message_id={jid} {thing}_id={id}: {error}",
    "push_failed": "[mq] cannot send {job} request_id={rid}: {error}",
    "request_failed": "[http] {method} {path} request_id={rid} threw {error}",
    "timeout": "boost::system::system_error: Operation timed out [{host}:{port}]",
    "refused": "boost::system::system_error: connect: Connection refused [{host}:{port}]",
    "closed": "boost::system::system_error: End of file [{host}:{port}]",
    "db_closed": "pqxx::broken_connection: server closed the connection unexpectedly",
    "db_closed_maria": "sql::SQLException: Lost connection to server during query",
    "sql": "pqxx::sql_error: ERROR:  {message}",
    "sql_maria": "sql::SQLException: {message}",
    "pool": "connection_pool: none of 16 free after 3000ms, {n} callers wait",
    "http_timeout": "curl: (28) Operation timed out after 8001 milliseconds with 0 bytes received"
    " https://{host}{path}",
    "http_5xx": "curl: (22) The requested URL returned error: {status} https://{host}{path}",
    "not_found": "std::out_of_range: {thing} not in store {thing}_id={id}",
    "dns": "boost::system::system_error: resolve: Host not found (non-authoritative), try again"
    " later [{host}]",
    "tls": "boost::system::system_error: certificate verify failed (SSL routines) [{host}:{port}]",
    "boot": "[main] {service} {version} up, 8 io threads",
    "stop": "[main] SIGTERM, closing acceptor",
    "null": "std::bad_optional_access: bad optional access ({field})",
    "full": "std::filesystem::filesystem_error: write: No space left on device [/var/spool/out]",
}
VAPOR: Style = {
    "begin": "{method} {path} [component: request, request-id: {rid}]",
    "end": "{status} {method} {path} [component: request, ms: {ms}, request-id: {rid}]",
    "wrote": "created {thing} [{thing}_id: {id}, request-id: {rid}]",
    "pushed": "Dispatched queue job [job_id: {jid}, job_name: {job}, request-id: {rid},"
    " {thing}_id: {id}]",
    "started": "Dequeuing job [job_id: {jid}, job_name: {job}, {thing}_id: {id}]",
    "done": "Job done [job_id: {jid}, job_name: {job}, ms: {ms}, {thing}_id: {id}]",
    "failed": "Job failed [job_id: {jid}, job_name: {job}, {thing}_id: {id}]: {error}",
    "push_failed": "Dispatch of {job} failed [request-id: {rid}]: {error}",
    "request_failed": "{error} [component: request, method: {method}, path: {path},"
    " request-id: {rid}]",
    "timeout": "NIOConnectionError(host: {host}, port: {port}, connectTimeout 10.0 seconds)",
    "refused": "NIOPosix.NIOConnectionError(host: {host}, port: {port}): connection refused"
    " (errno: 61)",
    "closed": "NIOCore.IOError: read(descriptor:pointer:size:): Connection reset by peer"
    " (errno: 54) {host}:{port}",
    "db_closed": "PSQLError(code: serverClosedConnection)",
    "db_closed_maria": "MySQLError: connection closed by peer",
    "sql": "PSQLError(code: server, serverInfo: [localizedSeverity: ERROR, message: {message}])",
    "sql_maria": "MySQLError: Server error: {message}",
    "pool": "AsyncKit.ConnectionPoolTimeoutError: Connection request (ID {n}) timed out. This might"
    " indicate a connection deadlock in your application.",
    "http_timeout": "HTTPClientError.deadlineExceeded https://{host}{path}",
    "http_5xx": "Abort.{status}: upstream answered {status} https://{host}{path}",
    "not_found": "Abort.404: {Thing} not found [{thing}_id: {id}]",
    "dns": "NIOConnectionError(host: {host}): getaddrinfo failed, nodename nor servname provided",
    "tls": "NIOSSL.BoringSSLError.sslError: CERTIFICATE_VERIFY_FAILED {host}:{port}",
    "boot": "Server started on http://0.0.0.0:8080 [service: {service}, version: {version}]",
    "stop": "Received SIGTERM, shutting down application",
    "null": "Fatal error: Unexpectedly found nil while unwrapping an Optional value ({field})",
    "full": "NIOCore.IOError: write(descriptor:pointer:size:): No space left on device (errno: 28)",
}
