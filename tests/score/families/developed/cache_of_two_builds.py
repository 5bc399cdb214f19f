"""A new build writes its views to the shared cache in a form that the build before cannot read.
While both serve, the old ones stumble over what the new ones have stored.

A person sees it by: the curve of builds names two of them at once, by instance; errors of reading
the cache come from the instances of the old build only and begin when the first new one serves;
none before, none from the new instances.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import cluster_event
from tests.score.fourth_company.acts import failed_request
from tests.score.fourth_company.company import Shift, relocate, request_names, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World

UNREAD = (
    "java.io.InvalidClassException: lan.bottega.view.Page; local class incompatible: stream"
    " classdesc serialVersionUID = 412, local class serialVersionUID = 387",
    "AttributeError: Can't get attribute 'PageV2' on <module 'views.cached'>",
    "ArgumentError: undefined class/module Views::PageV2",
    "unserialize(): Error at offset 41 of 2210 bytes",
    "proto: wrong wireType = 2 for field Price",
    "MessagePack.FormatterNotRegisteredException: PageV2 is not registered in resolver",
)


def prepare(world: World) -> None:
    relocate(world, workers=(2, 4))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    wide = [s for s in (*night.house.backs, night.house.front) if len(s.hosts) >= 2]
    if not wide:
        return fault(night, "deploy-skew", night.end_s, effect=False)
    service, onset = rng.choice(wide), night.onset_s
    fresh = service.hosts[: rng.randint(1, len(service.hosts) - 1)]
    old = service.hosts[len(fresh) :]
    _builds(night, service.name, fresh, service.hosts)
    if rng.random() < 0.5:
        for host in fresh:
            words = f"Started container {service.name}"
            cluster_event(night, onset - 8, "Pod", host, "Started", words, component="kubelet")
    unread, at, rids = rng.choice(UNREAD), onset + rng.uniform(1, 9), list[str]()
    while at < night.end_s - 1:
        path = f"/{night.house.table}/recent"
        rids.append(failed_request(night, at, service, unread, path=path, host=rng.choice(old)))
        at += rng.expovariate(1 / rng.uniform(6, 20))
    night.samples()
    return fault(
        night,
        "deploy-skew",
        night.end_s,
        [request_names(rid) for rid in rids],
        also=("change-before", "bad-data"),
        effect=len(rids) >= 8,
    )


def _builds(night: Shift, job: str, fresh: tuple[str, ...], hosts: tuple[str, ...]) -> None:
    """`build_info` of each instance: one series for each build that it ever had."""
    one, two = f"24.{night.rng.randint(1, 9)}.3", f"24.{night.rng.randint(10, 19)}.0"
    every = [30.0 * n for n in range(int(night.end_s // 30))]
    for host in hosts:
        change = night.onset_s - 5 if host in fresh else 1e9
        for version, seen in ((one, [s for s in every if s < change]),
                              (two, [s for s in every if s >= change])):  # fmt: skip
            labels = {"job": job, "instance": f"{host}:9090", "version": version}
            night.curve("build_info", labels, [(s, 1.0) for s in seen])
