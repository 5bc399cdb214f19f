"""What else goes on in the same half hour and has nothing to do with the fault."""

from __future__ import annotations

from collections.abc import Callable

from tests.score.second_company.elsewhere import Night


def neighbours(night: Night) -> None:
    """A few unrelated voices, drawn for each night."""
    for voice in night.rng.sample(_VOICES, night.rng.randint(1, 4)):
        voice(night)


def _checkpoints(night: Night) -> None:
    """PostgreSQL writes its checkpoints down every five minutes."""
    at = night.rng.uniform(10, 290)
    while at < night.end_s:
        night.database_line(at, 71, "checkpoint", n=night.rng.randint(300, 4_000))
        at += 300


def _parse_errors_all_night(night: Night) -> None:
    """One back end has logged the same harmless error since spring."""
    back, at = night.rng.choice(night.firm.backs), night.rng.uniform(0, 40)
    while at < night.end_s:
        night.line(at, back, "could not parse user agent, using default", 17)
        at += night.rng.uniform(20, 60)


def _autoscaler(night: Night) -> None:
    at = night.rng.uniform(200, 1_700)
    night.beside(at, "kube-hpa", f"SuccessfulRescale {night.firm.front.name} new size: 5")
    night.beside(at + 420, "kube-hpa", f"SuccessfulRescale {night.firm.front.name} new size: 4")


def _clients_that_left(night: Night) -> None:
    """Phones that lose their own network: the balancer writes 499 and nobody is to blame."""
    for _ in range(night.rng.randint(10, 40)):
        at = night.rng.uniform(0, night.end_s)
        night.beside(at, "edge-nginx", f'"GET /{night.firm.table} HTTP/2.0" 499 0 rt=0.212')


def _renewed_certificate(night: Night) -> None:
    at = night.rng.uniform(100, 1_700)
    night.beside(at, "cert-manager", "certificate kontor-tls renewed, not after 2026-05-04")


def _newsletter(night: Night) -> None:
    """A healthy wave of readers."""
    firm, at = night.firm, night.rng.uniform(300, 1_500)
    for _ in range(night.rng.randint(40, 120)):
        at += night.rng.uniform(0.05, 0.6)
        told = {"method": "GET", "path": "/newsletter", "rid": night.request_id()}
        night.say(at, firm.front, "end", {**told, "status": 200, "ms": night.rng.randint(4, 60)})


def _slow_report(night: Night) -> None:
    """Somebody's report takes its usual twelve seconds."""
    at = night.rng.uniform(100, 1_700)
    statement = "SELECT date_trunc('day', created_at), count(*) FROM journal GROUP BY 1"
    night.database_line(at, 30_411, "duration", ms=12_301, statement=statement)


def _flag(night: Night) -> None:
    night.change(night.rng.uniform(100, 1_700), "flag compact-header on for 5 %", who="design")


_VOICES: tuple[Callable[[Night], None], ...] = (
    _checkpoints,
    _parse_errors_all_night,
    _autoscaler,
    _clients_that_left,
    _renewed_certificate,
    _newsletter,
    _slow_report,
    _flag,
)
