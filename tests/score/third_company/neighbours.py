"""What else writes logs on this company's machines on any night, and means nothing.

Proxies, the kernel, cron, the database's own housekeeping, certificates renewed in time, a slow
report, a retry that succeeds. All of it may stand beside a fault and must not be taken for it.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.score.third_company.house import Watch
from timeline.event import SEVERITY_WARN


def neighbours(here: Watch) -> None:
    """Each of them on its share of the nights."""
    for one, share in _NEIGHBOURS:
        if here.rng.random() < share:
            one(here)


def _proxy(here: Watch) -> None:
    """Clients that go away before they are answered, as every front door sees them."""
    rng, firm = here.rng, here.house
    at = rng.uniform(10, 90)
    while at < here.end_s - 5:
        client = f"10.60.{rng.randint(0, 9)}.{rng.randint(2, 250)}:{rng.randint(30000, 60000)}"
        waited = rng.randint(300, 4000)
        words = f"{client} fe_https~ be_{firm.front.name}/s{rng.randint(1, 3)} 0/0/1/-1/{waited}"
        here.aside(at, "haproxy", f"{words} 499 0 - - CD-- GET /{firm.table} HTTP/1.1")
        at += rng.expovariate(1 / 70)


def _kernel(here: Watch) -> None:
    for _ in range(here.rng.randint(1, 4)):
        at = here.rng.uniform(20, here.end_s - 20)
        words = here.rng.choice(
            (
                "kernel: device veth81c2 entered promiscuous mode",
                "kernel: perf: interrupt took too long (2512 > 2500), lowering max sample rate",
                "systemd[1]: logrotate.service: Deactivated successfully.",
                "systemd[1]: Starting fstrim.service - Discard unused blocks...",
                "chronyd[612]: Selected source 10.60.0.1",
            )
        )
        here.aside(at, "syslog", words, host=here.rng.choice(here.house.front.hosts))


def _housekeeping(here: Watch) -> None:
    """Checkpoints and vacuums, and a report that takes its seconds as it does every night."""
    at = here.rng.uniform(10, 250)
    while at < here.end_s - 5:
        here.server_line(at, "checkpoint")
        if here.rng.random() < 0.6:
            here.server_line(at + 40, "vacuum", table=here.house.effects)
        at += 300
    for _ in range(here.rng.randint(0, 4)):
        at = here.rng.uniform(60, here.end_s - 10)
        statement = f"SELECT count(*) FROM {here.house.effects} GROUP BY 1"
        here.server_line(at, "slow", ms=here.rng.randint(1100, 3800), statement=statement)


def _renewed(here: Watch) -> None:
    """A certificate that is renewed weeks before its time."""
    at = here.rng.uniform(60, here.end_s - 60)
    here.aside(at, "certbot", "Certificate for edge.halle.example is due for renewal in 29 days")
    here.aside(at + 7, "certbot", "Successfully renewed certificate edge.halle.example (1 of 1)")


def _cron(here: Watch) -> None:
    at = here.rng.uniform(0, 60)
    while at < here.end_s - 5:
        here.aside(at, "cron", "(root) CMD (/usr/lib/sysstat/sa1 1 1)")
        at += 600


def _second_try(here: Watch) -> None:
    """Calls between services that fail once and succeed at once: one every few minutes."""
    for _ in range(here.rng.randint(1, 4)):
        at, service = here.rng.uniform(30, here.end_s - 30), here.rng.choice(here.house.backs)
        words = here.error(service, "timeout", host="rates.svc.halle", port=8443)
        host = here.line(at, service, f"attempt 1 of 3 failed: {words}", SEVERITY_WARN)
        here.line(at + here.rng.uniform(0.2, 1.1), service, "attempt 2 of 3 succeeded", host=host)


def _logins(here: Watch) -> None:
    """Somebody tries passwords on the jump host, as all day long."""
    at = here.rng.uniform(0, 600)
    for _ in range(here.rng.randint(5, 25)):
        name = here.rng.choice(("root", "admin", "oracle", "test", "ubuntu"))
        ip = f"203.0.113.{here.rng.randint(2, 250)}"
        words = (
            f"sshd[{here.rng.randint(2000, 9000)}]: Failed password for {name} from {ip} port 40022"
        )
        here.aside(at, "bastion", words)
        at += here.rng.uniform(1, 60)
        if at > here.end_s - 5:
            return


def _somebody_reads(here: Watch) -> None:
    """A note of a person who looks at a graph and finds nothing."""
    if here.rng.random() < 0.5:
        words = "weekly capacity look: nothing unusual"
    else:
        words = f"increased dashboards retention for {here.house.backs[0].name} to 90 d"
    here.change(here.rng.uniform(30, 1700), words, who="capacity")


_NEIGHBOURS: tuple[tuple[Callable[[Watch], None], float], ...] = (
    (_proxy, 0.6),
    (_kernel, 0.7),
    (_housekeeping, 0.7),
    (_renewed, 0.3),
    (_cron, 0.5),
    (_second_try, 0.6),
    (_logins, 0.4),
    (_somebody_reads, 0.25),
)
