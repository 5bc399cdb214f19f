"""Bundle files as people hand them over: whole, empty, cut, someone else's, or made to do harm.

Each in a process of its own: one sentence with the file's name and what to do, exit code 2, no
traceback, soon, and in little memory.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from tests.timeline.test_bundle import members, packed, repacked

MOST_SECONDS = 2.0
"""Of processor time, start of the interpreter included: a busy machine is no failure."""
MOST_BYTES = 400 * 2**20
"""Of memory, of which Python and Polars take 130 MB when they have read nothing."""


WRAPPED = """
import sys
from pathlib import Path
from halfawake.cli import run
code = run(sys.argv[1:])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
Path("peak").write_text(peak.split()[1])
sys.exit(code)
"""
"""The command, and its peak memory in kB: what `wait` reports of a child counts its parent's."""


@dataclass
class Answer:
    code: int
    said: str
    processor_s: float
    peak_bytes: int


def asked(*words: str, folder: Path) -> Answer:
    """Run the command; its processor time is the operating system's account."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", WRAPPED, *words],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout == ""
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Answer(done.returncode, done.stderr, spent, int((folder / "peak").read_text()) * 1024)


def with_table(table: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.write_parquet(stream, compression="zstd")
    return repacked({**members(packed()), "events.parquet": stream.getvalue()})


def many_rows() -> bytes:
    one = pl.read_parquet(io.BytesIO(members(packed())["events.parquet"])).head(1)
    return with_table(one.select(pl.all().repeat_by(3_000_000).explode()))


def long_text() -> bytes:
    one = pl.read_parquet(io.BytesIO(members(packed())["events.parquet"])).head(1)
    return with_table(one.with_columns(body=pl.lit("a" * 300_000_000)))


def newer() -> bytes:
    content = members(packed())
    manifest = json.loads(content["manifest.json"]) | {"version": 99}
    return repacked({**content, "manifest.json": json.dumps(manifest).encode()})


def deflated_bomb() -> bytes:
    content = {**members(packed()), "events.parquet": bytes(200_000_000)}
    return repacked(content, zipfile.ZIP_DEFLATED)


def crowded() -> bytes:
    return repacked({f"../{n}": b"" for n in range(200_000)})


def of_arrays() -> bytes:
    """Two bytes of this JSON take sixty in memory."""
    return repacked({**members(packed()), "manifest.json": b'{"a": [' + b"[]," * 2_000_000})


def cut(share: float) -> Callable[[], bytes]:
    return lambda: packed()[: int(len(packed()) * share)]


def flipped() -> bytes:
    raw = bytearray(packed())
    raw[raw.index(members(bytes(raw))["events.parquet"]) + 500] ^= 1
    return bytes(raw)


HARMED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file is empty"),
    "a log": (lambda: b"2026-03-14T02:07:29Z ERROR web failed\n" * 99, "halfawake at TIME FILE"),
    "cut at half": (cut(0.5), "cut short"),
    "cut at the end": (cut(0.999), "cut short"),
    "one bit": (flipped, "copy it again"),
    "newer": (newer, "made by a newer halfawake (format version 99; this one reads up to 2)"),
    "another ZIP": (lambda: repacked({"a.txt": b"hello"}), "no manifest.json"),
    "deflated bomb": (deflated_bomb, "compressed"),
    "too many members": (crowded, "members"),
    "arrays": (of_arrays, "manifest.json"),
    "too many rows": (many_rows, "claims 3,000,000 rows"),
    "a long text": (long_text, "claims 300,"),
}


@pytest.mark.parametrize("harm", HARMED)
def test_one_sentence_soon_and_in_little_memory(harm: str, tmp_path: Path) -> None:
    make, words = HARMED[harm]
    (tmp_path / "night.halfawake").write_bytes(make())
    answer = asked("findings", "night.halfawake", folder=tmp_path)
    assert answer.code == 2
    assert answer.said.startswith("halfawake: night.halfawake: ")
    assert words in answer.said
    assert answer.said.count("\n") == 1
    assert answer.said.endswith(".\n")
    assert answer.processor_s < MOST_SECONDS
    assert answer.peak_bytes < MOST_BYTES


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder.halfawake").mkdir()
    os.mkfifo(tmp_path / "pipe.halfawake")
    (tmp_path / "gone.halfawake").symlink_to(tmp_path / "nowhere")
    for name, words in (
        ("folder.halfawake", "is a folder"),
        ("pipe.halfawake", "is no regular file"),
        ("gone.halfawake", "No such file"),
        ("missing.halfawake", "halfawake open --last"),
    ):
        answer = asked("open", name, folder=tmp_path)
        assert answer.code == 2
        assert name in answer.said
        assert words in answer.said
        assert answer.said.count("\n") == 1


def test_a_file_of_another_person_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "night.halfawake"
    path.write_bytes(packed())
    path.chmod(0)
    if os.geteuid() == 0:  # whom no file refuses

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match=r"Permission denied; ask its owner for a copy\.$"):
        open_bundle(path)


def test_a_link_to_a_bundle_is_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "tonight.halfawake").symlink_to(story_path("kicked-can"))
    incident, _ = open_bundle(tmp_path / "tonight.halfawake")
    assert len(incident.snapshot) > 0


def test_what_was_left_out_is_said_and_the_rest_is_told(tmp_path: Path) -> None:
    content = {**members(packed()), "undated.parquet": b"torn"}
    (tmp_path / "night.halfawake").write_bytes(repacked(content))
    done = subprocess.run(
        [sys.executable, "-m", "halfawake", "export", "night.halfawake", "--format", "md"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 3
    assert "undated.parquet cannot be read" in done.stderr
    assert "records without a time are left out" in done.stderr
    assert "records without a time are left out" in done.stdout
    assert "sign-up" in done.stdout


def test_what_was_captured_is_kept_where_it_can_be(tmp_path: Path) -> None:
    line = "2026-03-14T02:07:29.117Z ERROR web sign-up 4711 failed\n"
    (tmp_path / "app.log").write_text(line, encoding="utf-8")
    (tmp_path / "occupied").write_text("", encoding="utf-8")
    pin = "2026-03-14T02:13:40Z"
    answer = asked("capture", pin, "app.log", "-o", "occupied/a.halfawake", folder=tmp_path)
    assert answer.code == 2
    assert "occupied/a.halfawake cannot be written" in answer.said
    kept = Path(answer.said.partition("kept as ")[2].partition(" instead")[0])
    assert len(open_bundle(kept)[0].snapshot) == 1
    answer = asked("capture", pin, "app.log", "-o", str(tmp_path), folder=tmp_path)
    assert answer.code == 2
    assert "is a folder" in answer.said
