"""Elixir (Phoenix, Ecto, Oban's own logger) and TypeScript (NestJS with pino, BullMQ)."""

from __future__ import annotations

from tests.score.wording import Style

PHOENIX: Style = {
    "begin": "request_id={rid} [info] {method} {path}",
    "end": "request_id={rid} [info] Sent {status} in {ms}ms ({method} {path})",
    "wrote": "request_id={rid} [info] {thing} recorded {thing}_id={id}",
    "pushed": "request_id={rid} [info] enqueued {job} job_id={jid} {thing}_id={id}",
    "started": '{{"args":{{"{thing}_id":"{id}"}},"attempt":1,"event":"job:start","job_id":{jid},'
    '"source":"oban","worker":"Kontor.{job}"}}',
    "done": '{{"args":{{"{thing}_id":"{id}"}},"duration":{ms}000,"event":"job:stop","job_id":{jid},'
    '"source":"oban","state":"success","worker":"Kontor.{job}"}}',
    "failed": '{{"args":{{"{thing}_id":"{id}"}},"error":"{error}","event":"job:exception",'
    '"job_id":{jid},"source":"oban","state":"failure","worker":"Kontor.{job}"}}',
    "push_failed": "request_id={rid} [error] Oban.insert of {job} failed: {error}",
    "request_failed": "request_id={rid} [error] #PID<0.4183.0> running KontorWeb.Endpoint (cowboy)"
    " terminated {path} {error}",
    "timeout": "** (DBConnection.ConnectionError) ssl recv (idle): timed out after 5000ms"
    " ({host}:{port})",
    "refused": "** (DBConnection.ConnectionError) tcp connect ({host}:{port}): connection refused -"
    " :econnrefused",
    "closed": "** (DBConnection.ConnectionError) ssl send: closed ({host}:{port})",
    "db_closed": "** (DBConnection.ConnectionError) ssl recv: closed",
    "db_timeout": "** (DBConnection.ConnectionError) tcp connect ({host}:{port}): timeout",
    "sql": "** (Postgrex.Error) {message}",
    "pool": "** (DBConnection.ConnectionError) connection not available and request was dropped"
    " from queue after 1998ms. You can configure how long requests wait in the queue using"
    " :queue_target and :queue_interval.",
    "http_timeout": "** (Finch.TransportError) timeout (https://{host}{path})",
    "http_5xx": "** (Tesla.Error) https://{host}{path} replied {status}",
    "http_4xx": "** (Tesla.Error) https://{host}{path} replied {status}",
    "not_found": "** (Ecto.NoResultsError) expected at least one result but got none in query:"
    " Kontor.{Thing} {thing}_id={id}",
    "dns": "** (Finch.TransportError) non-existing domain (:nxdomain) {host}",
    "tls": "TLS :client: In state :certify at ssl_handshake.erl:2177 generated CLIENT ALERT: Fatal"
    " - Certificate Expired (https://{host}{path})",
    "arguments": "** (FunctionClauseError) no function clause matching in perform/1, missing"
    " {field}",
    "boot": "[info] Running KontorWeb.Endpoint with cowboy 2.12.0 at :::4000 (http) {service}"
    " {version}",
    "stop": "[notice] SIGTERM received - shutting down",
    "null": "** (ArgumentError) could not fetch field {field} from nil",
    "full": "** (File.Error) could not stream: no space left on device",
}
NEST_PINO: Style = {
    "begin": "[HTTP] --> {method} {path} reqId={rid} requestId={rid}",
    "end": "[HTTP] <-- {method} {path} {status} +{ms}ms requestId={rid}",
    "wrote": "[{Thing}Service] persisted {thing}Id={id} requestId={rid}",
    "pushed": "[Producer] {job} added jobId={jid} {thing}Id={id} requestId={rid}",
    "started": "[{job}Processor] active jobId={jid} {thing}Id={id}",
    "done": "[{job}Processor] completed jobId={jid} {thing}Id={id} in {ms}ms",
    "failed": "[{job}Processor] failed jobId={jid} {thing}Id={id} {error}␊"
    "    at {job}Processor.process (/app/dist/processor.js:57:19)",
    "push_failed": "[Producer] add of {job} rejected requestId={rid} {error}",
    "request_failed": "[ExceptionsHandler] {path} requestId={rid} {error}",
    "timeout": "MaxRetriesPerRequestError: Reached the max retries per request limit (which is 3)."
    " {host}:{port}",
    "refused": "AggregateError [ECONNREFUSED]: {host}:{port}",
    "closed": "Error: Connection is closed. ({host}:{port})",
    "db_closed": "PrismaClientKnownRequestError P1017: Server has closed the connection.",
    "db_timeout": "PrismaClientInitializationError P1001: Can't reach database server at"
    " `{host}:{port}`",
    "sql": "PrismaClientUnknownRequestError: ConnectorError(QueryError(PostgresError {message}))",
    "pool": "PrismaClientKnownRequestError P2024: Timed out fetching a new connection from the"
    " connection pool. (Current connection pool timeout: 10, connection limit: 9)",
    "http_timeout": "HeadersTimeoutError: Headers Timeout Error (https://{host}{path})",
    "http_5xx": "HTTPError: Response code {status} (https://{host}{path})",
    "http_4xx": "HTTPError: Response code {status} (https://{host}{path})",
    "not_found": "NotFoundError P2025: No {Thing} found {thing}Id={id}",
    "dns": "Error: getaddrinfo ENOTFOUND {host}",
    "tls": "Error: certificate has expired CERT_HAS_EXPIRED (https://{host}{path})",
    "arguments": "ZodError: invalid_type expected string, received undefined at path {field}",
    "boot": "[NestApplication] Nest application successfully started {service} {version}",
    "stop": "[NestApplication] signal SIGTERM, closing",
    "null": "TypeError: Cannot destructure property '{field}' of undefined",
    "full": "Error: ENOSPC: no space left on device, open '/data/out'",
}
