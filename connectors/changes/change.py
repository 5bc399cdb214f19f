"""One change as every place tells it, and the event it becomes.

Owns what is said of a version: a full or long commit id is the key `commit:` with twelve digits,
so that a commit, its tag and its deployments meet. Shorter or other versions are words only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.contract import CheckReport
from connectors.queues.account import Account
from connectors.written_times import Undated
from timeline.batch import Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.coverage import Sight
from timeline.event import SEVERITY_ERROR, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.window import Window

SHOWN_DIGITS = 12
"""Of a commit id: enough to be the only one in any repository of today, and git's own width for
the largest (the Linux kernel's default abbreviation)."""
COMMIT_KEY = "commit:"
_COMMIT_ID = re.compile(r"[0-9a-f]{12,64}")
FAILED = frozenset(("failure", "failed", "error", "canceled", "cancelled", "aborted"))
"""What GitHub, GitLab and common tables call a deployment that did not succeed."""


@dataclass(frozen=True, slots=True)
class Change:
    """`timestamp` in ns UTC as recorded. Texts may be raw: they are cleaned on the way out."""

    timestamp: int
    words: str
    ref: str
    version: str = ""
    who: str = ""
    service: str = ""
    clock: str = ""
    meaning: Meaning = Meaning.OCCURRED
    precision: Precision = Precision.SECOND
    status: str = ""
    details: Mapping[str, object] = field(default_factory=dict)

    def commit(self) -> str:
        """The twelve digits of the version, when it is a commit id; else empty."""
        version = self.version.strip().lower()
        return version[:SHOWN_DIGITS] if _COMMIT_ID.fullmatch(version) else ""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is the same for every change of one source."""

    source: str
    place: str
    """Where the changes were read: `git of shop`, `deploys.csv`, `GitHub acme/shop`."""
    service: str
    key_rules: KeyRules


def event_of(change: Change, origin: Origin) -> Event:
    """The event: who did what, which version, read where."""
    commit = change.commit()
    found = origin.key_rules.in_text(change.words)
    keys = dict.fromkeys(((COMMIT_KEY + commit,) if commit else ()) + found)
    told = {
        "who": change.who,
        "version": change.version,
        "status": change.status,
        "from": origin.place,
        **change.details,
    }
    ref = clean(change.ref)
    return Event(
        timestamp=change.timestamp,
        source=origin.source,
        lane=Lane.CHANGE,
        kind=Kind.CHANGE,
        body=clean(change.words),
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=SEVERITY_ERROR if change.status.lower() in FAILED else 0,
        actor=clean(change.service or origin.service),
        clock=clean(change.clock),
        meaning=change.meaning,
        precision=change.precision,
        keys=tuple(clean(key) for key in keys),
        attributes=json.dumps(_cleaned(told), ensure_ascii=False, sort_keys=True),
    )


def _cleaned(value: object) -> object:
    """The value with every text clean; empty members left out."""
    if isinstance(value, Mapping):
        pairs = ((clean(str(name)), _cleaned(item)) for name, item in value.items())
        return {name: item for name, item in pairs if item not in ("", None, [], {})}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return clean(value) if isinstance(value, str) else value


def by_nearness(events: Iterable[Event], window: Window) -> list[Event]:
    """The events inside the window, nearest T first: what a cut takes away lies farthest."""
    inside = (event for event in events if window.contains(event.timestamp))
    return sorted(inside, key=lambda event: (abs(event.timestamp - window.pin), event.seq))


@dataclass(slots=True)
class Told:
    """What a place told of one stretch, and what its silence is worth."""

    changes: list[Change] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    undated: list[Undated] = field(default_factory=list)
    sight: Sight = Sight.FULL
    reason: str = ""
    remedy: str = ""
    bytes_read: int = 0


class Place(Protocol):
    """One place that knows of changes. Every method may raise a `SourceProblem`."""

    @property
    def name(self) -> str:
        """`git of shop`, `deploys.csv`, `GitHub acme/shop`."""
        ...

    @property
    def service(self) -> str: ...

    async def now(self) -> int:
        """The place's present in ns UTC; our own where it has no clock."""
        ...

    async def check(self) -> CheckReport: ...

    async def between(self, window: Window, account: Account) -> Told:
        """What changed inside the window, or a little more. A limit met is an `account.cut`."""
        ...

    async def of(self, commits: Sequence[str], span: Window, account: Account) -> Told:
        """Everything about these commits (lower-case hexadecimal digits), whatever its time."""
        ...

    async def clock(self) -> ClockReading | None: ...

    async def close(self) -> None: ...
