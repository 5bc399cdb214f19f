"""Ids in the sentences of queue libraries and frameworks, and words with numbers that are none."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.keys import KeyRules, KeyType

ID = "f8cbb76a-2236-4768-9418-3b2a0c2e48a6"
RULES = KeyRules(
    types=(
        KeyType("order", ("order_id",), (), "orders"),
        KeyType("gift_card", ("gift_card_id",), (), "gift_cards"),
    )
)
SAID = [
    (f"Worker w1: mails: shop.jobs.welcome(1) ({ID})", (f"job:{ID}",)),
    (f"mails: Job OK ({ID})", (f"job:{ID}",)),
    (f"Worker w1: job {ID} failed (Work-horse terminated)", (f"job:{ID}",)),
    (f"Task shop.tasks.mail[{ID}] received", (f"job:{ID}",)),
    (f"Received task: shop.tasks.mail[{ID}]  ", (f"job:{ID}",)),
    (f"Task shop.tasks.mail[{ID}] succeeded in 0.1s: None", (f"job:{ID}",)),
    (f"[ActiveJob] [MailJob] [{ID}] Performing MailJob from Sidekiq(default)", (f"job:{ID}",)),
    (f"Performing MailJob (Job ID: {ID}) from Sidekiq(default)", (f"job:{ID}",)),
    (f"Executed GoodJob {ID} in 12.3ms", (f"job:{ID}",)),
    ("MailWorker JID-b4a577edbccf1d805744efa9 INFO: start", ("job:b4a577edbccf1d805744efa9",)),
    (f"Received message mail(7) with id '{ID}'.", (f"job:{ID}",)),
    ("[Worker(host:web pid:1)] Job MailJob (id=42) (queue=mails) RUNNING", ("job:42",)),
    ("Starting job shop.tasks.mail[42](order=88)", ("job:42",)),
    ("Failed to process the job '42': an exception occurred.", ("job:42",)),
    ("job 42 completed", ("job:42",)),
    ("gave up on job #42.", ("job:42",)),
    (f"message {ID} was redelivered", (f"message:{ID}",)),
    (f"request {ID} timed out", (f"request:{ID}",)),
    (f"[{ID}] Started GET / for 10.0.0.9", (f"request:{ID}",)),
    ("Order 88 not found", ("order:88",)),
    ("order #88 was paid", ("order:88",)),
    ("Order with id 88 is gone", ("order:88",)),
    ("GET /orders/88/items 404", ("order:88",)),
    ("PUT /api/v2/gift_cards/GC-7F21 204", ("gift_card:GC-7F21",)),
    ("Gift card 77 was used twice", ("gift_card:77",)),
    ("order 01HZX3K4N5P6Q7R8S9T0V1W2X3 shipped", ("order:01HZX3K4N5P6Q7R8S9T0V1W2X3",)),
]
NO_IDS = [
    "GET /orders/search 200",
    "GET /orders?page=2 200",
    "in order to 5 minutes",
    "order 2026-11-22T08:00:00 imported",
    "Reorder 77",
    "took order 3.5 ms",
    "job queue is empty",
    "jobs 12 waiting",
    "Jobserver 42 ready",
    f"[{ID[:8]}] Started GET /",
    "message 42 of 50",
    "request 42 bytes",
    "(id=7) alone",
    "Task pool[4] grew",
    "Product 12 not found",
]


def in_column(lines: list[str]) -> list[tuple[str, ...]]:
    found = RULES.in_column(pl.Series(lines, dtype=pl.String))
    keys: list[list[str]] = [[] for _ in lines]
    for row, key in found.iter_rows():
        keys[row].append(key)
    return [tuple(row) for row in keys]


@pytest.mark.parametrize(("text", "keys"), SAID)
def test_what_a_library_says_has_its_key(text: str, keys: tuple[str, ...]) -> None:
    assert RULES.in_text(text) == keys


@pytest.mark.parametrize("text", NO_IDS)
def test_a_word_with_a_number_is_no_key(text: str) -> None:
    assert RULES.in_text(text) == ()


def test_a_column_says_the_same() -> None:
    lines = [text for text, _ in SAID] + NO_IDS
    assert in_column(lines) == [RULES.in_text(line) for line in lines]


PIECES = ["job ", "Job ", "Order ", "/orders/", "42", "#", "[", "] ", " (", ")", ID, " ", "'", "é"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=6))
def test_both_engines_agree_on_anything(lines: list[str]) -> None:
    assert in_column(lines) == [RULES.in_text(line) for line in lines]
