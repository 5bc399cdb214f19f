"""The last redaction over the finished text breaks no format, whatever was joined by rendering."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from halfawake.plugins import EXPORTERS, exporter, names
from tests.export.planted import ALL_TEXTS, SECRETS, leaks
from tests.export.secrets import PLANTED
from tests.export.world import ANALYSIS, EVENTS, OPTIONS, incident, log
from timeline.export.csv_ import COLUMNS
from timeline.export.json_ import tree
from timeline.export.publish import publish

HALVES = st.sampled_from(
    [
        "password=",
        '"token": "',
        "Authorization: Bearer",
        "postgres://app:",
        "curl -u ",
        "-----BEGIN RSA PRIVATE KEY-----",
        "Cookie: a=b;",
        "<password>",
        "api_key: '",
        "identified by '",
        "session_id=",
        "phone: ",
        '\\"secret\\":\\"',
    ]
)
"""What makes the text behind it a secret: a field's name, cut off before its value."""
TEXTS = st.one_of(
    HALVES, PLANTED.map(lambda one: one[0]), st.sampled_from(ALL_TEXTS), st.text(max_size=40)
)


def _rendered(name: str, texts: list[str]) -> str:
    """An export with `texts` one behind the other wherever a format joins what was apart."""
    first, second, third = texts
    events = (log("02:07:29.050", first), log("02:07:29.051", second), *EVENTS)
    analysis = replace(ANALYSIS, headline=third, next_action=first, looked_for=(second, third))
    options = replace(OPTIONS, title=first, marked=events[:2])
    return exporter(name).render(replace(incident(events), environment=second), analysis, options)


def _check_json(text: str) -> None:
    told = json.loads(text)
    assert {"timeline", "findings", "evidence", "redaction"} <= told.keys()


def _check_csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == list(COLUMNS)
    assert {len(row) for row in rows} == {len(COLUMNS)}


def _check_keys(text: str) -> None:
    assert {len(row) for row in csv.reader(io.StringIO(text, newline=""))} == {5}


def _check_markup(text: str) -> None:
    ET.fromstring(text.removeprefix("<!doctype html>").removeprefix("<!DOCTYPE html>"))


def _check_jira(text: str) -> None:
    assert text.count("{noformat}\n") % 2 == 0


def _check_slack(text: str) -> None:
    for message in text.split("\n-----\n"):
        assert message.count("```") == 2


def _check_markdown(text: str) -> None:
    assert text.endswith("\n")
    table = [line for line in text.splitlines() if line.startswith("| 2026-")]
    assert table
    for line in table:
        assert line.replace("\\|", "").count("|") == 5, line


CHECKS = {
    "json": _check_json,
    "csv": _check_csv,
    "keys": _check_keys,
    "html": _check_markup,
    "svg": _check_markup,
    "jira": _check_jira,
    "slack": _check_slack,
    "md": _check_markdown,
}


@pytest.mark.parametrize("name", CHECKS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(TEXTS, min_size=3, max_size=3))
def test_the_syntax_stays_whole(name: str, texts: list[str]) -> None:
    assert name in names(EXPORTERS)
    CHECKS[name](_rendered(name, texts))


@pytest.mark.parametrize("name", names(EXPORTERS))
def test_a_secret_that_rendering_puts_together_is_found(name: str) -> None:
    texts = ["mail to mira.vossberg", "@kundenpost-nord.de", "password=Kq7#vRw2!zLx"]
    assert leaks(_rendered(name, texts), SECRETS[:1]) == []


def test_a_replacement_inside_of_json_is_made_in_the_value() -> None:
    """Over the raw text `"password": "a\\"b"` would lose its closing quote."""
    seen = incident(
        (
            log("02:07:29.050", 'said "password": "a\\"b', attributes='{"password": "a\\"b"}'),
            *EVENTS,
        )
    )
    text = exporter("json").render(
        seen, ANALYSIS, replace(OPTIONS, marked=(seen.snapshot.event(0),))
    )
    assert "{redacted:secret}" in text
    assert json.loads(text) == json.loads(json.dumps(json.loads(text)))
    told = publish(seen, ANALYSIS, OPTIONS, lambda document: json.dumps(tree(document)))
    assert json.loads(told)
