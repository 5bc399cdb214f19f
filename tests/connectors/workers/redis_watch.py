"""Watches a Redis while a connector reads it: which commands came, and that nothing changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors.redis_reads import ALLOWED

if TYPE_CHECKING:
    from redis import Redis

HANDSHAKE = {"AUTH", "HELLO", "CLIENT", "SELECT"}


@contextmanager
def only_reads(redis: Redis) -> Iterator[set[str]]:
    """Collects the commands of all clients; at the end all must have been allowed reads.

    Keys, values and expiries must be what they were, and no command may even have been refused.
    """
    before, commands = _content(redis), set[str]()
    redis.acl_log_reset()
    ready = threading.Event()
    thread = threading.Thread(target=_listen, args=(redis, commands, ready), daemon=True)
    thread.start()
    assert ready.wait(5)
    yield commands
    redis.echo("that is all")
    thread.join(timeout=5)
    assert commands, "nothing was read"
    assert commands <= {name.partition(" ")[0] for name in ALLOWED} | HANDSHAKE
    assert redis.acl_log() == [], "nothing was even refused"
    assert _content(redis) == before


def _content(redis: Redis) -> dict[object, object]:
    return {key: (redis.dump(key), redis.expiretime(key)) for key in redis.scan_iter()}


def _listen(redis: Redis, commands: set[str], ready: threading.Event) -> None:
    with redis.monitor() as monitor:  # type: ignore[no-untyped-call]  # unannotated
        ready.set()
        for seen in monitor.listen():
            name = str(seen["command"]).split()[0].upper()
            if name == "ECHO":
                return
            commands.add(name)
