"""How Perl libraries, curl, wget, ssh and C++ tell that a call failed.

Data only. LWP, Mojolicious, DBI; the numbers of curl are in `codes`.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
_RESET = ErrorClass.RESET
_CLOSED = ErrorClass.CLOSED
_DNS = ErrorClass.DNS
_TLS = ErrorClass.TLS
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    *known(_REFUSED, _N, "DBI", "DBI connect(", evidence=_UMBRELLA),
    *known(_READ, _A, "LWP", "500 read timeout", "read timeout at"),
    *known(_READ, _A, "Mojo", "Inactivity timeout", weak=True),
    *known(
        _CONNECT,
        _N,
        "Mojo, wget",
        "Mojo::Reactor::Poll: Connect timeout",
        "Connecting to * failed: Connection timed out",
    ),
    *known(_CLOSED, _A, "Mojo", "Premature connection close"),
    *known(_CLOSED, _A, "wget", "No data received.", weak=True),
    *known(
        _CLOSED,
        _A,
        "ssh",
        "Connection closed by remote host",
        "client_loop: send disconnect",
        "Write failed: Broken pipe",
    ),
    *known(_CLOSED, _A, "Boost", "[asio.misc:2]"),
    *known(_READ, _A, "rsync", "timeout in data send/receive"),
    *known(
        _CLOSED,
        _A,
        "rsync",
        "error in rsync protocol data stream",
        "connection unexpectedly closed (",
        evidence=_UMBRELLA,
    ),
    *known(
        _DNS,
        _N,
        "wget, ssh",
        "unable to resolve host address",
        "Could not resolve hostname",
        "Temporary failure resolving",
    ),
    *known(_RESET, _A, "curl", "cURL error 56", "cURL error 55", evidence=_UMBRELLA),
    *known(_DNS, _N, "Guzzle", "cURL error 6:"),
    *known(
        _CLOSED, _A, "Guzzle", "cURL error 52", "cURL error 18:", "cURL error 16:", "cURL error 92:"
    ),
    *known(
        _TLS, _N, "Guzzle", "cURL error 35", "cURL error 60", "cURL error 51:", evidence=_UMBRELLA
    ),
    *known(_DNS, _N, "curl", "curl: (6)"),
    *known(_REFUSED, _N, "curl", "curl: (7)", evidence=_UMBRELLA),
    *known(_CONNECT, _A, "curl", "curl: (28)", evidence=_UMBRELLA),
    *known(_CLOSED, _A, "curl", "curl: (52)", "curl: (18)", "curl: (92)"),
    *known(_RESET, _A, "curl", "curl: (56)", "curl: (55)", evidence=_UMBRELLA),
    *known(_TLS, _N, "curl", "curl: (35)", "curl: (60)", evidence=_UMBRELLA),
    *known(
        _TLS,
        _N,
        "OpenSSL",
        "unable to get local issuer certificate",
        "self-signed certificate in certificate chain",
        "self signed certificate",
        "wrong version number",
        "certificate has expired",
        weak=True,
    ),
)
