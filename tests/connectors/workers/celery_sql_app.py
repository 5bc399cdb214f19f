"""A Celery application whose broker and results are PostgreSQL: `python -m … COMMAND [JSON]`.

DATABASE_URL names the database; RESULTS=django keeps results in Django's table instead of Celery's.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from celery import Celery  # type: ignore[import-untyped]  # Celery has no types

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
DJANGO = os.environ.get("RESULTS") == "django"

app = Celery("mailers", broker=f"sqla+{URL}", backend="django-db" if DJANGO else f"db+{URL}")
app.conf.update(
    accept_content=["json", "pickle"],
    result_extended=os.environ.get("RESULT_EXTENDED", "1") == "1",
    result_serializer=os.environ.get("RESULT_SERIALIZER", "json"),
    task_track_started=os.environ.get("TRACK_STARTED") == "1",
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)

if DJANGO:
    import django  # type: ignore[import-untyped]  # Django has no types
    import psycopg
    from django.conf import settings  # type: ignore[import-untyped]  # as above

    settings.configure(
        USE_TZ=True,
        TIME_ZONE="Asia/Kolkata",
        INSTALLED_APPS=["django_celery_results"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                **{
                    name: value
                    for field, name in (
                        ("host", "HOST"),
                        ("port", "PORT"),
                        ("dbname", "NAME"),
                        ("user", "USER"),
                        ("password", "PASSWORD"),
                    )
                    if (
                        value := psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_URL"])[
                            field
                        ]
                    )
                },
            }
        },
    )
    django.setup()


@app.task(name="mailers.welcome_mail")  # type: ignore[untyped-decorator]  # Celery's
def welcome_mail(user_id: int, note: str = "") -> str:
    return f"mail to {user_id}"


@app.task(name="mailers.look_up", bind=True, max_retries=1)  # type: ignore[untyped-decorator]  # Celery's
def look_up(self, user_id: int, note: str = "", wait: float = 600) -> None:  # type: ignore[no-untyped-def]  # Celery binds it
    raise self.retry(exc=LookupError(f"User {user_id} {note} not found"), countdown=wait)


@app.task(name="mailers.gives_up")  # type: ignore[untyped-decorator]  # Celery's
def gives_up(user_id: int, note: str = "") -> None:
    raise LookupError(f"User {user_id} {note} not found")


@app.task(name="mailers.hang")  # type: ignore[untyped-decorator]  # Celery's
def hang(flag: str) -> None:
    Path(flag).touch()
    time.sleep(600)


def send(jobs: list[tuple[str, dict[str, object], dict[str, object]]]) -> None:
    """Send (task, arguments, settings of apply_async); their ids on stdout."""
    for name, arguments, how in jobs:
        sent = app.tasks[f"mailers.{name}"].apply_async((), arguments, **how)
        sys.stdout.write(f"{sent.id}\n")


def schema() -> None:
    """Django's table; Celery and kombu make theirs as they need them."""
    from django.core.management import call_command  # type: ignore[import-untyped]  # as above

    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    command = sys.argv[1]
    if command == "send":
        send(json.loads(sys.argv[2]))
    elif command == "schema":
        schema()
    else:
        app.worker_main(["worker", "--pool", "solo", "--concurrency", "1", "--loglevel", "info"])
