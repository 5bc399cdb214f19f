"""What all detectors say of a scenario by name, asked once for each run of the tests.

`demo:NAME` is a recorded incident, `NAME` or `NAME/SEED` a developed family (seed 0 if none).
"""

from __future__ import annotations

from functools import cache

from halfawake.bundles import open_bundle
from halfawake.demo import story_path
from tests.score.catalogue import detectors, families_in
from tests.score.collection import collected
from timeline.analysis import analyse
from timeline.finding import Finding

DEMO = "demo:"


@cache
def played(scenario: str) -> tuple[Finding, ...]:
    """All findings in reading order, qualifiers as well. Raises StopIteration for no family."""
    if scenario.startswith(DEMO):
        incident, _ = open_bundle(story_path(scenario.removeprefix(DEMO)))
    else:
        name, _, seed = scenario.partition("/")
        family = next(one for one in families_in("developed") if one.name == name)
        incident = collected(family.world(int(seed or 0))[0])
    return analyse(incident, detectors()).findings
