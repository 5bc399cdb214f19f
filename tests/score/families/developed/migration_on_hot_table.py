"""A migration wants the hot table for itself, waits behind a report, and everyone waits behind it.

PostgreSQL logs the waits (`log_lock_waits`), in German for some; requests run into their timeout.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import failed_request
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World

REPORT, MIGRATION, OID = 8_812, 9_034, 24_719
TABLES = ("stock_levels", "price_lists", "journal", "sessions")
"""Hot tables beside those that the healthy traffic writes."""


def prepare(world: World) -> None:
    settle(world, tongues=("spring-german", "phoenix", "go-slog", "nest-pino", "laravel"))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    took, table = here.rng.uniform(20.0, 140.0), here.rng.choice(TABLES)
    ended = here.onset_s + took
    column = here.rng.choice(("gift_note text", "vat_rate numeric(5,2) NOT NULL DEFAULT 0"))
    statement = f"ALTER TABLE {table} ADD COLUMN {column}"
    here.change(here.onset_s - 8, f"migrate {table} on production", who="release-train")
    what = here.database_says("relation", oid=OID)
    waits = {"what": what, "statement": statement, "holder": REPORT}
    own = {**waits, "pid": MIGRATION, "mode": "AccessExclusiveLock"}
    here.database_line(here.onset_s + 1, MIGRATION, "waiting", 9, **own, queue=MIGRATION, ms=1_000)
    hit = _pile_up(here, ended, what, table)
    ms = int(took * 1_000)
    report = f"SELECT kind, sum(amount) FROM {table} GROUP BY kind"
    here.database_line(ended - 0.01, REPORT, "duration", 9, ms=ms + 90_000, statement=report)
    here.database_line(ended, MIGRATION, "acquired", 9, **own, ms=ms)
    here.database_line(ended + 0.3, MIGRATION, "duration", 9, ms=ms + 300, statement=statement)
    here.close_the_books()
    said = here.told_text(here.onset_s, ended + 1)
    named = sum(what in body for body in said)
    return fault(
        here,
        "lock-queue",
        ended + 12,
        hit,
        also=("change-before",),
        effect=named >= 4 and any("AccessExclusiveLock" in body for body in said),
    )


def _pile_up(here: Night, ended: float, what: str, table: str) -> list[Entity]:
    """Sessions that queue up behind the migration; some are cancelled and their requests fail."""
    firm, queue, hit = here.firm, [MIGRATION], list[Entity]()
    at, allowed = here.onset_s + here.rng.uniform(0.2, 1.0), here.rng.choice((5.0, 10.0, 15.0))
    phrase = here.rng.choice(("statement_timeout", "lock_timeout"))
    while at < ended:
        pid = here.rng.randint(10_000, 29_999)
        queue.append(pid)
        statement = f"SELECT * FROM {table} WHERE id = $1"
        mode = here.rng.choice(("AccessShareLock", "RowExclusiveLock"))
        if at + 1 < ended:
            waiting = ", ".join(map(str, queue[-9:]))
            told = {"holder": REPORT, "queue": waiting, "ms": 1_000, "statement": statement}
            here.database_line(at + 1, pid, "waiting", 9, pid=pid, mode=mode, what=what, **told)
        if at + allowed < ended:
            words = here.database_says(phrase)
            here.database_log(at + allowed, pid, words, 17)
            service = here.rng.choice((firm.front, *firm.backs))
            error = here.error(service, "sql", message=words)
            hit.append(failed_request(here, at + allowed + 0.01, service, error, path=f"/{table}"))
        at += here.rng.uniform(0.4, 3.0)
    return hit
