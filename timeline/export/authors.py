"""Who made the changes that were read: names of people, told from programs and services.

What a pipeline or a bot is called blames nobody and says how something went live, so it stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_AUTHORS = 500
"""Of the changes of one incident; a week of a large repository has some dozens."""
_PROGRAM = re.compile(
    r"(?i)\A(?:.*\[bot\]|(?:.*[-_ ])?bots?|(?:github|gitlab)(?:[-_ ]\w+)*|web-flow|dependabot.*"
    r"|renovate.*|jenkins.*|argo-?cd.*|flux.*|circle-?ci|team-?city|build-?kite|travis.*|drone"
    r"|spinnaker|terraform.*|ansible.*|helm|kubernetes|kube-.*|ci|cd|ci[-_/]cd|(?:auto-?)?deploy\w*"
    r"|release\w*|pipeline|system|root|admin|www-data|nobody|unknown|automation|scheduler|cron)\Z"
)
"""What programs call themselves where they deploy or commit."""


def authors_in(incident: Incident) -> tuple[str, ...]:
    """Names of who made a change, by the time of the first; services and programs left out."""
    told = incident.snapshot.told(pl.col("lane") == Lane.CHANGE.value, "attributes")
    if told.is_empty():
        return ()
    names = told.select(
        pl.concat_list(
            pl.col("attributes").str.json_path_match(f"$.{field}").fill_null("")
            for field in ("who", "committer")
        ).alias("name")
    )
    once = names.explode("name").filter(pl.col("name") != "").unique(maintain_order=True)
    events = incident.snapshot.events
    known = {str(name).lower() for name in events.get_column("actor").unique() if name}
    known |= set(incident.expected_services)
    people = (str(name) for name in once.head(MOST_AUTHORS).get_column("name"))
    return tuple(name for name in people if name.lower() not in known and not is_program(name))


def is_program(name: str) -> bool:
    """Whether a pipeline or a bot goes by that name."""
    return _PROGRAM.match(name.strip()) is not None
