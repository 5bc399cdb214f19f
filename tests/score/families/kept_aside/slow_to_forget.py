"""A service keeps what it should let go. Its memory rises with every request, stands at the limit
for a while, is killed, and begins again from below.

A person sees it by:
- the working set of one pod: a straight rise, a stretch at the limit, a fall, and the rise again;
- the cluster's word for the end of the container, and the service's line of a new start;
- the siblings, whose memory is as level as before.
"""

from __future__ import annotations

from tests.score.families.acts import burst, fault, mute
from tests.score.families.shopfloor import pod_event
from tests.score.held import Act, narrowed
from tests.score.sixth_company.acts import close, sampled, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import World

STEP_S = 15.0
DOWN_S = 12.0
"""From a container's end until its successor counts."""
METRIC = "container_memory_working_set_bytes"


def prepare(world: World) -> None:
    settle(world, backs=(2, 5))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    back = max(here.company.backs, key=lambda service: len(service.hosts))
    everywhere = rng.random() < 0.3
    released = rng.random() < 0.5
    if released:
        version = f"{rng.getrandbits(160):040x}"
        here.change(start - 4, f"deployed {back.name} {version[:9]}", back.name, version=version)
    limit = float(rng.choice((268_435_456, 536_870_912, 1_073_741_824)))
    rise, stands = (here.end_s - start) * rng.uniform(0.3, 0.5), rng.uniform(32, 70)
    killed, lives = list[float](), list[list[float]]()
    for place, host in enumerate(back.hosts):
        leaks = place == 0 or everywhere
        late = start + (rng.uniform(0, 20) if place else 0.0)
        ends = _ends(here, late, rise + stands) if leaks else []
        _memory(here, back.name, host, limit, (rise, late if leaks else here.end_s, ends))
        for at in ends:
            words = "Container app terminated, exit code 137, reason OOMKilled"
            pod_event(here, at, host, "OOMKilled", f"{words} ({host})")
            mute(here, (host,), at, at + DOWN_S - 3)
            burst(here, (here.company.front,), at, 8, ("refused",), 2, host=back.name, port=8080)
            boot = {"service": back.name, "version": "5e1c0de", "n": 2}
            here.say(at + DOWN_S - 3, back, "boot", boot, host=host)
        killed += ends
        lives.append(ends)
    close(here)
    curve = told(here, METRIC, back.hosts[0], since=start)
    levels = sampled(curve)
    flat = sum(level > 0.96 * limit for level in levels)
    effect = bool(killed) and flat >= 2 and len(told(here, "OOMKilled")) == len(killed)
    fallen = sampled(told(here, METRIC, back.hosts[0], since=min(killed, default=here.end_s)))
    effect &= levels[0] < 0.6 * limit and min(fallen, default=limit) < 0.6 * limit
    also = {"change-before"} if released else set[str]()
    truth = fault(here, "memory-leak", here.end_s, also=also, effect=effect)
    pods = frozenset(f"pod:{host}" for host, ends in zip(back.hosts, lives, strict=True) if ends)
    lost = Act("lost-worker", truth.onset, truth.ended, pods)  # none of them had a job at hand
    gone = (Act("network-hiccup", here.at(a), here.at(b)) for a, b in _nobody_there(lives))
    return narrowed(truth, lost, *gone)


def _nobody_there(lives: list[list[float]]) -> list[tuple[float, float]]:
    """Stretches from a first kill to the last new start in which, for a while, every one of the
    hosts was down at once: the service was gone for whoever called it, and came back. `lives` has
    the kills of each host, in order; where one lives on, the others still answer."""
    rounds = zip(*lives, strict=False)  # hosts that leak alike are killed in rounds
    return [(min(one), max(one) + DOWN_S) for one in rounds if max(one) < min(one) + DOWN_S - 3]


def _ends(here: Shift, begun: float, lives: float) -> list[float]:
    """The seconds at which a container is killed that lives so long each time."""
    found = []
    while (begun := begun + lives) < here.end_s - 20:
        found.append(begun)
        begun += DOWN_S
    return found


def _memory(
    here: Shift,
    service: str,
    host: str,
    limit: float,
    life: tuple[float, float, list[float]],
) -> None:
    """A pod's curve over the window. `life` is how long it rises, from when, and when it ends."""
    rise, first, ends = life
    low, samples = 0.3 * limit, []
    for place in range(int(here.end_s // STEP_S)):
        at = place * STEP_S
        begun = max((end + DOWN_S for end in ends if end < at), default=first)
        share = min(max(at - begun, 0) / rise, 1)
        level = low + (limit * 0.985 - low) * share
        samples.append((at, level * here.rng.uniform(0.995, 1.005)))
    labels = {"job": "cadvisor", "pod": host, "container": "app", "namespace": service}
    here.curve(METRIC, labels, samples)
