"""The three lines for the chat."""

from __future__ import annotations

from dataclasses import replace

from tests.export.world import ANALYSIS, OPTIONS, incident
from timeline.coverage import Coverage, Sight
from timeline.export.status import LINE_CHARACTERS, status


def test_state_next_and_blind_in_three_lines() -> None:
    first, second, third, rest = status(incident(), ANALYSIS, OPTIONS).split("\n")
    assert first.startswith("prod T 2026-03-14T02:13:40Z, recovered: web lost redis for 1.4 s.")
    assert second == "Next: Look up user:4711 before replaying WelcomeMail."
    assert third.startswith("Blind: mailer-us: silent · mailers keeps no successes after 500 s")
    assert third.endswith("window -30/+5 min")
    assert rest == ""


def test_it_is_redacted_like_every_export() -> None:
    told = replace(
        ANALYSIS,
        headline="ada@example.com got no mail",
        next_action="curl -u ops:hunter2 https://x",
        blind=(Coverage("pg", 0, 1, Sight.BLIND, "postgres://app:hunter2@db refused"),),
    )
    text = status(incident(), told)
    assert "ada@" not in text
    assert "hunter2" not in text
    assert "email#1 got no mail" in text
    assert "hunter2" in status(incident(), told, replace(OPTIONS, no_redact_reason="drill"))


def test_while_collecting_it_says_so() -> None:
    first, second, third, _ = status(incident(), None).split("\n")
    assert first == "prod T 2026-03-14T02:13:40Z: still collecting"
    assert second.startswith("Next:")
    assert "window" in third


def test_lines_stay_short_and_blind_spots_are_counted() -> None:
    blind = tuple(Coverage(f"s{n}", 0, 1, Sight.BLIND, "silent") for n in range(9))
    text = status(incident(), replace(ANALYSIS, headline="x" * 900, blind=blind))
    assert all(len(line) <= LINE_CHARACTERS for line in text.split("\n"))
    assert "and 8 more" in text


def test_nothing_to_say_is_said() -> None:
    quiet = replace(ANALYSIS, headline="", next_action="", blind=(), not_evaluated=())
    text = status(replace(incident(), sources=()), quiet)
    assert "nothing found yet" in text
    assert "nothing known to be missing" in text
