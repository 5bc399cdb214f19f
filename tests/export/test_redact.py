"""Redaction: no planted secret survives in any format, and no evidence dies of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.secrets import PLANTED, SURVIVORS, Planted
from tests.export.world import ANALYSIS, EVENTS, OPTIONS, RACE, incident, log
from timeline.event import Event
from timeline.export.document import Document
from timeline.export.json_ import JsonExporter
from timeline.export.markdown import MarkdownExporter
from timeline.export.publish import publish
from timeline.export.redact import Redactor
from timeline.export.rule import Rule
from timeline.export.rules import RULES
from timeline.export.status import status
from timeline.finding import JsonValue


@pytest.mark.parametrize("text", SURVIVORS)
def test_what_an_incident_is_told_by_survives(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text
    assert redactor.counts == ()


@settings(max_examples=300)
@given(PLANTED)
def test_no_planted_secret_survives(planted: Planted) -> None:
    text, secret = planted
    redacted = Redactor().text(text)
    assert secret not in redacted, redacted


@pytest.mark.parametrize("name", ["pwd", "otp", "cvv", "cvc", "pass", "token", "ns2:pwd"])
def test_an_element_with_a_short_name_holds_a_secret_too(name: str) -> None:
    text = f"soap fault for <user>u-17</user><{name}>Kq7vRw2z</{name}><age>44</age>"
    assert "Kq7vRw2z" not in Redactor().text(text)
    assert "<age>44</age>" in Redactor().text(text)


@settings(max_examples=200)
@given(st.one_of(PLANTED.map(lambda planted: planted[0]), st.text(max_size=80)))
def test_hints_only_save_time(text: str) -> None:
    searched = Redactor([replace(rule, hints=()) for rule in RULES])
    assert Redactor().text(text) == searched.text(text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_name_of_its_own_words(rule: Rule) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", rule.name)
    assert all(hint == hint.lower() for hint in rule.hints)


WRAPPINGS: tuple[Callable[[str], str], ...] = (
    lambda text: json.dumps({"message": text}, ensure_ascii=False),
    lambda text: json.dumps(json.dumps({"m": text, "n": 1}, ensure_ascii=False)),
    repr,
    lambda text: f"[{text}]",
    lambda text: f"{text}␊{text} tail",
    lambda text: f'msg="{text}" level=info',
    lambda text: f"ERROR: ({text}) at x.py:12",
)


@settings(max_examples=200)
@given(PLANTED, st.sampled_from(WRAPPINGS))
def test_no_planted_secret_survives_inside_other_formats(
    planted: Planted, wrapping: Callable[[str], str]
) -> None:
    text, secret = planted
    redacted = Redactor().text(wrapping(text))
    assert secret not in redacted, redacted


@settings(max_examples=150)
@given(PLANTED, st.sampled_from(SURVIVORS))
def test_redacting_twice_changes_nothing_more(planted: Planted, beside: str) -> None:
    redactor = Redactor()
    once = redactor.text(f"{beside} {planted[0]}")
    counts = redactor.counts
    assert redactor.text(once) == once
    assert redactor.counts == counts
    assert Redactor().text(once) == once


@settings(max_examples=300)
@given(st.text(max_size=120))
def test_any_text_is_stable_after_one_pass(text: str) -> None:
    once = Redactor().text(text)
    assert Redactor().text(once) == once


def _everywhere(text: str) -> tuple[Event, ...]:
    attributes = json.dumps({"args": text, "columns": {"note": text}})
    return (log("02:07:29.050", text, attributes=attributes), *EVENTS)


@settings(max_examples=30, deadline=None)
@given(PLANTED)
def test_no_secret_survives_in_any_format_wherever_it_stands(planted: Planted) -> None:
    text, secret = planted
    events = _everywhere(text)
    finding = replace(
        RACE,
        text=f"The job said {text}.",
        weakest_link=text,
        keys=(f"note:{text}",),
        steps=(replace(RACE.steps[0], event=events[0], why=text), *RACE.steps[1:]),
        would_decide=(text,),
        next_action=text,
    )
    analysis = replace(ANALYSIS, findings=(finding,), headline=text, next_action=f"Look: {text}")
    seen = incident(events)
    options = replace(OPTIONS, title=text, marked=(events[0],))
    rendered = {
        "md": MarkdownExporter().render(seen, analysis, options),
        "json": JsonExporter().render(seen, analysis, options),
        "status": status(seen, analysis, options),
    }
    for name, document in rendered.items():
        for form in {secret, secret.replace("\\", "\\\\"), secret.replace("|", "\\|")}:
            assert form not in document, name


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("password", "correct horse", "{redacted:secret}"),
        ("cvv", 123, "{redacted:secret}"),
        ("api_key", ["a1", "b2"], ["{redacted:secret}", "{redacted:secret}"]),
        ("credentials", {"id": "a", "n": 7}, {"id": "{redacted:secret}", "n": "{redacted:secret}"}),
        ("authorization", "anything", "{redacted:authorization}"),
        ("session_id", "f00", "session#1"),
        ("phone", "0170 1234567", "{redacted:phone}"),
        ("first_name", "Ada", "user#1"),
        ("password", None, None),
        ("password", True, True),
        ("token", "expired", "expired"),
        ("tokens", 4096, 4096),
        ("user_id", 4711, 4711),
        ("token_count", 12, 12),
    ],
)
def test_the_name_of_a_structured_field_counts(
    field: str, value: JsonValue, expected: JsonValue
) -> None:
    assert Redactor().value({"deep": [{field: value}]}) == {"deep": [{field: expected}]}


def test_stand_ins_keep_joins_alive_and_say_nothing_else() -> None:
    redactor = Redactor()
    first = redactor.text("ada@example.com from 203.0.113.5, then bob@example.com")
    second = redactor.text("Ada@Example.com again, via 203.0.113.5 and 198.51.100.7")
    assert first == "email#1 from ip#1, then email#2"
    assert second == "email#1 again, via ip#1 and ip#2"


def test_counts_name_every_rule_that_replaced_something() -> None:
    redactor = Redactor()
    redactor.text("password=a1b2 token=c3d4 ada@example.com")
    assert redactor.counts == (("email", 1), ("secret", 2))


def test_the_words_around_a_secret_still_tell_the_story() -> None:
    text = "POST /pay?card=4111111111111111 by ada@example.com: password=x1y2 refused"
    assert Redactor().text(text) == (
        "POST /pay?card={redacted:card-number} by email#1: password={redacted:secret} refused"
    )


def test_the_teams_own_rules_come_first() -> None:
    rule = Rule("patient", re.compile(r"\bMRN-(?P<secret>[0-9]+)"))
    text = "MRN-004711 admitted"
    options = replace(OPTIONS, extra_rules=(rule,))
    document = MarkdownExporter().render(
        incident((log("02:07:29.050", text), *EVENTS)), ANALYSIS, options
    )
    assert "004711" not in document
    assert "MRN-{redacted:patient}" in document
    assert "patient 2" in document


def test_switching_it_off_needs_a_reason_and_prints_it() -> None:
    open_options = replace(OPTIONS, no_redact_reason="internal review, room 4")
    events = (log("02:07:29.050", "mail to ada@example.com bounced"), *EVENTS)
    text = MarkdownExporter().render(incident(events), ANALYSIS, open_options)
    assert "ada@example.com" in text
    assert "**not redacted**, because: internal review, room 4" in text
    assert "ada@example.com" not in MarkdownExporter().render(incident(events), ANALYSIS, OPTIONS)


def test_the_last_pass_finds_what_rendering_joined() -> None:
    """A field and its value that stand in different texts of the document meet in the output."""
    options = replace(OPTIONS, title="password=")
    seen = replace(incident(), environment="hunter2")
    counts: list[tuple[tuple[str, int], ...]] = []

    def write(document: Document) -> str:
        counts.append(document.redactions)
        return document.title + document.environment

    assert publish(seen, ANALYSIS, options, write) == "password={redacted:secret}"
    assert "secret" not in dict(counts[0])
    assert dict(counts[1])["secret"] == 1


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 60_000,
        "a@" * 30_000,
        "password=" * 8_000,
        'password="' * 6_000,
        "eyJ" * 20_000,
        "://" * 20_000,
        "https://" + "a:" * 30_000,
        "-----BEGIN PRIVATE KEY-----" * 2_000,
        "4111 " * 12_000,
        "1.2.3." * 10_000,
        "DE89 " * 12_000,
        "cookie: a;" * 6_000,
        "curl " * 12_000,
        "\\" * 60_000,
        'token\\\\"' * 8_000,
        "2001:" * 12_000,
        "bearer " * 9_000,
        "--a-token " * 6_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_costs_linear_time(hostile: str) -> None:
    """Quadratic work on 60,000 characters takes minutes; a second forgives a busy machine."""
    started = time.process_time()
    Redactor().text(hostile)
    assert time.process_time() - started < 1.0
