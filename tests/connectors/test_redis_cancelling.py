"""A read that is cancelled as its command leaves ends at once, whatever Python's wait_for does."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import SecretStr

from connectors.redis_reads import RedisReads
from tests.conformance.collecting import BlackHole

ATTEMPTS = 20
"""The cancellation has to arrive in the very step in which the write ends."""


async def test_a_cancellation_is_not_swallowed_by_the_end_of_a_write() -> None:
    for _ in range(ATTEMPTS):
        async with BlackHole().serving() as hole:
            reads = RedisReads(SecretStr(f"redis://u:x@127.0.0.1:{hole.port}/1"))
            task = asyncio.create_task(reads.one("TIME"))
            while not hole.open:  # noqa: ASYNC110  # the very next step is what is tested
                await asyncio.sleep(0)
            task.cancel()
            before = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - before < 1
            assert await hole.emptied(1)
