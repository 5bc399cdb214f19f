"""Megabytes a second that redaction reads: ordinary lines, lines with secrets, one long line.

Of lines that are nearly all secrets the megabytes say little: what is replaced there a second does.
Every text is made here from a fixed seed. A rate is of characters that are all ASCII, so of bytes;
the median and the best of several runs, each with a fresh redactor, beside what they took of the
processor: on a machine that does other things the clock says less.
"""

from __future__ import annotations

import random
import statistics
import string
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from bench.table import write_table
from timeline.export.redact import Redactor

SEED = 20260314
LINES = 60_000
RUNS = 7
LONG_CHARACTERS = 1_000_000
SECRETS_IN_LONG = 20
LETTERS = string.ascii_letters + string.digits

ORDINARY = (
    "[{id}] GET /orders/{n} 200 in {few} ms user_id={few}",
    'level=info svc=web host=web-{few} msg="order stored" order_id={n} duration=0.{few}s',
    '{{"level":"info","logger":"shop.jobs","job_id":"{uuid}","queue":"mailers","attempt":1}}',
    '10.0.{few}.7 - - "POST /cart HTTP/1.1" 201 {few} "-" "Mozilla/5.0 (X11) Chrome/120.0.0.0"',
    "Worker worker-{few}: job {uuid}: welcome_mail(user_id={n}) started",
    "redis.exceptions.TimeoutError: Timeout reading from redis:6379 after 1.{few} s, request r{n}",
    "duration: {few}.117 ms  statement: SELECT id, state FROM orders WHERE id = {n} LIMIT 1",
)
"""What services say, web servers, workers and databases."""
SECRET = (
    "login failed for user{n}@kundenpost.example password={word} from 203.0.113.7",
    "Authorization: Bearer {word}{word} rejected, session_id={word}",
    "connecting to postgres://app:{word}@db-1:5432/shop",
    '{{"event":"paid","card":"4111111111111111","email":"a{n}@shop.example","token":"{word}"}}',
    "open /home/ada{few}/.aws/credentials for batch {n}, api_key={word}",
)


def measure(folder: Path, quick: bool) -> None:
    """Print the rate on each kind of text."""
    del folder
    lines, runs = (LINES // 10, 3) if quick else (LINES, RUNS)
    texts = {
        "ordinary lines": _lines(ORDINARY, lines),
        "lines with secrets": _lines(SECRET, lines // 4),
        "one line of 1 MB, nothing secret": [_long(0)],
        f"one line of 1 MB, {SECRETS_IN_LONG} secrets": [_long(SECRETS_IN_LONG)],
    }
    rows = [[name, *_rates(given, runs)] for name, given in texts.items()]
    head = (
        *("redaction", "MB", "median MB/s", "best MB/s", "best MB/s of CPU"),
        *("replaced", "replaced/s of CPU"),
    )
    write_table(f"redaction, {runs} runs each", head, rows)


def _rates(texts: Sequence[str], runs: int) -> list[str]:
    size = sum(map(len, texts)) / 1e6
    walls, processors, replaced = [], [], 0
    for _ in range(runs):
        redactor = Redactor()
        started, before = time.perf_counter(), time.process_time()
        redactor.texts(texts)
        walls.append(time.perf_counter() - started)
        processors.append(time.process_time() - before)
        replaced = sum(count for _, count in redactor.counts)
    rates = (size / statistics.median(walls), size / min(walls), size / min(processors))
    speed = f"{replaced / min(processors):,.0f}" if replaced else ""
    return [f"{size:.1f}", *(f"{rate:,.1f}" for rate in rates), f"{replaced:,}", speed]


def _lines(kinds: Sequence[str], count: int) -> list[str]:
    chance = random.Random(SEED)
    return [
        f"2026-03-14T02:{n // 60 % 60:02d}:{n % 60:02d}.{n % 1000:03d}Z "
        + kinds[n % len(kinds)].format(
            n=n,
            few=n % 97,
            id=f"{chance.getrandbits(64):016x}",
            uuid=uuid.UUID(int=chance.getrandbits(128)),
            word="".join(chance.choices(LETTERS, k=18)),
        )
        for n in range(count)
    ]


def _long(secrets: int) -> str:
    """One line of `LONG_CHARACTERS`, the secrets spread evenly."""
    parts = _lines(ORDINARY, LONG_CHARACTERS // 60)
    hidden = _lines(SECRET, secrets)
    for number, text in enumerate(hidden):
        parts.insert((number + 1) * len(parts) // (2 * secrets + 2), text)
    return " ".join(parts)[:LONG_CHARACTERS]
