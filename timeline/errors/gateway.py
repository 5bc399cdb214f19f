"""What a proxy or an HTTP or gRPC peer answers when the work behind it failed.

Data only. All of these are umbrella evidence: a status wraps its cause, and when the same record
also names the cause, the cause decides. Bare status numbers are in `codes`.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Provenance

_GATEWAY = ErrorClass.GATEWAY
_N, _A, _R = Outcome.NOT_EXECUTED, Outcome.AMBIGUOUS, Outcome.ROLLED_BACK
_S, _K = Provenance.SOURCE, Provenance.KNOWN
_UMBRELLA = Evidence.UMBRELLA

FRAGMENTS: tuple[Fragment, ...] = (
    Fragment("502 Bad Gateway", _GATEWAY, _A, "nginx, most", _S, _UMBRELLA),
    Fragment("504 Gateway Time-out", _GATEWAY, _A, "nginx", _S, _UMBRELLA),
    Fragment("504 Gateway Timeout", _GATEWAY, _A, "most", _S, _UMBRELLA),
    Fragment("503 Service Temporarily Unavailable", _GATEWAY, _N, "nginx", _S, _UMBRELLA),
    Fragment("503 Service Unavailable", _GATEWAY, _A, "most", _S, _UMBRELLA),
    Fragment("429 Too Many Requests", _GATEWAY, _N, "most", _S, _UMBRELLA),
    Fragment("413 Request Entity Too Large", _GATEWAY, _N, "nginx", _S, _UMBRELLA),
    Fragment("413 Payload Too Large", _GATEWAY, _N, "most", _S, _UMBRELLA),
    Fragment("414 Request-URI Too Large", _GATEWAY, _N, "nginx", _S, _UMBRELLA),
    Fragment("414 URI Too Long", _GATEWAY, _N, "most", _S, _UMBRELLA),
    Fragment("431 Request Header Fields Too Large", _GATEWAY, _N, "most", _S, _UMBRELLA),
    Fragment("408 Request Time-out", _GATEWAY, _N, "nginx", _S, _UMBRELLA),
    Fragment("408 Request Timeout", _GATEWAY, _N, "most", _S, _UMBRELLA),
    Fragment("409 Conflict", _GATEWAY, _R, "most", _S, _UMBRELLA),
    Fragment("client intended to send too large body", _GATEWAY, _N, "nginx", _K),
    Fragment("CSRF verification failed", _GATEWAY, _N, "Django", _K),
    Fragment("Forbidden (CSRF", _GATEWAY, _N, "Django", _K),
    Fragment("ActionController::InvalidAuthenticityToken", _GATEWAY, _N, "Rails", _K),
    Fragment("invalid CSRF token", _GATEWAY, _N, "Express", _K),
    Fragment("StatusCode.UNAVAILABLE", _GATEWAY, _A, "grpc", _S, _UMBRELLA),
    Fragment("14 UNAVAILABLE:", _GATEWAY, _A, "grpc-js", _S, _UMBRELLA, exact_case=True),
    Fragment("code = Unavailable", _GATEWAY, _A, "grpc-go", _S, _UMBRELLA),
    Fragment("StatusRuntimeException: UNAVAILABLE", _GATEWAY, _A, "grpc-java", _S, _UMBRELLA),
    Fragment("RESOURCE_EXHAUSTED", _GATEWAY, _N, "grpc", _S, _UMBRELLA, exact_case=True),
    Fragment("code = ResourceExhausted", _GATEWAY, _N, "grpc-go", _S, _UMBRELLA),
    Fragment("StatusCode.CANCELLED", _GATEWAY, _A, "grpc", _S, _UMBRELLA),
    Fragment("1 CANCELLED:", _GATEWAY, _A, "grpc-js", _S, _UMBRELLA, exact_case=True),
    Fragment("code = Canceled", _GATEWAY, _A, "grpc-go", _S, _UMBRELLA),
    Fragment("StatusRuntimeException: CANCELLED", _GATEWAY, _A, "grpc-java", _S, _UMBRELLA),
    Fragment("StatusCode.UNIMPLEMENTED", _GATEWAY, _N, "grpc", _S, _UMBRELLA),
    Fragment("code = Unimplemented", _GATEWAY, _N, "grpc-go", _S, _UMBRELLA),
    Fragment("StatusCode.INVALID_ARGUMENT", _GATEWAY, _N, "grpc", _S, _UMBRELLA),
    Fragment("code = InvalidArgument", _GATEWAY, _N, "grpc-go", _S, _UMBRELLA),
)
