"""A certificate expires: nobody can call the outside service any more."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR

_WORDS = {
    "spring": "javax.net.ssl.SSLHandshakeException: PKIX path validation failed:"
    " java.security.cert.CertPathValidatorException: validity check failed: NotAfter passed",
    "clojure": "java.security.cert.CertificateExpiredException: NotAfter: Tue Feb 03 2026",
    "django": "ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"
    " failed: certificate has expired (_ssl.c:1006)",
    "rails": "OpenSSL::SSL::SSLError: SSL_connect returned=1 errno=0 state=error: certificate"
    " verify failed (certificate has expired)",
    "node": "Error: certificate has expired (CERT_HAS_EXPIRED)",
    "go": "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
    "elixir": "TLS client: In state certify received SERVER ALERT: Fatal - Certificate Expired",
    "dotnet": "System.Security.Authentication.AuthenticationException: The remote certificate is"
    " invalid because of errors in the certificate chain: NotTimeValid",
}


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    services, at, count = (firm.worker, rng.choice(firm.backs)), world.onset_s, 0
    while at < PIN_S:
        service = rng.choice(services)
        error = f"{_WORDS[service.style_name]} (https://{firm.third[1]}{firm.third[2]})"
        told = {"method": "POST", "path": "/notify", "rid": world.request_id(), "error": error}
        world.say(at, service, "request_failed", told, severity=SEVERITY_ERROR)
        at += rng.uniform(3, 20)
        count += 1
    also = ("third-party", "swallowed-error")
    return fault(world, "expired", PIN_S, also=also, effect=count >= 5)
