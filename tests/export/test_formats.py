"""The formats `list`, `slack`, `jira` and `csv` on the recorded nights.

Each is compared with its golden file, then read back and held against the JSON export of the same
night, which shares none of their writing: the same records, times and order.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from halfawake.handover import FileHandover
from tests.export.goldens import FORMATS, OPTIONS, STORIES, analysed, exported, golden
from tests.export.world import ANALYSIS, EVENTS, NOTE, incident, log
from tests.export.world import OPTIONS as SMALL
from timeline.event import Event
from timeline.export.csv_ import COLUMNS, KEYS_BETWEEN, CsvExporter
from timeline.export.jira import JIRA_CHARACTERS, JiraExporter
from timeline.export.json_ import JsonExporter
from timeline.export.markdown import MarkdownExporter
from timeline.export.slack import BETWEEN, MESSAGE_CHARACTERS, SlackExporter
from tui.export_page import draft_lines

TIME = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)?)?)"
CITES = r"(?: \[(?P<cites>E\d[^\]]*)\])?"
REPEATS = re.compile(r" \((?:x|one of |the last of )\d[\d ]*(?: over [^)]*)?\)\Z")
LIST_ROW = re.compile(rf"- {TIME}Z \((?P<distance>[^)]+)\) (?P<speaker>.+?): (?P<text>.*?){CITES}")
SLACK_ROW = re.compile(
    rf"{TIME} {{2,}}(?P<distance>\S.*?) {{2}}(?P<speaker>\S.*?) {{2,}}(?P<text>.*?){CITES}"
)
JIRA_ROW = re.compile(
    rf"\|{TIME}\|(?P<distance>[^|]+)\|(?P<speaker>[^|]+)\|(?P<text>[^|]*?){CITES}\|"
)


@dataclass(frozen=True)
class Read:
    """One row as a format tells it."""

    time: str
    distance_ns: int
    speaker: str
    text: str
    cites: tuple[str, ...]


def truth(story: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(exported(story, JsonExporter()))["timeline"]
    return found


def nanoseconds(words: str) -> int:
    """`-5 min 38.472 s` as ns; `T` and `0 s` are none at all."""
    units = {"h": 3_600 * 10**9, "min": 60 * 10**9, "s": 10**9, "ms": 10**6, "d": 86_400 * 10**9}
    size = sum(
        round(float(number) * units[unit])
        for number, unit in re.findall(r"(\d+(?:\.\d+)?) (d|h|min|s|ms)\b", words)
    )
    return -size if words.startswith("-") else size


def labels(cites: str | None) -> tuple[str, ...]:
    """`E3, E5` or `E3 to E9`."""
    if not cites:
        return ()
    first, _, last = cites.partition(" to ")
    if not last:
        return tuple(cites.split(", "))
    return tuple(f"E{number}" for number in range(int(first[1:]), int(last[1:]) + 1))


def rows_in(text: str, pattern: re.Pattern[str], plain: Callable[[str], str]) -> list[Read]:
    """Every line that `pattern` matches, `plain` undoing the format's own escapes."""
    found = []
    for line in text.split("\n"):
        if match := pattern.fullmatch(plain(line)):
            said = REPEATS.sub("", match["text"])
            distance = nanoseconds(match["distance"])
            cites = labels(match["cites"])
            found.append(Read(match["time"], distance, match["speaker"], said, cites))
    return found


def read_list(text: str) -> list[Read]:
    return rows_in(text, LIST_ROW, lambda line: line.replace("`", ""))


def read_slack(text: str) -> list[Read]:
    return rows_in(text, SLACK_ROW, str)


def read_jira(text: str) -> list[Read]:
    def plain(line: str) -> str:
        return re.sub(r"\\(.)", r"\1", line).translate(str.maketrans("⧵", "\\"))

    return rows_in(text, JIRA_ROW, plain)


READERS = {"list": read_list, "slack": read_slack, "jira": read_jira}


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("story", STORIES)
def test_a_recorded_night_looks_as_it_did(story: str, name: str) -> None:
    text = exported(story, FORMATS[name]())
    assert text.replace("\r\n", "\n") == golden(story, name).read_text(encoding="utf-8")
    assert text == FORMATS[name]().render(*analysed(story), OPTIONS), "a second run differs"


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize("story", STORIES)
def test_what_is_read_back_is_what_happened(story: str, name: str) -> None:
    rows = READERS[name](exported(story, FORMATS[name]()))
    expected = truth(story)
    assert len(rows) == len(expected) >= 8
    for row, recorded in zip(rows, expected, strict=True):
        assert row.time == str(recorded["time"]).replace("T", " ").removesuffix("Z")
        assert list(row.cites) == recorded["cites"]
        assert row.speaker == recorded["speaker"]
        exact = int(str(recorded["from_pin_ns"]))
        assert 0 <= abs(exact) - abs(row.distance_ns) < 10**6
        assert exact * row.distance_ns >= 0
        prefix = "inferred: " if recorded["origin"] == "inferred" else f"{recorded['label']} "
        said = " ".join(f"{prefix}{recorded['text']}".split())
        assert said.startswith(row.text.removesuffix("…"))
        assert row.text.endswith("…") or said == row.text


@pytest.mark.parametrize("story", STORIES)
def test_every_cited_record_stands_in_the_csv_in_time_order(story: str) -> None:
    header, *rows, totals = csv_rows(exported(story, CsvExporter()))
    assert tuple(header) == COLUMNS
    tree = json.loads(exported(story, JsonExporter()))
    cited = {label for row in tree["timeline"] for label in row["cites"]}
    evidence = [record for record in tree["evidence"] if record["label"] in cited]
    recorded = [row for row in rows if row[2] != "halfawake"]
    assert [told(row) for row in recorded] == [
        (
            record["time"], record["source"], record["lane"], record["kind"], record["severity"],
            record["actor"], " ".join(record["body"].split()), tuple(record["keys"]), record["ref"],
        )
        for record in evidence
    ]  # fmt: skip
    stamps = [row[0].removesuffix("Z").ljust(29, "0") for row in rows]
    assert stamps == sorted(stamps)
    assert {row[4] for row in rows} >= {"pin"}
    assert totals[4] == "totals"
    assert "Shown: " in totals[7]


def csv_rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def told(row: list[str]) -> tuple[object, ...]:
    """A CSV row without its distance, the apostrophe before a formula taken away."""
    time, _, source, lane, kind, severity, actor, text, keys, ref = (
        re.sub(r"\A'(?=[=+\-@])", "", cell) for cell in row
    )
    named = tuple(keys.split(KEYS_BETWEEN)) if keys else ()
    return time, source, lane, kind, severity, actor, text, named, ref


def test_csv_lines_end_as_rfc_4180_asks_and_distances_name_their_side() -> None:
    text = exported("signup-race", CsvExporter())
    assert text.count("\n") == text.count("\r\n") == len(csv_rows(text))
    distances = {row[1].split(" ", 2)[-1] for row in csv_rows(text)[1:-1]}
    assert any(words.endswith("before T") for words in distances)
    assert not any(words.startswith(("-", "+")) for words in distances)


@pytest.mark.parametrize("story", STORIES)
def test_slack_messages_are_short_numbered_and_closed(story: str) -> None:
    messages = exported(story, SlackExporter()).removesuffix("\n").split(f"\n{BETWEEN}\n")
    assert len(messages) > 1
    for number, message in enumerate(messages, 1):
        assert len(message) < MESSAGE_CHARACTERS
        lines = message.split("\n")
        assert lines[0].startswith(f"*{number}/{len(messages)}* ")
        assert [place for place, line in enumerate(lines) if "```" in line] == [1, len(lines) - 1]
        assert len(lines) > 3
    status = messages[0].split("\n")[2:4]
    assert status[0].startswith("State: lab, ")
    assert status[1].startswith("Next: ")


def _crowd(count: int) -> tuple[Event, ...]:
    """`count` long records, no two of one kind, so that each is a row of its own."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return tuple(
        log(
            f"02:07:{n % 60:02d}.{n:03d}",
            f"error {letters[n % 26] * (n // 26 + 1)} {'z' * 900}",
            byte=10**9 + n,
        )
        for n in range(count)
    )


@pytest.mark.parametrize("limit", [4_000, 16_000, 60_000, 10**6])
@pytest.mark.parametrize("name", sorted(READERS))
def test_what_exceeds_the_limit_is_cut_and_said(name: str, limit: int) -> None:
    marked = _crowd(500)
    seen = incident((*EVENTS, *marked))
    text = FORMATS[name]().render(seen, ANALYSIS, replace(SMALL, limit=limit, marked=marked))
    most = min(limit, JIRA_CHARACTERS) if name == "jira" else limit
    assert len(text) <= most
    cut = re.search(r"Cut: ([\d ]+) of ([\d ]+) (?:lines|pieces) left out to stay under", text)
    assert (cut is None) == (limit == 10**6 and name != "jira")
    if cut is not None:
        left_out, of = (int(number.replace(" ", "")) for number in cut.groups())
        assert 0 < left_out < of
        assert len(text) > most - 2_000
    assert "Redacted: " in text
    assert text.count("{noformat}") % 2 == text.count("```") % 2 == 0


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_fits_is_not_said_to_be_cut(name: str) -> None:
    assert "Cut:" not in FORMATS[name]().render(incident(), ANALYSIS, SMALL)


def test_the_preview_shows_every_format_with_its_purpose(tmp_path: Path) -> None:
    handover = FileHandover(tmp_path)
    listed = {one.name: one for one in handover.formats()}
    for name in FORMATS:
        assert listed[name].purpose
        draft = handover.draft(incident(), ANALYSIS, (), name)
        shown = "".join(text for line in draft_lines(draft, 80) for text, _ in line)
        assert "v412 deployed" in shown.replace("\\", "")
        assert "\r" not in shown
        assert handover.write(draft).endswith(FORMATS[name].suffix)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_secrets_do_not_leave_and_the_reason_for_no_redaction_is_printed(name: str) -> None:
    secret = log("02:07:30.1", "login ada@example.com password=hunter22secret", severity=17)
    seen = incident((*EVENTS, secret))
    options = replace(SMALL, marked=(secret,))
    text = FORMATS[name]().render(seen, ANALYSIS, options)
    assert "hunter22secret" not in text
    assert "ada@example.com" not in text
    assert "email#1" in text.replace("\\", "")
    open_text = FORMATS[name]().render(
        seen, ANALYSIS, replace(options, no_redact_reason="asked for by the owner")
    )
    assert "hunter22secret" in open_text
    assert "asked for by the owner" in open_text


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_counts_the_same_redactions(name: str) -> None:
    secrets = (
        log("02:07:30.1", "login ada@example.com password=hunter22secret", byte=1),
        log("02:07:30.2", '{"api_key": "abcd1234efgh"} postgres://u:s3cretpw@db/x', byte=2),
    )
    seen, options = incident((*EVENTS, *secrets)), replace(SMALL, marked=secrets)
    text = FORMATS[name]().render(seen, ANALYSIS, options)
    counted = re.search(r"- redacted: (.*)", MarkdownExporter().render(seen, ANALYSIS, options))
    assert counted is not None
    assert f"Redacted: {counted[1]}" in text


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_stamp_keeps_the_precision_it_was_recorded_in(name: str) -> None:
    text = FORMATS[name]().render(incident((*EVENTS, NOTE)), ANALYSIS, replace(SMALL, limit=10**6))
    deploy = next(line for line in text.split("\n") if "v412 deployed" in line)
    assert re.search(r"02:05:00(?![.\d])", deploy)
    assert re.search(r"02:07:29\.284000", text)


def test_a_body_of_many_lines_stays_whole_in_its_jira_block() -> None:
    text = JiraExporter().render(incident(), ANALYSIS, SMALL)
    assert "{noformat}\nLookupError: User 4711 not found\n  File" in text
