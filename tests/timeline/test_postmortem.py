"""A written postmortem against the records: what supports a row, and what is left out."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.export.world import ANALYSIS, DEPLOY, EVENTS, WINDOW, at, incident, log
from timeline.event import Event, Precision
from timeline.export.postmortem import comparison_json, comparison_text
from timeline.postmortem import Claim, Comparison, Held, Support, held_against
from timeline.window import MINUTE_NS

LONE = log("01:50:00.5", "worker heartbeat", source="web", severity=9)


def claim(clock: str, text: str, precision: Precision = Precision.MINUTE) -> Claim:
    return Claim(at(clock), precision, text, "pm.md@1")


def compared(*claims: Claim, events: tuple[Event, ...] = EVENTS) -> Comparison:
    return held_against(incident(events), ANALYSIS, claims)


def held(one: Claim, events: tuple[Event, ...] = EVENTS) -> Held:
    (row,) = compared(one, events=events).rows
    return row


def test_a_row_that_names_what_was_recorded_is_supported() -> None:
    row = held(claim("02:07:00", "web loses redis: sign-up mails time out"))
    assert row.support is Support.NAMED
    best = row.matches[0]
    assert best.event.source == "web"
    assert {"redis", "sign-up"} <= set(best.shared)
    assert best.apart == 0


def test_the_nearest_of_equals_comes_first_and_tells_how_far_it_is() -> None:
    row = held(claim("02:06:00", "sign-up 4711: enqueue WelcomeMail fails", Precision.SECOND))
    assert row.support is Support.NAMED
    assert row.matches[0].apart == at("02:07:29.117") - at("02:06:01") + 1
    before = held(claim("02:08:00", "enqueue of WelcomeMail for redis", Precision.SECOND))
    assert before.matches[0].apart < 0


def test_a_shared_key_is_worth_more_than_words() -> None:
    row = held(claim("02:07:00", "looked at user_id=4715"))
    assert row.matches[0].shared[0] == "user:4715"


def test_nearness_alone_supports_nothing() -> None:
    row = held(claim("02:07:00", "the customer telephones the helpdesk"))
    assert row.support is Support.NEAR
    assert row.matches == ()
    assert row.near > 0


def test_one_common_word_is_no_support() -> None:
    assert held(claim("02:07:00", "somebody restarts redis by telephone")).support is Support.NEAR


def test_silence_is_told_with_what_was_seen() -> None:
    row = held(claim("02:00:00", "database failover"))
    assert row.support is Support.NOTHING
    assert "web" in row.complete
    seen_in_part = incident()
    unseen = replace(
        seen_in_part,
        sources=(*seen_in_part.sources, replace(seen_in_part.sources[0], name="us-east")),
    )
    (other,) = held_against(unseen, ANALYSIS, [claim("02:00:00", "database failover")]).rows
    assert "us-east" not in other.complete
    assert any("us-east" in sentence for sentence in other.unseen)


def test_rows_outside_and_without_a_time_are_not_judged() -> None:
    outside = held(claim("09:00:00", "redis timeout in web"))
    undated = held(Claim(None, Precision.SECOND, "review", "pm.md@9", why_undated="only a day"))
    assert (outside.support, undated.support) == (Support.OUTSIDE, Support.UNDATED)


def test_turning_points_without_a_row_are_left_out_ones() -> None:
    nothing = compared()
    assert nothing.turning_points == len(nothing.left_out) >= 3
    assert any("v412" in point.text for point in nothing.left_out)
    covered = compared(claim("02:05:00", "deployed"))
    assert all("v412" not in point.text for point in covered.left_out)
    assert any("job-before-commit" in point.text for point in covered.left_out)


def test_a_change_two_minutes_away_is_near_and_farther_ones_are_not() -> None:
    deployed = DEPLOY.timestamp
    for distance, left_out in ((2 * MINUTE_NS, False), (2 * MINUTE_NS + 1, True)):
        row = Claim(deployed - distance, Precision.SECOND, "x", "pm.md@1")
        told = any("v412" in point.text for point in compared(row).left_out)
        assert told is left_out


def test_the_text_says_all_of_it_and_is_redacted() -> None:
    claims = (
        claim("02:07:00", "web loses redis: sign-up mails time out"),
        claim("02:00:00", "mail to ada@example.com"),
        replace(claim("02:01:00", "x"), assumed="its zone is not written: read as UTC"),
        Claim(None, Precision.SECOND, "review", "pm.md@9", why_undated="a day without a time"),
    )
    text = comparison_text(compared(*claims))
    assert "recorded in the time written" in text
    assert "nothing recorded within 2 min" in text
    assert "complete then:" in text
    assert "its zone is not written" in text
    assert "not compared: a day without a time" in text
    assert "ada@example.com" not in text
    assert "4 rows: 1 recorded;" in text


def test_the_json_holds_the_same_and_is_the_same_twice() -> None:
    comparison = compared(claim("02:07:00", "web loses redis: sign-up mails time out"))
    text = comparison_json(comparison)
    assert text == comparison_json(comparison)
    told = json.loads(text)
    assert told["rows"][0]["support"] == "named"
    assert told["rows"][0]["matches"][0]["ref"].endswith(tuple("0123456789"))
    assert len(told["left_out"]) == len(comparison.left_out)


def test_hostile_rows_stay_on_their_line() -> None:
    row = claim("02:07:00", "x\n/close\n\x1b[31mred\u202e redis sign-up")
    text = comparison_text(compared(row))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("/close") for line in text.splitlines())


def test_a_lone_record_far_from_the_row_does_not_support_it() -> None:
    row = held(claim("01:55:00", "worker heartbeat missing"), events=(*EVENTS, LONE))
    assert WINDOW.contains(LONE.timestamp)
    assert row.support is Support.NOTHING
