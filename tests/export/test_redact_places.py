"""Trying a rule only where it can begin changes nothing, in short texts and in long ones."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.export.planted import ALL_TEXTS
from tests.export.secrets import PLANTED
from tests.export.test_gates import HOSTILE, UNSCREENED
from timeline.export.redact import Redactor
from timeline.export.redact_places import NEAR, applied, edits_of, merged, moved
from timeline.export.rule import Rule
from timeline.export.rules import RULES

STARTED = tuple(n for n, rule in enumerate(RULES) if rule.starts is not None)
PIECES = (
    *("password", "Passwd", "pwd", "API_KEY", "secret_key_base", "Token", "fencing_token", "otp"),
    *("session", "session_id", "Set-Cookie", "authorization", "Proxy-Authorization", "phone"),
    *("first_name", "ssn", "pass", "compass", "=", ":", "=>", '"', "'", '\\"', "[", "]", "{", "}"),
    *(",", ";", "&", "?", "<", ">", "</", "://", "@", "%40", "-", "--", "_", ".", " ", "\t", "\n"),
    *("␊", "\\", "é", "ſ", "\u212a", "İ", "漢", "$1", "xxx", "null", "postgres://", "REDIS://"),
    *("https://", "sftp://", "git@", "x.y+z@mail.example.com", "bearer ", "Basic ", "eyJ", "_eyJ"),
    *("AKIAQ3EGRZ7LWB5XKTVN", "sk-", "xoxb-", "12345678:AA", "-----BEGIN PRIVATE KEY-----", "MIIB"),
    *("-----END PRIVATE KEY-----", "curl ", " -u a:b", " --user ", "identified by '", "password '"),
    *("--password ", "<password>", "4539 5787 6362 1486", "DE89370400440532013000", "8.8.8.8"),
    *("203.113.175.219", "2001:4860:4860::8888", "2026:02:07:29", "/home/ada", "C:\\Users\\eve"),
    *("?sig=", "?code=", "{redacted:secret}", "email#1", "Digest ", "4f2a", "Kq7vRw2z", "4711"),
)
TEXTS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.sampled_from(ALL_TEXTS), PLANTED.map(lambda one: one[0])),
    max_size=30,
).map("".join)


@pytest.mark.parametrize("number", STARTED, ids=lambda n: f"{n}-{RULES[n].name}")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_starts_are_found_at_every_match(number: int, data: st.DataObject) -> None:
    rule = RULES[number]
    text = f"a {data.draw(st.from_regex(rule.pattern))} z"
    everywhere = replace(rule, starts=None, lead=None)
    found = edits_of(rule, text, None, _all_of_it)
    assert found == edits_of(everywhere, text, None, _all_of_it)


def _all_of_it(rule: Rule, match: re.Match[str]) -> tuple[int, int, str]:
    return match.start(), match.end(), rule.name


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_pieces_of_everything_in_any_order(text: str) -> None:
    quick, slow = Redactor(), Redactor(UNSCREENED)
    assert quick.text(text) == slow.text(text)
    assert quick.texts([text] * 20) == [slow.text(text)] * 20


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TEXTS, min_size=1, max_size=6), st.integers(0, 2**32))
def test_the_same_between_kilobytes_of_other_text(planted: list[str], seed: int) -> None:
    chance = random.Random(seed)
    parts = []
    for text in planted:
        unit = chance.choice(("lorem ipsum dolor ", "a", "id=4f2a ok ", "-_", "7 12:", "x.y "))
        parts += [unit * (chance.randrange(20_000) // len(unit)), text]
    long = "".join((*parts, "lorem ipsum " * 1_000))
    assert Redactor().text(long) == Redactor(UNSCREENED).text(long)


PEM = "-----BEGIN EC PRIVATE KEY-----\n" + "MHcCAQEEIBq9\n" * 40 + "-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize("at", [0, 900, 8_000, 15_300, 16_380, 31_000])
def test_a_key_of_many_lines_over_the_edge_of_a_piece(at: int) -> None:
    long = f"{'lorem ipsum '[: at % 12]}{'lorem ipsum ' * (at // 12)}{PEM} {'dolor sit ' * 3_000}"
    redacted = Redactor().text(long)
    assert redacted == Redactor(UNSCREENED).text(long)
    assert "MHcCAQEE" not in redacted
    assert redacted.endswith("dolor sit ")


def test_a_team_rule_before_them_moves_what_is_behind() -> None:
    own = Rule("patient", re.compile(r"\bMRN-(?P<secret>[0-9]+)"))
    words = [f"MRN-{n:09d} password=Kq7vRw2z{n} mail a{n}@shop.example " for n in range(3)]
    long = ("lorem ipsum dolor " * 1_500).join(words)
    redacted = Redactor((own, *RULES)).text(long)
    assert redacted == Redactor((own, *UNSCREENED)).text(long)
    assert redacted.count("{redacted:secret}") == 3
    assert redacted.count("email#") == 3


TOLD = st.lists(st.integers(0, 400), max_size=16, unique=True).map(sorted)


@settings(max_examples=200)
@given(TOLD, TOLD, st.lists(st.text("xyz", max_size=9), min_size=8, max_size=8))
def test_stretches_follow_their_signs(ends: list[int], cuts: list[int], told: list[str]) -> None:
    """Every sign that was in a stretch and was not replaced is in one of the moved."""
    text = "".join(chr(0x4E00 + n) for n in range(50_000))
    stretches = merged(zip(ends[::2], ends[1::2], strict=False))
    edits = [(a, b, new) for a, b, new in zip(cuts[::2], cuts[1::2], told, strict=False)]
    after = applied(text, edits)
    near = moved(stretches, edits, len(after))
    assert near is not None
    kept = [n for a, b in stretches for n in range(a, b)]
    for n in kept:
        if not any(a <= n < b for a, b, _ in edits):
            place = after.index(text[n])
            assert any(a <= place < b for a, b in near), n
    for start, _, new in edits:
        place = start + sum(len(n) - (b - a) for a, b, n in edits if b <= start)
        assert any(a <= max(place - NEAR, 0) and place + len(new) <= b for a, b in near), new


RUNS = {
    "a": "a",
    "equals": "=",
    "quotes": '"',
    "at": "@",
    "colons": ":",
    "braces": "{",
    "closing": "}",
    "objects": '{"a":',
    "tokens": "eyJ",
    "backslashes": "\\",
}
LEAST_MB_S = 10.0
"""Of one megabyte in which nothing is to be replaced, on a machine of 2024 with nothing to do. A
test allows a tenth of it: others run beside."""


@pytest.mark.parametrize("sign", RUNS.values(), ids=RUNS)
def test_a_megabyte_of_one_sign_is_read_at_once(sign: str) -> None:
    text = sign * (1_000_000 // len(sign))
    Redactor().texts(["polars is loaded"] * 20)
    started = time.process_time()
    assert Redactor().text(text) == text
    assert time.process_time() - started < 10 / LEAST_MB_S


@pytest.mark.parametrize("first", HOSTILE[::3])
@pytest.mark.parametrize("second", HOSTILE[::5])
def test_hostile_pieces_side_by_side(first: str, second: str) -> None:
    text = f"{first * 40}{ALL_TEXTS[0]}{second * 40} {first}{second}" * 3
    assert Redactor().text(text) == Redactor(UNSCREENED).text(text)
