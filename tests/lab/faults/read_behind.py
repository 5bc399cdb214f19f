"""A page is read from a standby that is two seconds behind: what was written is not there.

The standby is a real one; halfawake reads it as a second database.
"""

from __future__ import annotations

import secrets
import time

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard
from tests.servers.standby import standby_of

DELAY = "2s"
READS = 12


def break_it(yard: Yard) -> Wrong:
    log, missed = yard.service("profile"), list[str]()
    standby = yard.keep(standby_of(yard.postgresql, recovery_min_apply_delay=DELAY))
    yard.also_database("db-standby", standby)
    with yard.connected("profile") as primary, psycopg.connect(standby.url) as replica:
        for _ in range(READS):
            row = primary.execute("INSERT INTO members (name) VALUES ('m') RETURNING id").fetchone()
            primary.commit()
            assert row is not None
            log.info("POST /members 201 request_id=%s member_id=%s", secrets.token_hex(8), row[0])
            time.sleep(0.1)
            asked = "SELECT 1 FROM members WHERE id = %s"
            if replica.execute(asked, row).fetchone() is None:
                missed.append(f"member:{row[0]}")
                told = f"request_id={secrets.token_hex(8)} member_id={row[0]}"
                log.error("GET /members/%s 404 %s: Member %s not found", row[0], told, row[0])
            replica.commit()
    time.sleep(3)
    assert len(missed) == READS
    return Wrong("stale-read", (missed[0], missed[-1]))
