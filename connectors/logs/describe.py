"""What `check` says of a source's files: formats, zones, reach, and what cannot be read."""

from __future__ import annotations

from connectors.contract import LOCAL_FILES, CheckReport
from connectors.logs.formats import GENERAL, JSON
from connectors.logs.sight import instant
from connectors.logs.sources import OpenMember, Settings, Sort, open_source


def describe(source: str, settings: Settings) -> CheckReport:
    """Open every member, say what it is, and close it again. Raises when none can be opened."""
    opened = open_source(source, settings)
    try:
        facts = tuple(_fact(member) for member in opened.members)
        blind = [problem.sentence() for problem in opened.problems]
        blind += [
            f"{member.name}: its format is not known, so its lines have no time; set format"
            for member in opened.members
            if member.sort is Sort.UNKNOWN
        ]
        open_to_zone = any(not member.dialect.zone.defined for member in opened.members)
        if settings.zone.assumed and open_to_zone:
            blind.append("the zone of stamps that carry none: UTC is assumed; set zone")
        size = sum(member.log.size for member in opened.members if member.log is not None)
        count = len(opened.members)
        system = f"{count} log file{'' if count == 1 else 's'}, {size / 2**20:.1f} MB"
        kept = _reach([member for member in opened.members if member.first is not None])
        return CheckReport(system, facts, tuple(blind), retention=kept, no_account=LOCAL_FILES)
    finally:
        opened.close()


def _reach(members: list[OpenMember]) -> tuple[str, ...]:
    """How far back the files go; what was rotated away is known to nobody here."""
    oldest = min((member.first for member in members if member.first is not None), default=None)
    return () if oldest is None else (f"the oldest record is of {instant(oldest)}",)


def _fact(member: OpenMember) -> str:
    names = [item.name for item in member.dialect.formats if item not in GENERAL]
    if not names and member.dialect.json is None and member.dialect.formats:
        names = ["iso"]
    if member.dialect.json is not None:
        names.insert(0, JSON)
    written = ", ".join(names) or member.sort.value
    if member.shape.export:
        written += ", an export of the journal"
    if member.shape.array:
        written += " in one array"
    if member.dialect.zone.defined:
        written += ", in UTC by its definition"
    if member.shape.encoding != "utf-8":
        written += f", {member.shape.encoding.upper()}"
    if member.dialect.envelope is not None:
        written += f" in lines of {member.dialect.envelope.name}"
    if member.first is None:
        return f"{member.name}: {written}"
    end = f" to {instant(member.last)}" if member.last is not None else ""
    return f"{member.name}: {written}, {instant(member.first)}{end}"
