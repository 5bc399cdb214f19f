"""The message that runs all backups of a night, and carries itself on to the next one.

There is no timer: whoever receives the message too early puts it back on the queue. Its schedule
stands in itself and nowhere else.
"""

from __future__ import annotations

import logging
import os
import time
import zlib
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from rq import Queue, Retry, get_current_job

from .measured import Measured

if TYPE_CHECKING:
    from rq.job import Job

log = logging.getLogger("backups")
LOOK_AGAIN = timedelta(seconds=5)
KEPT_S = 86_400
CONTENT_BYTES = 3 * 2**20
"""Of one app; what dumps and compresses it takes some tenths of a second."""


def run_all_backups(night: str, due: float) -> None:
    """Back up every app once `due` (seconds since the epoch) has come, else wait another round."""
    if time.time() < due:
        again = _put_on(night, due)
        log.info("run_all_backups: too early for %s, put back as job_id=%s", night, again.id)
        return
    log.info("run_all_backups: starting backups of %s job_id=%s", night, _job().id)
    with psycopg.connect(os.environ["SHOP_DATABASE_URL"], autocommit=True) as connection:
        for app, seed in connection.execute("SELECT id, name FROM apps ORDER BY id").fetchall():
            size = len(zlib.compress(os.urandom(CONTENT_BYTES // 2) + bytes(CONTENT_BYTES // 2)))
            connection.execute(
                "INSERT INTO backups (app_id, night, bytes) VALUES (%s, %s, %s)", (app, night, size)
            )
            _measured("backed_up", app=app, night=night)
            log.info("backup of app_id=%s (%s) for %s done job_id=%s", app, seed, night, _job().id)
        tomorrow = (date.fromisoformat(night) + timedelta(days=1)).isoformat()
        following = _put_on(tomorrow, due + float(os.environ["SHOP_PERIOD_S"]))
        log.info("run_all_backups: put on for %s as job_id=%s", tomorrow, following.id)
        _write_catalogue(connection)
    _measured("night_ended", night=night)
    log.info("run_all_backups: backups of %s finished job_id=%s", night, _job().id)


def _put_on(night: str, due: float) -> Job:
    """The next message of the chain, to be looked at a little later."""
    queue = Queue("backups", connection=_job().connection)
    following = queue.enqueue_in(
        LOOK_AGAIN,
        "shop.backups.run_all_backups",
        night=night,
        due=due,
        retry=Retry(max=1),
        result_ttl=KEPT_S,
    )
    _measured("put_on", following=following.id, night=night)
    return following


def _write_catalogue(connection: psycopg.Connection) -> None:
    """An index of everything that is kept, written anew each night."""
    rows = connection.execute("SELECT app_id, night, bytes FROM backups").fetchall()
    text = repr(rows).encode() + os.urandom(8 * CONTENT_BYTES)
    log.info("catalogue written: %d backups, %d bytes", len(rows), len(zlib.compress(text)))


def _job() -> Job:
    job = get_current_job()
    assert job is not None
    return job


def _measured(what: str, **facts: str | int | None) -> None:
    measured = Measured(Path(os.environ["SHOP_MEASURED"]))
    measured.note(what, job=_job().id, at=time.time_ns(), **facts)
