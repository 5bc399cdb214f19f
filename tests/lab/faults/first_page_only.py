"""A script writes to every member, and asks for the members by an address that gives a hundred."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

MEMBERS, PAGE = 132, 100
STOOD_S = 35.0
"""Nothing came for so long: before that a batch may be resting."""
EXPECTED = """
[env.yard.expected.letters]
source = "db"
query = "SELECT id FROM members ORDER BY id"
key = "member"
job_class = "letter"
"""


def break_it(yard: Yard) -> Wrong:
    yard.configure(EXPECTED)
    yard.run(f"INSERT INTO members (name) SELECT 'm' || n FROM generate_series(1, {MEMBERS}) n")
    time.sleep(1)
    log = yard.service("newsletter")
    for host in ("letters-1", "letters-2"):
        yard.start_worker(host)
    queue = yard.queue()
    log.info("newsletter of May begins")
    with yard.connected("newsletter") as connection:
        found = connection.execute(f"SELECT id FROM members ORDER BY id LIMIT {PAGE}").fetchall()
    for (member,) in found:
        queue.enqueue("tests.lab.faults.jobs.letter", member)
    log.info("newsletter of May is on its way")
    yard.drain(within_s=60)
    time.sleep(STOOD_S)
    return Wrong("partial-batch", ("member:101", f"member:{MEMBERS}"))
