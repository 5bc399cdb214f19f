"""Rust (axum, tracing, sqlx, lapin) and Go (log/slog, pgx, River)."""

from __future__ import annotations

from tests.score.wording import Style

RUST: Style = {
    "begin": "request{{method={method} uri={path} trace_id={rid}}}: tower_http::trace::on_request:"
    " started processing request",
    "end": "request{{method={method} uri={path} trace_id={rid}}}: tower_http::trace::on_response:"
    " finished processing request latency={ms} ms status={status}",
    "wrote": "store::{thing}: row inserted {thing}_id={id} trace_id={rid}",
    "pushed": "bus::publish: confirmed kind={job} message_id={jid} {thing}_id={id} trace_id={rid}",
    "started": "consume{{kind={job} message_id={jid} {thing}_id={id}}}: bus::worker: delivery"
    " taken",
    "done": "consume{{kind={job} message_id={jid} {thing}_id={id}}}: bus::worker: acked"
    " elapsed_ms={ms}",
    "failed": "consume{{kind={job} message_id={jid} {thing}_id={id}}}: bus::worker: handler"
    " returned Err err={error}",
    "push_failed": "bus::publish: giving up kind={job} trace_id={rid} err={error}",
    "request_failed": "api::error: request failed uri={path} trace_id={rid} err={error}",
    "timeout": "deadline has elapsed ({host}:{port})",
    "refused": "IO error: Connection refused (os error 111) connecting to {host}:{port}",
    "closed": "IO error: Connection reset by peer (os error 104) on {host}:{port}",
    "db_closed": "error communicating with database: unexpected end of file",
    "db_timeout": "error communicating with database: Connection timed out (os error 110)"
    " ({host}:{port})",
    "sql": "error returned from database: {message}",
    "pool": "pool timed out while waiting for an open connection",
    "http_timeout": "error sending request for url (https://{host}{path}): operation timed out",
    "http_5xx": "HTTP status server error ({status}) for url (https://{host}{path})",
    "http_4xx": "HTTP status client error ({status}) for url (https://{host}{path})",
    "not_found": "{thing} {id}: no rows returned by a query that expected to return at least one"
    " row {thing}_id={id}",
    "dns": "error sending request for url (https://{host}/): client error (Connect): dns error:"
    " failed to lookup address information: Temporary failure in name resolution",
    "tls": "error sending request for url (https://{host}{path}): client error (Connect): invalid"
    " peer certificate: Expired",
    "arguments": "missing field `{field}` at line 1 column 212",
    "boot": "main: listening on 0.0.0.0:8080 service={service} version={version}",
    "stop": "main: SIGTERM, draining in-flight requests",
    "null": "thread 'tokio-runtime-worker' panicked at src/render.rs:118:41: called"
    " `Option::unwrap()` on a `None` value ({field})",
    "full": "No space left on device (os error 28)",
}
GO_SLOG: Style = {
    "begin": "level=INFO msg=serving http.method={method} http.path={path} req_id={rid}",
    "end": "level=INFO msg=served http.method={method} http.path={path} code={status} took={ms}ms"
    " req_id={rid}",
    "wrote": "level=INFO msg=created {thing}_id={id} req_id={rid}",
    "pushed": "level=INFO msg=inserted kind={job} job_id={jid} {thing}_id={id} req_id={rid}",
    "started": "level=INFO msg=working kind={job} job_id={jid} {thing}_id={id}",
    "done": "level=INFO msg=worked kind={job} job_id={jid} {thing}_id={id} took={ms}ms",
    "failed": 'level=ERROR msg="jobexecutor.JobExecutor: Job errored" job_kind={job} job_id={jid}'
    ' {thing}_id={id} error="{error}"',
    "push_failed": 'level=ERROR msg="insert job" kind={job} req_id={rid} error="{error}"',
    "request_failed": 'level=ERROR msg="handler" http.path={path} req_id={rid} error="{error}"',
    "timeout": "timeout: context deadline exceeded (host={host} port={port})",
    "refused": "failed to connect to `host={host} user=app database=app`: dial error (dial tcp"
    " 10.20.4.11:{port}: connect: connection refused)",
    "closed": "write failed: write tcp 10.20.7.3:48812->10.20.4.11:{port}: write: broken pipe"
    " ({host})",
    "db_closed": "unexpected EOF",
    "db_timeout": "failed to connect to `user=app database=app`: {host}:{port}: dial error:"
    " timeout: context deadline exceeded",
    "sql": "ERROR: {message}",
    "pool": "failed to acquire connection from pool: context deadline exceeded",
    "http_timeout": 'Get "https://{host}{path}": net/http: TLS handshake timeout',
    "http_5xx": "https://{host}{path}: upstream answered {status}",
    "http_4xx": "https://{host}{path}: upstream answered {status}",
    "not_found": "load {thing}: no rows in result set {thing}_id={id}",
    "dns": "dial tcp: lookup {host} on 169.254.20.10:53: server misbehaving",
    "tls": 'Post "https://{host}{path}": tls: failed to verify certificate: x509: certificate has'
    " expired or is not yet valid",
    "arguments": "error unmarshalling args: json: cannot unmarshal string into Go struct field"
    " Args.{field} of type int64",
    "boot": "level=INFO msg=ready service={service} build={version}",
    "stop": "level=INFO msg=stopping cause=terminated",
    "null": 'level=ERROR msg=panic value="assignment to entry in nil map" field={field}',
    "full": "write /var/spool/app/part-0007: no space left on device",
}
