"""RabbitMQ, a queue of parcels for it, and consumers (`parcels.py`)."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import httpx
import pika
import psycopg

from tests.lab.faults.parcels import QUEUE
from tests.lab.yard import Yard
from tests.servers.rabbitmq import amqp_url, create_reader, rabbitmq

GRID = (("age", 60), ("incr", 5))
"""Seconds: which of the broker's samples, and how far apart."""


class Parcels:
    """Messages of one member each, and who books them."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        server = yard.keep(rabbitmq())
        self._management = server.url
        self._url = amqp_url(server)
        yard.configure(f"""
[env.yard.sources.broker]
connector = "rabbitmq"
url = "{create_reader(server)}"
""")

    def publish(self, members: range) -> None:
        """One persistent message for each member."""
        log = self._yard.service("web")
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True)
        for member in members:
            message = uuid.uuid4().hex
            words = pika.BasicProperties(delivery_mode=2, message_id=message)
            channel.basic_publish("", QUEUE, json.dumps({"member_id": member}).encode(), words)
            log.info("parcel ordered member_id=%s message_id=%s", member, message)
        connection.close()

    def start(self, host: str, **environment: str) -> subprocess.Popen[bytes]:
        """A consumer that takes messages."""
        program = "tests.lab.faults.parcels"
        return self._yard.start(host, sys.executable, "-m", program, self._url, host, **environment)

    def booked(self) -> list[int]:
        """The member of each booking, in the order of the bookings."""
        with psycopg.connect(self._yard.postgresql.url) as connection:
            rows = connection.execute("SELECT member_id FROM letters ORDER BY id").fetchall()
        return [int(member) for (member,) in rows]

    def given_out_again(self) -> int:
        """How many more messages delivered again its samples show than before.

        The counter itself knows of it some seconds earlier, but who is called looks at the past.
        """
        grid = {
            f"{what}_{name}": value for what in ("lengths", "msg_rates") for name, value in GRID
        }
        answer = httpx.get(f"{self._management}/api/queues/%2F/{QUEUE}", params=grid, timeout=10)
        stats = answer.raise_for_status().json().get("message_stats", {})
        samples = [one["sample"] for one in stats.get("redeliver_details", {}).get("samples", ())]
        return max(samples, default=0) - min(samples, default=0)
