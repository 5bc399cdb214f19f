"""Something had a last day, and it was yesterday.

At one instant every new connection fails that needs it: the certificate of an internal service, the
secret that a provider's token endpoint wants, or the password of a database role with VALID UNTIL.
Nothing was released; it goes on until somebody renews it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tests.score.families.acts import fault
from tests.score.third_company.acts import close, order, run_on
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.servers import POSTGRES
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, Thing, World
from timeline.event import SEVERITY_WARN
from timeline.window import SECOND_NS

FATAL = 21
REFUSED = {
    "french": (
        "authentification par mot de passe échouée pour l'utilisateur « reporting »",
        "DÉTAIL :  L'utilisateur « reporting » a un mot de passe expiré.",
    ),
    "spanish": (
        "la autentificación password falló para el usuario «reporting»",
        "DETALLE:  El usuario «reporting» tiene contraseña expirada.",
    ),
    "english": (
        'password authentication failed for user "reporting"',
        'DETAIL:  User "reporting" has an expired password.',
    ),
}


def prepare(world: World) -> None:
    move_in(world, backs=(3, 7))


def inject(world: World) -> Truth:
    here = watch(world)
    kinds = ["certificate", "certificate", "secret"]
    kinds += ["password"] if here.house.server in POSTGRES else []
    kind = here.rng.choice(kinds)
    how = {"certificate": _certificate, "secret": _secret, "password": _password}[kind]
    hit = how(here)
    close(here)
    ended = min(PIN_S + 60, here.end_s)
    also = ("third-party", "orphaned-record") if kind == "secret" else ()
    return fault(here, "expired", ended, hit, also=also, effect=len(hit) > 4)


def _certificate(here: Watch) -> list[Entity | Thing]:
    """Every caller of one internal service, each in the words of its language."""
    rng, firm = here.rng, here.house
    peers = {"ledger-mtls.svc.halle": 8443, "vault.svc.halle": 8200, "ldaps.halle.example": 636}
    peer, port = rng.choice(list(peers.items()))
    callers = rng.sample(list(firm.backs), rng.randint(1, min(3, len(firm.backs))))
    plain = {"structlog", "lograge", "zerolog", "logger", "log4j2"}
    told = not plain.isdisjoint(service.style_name for service in (firm.front, *callers))
    if not told or rng.random() < 0.3:
        left = rng.randint(5, 14)
        words = f"certificate {peer} expires in {left} minutes, renewal failed: issuer not ready"
        here.aside(here.onset_s - 60 * left, "cert-manager", words, SEVERITY_WARN)
    last = datetime.fromtimestamp(here.at(here.onset_s) // SECOND_NS, UTC)
    last_day = f"NotAfter: {last:%a %b %d %H:%M:%S UTC %Y}"
    hit: list[Entity | Thing] = []
    at = here.onset_s
    while at < PIN_S + 20 and len(hit) < 150:
        service = rng.choice((firm.front, *callers))
        error = here.error(service, "tls", host=peer, port=port)
        if service.style_name == "log4j2":
            error += f"␊Caused by: java.security.cert.CertificateExpiredException: {last_day}"
        hit.append(here.refused_request(at, service, error, 502))
        at += rng.expovariate(0.2)
    return hit


def _secret(here: Watch) -> list[Entity | Thing]:
    """Jobs that cannot get a token from a provider any more."""
    rng, firm = here.rng, here.house
    app = f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}"
    error = (
        f"401 from https://login.{firm.third[1]}/oauth2/token: invalid_client: the provided client"
        f" secret keys for app '{app}' are expired"
    )
    hit: list[Entity | Thing] = []
    at = here.onset_s
    while at < PIN_S and len(hit) < 60:
        thing, job = order(here, at)
        when = at + rng.uniform(0.1, 0.6)
        for outcome in ("retried", "retried", "dead"):
            if when < here.end_s - 2:
                run_on(here, job, when, 0.2, outcome=outcome, error=error)
            when += rng.uniform(12, 60)
        hit.append(thing)
        at += rng.expovariate(1 / 14) + 0.3
    return hit


def _password(here: Watch) -> list[Entity | Thing]:
    """One service's role; connections that it has stay, every new one is refused."""
    rng, firm = here.rng, here.house
    service = rng.choice(firm.backs)
    words, detail = REFUSED[firm.server]
    hit: list[Entity | Thing] = []
    at = here.onset_s
    while at < PIN_S + 20 and len(hit) < 120:
        here.database_log(at, rng.randint(900, 31_000), f"{words}␊{detail}", FATAL)
        error = here.error(service, "sql", message=words)
        hit.append(here.refused_request(at + 0.004, service, error))
        at += rng.expovariate(0.15)
    return hit
