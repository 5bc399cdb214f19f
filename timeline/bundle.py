"""One incident in one file: written at night, opened in the morning, attached to a ticket.

A bundle is a ZIP of stored (not deflated) members: `manifest.json`, `preview.json`, three Parquet
tables that any tool can read, and a fourth where an engine counted what was not read. The same
incident gives the same bytes. Handed open binary files, never paths. `read_window` and
`read_preview` need no Polars: they feed the first frame. What comes out of a bundle is outside
text again and is cleaned.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

from timeline.batch import PREVIEW_ROWS, Preview, Remark
from timeline.clock import ClockTable
from timeline.coverage import Asked, Coverage, CoverageMap
from timeline.event import Event
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules, KeyType
from timeline.knowledge import Knowledge
from timeline.plain_json import Mismatch, from_plain, to_plain, tuple_from
from timeline.progress import SourceStatus
from timeline.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.finding import JsonValue

FORMAT = "halfawake incident"
VERSION = 2
"""Raised when a reader of the version before could misread a bundle; see `_MIGRATIONS`. Version 2
holds counts: without them a stretch that was only counted looks silent. An incident without counts
is written as version 1, which says all of it."""

MANIFEST, PREVIEW = "manifest.json", "preview.json"
EVENTS, KEYS, UNDATED = "events.parquet", "keys.parquet", "undated.parquet"
COUNTS = "counts.parquet"
"""Only where a source was counted."""
MOST_BYTES: dict[str, int] = {
    MANIFEST: 64 * 2**20,
    PREVIEW: 16 * 2**20,
    EVENTS: 4 * 2**30,
    KEYS: 4 * 2**30,
    UNDATED: 2**30,
    COUNTS: 2**30,
}
"""The most that a member may claim to hold; ten times what ten million events need."""
MOST_MEMBERS = 64

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest stamp a ZIP can carry

_MIGRATIONS: dict[int, Callable[[dict[str, JsonValue]], dict[str, JsonValue]]] = {
    1: lambda manifest: manifest,
}
"""From the version named to the next one, over the manifest."""


class BundleProblem(ValueError):
    """The file cannot be read as a bundle; the message is one sentence for the person."""


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
    version = VERSION if snapshot.counts.height else 1
    about = replace(_manifest_of(incident, statuses), marks=tuple(marks))
    manifest = {"format": FORMAT, "version": version, **_plain(about)}
    position = snapshot.position_at(incident.window.pin)
    nearest = snapshot.in_order(max(position - PREVIEW_ROWS // 2, 0), PREVIEW_ROWS)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, MANIFEST, _json(manifest))
        _put(archive, PREVIEW, _json({"events": [to_plain(event) for event in nearest]}))
        _put(archive, EVENTS, table_bytes(snapshot.events))
        _put(archive, KEYS, table_bytes(snapshot.keys))
        _put(archive, UNDATED, table_bytes(snapshot.undated))
        if snapshot.counts.height:
            _put(archive, COUNTS, table_bytes(snapshot.counts))


def read_bundle(stream: BinaryIO) -> tuple[Incident, tuple[SourceStatus, ...]]:
    """The incident and the source statuses it was saved with. Raises `BundleProblem`."""
    from timeline.bundle_tables import snapshot_from

    with _opened(stream) as archive:
        manifest = _manifest_in(archive)
        snapshot = snapshot_from(
            _member(archive, EVENTS),
            _member(archive, KEYS),
            _member(archive, UNDATED),
            CoverageMap(manifest.coverage, manifest.asked),
            manifest.remarks,
            _member(archive, COUNTS) if COUNTS in archive.namelist() else None,
        )
        rules = KeyRules(manifest.key_types, manifest.discover_keys)
    incident = Incident(
        window=manifest.window,
        snapshot=snapshot,
        clocks=manifest.clocks,
        key_rules=rules,
        sources=manifest.sources,
        environment=manifest.environment,
        expected_services=manifest.expected_services,
        knowledge=manifest.knowledge,
        collected_at=manifest.collected_at,
    )
    return incident, manifest.statuses


def read_window(stream: BinaryIO) -> Window:
    """The pinned instant and its window, without Polars. Raises `BundleProblem`."""
    return read_manifest(stream).window


def read_manifest(stream: BinaryIO) -> Manifest:
    """Everything but the rows, without Polars. Raises `BundleProblem`."""
    with _opened(stream) as archive:
        return _manifest_in(archive)


def read_preview(stream: BinaryIO) -> Preview:
    """The events nearest T in time order, without Polars. Raises `BundleProblem`."""
    with _opened(stream) as archive:
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


def _plain(manifest: Manifest) -> Mapping[str, JsonValue]:
    plain = to_plain(manifest)
    if not isinstance(plain, Mapping):
        raise TypeError("a manifest is always an object")
    return plain


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.create_system, member.external_attr = 3, 0o600 << 16
    archive.writestr(member, content)


@contextmanager
def _opened(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever is wrong with it leaves as a `BundleProblem`."""
    try:
        with zipfile.ZipFile(stream) as archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise BundleProblem(
                    f"this file has more than {MOST_MEMBERS} members; no bundle has"
                )
            yield archive
    except BundleProblem:
        raise
    except (zipfile.BadZipFile, EOFError) as error:
        raise BundleProblem(f"this is no halfawake bundle, or it is damaged ({error})") from None
    except Mismatch as error:
        raise BundleProblem(f"the bundle is damaged: {error}") from None
    except (ValueError, NotImplementedError, RecursionError, RuntimeError) as error:
        raise BundleProblem(f"the bundle cannot be read ({error})") from None


def _manifest_in(archive: zipfile.ZipFile) -> Manifest:
    if MANIFEST not in archive.namelist():
        raise BundleProblem("this ZIP file is no halfawake bundle: it has no manifest.json")
    plain = _object(archive, MANIFEST)
    version = plain.get("version")
    if plain.get("format") != FORMAT or not isinstance(version, int) or version < 1:
        raise BundleProblem("this ZIP file is no halfawake bundle: its manifest.json is another's")
    if version > VERSION:
        raise BundleProblem(
            f"this bundle has format version {version} and this halfawake reads up to {VERSION}; "
            "install a newer halfawake to open it"
        )
    while version < VERSION:
        plain = _MIGRATIONS[version](plain)
        version += 1
    return from_plain(Manifest, plain, MANIFEST)


def _object(archive: zipfile.ZipFile, name: str) -> dict[str, JsonValue]:
    try:
        value = json.loads(_member(archive, name))
    except ValueError as error:
        raise Mismatch(f"{name} is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise Mismatch(f"{name} should hold an object")
    return value


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The bytes of a stored member, never more than it may hold."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise BundleProblem(f"the bundle is damaged: {name} is missing") from None
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise BundleProblem(f"{name} is compressed; halfawake writes and reads stored members only")
    if member.file_size > MOST_BYTES[name]:
        size = f"{member.file_size:,} bytes"
        raise BundleProblem(f"{name} claims {size}; at most {MOST_BYTES[name]:,} are read")
    return archive.read(member)
