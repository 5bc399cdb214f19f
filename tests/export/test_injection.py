"""Pasted text is harmless: proved on what a CommonMark parser makes of it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.pasted import REFERENCES, Page, page
from tests.export.world import ANALYSIS, EVENTS, OPTIONS, RACE, SOURCES, incident, log, undated
from timeline.analysis import Analysis, CommonTrait
from timeline.batch import Remark
from timeline.coverage import Coverage, Sight
from timeline.export.contract import Exporter, ExportOptions
from timeline.export.injection import chat_line, clip, code, fenced, in_cell, prose
from timeline.export.markdown import MarkdownExporter
from timeline.export.status import status
from timeline.finding import NotEvaluated
from timeline.incident import Incident, SourceInfo
from timeline.order import Order, Verdict

HOSTILE = (
    "![pixel](http://tracker.example.org/x.png)",
    "[click](javascript:alert(1))",
    "<img src=http://tracker.example.org/x.png>",
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    "<details><summary>x",
    "| a | b | c | d | e |",
    "a \\| b \\\\| c \\",
    "``` ```` `code` ``",
    "`",
    "````text",
    "~~~",
    "# heading",
    "heading\n===",
    "text\n\n# second\n\n| a | b |\n| --- | --- |\n",
    "/close",
    "/assign @team",
    "@team @here please",
    "fixes #123 and owner/repo#45 and GH-12 !7 %3 ~bug $9 &4",
    "<!channel> <@U0123> <!here>",
    "http://tracker.example.org/x www.example.org",
    "mailto:a xmpp:b",
    "a\u202egnp.exe\u2066",
    "zero\u200bwidth\ufeff",
    "\x1b]0;title\x07\x1b[31mred",
    "&lt;b&gt; &#60;i&#62; &#x40;team",
    "**bold** __x__ _y_ *z* ~~s~~",
    "- item\n1. one\n> quote\n---\n+ plus\n* star",
    "[ref]: http://tracker.example.org",
    "[^1] [x] [ ]",
    "$$x$$ $`y`$",
    ":tada: a:tada:b",
    "␊␊# after a break␊/close",
    "line\r\nbreak\u2028separator\x85next\x0b\x0c",
    "8f2c1e9 3f786850e387550fdab836ed7e6dc881de23001b",
    "\ud800 half a character",
    "",
    " ",
)

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

PIECES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(alphabet="`|\\<>[]()!#@/*_~-+=&;:.\n\r\t ␊ab1$%^{}\"'", max_size=30),
    st.text(max_size=20),
)
MESSAGES = st.lists(PIECES, min_size=1, max_size=4).map(" ".join)


def rendered(text: str, exporter: Exporter | None = None) -> str:
    """An export (Markdown) with `text` at every place that outside text can reach."""
    return (exporter or MarkdownExporter()).render(*_filled_with(text))


@lru_cache(maxsize=300)
def _filled_with(text: str) -> tuple[Incident, Analysis, ExportOptions]:
    """What is rendered, kept for the next format."""
    held = text.encode("utf-8", "replace").decode()  # the store takes no half characters
    event = log("02:07:29.050", held, keys=(f"k:{held}",), attributes=f'{{"a": "{held}"}}')
    event = replace(event, actor=held, ref=held)
    first, second, *_ = RACE.steps
    steps = (
        replace(first, event=event, role=text, why=text),
        replace(second, role=text, why=text, order=Order(Verdict.LIKELY, text)),
    )
    finding = replace(
        RACE, text=text, weakest_link=text, steps=steps, keys=(text,), would_decide=(text,),
        alternatives=(text,), next_action=text,
    )  # fmt: skip
    analysis = replace(
        ANALYSIS,
        findings=(finding,),
        headline=text,
        next_action=text,
        common=(CommonTrait(text, text, 1, 2, 0.5),),
        not_evaluated=(NotEvaluated(text, text),),
        looked_for=(text,),
        blind=(Coverage(text, 0, 10**9, Sight.BLIND, text, text),),
        state=replace(ANALYSIS.state, victims=(text, f"user:{text}")),
    )
    seen = incident((event, *EVENTS))
    info = replace(SOURCES[0], system=text, forgets=text)
    remarks = (Remark(text, "odd", text, 1),)
    snapshot = replace(seen.snapshot, remarks=remarks, undated=undated(held))
    extra = SourceInfo(text, info.lane, text, text)
    seen = replace(seen, sources=(info, extra), snapshot=snapshot, environment=text)
    options = replace(OPTIONS, title=text, marked=(event,), tool_version=text)
    return seen, analysis, options


HARMLESS = page(rendered("harmless"))


def assert_harmless(found: Page) -> None:
    assert found.forbidden == []
    assert found.commands == []
    assert found.headings == HARMLESS.headings
    assert set(found.cells_by_row) == {4}
    assert len(found.fences) == len(HARMLESS.fences)
    outside = [text for text in found.plain if REFERENCES.search(text)]
    assert outside == []


def test_the_page_itself_is_what_it_should_be() -> None:
    assert HARMLESS.headings[:3] == ["h2", "h3", "h3"]
    assert len(HARMLESS.cells_by_row) >= 9
    assert HARMLESS.forbidden == []
    assert "harmless" in HARMLESS.fences[1] or any("harmless" in f for f in HARMLESS.fences)


def test_the_judge_sees_what_is_forbidden() -> None:
    """The page's own reader must find these, or the tests below prove nothing."""
    bad = page("![a](http://b) <b>x</b> www.example.org @team #12\n\n# h\n\n---\n")
    kinds = " ".join(bad.forbidden)
    assert all(kind in kinds for kind in ("image", "html_inline", "link_open", "hr"))
    assert bad.headings == ["h1"]
    assert any(REFERENCES.search(text) for text in bad.plain)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text_everywhere(text: str) -> None:
    assert_harmless(page(rendered(text)))


@settings(max_examples=50, deadline=None)
@given(MESSAGES)
def test_no_text_adds_to_the_page(text: str) -> None:
    assert_harmless(page(rendered(text)))


@settings(max_examples=120)
@given(MESSAGES)
def test_a_code_span_holds_exactly_its_text(text: str) -> None:
    found = page(f"before {code(text)} after")
    assert found.forbidden == []
    if found.plain != ["before (empty) after"]:
        assert len(found.code) == 1
        assert found.code[0].strip() == " ".join(found.code[0].split())


@settings(max_examples=120)
@given(MESSAGES)
def test_a_cell_holds_exactly_its_text(text: str) -> None:
    row = f"| a | b |\n| --- | --- |\n| {in_cell(code(text))} | {in_cell(prose(text))} |\n"
    found = page(row)
    assert found.cells_by_row == [2, 2]
    assert found.forbidden == []


@pytest.mark.parametrize("text", ["a|b", "`a|b`", "x \\| y", "\\", "a\\|", "``|``"])
def test_pipes_and_backslashes_survive_in_a_cell(text: str) -> None:
    found = page(f"| a |\n| --- |\n| {in_cell(code(text))} |\n")
    assert found.code == [text.replace("\\|", "\\¦")]


@settings(max_examples=120)
@given(MESSAGES)
def test_a_fence_cannot_be_left(text: str) -> None:
    found = page("\n".join(["before", "", *fenced(text), "", "after"]))
    assert found.plain == ["before", "after"]
    assert len(found.fences) == 1
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", found.fences[0]
    )


@settings(max_examples=200)
@given(MESSAGES)
def test_prose_is_only_prose(text: str) -> None:
    found = page(f"- {prose(text)}")
    assert found.forbidden == []
    assert found.headings == []
    assert [t for t in found.plain if REFERENCES.search(t)] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "web lost redis:6379 for 2.1 s; 31 errors on 2 hosts (41 %).",
        "Look up user:4711 before replaying, at 02:07:29.117.",
        "not evaluated: lost-update (needs row versions)",
        "It began 6 min 11 s before T – likely.",
        "80 ms apart is inside the clock bounds (±250 ms assumed and ±12 ms measured)",
    ],
)
def test_ordinary_sentences_stay_as_they_are(sentence: str) -> None:
    assert prose(sentence) == sentence


def test_what_a_sentence_sets_as_code_stays_code() -> None:
    sentence = "Read it (`kubectl logs --previous`, or the `journal`) and `a|b`."
    assert prose(sentence) == sentence
    assert prose("`@team`x and ``two``") == "`` `@team`x `` and ``` ``two`` ```"


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("Incident (prod eu-1)", "Incident (prod `eu-1`)"),
        ("ran f(a_b) (see g(c_d)).", "ran `f(a_b)` (see `g(c_d)`)."),
        ("(a_b", "(`a_b`"),
        ("a_b):", "`a_b`):"),
        ("...", "`...`"),
        (")", "`)`"),
        ("::", "`::`"),
    ],
)
def test_the_marks_of_the_sentence_stay_outside_of_code(sentence: str, shown: str) -> None:
    assert prose(sentence) == shown


def test_what_looks_like_code_becomes_code() -> None:
    assert prose("WelcomeMail(user_id=4711) ran in mailer.py, then") == (
        "`WelcomeMail(user_id=4711)` ran in `mailer.py`, then"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_the_status_mentions_nobody_and_links_nothing(text: str) -> None:
    analysis = replace(ANALYSIS, headline=text, next_action=text)
    lines = status(incident(), analysis).split("\n")
    assert len(lines) == 4
    assert lines[3] == ""
    for line in lines[:3]:
        assert not re.search(r"@\w|<[!@]|https?://|[\x00-\x1f\u202a-\u202e]", line)
        assert not line.startswith("/")


@given(MESSAGES, st.integers(1, 400))
def test_a_chat_line_is_one_short_line(text: str, limit: int) -> None:
    line = chat_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line


@given(st.text(max_size=50), st.integers(1, 60))
def test_clipping_keeps_the_limit_and_says_so(text: str, limit: int) -> None:
    clipped = clip(text, limit)
    assert len(clipped) <= limit
    assert clipped == text or clipped.endswith("…")
