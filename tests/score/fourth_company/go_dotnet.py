"""Go with zap's console encoder; .NET with Serilog's usual text template."""

from __future__ import annotations

from collections.abc import Mapping

from tests.score.wording import Style

ZAP: Style = {
    "begin": 'httpd/access.go:52 {method} {path} {{"request_id": "{rid}"}}',
    "end": 'httpd/access.go:71 {method} {path} {{"request_id": "{rid}", "status": {status},'
    ' "elapsed": "{ms}ms"}}',
    "wrote": 'store/{thing}.go:94 inserted {{"{thing}_id": "{id}", "request_id": "{rid}"}}',
    "pushed": 'bus/send.go:61 message sent {{"type": "{job}", "message_id": "{jid}",'
    ' "{thing}_id": "{id}", "request_id": "{rid}"}}',
    "started": 'bus/poll.go:118 message received {{"type": "{job}", "message_id": "{jid}",'
    ' "{thing}_id": "{id}"}}',
    "done": 'bus/poll.go:140 message deleted {{"type": "{job}", "message_id": "{jid}",'
    ' "{thing}_id": "{id}", "took": "{ms}ms"}}',
    "failed": 'bus/poll.go:133 handler failed {{"type": "{job}", "message_id": "{jid}",'
    ' "{thing}_id": "{id}", "error": "{error}"}}',
    "push_failed": 'bus/send.go:66 send failed {{"type": "{job}", "request_id": "{rid}",'
    ' "error": "{error}"}}',
    "request_failed": 'httpd/errors.go:37 {method} {path} {{"request_id": "{rid}",'
    ' "error": "{error}"}}',
    "timeout": "dial tcp {host}:{port}: i/o timeout",
    "refused": "dial tcp 10.31.8.2:{port}: connect: connection refused",
    "closed": "read tcp 10.31.2.9:{n}4410->10.31.8.2:{port}: read: connection reset by peer",
    "db_closed": "driver: bad connection",
    "sql": "{message}",
    "pool": "context deadline exceeded: acquiring connection: 20/20 in use, {n} waiting",
    "http_timeout": "Get https://{host}{path}: context deadline exceeded (Client.Timeout exceeded"
    " while awaiting headers)",
    "http_5xx": "unexpected status {status} from https://{host}{path}",
    "not_found": "{thing} {id}: sql: no rows in result set",
    "dns": "dial tcp: lookup {host} on 10.31.0.10:53: server misbehaving",
    "boot": 'cmd/main.go:88 started {{"app": "{service}", "revision": "{version}", "procs": {n}}}',
    "stop": 'cmd/main.go:103 signal received, shutting down {{"signal": "terminated"}}',
    "null": "runtime error: invalid memory address or nil pointer dereference at {field}",
    "full": "write /var/spool/out: no space left on device",
}
SERILOG: Style = {
    "begin": "Request starting HTTP/1.1 {method} {path} CorrelationId={rid}",
    "end": "HTTP {method} {path} responded {status} in {ms}.3921 ms CorrelationId={rid}",
    "wrote": "Stored {Thing}Id={id} CorrelationId={rid}",
    "pushed": "Sent {job} MessageId={jid} {Thing}Id={id} CorrelationId={rid}",
    "started": "Dispatching {job} MessageId={jid} {Thing}Id={id}",
    "done": "Handled {job} MessageId={jid} {Thing}Id={id} in {ms} ms",
    "failed": "Unhandled exception in {job} MessageId={jid} {Thing}Id={id}␊{error}",
    "push_failed": "Sending {job} failed CorrelationId={rid}␊{error}",
    "request_failed": "HTTP {method} {path} responded 500 CorrelationId={rid}␊{error}",
    "timeout": "System.TimeoutException: The operation has timed out. ({host}:{port})",
    "refused": "System.Net.Sockets.SocketException (111): Connection refused {host}:{port}",
    "closed": "System.IO.IOException: Unable to read data from the transport connection: Connection"
    " reset by peer. ({host}:{port})",
    "db_closed": "Npgsql.NpgsqlException (0x80004005): Exception while reading from stream",
    "sql": "System.Data.Common.DbException: {message}",
    "pool": "System.InvalidOperationException: Timeout expired. The timeout period elapsed prior to"
    " obtaining a connection from the pool. This may have occurred because all pooled connections"
    " were in use and max pool size was reached.",
    "http_timeout": "System.Threading.Tasks.TaskCanceledException: The request was canceled due to"
    " the configured HttpClient.Timeout of 15 seconds elapsing. (https://{host}{path})",
    "http_5xx": "System.Net.Http.HttpRequestException: Response status code does not indicate"
    " success: {status}. (https://{host}{path})",
    "not_found": "System.Collections.Generic.KeyNotFoundException: {Thing} {id} was not found",
    "dns": "System.Net.Sockets.SocketException (00000001, 11): Resource temporarily unavailable"
    " ({host}:443)",
    "boot": "Now listening on: http://[::]:8080 {service} {version} ({n} threads)",
    "stop": "Application is shutting down...",
    "null": "System.NullReferenceException: Object reference not set to an instance of an object."
    " (at Bottega.Api.{field})",
    "full": "System.IO.IOException: No space left on device : '/var/spool/bottega/out'",
}
SERILOG_MARKS: Mapping[int, str] = {5: "DBG", 9: "INF", 13: "WRN", 17: "ERR", 21: "FTL"}
"""Serilog's three-letter levels, as they stand in the file."""
