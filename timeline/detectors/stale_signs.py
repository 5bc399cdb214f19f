"""All readings of something old that do not end in "not found": for `stale-read` alone.

Lines that give a value as it had been, copies that went on for minutes, revisions that were already
overwritten, paths that were missing for a moment, standbys far behind. A thing that two of them
tell of is told once, by the first in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from timeline.detectors.missed_paths import missed_paths
from timeline.detectors.old_copies import old_copies
from timeline.detectors.old_revisions import old_revisions
from timeline.detectors.stale_values import stale_values
from timeline.detectors.standby_reads import asked_standbys

if TYPE_CHECKING:
    from timeline.finding import Finding
    from timeline.incident import Incident


def stale_signs(incident: Incident) -> list[Finding]:
    """Findings of all kinds, those of one kind strongest first."""
    told: set[str] = set()
    found: list[Finding] = []
    for signs in (stale_values, old_copies, old_revisions, missed_paths, asked_standbys):
        new = [one for one in signs(incident) if not one.keys or not told.issuperset(one.keys)]
        found += new
        told.update(key for one in new for key in one.keys)
    return found
