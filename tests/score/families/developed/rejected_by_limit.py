"""A list of ids in the URL grows beyond its limit; the POST that replaces it is refused, too."""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    host, path, at = firm.front.hosts[0], f"/internal/{firm.table}/bulk", 200.0
    for n in range(12):
        size = 400 + n * 450
        _access(world, at + n * 80, host, f"GET {path}?ids=", size, 200)
    at = world.onset_s
    for n in range(rng.randint(4, 9)):
        size = 8300 + n * rng.randint(100, 900)
        _access(world, at, host, f"GET {path}?ids=", size, 414)
        words = "client sent too long URI while reading client request line"
        world.log(at, firm.front.name, host, words, 9)
        at += rng.uniform(5, 20)
    for _ in range(rng.randint(2, 5)):
        _access(world, at, host, f"POST {path}", rng.randint(8000, 20000), 403)
        words = "Forbidden (CSRF token missing.): " + path
        world.log(at, firm.front.name, host, words, SEVERITY_ERROR)
        at += rng.uniform(5, 20)
    refused = lines(world, '" 414 177') + lines(world, '" 403 177')
    also = ("change-before",)
    return fault(world, "rejected-by-limit", at, also=also, effect=refused >= 6)


def _access(world: World, at: float, host: str, what: str, size: int, status: int) -> None:
    ids = ",".join(str(41_000 + n) for n in range(min(40, size // 6)))
    target = f"{what}{ids}" if what.endswith("=") else what
    words = f'10.2.0.4 - batch "{target} HTTP/1.1" {status} 177 request_length={size} user=batch'
    world.log(at, world.company.front.name, host, words)
