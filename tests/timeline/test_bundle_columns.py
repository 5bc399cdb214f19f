"""A bundle read with nothing of ours: a ZIP and a Parquet library, as docs/bundle.md says."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from .test_bundle_damage import counted_incident, whole

DOCUMENT = Path(__file__).parents[2] / "docs" / "bundle.md"
TYPES: dict[str, pl.DataType] = {
    "int64": pl.Int64(),
    "uint8": pl.UInt8(),
    "uint32": pl.UInt32(),
    "uint64": pl.UInt64(),
    "string": pl.String(),
    "bool": pl.Boolean(),
}
PLAIN = """
import io, json, sys, zipfile
import polars
with zipfile.ZipFile(sys.argv[1]) as bundle:
    events = polars.read_parquet(io.BytesIO(bundle.read("events.parquet")))
    keys = polars.read_parquet(io.BytesIO(bundle.read("keys.parquet")))
dated = events.with_columns(at=polars.from_epoch("timestamp", "ns")).with_row_index("row")
found = dated.join(keys.filter(polars.col("key") == "user:3"), on="row").sort("timestamp", "seq")
assert not {"timeline", "halfawake"} & set(sys.modules)
sys.stdout.write(json.dumps([[str(at), body] for at, body in found.select("at", "body").rows()]))
"""


def documented() -> dict[str, dict[str, pl.DataType]]:
    """The columns of each member by the tables of the document."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Columns")[2].partition("\n## ")[0]
    parts = re.split(r"^`(\w+\.parquet)`", text, flags=re.MULTILINE)[1:]
    return {
        name: {
            column: TYPES[kind]
            for column, kind in re.findall(r"^\| `(\w+)` \| (\w+) \|", body, re.MULTILINE)
        }
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_members_and_columns_are_those_of_the_document() -> None:
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        names = set(archive.namelist())
        schemas = {
            name: dict(pl.read_parquet_schema(io.BytesIO(archive.read(name))))
            for name in names
            if name.endswith(".parquet")
        }
    listed = re.findall(r"^\| `([\w.]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert names == {name for name in listed if "." in name}
    assert schemas == documented()


def test_named_columns_join_in_a_process_without_us(tmp_path: Path) -> None:
    path = tmp_path / "night.halfawake"
    path.write_bytes(whole())
    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(path)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    snapshot = counted_incident().snapshot
    mine = snapshot.events_at(snapshot.rows_with(["user:3"]).to_list())
    assert mine
    told = [(datetime.fromisoformat(at), body) for at, body in json.loads(done.stdout)]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    expected = [
        ((epoch + timedelta(microseconds=e.timestamp // 1000)).replace(tzinfo=None), e.body)
        for e in mine
    ]
    assert sorted(told) == sorted(expected)


def test_the_manifest_is_plain_json_with_its_version_first() -> None:
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert list(manifest)[:2] == ["format", "version"]
    assert manifest["version"] == 2  # it holds counts
    assert manifest["window"]["pin"] == counted_incident().window.pin


def test_another_parquet_library_reads_the_same() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        table = parquet.read_table(io.BytesIO(archive.read("events.parquet")))
    assert str(table.schema.field("timestamp").type) == "int64"
    assert table.column("body").to_pylist() == (
        counted_incident().snapshot.events.get_column("body").to_list()
    )
