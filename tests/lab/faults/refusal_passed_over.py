"""An import catches whatever the database says and goes on; some names are taken, and their members
are reported as imported."""

from __future__ import annotations

import contextlib
import secrets
import time

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

MEMBERS, TAKEN = 40, (9, 17, 18, 31)
THERE_FOR_S = 1.5
"""The taken names are of another day: their rows must not pass for what the import brought."""


def break_it(yard: Yard) -> Wrong:
    yard.run("CREATE UNIQUE INDEX members_name ON members (name)")
    for number in TAKEN:
        yard.run(f"INSERT INTO members (name) VALUES ('m{number}')")
    time.sleep(THERE_FOR_S)
    log = yard.service("import")
    with yard.connected("import") as connection:
        for number in range(1, MEMBERS + 1):
            with contextlib.suppress(psycopg.Error), connection.transaction():
                connection.execute(
                    "INSERT INTO members (name, points) VALUES (%s, 100)", (f"m{number}",)
                )
            log.info("POST /import 201 request_id=%s name=m%s", secrets.token_hex(8), number)
            time.sleep(0.1)
    with psycopg.connect(yard.postgresql.url) as connection:
        row = connection.execute("SELECT count(*) FROM members WHERE points = 100").fetchone()
    assert row == (MEMBERS - len(TAKEN),)
    return Wrong("swallowed-error", (), frozenset(("duplicate-create",)))
