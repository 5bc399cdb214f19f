"""OCaml with Logs and Caqti; Haskell with fast-logger, http-client and postgresql-simple."""

from __future__ import annotations

from tests.score.wording import Style

OCAML: Style = {
    "begin": "[http] {method} {path} request_id={rid}",
    "end": "[http] {status} {method} {path} in {ms}000 us request_id={rid}",
    "wrote": "[{thing}] stored {thing}_id={id} request_id={rid}",
    "pushed": "[amqp] published {job} message_id={jid} {thing}_id={id} request_id={rid}",
    "started": "[consumer] got {job} message_id={jid} {thing}_id={id}",
    "done": "[consumer] ack {job} message_id={jid} {thing}_id={id} {ms}ms",
    "failed": "[consumer] nack {job} message_id={jid} {thing}_id={id}: {error}",
    "push_failed": "[amqp] publish of {job} failed request_id={rid}: {error}",
    "request_failed": "[http] Aborted by {error} request_id={rid} {method} {path}",
    "timeout": "Lwt_unix.Timeout waiting for {host}:{port}",
    "refused": 'Unix.Unix_error(Unix.ECONNREFUSED, "connect", "") {host}:{port}',
    "closed": 'Unix.Unix_error(Unix.ECONNRESET, "read", "") {host}:{port}',
    "db_closed": "Request to <postgresql://app:_@db/bottega> failed: server closed the connection"
    " unexpectedly",
    "sql": "Request to <postgresql://app:_@db/bottega> failed: {message} Query: (elided)",
    "pool": "Caqti_lwt: pool: no connection within 30. s, {n} waiters, 12 of 12 in use",
    "http_timeout": "Cohttp_lwt: timeout on GET https://{host}{path}",
    "http_5xx": "Upstream_error({status}, https://{host}{path})",
    "not_found": 'Not_found ({thing} "{id}")',
    "dns": 'Failure("resolution failed: {host}") Unix.EAI_AGAIN',
    "boot": "[main] {service} {version} running on http://0.0.0.0:8080 ({n} domains)",
    "stop": "[main] caught SIGTERM, draining",
    "null": 'Invalid_argument("option is None") in field {field}',
    "full": 'Unix.Unix_error(Unix.ENOSPC, "write", "")',
}
HASKELL: Style = {
    "begin": "[Kupiec.Web] {method} {path} request_id={rid}",
    "end": "[Kupiec.Web] {method} {path} => {status} ({ms}ms) request_id={rid}",
    "wrote": "[Kupiec.Db.{Thing}] insert {thing}_id={id} request_id={rid}",
    "pushed": "[Kupiec.Queue] sendMessage {job} message_id={jid} {thing}_id={id} request_id={rid}",
    "started": "[Kupiec.Worker] receiveMessage {job} message_id={jid} {thing}_id={id}",
    "done": "[Kupiec.Worker] deleteMessage {job} message_id={jid} {thing}_id={id} took {ms}ms",
    "failed": "[Kupiec.Worker] {job} threw {error} message_id={jid} {thing}_id={id}",
    "push_failed": "[Kupiec.Queue] sendMessage {job} threw {error} request_id={rid}",
    "request_failed": "[Kupiec.Web] Uncaught exception in {method} {path}: {error}"
    " request_id={rid}",
    "timeout": 'HttpExceptionRequest Request {{ host = "{host}" port = {port} }} ConnectionTimeout',
    "refused": "Network.Socket.connect: <socket: {n}>: does not exist (Connection refused) {host}:"
    "{port}",
    "closed": "Network.Socket.recvBuf: resource vanished (Connection reset by peer) {host}:{port}",
    "db_closed": "libpq: failed (no connection to the server)",
    "sql": 'SqlError {{sqlState = "", sqlExecStatus = FatalError, sqlErrorMsg = "{message}"}}',
    "pool": "AcquisitionTimeoutUsageError (hasql-pool: 10 of 10 connections in use, {n} waiting)",
    "http_timeout": 'HttpExceptionRequest Request {{ host = "{host}" path = "{path}" }}'
    " ResponseTimeout",
    "http_5xx": 'HttpExceptionRequest Request {{ host = "{host}" path = "{path}" }}'
    ' (StatusCodeException (Response {{responseStatus = Status {{statusCode = {status}}}}}) "")',
    "not_found": "{Thing}NotFound ({Thing}Id {id})",
    "dns": "Network.Socket.getAddrInfo (called with preferred socket type/protocol: AddrInfo"
    ' {{addrSocketType = Stream}}, host name: Just "{host}", service name: Just "443"): does not'
    " exist (Temporary failure in name resolution)",
    "boot": "[Kupiec.Main] {service} rev {version} listening on 8080, {n} capabilities",
    "stop": "[Kupiec.Main] async exception: user interrupt, waiting for handlers",
    "null": "Maybe.fromJust: Nothing (CallStack: {field}, called at src/Kupiec/Api.hs:214:17)",
    "full": "/srv/spool/out.tmp: hPutBuf: resource exhausted (No space left on device)",
}
