"""How a Python service with loguru and a Node service with log4js word what happens to them.

Bodies as the file connector leaves them: without the stamp and the level, which `HEADS` writes.
`note` carries whatever else a service says of its own work.
"""

from __future__ import annotations

from tests.score.wording import Style

LOGURU: Style = {
    "begin": "vik.http.middleware:dispatch:41 - {method} {path} request_id={rid}",
    "end": "vik.http.middleware:dispatch:58 - {method} {path} {status} {ms}ms request_id={rid}",
    "wrote": "vik.{thing}.repo:add:77 - flushed {thing}_id={id} request_id={rid}",
    "pushed": "vik.{thing}.api:create:112 - deferred {job} job_id={jid} {thing}_id={id}"
    " request_id={rid}",
    "started": "procrastinate.worker:run_job:213 - Starting job {job}[{jid}]({thing}_id='{id}')"
    " job_id={jid}",
    "done": "procrastinate.worker:run_job:231 - Job {job}[{jid}]({thing}_id='{id}') ended with"
    " status: Success, lasted {ms} ms job_id={jid}",
    "failed": "procrastinate.worker:run_job:247 - Job {job}[{jid}]({thing}_id='{id}') ended with"
    " status: Error job_id={jid} {error}",
    "push_failed": "vik.{thing}.api:create:118 - could not defer {job} request_id={rid} {error}",
    "request_failed": "vik.http.errors:unhandled:29 - {method} {path} request_id={rid} {error}",
    "timeout": "TimeoutError: [Errno 110] connection to {host}:{port} timed out",
    "refused": "ConnectionRefusedError: [Errno 111] Connect call failed ('{host}', {port})",
    "closed": "httpx.RemoteProtocolError: Server disconnected without sending a response."
    " ({host}:{port})",
    "db_closed": "asyncpg.exceptions.ConnectionDoesNotExistError: connection was closed in the"
    " middle of operation",
    "sql": "sqlalchemy.exc.DBAPIError: (asyncpg.exceptions.PostgresError) {message}",
    "pool": "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow {n} reached,"
    " connection timed out, timeout 30.00",
    "http_timeout": "httpx.ReadTimeout: POST https://{host}{path}",
    "http_5xx": "httpx.HTTPStatusError: Server error '{status}' for url 'https://{host}{path}'",
    "not_found": "sqlalchemy.exc.NoResultFound: No row was found when one was required"
    " ({thing}_id={id})",
    "dns": "httpx.ConnectError: [Errno -3] Temporary failure in name resolution ({host})",
    "boot": "uvicorn.lifespan.on:startup:62 - {service} {version} started, {n} workers",
    "stop": "uvicorn.server:shutdown:264 - Shutting down, waiting for connections to close",
    "null": "AttributeError: 'NoneType' object has no attribute '{field}'",
    "full": "OSError: [Errno 28] No space left on device: '/var/tmp/render'",
    "note": "vik.{thing}.service:handle:64 - {words}",
}
LOG4JS: Style = {
    "begin": "http - {method} {path} {{ requestId: '{rid}' }}",
    "end": "http - {method} {path} -> {status} {{ requestId: '{rid}', ms: {ms} }}",
    "wrote": "{thing}s - stored {{ {thing}Id: '{id}', requestId: '{rid}' }}",
    "pushed": "boss - sent {job} {{ jobId: '{jid}', {thing}Id: '{id}', requestId: '{rid}' }}",
    "started": "work - {job} begins {{ jobId: '{jid}', {thing}Id: '{id}' }}",
    "done": "work - {job} completed {{ jobId: '{jid}', {thing}Id: '{id}', ms: {ms} }}",
    "failed": "work - {job} threw {{ jobId: '{jid}', {thing}Id: '{id}' }} {error}",
    "push_failed": "boss - send {job} rejected {{ requestId: '{rid}' }} {error}",
    "request_failed": "http - {method} {path} rejected {{ requestId: '{rid}' }} {error}",
    "timeout": "Error: connect ETIMEDOUT {host}:{port} (errno: -110, syscall: 'connect')",
    "refused": "Error: connect ECONNREFUSED {host}:{port} (errno: -111, syscall: 'connect')",
    "closed": "TypeError: fetch failed (cause: SocketError: other side closed, {host}:{port})",
    "db_closed": "PrismaClientKnownRequestError: P1017 Server has closed the connection.",
    "sql": "PrismaClientUnknownRequestError: Error occurred during query execution:"
    " ConnectorError(QueryError(PostgresError {{ message: '{message}' }}))",
    "pool": "PrismaClientKnownRequestError: P2024 Timed out fetching a new connection from the"
    " connection pool. (Current connection pool timeout: 10, connection limit: {n})",
    "http_timeout": "TypeError: fetch failed (cause: HeadersTimeoutError: Headers Timeout Error,"
    " https://{host}{path})",
    "http_5xx": "HttpError: {status} from https://{host}{path}",
    "not_found": "PrismaClientKnownRequestError: P2025 No {Thing} found ({thing}Id: '{id}')",
    "dns": "TypeError: fetch failed (cause: Error: getaddrinfo EAI_AGAIN {host})",
    "boot": "main - {service} {version} listening on 8080, {n} handlers",
    "stop": "main - SIGTERM received, draining",
    "null": "TypeError: Cannot read properties of undefined (reading '{field}')",
    "full": "Error: ENOSPC: no space left on device, write",
    "note": "{thing}s - {words}",
}
HEADS = {
    "loguru": "2026-02-03 01:02:{second:02d}.417 | {level:<8} | {body}",
    "log4js": "[2026-02-03T01:02:{second:02d}.417] [{level}] {body}",
}
"""A whole line of each, as its framework writes it to a file."""
LEVELS = {
    "loguru": {5: "DEBUG", 9: "INFO", 13: "WARNING", 17: "ERROR", 18: "CRITICAL"},
    "log4js": {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR", 21: "FATAL"},
}
