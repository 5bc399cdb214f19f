"""What goes on around a night of the fifth company and harms nobody.

Pools and databases that report on themselves, a certificate that needs no renewal, guesses at
passwords, a slow report, a call to a third party that succeeds at the second attempt, a probe.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.score.fifth_company.harbour import Watch


def surroundings(night: Watch) -> None:
    """Some of it, by chance."""
    for act, share in _ACTS:
        if night.rng.random() < share:
            act(night)


def _pool_reports(night: Watch) -> None:
    """pgbouncer's line of figures, once a minute."""
    at = night.rng.uniform(0, 60)
    while at < night.end_s:
        xacts = night.rng.randint(20, 90)
        night.beside(
            at,
            "pgbouncer",
            f"stats: {xacts} xacts/s, {xacts + 40} queries/s, 0 client parses/s, in"
            f" {xacts * 311} B/s, out {xacts * 902} B/s, xact {night.rng.randint(900, 4000)} us,"
            f" wait {night.rng.randint(0, 90)} us",
        )
        at += 60


def _checkpoints(night: Watch) -> None:
    at = night.rng.uniform(10, 300)
    while at < night.end_s - 120:
        pid = 61
        night.database_log(at, pid, "checkpoint starting: time")
        written = night.rng.randint(400, 4000)
        night.database_log(
            at + night.rng.uniform(40, 110),
            pid,
            f"checkpoint complete: wrote {written} buffers ({written / 163.84:.1f}%); 0 WAL file(s)"
            " added, 0 removed, 2 recycled; write=101.310 s, sync=0.011 s, total=101.402 s",
        )
        at += 300


def _vacuum(night: Watch) -> None:
    for _ in range(night.rng.randint(2, 6)):
        at = night.rng.uniform(30, night.end_s - 30)
        night.database_log(
            at,
            night.rng.randint(3000, 9000),
            f'automatic vacuum of table "vik.public.{night.firm.table}": index scans: 1␊pages: 0'
            f" removed, {night.rng.randint(800, 9000)} remain␊tuples:"
            f" {night.rng.randint(300, 4000)} removed, {night.rng.randint(9000, 90000)} remain",
        )


def _slow_report(night: Watch) -> None:
    """A statement that an analyst runs every night."""
    for _ in range(night.rng.randint(1, 4)):
        at = night.rng.uniform(60, night.end_s - 60)
        night.database_log(
            at,
            night.rng.randint(9100, 9900),
            f"duration: {night.rng.uniform(1100, 7400):.3f} ms  statement: SELECT date_trunc('day',"
            f" created_at), count(*) FROM {night.firm.effects} GROUP BY 1",
        )


def _certificates(night: Watch) -> None:
    at = night.rng.uniform(100, 1500)
    night.beside(at, "certbot", "Processing /etc/letsencrypt/renewal/vik.example.conf")
    night.beside(at + 0.4, "certbot", "Certificate not yet due for renewal")


def _guesses(night: Watch) -> None:
    """Passwords tried at the door: refused, as they should be."""
    at = night.rng.uniform(60, 1200)
    for _ in range(night.rng.randint(6, 25)):
        address = f"203.0.113.{night.rng.randint(2, 250)}"
        night.beside(
            at,
            "sshd",
            f"Failed password for invalid user admin from {address} port"
            f" {night.rng.randint(20000, 60000)} ssh2",
        )
        at += night.rng.uniform(2, 40)


def _handshakes(night: Watch) -> None:
    """Scanners that speak no TLS."""
    for _ in range(night.rng.randint(4, 15)):
        at = night.rng.uniform(10, night.end_s - 10)
        night.beside(at, "haproxy", "198.51.100.23:52144 https-in/1: SSL handshake failure")


def _chunk_retried(night: Watch) -> None:
    """A shipper whose chunk is accepted at the second attempt."""
    for _ in range(night.rng.randint(1, 3)):
        at = night.rng.uniform(30, night.end_s - 40)
        task = night.rng.randint(10, 900)
        night.beside(
            at,
            "fluent-bit",
            f"[engine] failed to flush chunk '1-{task}.flb', retry in 8 seconds: task_id={task},"
            " input=tail.0 > output=es.0",
            13,
        )
        night.beside(
            at + 8.3, "fluent-bit", f"[engine] flush chunk '1-{task}.flb' succeeded at retry 1"
        )


def _third_retried(night: Watch) -> None:
    """A call that is answered at the second attempt, now and then, all night."""
    service = night.rng.choice(night.firm.backs)
    at = night.rng.uniform(20, 200)
    while at < night.end_s - 10:
        error = night.error(
            service, "http_5xx", host=night.firm.third[1], path="/status", status=502
        )
        host = night.note(
            at, service, f"attempt 1 of 3 failed, waiting 400 ms: {error}", severity=13
        )
        night.note(at + 0.7, service, "attempt 2 of 3 succeeded", host=host)
        at += night.rng.uniform(150, 600)


def _probe(night: Watch) -> None:
    """A synthetic customer, every thirty seconds."""
    at = night.rng.uniform(0, 30)
    while at < night.end_s - 1:
        told = {"method": "GET", "path": "/synthetic/login", "rid": night.request_id()}
        host = night.say(at, night.firm.front, "begin", told)
        night.say(at + 0.05, night.firm.front, "end", {**told, "status": 200, "ms": 48}, host=host)
        at += 30


def _deprecations(night: Watch) -> None:
    service = night.rng.choice(night.firm.services)
    for _ in range(night.rng.randint(5, 20)):
        at = night.rng.uniform(0, night.end_s - 1)
        night.note(at, service, "option keep_legacy_headers is deprecated", severity=13)


def _timers(night: Watch) -> None:
    """The machine's own housekeeping."""
    at = night.rng.uniform(0, 300)
    while at < night.end_s - 5:
        night.beside(
            at, "systemd", "Starting sysstat-collect.service - system activity accounting..."
        )
        night.beside(at + 0.1, "systemd", "sysstat-collect.service: Deactivated successfully.")
        at += 600


def _second_tap_refused(night: Watch) -> None:
    """A constraint that does its work: the second of two equal forms is told that there is one."""
    firm = night.firm
    for _ in range(night.rng.randint(1, 4)):
        at, customer = night.rng.uniform(60, night.end_s - 30), night.rng.randint(200_000, 990_000)
        night.database_log(
            at,
            night.rng.randint(2000, 9000),
            f'duplicate key value violates unique constraint "{firm.table}_customer_day_key"␊'
            f"DETAIL:  Key (customer_id, day)=({customer}, 2026-02-04) already exists.",
            17,
        )
        told = {"method": "POST", "path": f"/{firm.table}/quick", "rid": night.request_id()}
        host = night.say(at - 0.01, firm.front, "begin", told)
        night.say(at + 0.01, firm.front, "end", {**told, "status": 409, "ms": 20}, host=host)


def _time_is_kept(night: Watch) -> None:
    """A time service that changes its source and stays within a millisecond."""
    for _ in range(night.rng.randint(1, 3)):
        at, host = night.rng.uniform(30, night.end_s - 30), night.rng.choice(night.firm.front.hosts)
        words = f"Selected source 10.64.0.{night.rng.randint(2, 9)} (ntp-{night.rng.randint(1, 3)})"
        night.log(at, f"chronyd@{host}", host, words, source="journal")


def _one_more_pod(night: Watch) -> None:
    """More of a service in the evening's peak, by its own rule."""
    service = night.rng.choice(night.firm.backs)
    words = f"autoscaler: {service.name} from {len(service.hosts)} to {len(service.hosts) + 1}"
    night.change(night.rng.uniform(60, 1700), words, service.name, who="autoscaler")


def _upload_in_pieces(night: Watch) -> None:
    """A large file that a slow customer sends: the balancer gives up, the customer tries again."""
    at = night.rng.uniform(60, night.end_s - 200)
    client = f"198.51.100.{night.rng.randint(2, 250)}:{night.rng.randint(20000, 60000)}"
    front = night.firm.front.name
    for wait, status in ((0.0, "408"), (70.0, "200")):
        night.beside(
            at + wait,
            "haproxy",
            f"{client} https-in~ {front}/{night.firm.front.hosts[0]} 0/0/1/30/30011 {status} 212 -"
            " - ---- 38/37/2/1/0 0/0 upload",
            13 if status == "408" else 9,
        )


_ACTS: tuple[tuple[Callable[[Watch], None], float], ...] = (
    (_pool_reports, 0.6),
    (_checkpoints, 0.6),
    (_vacuum, 0.5),
    (_slow_report, 0.5),
    (_certificates, 0.3),
    (_guesses, 0.4),
    (_handshakes, 0.4),
    (_chunk_retried, 0.4),
    (_third_retried, 0.4),
    (_probe, 0.4),
    (_deprecations, 0.4),
    (_timers, 0.4),
    (_second_tap_refused, 0.4),
    (_time_is_kept, 0.3),
    (_one_more_pod, 0.25),
    (_upload_in_pieces, 0.3),
)
