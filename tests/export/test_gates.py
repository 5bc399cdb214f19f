"""A gate lets through whatever its rule matches, and what is screened is redacted the same."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.export.planted import ALL_TEXTS
from tests.export.secrets import PLANTED, SURVIVORS
from timeline.export.gates import LONG_TEXT
from timeline.export.redact import Redactor
from timeline.export.rule import Rule
from timeline.export.rules import RULES

UNSCREENED = tuple(replace(rule, gate="", hints=(), starts=None, lead=None) for rule in RULES)
"""Each rule's pattern over the whole of each text: what all the rest only makes quick."""
CORPUS = (*ALL_TEXTS, *SURVIVORS)


def _opens(rule: Rule, text: str) -> bool:
    return bool(pl.Series([text]).str.contains(rule.gate).item())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_built_in_rule_has_a_gate(rule: Rule) -> None:
    assert rule.gate
    assert not _opens(rule, "02:07:29 INFO GET /orders/4711 200 in 12 ms")


@pytest.mark.parametrize("number", range(len(RULES)), ids=lambda n: f"{n}-{RULES[n].name}")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_gate_is_never_narrower_than_its_rule(number: int, data: st.DataObject) -> None:
    rule = RULES[number]
    text = data.draw(st.from_regex(rule.pattern))
    found = rule.pattern.search(text)
    assert found is None or not rule.accept(found) or _opens(rule, text)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(PLANTED.map(lambda one: one[0]), st.text(max_size=60),
                          st.sampled_from(CORPUS)), max_size=40))  # fmt: skip
def test_many_texts_become_what_each_of_them_becomes(texts: list[str]) -> None:
    together, apart = Redactor(), Redactor(UNSCREENED)
    assert together.texts(texts) == [apart.text(text) for text in texts]
    assert together.counts == apart.counts


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(PLANTED.map(lambda one: one[0]), st.sampled_from(CORPUS)), max_size=12),
    st.integers(0, 2**32),
)
def test_a_long_text_becomes_what_it_becomes_when_all_of_it_is_read(
    planted: list[str], seed: int
) -> None:
    chance = random.Random(seed)
    words = [f"step {n} of request {chance.getrandbits(40):x} took {n % 90} ms" for n in range(900)]
    for text in planted:
        words.insert(chance.randrange(len(words)), text)
    long = " ".join(words)
    assert len(long) > 3 * LONG_TEXT
    assert Redactor().text(long) == Redactor(UNSCREENED).text(long)


@pytest.mark.parametrize("at", [0, 1_020, 2_040, 8_190, 16_384, 40_000])
@pytest.mark.parametrize("secret", ALL_TEXTS, ids=range(len(ALL_TEXTS)))
def test_a_secret_over_the_edge_of_a_piece_is_seen(secret: str, at: int) -> None:
    filler = "lorem ipsum dolor " * 3_000
    long = f"{filler[:at]} {secret} {filler}"
    assert Redactor().text(long) == Redactor(UNSCREENED).text(long)


HOSTILE = (
    "a@", "password=", 'password="', "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "eyJ", "eyJ-.",
    "://", "https://a:", "4111 ", "DE89 ", "DE8937040044", "1.2.3.", "8.8.8.", "2001:", "2001::",
    "cookie: a;", "curl ", "curl -u ", "bearer ", "--a-token ", "<a-password>", "token: ", "\\",
    'token\\\\"', "identified by '", "?sig=", "/home/", "authorization: ", "sk-", "xoxb-", "MII",
    "session=", "phone=+49 ", "name=", "%40", ".", "key-", "a.b@c.d ", "password '",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_of_a_megabyte_costs_time_in_proportion(piece: str) -> None:
    """Quadratic work makes a text eight times as long sixty-four times as dear."""
    taken = []
    for size in (125_000, 1_000_000):
        text = piece * (size // len(piece))
        started = time.process_time()
        Redactor().text(text)
        taken.append(time.process_time() - started)
    assert taken[1] < 1.0 or taken[1] < 24 * taken[0], taken
    assert taken[1] < 20.0
