"""From the manifest of an older bundle to that of today, one version at a time.

A version is raised only when a reader of the one before could misread what is written; a field
that can be missed without harm is simply added and has a default. What a migration fills in says
that nothing is known, never that there was nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from timeline.finding import JsonValue

VERSION = 2
"""Version 2 holds counts: without them a stretch that was only counted looks silent. An incident
without counts is written as `UNCOUNTED`, which says all of it and which older readers open."""
UNCOUNTED = 1

Manifest: TypeAlias = "dict[str, JsonValue]"


class NewerVersion(ValueError):
    """The bundle was made by a halfawake that knows more; the message is one sentence."""


def migrated(manifest: Mapping[str, JsonValue], version: int) -> Manifest:
    """The manifest as version `VERSION` writes it. Raises `NewerVersion`."""
    if version > VERSION:
        raise NewerVersion(
            f"this bundle was made by a newer halfawake (format version {version}; this one reads "
            f"up to {VERSION}); update halfawake to open it"
        )
    told = dict(manifest)
    for older in range(version, VERSION):
        told = MIGRATIONS[older](told)
    return told


def _with_counts(manifest: Manifest) -> Manifest:
    """Version 1 to 2: no engine counted anything.

    The first bundles of version 1 were written before there was `knowledge`, `asked` and `marks`:
    the team had told nothing, no look-up is known to be whole, and no row was marked.
    """
    unknown: Manifest = {"knowledge": {}, "asked": [], "marks": []}
    return unknown | manifest


MIGRATIONS: dict[int, Callable[[Manifest], Manifest]] = {1: _with_counts}
"""From the version named to the next one, over the manifest."""
