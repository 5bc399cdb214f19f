"""The certificate of one internal service comes to its end, to the second. Whoever calls it fails
from then on, each in the words of its own language; whoever does not call it is well.

A person sees it by:
- the callers' errors, which name the certificate's end or its state, all of one peer;
- the very same call, which succeeded until that second;
- for some nights the manager of certificates, whose renewal had failed before.
"""

from __future__ import annotations

from connectors.queues.transitions import iso
from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.families.watched import beside
from tests.score.sixth_company.acts import SEVERITY_ERROR, both_names, close, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Entity, Truth
from tests.score.world import World

_EXPIRED = {
    "rails": "Faraday::SSLError: SSL_connect returned=1 errno=0 peeraddr=10.64.7.7:443 state=error:"
    " certificate verify failed (certificate has expired) for https://{peer}",
    "symfony": 'SSL certificate problem: certificate has expired for "https://{peer}/".',
    "quarkus": "javax.net.ssl.SSLHandshakeException: PKIX path validation failed:"
    " java.security.cert.CertPathValidatorException: validity check failed, {peer}: NotAfter:"
    " {end}",
    "fastapi": "httpx.ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed:"
    " certificate has expired (_ssl.c:1006) for https://{peer}",
    "express": "Error: certificate has expired code=CERT_HAS_EXPIRED host={peer}",
}


def prepare(world: World) -> None:
    settle(world, backs=(3, 7))
    world.onset_s = float(round(world.onset_s))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, firm, start = here.rng, here.company, here.onset_s
    called = rng.choice(("sso", "files", "kyc", "geocoder", "fx-rates"))
    peer = f"{called}.prod.svc"
    callers = [firm.worker, *rng.sample(firm.backs, rng.randint(1, 3))]
    hit: list[Entity] = []
    for caller in callers:
        at, every = rng.uniform(5, 60), rng.uniform(9, 35)
        while at < here.end_s - 2:
            found = _call(here, at, caller, peer, at >= start)
            hit += [found] if at >= start else []
            at += every * rng.uniform(0.5, 1.5)
    if rng.random() < 0.5:
        for at in (start - rng.uniform(500, 800), start - rng.uniform(20, 400)):
            words = f'certificate "{called}-tls": order errored: acme: 429 too many requests'
            beside(here, at, "cert-manager", f"E0203 sync.go:282] {words}", 17)
    close(here)
    failed = [
        e for e in told(here, peer) if e.severity_number >= SEVERITY_ERROR and "call" in e.body
    ]
    well = told(here, f"call to https://{peer}", " 200 ")
    effect = len(failed) == len(hit) > 5 and failed[0].timestamp >= here.at(start)
    effect &= len(well) > 5 and well[-1].timestamp < here.at(start)
    return fault(here, "expired", here.end_s, hit, effect=effect)  # the peer is the house's own


def _call(here: Shift, at: float, caller: Service, peer: str, expired: bool) -> Entity:
    rid = here.request_id()
    host = here.rng.choice(caller.hosts)
    named = f"call to https://{peer}/v1/{here.company.effects} request_id={rid}"
    if expired:
        end = iso(here.at(here.onset_s))
        error = _EXPIRED[caller.style_name].format(peer=peer, end=end)
        here.line(at, caller, f"{named} failed: {error}", SEVERITY_ERROR, host)
    else:
        took = here.rng.randint(8, 70)
        here.line(at, caller, f"{named} answered 200 in {took} ms", host=host)
    return both_names(rid)
