"""Arrays and UTF-16: every record, its true place in the bytes, and no record lost to another."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from connectors.logs.preview import preview_files
from tests.connectors.logs.agreement import bodies_at
from tests.connectors.logs.reading import T0, WIDE, load, write

RECORDS = [
    {
        "time": f"2026-03-14T02:07:{number:02d}.110Z",
        "level": "error" if number == 3 else "info",
        "msg": f"Grüße 🚀 nr {number} {{not an object}}",
        "user_id": number,
        "more": [{"nested": True}],
    }
    for number in range(6)
]
LAYOUTS = {
    "one line": json.dumps(RECORDS, ensure_ascii=False),
    "indented": json.dumps(RECORDS, ensure_ascii=False, indent=2),
    "a line each": "[\n"
    + ",\n".join(json.dumps(item, ensure_ascii=False) for item in RECORDS)
    + "\n]\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_array_gives_each_object_at_its_byte(layout: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(LAYOUTS[layout].encode(encoding))
    loaded = load(path)
    assert [event.body for event in loaded.events] == [item["msg"] for item in RECORDS]
    assert [event.keys for event in loaded.events] == [(f"user:{n}",) for n in range(6)]
    assert loaded.events[3].severity_number == 17
    code = "utf-16-le" if encoding == "utf-16" else "utf-8"
    for found in bodies_at(path, loaded.events):
        assert found.decode(code, "replace").startswith("{")
        assert '"time"' in found.decode(code, "replace")
    assert loaded.undated == []


def test_the_other_byte_order_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"\xfe\xff" + "2026-03-14 02:07:29 ERROR Grüße\r\n".encode("utf-16-be"))
    (event,) = load(path).events
    assert (event.body, event.severity_number) == ("Grüße", 17)


def test_utf_16_text_keeps_its_offsets_behind_wide_characters(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    lines = [
        "2026-03-14 02:07:20 INFO 🚀🚀 up",
        "2026-03-14 02:07:21 ERROR boom",
        "  at here",
        "2026-03-14 02:07:22 INFO down",
    ]
    path.write_bytes("".join(line + "\r\n" for line in lines).encode("utf-16"))
    loaded = load(path)
    assert [event.body for event in loaded.events] == ["🚀🚀 up", "boom␊  at here", "down"]
    assert [found.decode("utf-16-le", "replace")[:19] for found in bodies_at(path, loaded.events)] \
        == ["2026-03-14 02:07:20", "2026-03-14 02:07:21", "2026-03-14 02:07:22"]  # fmt: skip
    assert loaded.tally.event_bytes + loaded.tally.orphan_bytes == path.stat().st_size


def test_utf_16_csv_and_text_of_no_format(tmp_path: Path) -> None:
    table = tmp_path / "export.csv"
    table.write_bytes("time,message\n2026-03-14T02:07:29Z,hello\n".encode("utf-16"))
    assert [event.body for event in load(table).events] == ["hello"]
    words = tmp_path / "words.log"
    words.write_bytes("no time here\n".encode("utf-16"))
    assert [row["body"] for row in load(words).undated] == ["no time here"]


def test_a_broken_object_costs_only_itself(tmp_path: Path) -> None:
    lines = [json.dumps(item, ensure_ascii=False) for item in RECORDS]
    lines[2] = lines[2].replace('"msg":', '"msg"')
    path = write(tmp_path, "export.json", "[", ",\n".join(lines), "]")
    loaded = load(path)
    assert len(loaded.events) == 5
    assert loaded.topics()["broken-line"] == 1


def test_a_torn_array_keeps_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(LAYOUTS["one line"].encode()[:-80])
    loaded = load(path)
    assert len(loaded.events) == 5
    assert len(loaded.undated) == 1


def test_a_compressed_array(tmp_path: Path) -> None:
    path = tmp_path / "export.json.gz"
    path.write_bytes(gzip.compress(LAYOUTS["indented"].encode()))
    assert len(load(path).events) == 6


def test_newest_first_is_covered_from_its_last_to_its_first(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(RECORDS[::-1]), encoding="utf-8")
    loaded = load(path)
    assert [event.body for event in loaded.events] == [item["msg"] for item in RECORDS]
    full = [entry for entry in loaded.coverage if entry.sight.value == "full"]
    second = T0 - T0 % (60 * 10**9)
    assert [(entry.start, entry.end) for entry in full] == [
        (second + 110_000_000, second + 5_110_000_001)
    ]


def test_the_preview_leaves_them_to_the_load(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(LAYOUTS["indented"], encoding="utf-8")
    assert preview_files("logs", [str(path)], WIDE).events == ()
