"""One incident in one file: written at night, opened in the morning, attached to a ticket.

A bundle is a ZIP of stored (not deflated) members: `manifest.json`, `preview.json`, three Parquet
tables that any tool can read, and a fourth where an engine counted what was not read. The same
incident gives the same bytes. Handed open binary files, never paths. `read_window` and
`read_preview` need no Polars: they feed the first frame. What comes out of a bundle is outside
text again and is cleaned. A damaged part that the others make sense without is left out and said.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

from timeline.batch import PREVIEW_ROWS, Preview, Remark
from timeline.bundle_archive import (
    COPY_AGAIN,
    COUNTS,
    EVENTS,
    KEYS,
    LESSER,
    MANIFEST,
    MOST_BYTES,
    PREVIEW,
    UNDATED,
    BundleProblem,
    member,
    opened,
    put,
)
from timeline.bundle_migrations import UNCOUNTED, VERSION, NewerVersion, migrated
from timeline.clock import ClockTable
from timeline.coverage import Asked, Coverage, CoverageMap
from timeline.event import Event, Lane
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules, KeyType
from timeline.knowledge import Knowledge
from timeline.plain_json import Mismatch, from_plain, to_plain, tuple_from
from timeline.progress import Phase, SourceStatus
from timeline.window import Window

if TYPE_CHECKING:
    from timeline.finding import JsonValue
    from timeline.store import Snapshot

FORMAT = "halfawake incident"

ITSELF = "bundle"
"""The source in whose name a reader says what it could not read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything of a bundle that is not a table; the fields are the keys of `manifest.json`."""

    window: Window
    environment: str = ""
    collected_at: int = 0
    sources: tuple[SourceInfo, ...] = ()
    expected_services: tuple[str, ...] = ()
    knowledge: Knowledge = field(default_factory=Knowledge)
    clocks: ClockTable = ClockTable()
    key_types: tuple[KeyType, ...] = ()
    discover_keys: bool = True
    coverage: tuple[Coverage, ...] = ()
    asked: tuple[Asked, ...] = ()
    remarks: tuple[Remark, ...] = ()
    statuses: tuple[SourceStatus, ...] = ()
    marks: tuple[Event, ...] = ()
    """Rows that a person marked, in the order in which they did. Absent before marks were kept,
    and safely ignored by who does not know them: no version tells them apart."""


def write_bundle(
    stream: BinaryIO,
    incident: Incident,
    statuses: Sequence[SourceStatus] = (),
    marks: Sequence[Event] = (),
) -> None:
    """Write `incident`, what is known of its sources, and the marks into a seekable stream."""
    from timeline.bundle_tables import table_bytes

    snapshot = incident.snapshot
    version = VERSION if snapshot.counts.height else UNCOUNTED
    about = replace(_manifest_of(incident, statuses), marks=tuple(marks))
    manifest = {"format": FORMAT, "version": version, **_plain(about)}
    position = snapshot.position_at(incident.window.pin)
    nearest = snapshot.in_order(max(position - PREVIEW_ROWS // 2, 0), PREVIEW_ROWS)
    first_rows = _preview(nearest)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        put(archive, MANIFEST, _json(manifest))
        put(archive, PREVIEW, first_rows)
        put(archive, EVENTS, table_bytes(snapshot.events))
        put(archive, KEYS, table_bytes(snapshot.keys))
        put(archive, UNDATED, table_bytes(snapshot.undated))
        if snapshot.counts.height:
            put(archive, COUNTS, table_bytes(snapshot.counts))


def read_bundle(stream: BinaryIO) -> tuple[Incident, tuple[SourceStatus, ...]]:
    """The incident and the source statuses it was saved with. Raises `BundleProblem`.

    What had to be left out is a status and a remark of the source `ITSELF`.
    """
    from timeline.bundle_tables import snapshot_from

    with opened(stream) as archive:
        manifest, version, missing = _manifest_in(archive)
        counted = version > UNCOUNTED or COUNTS in archive.namelist()
        names = (EVENTS, KEYS, UNDATED, *([COUNTS] if counted else []))
        packed: dict[str, bytes] = {}
        for name in names:
            try:
                packed[name] = member(archive, name)
            except (BundleProblem, zipfile.BadZipFile, EOFError) as problem:
                if name not in LESSER:
                    raise
                missing.append(f"{name} cannot be read ({problem}): {LESSER[name]}")
        snapshot = snapshot_from(
            packed, CoverageMap(manifest.coverage, manifest.asked), manifest.remarks, missing
        )
        rules = KeyRules(manifest.key_types, manifest.discover_keys)
    incident = Incident(
        window=manifest.window,
        snapshot=_saying(snapshot, missing),
        clocks=manifest.clocks,
        key_rules=rules,
        sources=manifest.sources,
        environment=manifest.environment,
        expected_services=manifest.expected_services,
        knowledge=manifest.knowledge,
        collected_at=manifest.collected_at,
    )
    return incident, (*manifest.statuses, *_left_out(missing))


def _saying(snapshot: Snapshot, missing: Sequence[str]) -> Snapshot:
    remarks = tuple(Remark(ITSELF, "damaged", sentence) for sentence in missing)
    return replace(snapshot, remarks=(*snapshot.remarks, *remarks)) if remarks else snapshot


def _left_out(missing: Sequence[str]) -> list[SourceStatus]:
    if not missing:
        return []
    return [
        SourceStatus(
            ITSELF, Lane.NOTE, "bundle", Phase.CUT, problem="; ".join(missing), remedy=COPY_AGAIN
        )
    ]


def read_window(stream: BinaryIO) -> Window:
    """The pinned instant and its window, without Polars. Raises `BundleProblem`."""
    return read_manifest(stream).window


def read_manifest(stream: BinaryIO) -> Manifest:
    """Everything but the rows, without Polars. Raises `BundleProblem`."""
    with opened(stream) as archive:
        return _manifest_in(archive)[0]


def read_preview(stream: BinaryIO) -> Preview:
    """The events nearest T in time order, without Polars. Raises `BundleProblem`."""
    with opened(stream) as archive:
        _manifest_in(archive)
        preview = _object(archive, PREVIEW)
        return Preview("bundle", tuple_from(Event, preview.get("events"), "preview.json: events"))


def _manifest_of(incident: Incident, statuses: Sequence[SourceStatus]) -> Manifest:
    snapshot = incident.snapshot
    return Manifest(
        window=incident.window,
        environment=incident.environment,
        collected_at=incident.collected_at,
        sources=incident.sources,
        expected_services=incident.expected_services,
        knowledge=incident.knowledge,
        clocks=incident.clocks,
        key_types=incident.key_rules.types,
        discover_keys=incident.key_rules.discover,
        coverage=snapshot.coverage.entries,
        asked=snapshot.coverage.asked,
        remarks=snapshot.remarks,
        statuses=tuple(statuses),
    )


def _preview(nearest: Sequence[Event]) -> bytes:
    """The rows around T as JSON; fewer where their texts are too long for any reader."""
    packed = _json({"events": [to_plain(event) for event in nearest]})
    if len(packed) <= MOST_BYTES[PREVIEW]:
        return packed
    quarter = len(nearest) // 4
    return _preview(nearest[quarter : len(nearest) - quarter] if quarter else ())


def _plain(manifest: Manifest) -> Mapping[str, JsonValue]:
    plain = to_plain(manifest)
    if not isinstance(plain, Mapping):
        raise TypeError("a manifest is always an object")
    return plain


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


def _manifest_in(archive: zipfile.ZipFile) -> tuple[Manifest, int, list[str]]:
    """The manifest, the version it was written as, and sentences for what had to be left out."""
    if MANIFEST not in archive.namelist():
        raise BundleProblem("this ZIP file is no halfawake bundle: it has no manifest.json")
    plain = _object(archive, MANIFEST)
    version = plain.get("version")
    if plain.get("format") != FORMAT or type(version) is not int or version < 1:
        raise BundleProblem("this ZIP file is no halfawake bundle: its manifest.json is another's")
    try:
        plain = migrated(plain, version)
    except NewerVersion as newer:
        raise BundleProblem(str(newer)) from None
    marks = plain.pop("marks", [])
    manifest = from_plain(Manifest, plain, MANIFEST)
    try:
        return replace(manifest, marks=tuple_from(Event, marks, f"{MANIFEST}.marks")), version, []
    except Mismatch as problem:
        return manifest, version, [f"no row is marked, because of {problem}"]


def _object(archive: zipfile.ZipFile, name: str) -> dict[str, JsonValue]:
    packed = member(archive, name)
    try:
        value = json.loads(packed)
    except ValueError as error:
        raise Mismatch(f"{name} is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise Mismatch(f"{name} should hold an object")
    return value
