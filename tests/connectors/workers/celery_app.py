"""A Celery application for the tests: tasks that succeed, fail and retry, or hang until killed.

Broker and result backend are Redis at CELERY_BROKER_URL. Run it with
`python -m celery --app tests.connectors.workers.celery_app worker --pool solo`.
"""

from __future__ import annotations

import os
import sys
import time

from celery import Celery  # type: ignore[import-untyped]  # Celery has no types

URL = os.environ["CELERY_BROKER_URL"]
HANG_S = 600

app = Celery("mailers", broker=URL, backend=URL)
app.conf.update(
    accept_content=["json"],
    result_extended=os.environ.get("RESULT_EXTENDED") == "1",
    task_track_started=os.environ.get("TRACK_STARTED") == "1",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    task_protocol=int(os.environ.get("TASK_PROTOCOL", "2")),
)
if os.environ.get("REDELIVER_SOON") == "1":
    soon = {"visibility_timeout": 1, "unacked_restore_interval": 1, "unacked_restore_throttle": 1}
    app.conf.broker_transport_options = soon


@app.task(name="mailers.welcome_mail")  # type: ignore[untyped-decorator]  # Celery's
def welcome_mail(user_id: int) -> str:
    return f"mail to {user_id}"


@app.task(name="mailers.look_up", bind=True, max_retries=1)  # type: ignore[untyped-decorator]  # Celery's
def look_up(self, user_id: int, countdown: float = 600) -> None:  # type: ignore[no-untyped-def]  # Celery binds it
    error = LookupError(f"User {user_id} not found")
    raise self.retry(exc=error, countdown=countdown)


@app.task(name="mailers.hang", acks_late=True)  # type: ignore[untyped-decorator]  # Celery's
def hang_acknowledged_late(user_id: int) -> None:
    _hang()


@app.task(name="mailers.hang_early")  # type: ignore[untyped-decorator]  # Celery's
def hang(user_id: int) -> None:
    _hang()


def _hang() -> None:
    sys.stdout.write("hanging\n")
    sys.stdout.flush()
    time.sleep(HANG_S)
