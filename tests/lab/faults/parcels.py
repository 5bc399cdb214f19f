"""A consumer of parcels: `python -m tests.lab.faults.parcels AMQP-URL HOST`.

It takes ten messages at a time and acknowledges five at once, as is advised against round trips.
At SIGTERM it finishes the parcel in hand, acknowledges what it did, and closes. With `YARD_DIES_AT`
it is gone without a word after so many parcels, as who needs too much memory is.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time

import pika
import psycopg

QUEUE = "parcels"
AT_A_TIME, AT_ONCE = 10, 5
TAKES_S = 0.15

log = logging.getLogger("parcels")


def main() -> None:
    url, host = sys.argv[1:]
    shape = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO, format=shape, datefmt="%Y-%m-%dT%H:%M:%S", stream=sys.stdout
    )
    logging.getLogger("pika").setLevel(logging.WARNING)
    stopped = list[int]()
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.basic_qos(prefetch_count=AT_A_TIME)
    log.info("parcels on %s waits for messages", host)
    done, last, dies_at = 0, 0, int(os.environ.get("YARD_DIES_AT", "0"))
    for method, properties, body in channel.consume(QUEUE, inactivity_timeout=0.1):
        if method is not None and properties is not None and body is not None:
            _book(json.loads(body)["member_id"], str(properties.message_id))
            last, done = method.delivery_tag or last, done + 1
            if done == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if done % AT_ONCE == 0:
                channel.basic_ack(last, multiple=True)
        if stopped:
            break
    if done % AT_ONCE:
        channel.basic_ack(last, multiple=True)
    channel.cancel()
    channel.connection.close()
    log.info("parcels on %s stopped", host)


def _book(member: int, message: str) -> None:
    time.sleep(TAKES_S)
    with psycopg.connect(os.environ["YARD_DATABASE"], application_name="parcels") as connection:
        connection.execute("INSERT INTO letters (member_id) VALUES (%s)", (member,))
    log.info("parcel booked member_id=%s message_id=%s", member, message)


if __name__ == "__main__":
    main()
