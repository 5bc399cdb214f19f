"""A look-alike of a swallowed error: names that are taken are refused, and the visitor is told."""

from __future__ import annotations

import secrets
import time

from psycopg.errors import UniqueViolation

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("swallowed-error",)
VISITORS, TAKEN = 40, (9, 17, 18, 31)


def break_it(yard: Yard) -> Wrong:
    yard.run("CREATE UNIQUE INDEX members_name ON members (name)")
    for number in TAKEN:
        yard.run(f"INSERT INTO members (name) VALUES ('m{number}')")
    log, refused = yard.service("web"), 0
    with yard.connected("web") as connection:
        for number in range(1, VISITORS + 1):
            status = 201
            try:
                with connection.transaction():
                    connection.execute("INSERT INTO members (name) VALUES (%s)", (f"m{number}",))
            except UniqueViolation:
                status, refused = 409, refused + 1
            log.info(
                "POST /members %s request_id=%s name=m%s", status, secrets.token_hex(8), number
            )
            time.sleep(0.1)
    assert refused == len(TAKEN)
    return Wrong("")
