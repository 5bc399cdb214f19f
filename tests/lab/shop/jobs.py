"""The jobs that `mailer` runs: look the row up, send the mail, record that it was sent.

The receipt of an order has grown: it books the sale and counts it for the shop window, too.
"""

from __future__ import annotations

import logging
import os
import smtplib
import time
from email.message import EmailMessage
from pathlib import Path

import psycopg
from redis import Redis
from rq import get_current_job

from .measured import Measured

log = logging.getLogger("mailer")
SENDER = "shop@example.org"


class DoesNotExist(LookupError):
    """There is no such row."""


def welcome_mail(user_id: int) -> None:
    """Greet a new account."""
    with psycopg.connect(os.environ["SHOP_DATABASE_URL"]) as connection:
        log.info("welcome_mail: looking up user_id=%s job_id=%s", user_id, _job())
        email = _email_of(connection, user_id)
        _send(email, "Welcome to the shop")
        _record(connection, user_id, "welcome")
    log.info("welcome_mail: sent user_id=%s job_id=%s", user_id, _job())


def order_receipt(order_id: int) -> None:
    """Book the sale of an order, count it for the shop window, and mail the receipt."""
    with psycopg.connect(os.environ["SHOP_DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(
            "SELECT user_id, product_id FROM orders WHERE id = %s", (order_id,)
        ).fetchone()
        if row is None:
            raise DoesNotExist(f"Order {order_id} does not exist")
        user_id, product_id = row
        connection.execute(
            "INSERT INTO sales (order_id, product_id) VALUES (%s, %s)", (order_id, product_id)
        )
        _did("sale", order_id)
        log.info("order_receipt: sale booked order_id=%s job_id=%s", order_id, _job())
        with Redis.from_url(os.environ["SHOP_REDIS_URL"]) as cache:
            cache.incr(f"sold:{product_id}")
        _did("sold", order_id)
        log.info(
            "order_receipt: product %s counted order_id=%s job_id=%s", product_id, order_id, _job()
        )
        _send(_email_of(connection, user_id), f"Your order {order_id}")
        _record(connection, user_id, "receipt")
        _did("mail", order_id)
    log.info("order_receipt: sent order_id=%s job_id=%s", order_id, _job())


def digest_mail(user_id: int) -> None:
    """What is new in the shop; sent by night, to everybody."""
    with psycopg.connect(os.environ["SHOP_DATABASE_URL"]) as connection:
        _send(_email_of(connection, user_id), "New in the shop")
        _record(connection, user_id, "digest")
    log.info("digest_mail: sent user_id=%s job_id=%s", user_id, _job())


def _email_of(connection: psycopg.Connection, user_id: int) -> str:
    looked_up = time.time_ns()
    row = connection.execute("SELECT email FROM users WHERE id = %s", (user_id,)).fetchone()
    Measured(Path(os.environ["SHOP_MEASURED"])).note(
        "lookup",
        job=_job(),
        user=user_id,
        began=looked_up,
        at=time.time_ns(),
        found=int(row is not None),
    )
    if row is None:
        raise DoesNotExist(f"User {user_id} does not exist")
    email: str = row[0]
    return email


def _send(to: str, subject: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message.set_content(subject)
    with smtplib.SMTP("127.0.0.1", int(os.environ["SHOP_SMTP_PORT"]), timeout=5) as server:
        server.send_message(message)


def _record(connection: psycopg.Connection, user_id: int, kind: str) -> None:
    connection.execute("INSERT INTO mails (user_id, kind) VALUES (%s, %s)", (user_id, kind))


def _did(step: str, order_id: int) -> None:
    """Measure one step of an order's receipt."""
    Measured(Path(os.environ["SHOP_MEASURED"])).note(
        "step", job=_job(), step=step, order=order_id, at=time.time_ns()
    )


def _job() -> str:
    job = get_current_job()
    return job.id if job is not None else "none"
