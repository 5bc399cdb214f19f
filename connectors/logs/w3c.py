"""W3C extended log files, of IIS, HTTP.sys and CloudFront: in UTC, though no zone is written.

A file says of itself what it is, by its directives or by an edge location behind the stamp. The
standard has dates and times in GMT (W3C working draft WD-logfile-960323, "Date" and "Time"), and so
do Microsoft ("Extended Log File Format Always in GMT", Q194699; "W3C Extended Log File Format") and
Amazon ("Standard logging reference": `date` and `time` in UTC). Not everybody keeps to it: the
Windows firewall borrows the form and says `#Time Format: Local`, WebLogic leaves it to a setting.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.logs.zones import ZoneRule

_FIELDS = "#Fields:"
_DATE_LENGTH = len("2026-03-14")
_LOCAL = "#Time Format: Local"
_ALWAYS_UTC = (
    r"#Software: Microsoft (?:Internet Information|HTTP API)"
    r"|#Fields:.*\bx-edge-location\b"
)
"""What only the programs write that cannot be set to anything else."""
_EDGE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}\t[0-9:]{8}\t[A-Z]{3}[0-9]{1,4}(?:-[A-Z0-9]+)?\t[0-9]+\t"
"""A CloudFront line of a file whose head was cut off: edge location (`FRA60-P4`) and bytes."""


def zone_by_definition(lines: Sequence[str], zone: ZoneRule) -> ZoneRule:
    """The zone of stamps without one: UTC where the sampled `lines` are a W3C file, else `zone`.

    A declared zone is believed where the program may have been set to local time.
    """
    told = [line for line in lines if line.startswith("#") or line[_DATE_LENGTH:][:1] == "\t"]
    if not told or any(line.startswith(_LOCAL) for line in told):
        return zone
    edges = sum(re.match(_EDGE, line) is not None for line in told)
    if 2 * edges >= len(lines) or any(re.match(_ALWAYS_UTC, line) for line in told):
        return ZoneRule.by_definition()
    dated = any(line.startswith(_FIELDS) and {"date", "time"} <= {*line.split()} for line in told)
    return ZoneRule.by_definition() if dated and zone.assumed else zone
