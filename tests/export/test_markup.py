"""Pages and pictures: well-formed, inert whatever a log says, redacted, the same every time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.drawn import ALLOWED, FORMATS, NIGHTS, golden, seen
from tests.export.goldens import exported
from tests.export.test_injection import HOSTILE, MESSAGES, rendered
from tests.export.world import ANALYSIS, DEPLOY, EVENTS, OPTIONS, incident, log
from timeline.export.contract import Exporter
from timeline.export.markup import look_over, number, own, style, tag, told, told_lines
from timeline.export.publish import redactor_for

BREAKING = (
    "</style><script>alert(1)</script>",
    "</title></svg><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "<![CDATA[x]]> ]]> <?php x ?> <!DOCTYPE html>",
    "<svg onload=alert(1)><foreignObject><iframe src=//x>",
    "&lt;script&gt; &#x3c;img&#62; &amp; &",
    "<style>*{background:url(http://tracker.example.org)}</style>",
    "<meta http-equiv=refresh content='0;url=http://tracker.example.org'>",
    "<base href=http://tracker.example.org><form action=x><input formaction=y>",
    "\ufffe\uffff\x00\x0b\x7f",
    "a\tb\u2028c\u0085d",
)
both = pytest.mark.parametrize("exporter", FORMATS, ids=lambda one: one.name)


def test_the_judge_sees_what_is_forbidden() -> None:
    """The reader of pages must find these, or the tests below prove nothing."""
    bad = seen(
        "<script>x</script><img src=x onerror=y><a href='javascript:z'>l</a><p style='a'>"
        "<!-- c --><rect fill='url(http://t.example.org)'/><style>@import 'a'</style>"
    )
    assert "<script>" in bad.forbidden
    assert "<img>" in bad.forbidden
    assert "img onerror" in bad.forbidden
    assert "a href=javascript:z" in bad.forbidden
    assert "p style" in bad.forbidden
    assert "<!-- c -->" in bad.forbidden
    assert "rect fill=url(http://t.example.org)" in bad.forbidden
    assert "a style sheet that loads something" in bad.forbidden


def test_no_element_that_runs_or_loads_is_allowed() -> None:
    runs = {"script", "img", "iframe", "object", "embed", "link", "base", "form", "use", "image",
            "foreignobject", "animate", "set", "video", "audio", "button"}  # fmt: skip
    assert not runs & ALLOWED.keys()
    assert not [name for names in ALLOWED.values() for name in names if name.startswith("on")]


@both
@pytest.mark.parametrize("text", (*HOSTILE, *BREAKING))
def test_hostile_text_stays_text_everywhere(text: str, exporter: type[Exporter]) -> None:
    markup = rendered(text, exporter())
    markup.encode("utf-8")
    ET.fromstring(markup)
    assert seen(markup).forbidden == []


@both
@pytest.mark.parametrize("text", BREAKING[:8])
def test_hostile_text_adds_no_element(text: str, exporter: type[Exporter]) -> None:
    harmless = seen(rendered("harmless", exporter()))
    found = seen(rendered(text, exporter()))
    assert Counter(found.elements) == Counter(harmless.elements)  # sources stand by name
    assert any(text[:12] in piece for piece in found.text)


@both
@settings(max_examples=25, deadline=None)
@given(text=st.one_of(MESSAGES, st.text(max_size=60)))
def test_no_text_breaks_the_markup(text: str, exporter: type[Exporter]) -> None:
    markup = rendered(text, exporter())
    ET.fromstring(markup)
    assert seen(markup).forbidden == []


@both
def test_what_is_secret_leaves_nowhere(exporter: type[Exporter]) -> None:
    secret = "deployed by ada@example.com with password=hunter2hunter2"
    deploy = replace(DEPLOY, body=secret)
    failed = log("02:07:30.999", secret, keys=("user:ada@example.com",))
    seen_ = incident((*(e for e in EVENTS if e is not DEPLOY), deploy, failed))
    options = replace(OPTIONS, marked=(failed,), title=secret)
    text = exporter().render(seen_, replace(ANALYSIS, headline=secret), options)
    assert "ada@" not in text
    assert "hunter2" not in text
    assert "email#1" in text
    open_ = replace(options, no_redact_reason="a drill")
    text = exporter().render(seen_, replace(ANALYSIS, headline=secret), open_)
    assert "hunter2hunter2" in text
    assert "a drill" in text


@both
def test_the_same_incident_gives_the_same_bytes_in_any_order_of_arrival(
    exporter: type[Exporter],
) -> None:
    names = sorted({event.source for event in EVENTS})
    first = exporter().render(incident(EVENTS, names), ANALYSIS, OPTIONS)
    assert first == exporter().render(incident(EVENTS, names[::-1]), ANALYSIS, OPTIONS)


@both
@pytest.mark.parametrize("story", NIGHTS)
def test_the_recorded_nights_look_as_they_did(story: str, exporter: type[Exporter]) -> None:
    text = exported(story, exporter())
    ET.fromstring(text)
    assert seen(text).forbidden == []
    assert text == golden(story, exporter).read_text("utf-8")


def test_the_last_redaction_reads_texts_and_never_tags() -> None:
    page = tag("p", told("token=<abcdefghij0123456789>"), tag("b", told("ada@example.com & co")))
    checked = look_over(page, redactor_for(OPTIONS))
    assert "abcdefghij" not in checked
    assert checked.endswith("<b>email#1 &amp; co</b></p>\n")
    assert ET.fromstring(checked).tag == "p"


def test_elements_are_written_for_both_kinds_of_parser() -> None:
    assert tag("td") == "<td></td>"
    assert tag("path", d='M0 0"', stroke_width=1.0) == '<path d=\'M0 0"\' stroke-width="1"/>\n'
    assert tag("label", told("a  <b>"), for_="x") == '<label for="x">a &lt;b&gt;</label>\n'
    assert told_lines("a\n  b␊<c>") == "a\n  b\n&lt;c&gt;"
    assert own(" & ") == " &amp; "
    assert [number(value) for value in (1.04, 1.06, -2.0, 12)] == ["1", "1.1", "-2", "12"]
    with pytest.raises(ValueError, match="style sheet"):
        style("a::before{content:'<'}")
