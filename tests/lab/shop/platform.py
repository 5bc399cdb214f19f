"""`platform`: what the apps run on; says now and then that it is there. Logs as `mailer` does.

`python -m shop.platform`; ends on SIGTERM.
"""

from __future__ import annotations

import logging
import signal
import threading

import psycopg

from .mailer import log_lines
from .settings import Settings

EVERY_S = 10.0


def main() -> None:
    settings = Settings.from_environment()
    log = logging.getLogger("platform")
    log_lines(settings, log)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        while not stopping.wait(EVERY_S):
            row = connection.execute("SELECT count(*) FROM apps").fetchone()
            log.info("%d apps are up", row[0] if row else 0)
    log.info("stopped")


if __name__ == "__main__":
    main()
