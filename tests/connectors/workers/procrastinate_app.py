"""A Procrastinate application for the tests: `python -m … COMMAND [JSON]`, DATABASE_URL set."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from procrastinate import App, PsycopgConnector, RetryStrategy

if TYPE_CHECKING:
    from procrastinate.types import JSONValue, TimeDeltaParams

app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))


@app.task(name="welcome_mail")
def welcome_mail(user_id: int) -> str:
    return f"mail to {user_id}"


@app.task(name="look_up", retry=RetryStrategy(max_attempts=3, wait=3600))
def look_up(user_id: int) -> None:
    raise LookupError(f"User {user_id} not found")


@app.task(name="gives_up")
def gives_up(user_id: int) -> None:
    raise LookupError(f"User {user_id} not found")


@app.task(name="hang")
def hang(flag: str) -> None:
    Path(flag).touch()
    time.sleep(600)


async def defer(jobs: list[tuple[str, dict[str, JSONValue], int]]) -> None:
    """Defer (task, arguments, seconds to wait) jobs; their ids on stdout."""
    async with app.open_async():
        for name, arguments, wait in jobs:
            due: TimeDeltaParams | None = {"seconds": wait} if wait else None
            task = app.configure_task(name, queue="mails", schedule_in=due)
            job = await task.defer_async(**arguments)
            sys.stdout.write(f"{job}\n")


async def work(forever: bool) -> None:
    async with app.open_async():
        await app.run_worker_async(queues=["mails"], wait=forever, concurrency=1, name="w1")


async def schema() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


if __name__ == "__main__":
    command = sys.argv[1]
    if command == "defer":
        asyncio.run(defer(json.loads(sys.argv[2])))
    elif command == "schema":
        asyncio.run(schema())
    else:
        asyncio.run(work(command == "work"))
