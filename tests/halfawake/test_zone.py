"""The machine's zone comes with its rules, not with the offset of today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from halfawake.zone import machine_zone


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    zone = machine_zone()
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=2)


def test_else_the_link_that_systems_keep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TZ", raising=False)
    target = tmp_path / "zoneinfo" / "America" / "New_York"
    target.parent.mkdir(parents=True)
    target.touch()
    link = tmp_path / "localtime"
    link.symlink_to(target)
    assert getattr(machine_zone(link), "key", None) == "America/New_York"


@pytest.mark.parametrize("name", ["UTC", ":UTC", "Etc/UTC", "/usr/share/zoneinfo/Etc/UTC"])
def test_utc_is_utc_itself(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TZ", name)
    assert machine_zone() is UTC


@pytest.mark.parametrize("name", ["Middle/Earth", "../../etc/passwd", "CET-1CEST,M3.5.0,M10.5.0/3"])
def test_an_unknown_name_leaves_the_present_offset(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TZ", name)
    assert machine_zone().utcoffset(datetime(2026, 1, 1, tzinfo=UTC)) is not None
