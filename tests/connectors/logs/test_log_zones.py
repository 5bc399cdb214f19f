"""Stamps without an offset: UTC where the format is so defined, a region where a line names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.logs.describe import describe
from connectors.logs.dialect import decide
from connectors.logs.sources import Settings
from connectors.logs.stamps import UNKNOWN_ZONE
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.agreement import agreed
from tests.connectors.logs.linecase import SECOND
from tests.connectors.logs.reading import HOUR_NS, load, write
from timeline.window import Window

BERLIN = "Europe/Berlin"
"""One hour east of UTC on the day of the examples."""
IIS = (
    "#Software: Microsoft Internet Information Services 10.0",
    "#Version: 1.0",
    "#Date: 2026-03-14 02:00:00",
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip sc-status",
    "2026-03-14 02:07:29 10.1.0.4 GET /signups - 443 - 203.0.113.7 500",
)
EDGE = "2026-03-14\t02:07:29\tFRA60-P4\t312\t203.0.113.7\tGET\td1.example.net\t/signups\t000\t-"
CLOUDFRONT = (
    "#Version: 1.0",
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status",
    EDGE,
)
TOMCAT = ("#Fields: date time c-ip cs-method sc-status", "2026-03-14 02:07:29 203.0.113.7 GET 500")
FIREWALL = (
    "#Version: 1.5",
    "#Software: Microsoft Windows Firewall",
    "#Time Format: Local",
    "#Fields: date time action protocol src-ip dst-ip src-port dst-port size",
    "2026-03-14 02:07:29 DROP TCP 10.0.0.7 10.0.0.6 1172 3389 48",
)
PHP = (
    "[14-Mar-2026 03:07:29 Europe/Berlin] PHP Warning:  disk is low",
    "[13-Mar-2026 22:07:29 America/New_York] PHP Warning:  disk is low",
)
YEAR = Window(SECOND, SECOND, SECOND + 366 * 24 * HOUR_NS)
SHEET = ("2026-03-14\t02:07:29\tBerlin\t312\tstock was counted",)


@pytest.mark.parametrize("lines", [IIS, CLOUDFRONT, (EDGE,)], ids=["iis", "edge", "edge-headless"])
@pytest.mark.parametrize("declared", [None, BERLIN])
def test_a_format_that_is_always_utc_is_never_moved(
    lines: tuple[str, ...], declared: str | None, tmp_path: Path
) -> None:
    loaded = load(write(tmp_path, "web.log", *lines), zone=declared)
    assert [event.timestamp for event in loaded.events] == [SECOND]
    assert "zone-assumed" not in loaded.topics()


def test_a_w3c_file_is_utc_unless_a_zone_is_declared(tmp_path: Path) -> None:
    """Some servers can be told to write local time into one."""
    path = write(tmp_path, "web.log", *TOMCAT)
    told = load(path)
    assert [event.timestamp for event in told.events] == [SECOND]
    assert "zone-assumed" not in told.topics()
    assert [event.timestamp for event in load(path, zone=BERLIN).events] == [SECOND - HOUR_NS]


QUOTED = (*SHEET, EDGE, *SHEET, *SHEET)
"""One line that was copied from elsewhere makes no file of that kind."""


@pytest.mark.parametrize("lines", [FIREWALL, SHEET, QUOTED], ids=["firewall", "sheet", "quoted"])
def test_what_only_looks_like_it_is_local_and_said_to_be_assumed(
    lines: tuple[str, ...], tmp_path: Path
) -> None:
    path = write(tmp_path, "web.log", *lines)
    assert load(path).topics()["zone-assumed"] >= 1
    assert {event.timestamp for event in load(path, zone=BERLIN).events} == {SECOND - HOUR_NS}


def test_check_says_that_the_format_defines_the_zone(tmp_path: Path) -> None:
    def told(lines: tuple[str, ...]) -> tuple[str, str]:
        settings = Settings((str(write(tmp_path, "web.log", *lines)),), ZoneRule())
        report = describe("logs", settings)
        return report.facts[0], " ".join(report.cannot_see)

    fact, cannot = told(IIS)
    assert "in UTC by its definition" in fact and "UTC is assumed" not in cannot
    fact, cannot = told(FIREWALL)
    assert "definition" not in fact and "UTC is assumed" in cannot
    settings = Settings((str(write(tmp_path, "none.log")),), ZoneRule.named(BERLIN))
    assert "UTC is assumed" not in " ".join(describe("logs", settings).cannot_see)


@pytest.mark.parametrize("declared", [None, "America/New_York"])
def test_php_names_its_region_and_that_is_the_zone(declared: str | None, tmp_path: Path) -> None:
    line = "[14-Mar-2026 03:07:29 Europe/Berlin] PHP Warning:  disk is low"
    loaded = load(write(tmp_path, "php.log", line), zone=declared)
    assert [event.timestamp for event in loaded.events] == [SECOND]
    assert "zone-assumed" not in loaded.topics()


def test_the_hour_that_a_region_repeats_is_said_to_be_ambiguous(tmp_path: Path) -> None:
    lines = (
        "[25-Oct-2026 01:59:59 Europe/Berlin] PHP Warning:  a",
        "[25-Oct-2026 02:30:00 Europe/Berlin] PHP Warning:  b",
    )
    loaded = load(write(tmp_path, "php.log", *lines), window=YEAR)
    assert loaded.topics()["zone-ambiguous"] == 1


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "CST", "../../etc/passwd"])
def test_a_zone_that_is_none_leaves_the_record_undated_and_listed(
    zone: str, tmp_path: Path
) -> None:
    """Also where no line of the file has a time: it must not be lost without a word."""
    line = f"[14-Mar-2026 03:07:29 {zone}] PHP Warning:  disk is low"
    loaded = load(write(tmp_path, "php.log", line, line))
    assert loaded.events == []
    assert len(loaded.undated) == 2
    if zone != "../../etc/passwd":  # what cannot be a zone is no format of PHP's either
        assert loaded.reasons() == [UNKNOWN_ZONE] * 2


@pytest.mark.parametrize("lines", [IIS[3:], CLOUDFRONT, PHP], ids=["iis", "edge", "php"])
def test_both_readers_take_the_same_zone(lines: tuple[str, ...]) -> None:
    dialect = decide(lines, ZoneRule.named("Asia/Tokyo"), SECOND // 10**9)
    events = agreed("".join(f"{line}\n" for line in lines).encode(), dialect)
    offset = 9 * HOUR_NS if lines == IIS[3:] else 0
    assert {event.timestamp + offset for event in events} == {SECOND}
