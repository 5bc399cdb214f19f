"""NestJS with its own logger, and Go with `log/slog` in JSON: what their services write.

Words only, one dictionary a language with the phrases that every language of the generator has,
and `job_timeout`: what a client of a job table says when its INSERT is not answered in time.
"""

from __future__ import annotations

from tests.score.wording import Style

NEST: Style = {
    "begin": "[HttpLoggerMiddleware] --> {method} {path} requestId={rid}",
    "end": "[HttpLoggerMiddleware] <-- {method} {path} {status} +{ms}ms requestId={rid}",
    "wrote": "[{Thing}sService] {thing} {id} saved {thing}Id={id} requestId={rid} +{ms}ms",
    "pushed": "[JobsService] sent {job} jobId={jid} {thing}Id={id} requestId={rid}",
    "started": "[JobsConsumer] working on {job} jobId={jid} {thing}Id={id}",
    "done": "[JobsConsumer] completed {job} jobId={jid} {thing}Id={id} +{ms}ms",
    "failed": "[JobsConsumer] {job} threw jobId={jid} {thing}Id={id} {error}",
    "push_failed": "[JobsService] boss.send({job}) rejected requestId={rid} {error}",
    "request_failed": "[ExceptionsHandler] {error} {method} {path} requestId={rid}",
    "timeout": "Error: read ETIMEDOUT {host}:{port}",
    "refused": "Error: connect ECONNREFUSED {host}:{port}",
    "closed": "Error: read ECONNRESET {host}:{port}",
    "db_closed": "QueryFailedError: Connection terminated unexpectedly",
    "sql": "QueryFailedError: {message}",
    "pool": "Error: timeout exceeded when trying to connect",
    "http_timeout": "AxiosError: timeout of 15000ms exceeded POST https://{host}{path}",
    "http_5xx": "AxiosError: Request failed with status code {status} POST https://{host}{path}",
    "not_found": 'EntityNotFoundError: Could not find any entity of type "{Thing}" matching:'
    ' {{ "where": {{ "id": "{id}" }} }}',
    "dns": "Error: getaddrinfo EAI_AGAIN {host}",
    "boot": "[NestApplication] Nest application successfully started ({service} {version})",
    "stop": "[NestApplication] received SIGTERM, running onApplicationShutdown hooks",
    "null": "TypeError: Cannot read properties of null (reading '{field}')",
    "full": "Error: ENOSPC: no space left on device, write",
    "job_timeout": "Error: Query read timeout",
}
SLOG: Style = {
    "begin": '{{"level":"INFO","msg":"http request","method":"{method}","path":"{path}",'
    '"request_id":"{rid}"}}',
    "end": '{{"level":"INFO","msg":"http response","method":"{method}","path":"{path}",'
    '"status":{status},"duration_ms":{ms},"request_id":"{rid}"}}',
    "wrote": '{{"level":"INFO","msg":"row inserted","{thing}_id":"{id}","duration_ms":{ms},'
    '"request_id":"{rid}"}}',
    "pushed": '{{"level":"INFO","msg":"job inserted","kind":"{job}","job_id":"{jid}",'
    '"{thing}_id":"{id}","request_id":"{rid}"}}',
    "started": '{{"level":"INFO","msg":"job work begins","kind":"{job}","job_id":"{jid}",'
    '"{thing}_id":"{id}"}}',
    "done": '{{"level":"INFO","msg":"job completed","kind":"{job}","job_id":"{jid}",'
    '"{thing}_id":"{id}","run_duration_ms":{ms}}}',
    "failed": '{{"level":"ERROR","msg":"jobexecutor.JobExecutor: Job errored","kind":"{job}",'
    '"job_id":"{jid}","{thing}_id":"{id}","err":"{error}"}}',
    "push_failed": '{{"level":"ERROR","msg":"insert job","kind":"{job}","err":"{error}",'
    '"request_id":"{rid}"}}',
    "request_failed": '{{"level":"ERROR","msg":"handler error","method":"{method}",'
    '"path":"{path}","err":"{error}","request_id":"{rid}"}}',
    "timeout": "read tcp 10.30.6.21:38114->{host}:{port}: i/o timeout",
    "refused": "dial tcp {host}:{port}: connect: connection refused",
    "closed": "read tcp 10.30.6.21:38114->{host}:{port}: read: connection reset by peer",
    "db_closed": "failed to receive message: unexpected EOF",
    "sql": "ERROR: {message}",
    "pool": "acquire conn: context deadline exceeded",
    "http_timeout": "Post 'https://{host}{path}': context deadline exceeded (Client.Timeout"
    " exceeded while awaiting headers)",
    "http_5xx": "POST https://{host}{path}: unexpected status {status}",
    "not_found": "get {thing}: no rows in result set ({thing}_id={id})",
    "dns": "dial tcp: lookup {host} on 10.96.0.10:53: server misbehaving",
    "boot": '{{"level":"INFO","msg":"service ready","service":"{service}","version":"{version}"}}',
    "stop": '{{"level":"INFO","msg":"shutdown signal","signal":"terminated"}}',
    "null": "runtime error: invalid memory address or nil pointer dereference ({field})",
    "full": "write /var/lib/spool/out: no space left on device",
    "job_timeout": "timeout: context deadline exceeded",
}
