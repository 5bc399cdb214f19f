"""Deployment tables as teams keep them: every spelling read, nothing bad costs what is good."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from connectors.changes import ChangesConnector, ChangesOptions
from connectors.changes.columns import roles_of
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.changes_data import T_S, iso, window_around
from timeline.coverage import Sight
from timeline.event import Precision
from timeline.keys import KeyRules
from timeline.problems import BadAnswer, Misconfigured, NothingHere
from timeline.window import SECOND_NS, Budget

STAMP = iso(T_S)
ONE = {"time": STAMP, "service": "shop", "version": "v412", "who": "ann"}


def connector(path: Path, **changes: object) -> ChangesConnector:
    options = ChangesOptions.model_validate({"deploys": [str(path)], **changes})
    return ChangesConnector("deploys", options, KeyRules())


def read(tmp_path: Path, text: str, name: str = "deploys.csv", **changes: object) -> Collected:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return fetched(connector(path, **changes), window_around())


@pytest.mark.parametrize(
    "text",
    [
        f"time,service,version,who\n{STAMP},shop,v412,ann\n",
        f"\ufeffDeployed At;App;Release;Deployed by\r\n{STAMP};shop;v412;ann\r\n",
        f"when\tproject\ttag\tuser\n{STAMP}\tshop\tv412\tann\n",
        f"service,version,date,time,who\nshop,v412,{STAMP[:10]},{STAMP[11:19]},ann\n",
        json.dumps([ONE]),
        json.dumps({"deploys": [ONE]}, indent=2),
        json.dumps(ONE, indent=2),
        json.dumps(ONE) + "\n",
        json.dumps({"timestamp": T_S, "app": "shop", "version": "v412", "author": "ann"}),
        json.dumps({"finishedAt": T_S * 1000, "app": "shop", "version": "v412", "by": "ann"}),
    ],
)
def test_every_spelling_tells_the_same(tmp_path: Path, text: str) -> None:
    (event,) = read(tmp_path, text, zone="UTC").events
    assert event.timestamp == T_S * SECOND_NS
    assert event.body == "deploy of shop v412 by ann"
    assert event.actor == "shop"


def test_two_columns_without_a_header_are_enough(tmp_path: Path) -> None:
    (event,) = read(tmp_path, f"{STAMP},web v412\n").events
    assert event.body == "web v412"


def test_a_zone_is_declared_or_said_to_be_assumed(tmp_path: Path) -> None:
    text = "time,version\n2026-03-14 03:13:40,v412\n"
    (event,) = read(tmp_path, text, zone="Europe/Berlin").events
    assert event.timestamp == T_S * SECOND_NS
    assumed = read(tmp_path, text.replace("03:13", "02:13"))
    assert [event.timestamp for event in assumed.events] == [T_S * SECOND_NS]
    assert [remark.count for remark in assumed.remarks if remark.topic == "zone-assumed"] == [1]


def test_the_repeated_hour_is_said(tmp_path: Path) -> None:
    path = tmp_path / "deploys.csv"
    path.write_text("time,version\n2026-10-25 02:30:00,v1\n2026-10-25 05:00,v2\n", encoding="utf-8")
    collected = fetched(connector(path, zone="Europe/Berlin"), window_around())
    assert [r.count for r in collected.remarks if r.topic == "zone-ambiguous"] == [1]


def test_a_minute_is_not_told_as_a_second(tmp_path: Path) -> None:
    (event,) = read(tmp_path, "time,version\n2026-03-14T02:13Z,v412\n").events
    assert event.precision is Precision.MINUTE


def test_bad_rows_are_counted_and_cost_no_other(tmp_path: Path) -> None:
    text = (
        "time,service,version\n"
        f"{STAMP},shop,v1\n"
        "yesterday evening,shop,v2\n"
        ",shop,v3\n"
        "one,two,three,four,five\n"
        "\n"
        f"{STAMP},shop,v4\n"
    )
    collected = read(tmp_path, text)
    assert [event.body for event in collected.events] == ["deploy of shop v1", "deploy of shop v4"]
    said = {(remark.topic, remark.count) for remark in collected.remarks}
    assert ("broken-line", 1) in said
    assert ("undated", 1) in said
    undated = [batch.undated for batch in collected.batches if batch.undated is not None]
    assert [frame["ref"].to_list() for frame in undated] == [
        ["deploys.csv#row 3", "deploys.csv#row 4"]
    ]
    assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}


def test_torn_lines_of_json_are_counted(tmp_path: Path) -> None:
    line = json.dumps(ONE)
    collected = read(tmp_path, f"{line}\n{line[:20]}\n[1]\n{line}", "deploys.jsonl")
    assert len(collected.events) == 2
    assert [r.count for r in collected.remarks if r.topic == "broken-line"] == [2]


def test_a_failed_deployment_counts_as_an_error(tmp_path: Path) -> None:
    text = f"time,version,status\n{STAMP},v1,Failed\n{STAMP},v2,success\n"
    by_version = {event.body: event.severity_number for event in read(tmp_path, text).events}
    assert by_version == {"deploy v1: Failed": 17, "deploy v2: success": 0}


def test_only_a_commit_is_a_key(tmp_path: Path) -> None:
    rows = ("v412", "20260314", "0123456789abcdef0123456789abcdef01234567", "0123456")
    text = "time,version\n" + "".join(f"{STAMP},{row}\n" for row in rows)
    keys = [key for event in read(tmp_path, text).events for key in event.keys]
    assert keys == ["commit:0123456789ab"]
    found = looked_up(connector(tmp_path / "deploys.csv"), ("commit:0123456",), window_around())
    assert len(found.events) == 1


def test_other_columns_travel_along(tmp_path: Path) -> None:
    text = f"time,version,region,url\n{STAMP},v1,eu-1,https://ci.example.org/1\n"
    (event,) = read(tmp_path, text).events
    told = json.loads(event.attributes or "")
    assert (told["region"], told["url"]) == ("eu-1", "https://ci.example.org/1")


@pytest.mark.parametrize(
    ("text", "problem", "words"),
    [
        ("name,version\nshop,v1\n", Misconfigured, "No column of the file is called like a time"),
        ("time,version\nsoon,v1\n", BadAnswer, "No row holds a time"),
    ],
)
def test_what_cannot_be_read_at_all_is_a_sentence(
    tmp_path: Path, text: str, problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        read(tmp_path, text)


def test_files_that_are_not_there_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no such file"):
        fetched(connector(tmp_path / "nonesuch.csv"), window_around())
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", tmp_path):
        with pytest.raises(Misconfigured, match="no file"):
            fetched(connector(path), window_around())
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    with pytest.raises(NothingHere):
        asyncio.run(connector(tmp_path / "empty.csv").check())


def test_a_quote_without_an_end_ends_the_reading_and_is_counted(tmp_path: Path) -> None:
    text = f'time,version\n{STAMP},v1\n{STAMP},"' + "x" * 200_000
    collected = read(tmp_path, text)
    assert len(collected.events) == 1
    assert any(remark.topic == "broken-line" for remark in collected.remarks)


def test_a_large_file_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.changes.rows.MOST_BYTES", 4_096)
    old = "".join(f"{iso(T_S - 90_000 + n)},v{n}\n" for n in range(500))
    collected = read(tmp_path, f"time,version\n{old}{STAMP},newest\n")
    assert [event.body for event in collected.events] == ["deploy newest"]
    assert any(remark.topic == "cut" for remark in collected.remarks)
    assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}


def test_what_a_cut_takes_away_lies_farthest_from_t(tmp_path: Path) -> None:
    rows = "".join(f"{iso(T_S - ago)},v{ago}\n" for ago in range(0, 600, 10))
    path = tmp_path / "deploys.csv"
    path.write_text(f"time,version\n{rows}", encoding="utf-8")
    collected = fetched(connector(path), window_around(), Budget(rows=2))
    assert {event.body for event in collected.events} == {"deploy v0", "deploy v10"}


def test_columns_are_guessed_by_name() -> None:
    names = ("Date", "Time", "App Name", "App", "gitSHA", "Deployed-By")
    assert roles_of(names) == {
        "time": "Time", "day": "Date", "service": "App", "version": "gitSHA", "who": "Deployed-By"
    }  # fmt: skip


@pytest.mark.parametrize("given", [{}, {"git": ".", "github": "acme/shop"}])
def test_exactly_one_place_is_named(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="one of git, deploys, github, gitlab"):
        ChangesOptions.model_validate(given)
