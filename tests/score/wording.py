"""How eight kinds of services word what happens to them, after their frameworks' real messages.

One dictionary a style, the same names in each, so that a fault can be told in any language. Owns
words only: who speaks, when and about what is the world's business.
"""

from __future__ import annotations

from collections.abc import Mapping

Style = Mapping[str, str]

_JAVA_POOL = (
    "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, "
    "request timed out after 30002ms (total=10, active=10, idle=0, waiting={n})"
)

SPRING: Style = {
    "begin": 'o.s.web.servlet.DispatcherServlet : {method} "{path}" requestId={rid}',
    "end": "c.a.web.AccessLog : {method} {path} -> {status} in {ms} ms requestId={rid}",
    "wrote": "c.a.service.{Thing}Service : saved {thing} {thing}Id={id} requestId={rid}",
    "pushed": "c.a.jobs.Publisher : enqueued {job} jobId={jid} {thing}Id={id} requestId={rid}",
    "started": "c.a.jobs.Runner : starting {job} jobId={jid} {thing}Id={id}",
    "done": "c.a.jobs.Runner : {job} completed in {ms} ms jobId={jid} {thing}Id={id}",
    "failed": "c.a.jobs.Runner : {job} failed jobId={jid} {thing}Id={id} {error}",
    "push_failed": "c.a.jobs.Publisher : could not enqueue {job} requestId={rid} {error}",
    "request_failed": "c.a.web.ErrorHandler : {method} {path} failed requestId={rid} {error}",
    "timeout": "io.lettuce.core.RedisCommandTimeoutException: Command timed out after 2 second(s)"
    " ({host}:{port})",
    "refused": "java.net.ConnectException: Connection refused: {host}/10.4.0.9:{port}",
    "closed": "java.io.IOException: Connection reset by peer ({host}:{port})",
    "db_closed": "org.postgresql.util.PSQLException: An I/O error occurred while sending to the"
    " backend.",
    "sql": "org.postgresql.util.PSQLException: ERROR: {message}",
    "pool": _JAVA_POOL,
    "http_timeout": "java.net.SocketTimeoutException: Read timed out calling https://{host}{path}",
    "http_5xx": "org.springframework.web.client.HttpServerErrorException: {status} calling"
    " https://{host}{path}",
    "not_found": "jakarta.persistence.EntityNotFoundException: Unable to find com.acme.{Thing}"
    " with id {id}",
    "dns": "java.net.UnknownHostException: {host}: Temporary failure in name resolution",
    "boot": "Started {service} in 7.31 seconds (process running for 8.02) version {version}",
    "stop": "Commencing graceful shutdown. Waiting for active requests to complete",
    "null": 'java.lang.NullPointerException: Cannot invoke "String.length()" because "{field}" is'
    " null",
    "full": "java.io.IOException: No space left on device",
}
CLOJURE: Style = {
    "begin": "acme.http - request {{:method {method} :uri {path} :request-id {rid}}}",
    "end": "acme.http - response {{:status {status} :uri {path} :ms {ms} :request-id {rid}}}",
    "wrote": "acme.{thing} - inserted {{:{thing}-id {id} :request-id {rid}}}",
    "pushed": "acme.queue - put {{:job {job} :job-id {jid} :{thing}-id {id} :request-id {rid}}}",
    "started": "acme.worker - begin {{:job {job} :job-id {jid} :{thing}-id {id}}}",
    "done": "acme.worker - end {{:job {job} :job-id {jid} :{thing}-id {id} :ms {ms}}}",
    "failed": "acme.worker - failed {{:job {job} :job-id {jid} :{thing}-id {id}}} {error}",
    "push_failed": "acme.queue - put failed {{:job {job} :request-id {rid}}} {error}",
    "request_failed": "acme.http - unhandled {{:uri {path} :request-id {rid}}} {error}",
    "timeout": "java.net.SocketTimeoutException: Read timed out {{:host {host} :port {port}}}",
    "refused": "java.net.ConnectException: Connection refused {{:host {host} :port {port}}}",
    "closed": "java.net.SocketException: Connection reset {{:host {host} :port {port}}}",
    "db_closed": "org.postgresql.util.PSQLException: This connection has been closed.",
    "sql": "org.postgresql.util.PSQLException: ERROR: {message}",
    "pool": _JAVA_POOL,
    "http_timeout": "java.net.SocketTimeoutException: Read timed out {{:url https://{host}{path}}}",
    "http_5xx": "clojure.lang.ExceptionInfo: clj-http: status {status} {{:url"
    " https://{host}{path}}}",
    "not_found": "clojure.lang.ExceptionInfo: {thing} not found {{:{thing}-id {id}}}",
    "dns": "java.net.UnknownHostException: {host}: Temporary failure in name resolution",
    "boot": "acme.main - {service} is up {{:version {version}}}",
    "stop": "acme.main - SIGTERM received, stopping system",
    "null": "java.lang.NullPointerException: null at acme.{thing}$render {{:field {field}}}",
    "full": "java.io.IOException: No space left on device",
}
DJANGO: Style = {
    "begin": "request started method={method} path={path} request_id={rid}",
    "end": '"{method} {path} HTTP/1.1" {status} {ms}ms request_id={rid}',
    "wrote": "{thing} created {thing}_id={id} request_id={rid}",
    "pushed": "Sent task {job} job_id={jid} {thing}_id={id} request_id={rid}",
    "started": "Task {job} received job_id={jid} {thing}_id={id}",
    "done": "Task {job} succeeded in {ms}ms job_id={jid} {thing}_id={id}",
    "failed": "Task {job} raised unexpected job_id={jid} {thing}_id={id}: {error}",
    "push_failed": "enqueue of {job} failed request_id={rid}: {error}",
    "request_failed": "Internal Server Error: {path} request_id={rid}: {error}",
    "timeout": "redis.exceptions.TimeoutError: Timeout reading from {host}:{port}",
    "refused": "redis.exceptions.ConnectionError: Error 111 connecting to {host}:{port}."
    " Connection refused.",
    "closed": "redis.exceptions.ConnectionError: Connection closed by server. ({host}:{port})",
    "db_closed": "django.db.utils.OperationalError: server closed the connection unexpectedly",
    "sql": "django.db.utils.DatabaseError: {message}",
    "pool": "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached,"
    " connection timed out, timeout 30.00",
    "http_timeout": "requests.exceptions.ReadTimeout: HTTPSConnectionPool(host='{host}',"
    " port=443): Read timed out. (read timeout=10)",
    "http_5xx": "requests.exceptions.HTTPError: {status} Server Error for url:"
    " https://{host}{path}",
    "not_found": "{Thing}.DoesNotExist: {Thing} matching query does not exist. ({thing}_id={id})",
    "dns": "socket.gaierror: [Errno -3] Temporary failure in name resolution ({host})",
    "boot": "Booting worker with pid: {n} ({service} {version})",
    "stop": "Handling signal: term",
    "null": "AttributeError: 'NoneType' object has no attribute '{field}'",
    "full": "OSError: [Errno 28] No space left on device",
}
RAILS: Style = {
    "begin": 'Started {method} "{path}" for 10.9.1.4 request_id={rid}',
    "end": "Completed {status} in {ms}ms ({method} {path}) request_id={rid}",
    "wrote": "{Thing} Create ({ms}ms) {thing}_id={id} request_id={rid}",
    "pushed": "Enqueued {job} to Queue job_id={jid} {thing}_id={id} request_id={rid}",
    "started": "class={job} jid={jid} {thing}_id={id} INFO: start",
    "done": "class={job} jid={jid} {thing}_id={id} elapsed={ms} INFO: done",
    "failed": "class={job} jid={jid} {thing}_id={id} WARN: {error}",
    "push_failed": "{job} was not enqueued request_id={rid} {error}",
    "request_failed": "{error} ({method} {path}) request_id={rid}",
    "timeout": "RedisClient::ReadTimeoutError: Waited 1.0 seconds (redis://{host}:{port}/0)",
    "refused": "RedisClient::CannotConnectError: Connection refused - connect(2) for {host}:{port}",
    "closed": "RedisClient::ConnectionError: Connection reset by peer (redis://{host}:{port}/0)",
    "db_closed": "ActiveRecord::ConnectionFailed: PQconsumeInput() server closed the connection"
    " unexpectedly",
    "sql": "ActiveRecord::StatementInvalid: PG::Error: ERROR:  {message}",
    "pool": "ActiveRecord::ConnectionTimeoutError: could not obtain a connection from the pool"
    " within 5.000 seconds (waited 5.003 seconds); all pooled connections were in use",
    "http_timeout": "Net::ReadTimeout: Net::ReadTimeout with #<TCPSocket:(closed)> ({host}{path})",
    "http_5xx": "Faraday::ServerError: the server responded with status {status} for POST"
    " https://{host}{path}",
    "not_found": "ActiveRecord::RecordNotFound: Couldn't find {Thing} with 'id'={id}",
    "dns": "Socket::ResolutionError: Failed to open TCP connection to {host}:443 (getaddrinfo:"
    " Temporary failure in name resolution)",
    "boot": "* Listening on http://0.0.0.0:3000 ({service} release {version})",
    "stop": "- Gracefully stopping, waiting for requests to finish",
    "null": "NoMethodError: undefined method '{field}' for nil",
    "full": "Errno::ENOSPC: No space left on device @ rb_sysopen",
}
NODE: Style = {
    "begin": "incoming request {{requestId: '{rid}', method: '{method}', url: '{path}'}}",
    "end": "request completed {{requestId: '{rid}', url: '{path}', statusCode: {status},"
    " responseTime: {ms}}}",
    "wrote": "{thing} persisted {{{thing}Id: '{id}', requestId: '{rid}'}}",
    "pushed": "added {job} {{jobId: '{jid}', {thing}Id: '{id}', requestId: '{rid}'}}",
    "started": "processing {job} {{jobId: '{jid}', {thing}Id: '{id}'}}",
    "done": "completed {job} {{jobId: '{jid}', {thing}Id: '{id}', ms: {ms}}}",
    "failed": "job failed {job} {{jobId: '{jid}', {thing}Id: '{id}'}} {error}",
    "push_failed": "queue.add failed {job} {{requestId: '{rid}'}} {error}",
    "request_failed": "request errored {{requestId: '{rid}', url: '{path}'}} {error}",
    "timeout": "Error: Command timed out ({host}:{port})",
    "refused": "Error: connect ECONNREFUSED {host}:{port}",
    "closed": "Error: read ECONNRESET ({host}:{port})",
    "db_closed": "Error: Connection terminated unexpectedly",
    "sql": "error: {message}",
    "pool": "KnexTimeoutError: Knex: Timeout acquiring a connection. The pool is probably full.",
    "http_timeout": "AxiosError: timeout of 10000ms exceeded (https://{host}{path})",
    "http_5xx": "AxiosError: Request failed with status code {status} (https://{host}{path})",
    "not_found": 'EntityNotFoundError: Could not find any entity of type "{Thing}" matching:'
    ' {{ "id": "{id}" }}',
    "dns": "Error: getaddrinfo EAI_AGAIN {host}",
    "boot": "{service}@{version} listening on port 3000",
    "stop": "SIGTERM received, closing http server",
    "null": "TypeError: Cannot read properties of undefined (reading '{field}')",
    "full": "Error: ENOSPC: no space left on device, write",
}
GO: Style = {
    "begin": 'msg="request" method={method} path={path} request_id={rid}',
    "end": 'msg="response" method={method} path={path} status={status} dur={ms}ms request_id={rid}',
    "wrote": 'msg="stored {thing}" {thing}_id={id} request_id={rid}',
    "pushed": 'msg="published {job}" job_id={jid} {thing}_id={id} request_id={rid}',
    "started": 'msg="job started" job={job} job_id={jid} {thing}_id={id}',
    "done": 'msg="job done" job={job} job_id={jid} {thing}_id={id} dur={ms}ms',
    "failed": 'msg="job failed" job={job} job_id={jid} {thing}_id={id} err="{error}"',
    "push_failed": 'msg="publish {job} failed" request_id={rid} err="{error}"',
    "request_failed": 'msg="handler failed" path={path} request_id={rid} err="{error}"',
    "timeout": "read tcp 10.4.2.7:51344->{host}:{port}: i/o timeout",
    "refused": "dial tcp {host}:{port}: connect: connection refused",
    "closed": "read tcp 10.4.2.7:51344->{host}:{port}: read: connection reset by peer",
    "db_closed": "driver: bad connection",
    "sql": "pq: {message}",
    "pool": "pq: sorry, too many clients already",
    "http_timeout": "Post https://{host}{path}: context deadline exceeded (Client.Timeout exceeded"
    " while awaiting headers)",
    "http_5xx": "unexpected status {status} from https://{host}{path}",
    "not_found": "find {thing}: sql: no rows in result set",
    "dns": "dial tcp: lookup {host} on 10.96.0.10:53: read udp 10.4.2.7:40112->10.96.0.10:53:"
    " i/o timeout",
    "boot": 'msg="{service} started" version={version}',
    "stop": 'msg="shutting down" signal=terminated',
    "null": "panic: runtime error: invalid memory address or nil pointer dereference ({field})",
    "full": "write /data/out: no space left on device",
}
ELIXIR: Style = {
    "begin": "{method} {path} request_id={rid}",
    "end": "Sent {status} in {ms}ms path={path} request_id={rid}",
    "wrote": "inserted {thing} {thing}_id={id} request_id={rid}",
    "pushed": "inserted job {job} job_id={jid} {thing}_id={id} request_id={rid}",
    "started": "job:start worker={job} job_id={jid} {thing}_id={id}",
    "done": "job:stop worker={job} job_id={jid} {thing}_id={id} duration={ms}",
    "failed": "job:exception worker={job} job_id={jid} {thing}_id={id} {error}",
    "push_failed": "could not insert {job} request_id={rid} {error}",
    "request_failed": "GenServer terminating path={path} request_id={rid} {error}",
    "timeout": "** (Redix.ConnectionError) timeout ({host}:{port})",
    "refused": "** (Redix.ConnectionError) connection refused ({host}:{port})",
    "closed": "** (Redix.ConnectionError) the connection to Redis is closed ({host}:{port})",
    "db_closed": "** (DBConnection.ConnectionError) tcp recv: closed (the connection was closed by"
    " the pool, possibly due to a timeout or because the pool has been terminated)",
    "sql": "** (Postgrex.Error) ERROR {message}",
    "pool": "** (DBConnection.ConnectionError) connection not available and request was dropped"
    " from queue after 2984ms. This means requests are coming in and your connection pool cannot"
    " serve them fast enough.",
    "http_timeout": "** (Req.TransportError) timeout https://{host}{path}",
    "http_5xx": "unexpected status {status} from https://{host}{path}",
    "not_found": "** (Ecto.NoResultsError) expected at least one result but got none in query:"
    " from x0 in Shop.{Thing}, where: x0.id == ^{id}",
    "dns": "** (Mint.TransportError) non-existing domain {host}",
    "boot": "Running {service} Endpoint with Bandit at 0.0.0.0:4000 (http) version={version}",
    "stop": "SIGTERM received - shutting down",
    "null": "** (KeyError) key :{field} not found in: nil",
    "full": "** (File.Error) could not write to file: no space left on device",
}
DOTNET: Style = {
    "begin": "Request starting HTTP/1.1 {method} {path} RequestId={rid}",
    "end": "Request finished HTTP/1.1 {method} {path} - {status} {ms}ms RequestId={rid}",
    "wrote": "Saved {Thing} {Thing}Id={id} RequestId={rid}",
    "pushed": "Queued {job} JobId={jid} {Thing}Id={id} RequestId={rid}",
    "started": "Executing {job} JobId={jid} {Thing}Id={id}",
    "done": "Executed {job} JobId={jid} {Thing}Id={id} in {ms}ms",
    "failed": "Failed {job} JobId={jid} {Thing}Id={id} {error}",
    "push_failed": "Failed to queue {job} RequestId={rid} {error}",
    "request_failed": "An unhandled exception has occurred {method} {path} RequestId={rid} {error}",
    "timeout": "StackExchange.Redis.RedisTimeoutException: Timeout awaiting response"
    " (5012ms elapsed, timeout is 5000ms), serverEndpoint: {host}:{port}",
    "refused": "System.Net.Sockets.SocketException (111): Connection refused {host}:{port}",
    "closed": "System.IO.IOException: Unable to read data from the transport connection:"
    " Connection reset by peer. ({host}:{port})",
    "db_closed": "Npgsql.NpgsqlException (0x80004005): Exception while reading from stream",
    "sql": "Npgsql.PostgresException (0x80004005): {message}",
    "pool": "Npgsql.NpgsqlException (0x80004005): The connection pool has been exhausted, either"
    " raise 'Max Pool Size' (currently 100) or 'Timeout' (currently 15 seconds)",
    "http_timeout": "System.Threading.Tasks.TaskCanceledException: The request was canceled due to"
    " the configured HttpClient.Timeout of 10 seconds elapsing. (https://{host}{path})",
    "http_5xx": "System.Net.Http.HttpRequestException: Response status code does not indicate"
    " success: {status} (https://{host}{path})",
    "not_found": "System.InvalidOperationException: Sequence contains no elements. {Thing}Id={id}",
    "dns": "System.Net.Http.HttpRequestException: Name or service not known ({host}:443)",
    "boot": "Application started. Hosting {service} {version}. Press Ctrl+C to shut down.",
    "stop": "Application is shutting down...",
    "null": "System.NullReferenceException: Object reference not set to an instance of an object"
    " ({field})",
    "full": "System.IO.IOException: No space left on device",
}

STYLES: Mapping[str, Style] = {
    "spring": SPRING,
    "clojure": CLOJURE,
    "django": DJANGO,
    "rails": RAILS,
    "node": NODE,
    "go": GO,
    "elixir": ELIXIR,
    "dotnet": DOTNET,
}
