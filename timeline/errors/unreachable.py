"""Failures before a connection exists: names, certificates, routes, ports and descriptors.

Data only. A TLS failure is NOT_EXECUTED during the handshake; an alert in mid-stream is ambiguous,
so the texts that can be either are listed as ambiguous and settled by the phase.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_DNS, _TLS, _UNREACHABLE = ErrorClass.DNS, ErrorClass.TLS, ErrorClass.UNREACHABLE
_N, _A = Outcome.NOT_EXECUTED, Outcome.AMBIGUOUS
_L, _S, _K = Provenance.LIVE, Provenance.SOURCE, Provenance.KNOWN
_EXCEPTION, _UMBRELLA, _PINNED = Evidence.EXCEPTION, Evidence.UMBRELLA, Evidence.PINNED

_NAMES: tuple[Fragment, ...] = (
    Fragment("Name or service not known", _DNS, _N, "glibc", _L, errno=-2),
    Fragment("Temporary failure in name resolution", _DNS, _N, "glibc", _S, errno=-3),
    Fragment("No address associated with hostname", _DNS, _N, "glibc", _S, errno=-5),
    Fragment("nodename nor servname provided, or not known", _DNS, _N, "macOS", _K),
    Fragment("Name does not resolve", _DNS, _N, "musl", _K, errno=-2),
    Fragment("NameResolutionError", _DNS, _N, "urllib3", _L, _EXCEPTION),
    Fragment("Failed to resolve '", _DNS, _N, "urllib3", _L),
    Fragment("ClientConnectorDNSError", _DNS, _N, "aiohttp", _L, _EXCEPTION),
    Fragment("could not translate host name", _DNS, _N, "libpq", _L),
    Fragment("enotfound", _DNS, _N, "node", _K, weak=True, errno=-2),
    Fragment("eai_again", _DNS, _N, "node", _K, weak=True, errno=-3),
    Fragment("getaddrinfo ENOTFOUND", _DNS, _N, "node", _L, errno=-2),
    Fragment("getaddrinfo EAI_AGAIN", _DNS, _N, "node", _S, errno=-3),
    Fragment("lookup *: no such host", _DNS, _N, "Go", _S),
    Fragment("lookup *: i/o timeout", _DNS, _N, "Go", _K, _PINNED),
    Fragment("lookup *: server misbehaving", _DNS, _N, "Go", _S),
    Fragment("no such host", _DNS, _N, "Go", _S, weak=True),
    Fragment("java.net.UnknownHostException", _DNS, _N, "JDK", _K, _EXCEPTION),
    Fragment("SocketError: getaddrinfo", _DNS, _N, "Ruby", _S),
    Fragment("php_network_getaddresses: getaddrinfo", _DNS, _N, "PHP", _S),
    Fragment("Could not resolve host", _DNS, _N, "curl", _S),
    Fragment("Resolving timed out after", _DNS, _N, "curl", _S),
    Fragment("nxdomain", _DNS, _N, "Erlang", _S, weak=True),
    Fragment("non-existing domain", _DNS, _N, "Erlang", _K),
    Fragment("Host resolution failure", _DNS, _N, "librdkafka", _S),
    Fragment("could not be resolved (", _DNS, _N, "nginx", _S),
    Fragment("host not found in upstream", _DNS, _N, "nginx", _K),
    Fragment("Unknown server host", _DNS, _N, "MariaDB", _S),
    Fragment("Unknown MySQL server host", _DNS, _N, "MySQL", _K),
    Fragment("No such host is known", _DNS, _N, ".NET", _K),
    Fragment("Unable to resolve host", _DNS, _N, "OkHttp", _K),
)

_CERTIFICATES: tuple[Fragment, ...] = (
    Fragment("UNEXPECTED_EOF_WHILE_READING", _TLS, _A, "Python", _L, exact_case=True),
    Fragment("EOF occurred in violation of protocol", _TLS, _A, "Python", _L),
    Fragment("SSLEOFError", _TLS, _A, "Python", _L, _EXCEPTION),
    Fragment("CERTIFICATE_VERIFY_FAILED", _TLS, _N, "Python", _S, _PINNED),
    Fragment("certificate verify failed", _TLS, _N, "Python, Ruby", _S),
    Fragment("x509: certificate signed by unknown authority", _TLS, _N, "Go", _S),
    Fragment("x509: certificate has expired or is not yet valid", _TLS, _N, "Go", _S),
    Fragment("x509: certificate is valid for", _TLS, _N, "Go", _K),
    Fragment("remote error: tls:", _TLS, _A, "Go", _S),
    Fragment("PKIX path building failed", _TLS, _N, "JDK", _S),
    Fragment("SSLHandshakeException", _TLS, _N, "JDK", _K, _EXCEPTION),
    Fragment("Received fatal alert:", _TLS, _A, "JDK", _S),
    Fragment("Remote host terminated the handshake", _TLS, _N, "JDK", _S),
    Fragment("Remote host closed connection during handshake", _TLS, _N, "JDK", _S),
    Fragment("SSL_connect returned=", _TLS, _N, "Ruby", _S),
    Fragment("CERT_HAS_EXPIRED", _TLS, _N, "node", _K, exact_case=True),
    Fragment("UNABLE_TO_VERIFY_LEAF_SIGNATURE", _TLS, _N, "node", _K, exact_case=True),
    Fragment("DEPTH_ZERO_SELF_SIGNED_CERT", _TLS, _N, "node", _K, exact_case=True),
    Fragment("SSL_do_handshake() failed", _TLS, _N, "nginx", _S),
    Fragment("peer closed connection in SSL handshake", _TLS, _N, "nginx", _S),
    Fragment("OpenSSL SSL_connect:", _TLS, _N, "curl", _S, _PINNED),
    Fragment("The SSL connection could not be established", _TLS, _N, ".NET", _K, _UMBRELLA),
)

_ROUTES: tuple[Fragment, ...] = (
    Fragment("No route to host", _UNREACHABLE, _N, "libc", _S),
    Fragment("Network is unreachable", _UNREACHABLE, _N, "libc", _S),
    Fragment("Host is down", _UNREACHABLE, _N, "libc", _S, weak=True),
    Fragment("Host unreachable", _UNREACHABLE, _N, "JDK", _S, weak=True),
    Fragment("Host is unreachable", _UNREACHABLE, _N, "musl", _K, weak=True),
    Fragment("NoRouteToHostException", _UNREACHABLE, _N, "JDK", _S, _EXCEPTION),
    Fragment("ehostunreach", _UNREACHABLE, _N, "node, Erlang", _K, weak=True, errno=113),
    Fragment("enetunreach", _UNREACHABLE, _N, "node, Erlang", _K, weak=True, errno=101),
    Fragment("Cannot assign requested address", _UNREACHABLE, _N, "libc", _S),
    Fragment("eaddrnotavail", _UNREACHABLE, _N, "node", _K, weak=True, errno=99),
    Fragment("Too many open files", _UNREACHABLE, _N, "libc", _S),
    Fragment("emfile", _UNREACHABLE, _N, "node", _S, weak=True, errno=24),
    Fragment("ProxyError", _UNREACHABLE, _N, "urllib3", _S, _UMBRELLA),
    Fragment("Unable to connect to proxy", _UNREACHABLE, _N, "urllib3", _S, _UMBRELLA),
)

FRAGMENTS: tuple[Fragment, ...] = _NAMES + _CERTIFICATES + _ROUTES
