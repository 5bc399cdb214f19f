"""Bundles that were cut, damaged or made to do harm: refused in one sentence, or the same incident.

Damage by chance is found by the checksums of the ZIP. Who writes the checksums anew as well can
still claim no more than the file can hold.
"""

from __future__ import annotations

import io
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline import bundle_tables
from timeline.batch import Batch
from timeline.bundle import ITSELF, read_bundle, read_manifest, read_preview, write_bundle
from timeline.bundle_archive import MOST_BYTES, BundleProblem
from timeline.columns import COUNT_SCHEMA, EVENT_SCHEMA, KEY_SCHEMA
from timeline.incident import Incident
from timeline.parquet_claims import Unreadable, claims_of
from timeline.progress import Phase
from timeline.store import Store

from .test_bundle import STATUSES, T, an_incident, members, repacked

READERS = (read_bundle, read_preview, read_manifest)
TABLES = ("events.parquet", "keys.parquet", "undated.parquet", "counts.parquet")


@cache
def counted_incident() -> Incident:
    incident = an_incident(60)
    bars = [("web", "log", T + n * 10**9, 10**9, 9, "", 70 + n, True) for n in range(30)]
    counts = pl.DataFrame(bars, schema=COUNT_SCHEMA, orient="row")
    return replace(incident, snapshot=replace(incident.snapshot, counts=counts))


@cache
def whole() -> bytes:
    stream = io.BytesIO()
    incident = counted_incident()
    write_bundle(stream, incident, STATUSES, incident.snapshot.in_order(3, 4))
    return stream.getvalue()


def refused(raw: bytes, read: Callable[[io.BytesIO], object] = read_bundle) -> str:
    with pytest.raises(BundleProblem) as problem:
        read(io.BytesIO(raw))
    sentence = str(problem.value)
    assert sentence.isprintable(), sentence
    assert len(sentence) < 400
    return sentence


def boundaries() -> Iterator[int]:
    """Where each member's header, its bytes and the list of members begin."""
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        for entry in archive.infolist():
            yield entry.header_offset
            yield entry.header_offset + 30 + len(entry.filename)
        yield archive.start_dir


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_cut_at_a_boundary_it_is_refused_with_what_to_do(
    beside: int, read: Callable[[io.BytesIO], object]
) -> None:
    for at in boundaries():
        sentence = refused(whole()[: max(at + beside, 0)], read)
        assert "halfawake bundle" in sentence
        assert "copy it again" in sentence or "halfawake at TIME FILE" in sentence


@given(st.data())
@settings(max_examples=150)
def test_cut_anywhere_it_is_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole()) - 1))
    for read in READERS:
        refused(whole()[:at], read)


@given(st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=200)
def test_damaged_anywhere_it_is_refused_or_the_same_or_says_what_is_missing(
    seed: int, bytes_changed: int
) -> None:
    chance = random.Random(seed)
    damaged = bytearray(whole())
    for _ in range(bytes_changed):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    try:
        incident, statuses = read_bundle(io.BytesIO(damaged))
    except BundleProblem as problem:
        assert str(problem).isprintable()
        return
    mine = counted_incident().snapshot
    assert incident.snapshot.events.equals(mine.events)
    assert incident.snapshot.keys.equals(mine.keys)
    said = "".join(status.problem for status in statuses if status.source == ITSELF)
    assert incident.snapshot.undated.equals(mine.undated) or "undated.parquet" in said
    assert incident.snapshot.counts.equals(mine.counts) or "counts.parquet" in said


@pytest.mark.parametrize("name", ["undated.parquet", "counts.parquet"])
@pytest.mark.parametrize("harm", [b"", b"PAR1 nothing PAR1", None])
def test_a_lesser_table_that_is_lost_costs_only_itself(name: str, harm: bytes | None) -> None:
    content = members(whole())
    if harm is None:
        flipped = bytearray(whole())
        flipped[whole().index(content[name]) + 40] ^= 1
        raw = bytes(flipped)
    else:
        raw = repacked({**content, name: harm})
    incident, statuses = read_bundle(io.BytesIO(raw))
    assert incident.snapshot.events.equals(counted_incident().snapshot.events)
    assert statuses[:-1] == STATUSES
    assert statuses[-1].source == ITSELF
    assert statuses[-1].phase is Phase.CUT
    assert name in statuses[-1].problem
    assert name in incident.snapshot.remarks[-1].sentence
    stream = io.BytesIO()
    write_bundle(stream, incident, statuses)  # kept again it goes on saying so
    assert name in read_bundle(io.BytesIO(stream.getvalue()))[1][-1].problem


@pytest.mark.parametrize("name", ["undated.parquet", "counts.parquet"])
def test_without_a_lesser_table_a_bundle_opens_and_says_so(name: str) -> None:
    content = members(whole())
    del content[name]
    _, statuses = read_bundle(io.BytesIO(repacked(content)))
    assert f"{name} is missing" in statuses[-1].problem


@pytest.mark.parametrize("marks", ["none", [{"timestamp": "late"}], 3])
def test_broken_marks_cost_only_the_marks(marks: object) -> None:
    content = members(whole())
    manifest = json.loads(content["manifest.json"]) | {"marks": marks}
    raw = repacked({**content, "manifest.json": json.dumps(manifest).encode()})
    assert read_manifest(io.BytesIO(raw)).marks == ()
    incident, statuses = read_bundle(io.BytesIO(raw))
    assert len(incident.snapshot) == len(counted_incident().snapshot)
    assert "no row is marked" in statuses[-1].problem


def test_a_broken_preview_costs_nothing_but_the_preview() -> None:
    raw = repacked({**members(whole()), "preview.json": b"{"})
    assert "preview.json" in refused(raw, read_preview)
    incident, statuses = read_bundle(io.BytesIO(raw))
    assert incident.snapshot.events.equals(counted_incident().snapshot.events)
    assert statuses == STATUSES


def test_a_name_that_leads_elsewhere_is_never_followed(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = members(whole())
    odd = {"../../escaped": b"x", "/etc/escaped": b"x", "a/../../b": b"x", "C:\\escaped": b"x"}
    opened = []
    monkeypatch.setattr("builtins.open", lambda *given, **named: opened.append(given))
    incident, _ = read_bundle(io.BytesIO(repacked({**content, **odd})))
    assert len(incident.snapshot) == len(counted_incident().snapshot)
    assert opened == []


def test_a_member_that_is_a_link_is_only_its_bytes() -> None:
    content = members(whole())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name)
            if name == "events.parquet":
                entry.create_system, entry.external_attr = 3, 0o120777 << 16
                data = b"/etc/passwd"
            archive.writestr(entry, data)
    assert "events.parquet cannot be read" in refused(stream.getvalue())


def test_two_members_of_one_name_are_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in [*members(whole()).items(), ("events.parquet", b"another")]:
            archive.writestr(name, data)
    assert "holds events.parquet twice" in refused(stream.getvalue())


def test_a_bundle_in_a_bundle_is_not_opened() -> None:
    assert "no manifest.json" in refused(repacked({"night.halfawake": whole()}))


def test_a_claimed_size_is_never_believed() -> None:
    """The size in the list of members and that in the member's own header, both three gibibytes."""
    raw = bytearray(whole())
    size = len(members(whole())["events.parquet"])
    claimed = struct.pack("<LL", 3 * 2**30, 3 * 2**30)
    found = bytes(raw).replace(struct.pack("<LL", size, size), claimed)
    assert found != bytes(raw)
    assert "cut short" in refused(found)
    beyond = struct.pack("<LL", 2**32 - 2, 2**32 - 2)
    assert MOST_BYTES["events.parquet"] >= 2**32 - 2
    assert "cut short" in refused(bytes(raw).replace(struct.pack("<LL", size, size), beyond))


def test_a_long_list_of_members_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    crowded = repacked({**members(whole()), **{f"extra-{n}": b"" for n in range(70_000)}})
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the list of members was read"))
    assert "more than 64 members" in refused(crowded)  # counted by the end record of a long archive


def test_an_end_that_hides_a_long_list_is_not_believed() -> None:
    crowded = bytearray(repacked({**members(whole()), **{f"x{n}": b"" for n in range(3_000)}}))
    end = crowded.rindex(b"PK\x05\x06")
    crowded[end + 8 : end + 12] = struct.pack("<HH", 6, 6)
    assert "members" in refused(bytes(crowded))


# What a table claims


def parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream, compression="zstd", data_page_size=2**16)
    return stream.getvalue()


def repeated(rows: int, **values: str) -> pl.DataFrame:
    one = pl.read_parquet(io.BytesIO(members(whole())["events.parquet"])).head(1)
    many = one.with_columns(pl.lit(value).alias(name) for name, value in values.items())
    return many.select(pl.all().repeat_by(rows).explode())


def only_the_keys(texts: pl.Series) -> pl.Series:
    assert texts.name == "key", "the table was unpacked"
    return texts


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (repeated(2_000_000), r"claims 2,000,000 rows; at most"),
        (repeated(1, body="a" * 60_000_000), r"claims 60,\d\d\d,\d\d\d bytes; at most"),
        (repeated(3_000, body="a" * 30_000), r"claims \d\d,\d\d\d,\d\d\d bytes in body; at most"),
    ],
    ids=["rows", "a text", "one text often"],
)
def test_a_table_that_unpacks_to_far_more_than_it_is_is_not_unpacked(
    table: pl.DataFrame, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = members(whole())
    raw = repacked({**content, "events.parquet": parquet(table)})
    assert len(raw) < 400_000
    monkeypatch.setattr(bundle_tables, "clean_column", only_the_keys)
    with pytest.raises(BundleProblem, match=words):
        read_bundle(io.BytesIO(raw))


def test_a_long_calm_night_of_equal_lines_is_no_bomb() -> None:
    rows = 300_000
    frame = repeated(rows, body="GET /health answered 200 in 1 ms").with_columns(
        timestamp=T + pl.int_range(rows) * 1_000_000, seq=pl.int_range(rows, dtype=pl.UInt64)
    )
    events = frame.select(pl.col(name).cast(kind) for name, kind in EVENT_SCHEMA.items())
    keys = pl.DataFrame({"row": range(rows), "key": ["host:web-1"] * rows}, schema=KEY_SCHEMA)
    store = Store()
    store.add(Batch("web", events, keys))
    incident = replace(an_incident(5), snapshot=store.snapshot())
    stream = io.BytesIO()
    write_bundle(stream, incident)
    back, _ = read_bundle(io.BytesIO(stream.getvalue()))
    assert len(back.snapshot) == rows
    assert back.snapshot.keys.height == rows


def test_claims_are_those_of_the_table() -> None:
    for rows, group in ((0, 10), (1, 10), (25, 10), (4_000, 1_000)):
        body = [f"line {n}" * 20 for n in range(rows)]
        frame = pl.DataFrame({"n": range(rows), "body": body}, schema={"n": int, "body": str})
        for compression in ("zstd", "uncompressed", "snappy"):
            stream = io.BytesIO()
            frame.write_parquet(stream, compression=compression, row_group_size=group)
            claims = claims_of(stream.getvalue())
            assert claims.rows == rows
            least = 8 * rows + sum(map(len, body))
            assert least <= claims.unpacked <= least + 8 * rows + 1_000


@given(st.binary(max_size=300))
def test_what_is_no_parquet_has_no_claims(raw: bytes) -> None:
    for candidate in (raw, b"PAR1" + raw + b"PAR1"):
        with pytest.raises(Unreadable):
            claims_of(candidate)


@given(st.sampled_from(TABLES), st.integers(0, 2**32))
@settings(max_examples=200)
def test_counts_that_contradict_each_other_end_in_a_sentence_or_a_table(
    name: str, seed: int
) -> None:
    """The footer is what a decoder believes before anything else."""
    chance = random.Random(seed)
    table = bytearray(members(whole())[name])
    footer = len(table) - 8 - int.from_bytes(table[-8:-4], "little")
    table[chance.randrange(footer, len(table))] = chance.randrange(256)
    try:
        claims = claims_of(bytes(table))
    except Unreadable as problem:
        assert str(problem).isprintable()
    else:
        assert claims.rows >= 0
        assert claims.unpacked >= 0
