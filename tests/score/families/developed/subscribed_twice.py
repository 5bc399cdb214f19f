"""A queue has been subscribed twice to its topic: each event arrives under two message ids.

Somebody applied a plan that made the subscription again under a new name. The queue shows counts
alone; the workers' lines and the rows that they leave are the account.
A person sees it by: since the change every thing is worked on by two messages within a second,
where it was one before; both runs end well; two rows about each thing.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import rows_about
from tests.score.fourth_company.acts import effect_row
from tests.score.fourth_company.brands import COUNTING
from tests.score.fourth_company.company import job_names, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    relocate(world, COUNTING)


def inject(world: World) -> Truth:
    night = shift(world)
    surround(night)
    rng, firm = night.rng, night.house
    if rng.random() < 0.7:
        words = f"terraform apply: aws_sns_topic_subscription.{firm.table}_v2 created (1 added)"
        night.change(night.onset_s - rng.uniform(2, 20), words, who="platform", status="applied")
    since, until = night.at(night.onset_s), night.at(night.end_s - 3)
    mine = {thing.job.id: thing for thing in night.things if thing.job is not None}
    hit: list[Thing] = []
    for job in tuple(night.jobs):
        thing = mine.get(job.id)
        if thing is None or not since <= job.pushed[0] < until or job.state() != "finished":
            continue
        sent = (job.pushed[0] - night.start) / 1e9
        begun = (job.attempts[0].started - night.start) / 1e9
        again = night.push(sent + rng.uniform(0.001, 0.2), thing.id, job.host)
        took = rng.uniform(0.05, 0.6)
        attempt = night.run(again, begun + rng.uniform(0.02, 0.9), took)
        effect_row(night, begun + took + 0.9, thing.id, attempt.host)
        thing.keys |= job_names(again.id)
        hit.append(thing)
    night.samples()
    twice = sum(rows_about(night, firm.effects, thing.id) == 2 for thing in hit)
    return fault(
        night,
        "duplicate-enqueue",
        night.end_s,
        hit,
        also=("change-before", "rate-change", "duplicate-create", "extra-runs", "overlapping-runs"),
        effect=len(hit) > 5 and twice > len(hit) * 0.9,
    )
