"""What proxies, meshes, clouds and the kernel say beyond the common texts.

Data only. Envoy, HAProxy, Apache, uWSGI, AWS, Google and Azure SDKs, resolvers, Linux.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, known

_REFUSED = ErrorClass.REFUSED
_CONNECT = ErrorClass.CONNECT_TIMEOUT
_READ = ErrorClass.READ_TIMEOUT
_RESET = ErrorClass.RESET
_CLOSED = ErrorClass.CLOSED
_DNS = ErrorClass.DNS
_UNREACHABLE = ErrorClass.UNREACHABLE
_POOL = ErrorClass.POOL
_GATEWAY = ErrorClass.GATEWAY
_STATE = ErrorClass.SERVER_STATE
_MISSING = ErrorClass.NOT_FOUND
_DUPLICATE = ErrorClass.UNIQUE_VIOLATION
_N = Outcome.NOT_EXECUTED
_A = Outcome.AMBIGUOUS
_R = Outcome.ROLLED_BACK
_EXCEPTION = Evidence.EXCEPTION
_UMBRELLA = Evidence.UMBRELLA
_PINNED = Evidence.PINNED

FRAGMENTS: tuple[Fragment, ...] = (
    *known(
        _REFUSED,
        _N,
        "Envoy",
        "no healthy upstream",
        "no_healthy_upstream",
        "upstream_reset_before_response_started{connection_failure",
        "upstream_reset_before_response_started{remote_connection_failure",
    ),
    *known(
        _CLOSED,
        _A,
        "Envoy",
        "upstream_reset_before_response_started{connection_termination",
        "reset reason: local reset",
    ),
    *known(
        _RESET,
        _A,
        "Envoy",
        "upstream_reset_before_response_started{remote_reset",
        "reset reason: remote reset",
    ),
    *known(
        _READ,
        _A,
        "Envoy",
        "UT response_timeout",
        "upstream_per_try_timeout",
        "SI stream_idle_timeout",
        weak=True,
    ),
    *known(
        _GATEWAY,
        _N,
        "Envoy",
        "reset reason: overflow",
        "upstream_reset_before_response_started{overflow",
        "local_rate_limited",
        "request_rate_limited",
        evidence=_UMBRELLA,
    ),
    *known(
        _GATEWAY,
        _A,
        "Envoy",
        "upstream connect error or disconnect/reset before headers",
        evidence=_UMBRELLA,
    ),
    *known(_CONNECT, _N, "HAProxy", "Layer4 timeout", weak=True),
    *known(_READ, _A, "HAProxy", "Layer7 timeout", weak=True),
    *known(_REFUSED, _N, "HAProxy", "Layer4 connection problem", evidence=_UMBRELLA),
    *known(
        _REFUSED, _N, "Apache", "AH00957:", "AH01114:", "AH00940:", "AH02454:", evidence=_UMBRELLA
    ),
    *known(
        _CLOSED, _A, "Apache", "AH01102:", "AH00898:", "AH01097:", "AH01030:", evidence=_UMBRELLA
    ),
    *known(_READ, _A, "Apache", "AH00992:", "AH01075:", evidence=_UMBRELLA),
    *known(_POOL, _N, "Apache", "server reached MaxRequestWorkers", "AH00326:"),
    *known(_POOL, _N, "uWSGI", "uWSGI listen queue of socket"),
    *known(_UNREACHABLE, _A, "Linux", "nf_conntrack: table full, dropping packet"),
    *known(
        _DNS,
        _N,
        "CoreDNS",
        "plugin/errors: 2 * i/o timeout",
        "plugin/errors: 2 * connection refused",
        "plugin/errors: 2 * no route to host",
        evidence=_PINNED,
    ),
    *known(_DNS, _N, "resolvers", "SERVFAIL", "server can't find", exact_case=True, weak=True),
    *known(
        _DNS,
        _N,
        "c-ares, grpc",
        "DNS resolution failed for",
        "C-ares status is not ARES_SUCCESS",
        "DNS server returned general failure",
        "Could not contact DNS servers",
        "dnsmasq: Maximum number of concurrent DNS queries reached",
    ),
    *known(
        _GATEWAY,
        _N,
        "AWS",
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "Throttling: Rate exceeded",
        "SlowDown: Please reduce your request rate",
        "RequestThrottled",
        "(SlowDown)",
        "(Throttling)",
        evidence=_UMBRELLA,
    ),
    *known(
        _STATE,
        _R,
        "AWS",
        "ConditionalCheckFailedException",
        "TransactionConflictException",
        "TransactionCanceledException",
        evidence=_EXCEPTION,
    ),
    *known(_STATE, _R, "AWS", "The conditional request failed"),
    *known(_MISSING, _R, "AWS", "NoSuchKey", "ResourceNotFoundException", exact_case=True),
    *known(
        _MISSING, _R, "S3", "The specified key does not exist", "The specified blob does not exist"
    ),
    *known(
        _READ,
        _A,
        "AWS",
        "SdkClientException: Unable to execute HTTP request",
        "ApiCallTimeoutException",
        "ApiCallAttemptTimeoutException",
        evidence=_UMBRELLA,
    ),
    *known(
        _GATEWAY, _A, "Google", "google.api_core.exceptions.ServiceUnavailable", evidence=_UMBRELLA
    ),
    *known(
        _READ,
        _A,
        "Google",
        "google.api_core.exceptions.DeadlineExceeded",
        "google.api_core.exceptions.RetryError",
        evidence=_UMBRELLA,
    ),
    *known(_MISSING, _R, "Google", "google.api_core.exceptions.NotFound", evidence=_EXCEPTION),
    *known(
        _DUPLICATE, _R, "Google", "google.api_core.exceptions.AlreadyExists", evidence=_EXCEPTION
    ),
    *known(
        _GATEWAY,
        _N,
        "Google",
        "google.api_core.exceptions.TooManyRequests",
        "google.api_core.exceptions.ResourceExhausted",
        evidence=_UMBRELLA,
    ),
    *known(_REFUSED, _N, "Azure", "ServiceRequestError", evidence=_UMBRELLA),
    *known(_CLOSED, _A, "Azure", "ServiceResponseError", evidence=_UMBRELLA),
    *known(_READ, _A, "Azure", "ServiceResponseTimeoutError", evidence=_EXCEPTION),
    *known(
        _MISSING, _R, "Azure", "azure.core.exceptions.ResourceNotFoundError", evidence=_EXCEPTION
    ),
    *known(_DUPLICATE, _R, "Azure", "ResourceExistsError", evidence=_EXCEPTION),
    *known(
        _GATEWAY,
        _A,
        "Datomic",
        "cognitect.anomalies/unavailable",
        "cognitect.anomalies/interrupted",
        evidence=_UMBRELLA,
    ),
    *known(_GATEWAY, _N, "Datomic", "cognitect.anomalies/busy", evidence=_UMBRELLA),
    *known(_MISSING, _R, "Datomic", "cognitect.anomalies/not-found"),
    *known(_STATE, _R, "Datomic", "cognitect.anomalies/conflict"),
    *known(_REFUSED, _N, "Carmine", "Carmine connection error", evidence=_UMBRELLA),
    *known(_STATE, _R, "Datomic", ":db.error/cas-failed"),
    *known(_DUPLICATE, _R, "Datomic", ":db.error/unique-conflict"),
)
