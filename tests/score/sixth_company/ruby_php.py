"""How a Rails house (lograge, Active Job) and a Symfony house (Monolog, Messenger) word things.

After the formats of those libraries. Owns words only, under the names of `tests.score.wording`.
"""

from __future__ import annotations

from tests.score.wording import Style

RAILS: Style = {
    "begin": '[{rid}] Started {method} "{path}" for 10.64.3.18',
    "end": "method={method} path={path} format=json status={status} duration={ms}.00 view=0.31"
    " db=1.44 request_id={rid}",
    "wrote": "[{rid}] TRANSACTION COMMIT ({thing}_id={id}, {ms} ms)",
    "pushed": "[{rid}] [ActiveJob] Enqueued {job} (Job ID: {jid}) to SolidQueue with arguments:"
    " {{:{thing}_id=>{id}}} {thing}_id={id}",
    "started": "[ActiveJob] [{job}] [{jid}] Performing {job} (Job ID: {jid}) from SolidQueue with"
    " arguments: {thing}_id={id}",
    "done": "[ActiveJob] [{job}] [{jid}] Performed {job} (Job ID: {jid}) from SolidQueue in {ms}ms"
    " {thing}_id={id}",
    "failed": "[ActiveJob] [{job}] [{jid}] Error performing {job} (Job ID: {jid}) from SolidQueue:"
    " {error} {thing}_id={id}",
    "push_failed": "[{rid}] [ActiveJob] Failed enqueuing {job} to SolidQueue: {error}",
    "request_failed": "method={method} path={path} format=json status=500 request_id={rid}"
    " error='{error}'",
    "timeout": "Net::ReadTimeout: Net::ReadTimeout with #<TCPSocket:({host}:{port})>",
    "refused": "Errno::ECONNREFUSED: Failed to open TCP connection to {host}:{port} (Connection"
    ' refused - connect(2) for "{host}" port {port})',
    "closed": "Errno::ECONNRESET: Connection reset by peer ({host}:{port})",
    "db_closed": "ActiveRecord::ConnectionNotEstablished: PQconsumeInput() server closed the"
    " connection unexpectedly",
    "sql": "ActiveRecord::StatementInvalid: PG::Error: ERROR:  {message}",
    "pool": "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool"
    " within 5.000 seconds (waited 5.003 seconds); all pooled connections were in use",
    "http_timeout": "Faraday::TimeoutError: Net::ReadTimeout (https://{host}{path})",
    "http_5xx": "Faraday::ServerError: the server responded with status {status} for POST"
    " https://{host}{path}",
    "not_found": "ActiveRecord::RecordNotFound: Couldn't find {Thing} with 'id'={id}",
    "dns": "Faraday::ConnectionFailed: getaddrinfo: Temporary failure in name resolution ({host})",
    "boot": "[{service}] Puma starting in cluster mode... release={version} workers: {n}",
    "stop": "- Gracefully stopping, waiting for requests to finish",
    "null": "NoMethodError: undefined method '{field}' for nil",
    "full": "Errno::ENOSPC: No space left on device @ rb_sysopen - /srv/app/tmp/export.csv",
}
SYMFONY: Style = {
    "begin": 'Matched route "app_api". {{"method":"{method}","request_uri":"{path}"}}'
    ' {{"request_id":"{rid}"}}',
    "end": 'Response sent. {{"method":"{method}","request_uri":"{path}","status_code":{status},'
    '"duration_ms":{ms}}} {{"request_id":"{rid}"}}',
    "wrote": 'Committing transaction {{"{thing}_id":"{id}","took_ms":{ms}}}'
    ' {{"request_id":"{rid}"}}',
    "pushed": r"Sending message App\Message\{job} with async sender using"
    r" Symfony\Component\Messenger\Bridge\Amqp\Transport\AmqpSender"
    ' {{"message_id":"{jid}","{thing}_id":"{id}"}} {{"request_id":"{rid}"}}',
    "started": r'Received message App\Message\{job} {{"message_id":"{jid}","{thing}_id":"{id}"}}',
    "done": r"App\Message\{job} was handled successfully (acknowledging to transport)."
    ' {{"message_id":"{jid}","{thing}_id":"{id}","took_ms":{ms}}}',
    "failed": r"Error thrown while handling message App\Message\{job}. Sending for retry #1 using"
    ' 20000 ms delay. Error: "{error}" {{"message_id":"{jid}","{thing}_id":"{id}"}}',
    "push_failed": r"Uncaught PHP Exception"
    r" Symfony\Component\Messenger\Exception\TransportException while sending {job}:"
    ' "{error}" {{"request_id":"{rid}"}}',
    "request_failed": 'Uncaught PHP Exception on {method} {path}: "{error}"'
    ' {{"request_id":"{rid}"}}',
    "timeout": "AMQPConnectionException: Library error: a socket error occurred: connection timed"
    " out ({host}:{port})",
    "refused": "stream_socket_client(): Unable to connect to tcp://{host}:{port} (Connection"
    " refused)",
    "closed": "AMQPException: Library error: connection closed unexpectedly ({host}:{port})",
    "db_closed": "An exception occurred while executing a query: SQLSTATE[HY000]: General error: 7"
    " server closed the connection unexpectedly",
    "sql": "An exception occurred while executing a query: SQLSTATE[XX000]: ERROR:  {message}",
    "pool": "An exception occurred in the driver: SQLSTATE[08006] [7] FATAL:  sorry, too many"
    " clients already",
    "http_timeout": 'Idle timeout reached for "https://{host}{path}".',
    "http_5xx": 'HTTP/2 {status}  returned for "https://{host}{path}".',
    "not_found": r"Entity of type 'App\Entity\{Thing}' for IDs id({id}) was not found",
    "dns": 'Could not resolve host: {host} for "https://{host}/".',
    "boot": "NOTICE: {service} fpm is running, pid 1, release {version}, ready to handle"
    " connections",
    "stop": "NOTICE: Finishing ...",
    "null": "Call to a member function {field}() on null",
    "full": "file_put_contents(): Write of 8192 bytes failed with errno=28 No space left on device",
}
