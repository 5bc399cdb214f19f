"""A dramatiq application for the tests: actors that succeed, fail and retry, or hang until killed.

The broker is Redis at DRAMATIQ_BROKER_URL. Run it with
`python -m dramatiq tests.connectors.workers.dramatiq_app --processes 1 --threads 1`.
"""

from __future__ import annotations

import os
import sys
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

HANG_S = 600
RETRY_MS = 600_000

URL = os.environ["DRAMATIQ_BROKER_URL"]
broker = RedisBroker(url=URL)  # type: ignore[no-untyped-call]  # unannotated in dramatiq
dramatiq.set_broker(broker)


@dramatiq.actor
def welcome_mail(user_id: int) -> None:
    sys.stdout.write(f"mail to {user_id}\n")
    sys.stdout.flush()


@dramatiq.actor(max_retries=1, min_backoff=RETRY_MS, max_backoff=RETRY_MS)
def look_up(user_id: int) -> None:
    raise LookupError(f"User {user_id} not found")


@dramatiq.actor(max_retries=0)
def give_up(user_id: int) -> None:
    raise LookupError(f"User {user_id} not found")


@dramatiq.actor
def hang(user_id: int) -> None:
    sys.stdout.write("hanging\n")
    sys.stdout.flush()
    time.sleep(HANG_S)
