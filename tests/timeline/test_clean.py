"""Cleaning: nothing that drives a terminal survives, and both engines clean alike."""

from __future__ import annotations

import sys
import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.clean import clean, clean_bytes, clean_column

EVERY_CHARACTER = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
NASTY = st.sampled_from(
    list("\x00\x07\x08\t\n\r\x0b\x1b\x7f\x85\x9b\u00ad\u200b\u202e\u2066\ufeff")
)
TEXTS = st.lists(st.text(max_size=8) | NASTY | st.just("\r\n"), max_size=8).map("".join)
UTF8 = TEXTS.map(lambda text: text.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("plain [/markup] text", "plain [/markup] text"),
        ("\x1b[31mred\x1b[0m", "\u241b[31mred\u241b[0m"),
        ("\x1b]0;title\x07", "\u241b]0;title\u2407"),
        ("a\tb", "a b"),
        ("one\ntwo\r\nthree\n\n", "one\u240atwo\u240athree"),
        ("50 %\r100 %", "50 %\u240d100 %"),
        ("evil\u202egpj.exe", "evil\u27e8202e\u27e9gpj.exe"),
        ("zero\u200bwidth", "zero\u27e8200b\u27e9width"),
        ("\u009b31m", "\u27e89b\u27e931m"),
        ("hid\U000e0041den", "hid\u27e8e0041\u27e9den"),
        ("a\u3164b", "a\u27e83164\u27e9b"),
        ("\ud800 half", "\ufffd half"),
        ("Grüße, 東京 👍🏽 ❤️ é", "Grüße, 東京 👍🏽 ❤️ é"),
        ("", ""),
    ],
)
def test_clean(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


def test_every_character_is_harmless_and_both_engines_agree() -> None:
    cleaned = [clean(f"x{character}y") for character in EVERY_CHARACTER]
    assert clean_column(pl.Series([f"x{c}y" for c in EVERY_CHARACTER])).to_list() == cleaned
    for character, text in zip(EVERY_CHARACTER, cleaned, strict=True):
        category = unicodedata.category(character)
        if text != f"x{character}y" and category[0] in "LMNPS":
            name: str = unicodedata.name(character, "")
            assert category == "Mn" or "FILLER" in name
        assert unicodedata.category(text[1]) != "Cc"
        assert unicodedata.bidirectional(text[1]) not in _DIRECTING


_DIRECTING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@settings(deadline=None)
@given(TEXTS | st.text(st.characters(), max_size=30))
def test_a_cleaned_text_is_one_safe_line_and_stays(text: str) -> None:
    cleaned = clean(text)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned)
    assert not set(cleaned) & {"\u2028", "\u2029"}
    assert clean(cleaned) == cleaned
    cleaned.encode()


@settings(deadline=None)
@given(st.text(st.characters(categories=["Lu", "Ll", "Nd", "Po", "Sm"]), max_size=30))
def test_visible_text_is_left_alone(text: str) -> None:
    assert clean(text) == text


@settings(deadline=None)
@given(st.lists(st.none() | UTF8, max_size=12))
def test_column_equals_text(texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    expected = [None if text is None else clean(text) for text in texts]
    assert clean_column(column).to_list() == expected


def test_columns_longer_than_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.clean.SLICE_ROWS", 3)
    texts = ["a", None, "\x1b", "ü", "", "b\n", "c", "\tx"]
    expected = [None if text is None else clean(text) for text in texts]
    assert clean_column(pl.Series(texts)).to_list() == expected


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_become_a_safe_text(raw: bytes) -> None:
    text = clean_bytes(raw)
    assert clean(text) == text
    assert "\x1b" not in text


def test_one_bad_byte_costs_only_itself() -> None:
    assert clean_bytes(b"before \xff after") == "before \ufffd after"
