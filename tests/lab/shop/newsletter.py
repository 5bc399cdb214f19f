"""`newsletter`: writes one delivery for every reader of a campaign in one transaction, and ends.

`python -m shop.newsletter`; logs as `mailer` does. It locks its campaign meanwhile, so that nobody
sends it twice; sign-ups count on the same row.
"""

from __future__ import annotations

import logging

import psycopg

from .mailer import log_lines
from .settings import Settings

CAMPAIGN = 7
READERS = 50_000


def main() -> None:
    settings = Settings.from_environment()
    log = logging.getLogger("newsletter")
    log_lines(settings, log)
    with psycopg.connect(settings.database_url) as connection:
        connection.execute(
            "SELECT name FROM campaigns WHERE id = %s FOR NO KEY UPDATE", (CAMPAIGN,)
        )
        log.info("campaign %d: writing to %d readers", CAMPAIGN, READERS)
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO deliveries (campaign_id, email) VALUES (%s, %s)",
                [(CAMPAIGN, f"subscriber{number}@example.org") for number in range(READERS)],
            )
    log.info("campaign %d: written", CAMPAIGN)


if __name__ == "__main__":
    main()
