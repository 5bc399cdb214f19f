"""Looking for texts in a value finds all that redaction comes to, and tells what is unusual."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

import pytest

from timeline.export.redact import Redactor
from timeline.export.redact_held import HeldTexts


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Box:
    title: str
    inside: object = None
    colour: Colour = Colour.RED


def test_texts_at_any_depth_and_the_names_of_fields() -> None:
    held = HeldTexts(Box("a", {"b": [("c", 1, None), Box("d")], 5: 2.5}))
    assert set(held.texts) == {"a", "b", "c", "d", "5"}
    assert set(held.names) == {"b", "5"}
    assert held.is_usual


@pytest.mark.parametrize(
    "part", [MappingProxyType({"k": "v"}), OrderedDict(k="v"), b"v", {"v"}, Box], ids=str
)
def test_what_is_not_told_by_its_type_alone_is_unusual(part: object) -> None:
    assert not HeldTexts([Box("a", part)]).is_usual


def test_members_of_an_enumeration_hold_no_text() -> None:
    held = HeldTexts([Colour.RED, Colour.RED])
    assert (dict(held.texts), held.is_usual) == ({}, True)


def test_a_value_without_secrets_is_given_back_and_one_with_them_is_not_changed() -> None:
    clean = tuple(Box(f"line {n}", {"attempt": n}) for n in range(40))
    assert Redactor().value(clean) is clean
    spotted = (*clean, Box("password=Kq7vRw2z", {"pwd": 4711}))
    told = Redactor().value(spotted)
    assert told[:40] == clean
    assert spotted[40].title == "password=Kq7vRw2z"
    assert (told[40].title, told[40].inside) == (
        "password={redacted:secret}",
        {"pwd": "{redacted:secret}"},
    )


def test_a_secret_field_counts_though_no_text_is_secret() -> None:
    boxes = [Box(f"line {n}", {"n": n}) for n in range(40)]
    told = Redactor().value([*boxes, Box("line", {"password": 4711})])
    assert told[40].inside == {"password": "{redacted:secret}"}


def test_what_cannot_leave_is_named() -> None:
    with pytest.raises(TypeError, match="bytes cannot leave"):
        Redactor().value([Box("a", b"raw")])
