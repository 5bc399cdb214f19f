"""PHP (Laravel with its SQS queue) and Perl (Mojolicious, DBD::Pg, Paws)."""

from __future__ import annotations

from tests.score.wording import Style

LARAVEL: Style = {
    "begin": 'production.INFO: request received {{"verb":"{method}","uri":"{path}",'
    '"request_id":"{rid}"}}',
    "end": 'production.INFO: response sent {{"verb":"{method}","uri":"{path}","status":{status},'
    '"duration_ms":{ms},"request_id":"{rid}"}}',
    "wrote": 'production.INFO: {Thing} created {{"{thing}_id":"{id}","request_id":"{rid}"}}',
    "pushed": "production.INFO: dispatched App\\Jobs\\{job} "
    '{{"job_id":"{jid}","{thing}_id":"{id}","request_id":"{rid}"}}',
    "started": "production.INFO: Processing: App\\Jobs\\{job} "
    '{{"job_id":"{jid}","{thing}_id":"{id}"}}',
    "done": "production.INFO: Processed: App\\Jobs\\{job} "
    '{{"job_id":"{jid}","{thing}_id":"{id}","ms":{ms}}}',
    "failed": "production.ERROR: {error} "
    '{{"job":"App\\\\Jobs\\\\{job}","job_id":"{jid}","{thing}_id":"{id}"}}␊[stacktrace]␊'
    "#0 /var/www/html/vendor/laravel/framework/src/Illuminate/Queue/CallQueuedHandler.php(70)",
    "push_failed": "production.ERROR: {error} "
    '{{"dispatching":"App\\\\Jobs\\\\{job}","request_id":"{rid}"}}',
    "request_failed": 'production.ERROR: {error} {{"uri":"{path}","request_id":"{rid}"}}',
    "timeout": "AWS HTTP error: cURL error 28: Operation timed out after 5001 milliseconds with 0"
    " bytes received for https://{host}:{port}/",
    "refused": "AWS HTTP error: cURL error 7: Failed to connect to {host} port {port}: Connection"
    " refused",
    "closed": "cURL error 56: Recv failure: Connection reset by peer for https://{host}/",
    "db_closed": "SQLSTATE[HY000]: General error: 7 server closed the connection unexpectedly",
    "db_timeout": 'SQLSTATE[08006] [7] connection to server at "{host}", port {port} failed:'
    " timeout expired",
    "sql": "SQLSTATE[P0001]: {message}",
    "pool": "SQLSTATE[08006] [7] FATAL:  remaining connection slots are reserved for roles with the"
    " SUPERUSER attribute",
    "http_timeout": "cURL error 28: Operation timed out after 10000 milliseconds with 0 bytes"
    " received for https://{host}{path}",
    "http_5xx": "HTTP request returned status code {status}: https://{host}{path}",
    "http_4xx": "HTTP request returned status code {status}: https://{host}{path}",
    "not_found": 'No query results for model [App\\Models\\{Thing}] {id} {{"{thing}_id":"{id}"}}',
    "dns": "cURL error 6: Could not resolve host: {host}",
    "tls": "cURL error 60: SSL certificate problem: certificate has expired for"
    " https://{host}{path}",
    "arguments": 'Undefined array key "{field}"',
    "boot": "NOTICE: {service} {version}: fpm is running, ready to handle connections",
    "stop": "NOTICE: Finishing ...",
    "null": 'Attempt to read property "{field}" on null',
    "full": "file_put_contents(): Write of 8192 bytes failed with errno=28 No space left on device",
}
PERL: Style = {
    "begin": '[{rid}] {method} "{path}" request_id={rid}',
    "end": "[{rid}] {status} {method} {path} ({ms} ms) request_id={rid}",
    "wrote": "[{rid}] stored {thing} {thing}_id={id} request_id={rid}",
    "pushed": "[{rid}] queued {job} message_id={jid} {thing}_id={id} request_id={rid}",
    "started": "performing {job} message_id={jid} {thing}_id={id}",
    "done": "performed {job} message_id={jid} {thing}_id={id} in {ms} ms",
    "failed": "{job} message_id={jid} {thing}_id={id} died: {error} at lib/Shop/Work.pm line 88.",
    "push_failed": "[{rid}] cannot queue {job} request_id={rid}: {error} at lib/Shop/Bus.pm"
    " line 41.",
    "request_failed": "[{rid}] {path} request_id={rid}: {error} at lib/Shop/Web.pm line 207.",
    "timeout": "read timeout talking to {host}:{port}",
    "refused": "Can't connect to {host}:{port} (Connection refused)",
    "closed": "Can't read from {host}:{port}: Connection reset by peer",
    "db_closed": "DBD::Pg::st execute failed: could not receive data from server: Connection timed"
    " out",
    "db_timeout": "DBI connect('dbname=shop;host={host};port={port}','app',...) failed: timeout"
    " expired",
    "sql": "DBD::Pg::st execute failed: ERROR:  {message}",
    "pool": "DBI connect('dbname=shop','app',...) failed: FATAL:  sorry, too many clients already",
    "http_timeout": "Inactivity timeout (https://{host}{path})",
    "http_5xx": "{status} response from https://{host}{path}",
    "http_4xx": "{status} response from https://{host}{path}",
    "not_found": "no {thing} with id {id} ({thing}_id={id})",
    "dns": "Can't connect: Temporary failure in name resolution ({host})",
    "tls": "SSL connect attempt failed error:0A000086:SSL routines::certificate verify failed:"
    " certificate has expired (https://{host}{path})",
    "arguments": 'Use of uninitialized value $args->{{"{field}"}} in concatenation',
    "boot": "{service} {version}: worker pool of 4 is up, listening at http://*:3080",
    "stop": "stopping gracefully (SIGQUIT)",
    "null": 'Can\'t call method "{field}" on an undefined value',
    "full": "Can't write to file: No space left on device",
}
