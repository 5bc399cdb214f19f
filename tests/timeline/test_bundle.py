"""Bundles: the same incident back, the same bytes, and a sentence for every broken file."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from timeline import bundle_migrations
from timeline.batch import PREVIEW_ROWS, Batch, Remark
from timeline.bundle import (
    read_bundle,
    read_preview,
    read_window,
    write_bundle,
)
from timeline.bundle_archive import MOST_BYTES, BundleProblem
from timeline.bundle_migrations import VERSION
from timeline.clock import ClockBound, ClockTable
from timeline.columns import UNDATED_SCHEMA, frame_from
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Meaning, Precision
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules, KeyType
from timeline.knowledge import (
    Contract,
    ExpectedSet,
    Knowledge,
    Overlap,
    SanityAnswer,
    Schedule,
    Work,
)
from timeline.progress import Phase, SourceStatus
from timeline.store import Store
from timeline.window import Window

T = 1_773_454_049_117_000_000


def an_incident(size: int = 500) -> Incident:
    store = Store()
    undated = pl.DataFrame(
        [["web", "no time", "odd ␛ line", "web.log@7"]], UNDATED_SCHEMA, orient="row"
    )
    for source, lane in (("web", Lane.LOG), ("shop-db", Lane.DATABASE)):
        events = [
            Event(
                timestamp=T + (n * 7919 % size - size // 2) * 1_000_000,
                source=source,
                lane=lane,
                kind=Kind.LOG if lane is Lane.LOG else Kind.ROW_INSERTED,
                body=f"sign-up {n}: Grüße",
                ref=f"{source}@{n}",
                seq=n,
                severity_number=n % 24,
                actor=f"host-{n % 3}",
                clock="" if n % 2 else "host-1",
                meaning=Meaning.OCCURRED if n % 2 else Meaning.TRANSACTION_START,
                precision=Precision.SECOND if n % 5 else Precision.MICROSECOND,
                keys=(f"user:{n % 7}", "job:a")[: n % 3],
                attributes=None if n % 2 else json.dumps({"n": n}),
            )
            for n in range(size)
        ]
        frame, keys = frame_from(events)
        coverage = (Coverage(source, T - 10**12, T, Sight.PARTIAL, "cut at 500 rows", "narrow it"),)
        remark = Remark(source, "zone-assumed", "no zone; UTC assumed", 3)
        store.add(Batch(source, frame, keys, coverage, (remark,), undated))
    return Incident(
        window=Window.around(T),
        snapshot=store.snapshot(),
        clocks=ClockTable({"host-1": ClockBound(12, -3, "measured")}, ClockBound(5, 6, "declared")),
        key_rules=KeyRules((KeyType("order", ("order_id",), (r"order #(\d+)",), "orders"),), False),
        sources=(SourceInfo("web", Lane.LOG, "file"), SourceInfo("q", Lane.QUEUE, "rq", "all")),
        environment="prod",
        expected_services=("web", "mailer"),
        collected_at=T + 360 * 10**9,
    )


STATUSES = (
    SourceStatus("web", Lane.LOG, "file", Phase.DONE, 500, 10_000, 0.5, 30.0),
    SourceStatus("q", Lane.QUEUE, "rq", Phase.FAILED, problem="refused", remedy="start it"),
)


def packed(incident: Incident | None = None) -> bytes:
    stream = io.BytesIO()
    write_bundle(stream, incident or an_incident(), STATUSES)
    return stream.getvalue()


def members(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return stream.getvalue()


def test_round_trip() -> None:
    incident = an_incident()
    back, statuses = read_bundle(io.BytesIO(packed(incident)))
    assert statuses == STATUSES
    for name in ("window", "clocks", "sources", "environment", "expected_services", "collected_at"):
        assert getattr(back, name) == getattr(incident, name)
    assert back.key_rules == incident.key_rules
    assert back.key_rules.in_text("order #7 user_id=1") == ("order:7",)
    mine, theirs = incident.snapshot, back.snapshot
    assert theirs.events.schema == mine.events.schema
    assert theirs.events.equals(mine.events)
    assert theirs.keys.equals(mine.keys)
    assert theirs.order.equals(mine.order)
    assert theirs.undated.equals(mine.undated)
    assert (theirs.coverage, theirs.remarks) == (mine.coverage, mine.remarks)
    assert theirs.in_order(0, len(theirs)) == mine.in_order(0, len(mine))


KNOWN = Knowledge(
    schedules=(
        Schedule("nightly", Work(job_class="BackupJob"), "0 2 * * *", zone="Europe/Berlin"),
        Schedule("beat", Work(log="beat"), every=900 * 10**9, overlap=Overlap.ALLOW),
    ),
    expected=(ExpectedSet("apps", Work(table="runs"), ("app:2", "app:1"), True, 2, False, T),),
    contracts=(Contract("mail", "users", Work(queue="mail"), 7, "state", "pending"),),
    sanity=(
        SanityAnswer("odd", "odd apps", "db", 1, True, ("app:9",), ("id=9, name=Ä␛",), T),
        SanityAnswer("slow", "slow apps", "db", problem="no answer within 5 s"),
    ),
    regions=("eu-1", "us-east"),
)


def test_what_the_team_knew_and_what_was_answered_round_trips() -> None:
    incident = replace(an_incident(5), knowledge=KNOWN)
    back, _ = read_bundle(io.BytesIO(packed(incident)))
    assert back.knowledge == KNOWN


def test_a_bundle_from_before_there_was_knowledge_still_opens() -> None:
    content = members(packed(replace(an_incident(5), knowledge=KNOWN)))
    manifest = json.loads(content["manifest.json"])
    del manifest["knowledge"]
    older = repacked({**content, "manifest.json": json.dumps(manifest).encode()})
    back, _ = read_bundle(io.BytesIO(older))
    assert back.knowledge == Knowledge()
    assert len(back.snapshot) == 10


def test_knowledge_of_a_stranger_is_cleaned_and_checked() -> None:
    content = members(packed(replace(an_incident(5), knowledge=KNOWN)))
    text = content["manifest.json"].decode()
    hostile = repacked({**content, "manifest.json": text.replace("␛", "\\u001b").encode()})
    back, _ = read_bundle(io.BytesIO(hostile))
    assert back.knowledge == KNOWN
    wrong = repacked({**content, "manifest.json": text.replace('"allow"', '"maybe"').encode()})
    with pytest.raises(BundleProblem, match=r"knowledge\.schedules\[1\]\.overlap"):
        read_bundle(io.BytesIO(wrong))


def test_an_empty_incident_round_trips() -> None:
    empty = Incident(Window.around(T), Store().snapshot())
    back, _ = read_bundle(io.BytesIO(packed(empty)))
    assert len(back.snapshot) == 0 and back.window == empty.window
    assert read_preview(io.BytesIO(packed(empty))).events == ()


def test_the_same_incident_gives_the_same_bytes() -> None:
    first = packed()
    assert packed() == first
    assert packed(read_bundle(io.BytesIO(first))[0]) == first


def test_any_parquet_tool_reads_plain_columns() -> None:
    content = members(packed())
    assert set(content) == {
        "manifest.json", "preview.json", "events.parquet", "keys.parquet", "undated.parquet"
    }  # fmt: skip
    schema = pl.read_parquet_schema(io.BytesIO(content["events.parquet"]))
    assert {schema[name] for name in ("source", "lane", "kind", "actor", "clock")} == {pl.String()}


def test_preview_holds_the_events_nearest_the_pin() -> None:
    incident = an_incident()
    preview = read_preview(io.BytesIO(packed(incident)))
    everything = incident.snapshot.in_order(0, len(incident.snapshot))
    assert len(preview.events) == PREVIEW_ROWS
    assert list(preview.events) == [e for e in everything if e in set(preview.events)]
    furthest = max(abs(e.timestamp - T) for e in preview.events)
    nearer = [e for e in everything if abs(e.timestamp - T) < furthest - 1_000_000]
    assert set(nearer) <= set(preview.events)


def test_the_first_frame_needs_no_polars(tmp_path: object) -> None:
    code = (
        "import io, sys; from timeline.bundle import read_preview, read_window\n"
        "data = io.BytesIO(sys.stdin.buffer.read())\n"
        "window = read_window(data); events = read_preview(data).events\n"
        "assert 'polars' not in sys.modules\n"
        "sys.stdout.write(f'{window.pin} {len(events)}')"
    )
    done = subprocess.run([sys.executable, "-c", code], input=packed(), capture_output=True)
    assert done.stdout.decode() == f"{T} {PREVIEW_ROWS}", done.stderr.decode()


def test_hostile_text_in_a_bundle_is_cleaned() -> None:
    content = members(packed())
    events = pl.read_parquet(io.BytesIO(content["events.parquet"]))
    stream = io.BytesIO()
    hostile = pl.lit("\x1b[2J\u202e")
    events.with_columns(body=hostile, actor=hostile).write_parquet(stream)
    content["events.parquet"] = stream.getvalue()
    content["manifest.json"] = content["manifest.json"].replace(b'"prod"', b'"\\u001b[2J"')
    content["preview.json"] = content["preview.json"].replace(b"sign-up", b"\\u001b[2J")
    incident, _ = read_bundle(io.BytesIO(repacked(content)))
    preview = read_preview(io.BytesIO(repacked(content)))
    for event in (*incident.snapshot.in_order(0, 5), *preview.events):
        assert event.body.isprintable() and event.actor.isprintable()
    assert incident.environment == "␛[2J"


def test_rows_that_another_tool_shuffled_come_back_in_order() -> None:
    content = members(packed())
    events = pl.read_parquet(io.BytesIO(content["events.parquet"]))
    keys = pl.read_parquet(io.BytesIO(content["keys.parquet"]))
    places = events.select(pl.int_range(pl.len(), dtype=pl.UInt32).shuffle(3).alias("row"))
    moved = places.with_row_index("new")
    content["events.parquet"] = _parquet(events[places.get_column("row")])
    joined = keys.join(moved, on="row").select(pl.col("new").alias("row"), "key")
    content["keys.parquet"] = _parquet(joined)
    mine, theirs = an_incident().snapshot, read_bundle(io.BytesIO(repacked(content)))[0].snapshot
    assert theirs.events.equals(mine.events)
    assert theirs.keys.sort("row", "key").equals(mine.keys.sort("row", "key"))


def _parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


Change = Callable[[dict[str, bytes]], None]


def manifest_with(**changes: object) -> Change:
    def change(content: dict[str, bytes]) -> None:
        manifest = json.loads(content["manifest.json"]) | changes
        content["manifest.json"] = json.dumps(manifest).encode()

    return change


def table_with(name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Change:
    def replace(content: dict[str, bytes]) -> None:
        content[name] = _parquet(change(pl.read_parquet(io.BytesIO(content[name]))))

    return replace


def without(name: str) -> Change:
    return lambda content: content.__delitem__(name)


def holding(name: str, data: bytes) -> Change:
    return lambda content: content.__setitem__(name, data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (manifest_with(version=VERSION + 1), "newer halfawake"),
        (manifest_with(format="zip of cats"), "no halfawake bundle"),
        (manifest_with(version="one"), "no halfawake bundle"),
        (manifest_with(window={"pin": 5, "start": 9, "end": 1}), "window ends"),
        (
            manifest_with(window={"pin": "now", "start": 1, "end": 9}),
            r"window\.pin should be a whole",
        ),
        (manifest_with(window=None), "window should be an object"),
        (manifest_with(clocks={"bounds": {"a": 5}}), r"clocks\.bounds\.a should be an object"),
        (manifest_with(sources=[{"name": "a"}]), r"sources\[0\].*missing"),
        (manifest_with(sources="web"), "sources should be a list"),
        (
            manifest_with(
                statuses=[{"source": "a", "lane": "moon", "system": "x", "phase": "done"}]
            ),
            "moon",
        ),
        (manifest_with(key_types=[{"name": "a", "patterns": ["(a)(b)"]}]), "2 groups"),
        (without("manifest.json"), "no manifest.json"),
        (without("keys.parquet"), r"keys\.parquet is missing"),
        (holding("manifest.json", b"{"), "no JSON"),
        (holding("manifest.json", b"\xff"), "no JSON"),
        (holding("manifest.json", b"[" * 200_000), "cannot be read|no JSON"),
        (holding("events.parquet", b"PAR1 nothing PAR1"), r"events\.parquet cannot be read"),
        (table_with("events.parquet", lambda f: f.drop("seq")), "lacks the column seq"),
        (
            table_with("events.parquet", lambda f: f.with_columns(lane=pl.lit("moon"))),
            "events.parquet",
        ),
        (
            table_with(
                "events.parquet", lambda f: f.with_columns(timestamp=pl.lit(None, pl.Int64))
            ),
            "empty",
        ),
        (table_with("events.parquet", lambda f: f.with_columns(seq=pl.lit(-1))), "events.parquet"),
        (
            table_with("keys.parquet", lambda f: f.with_columns(row=pl.col("row") + 10**6)),
            "speaks of",
        ),
    ],
)
def test_broken_bundles_get_one_sentence(change: Change, words: str) -> None:
    content = members(packed())
    change(content)
    with pytest.raises(BundleProblem, match=words) as problem:
        read_bundle(io.BytesIO(repacked(content)))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("read", [read_bundle, read_preview, read_window])
def test_wrong_torn_and_deflated_files(read: Callable[[io.BytesIO], object]) -> None:
    bundle = packed()
    for raw in (b"", b"2026-03-14 a log line\n" * 50, bundle[: len(bundle) // 2], bundle[:-30]):
        with pytest.raises(BundleProblem, match="no halfawake bundle"):
            read(io.BytesIO(raw))
    with pytest.raises(BundleProblem, match="compressed"):
        read(io.BytesIO(repacked(members(bundle), zipfile.ZIP_DEFLATED)))


def test_a_flipped_byte_is_noticed() -> None:
    bundle = bytearray(packed())
    at = bundle.index(b"sign-up")
    bundle[at] ^= 1
    with pytest.raises(BundleProblem, match="damaged"):
        read_preview(io.BytesIO(bytes(bundle)))


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = packed()
    monkeypatch.setitem(MOST_BYTES, "events.parquet", 100)
    with pytest.raises(BundleProblem, match="at most 100 are read"):
        read_bundle(io.BytesIO(bundle))
    monkeypatch.undo()
    monkeypatch.setattr("timeline.bundle_tables.MOST_ROWS", 10)
    with pytest.raises(BundleProblem, match="at most 10 are read"):
        read_bundle(io.BytesIO(bundle))
    crowded = members(bundle) | {f"extra-{n}": b"" for n in range(100)}
    with pytest.raises(BundleProblem, match="members"):
        read_bundle(io.BytesIO(repacked(crowded)))


def test_additions_of_later_versions_are_ignored() -> None:
    content = members(packed())
    manifest_with(weather="rain", sources=[{"name": "a", "lane": "log", "system": "x", "new": 1}])(
        content
    )
    content["extra.bin"] = b"?"
    incident, _ = read_bundle(io.BytesIO(repacked(content)))
    assert incident.sources == (SourceInfo("a", Lane.LOG, "x"),)


def test_an_older_version_is_migrated_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_migrations, "VERSION", 2)
    monkeypatch.setattr(
        bundle_migrations, "MIGRATIONS", {1: lambda plain: plain | {"environment": "migrated"}}
    )
    content = members(packed())
    manifest_with(version=1)(content)
    assert read_bundle(io.BytesIO(repacked(content)))[0].environment == "migrated"
