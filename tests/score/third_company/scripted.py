"""Python with structlog, Rails with lograge, Go with zerolog and Erlang's logger.

Words only, one dictionary a language with the phrases that every language of the generator has.
"""

from __future__ import annotations

from tests.score.wording import Style

STRUCTLOG: Style = {
    "begin": "request_started                [core.asgi] method={method} path={path}"
    " request_id={rid}",
    "end": "request_finished               [core.asgi] duration_ms={ms} method={method}"
    " path={path} request_id={rid} status={status}",
    "wrote": "{thing}_created                [core.{thing}s] duration_ms={ms} request_id={rid}"
    " {thing}_id={id}",
    "pushed": "task_deferred                  [core.tasks] request_id={rid} task={job}"
    " task_id={jid} {thing}_id={id}",
    "started": "task_started                   [tasks.run] task={job} task_id={jid}"
    " {thing}_id={id}",
    "done": "task_succeeded                 [tasks.run] duration_ms={ms} task={job} task_id={jid}"
    " {thing}_id={id}",
    "failed": "task_raised                    [tasks.run] exc={error!r} task={job} task_id={jid}"
    " {thing}_id={id}",
    "push_failed": "task_not_deferred              [core.tasks] exc={error!r} request_id={rid}"
    " task={job}",
    "request_failed": "request_raised                 [core.asgi] exc={error!r} method={method}"
    " path={path} request_id={rid}",
    "timeout": "redis.exceptions.TimeoutError: Timeout reading from {host}:{port}",
    "refused": "ConnectionRefusedError: [Errno 111] Connect call failed ('{host}', {port})",
    "closed": "ConnectionResetError: [Errno 104] Connection reset by peer ('{host}', {port})",
    "db_closed": "psycopg.OperationalError: consuming input failed: server closed the connection"
    " unexpectedly",
    "db_closed_maria": "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server"
    " during query')",
    "sql": "sqlalchemy.exc.OperationalError: (psycopg.errors.OperationalError) {message}",
    "sql_maria": 'sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) "{message}"',
    "pool": "sqlalchemy.exc.TimeoutError: QueuePool limit of size 10 overflow 5 reached, connection"
    " timed out, timeout 10.00",
    "http_timeout": "httpx.ReadTimeout: timed out POST https://{host}{path}",
    "http_5xx": "httpx.HTTPStatusError: Server error '{status}' for url 'https://{host}{path}'",
    "not_found": "sqlalchemy.exc.NoResultFound: No row was found when one was required"
    " ({thing}_id={id})",
    "dns": "httpx.ConnectError: [Errno -3] Temporary failure in name resolution ({host})",
    "tls": "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"
    " failed: certificate has expired (_ssl.c:1006) {host}:{port}",
    "boot": "startup_complete               [core.asgi] service={service} version={version}",
    "stop": "shutdown_requested             [core.asgi] signal=SIGTERM",
    "null": "AttributeError: 'NoneType' object has no attribute '{field}'",
    "full": "OSError: [Errno 28] No space left on device: '/var/spool/out'",
}
LOGRAGE: Style = {
    "begin": 'Started {method} "{path}" for 10.60.0.7 request_id={rid}',
    "end": "method={method} path={path} format=json controller={Thing}sController status={status}"
    " duration={ms}.41 view=0.21 db=3.88 request_id={rid}",
    "wrote": "[{rid}] {Thing} Create ({ms}.3ms) {thing}_id={id} request_id={rid}",
    "pushed": "[ActiveJob] Enqueued {job} (Job ID: {jid}) with arguments:"
    " #<GlobalID:0x00007f1c @uri=#<URI::GID gid://core/{Thing}/{id}>> request_id={rid}",
    "started": "[ActiveJob] [{job}] [{jid}] Performing {job} (Job ID: {jid}) job_id={jid}"
    " with arguments: #<GlobalID:0x00007f1c @uri=#<URI::GID gid://core/{Thing}/{id}>>",
    "done": "[ActiveJob] [{job}] [{jid}] Performed {job} (Job ID: {jid}) in {ms}.7ms job_id={jid}"
    " {thing}_id={id}",
    "failed": "[ActiveJob] [{job}] [{jid}] Error performing {job} (Job ID: {jid}) job_id={jid}"
    " {thing}_id={id}: {error}",
    "push_failed": "[ActiveJob] Failed enqueuing {job} request_id={rid}: {error}",
    "request_failed": "method={method} path={path} format=json status=500 error='{error}'"
    " request_id={rid}",
    "timeout": "RedisClient::ReadTimeoutError: Waited 1.0 seconds ({host}:{port})",
    "refused": "Errno::ECONNREFUSED: Connection refused - connect(2) for {host}:{port}",
    "closed": "EOFError: end of file reached ({host}:{port})",
    "db_closed": "ActiveRecord::ConnectionFailed: PG::ConnectionBad: PQconsumeInput() could not"
    " receive data from server: Connection reset by peer",
    "db_closed_maria": "ActiveRecord::ConnectionFailed: Mysql2::Error::ConnectionError: MySQL"
    " server has gone away",
    "sql": "ActiveRecord::StatementInvalid: PG::Error: ERROR:  {message}",
    "sql_maria": "ActiveRecord::StatementInvalid: Mysql2::Error: {message}",
    "pool": "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool"
    " within 5.000 seconds (waited 5.0{n:02d} seconds); all pooled connections were in use",
    "http_timeout": "Faraday::TimeoutError: Net::ReadTimeout with #<TCPSocket:(closed)>"
    " https://{host}{path}",
    "http_5xx": "Faraday::ServerError: the server responded with status {status} -"
    " method and url are not available due to include_request: false on Faraday {host}{path}",
    "not_found": "ActiveRecord::RecordNotFound: Couldn't find {Thing} with 'id'={id}",
    "dns": "Socket::ResolutionError: Failed to open TCP connection to {host}:443"
    " (getaddrinfo: Temporary failure in name resolution)",
    "tls": "OpenSSL::SSL::SSLError: SSL_connect returned=1 errno=0 peeraddr={host}:{port}"
    " state=error: certificate verify failed (certificate has expired)",
    "boot": "* Puma booted for {service} {version} - Workers: 4, Threads: 5",
    "stop": "- Gracefully stopping, waiting for requests to finish",
    "null": "NoMethodError: undefined method '{field}' for nil",
    "full": "Errno::ENOSPC: No space left on device @ io_write - /var/spool/out",
}
ZEROLOG: Style = {
    "begin": "request received method={method} path={path} request_id={rid}",
    "end": "request served elapsed_ms={ms} method={method} path={path} request_id={rid}"
    " status={status}",
    "wrote": "{thing} inserted elapsed_ms={ms} request_id={rid} {thing}_id={id}",
    "pushed": "message published kind={job} message_id={jid} request_id={rid} {thing}_id={id}",
    "started": "message taken kind={job} message_id={jid} {thing}_id={id}",
    "done": "message handled elapsed_ms={ms} kind={job} message_id={jid} {thing}_id={id}",
    "failed": 'message rejected error="{error}" kind={job} message_id={jid} {thing}_id={id}',
    "push_failed": 'publish failed error="{error}" kind={job} request_id={rid}',
    "request_failed": 'handler failed error="{error}" method={method} path={path} request_id={rid}',
    "timeout": "read tcp 10.60.4.18:41822->{host}:{port}: i/o timeout",
    "refused": "dial tcp {host}:{port}: connect: connection refused",
    "closed": "write tcp 10.60.4.18:41822->{host}:{port}: write: broken pipe",
    "db_closed": "failed to receive message: unexpected EOF",
    "db_closed_maria": "driver: bad connection",
    "sql": "exec: ERROR: {message}",
    "sql_maria": "exec: Error: {message}",
    "pool": "acquire: context deadline exceeded ({n} waiting, 20/20 in use)",
    "http_timeout": "Post https://{host}{path}: net/http: request canceled (Client.Timeout"
    " exceeded while awaiting headers)",
    "http_5xx": "unexpected answer {status} from https://{host}{path}",
    "not_found": "select {thing}: no rows in result set {thing}_id={id}",
    "dns": "dial tcp: lookup {host} on 10.96.0.10:53: server misbehaving",
    "tls": "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
    " ({host}:{port})",
    "boot": "listening addr=:8080 service={service} version={version}",
    "stop": "signal received, draining signal=terminated",
    "null": "runtime error: invalid memory address or nil pointer dereference ({field})",
    "full": "write /var/spool/out: no space left on device",
}
LOGGER: Style = {
    "begin": "what=http_in method={method} path={path} request_id={rid}",
    "end": "what=http_out method={method} path={path} status={status} ms={ms} request_id={rid}",
    "wrote": "what={thing}_stored {thing}_id={id} ms={ms} request_id={rid}",
    "pushed": "what=publish_confirmed job={job} message_id={jid} {thing}_id={id} request_id={rid}",
    "started": "what=delivery job={job} message_id={jid} {thing}_id={id}",
    "done": "what=delivery_acked job={job} message_id={jid} {thing}_id={id} ms={ms}",
    "failed": "what=delivery_failed job={job} message_id={jid} {thing}_id={id} reason={error}",
    "push_failed": "what=publish_failed job={job} request_id={rid} reason={error}",
    "request_failed": "what=handler_crashed method={method} path={path} request_id={rid}"
    " reason={error}",
    "timeout": "{{timeout,{{gen_server,call,[<0.2214.0>,{{call,{host},{port}}},5000]}}}}",
    "refused": "{{failed_connect,[{{to_address,{{{host},{port}}}}},{{inet,[inet],econnrefused}}]}}",
    "closed": "{{socket_closed,econnreset,{{{host},{port}}}}}",
    "db_closed": "{{error,closed}} in epgsql_sock:handle_info/2",
    "db_closed_maria": "{{error,closed}} in mysql_conn:handle_info/2",
    "sql": "{{error,{{error,error,internal_error,<<ERROR: {message}>>,[]}}}}",
    "sql_maria": "{{error,{{mysql,<<{message}>>}}}}",
    "pool": "{{timeout,{{gen_server,call,[pg_pool,{{checkout,#Ref<0.31.7.{n}>,true}},5000]}}}}",
    "http_timeout": "{{hackney,timeout,<<https://{host}{path}>>}}",
    "http_5xx": "{{unexpected_status,{status},<<https://{host}{path}>>}}",
    "not_found": "{{not_found,{thing},{thing}_id={id}}}",
    "dns": "{{failed_connect,[{{to_address,{{{host},443}}}},{{inet,[inet],nxdomain}}]}}",
    "tls": "{{tls_alert,{{certificate_expired,TLS client: In state certify received SERVER ALERT:"
    " Fatal - Certificate Expired}}}} {host}:{port}",
    "boot": "what=application_started application={service} vsn={version}",
    "stop": "what=application_stopping reason=sigterm",
    "null": "{{badmatch,undefined}} in {field}/1",
    "full": "{{error,enospc}} in file_io_server:put_chars/4",
}
