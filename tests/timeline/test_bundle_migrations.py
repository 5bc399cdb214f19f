"""Older bundles open as what they were; newer ones are refused with what to do."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from timeline import bundle_migrations
from timeline.bundle import read_bundle, read_manifest, write_bundle
from timeline.bundle_archive import BundleProblem
from timeline.bundle_migrations import MIGRATIONS, VERSION, NewerVersion, migrated
from timeline.coverage import CoverageMap
from timeline.incident import Incident
from timeline.knowledge import Knowledge

from .test_bundle import STATUSES, an_incident, members, repacked

ADDED_SINCE_THE_FIRST = ("knowledge", "asked", "marks")
"""Fields of the manifest that the first bundles of version 1 did not have."""


def oldest_form(incident: Incident) -> bytes:
    """The bundle as the first halfawake wrote it: three tables, and fewer fields."""
    stream = io.BytesIO()
    write_bundle(stream, incident, STATUSES)
    content = members(stream.getvalue())
    manifest = json.loads(content["manifest.json"])
    for name in ADDED_SINCE_THE_FIRST:
        del manifest[name]
    for entry in manifest["coverage"]:
        del entry["complete_from"]
    content["manifest.json"] = json.dumps(manifest | {"version": 1}).encode()
    return repacked(content)


def test_the_oldest_form_opens_as_the_incident_it_was() -> None:
    incident = an_incident()
    back, statuses = read_bundle(io.BytesIO(oldest_form(incident)))
    mine, theirs = incident.snapshot, back.snapshot
    assert statuses == STATUSES
    assert theirs.events.equals(mine.events)
    assert theirs.keys.equals(mine.keys)
    assert theirs.undated.equals(mine.undated)
    assert theirs.coverage == CoverageMap(mine.coverage.entries)
    assert back.knowledge == Knowledge()
    assert replace(back, snapshot=mine) == replace(incident, snapshot=mine)


def test_the_oldest_form_is_kept_again_in_todays() -> None:
    incident = an_incident(40)
    back, statuses = read_bundle(io.BytesIO(oldest_form(incident)))
    anew, today = io.BytesIO(), io.BytesIO()
    write_bundle(anew, back, statuses)
    write_bundle(today, incident, STATUSES)
    assert anew.getvalue() == today.getvalue()


def test_there_is_a_way_from_every_older_version() -> None:
    assert set(MIGRATIONS) == set(range(1, VERSION))


def test_a_migration_claims_nothing_that_was_not_told() -> None:
    told: bundle_migrations.Manifest = {"window": {"pin": 1}, "asked": [{"source": "db"}]}
    now = migrated(told, 1)
    assert now["asked"] == [{"source": "db"}]
    assert now["knowledge"] == {}
    assert now["marks"] == []
    assert told == {"window": {"pin": 1}, "asked": [{"source": "db"}]}


def test_versions_are_gone_through_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {n: lambda told, n=n: told | {"steps": [*told.get("steps", []), n]} for n in (1, 2, 3)}
    monkeypatch.setattr(bundle_migrations, "VERSION", 4)
    monkeypatch.setattr(bundle_migrations, "MIGRATIONS", steps)
    assert migrated({}, 2)["steps"] == [2, 3]
    assert migrated({}, 1)["steps"] == [1, 2, 3]
    assert migrated({}, 4) == {}


def test_a_newer_bundle_is_refused_with_what_to_do() -> None:
    content = members(oldest_form(an_incident(5)))
    manifest = json.loads(content["manifest.json"]) | {"version": VERSION + 1, "window": "unknown"}
    raw = repacked({**content, "manifest.json": json.dumps(manifest).encode()})
    for read in (read_bundle, read_manifest):
        with pytest.raises(BundleProblem) as problem:
            read(io.BytesIO(raw))
        assert str(problem.value) == (
            f"this bundle was made by a newer halfawake (format version {VERSION + 1}; this one "
            f"reads up to {VERSION}); update halfawake to open it"
        )
    with pytest.raises(NewerVersion):
        migrated({}, VERSION + 1)


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", None])
def test_a_version_that_is_no_number_of_one_is_another_format(version: object) -> None:
    content = members(oldest_form(an_incident(5)))
    manifest = json.loads(content["manifest.json"]) | {"version": version}
    raw = repacked({**content, "manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(BundleProblem, match="no halfawake bundle"):
        read_bundle(io.BytesIO(raw))
