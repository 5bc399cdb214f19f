"""network-hiccup: refusals around the end of one instance of the peer, and errors met by chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from timeline.detectors.network_hiccup import NetworkHiccup, NetworkHiccupDetector
from timeline.event import Kind
from timeline.order import Verdict

from .findings import findings_of
from .worlds import HICCUP, World, healthy

REFUSED = "GET /panel failed: dial tcp profile:8080: connect: connection refused"
SILENT = "GET /panel failed: dial tcp profile:8080: i/o timeout"
STOCK = "stock level unknown: dial tcp stock:9999: i/o timeout"
PODS = ("profile-7d9f-a", "profile-7d9f-b")


def found(world: World) -> list[NetworkHiccup]:
    return findings_of(NetworkHiccupDetector(), world.incident(), NetworkHiccup)


def cluster_says(world: World, seconds: float, words: str, pod: str = PODS[0]) -> None:
    """A dated fact of a pod, in the words of the Kubernetes connector."""
    told = world.log(seconds, f"{pod}/profile", f"pod {pod} container profile {words}")
    world.events[-1] = replace(told, source="kubernetes", kind=Kind.CHANGE, clock="node-7")


def refused(line: str = REFUSED, callers: tuple[str, ...] = ("web-1", "web-2")) -> World:
    """Four calls of web, from two hosts, that fail within two seconds."""
    world = healthy(World())
    for number in range(4):
        clock = callers[number % len(callers)]
        world.error(HICCUP + number * 0.5, "web", line, clock=clock)
    return world


def speaks(world: World, pod: str, *, start: float = 0.0, end: float = 2100.0) -> None:
    """The pod's own lines, one in eleven seconds."""
    for number in range(int((end - start) / 11)):
        world.log(start + 4 + 11 * number, "profile", f"GET /panel 200 in {number} ms", clock=pod)


def ended(world: World, *, ends: float = HICCUP - 1.4, back: float = HICCUP + 4) -> World:
    cluster_says(world, ends, "ended: OOMKilled, exit code 137")
    cluster_says(world, back, "started, restart 1")
    return world


def test_refusals_while_one_instance_is_away_and_another_stands_are_no_lost_peer() -> None:
    world = ended(refused())
    for pod in PODS:
        speaks(world, pod)
    assert found(world) == []


def test_a_start_on_a_host_that_spoke_before_tells_of_the_end_before_it() -> None:
    world = refused()
    for pod in PODS:
        speaks(world, pod)
    world.log(HICCUP + 6, "profile", "profile listening on :8080", clock=PODS[0])
    assert found(world) == []


def test_an_announced_end_of_one_instance_is_one_as_well() -> None:
    world = refused()
    for pod in PODS:
        speaks(world, pod)
    world.log(HICCUP - 0.5, "profile", "received SIGTERM, shutting down", clock=PODS[0])
    assert found(world) == []


def test_the_same_refusals_without_an_end_are_a_lost_peer() -> None:
    world = refused()
    for pod in PODS:
        speaks(world, pod)
    (finding,) = found(world)
    assert finding.peer == "profile:8080"
    assert finding.verdict is Verdict.CERTAIN


@pytest.mark.parametrize(("ends", "back"), [(-300.0, -290.0), (90.0, 95.0)])
def test_an_end_at_another_time_explains_nothing(ends: float, back: float) -> None:
    world = ended(refused(), ends=HICCUP + ends, back=HICCUP + back)
    for pod in PODS:
        speaks(world, pod)
    assert len(found(world)) == 1


def test_a_caller_that_ends_is_not_its_peer() -> None:
    world = refused()
    for pod in PODS:
        speaks(world, pod)
    world.log(HICCUP - 1, "web", "profile client: received SIGTERM, shutting down", clock="web-1")
    assert len([one for one in found(world) if one.peer == "profile:8080"]) == 1


def test_missing_answers_are_no_word_of_the_other_side() -> None:
    world = ended(refused(SILENT))
    for pod in PODS:
        speaks(world, pod)
    assert len(found(world)) == 1


def test_where_no_other_instance_is_seen_it_may_have_been_the_whole_peer() -> None:
    (finding,) = found(ended(refused()))
    assert finding.verdict is Verdict.POSSIBLE
    assert "no other instance" in finding.weakest_link
    assert "OOMKilled" in finding.alternatives[0]


def test_several_services_that_are_refused_speak_for_the_whole_peer() -> None:
    world = ended(refused())
    world.error(HICCUP + 0.7, "billing", REFUSED)
    (finding,) = found(world)
    assert finding.verdict is Verdict.LIKELY


def test_where_every_instance_ended_the_peer_was_lost() -> None:
    world = ended(refused())
    for pod in PODS:
        speaks(world, pod)
    cluster_says(world, HICCUP - 2, "ended: Error, exit code 1", PODS[1])
    (finding,) = found(world)
    assert finding.verdict is Verdict.CERTAIN
    assert "profile itself was away" in finding.alternatives[0]


def strange(world: World, times: tuple[float, ...]) -> World:
    for seconds in times:
        world.log(seconds, "billing", STOCK, severity=13)
    return world


def test_a_single_error_beside_one_peers_cluster_does_not_widen_it() -> None:
    world = strange(refused(callers=("web-1",)), (HICCUP - 1.5,))
    assert found(world) == []


def test_several_errors_for_each_of_two_peers_are_several_peers() -> None:
    world = strange(refused(callers=("web-1",)), (HICCUP - 1.5, HICCUP - 0.5))
    (finding,) = found(world)
    assert finding.scope == "several services and several peers at once"


def test_what_comes_singly_all_night_is_no_part_of_a_burst() -> None:
    """Two of three errors are left, each for a peer of its own: no burst."""
    world = healthy(World())
    world.error(HICCUP, "web", REFUSED)
    world.error(HICCUP + 1, "search", "dial tcp index:9200: connect: connection refused")
    assert found(strange(world, (HICCUP - 1, 300.0, 900.0))) == []


def test_what_never_came_before_is_part_of_it() -> None:
    world = healthy(World())
    world.error(HICCUP, "web", REFUSED)
    world.error(HICCUP + 1, "search", "dial tcp index:9200: connect: connection refused")
    (finding,) = found(strange(world, (HICCUP - 1,)))
    assert finding.errors == 3


def test_others_that_nobody_reaches_for_long_do_not_stand() -> None:
    """Refused for a minute, while the other instance serves nobody although it would have."""
    world = ended(healthy(World()), back=HICCUP + 58)
    for number in range(30):
        world.error(HICCUP + number * 2, "web", REFUSED, clock=f"web-{number % 2}")
    speaks(world, PODS[0], end=HICCUP - 2)
    for start, end in ((0.0, HICCUP), (HICCUP + 61, 2100.0)):
        for number in range(int((end - start) / 5)):
            world.log(start + number * 5, "profile", f"GET /panel {number}", clock=PODS[1])
    (finding,) = found(world)
    assert finding.errors == 30


@pytest.mark.parametrize(
    "words",
    [
        "Killing: Container profile failed liveness probe, will be restarted (Pod profile-7d9f-a)",
        "profile.service: Main process exited, code=killed, status=9/KILL",
        "exited: profile (terminated by SIGSEGV; not expected)",
        "profile-7d9f-a exited with code 137",
    ],
)
def test_ends_are_known_in_the_words_of_who_watches_processes(words: str) -> None:
    world = refused()
    for pod in PODS:
        speaks(world, pod)
    world.log(HICCUP - 1, "watcher", words, severity=13, clock=PODS[0])
    assert found(world) == []


@pytest.mark.parametrize(
    "words",
    [
        "profile-worker.service: Main process exited, code=killed, status=9/KILL",
        "pod profile-worker-5 container profile-worker ended: OOMKilled, exit code 137",
        "call to profile:8080 failed, process exited",
    ],
)
def test_the_end_of_another_service_explains_nothing(words: str) -> None:
    world = refused()
    for pod in PODS:
        speaks(world, pod)
    world.log(HICCUP - 1, "profile-worker", words, severity=13, clock="box-9")
    assert len(found(world)) == 1
