"""The sidecar saw 503 from the partner; the job that made the call ended well, its effect is not
there.

The client library returns an empty answer for every status and the worker never looks at it.
A person sees it by: the sidecar's access log has 503 for the very request whose front answered 201
and whose job is done; what such a job leaves behind is there for every other request and missing
for these.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import access_line, bodies, rows_about
from tests.score.fourth_company.acts import done, pushed, recorded
from tests.score.fourth_company.brands import SHOWING
from tests.score.fourth_company.company import relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import PIN_S, World


def prepare(world: World) -> None:
    relocate(world, SHOWING)


def inject(world: World) -> Truth:
    night = shift(world)
    surround(night)
    rng, firm = night.rng, night.house
    _, partner, path = firm.third
    share, flags = rng.uniform(0.1, 0.7), rng.choice(("UF", "UH", "UO"))
    end = min(PIN_S, night.onset_s + rng.uniform(120, 420))
    hit, at = [], rng.uniform(40, 90)
    while at < night.end_s - 12:
        broken = night.onset_s <= at < end and rng.random() < share
        thing, rid, host = recorded(night, at)
        job = pushed(night, at + 0.022, thing, rid, host)
        begun, took = at + rng.uniform(0.1, 0.8), rng.uniform(0.2, 0.9)
        if broken:
            where = night.run(job, begun, took).host
            hit.append(night.entity(thing, rid, job))
        else:
            where = done(night, job, thing, begun, took)
        access_line(
            night,
            begun + took * 0.7,
            "istio-proxy",
            where,
            "POST",
            path,
            503 if broken else 200,
            took * 600,
            {
                "response_flags": flags if broken else "-",
                "authority": partner,
                "request_id": rid,
                "upstream_cluster": f"outbound|443||{partner}",
            },
        )
        at += rng.expovariate(1 / 7) + 0.3
    night.samples()
    missing = all(rows_about(night, firm.effects, thing.id) == 0 for thing in hit)
    seen = bodies(night)
    return fault(
        night,
        "swallowed-error",
        end,
        hit,
        also=("third-party", "orphaned-record", "network-hiccup"),
        effect=len(hit) > 2 and missing and all(thing.request in seen for thing in hit),
    )
