"""The path to the database resets everything for 0.4 s; two services connect again at once."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.proxy import Proxy
from tests.lab.yard import Yard

SERVICES, CLIENTS = ("orders", "profile"), 3
WELL_S, BROKEN_S = 5.0, 0.4


def break_it(yard: Yard) -> Wrong:
    parts, done = urlsplit(yard.postgresql.url), threading.Event()
    assert parts.hostname is not None
    assert parts.port is not None
    with Proxy(parts.hostname, parts.port) as path:
        address = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{path.port}")
        threads = [
            threading.Thread(target=_serve, args=(yard, service, address.geturl(), done))
            for service in SERVICES
        ]
        for thread in threads:
            thread.start()
        time.sleep(WELL_S)
        until = time.monotonic() + BROKEN_S
        while time.monotonic() < until:
            path.cut()
            time.sleep(0.005)
        time.sleep(WELL_S)
        done.set()
        for thread in threads:
            thread.join(10)
    for service in SERVICES:
        assert (yard.logs / f"{service}.log").read_text().count(" 500 ") >= CLIENTS
    return Wrong("network-hiccup", SERVICES)


def _serve(yard: Yard, service: str, address: str, done: threading.Event) -> None:
    """Clients that keep their connection until it breaks, and then make a new one."""
    log = yard.service(service)

    def client(letter: str) -> None:
        connection: psycopg.Connection | None = None
        number = 0
        while not done.wait(0.05):
            number += 1
            request = f"{service[0]}{letter}{number:04}"
            try:
                connection = connection or psycopg.connect(address, autocommit=True)
                connection.execute("INSERT INTO members (name) VALUES ('m')")
                log.info("POST /%s 201 request_id=%s", service, request)
            except psycopg.OperationalError as error:
                connection = None
                log.error("POST /%s 500 request_id=%s: %s", service, request, error)
        if connection is not None:
            connection.close()

    threads = [threading.Thread(target=client, args=("abcdef"[n],)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
