"""Ids become stand-ins everywhere, the same for the same; times, counts and evidence stay."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfawake.plugins import EXPORTERS, exporter, names
from tests.export.goldens import OPTIONS as PLAIN_OPTIONS
from tests.export.goldens import analysed
from tests.export.world import ANALYSIS, OPTIONS, incident
from timeline.export.findings import findings_json, findings_text
from timeline.export.redact import Redactor
from timeline.export.status import status

OUTSIDE = replace(OPTIONS, pseudonymise_ids=True)
KEYED = replace(OUTSIDE, stand_in_key=b"sixteen bytes or more")
KEYS = (
    "user:4711",
    "user:31",
    "order:88213",
    "row:users/4711",
    "request:4105b0e596894b2b",
    "peer:redis:6379",
    "job:fda09fac-dd38-4d8d-bd21-82df1ef8d9b3",
    "order:2026/17",
    "user:ada",
    "job:8f4711",
)


def _replaced(text: str, keys: tuple[str, ...] = KEYS) -> str:
    redactor = Redactor()
    redactor.with_ids(keys)
    return redactor.text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user:4711", "user#1"),
        ("user_id=4711 and again userId: 4711", "user_id=user#1 and again userId: user#1"),
        ("sign-up 4711: enqueue", "sign-up user#1: enqueue"),
        ("users/4711 inserted", "users/user#1 inserted"),
        ("row:users/4711", "row:users/user#1"),
        ("job fda09fac-dd38-4d8d-bd21-82df1ef8d9b3 died", "job job#1 died"),
        ("job FDA09FAC-DD38-4D8D-BD21-82DF1EF8D9B3 died", "job job#1 died"),
        ("fda0…d9b3 had done nothing", "job#1 had done nothing"),
        ("rq:job:8f4711", "rq:job#1"),
        ("order 2026/17 failed", "order order#1 failed"),
        ("[4105b0e596894b2b] GET /orders/88213", "[request#1] GET /orders/order#1"),
        ("user 31 has 31 errors", "user user#1 has 31 errors"),
        ("user=ada wrote as ada", "user=user#1 wrote as ada"),
        ("waited 4711 ms, 4711 rows, 02:07:29.4711, 4.4711, 4711.5", None),
        ("2026-03-14T02:07:29.117Z E31 x37", None),
        ("redis:6379 and peer:redis:6379", None),
        ("14711 47110 a4711 4711a", None),
    ],
)
def test_an_id_is_known_wherever_it_stands_and_nothing_else_is(
    text: str, expected: str | None
) -> None:
    assert _replaced(text) == (text if expected is None else expected)


def test_a_number_in_a_field_is_an_id_when_the_field_says_so() -> None:
    redactor = Redactor()
    redactor.with_ids(KEYS)
    value = {"user_id": 4711, "pk": 4711, "count": 4711, "done": True, "order_id": 31, "user": 31}
    assert redactor.value(value) == {
        "user_id": "user#1",
        "pk": "user#1",
        "count": 4711,
        "done": True,
        "order_id": 31,
        "user": "user#2",
    }


@settings(max_examples=150)
@given(st.text(max_size=60), st.sampled_from(KEYS))
def test_what_stands_around_an_id_stays(text: str, key: str) -> None:
    around = f"{text} | {key} | {text}"
    redactor = Redactor(())
    redactor.with_ids([key])
    head, middle, tail = redactor.text(around).rsplit(" | ", 2)
    assert middle == (key if key.startswith("peer") else redactor.text(key))
    assert head == tail == redactor.text(text)


def _ids_left(text: str, ids: set[str]) -> list[str]:
    words = re.finditer(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*", text)
    return [word.group() for word in words if word.group() in ids]


def _known_ids(story: str) -> set[str]:
    keys = analysed(story)[0].snapshot.keys.get_column("key").unique().to_list()
    values = {key.partition(":")[2].rpartition("/")[2] for key in keys}
    return {value for value in values if len(value) >= 5 and not value.isdigit()}


@pytest.mark.parametrize("name", names(EXPORTERS))
@pytest.mark.parametrize("story", ["night-hiccup", "signup-race", "kicked-can"])
def test_no_id_of_a_recorded_night_is_left_in_any_format(story: str, name: str) -> None:
    options = replace(PLAIN_OPTIONS, pseudonymise_ids=True)
    ids = _known_ids(story)
    assert len(ids) > 40
    text = exporter(name).render(*analysed(story), options)
    assert _ids_left(text, ids) == []
    assert not re.search(r"[0-9a-f]{4}…[0-9a-f]{4}", text)
    if name not in ("keys", "svg"):
        assert _ids_left(exporter(name).render(*analysed(story), PLAIN_OPTIONS), ids)


@pytest.mark.parametrize("name", names(EXPORTERS))
def test_the_document_says_so_and_is_the_same_every_time(name: str) -> None:
    told = exporter(name).render(incident(), ANALYSIS, OUTSIDE)
    assert "ids_replaced" in told or "ids are stand-ins" in re.sub(r"\s+", " ", told)
    assert told == exporter(name).render(incident(), ANALYSIS, OUTSIDE)
    assert "4711" not in told


def test_joins_survive() -> None:
    told = json.loads(exporter("json").render(incident(), ANALYSIS, OUTSIDE))
    inserted, started = (
        next(record for record in told["evidence"] if record["kind"] == kind)
        for kind in ("row.inserted", "job.started")
    )
    shared = set(inserted["keys"]) & set(started["keys"])
    assert len(shared) == 1
    (user,) = shared
    assert f"user_id={user}" in started["body"]
    assert user in inserted["body"]
    plain = json.loads(exporter("json").render(incident(), ANALYSIS, OPTIONS))
    for with_ids, without in zip(plain["evidence"], told["evidence"], strict=True):
        assert [with_ids[k] for k in ("label", "id", "time", "unix_ns")] == [
            without[k] for k in ("label", "id", "time", "unix_ns")
        ]


def test_one_key_makes_two_exports_agree_and_another_key_does_not() -> None:
    whole = exporter("json").render(incident(), ANALYSIS, KEYED)
    part = status(incident(), replace(ANALYSIS, headline="user:4715 waits"), KEYED)
    (stand_in,) = re.findall(r"user#[a-z2-7]{8}", part.splitlines()[0])
    assert stand_in in whole
    other = replace(KEYED, stand_in_key=b"another key of some length")
    assert stand_in not in exporter("json").render(incident(), ANALYSIS, other)
    assert "sixteen bytes" not in whole


def test_findings_are_told_without_ids_too() -> None:
    for told in (
        findings_json(incident(), ANALYSIS, OUTSIDE),
        findings_text(incident(), ANALYSIS, OUTSIDE),
    ):
        assert "4711" not in told
        assert "user#1" in told
