"""Quick actions for GitLab's incident timeline: read back as GitLab reads them, and inert."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.logs.zones import ZoneRule
from connectors.notes.written import moment_of, note_in_line
from tests.export.world import (
    ANALYSIS,
    EVENTS,
    NOTE,
    OPTIONS,
    TIMEOUTS,
    at,
    incident,
    log,
    saying,
)
from timeline.event import Event
from timeline.export.gitlab import NOTE_CHARACTERS, GitlabExporter

HOSTILE = (
    "/close", "\n/close\n", "x | 2001-01-01 00:00", "`", "```", "a`", "| /assign @root",
    "@here #12 !3 ~bug $4 %5", "<details>\n/close\n</details>", ">>>\n/close\n>>>", "\r/close",
    "\u2028/close", "\x85/close",
    "![x](http://evil.example/x.png)", "{redacted:x}`", "`\n/close\n`",
)  # fmt: skip
NAMES = "timeline|close|reopen|assign|label|tableflip|shrug|title|confidential|move|duplicate"
SKIPPED = (  # what GitLab's extractor takes out before it looks for commands
    r"^```.+?\n```$", r"^.*`\n*.+?\n*`$", r"^<[^>]+?>\n.+?\n</[^>]+?>$", r"^>>>.+?\n>>>$",
)  # fmt: skip
EXTRACTOR = re.compile(
    "|".join(f"(?:{one})" for one in SKIPPED)
    + rf"|^/(?P<cmd>{NAMES})(?: (?P<arg>[^\n]*))?(?:\s*\n|$)",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)


def commands(text: str) -> list[tuple[str, str]]:
    """What GitLab would do with a pasted comment, by the rule its extractor is written with."""
    found = (match for match in EXTRACTOR.finditer(text.replace("\r", "")))
    return [(match["cmd"], match["arg"]) for match in found if match["cmd"]]


def rendered(*events: Event, text: str | None = None) -> str:
    analysis = ANALYSIS if text is None else saying(text=text)
    return GitlabExporter().render(incident(events or EVENTS), analysis, OPTIONS)


def test_every_row_is_one_action_with_its_minute() -> None:
    done = commands(rendered())
    assert {name for name, _ in done} == {"timeline"}
    for _, argument in done:
        assert argument.count("|") == 1
        said, when = (part.strip() for part in argument.split("|"))
        datetime.strptime(when, "%Y-%m-%d %H:%M")  # noqa: DTZ007  GitLab reads it as UTC
        assert 0 < len(said) <= NOTE_CHARACTERS
    minutes = [argument.rpartition("| ")[2] for _, argument in done]
    assert minutes == sorted(minutes)


def test_what_is_finer_than_a_minute_stays_in_the_text() -> None:
    onset = next(arg for _, arg in commands(rendered()) if "redis:6379" in arg)
    assert onset.startswith("02:07:29.117 (-6 min 10.883 s from T) ")
    noted = replace(NOTE, timestamp=at("02:16:00"))
    told = next(arg for _, arg in commands(rendered(*EVENTS, noted)) if "paused mailers" in arg)
    assert told.startswith("(+2 min")


def test_our_own_reader_reads_them_back() -> None:
    lines = [line for line in rendered().splitlines() if line.startswith("/timeline")]
    stamps = [moment_of(note, "", ZoneRule.named("Asia/Tokyo")).stamp.ns
              for line in lines if (note := note_in_line(line)) is not None]  # fmt: skip
    assert len(stamps) == len(lines)
    assert TIMEOUTS[0].timestamp // (60 * 10**9) * 60 * 10**9 in stamps


@pytest.mark.parametrize("text", HOSTILE)
def test_a_recorded_text_starts_no_other_action(text: str) -> None:
    hostile = log("02:07:30.500", text, keys=("user:4711",))
    out = rendered(*EVENTS, hostile, text=text)
    done = commands(out)
    assert {name for name, _ in done} == {"timeline"}
    assert len(done) == sum(line.startswith("/timeline ") for line in out.splitlines())
    assert not any(line.endswith("`") for line in out.splitlines())


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("/`|<>\n\r \t@#!~$%&closeassign[]()\u2028\x0b"), max_size=60))
def test_no_text_does(text: str) -> None:
    hostile = log("02:07:30.500", f"x{text}", keys=("user:4711",))
    hostile = replace(hostile, actor=text or "web")
    out = rendered(*EVENTS, hostile, text=f"{text}.")
    assert {name for name, _ in commands(out)} == {"timeline"}
    assert len(commands(out)) == out.count("\n/timeline ") + out.startswith("/timeline ")


def test_totals_redactions_and_version_stay_as_the_comment() -> None:
    out = rendered()
    rest = [line for line in out.splitlines() if not line.startswith("/timeline ")]
    assert any(line.startswith("- Totals: ") for line in rest)
    assert any(line.startswith("- Redacted: ") for line in rest)
    assert rest[-1].startswith("- The timeline holds whole minutes in UTC")


def test_a_cut_is_counted() -> None:
    out = GitlabExporter().render(incident(), ANALYSIS, replace(OPTIONS, limit=1_900))
    assert len(out) <= 1_900
    assert re.search(r"- Cut: [0-9]+ of [0-9]+ events left out", out)
