"""The rows were read on a standby that had stopped replaying before anything went wrong.

The connector says up to when that server had replayed; everything that was written later is on
the primary alone. The services tell of their writes as ever.

A person sees it by: what the database source says of itself, replayed up to an instant and not
connected to its primary; not one row after that instant where there was one every few seconds;
the services' own lines about rows that they have stored since then.
"""

from __future__ import annotations

import json

from connectors.postgresql.replication import ASK_PRIMARY
from connectors.queues.transitions import iso
from tests.score.families.acts import fault
from tests.score.families.watched import seen_only
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, intrinsic_seq
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    move_in(world, ("rabbitmq", "dramatiq"), servers=("english", "french", "spanish"))


def inject(world: World) -> Truth:
    here = watch(world)
    since = here.onset_s
    neighbours(here)
    before, gone = _replayed(here, since)
    written = _said_written(here, since)
    words = f"this replica has replayed up to {iso(here.at(since))}"
    seen_only(here, "database", since, here.end_s, words, ASK_PRIMARY)
    _its_own_view(here, since)
    here.settle_accounts()
    return fault(
        here,
        "blind-spot",
        here.end_s,
        effect=before >= 20 and gone >= 15 and written >= 10,
    )


def _replayed(here: Watch, since: float) -> tuple[int, int]:
    """Takes away what the standby does not have; how many rows stay and how many go."""
    low = here.at(since)
    rows = [event for event, _ in here.told if event.source == "database"]
    late = {event.id for event in rows if event.timestamp >= low}
    here.told = [(event, by) for event, by in here.told if event.id not in late]
    return len(rows) - len(late), len(late)


def _said_written(here: Watch, since: float) -> int:
    """Lines of the front that tell of a stored thing after `since`."""
    known = {thing.id for thing in here.things}
    low, front = here.at(since), here.house.front.name
    return sum(
        event.actor == front
        and event.lane is Lane.LOG
        and event.timestamp >= low
        and any(word.strip("',\"=").rpartition("=")[2] in known for word in event.body.split())
        for event, _ in here.told
    )


def _its_own_view(here: Watch, since: float) -> None:
    """The standby about itself, at the moment it was asked."""
    seen = here.at(here.now_s)
    behind = here.rng.randint(4_000_000, 90_000_000)
    lag = (seen - here.at(since)) / SECOND_NS
    told = {
        "now": True,
        "lag_bytes": behind,
        "lag_seconds": lag,
        "replayed_until": iso(here.at(since)),
        "heard_from_primary": iso(here.at(since)),
        "streaming": False,
        "replay_paused": False,
        "seen_at": iso(seen),
    }
    words = f"this is a replica, not connected to its primary, {behind:,} bytes and {lag:.1f} s"
    ref = f"replica/self@{seen}"
    event = Event(
        timestamp=seen,
        source="database",
        lane=Lane.DATABASE,
        kind=Kind.METRIC,
        body=f"{words} behind",
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=SEVERITY_WARN,
        attributes=json.dumps(told),
    )
    here.tell(event, "database")
