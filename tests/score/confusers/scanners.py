"""Bots send what no form of ours would: too long, too large, without a token."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("rejected-by-limit", "third-party", "novel-template", "swallowed-error")


def disturb(world: World) -> None:
    firm, rng, at = world.company, world.rng, 60.0
    while at < world.end_s - 5:
        path = rng.choice(("/wp-admin", "/cgi-bin/luci", "/index.php?a=" + "A" * 60))
        status = rng.choice((403, 404, 413, 414, 400))
        size = rng.choice((300, 9000, 70_000))
        address = f"198.51.100.{rng.randint(2, 250)}"
        words = f'{address} - - "GET {path} HTTP/1.1" {status} 150 request_length={size}'
        world.log(at, firm.front.name, rng.choice(firm.front.hosts), words)
        at += rng.uniform(10, 60)
