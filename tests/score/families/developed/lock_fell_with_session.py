"""An importer holds a session lock of the database on the feed it reads. The pooler drops that
session; the lock is gone and nobody tells the importer. Another host takes the same feed.

No queue is involved: the importers poll. A person sees it by: the lock on one feed acquired twice
without a release between; pages of that feed written by two hosts in turn; the feed's recorded
cursor going back and forth between two actors.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import audited, beside, row_names
from tests.score.third_company.house import Watch, move_in, watch
from tests.score.third_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World

PAGE = 500
FEEDS = ("acme-de", "nordic-parts", "elektro_24", "bauhof-ch", "meubles-idf", "ferro.it", "kuba-pl",
         "vdl-nl", "sol-es", "tools4u", "inox-be", "garten-at", "optik-x", "reifen1")  # fmt: skip


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = watch(world)
    neighbours(here)
    rng = here.rng
    hosts = [f"importer-{n}" for n in rng.sample(range(1, 9), 4)]
    feeds = rng.sample(FEEDS, rng.randint(7, len(FEEDS)))
    victims, at, hit = rng.randint(1, 2), 20.0, []
    before = feeds[victims:]
    pace = max(20.0, (here.onset_s - 60) / len(before))
    for feed in before:
        _import(here, at, feed, rng.choice(hosts), rng.randint(5, 14), rng.uniform(0.6, 1.6))
        at += pace
    tool = rng.choice(("audited", "paper_trail"))
    for place, feed in enumerate(feeds[:victims]):
        one, two = rng.sample(hosts, 2)
        pages, gap = rng.randint(60, 110), rng.uniform(2.5, 4)
        lost = here.onset_s + place * 40
        _import(here, lost - rng.uniform(30, 60), feed, one, pages, gap, tool)
        _session_lost(here, lost - 2)
        _import(here, lost, feed, two, pages, gap, tool)
        hit.append(frozenset({f"feed:{feed}"}) | row_names("feeds", feed))
    here.settle_accounts()
    return fault(
        here,
        "overlapping-runs",
        here.end_s,
        hit,
        alternates=("run-overlap",),
        also=("lost-update", "network-hiccup", "extra-runs", "delivered-again"),
    )


def _session_lost(here: Watch, at: float) -> None:
    peer = f"10.8.1.{here.rng.randint(2, 90)}:{here.rng.randint(30_000, 60_000)}"
    words = f"S-0x55d0c1: shop/importer@{here.house.database}:5432 closing because: server idle"
    beside(here, at, "pgbouncer", f"{words} timeout (age=3604s)")
    beside(here, at + 0.4, "pgbouncer", f"C-0x55d2f0: shop/importer@{peer} login attempt: db=shop")


def _import(
    here: Watch, at: float, feed: str, host: str, pages: int, gap: float, tool: str = ""
) -> None:
    rng, seconds = here.rng, at
    here.log(at, "importer", host, f"lock acquired feed_id={feed} key={hash_of(feed)} session lock")
    for page in range(1, pages + 1):
        seconds += gap * rng.uniform(0.7, 1.3)
        if seconds > here.end_s - 2:
            return
        words = f"feed_id={feed} page={page}/{pages} upserted={PAGE - rng.randint(0, 20)}"
        here.log(seconds, "importer", host, words)
        if tool and page % 4 == 0:
            cursor = {"cursor": ((page - 4) * PAGE, page * PAGE)}
            audited(here, seconds + 0.01, "feeds", feed, cursor, f"importer@{host}",
                    host=host, tool=tool)  # fmt: skip
    here.log(seconds + 0.3, "importer", host, f"import complete feed_id={feed} pages={pages}")
    here.log(seconds + 0.4, "importer", host, f"lock released feed_id={feed} key={hash_of(feed)}")


def hash_of(feed: str) -> int:
    """The number that stands for a feed in `pg_try_advisory_lock`."""
    return int.from_bytes(feed[:3].encode())
