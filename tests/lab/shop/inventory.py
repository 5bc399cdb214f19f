"""`inventory`: keeps the catalogue in the cache. logfmt log, and no request ids at all.

`python -m shop.inventory`; ends on SIGTERM.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from .measured import Measured
from .settings import Settings

PAUSE_S = 0.7
SAY_EVERY = 6
"""A good round is worth a line once in a while only."""
TIMEOUT_S = 1.0


class Log:
    """logfmt lines with the host in every one of them."""

    def __init__(self, path: Path, host: str) -> None:
        self._path = path
        self._host = host

    def say(self, level: str, message: str, **fields: object) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rest = "".join(f" {name}={_quoted(str(value))}" for name, value in fields.items())
        line = f'ts={at} level={level} svc=inventory host={self._host} msg="{message}"{rest}\n'
        with self._path.open("a") as file:
            file.write(line)


def _quoted(value: str) -> str:
    if value and all(sign.isalnum() or sign in "._:-/" for sign in value):
        return value
    return json.dumps(value)


def main() -> None:
    settings = Settings.from_environment()
    log, measured = Log(settings.log, settings.host), Measured(settings.measured)
    cache = Redis.from_url(
        settings.redis_url,
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    database = psycopg.connect(settings.database_url, autocommit=True)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    log.say("info", "started", every_ms=int(PAUSE_S * 1000))
    rounds = 0
    while not stopping.wait(PAUSE_S):
        began = time.time_ns()
        rows = database.execute("SELECT id, name, stock FROM products ORDER BY id").fetchall()
        try:
            cache.set("products", json.dumps(rows))
        except RedisError as error:
            measured.note("cache", began=began, ended=time.time_ns(), error=str(error))
            said = f"{type(error).__module__}.{type(error).__qualname__}: {error}"
            log.say("error", "catalogue not refreshed", err=said)
            continue
        rounds += 1
        if rounds % SAY_EVERY == 0:
            took = (time.time_ns() - began) // 1_000_000
            log.say("info", "catalogue refreshed", items=len(rows), took_ms=took)
    log.say("info", "stopped")


if __name__ == "__main__":
    main()
