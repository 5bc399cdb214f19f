"""The plain rendering: the screen's words without a screen, redacted, in any width."""

from __future__ import annotations

import dataclasses

import pytest
from rich.cells import cell_len

from tests.tui import story
from timeline.export.plain import PlainOptions, render_plain

WHOLE = story.incident()


def rendered(**options: object) -> str:
    chosen = PlainOptions(**options)  # type: ignore[arg-type]  # table-driven options
    return render_plain(WHOLE, story.ANALYSIS, story.statuses(), chosen)


def test_answers_the_first_questions_in_order() -> None:
    text = rendered(width=120)
    places = [
        text.index(words)
        for words in (
            "T 2026-03-14 02:13:40Z",
            "Web lost Redis for 2.1 s",
            "Next: Look up 4711",
            "Blind: mailer: silent since 02:12:40",
            "Trust: clocks",
            "FINDINGS",
            "certain   Job ran before its row was visible",
            "not evaluated: lost-update",
            "TIMELINE (UTC, 40 rows of 2444",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_no_line_is_wider_than_asked(width: int) -> None:
    for line in rendered(width=width).splitlines():
        assert cell_len(line) <= width or " " not in line.strip()


def test_every_step_of_every_finding_is_a_row_of_the_timeline() -> None:
    text = rendered(rows=12)
    for number, finding in enumerate(story.FINDINGS[:2], 1):
        for place in range(1, len(finding.steps) + 1):
            assert f"\n{number}.{place} " in text


def test_rows_left_out_add_up() -> None:
    text = rendered(rows=25)
    left = sum(
        int("".join(line.split()[1:-3])) for line in text.splitlines() if "not shown" in line
    )
    assert left == len(WHOLE.snapshot) - 25


def test_secrets_do_not_leave_even_where_a_row_is_cut() -> None:
    secret = "alice.cooper.of.the.long.name@example-of-a-customer.com"
    leaking = dataclasses.replace(story.PAGED, body=f"bounce {secret} {secret}")
    incident = story.incident([leaking])
    for width in (60, 90, 200):
        text = render_plain(incident, None, options=PlainOptions(width=width))
        assert "alice" not in text
    assert "alice" in render_plain(incident, None, options=PlainOptions(redacted=False))


def test_ascii_only_is_ascii() -> None:
    assert rendered(ascii_only=True).isascii()


def test_same_incident_same_text() -> None:
    other = render_plain(story.incident(), story.ANALYSIS, story.statuses())
    assert other == render_plain(WHOLE, story.ANALYSIS, story.statuses())


def test_an_empty_incident_says_what_was_not_seen() -> None:
    text = render_plain(story.incident([]), None, story.statuses())
    assert "Not analysed." in text
    assert "not everything could be seen (mailer, jobs)" in " ".join(text.split())


def test_wide_characters_keep_the_columns() -> None:
    wide = dataclasses.replace(story.PAGED, actor="\u65e5\u672c\u8a9e", body="\u6f22" * 80)
    text = render_plain(story.incident([wide, story.RECOVERED]), None)
    rows = [line for line in text.splitlines() if " log " in line]
    starts = {cell_len(row[: row.index(" log ")]) for row in rows}
    assert len(rows) == 2 and len(starts) == 1
    assert all(cell_len(row) <= 100 for row in rows)
