"""Every registered format on every recorded night: kept as a file, read back, valid, small.

What a file says is held against the JSON file of the same night, and that one against its schema.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt

from tests.export.drawn import seen
from tests.export.goldens import FOLDER, PUBLISHED, STORIES, as_kept, golden, registered
from tests.export.test_formats import REPEATS, labels, nanoseconds
from tests.export.test_json import strict

if TYPE_CHECKING:
    from markdown_it.token import Token
from timeline.export.json_ import SCHEMA_VERSION, schema

LARGEST = 300_000
"""Characters of one kept file: a repository is read by people."""
NIGHTS = pytest.mark.parametrize("story", STORIES)


@NIGHTS
@pytest.mark.parametrize("name", registered())
def test_a_night_looks_as_it_did(story: str, name: str) -> None:
    kept = golden(story, name).read_text(encoding="utf-8")
    assert as_kept(story, name) == kept
    assert len(kept) <= LARGEST


def test_no_file_is_kept_of_a_format_that_is_gone() -> None:
    expected = {golden(story, name) for story in STORIES for name in registered()}
    assert set(FOLDER.iterdir()) == expected
    assert len(expected) == len(STORIES) * len(registered())


@NIGHTS
def test_the_json_of_a_night_is_what_the_schema_says(story: str) -> None:
    strict().validate(tree(story))
    assert tree(story)["schema_version"] == SCHEMA_VERSION


def test_the_published_schema_is_the_one_that_is_shipped() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema()
    assert json.loads(schema())["properties"]["schema_version"]["const"] == SCHEMA_VERSION


@NIGHTS
@pytest.mark.parametrize("name", ["md", "list"])
def test_markdown_is_read_back_as_what_happened(story: str, name: str) -> None:
    """By a CommonMark parser: the same events, their times, their distances and their order."""
    text = golden(story, name).read_text(encoding="utf-8")
    rows = table_rows(text) if name == "md" else bullets(text)
    expected = tree(story)["timeline"]
    assert len(rows) == len(expected) >= 8
    for (time, distance, speaker, said), recorded in zip(rows, expected, strict=True):
        cites = re.search(r" \[(E\d[^\]]*)\]\Z", said)
        told = REPEATS.sub("", said[: cites.start()] if cites else said)
        assert f"{time.replace(' ', 'T')}Z" == recorded["time"]
        assert labels(cites and cites[1]) == tuple(recorded["cites"])
        assert speaker == recorded["speaker"]
        exact = int(recorded["from_pin_ns"])
        assert 0 <= abs(exact) - abs(nanoseconds(distance)) < 10**6
        assert exact * nanoseconds(distance) >= 0
        prefix = "inferred: " if recorded["origin"] == "inferred" else f"{recorded['label']} "
        whole = " ".join(f"{prefix}{recorded['text']}".split())
        assert whole == told or (told.endswith("…") and whole.startswith(told[:-1].rstrip()))


@NIGHTS
def test_the_records_of_the_markdown_stand_in_fences_by_their_label(story: str) -> None:
    """Every record that the text has room for, in time order, with its first line."""
    tokens = MarkdownIt("gfm-like").parse(golden(story, "md").read_text(encoding="utf-8"))
    evidence = {record["label"]: record for record in tree(story)["evidence"]}
    label, read = "", []
    for token in tokens:
        if token.type == "inline" and (found := re.match(r"\*\*(E\d+)\*\* ", token.content)):
            label = found[1]
        elif token.type == "fence" and label:
            read.append(label)
            first = evidence[label]["body"].partition("␊")[0]
            assert token.content.split("\n")[0].startswith(first[:2_000])
            label = ""
    assert read == list(evidence)[: len(read)]
    assert len(read) > 5


@NIGHTS
def test_the_page_of_a_night_draws_every_proof_that_has_two_actors(story: str) -> None:
    """A figure a finding, with a link to the record of every step it draws."""
    page = seen(golden(story, "html").read_text(encoding="utf-8"))
    drawn = {name for name in page.ids if re.fullmatch(r"steps-\d+-title", name)}
    evidence = {record["label"]: record for record in tree(story)["evidence"]}
    wanted = set()
    for number, finding in enumerate(tree(story)["findings"], 1):
        cited = [evidence[step["cites"]] for step in finding["steps"]][:24]
        if len({(one["actor"] or one["source"], one["lane"]) for one in cited}) > 1:
            wanted.add(f"steps-{number}-title")
    assert drawn == wanted
    assert page.forbidden == []


def tree(story: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(golden(story, "json").read_text(encoding="utf-8"))
    return found


def table_rows(text: str) -> list[list[str]]:
    """The cells of the timeline's table as they are read, without its head."""
    rows: list[list[str]] = []
    is_cell = False
    for token in MarkdownIt("gfm-like").parse(text):
        if token.type == "tbody_open":
            assert not any(rows), "two tables"
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and is_cell:
            rows[-1].append(words(token))
        is_cell = token.type == "td_open"
    return [row for row in rows if row]


def bullets(text: str) -> list[list[str]]:
    """Bullets that begin with a time: time, distance, speaker, event."""
    rows = []
    for token in MarkdownIt("gfm-like").parse(text):
        if token.type == "inline" and (
            found := re.fullmatch(
                r"(\d{4}-\d\d-\d\d \d\d:\d\d\S*)Z \(([^)]+)\) (.+?): (.*)", words(token)
            )
        ):
            rows.append(list(found.groups()))
    return rows


def words(token: Token) -> str:
    """What a reader sees of one line."""
    return "".join(child.content for child in token.children or ())
