"""The yard's Celery application: a charge, acknowledged when it is done, and a dispatch."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

import psycopg
from celery import Celery  # type: ignore[import-untyped]  # Celery has no types

from tests.lab.faults.mariadb_client import connected

if TYPE_CHECKING:
    import pymysql

LEASE_S = 3
TAKES_S = 1.0

app = Celery("charges", broker=os.environ.get("REDIS_URL", ""))
app.conf.task_acks_late = True
app.conf.worker_prefetch_multiplier = 1
app.conf.broker_transport_options = {"visibility_timeout": LEASE_S}
app.conf.result_backend = os.environ.get("REDIS_URL", "")

log = logging.getLogger("celery.task.charges")


def charge(member_id: int) -> None:
    """Take the money, then write it down."""
    log.info("charging member_id=%s", member_id)
    time.sleep(TAKES_S)
    with psycopg.connect(os.environ["YARD_DATABASE"], application_name="charges") as connection:
        connection.execute("INSERT INTO letters (member_id) VALUES (%s)", (member_id,))
    log.info("charged member_id=%s", member_id)


class DoesNotExist(LookupError):
    """There is no such row."""


_accounts: list[pymysql.Connection] = []
"""The worker's one connection: made once, and never told that a transaction is over."""


def dispatch(account_id: int) -> None:
    """Look an account up in MariaDB and send it its card."""
    _accounts.extend([] if _accounts else [connected(os.environ["YARD_ACCOUNTS"])])
    with _accounts[0].cursor() as cursor:
        if not cursor.execute("SELECT points FROM accounts WHERE id = %s", (account_id,)):
            raise DoesNotExist(f"Account {account_id} does not exist")
    log.info("card sent account_id=%s", account_id)


def client(url: str) -> Celery:
    """The same application as a service has it that only asks for work."""
    return Celery("web", broker=url, backend=url)


app.task(charge, name="charges.charge")
app.task(dispatch, name="charges.dispatch")
