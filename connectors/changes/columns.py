"""Which column of somebody's deployment table holds what: guessed by name, said, never by value.

Names are compared without case and with every sign but letters and digits as one underscore, so
that `Deployed At`, `deployedAt` and `deployed-at` are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from connectors.logs.textformat import words

ROLES: Mapping[str, tuple[str, ...]] = {
    "time": words(
        "time timestamp ts datetime deployed_at deploy_time released_at finished_at completed_at "
        "started_at created_at at when date"
    ),
    "day": words("date day"),
    "service": words("service app application component project repo repository system name"),
    "version": words(
        "version sha commit revision rev release tag git_sha commit_sha build image ref"
    ),
    "who": words("who user author by deployer deployed_by actor username person login"),
    "url": words("url link href web_url pipeline build_url"),
    "environment": words("environment env stage target"),
    "status": words("status state result outcome"),
    "what": words("what description message summary title note change action event comment"),
}
"""Best names first."""


def plain(name: str) -> str:
    """`deployedAt`, `Deployed At` and `deployed-at` as `deployed_at`."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def roles_of(names: Iterable[str]) -> dict[str, str]:
    """Role and the column's own name. `day` only where another column holds the time of day."""
    own: dict[str, str] = {}
    for name in names:
        own.setdefault(plain(name), name)
    found = {}
    for role, candidates in ROLES.items():
        known = [own[candidate] for candidate in candidates if candidate in own]
        found.update({role: known[0]} if known else {})
    if found.get("day") == found.get("time"):
        found.pop("day", None)
    return found
