"""Node with winston's printf format or bunyan's long output; Django with a format of its own,
in front of Procrastinate or of RQ."""

from __future__ import annotations

from tests.score.wording import Style

_STACK = "␊    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"

WINSTON: Style = {
    "begin": '--> {method} {path} {{"requestId":"{rid}"}}',
    "end": '<-- {method} {path} {status} {ms}ms {{"requestId":"{rid}"}}',
    "wrote": '{thing} created {{"{thing}Id":"{id}","requestId":"{rid}"}}',
    "pushed": 'job sent {{"name":"{job}","jobId":"{jid}","{thing}Id":"{id}","requestId":"{rid}"}}',
    "started": 'handling {job} {{"jobId":"{jid}","{thing}Id":"{id}"}}',
    "done": '{job} completed {{"jobId":"{jid}","{thing}Id":"{id}","durationMs":{ms}}}',
    "failed": '{job} failed: {error} {{"jobId":"{jid}","{thing}Id":"{id}"}}' + _STACK,
    "push_failed": 'could not send {job}: {error} {{"requestId":"{rid}"}}' + _STACK,
    "request_failed": 'Unhandled error on {method} {path}: {error} {{"requestId":"{rid}"}}',
    "timeout": "Error: connect ETIMEDOUT {host}:{port}",
    "refused": "Error: connect ECONNREFUSED 10.31.4.17:{port}",
    "closed": "Error: read ECONNRESET ({host}:{port})",
    "db_closed": "Error: Connection terminated unexpectedly",
    "sql": "error: {message}",
    "pool": "Error: timeout exceeded when trying to connect",
    "http_timeout": "AxiosError: timeout of 8000ms exceeded (GET https://{host}{path})",
    "http_5xx": "AxiosError: Request failed with status code {status} (https://{host}{path})",
    "not_found": "NotFoundError: no {thing} with id {id}",
    "dns": "Error: getaddrinfo EAI_AGAIN {host}",
    "boot": '{service} listening {{"port":3000,"release":"{version}","pid":{n}}}',
    "stop": "SIGTERM received, closing http server",
    "null": "TypeError: Cannot read properties of undefined (reading '{field}')",
    "full": "Error: ENOSPC: no space left on device, write",
}
BUNYAN: Style = {
    "begin": "request start (req_id={rid}, method={method}, url={path})",
    "end": "request finish (req_id={rid}, method={method}, url={path}, res.statusCode={status}, "
    "latency={ms})",
    "wrote": "{thing} persisted (req_id={rid}, {thing}_id={id})",
    "pushed": "Added job {jid} ({job}) (req_id={rid}, job_id={jid}, {thing}_id={id})",
    "started": "Found task {jid} ({job}) (job_id={jid}, {thing}_id={id})",
    "done": "Completed task {jid} ({job}, attempt 1 of 25) with success ({ms}.14ms) "
    "(job_id={jid}, {thing}_id={id})",
    "failed": "Failed task {jid} ({job}) with error {error} (job_id={jid}, {thing}_id={id})",
    "push_failed": "addJob failed: {error} (req_id={rid}, task={job})",
    "request_failed": "uncaught: {error} (req_id={rid}, method={method}, url={path})",
    "timeout": "Error: Operation timed out after 5000ms on {host}:{port}",
    "refused": "Error: connect ECONNREFUSED {host}:{port}",
    "closed": "Error: Client network socket disconnected, {host}:{port}",
    "db_closed": "Error: Client has encountered a connection error and is not queryable",
    "sql": "error: {message}",
    "pool": "KnexTimeoutError: Knex: Timeout acquiring a connection. The pool is probably full. "
    "Are you missing a .transacting(trx) call?",
    "http_timeout": "RequestError: ESOCKETTIMEDOUT https://{host}{path}",
    "http_5xx": "HTTPError: Response code {status} (https://{host}{path})",
    "not_found": "Error: {Thing} {id} does not exist",
    "dns": "Error: getaddrinfo ENOTFOUND {host}",
    "boot": "server up (release={version}, app={service}, workers={n})",
    "stop": "Received 'SIGTERM'; attempting global graceful shutdown...",
    "null": "TypeError: {field} is not a function",
    "full": "Error: ENOSPC: no space left on device, open '/var/lib/app/spool'",
}
DJANGO: Style = {
    "begin": "[core.middleware:41] start {method} {path} correlation_id={rid}",
    "end": '[django.server:213] "{method} {path} HTTP/1.1" {status} correlation_id={rid} {ms}ms',
    "wrote": "[core.models:118] saved {Thing} {thing}_id={id} correlation_id={rid}",
    "pushed": "[core.signals:27] deferred {job} job_id={jid} {thing}_id={id} correlation_id={rid}",
    "started": "[procrastinate.worker:198] Starting job {job}[{jid}]({thing}_id={id!r})",
    "done": "[procrastinate.worker:256] Job {job}[{jid}]({thing}_id={id!r}) ended with status: "
    "Success, lasted {ms} ms",
    "failed": "[procrastinate.worker:256] Job {job}[{jid}]({thing}_id={id!r}) ended with status: "
    "Error␊Traceback (most recent call last):␊{error}",
    "push_failed": "[core.signals:31] could not defer {job} correlation_id={rid}␊Traceback (most"
    " recent call last):␊{error}",
    "request_failed": "[django.request:241] Internal Server Error: {path} correlation_id={rid}␊"
    "Traceback (most recent call last):␊{error}",
    "timeout": "TimeoutError: [Errno 110] Connection timed out ({host}:{port})",
    "refused": "ConnectionRefusedError: [Errno 111] Connection refused ({host}:{port})",
    "closed": "ConnectionResetError: [Errno 104] Connection reset by peer ({host}:{port})",
    "db_closed": "django.db.utils.OperationalError: consuming input failed: server closed the "
    "connection unexpectedly",
    "sql": "django.db.utils.OperationalError: {message}",
    "pool": "psycopg_pool.PoolTimeout: couldn't get a connection after 30.00 sec",
    "http_timeout": "httpx.ReadTimeout: The read operation timed out (https://{host}{path})",
    "http_5xx": "httpx.HTTPStatusError: Server error '{status}' for url 'https://{host}{path}'",
    "not_found": "core.models.{Thing}.DoesNotExist: {Thing} matching query does not exist. "
    "({thing}_id={id})",
    "dns": "socket.gaierror: [Errno -3] Temporary failure in name resolution ({host})",
    "boot": "[core.apps:19] {service} ready release={version} workers={n}",
    "stop": "[core.apps:44] shutting down on signal 15",
    "null": "AttributeError: 'NoneType' object has no attribute '{field}'",
    "full": "OSError: [Errno 28] No space left on device",
}

DJANGO_RQ: Style = {
    **DJANGO,
    "pushed": "[core.signals:27] enqueued {job} job_id={jid} {thing}_id={id} correlation_id={rid}",
    "started": "[rq.worker:1421] {job}({thing}_id={id!r}) ({jid})",
    "done": "[rq.worker:1495] Successfully completed {job}({thing}_id={id!r}) job in"
    " 0:00:00.{ms:06}s, Job OK ({jid})",
    "failed": "[rq.worker:1588] [Job {jid}]: exception raised while executing ({job})␊Traceback"
    " (most recent call last):␊  in perform {thing}_id={id}␊{error}",
    "push_failed": "[core.signals:31] could not enqueue {job} correlation_id={rid}␊Traceback (most"
    " recent call last):␊{error}",
}
