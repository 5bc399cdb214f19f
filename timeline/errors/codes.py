"""Codes: errno, SQLSTATE, MySQL and SQL Server numbers, HTTP status, in every shape printed.

A code survives translation (`lc_messages`, glibc locales) where the wording does not. Each code is
spelled out in its shapes, so that the matcher searches codes and wordings in one pass. A number
alone is never a code: `id=504` and `took 111 ms` are not listed shapes.
"""

from __future__ import annotations

from typing import NamedTuple

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_N, _A, _R = Outcome.NOT_EXECUTED, Outcome.AMBIGUOUS, Outcome.ROLLED_BACK


NEUTRAL_CODES = ("errno", "SQLSTATE")
"""`client` of codes that any program may print: they do not tell the system behind them."""


class Verdict(NamedTuple):
    """What one code says."""

    error_class: ErrorClass
    outcome: Outcome


ERRNO: dict[int, Verdict] = {
    111: Verdict(ErrorClass.REFUSED, _N),
    110: Verdict(ErrorClass.CONNECT_TIMEOUT, _A),  # of a connect or of an established socket
    104: Verdict(ErrorClass.RESET, _A),
    103: Verdict(ErrorClass.RESET, _A),
    32: Verdict(ErrorClass.RESET, _A),
    113: Verdict(ErrorClass.UNREACHABLE, _N),
    101: Verdict(ErrorClass.UNREACHABLE, _N),
    99: Verdict(ErrorClass.UNREACHABLE, _N),
    24: Verdict(ErrorClass.UNREACHABLE, _N),
    -2: Verdict(ErrorClass.DNS, _N),
    -3: Verdict(ErrorClass.DNS, _N),
    -5: Verdict(ErrorClass.DNS, _N),
    10061: Verdict(ErrorClass.REFUSED, _N),
    10060: Verdict(ErrorClass.CONNECT_TIMEOUT, _A),
    10054: Verdict(ErrorClass.RESET, _A),
    11001: Verdict(ErrorClass.DNS, _N),
}
"""Linux errno, negative getaddrinfo codes, and the four Windows socket codes seen in logs."""

SQLSTATE: dict[str, Verdict] = {
    "08000": Verdict(ErrorClass.CLOSED, _A),
    "08001": Verdict(ErrorClass.REFUSED, _N),
    "08003": Verdict(ErrorClass.CLOSED, _N),
    "08004": Verdict(ErrorClass.REFUSED, _N),
    "08006": Verdict(ErrorClass.CLOSED, _A),
    "08P01": Verdict(ErrorClass.CLOSED, _A),
    "08007": Verdict(ErrorClass.CLOSED, _A),  # transaction_resolution_unknown exists for this
    "08S01": Verdict(ErrorClass.CLOSED, _A),
    "23505": Verdict(ErrorClass.UNIQUE_VIOLATION, _R),
    "02000": Verdict(ErrorClass.NOT_FOUND, _R),
    "25006": Verdict(ErrorClass.SERVER_STATE, _R),
    "25P02": Verdict(ErrorClass.SERVER_STATE, _R),
    "25P03": Verdict(ErrorClass.CLOSED, _R),
    "25P04": Verdict(ErrorClass.CLOSED, _R),
    "28P01": Verdict(ErrorClass.SERVER_STATE, _N),
    "3D000": Verdict(ErrorClass.SERVER_STATE, _N),
    "40001": Verdict(ErrorClass.SERVER_STATE, _R),
    "40P01": Verdict(ErrorClass.SERVER_STATE, _R),
    "53100": Verdict(ErrorClass.SERVER_STATE, _R),
    "53200": Verdict(ErrorClass.SERVER_STATE, _R),
    "53300": Verdict(ErrorClass.POOL, _N),
    "55P03": Verdict(ErrorClass.SERVER_STATE, _R),
    "57014": Verdict(ErrorClass.READ_TIMEOUT, _R),
    "57P01": Verdict(ErrorClass.CLOSED, _R),
    "57P02": Verdict(ErrorClass.CLOSED, _R),
    "57P03": Verdict(ErrorClass.SERVER_STATE, _N),
    "57P04": Verdict(ErrorClass.CLOSED, _R),
    "57P05": Verdict(ErrorClass.CLOSED, _N),
    "P0002": Verdict(ErrorClass.NOT_FOUND, _R),
}
"""PostgreSQL's Appendix A codes that decide class and outcome; 08S01 is Connector/J's."""

MYSQL: dict[int, Verdict] = {
    1040: Verdict(ErrorClass.POOL, _N),
    1053: Verdict(ErrorClass.CLOSED, _A),
    1062: Verdict(ErrorClass.UNIQUE_VIOLATION, _R),
    1129: Verdict(ErrorClass.REFUSED, _N),
    1203: Verdict(ErrorClass.POOL, _N),
    1205: Verdict(ErrorClass.SERVER_STATE, _R),  # the statement only, not the transaction
    1213: Verdict(ErrorClass.SERVER_STATE, _R),
    1226: Verdict(ErrorClass.POOL, _N),
    1290: Verdict(ErrorClass.SERVER_STATE, _N),
    1317: Verdict(ErrorClass.READ_TIMEOUT, _R),
    1452: Verdict(ErrorClass.NOT_FOUND, _R),  # a foreign key whose row is not there
    1969: Verdict(ErrorClass.READ_TIMEOUT, _R),
    2005: Verdict(ErrorClass.DNS, _N),
    2006: Verdict(ErrorClass.CLOSED, _N),
    2013: Verdict(ErrorClass.CLOSED, _A),
    3024: Verdict(ErrorClass.READ_TIMEOUT, _R),
    3572: Verdict(ErrorClass.SERVER_STATE, _R),
    4031: Verdict(ErrorClass.CLOSED, _N),
}
"""2002 and 2003 (cannot connect) are left out: they cover refused, DNS and timeout alike."""

SQL_SERVER: dict[int, Verdict] = {
    1205: Verdict(ErrorClass.SERVER_STATE, _R),
    1222: Verdict(ErrorClass.SERVER_STATE, _R),
    2601: Verdict(ErrorClass.UNIQUE_VIOLATION, _R),
    2627: Verdict(ErrorClass.UNIQUE_VIOLATION, _R),
    3960: Verdict(ErrorClass.SERVER_STATE, _R),
    4060: Verdict(ErrorClass.SERVER_STATE, _N),
    9002: Verdict(ErrorClass.SERVER_STATE, _R),
    10928: Verdict(ErrorClass.POOL, _N),
    10929: Verdict(ErrorClass.POOL, _N),
    40501: Verdict(ErrorClass.GATEWAY, _N),
    40613: Verdict(ErrorClass.SERVER_STATE, _N),
}
"""Message numbers of SQL Server and Azure SQL, in the shapes that name them as such."""

HTTP_STATUS: dict[int, Verdict] = {
    408: Verdict(ErrorClass.GATEWAY, _N),
    409: Verdict(ErrorClass.GATEWAY, _R),
    413: Verdict(ErrorClass.GATEWAY, _N),
    414: Verdict(ErrorClass.GATEWAY, _N),
    429: Verdict(ErrorClass.GATEWAY, _N),
    431: Verdict(ErrorClass.GATEWAY, _N),
    460: Verdict(ErrorClass.GATEWAY, _A),  # AWS load balancer: the client closed first
    499: Verdict(ErrorClass.GATEWAY, _A),  # nginx: the client gave up, the server may have finished
    502: Verdict(ErrorClass.GATEWAY, _A),
    503: Verdict(ErrorClass.GATEWAY, _A),  # no upstream, or an upstream that broke: not known here
    504: Verdict(ErrorClass.GATEWAY, _A),
    520: Verdict(ErrorClass.GATEWAY, _A),
    521: Verdict(ErrorClass.GATEWAY, _N),
    522: Verdict(ErrorClass.GATEWAY, _N),
    523: Verdict(ErrorClass.GATEWAY, _N),
    524: Verdict(ErrorClass.GATEWAY, _A),
}
"""520 to 524 are Cloudflare's. 500 is absent: it says nothing about the network."""

_ERRNO_SHAPES = (
    "errno={}",
    "errno: {}",
    "errno: -{}",  # Node prints the negative of the system's number
    "errno {}",
    "ConnectionResetError({},",
    "BrokenPipeError({},",
    "OSError({},",
    "TimeoutError({},",
    "Error {} while writing to socket",
    "failed ({}: ",
    "timed out ({}: ",
    "system error: {}",
    "[WinError {}]",
    "(os error {})",  # Rust
    "SocketException ({}):",  # .NET
    "[system:{}]",  # Boost
    "asio.system:{}",
)

_ANY_ERRNO_SHAPES = ("[Errno {}]", "gaierror({},", "Error {} connecting to")
"""Shapes that also carry getaddrinfo codes. Elsewhere -2 is Node's ENOENT, a missing file."""

_SQLSTATE_SHAPES = (
    "SQLSTATE {}",
    "SQLSTATE: {}",
    "SQLSTATE[{}]",
    "SQLSTATE={}",
    'SQLSTATE":"{}',
    'SQLSTATE": "{}',
    "code: '{}'",
    'code: "{}"',
    'code":"{}"',
    'code": "{}"',
    "ERROR {} (",
    "ERROR: {}:",
    "ERROR:  {}:",
    "FATAL {} (",
    "FATAL: {}:",
    "FATAL:  {}:",
    "PostgresException (0x80004005): {}:",
    "SqlState(E{})",  # tokio-postgres
)

_MYSQL_SHAPES = ("({}, '", '({}, "', "ERROR {} (", "Error {} (", "Error {}:", "errno: {}")

_SQL_SERVER_SHAPES = ("Msg {}, Level", "Error Number:{},", "Error: {}, Severity:")

_HTTP_SHAPES = (
    'HTTP/1.0" {}',
    'HTTP/1.1" {}',
    'HTTP/2" {}',
    'HTTP/2.0" {}',
    'HTTP/3.0" {}',
    "HTTP/1.1 {}",
    "HTTP/2 {}",
    "status={}",
    "status: {}",
    'status":{}',
    'status": {}',
    'status":"{}"',
    "status {}",
    "status code {}",
    "status code: {}",
    "status_code={}",
    "status_code: {}",
    'status_code":{}',
    'status_code": {}',
    "statusCode={}",
    "statusCode: {}",
    'statusCode":{}',
    'statusCode": {}',
    "http_status={}",
    'http_status":{}',
    'http_status": {}',
    'upstream_status":"{}"',
    "Completed {} ",
    "response code: {}",
    "response code {}",
    "{} Server Error: ",
    "{} Client Error: ",
)


def _errno_fragments() -> list[Fragment]:
    return [
        Fragment(
            shape.format(number),
            verdict.error_class,
            verdict.outcome,
            "errno",
            Provenance.SOURCE,
            Evidence.CODE,
            errno=number,
        )
        for number, verdict in ERRNO.items()
        for shape in _ANY_ERRNO_SHAPES + (_ERRNO_SHAPES if number > 0 else ())
    ]


def _sqlstate_fragments() -> list[Fragment]:
    return [
        Fragment(
            shape.format(code),
            verdict.error_class,
            verdict.outcome,
            "PostgreSQL" if "P" in code else "SQLSTATE",  # subclasses Pxx are PostgreSQL's own
            Provenance.SOURCE,
            Evidence.CODE,
            sqlstate=code,
        )
        for code, verdict in SQLSTATE.items()
        for shape in _SQLSTATE_SHAPES
    ]


def _mysql_fragments() -> list[Fragment]:
    return [
        Fragment(
            shape.format(number),
            verdict.error_class,
            verdict.outcome,
            "MySQL",
            Provenance.SOURCE,
            Evidence.CODE,
            weak=True,
        )
        for number, verdict in MYSQL.items()
        for shape in dict.fromkeys(shape.lower() for shape in _MYSQL_SHAPES)
    ]


def _sql_server_fragments() -> list[Fragment]:
    return [
        Fragment(
            shape.format(number),
            verdict.error_class,
            verdict.outcome,
            "SQL-Server",
            Provenance.KNOWN,
            Evidence.CODE,
        )
        for number, verdict in SQL_SERVER.items()
        for shape in _SQL_SERVER_SHAPES
    ]


def _http_fragments() -> list[Fragment]:
    return [
        Fragment(
            shape.format(status),
            verdict.error_class,
            verdict.outcome,
            "HTTP",
            Provenance.SOURCE,
            Evidence.UMBRELLA,
        )
        for status, verdict in HTTP_STATUS.items()
        for shape in _HTTP_SHAPES
    ]


FRAGMENTS: tuple[Fragment, ...] = (
    *_errno_fragments(),
    *_sqlstate_fragments(),
    *_mysql_fragments(),
    *_sql_server_fragments(),
    *_http_fragments(),
)
