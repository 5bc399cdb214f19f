"""Network, server and record errors: known wordings and what each says about the outcome.

`table` holds the data and imports nothing heavy; `matcher` finds the table in log bodies and
imports polars, so it is imported where it is used (`from timeline.errors.matcher import …`). This
package reads text only. It never decides what caused an incident: detectors do.
"""

from __future__ import annotations

from timeline.errors.kinds import ErrorClass, Evidence, Fragment, Outcome, Phase, Provenance
from timeline.errors.table import FRAGMENTS

__all__ = [
    "FRAGMENTS",
    "ErrorClass",
    "Evidence",
    "Fragment",
    "Outcome",
    "Phase",
    "Provenance",
]
