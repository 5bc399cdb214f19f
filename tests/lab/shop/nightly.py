"""`nightly`: puts one digest mail on the queue for every account, once, and ends.

`python -m shop.nightly`; logs as `mailer` does.
"""

from __future__ import annotations

import logging
import time

import psycopg
from redis import Redis
from rq import Queue

from .mailer import log_lines
from .measured import Measured
from .settings import Settings


def main() -> None:
    settings = Settings.from_environment()
    log = logging.getLogger("nightly")
    log_lines(settings, log)
    with psycopg.connect(settings.database_url) as connection:
        users = [row[0] for row in connection.execute("SELECT id FROM users ORDER BY id")]
    queue = Queue("mailers", connection=Redis.from_url(settings.redis_url))
    log.info("digest: %d accounts", len(users))
    for user in users:
        queue.enqueue("shop.jobs.digest_mail", user_id=user)
    Measured(settings.measured).note("nightly", jobs=len(users), at=time.time_ns())
    log.info("digest: %d jobs enqueued on mailers", len(users))


if __name__ == "__main__":
    main()
