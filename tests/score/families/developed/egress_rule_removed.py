"""Somebody tidies up firewall rules with Terraform. From that second on no worker can open a
connection to the outside service; nothing was deployed and nothing else fails.

A person sees it by: the record of applies has one change just before; not one connect timeout of
that kind before it, and every job since it ends in one; what needs no outside service goes well.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import seconds_of
from tests.score.fifth_company.deeds import WORD
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.queues import Job
from tests.score.truth import Truth
from tests.score.world import Thing, World

SHARE = (0.12, 1.0)
"""Of the jobs since the change that call the outside service, least and most."""


def prepare(world: World) -> None:
    settle(world, workers=(2, 5))


def inject(world: World) -> Truth:
    night, rng = watch(world), world.rng
    surroundings(night)
    onset = night.onset_s
    rule = rng.choice((
        "terraform apply prod-network: 0 added, 1 changed, 1 destroyed",
        "security group sg-0be41f egress rule 7 revoked (ticket NET-2214)",
        "netpol/workers-egress updated: remove unused CIDR 198.51.100.0/24",
        "firewall policy edge-out revision 88 activated",
    ))  # fmt: skip
    night.change(onset - rng.uniform(1, 6), rule, who=rng.choice(("platform", "ci", "netops")))
    hit, share = list[tuple[Thing, Job, float]](), rng.uniform(*SHARE)
    for thing in night.things:
        job = thing.job
        if job is None or not job.attempts or job.attempts[0].outcome != "finished":
            continue
        at = seconds_of(night, job.attempts[0].started)
        if at < onset or rng.random() > share:
            continue
        hit.append((thing, job, at))
    _never_went_well(night, {thing.id: job.attempts[0].started for thing, job, _ in hit})
    for _, job, at in hit:
        job.attempts.clear()
        night.run(job, at, min(rng.uniform(5, 5.2), night.end_s - at), "failed", _error(night))
    night.close_the_books()
    return fault(
        night,
        "change-before",
        night.end_s,
        [thing for thing, _, _ in hit],
        also=("third-party", "network-hiccup", "orphaned-record", "poison-job", "retry-storm",
              "rejected-by-limit"),
        effect=len(hit) >= 5,
    )  # fmt: skip


def _never_went_well(night: Watch, since: dict[str, int]) -> None:
    """Take back what was told of these things from the start of their runs on."""
    night.told = [
        (event, by)
        for event, by in night.told
        if not any(event.timestamp >= since[word] for word in WORD.findall(event.body)
                   if word in since)
    ]  # fmt: skip


def _error(night: Watch) -> str:
    what, host, _path = night.firm.third
    return night.rng.choice((
        f"ConnectTimeoutException: connection timed out after 5000 ms: {host}/198.51.100.17:443",
        f"connect to {host} port 443 failed: Connection timed out ({what})",
        f"Errno::ETIMEDOUT: Failed to open TCP connection to {host}:443",
    ))  # fmt: skip
