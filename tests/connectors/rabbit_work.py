"""Real work on a RabbitMQ broker: publish, acknowledge, refuse, and die with messages in hand."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pika
from pika.exchange_type import ExchangeType

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel

QUEUE = "mailers"
DEAD = "mailers.dead"


@contextlib.contextmanager
def channel(url: str, name: str) -> Iterator[BlockingChannel]:
    """A channel of a connection with that name."""
    parameters = pika.URLParameters(url)
    parameters.client_properties = {"connection_name": name}
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


def declare(url: str) -> None:
    """`mailers`, which dead-letters to `mailers.dead` through the exchange `dlx`."""
    with channel(url, "set-up") as work:
        work.exchange_declare("dlx", ExchangeType("direct"), durable=True)
        work.queue_declare(DEAD, durable=True)
        work.queue_bind(DEAD, "dlx", QUEUE)
        limits = {"x-dead-letter-exchange": "dlx", "x-message-ttl": 3_600_000, "x-max-length": 500}
        work.queue_declare(QUEUE, durable=True, arguments=limits)


def publish(url: str, count: int, queue: str = QUEUE) -> None:
    with channel(url, "web-1") as work:
        for number in range(count):
            work.basic_publish("", queue, b'{"user_id": %d}' % (4700 + number))


def consume(url: str, acked: int = 0, refused: int = 0) -> None:
    """Take messages one by one: acknowledge the first ones, refuse the next for good."""
    with channel(url, "worker-1") as work:
        for number in range(acked + refused):
            tag = take(work, QUEUE)
            if number < acked:
                work.basic_ack(tag)
            else:
                work.basic_nack(tag, requeue=False)


def take(work: BlockingChannel, queue: str) -> int:
    """Take one message; the tag to answer for it with."""
    method, _, _ = work.basic_get(queue)
    assert method is not None
    assert method.delivery_tag is not None, "fewer messages than the test means to take"
    return method.delivery_tag


def wait_for_statistics(seconds: float = 11.0) -> None:
    """Until queues have reported twice: every 5 s, onto a grid of 5 s."""
    time.sleep(seconds)
