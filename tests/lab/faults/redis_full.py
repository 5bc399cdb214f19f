"""Redis reaches its maxmemory and, evicting nothing, refuses to take more."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard


def break_it(yard: Yard) -> Wrong:
    log, refused = yard.service("carts"), 0
    with Redis.from_url(yard.redis.url) as client:
        used = int(client.info("memory")["used_memory"])
        client.config_set("maxmemory", used + 300_000)
        for number in range(40):
            try:
                client.set(f"cart:{number}", "x" * 50_000)
                log.info("PUT /cart 204 request_id=c%03d", number)
            except RedisError as error:
                refused += 1
                log.error("PUT /cart 500 request_id=c%03d: %s", number, error)
        client.config_set("maxmemory", 0)
        for number in range(40):
            client.delete(f"cart:{number}")
    assert refused > 10
    return Wrong("full")
