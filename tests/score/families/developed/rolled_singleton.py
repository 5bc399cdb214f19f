"""A relay that must be alone is rolled like a web server: the new pod starts beside the old one.

It fetches numbered pages of a partner's feed and posts what stands in them. The old pod is given
its grace period and goes on fetching; for a minute or three both handle every page.

A person sees it by: two pods of one relay that ran at the same time, after the kubelet's stamps;
from the new one's start to the old one's end every page is told by both; before and after, by one.
"""

from __future__ import annotations

from collections import defaultdict

from tests.score.families.acts import fault
from tests.score.families.rota import cluster_says, pod_told, typed
from tests.score.truth import Truth
from tests.score.world import World

_WORDS = (
    "posted page_id={page} records={n} lag={lag}s",
    '{{"level":"info","msg":"page applied","page_id":"{page}","records":{n}}}',
    "INFO  [relay] Applied page pageId={page} ({n} records)",
    "feed.cursor advanced page_id={page} upserts={n}",
)


def inject(world: World) -> Truth:
    rng = world.rng
    relay, words = rng.choice(("feed-relay", "edi-bridge", "price-import")), rng.choice(_WORDS)
    old, new = (f"{relay}-{rng.getrandbits(36):09x}-{rng.getrandbits(20):05x}" for _ in "ab")
    pace, grace = rng.uniform(4, 11), rng.uniform(70, 200)
    begin, gone = world.onset_s, world.onset_s + grace
    page, at = rng.randint(20_000, 60_000), rng.uniform(5, 15)
    by: defaultdict[int, set[str]] = defaultdict(set)
    posts = rng.random() < 0.5
    while at < world.end_s - 3:
        both = begin + 3 < at < gone
        for host in [h for h, there in ((old, at < gone), (new, at >= begin + 3)) if there]:
            when = at + rng.uniform(0.05, 0.35 * pace)
            line = words.format(page=page, n=rng.randint(1, 90), lag=rng.randint(1, 9))
            world.log(when, relay, host, line, source=f"{relay}-log")
            by[page].add(host)
            if posts:
                pk = str(rng.randint(10**6, 10**8))
                world.row(when, "postings", pk, columns={"page_id": page}, host=host)
        page, at = page + 1, at + pace * (1 if both else rng.uniform(0.9, 1.1))
    world.change(begin - 8, f"deployed {relay} {rng.getrandbits(40):010x}", relay, who="argo")
    pod_told(world, new, relay, started=begin, created=begin - 4)
    cluster_says(world, begin + 9, "Pod", old, "Killing", f"Stopping container {relay}")
    pod_told(world, old, relay, started=-9_000, ended=gone, reason="Error", code=137)
    hit = [typed("page", n) for n, hosts in by.items() if len(hosts) == 2]
    return fault(
        world,
        "overlapping-runs",
        gone,
        hit,
        alternates=("run-overlap",),
        also=("duplicate-create", "change-before", "extra-runs", "re-press"),
        effect=len(hit) >= 5 and len(by) >= 3 * len(hit),
    )
