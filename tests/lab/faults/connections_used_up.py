"""A service opens a connection for every request and forgets to give it back."""

from __future__ import annotations

import contextlib

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard


def break_it(yard: Yard) -> Wrong:
    log = yard.service("search")
    refused = 0
    with contextlib.ExitStack() as leaked:
        for number in range(60):
            try:
                leaked.enter_context(contextlib.closing(yard.connected("search")))
                log.info("GET /search 200 request_id=r%04d", number)
            except psycopg.OperationalError as error:
                refused += 1
                log.error("GET /search 500 request_id=r%04d: %s", number, error)
    assert refused > 10
    return Wrong("connections-exhausted")
