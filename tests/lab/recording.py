"""What may stand in a recording that travels with the package, and what must not."""

from __future__ import annotations

import re
import socket
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SHOP_HOSTS = frozenset({"web-1", "worker-1", "worker-2", "inventory-1", "cron-1", "console-1"})
OFFICE_HOSTS = frozenset({"office-1", "batch-1", "statements-1"})
BACKUP_HOSTS = frozenset({"queue-1", "backup-1", "backup-2", "platform-1"})
HOSTS = SHOP_HOSTS | OFFICE_HOSTS | BACKUP_HOSTS
"""Everybody in the lab who has a clock."""
WORKER_PID = re.compile(r"\.\d+$")
"""A worker that may be started again on its host has its process id in its name."""
NOT_A_HOST = frozenset({"", "client?"})
"""Clocks that no host owns: the source's own, and whichever host enqueued a job."""
PRIVATE_PLACES = ("/home/", "/Users/", "/Documents/", "C:\\\\")
"""Beside this checkout and the home folder of whoever asks; see `private_places`."""
LARGEST_BYTES = 2_000_000
"""A recording travels with every installation."""


def texts_in(bundle: Path) -> list[str]:
    """Every text of every event of a recording, and what its sources said of themselves."""
    from halfawake.bundles import open_bundle

    incident, statuses = open_bundle(bundle)
    events = incident.snapshot.events
    columns = ("body", "ref", "attributes", "actor", "clock", "source")
    texts = [str(text) for name in columns for text in events.get_column(name).unique()]
    reasons = [f"{one.reason} {one.remedy}" for one in incident.snapshot.coverage.entries]
    return [*texts, *reasons, *(str(status) for status in statuses)]


def hosts_in(bundle: Path) -> set[str]:
    """The hosts whose clocks a recording's events were stamped by."""
    from halfawake.bundles import open_bundle

    incident, _ = open_bundle(bundle)
    clocks = incident.snapshot.events.get_column("clock").unique()
    return {WORKER_PID.sub("", str(clock)) for clock in clocks} - NOT_A_HOST


def private_places() -> tuple[str, ...]:
    """Folders that no text of a published recording may name."""
    return (str(REPOSITORY), str(Path.home()), *PRIVATE_PLACES)


def objections(bundle: Path) -> list[str]:
    """Why a fresh recording should not be published, checked where it was made."""
    host = re.compile(rf"(?<![\w-]){re.escape(socket.gethostname())}(?![\w-])")
    places = private_places()
    found = [
        f"it names this machine: {text[:100]!r}"
        for text in texts_in(bundle)
        if host.search(text) or any(place in text for place in places)
    ][:5]
    if (size := bundle.stat().st_size) > LARGEST_BYTES:
        found.append(f"it has {size} bytes, {LARGEST_BYTES} are allowed")
    return found
