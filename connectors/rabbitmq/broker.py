"""Which broker answers: version, clock, and how long it keeps its statistics."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from connectors.answers import at, items, text, whole
from connectors.clock_sampling import ClockSample
from connectors.logs.jsonshape import JsonValue
from connectors.queues.transitions import iso
from connectors.rabbitmq.api import ManagementAPI
from connectors.rabbitmq.history import DEFAULT_AGES_S, MILLISECOND_NS
from timeline.clean import clean
from timeline.window import SECOND_NS

COLUMNS = (
    "rabbitmq_version,cluster_name,disable_stats,sample_retention_policies,"
    "queue_totals.messages_details.samples"
)
NOW = {"lengths_age": 1, "lengths_incr": 1}
"""One sample a second apart: the newest is the answering node's clock, cut to the second. The
Date header is worse, for the web server renews it on a timer of its own."""
WRITING_TAGS = frozenset(["administrator", "policymaker"])
"""Tags that let an account declare users, permissions or policies (rabbitmq.com, "Management")."""
ASK_AN_ADMINISTRATOR = (
    "what it may do to queues it cannot ask: only administrators may, and the broker logs a "
    "warning for others; rabbitmqctl list_user_permissions {name} should show ^$ three times"
)
"""Measured on 3.10.8: `/api/users/NAME/permissions` answers 401 to the account itself."""
SAMPLE_PAUSE_S = 0.13
"""Nine readings spread over a second: at least one falls just after the second changed."""


@dataclass(frozen=True, slots=True)
class Broker:
    """What the overview states."""

    version: str
    cluster: str
    now: int
    """ns UTC of the answering node, cut to the second."""
    keeps_statistics: bool
    """False when `management_agent.disable_metrics_collector` is set: then there is no past."""
    ages_s: tuple[int, ...]
    """How far back samples of queues go (s), one for each resolution."""


async def identify(api: ManagementAPI) -> Broker:
    """Who answers. Raises `SourceProblem`."""
    overview = await api.get("/api/overview", columns=COLUMNS, **NOW)
    keeps = at(overview, "disable_stats") is not True
    ages = [whole(age) for age in items(at(overview, "sample_retention_policies", "basic"))]
    return Broker(
        clean(text(at(overview, "rabbitmq_version"))) or "of unknown version",
        clean(text(at(overview, "cluster_name"))) or "without a name",
        _newest(overview) or time.time_ns() // SECOND_NS * SECOND_NS,
        keeps,
        (tuple(age for age in ages if age > 0) or DEFAULT_AGES_S) if keeps else (),
    )


async def sample_clock(api: ManagementAPI, count: int) -> list[ClockSample]:
    """Readings of the answering node's clock, spread over one second; none without statistics."""
    samples = []
    for number in range(count):
        if number:
            await asyncio.sleep(SAMPLE_PAUSE_S)
        before, started = time.time_ns(), time.monotonic_ns()
        overview = await api.get("/api/overview", columns=COLUMNS, **NOW)
        after = before + time.monotonic_ns() - started
        if not (stamp := _newest(overview)):
            break
        samples.append(ClockSample(before, stamp, after, SECOND_NS))
    return samples


def tags_of(me: JsonValue) -> tuple[str, ...]:
    """The account's tags; a list since 3.9, words with commas before."""
    tags = at(me, "tags")
    words = tags.split(",") if isinstance(tags, str) else [text(tag) for tag in items(tags)]
    return tuple(clean(word) for word in words if word)


def ages_in_words(broker: Broker) -> str:
    """`10 min, 60 min`, or that there are none."""
    return ", ".join(f"{age // 60} min" for age in broker.ages_s) or "no time (statistics are off)"


def forgetting(broker: Broker, born: int) -> str:
    """Why an older stretch cannot be seen."""
    if not broker.ages_s:
        return "the broker's statistics are off: there is no past"
    kept = f"samples are kept for {max(broker.ages_s) // 60} min"
    if born > broker.now - max(broker.ages_s) * SECOND_NS:
        return f"{kept}, and a node started at about {iso(born)}"
    return kept


def _newest(overview: JsonValue) -> int:
    samples = items(at(overview, "queue_totals", "messages_details", "samples"))
    return max((whole(at(s, "timestamp")) for s in samples), default=0) * MILLISECOND_NS
