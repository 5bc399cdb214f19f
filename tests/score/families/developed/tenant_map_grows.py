"""One pod keeps an entry of every tenant it has ever served and never lets one go.

Its memory stands where it always stood, rises from some instant on, lies against the limit of its
container for a while, and falls to where it began when the kubelet has ended it; then it rises
anew. The other pods of the service serve other tenants and stay level.

A person sees it by: the saw of that one pod's working set under its limit, each tooth with the
slope of the one before; the container's last state, OOMKilled, and its restarts; the service's line
of a new start at the foot of each tooth; a few calls that fail in the seconds between.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.rota import pod_told
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

STEP_S = 30.0


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    leaky = rng.choice(firm.backs)
    pod, limit = leaky.hosts[0], rng.choice((384, 768, 1536, 3072)) * 2**20
    floor, begin = rng.uniform(0.4, 0.62), world.onset_s - rng.uniform(100, 400)
    climb, flat = rng.uniform(240, 480), rng.choice((0.0, rng.uniform(60, 150)))
    deaths = [begin + climb + flat]
    while deaths[-1] + climb + flat + 15 < world.end_s - 20:
        deaths.append(deaths[-1] + climb + flat + rng.uniform(5, 15))
    deaths = [at for at in deaths if at < world.end_s - 40]

    def level(seconds: float) -> float:
        since = max([at for at in deaths if at <= seconds], default=begin)
        share = floor + (0.985 - floor) * min(1.0, max(0.0, seconds - since) / climb)
        return limit * min(0.998, share + rng.uniform(-0.012, 0.012))

    ticks = [STEP_S * n for n in range(int(world.end_s // STEP_S))]
    for host in leaky.hosts:
        labels = {"namespace": "apps", "pod": host, "container": leaky.name}
        own = host == pod
        still = floor * rng.uniform(0.8, 1.1)
        world.curve(
            "container_memory_working_set_bytes",
            labels,
            [(s, level(s) if own else limit * still * rng.uniform(0.985, 1.015)) for s in ticks],
        )
        told = {**labels, "resource": "memory"}
        world.curve("kube_pod_container_resource_limits", told, [(s, float(limit)) for s in ticks])
    began = -3_000.0
    for at in deaths:
        back = at + rng.uniform(2, 6)
        pod_told(world, pod, leaky.name, started=began, ended=at, reason="OOMKilled", again=back)
        began = back
        up = {"service": leaky.name, "version": "c41", "n": rng.randint(2, 9)}
        world.say(back + rng.uniform(1, 5), leaky, "boot", up, host=pod)
        for _ in range(rng.randint(0, 3)):
            _unanswered(world, leaky.name, at + rng.uniform(0.2, 2))
    return fault(
        world,
        "memory-leak",
        world.end_s,
        onset_s=begin,
        also=("lost-worker",),
        effect=len(deaths) >= 1 and max(map(level, ticks)) > 0.9 * limit,
    )


def _unanswered(world: World, name: str, at: float) -> None:
    """A call that comes while the container is away; the page is shown without the part."""
    front = world.company.front
    error = world.error(front, "refused", host=name, port=8080)
    told = {"method": "GET", "path": f"/{name}/panel", "rid": world.request_id(), "error": error}
    world.say(at, front, "request_failed", told, severity=SEVERITY_ERROR)
