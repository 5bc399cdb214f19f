"""Kubernetes through kubectl: what is sent, what the cluster still tells, what is refused."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from connectors.discovery import Place
from connectors.kubernetes import KubernetesConnector, KubernetesOptions
from connectors.kubernetes.commands import NotAllowed, ensure_allowed
from connectors.kubernetes.kubeconfig import current_context
from connectors.kubernetes.pods import instant, pod_of
from tests.conformance.collecting import Collected, drained, fetched, looked_up
from tests.connectors.recorded_cluster import Cluster
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning
from timeline.keys import KeyRules
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    NothingHere,
    Overloaded,
    SourceProblem,
    Unreachable,
)
from timeline.window import SECOND_NS, Budget, Window

READS = {"get", "logs", "version", "config", "auth"}


@pytest.fixture
def pin() -> int:
    return (time.time_ns() // SECOND_NS - 600) * SECOND_NS


@pytest.fixture
def cluster(tmp_path: Path, pin: int) -> Cluster:
    return Cluster(tmp_path / "cluster", pin)


@pytest.fixture
def window(pin: int) -> Window:
    return Window(pin, pin - 120 * SECOND_NS, pin + 60 * SECOND_NS)


def connector(cluster: Cluster, **options: object) -> KubernetesConnector:
    validated = KubernetesOptions.model_validate({"kubectl": cluster.program, **options})
    return KubernetesConnector("k8s", validated, KeyRules())


def collect(cluster: Cluster, window: Window, **options: object) -> Collected:
    return fetched(connector(cluster, **options), window)


def of_pod(collected: Collected, pod: str, kind: Kind) -> list[Event]:
    found = [e for e in collected.events if e.actor.startswith(pod) and e.kind is kind]
    return sorted(found, key=lambda event: event.timestamp)


def test_a_killed_container_is_dated_and_names_its_exit(
    cluster: Cluster, window: Window, pin: int
) -> None:
    changes = of_pod(collect(cluster, window), "worker-77d-k1", Kind.CHANGE)
    killed, restarted = changes
    assert killed.timestamp == pin - 12 * SECOND_NS
    assert killed.body == "pod worker-77d-k1 container app ended: OOMKilled, exit code 137"
    assert (killed.severity_number, killed.clock) == (17, "node-a")
    assert restarted.timestamp == pin - 11 * SECOND_NS
    assert restarted.body.endswith("started, restart 1")
    assert killed.keys == ("pod:shop/worker-77d-k1",)


def test_lines_of_before_the_restart_are_read_too(cluster: Cluster, window: Window) -> None:
    lines = of_pod(collect(cluster, window), "worker-77d-k1", Kind.LOG)
    bodies = [event.body for event in lines]
    assert bodies[0] == "app.previous of user_id=0"
    assert bodies[87:89] == ["app.previous of user_id=87", "app of user_id=90"]
    assert lines[87].severity_number == 17
    assert lines[0].meaning is Meaning.OCCURRED
    assert lines[0].timestamp % SECOND_NS == 500_000_000
    assert len({event.ref for event in lines}) == len(lines) == 128


def test_a_crash_loop_is_read_once_and_said_to_wait_now(cluster: Cluster, window: Window) -> None:
    collected = collect(cluster, window)
    assert len(of_pod(collected, "mailer-5c-z9", Kind.LOG)) == 5
    (now,) = [event for event in collected.events if "waits now" in event.body]
    assert "CrashLoopBackOff, 4 restarts" in now.body
    assert json.loads(now.attributes or "")["now"] is True
    asked = [call for call in cluster.calls() if "pod/mailer-5c-z9" in call]
    assert not any("--previous" in call for call in asked)


def test_an_event_that_repeats_is_told_first_and_last(
    cluster: Cluster, window: Window, pin: int
) -> None:
    collected = collect(cluster, window)
    back_off = [event for event in collected.events if event.body.startswith("BackOff")]
    assert [event.timestamp for event in back_off] == [pin + 20 * SECOND_NS]
    assert "last of 12" in back_off[0].body
    (probe,) = [event for event in collected.events if "Readiness" in event.body]
    assert probe.timestamp == pin - 5 * SECOND_NS + 250_000_000
    assert {"user:4711", "pod:shop/web-6f9c-x2"} == set(probe.keys)


def test_what_cannot_be_seen_is_said(cluster: Cluster, pin: int) -> None:
    wide = Window(pin, pin - 7_000 * SECOND_NS, pin + 60 * SECOND_NS)
    coverage = collect(cluster, wide).coverage
    said = {entry.sight: entry.reason for entry in coverage}
    assert "web-6f9c-old" in said[Sight.NOW_ONLY]
    (ttl,) = [entry for entry in coverage if "keeps events for 3,600 s" in entry.reason]
    assert ttl.start == wide.start
    assert abs(ttl.end - (time.time_ns() - 3_600 * SECOND_NS)) < 60 * SECOND_NS
    newest = [entry for entry in coverage if "newest log file only" in entry.reason]
    assert {entry.reason.partition(":")[0] for entry in newest} == {
        "worker-77d-k1/app, before its restart",
        "mailer-5c-z9/app",
    }


def test_nothing_but_reads_is_ever_sent(cluster: Cluster, window: Window) -> None:
    async def everything() -> None:
        subject = connector(cluster, namespace="shop", selector="app in (web)")
        await subject.check()
        await drained(subject.fetch(window, Budget()))
        await drained(subject.lookup(("user:101",), window, Budget()))
        await subject.clock()

    asyncio.run(everything())
    calls = cluster.calls()
    assert len(calls) > 15
    for words in calls:
        assert words[0] in READS
        if words[0] == "auth":
            assert words[1] == "can-i"
        if words[0] == "config":
            assert words[1] == "current-context"
        else:
            assert "--context=shop-prod" in words
            assert "--namespace=shop" in words


@pytest.mark.parametrize(
    "words",
    [
        ["delete", "pods", "web"],
        ["exec", "web", "--", "sh"],
        ["get", "secrets"],
        ["get", "pods", "--raw=/api"],
        ["config", "use-context", "other"],
        ["auth", "reconcile"],
        ["logs", "web", "-f"],
        ["apply"],
        [],
    ],
)
def test_any_other_command_raises_before_a_process_starts(words: list[str]) -> None:
    with pytest.raises(NotAllowed):
        ensure_allowed(words)


def test_a_pod_whose_name_would_be_a_flag_is_passed_over(cluster: Cluster, window: Window) -> None:
    path = cluster.folder / "pods.json"
    listed = json.loads(path.read_text())
    listed["items"][0]["metadata"]["name"] = "--kubeconfig=/tmp/x"
    listed["items"].append("no object")
    path.write_text(json.dumps(listed))
    assert collect(cluster, window).events
    assert not any("/tmp/x" in word for call in cluster.calls() for word in call)


def test_the_context_is_asked_once_and_kept(cluster: Cluster, window: Window) -> None:
    async def twice() -> None:
        subject = connector(cluster)
        await drained(subject.fetch(window, Budget()))
        await drained(subject.fetch(window, Budget()))

    asyncio.run(twice())
    asked = [call for call in cluster.calls() if call[0] == "config"]
    assert asked == [["config", "current-context"]]
    collect(cluster, window, context="other")
    assert [call for call in cluster.calls() if "--context=other" in call]


def test_check_names_context_rights_and_what_is_forgotten(cluster: Cluster) -> None:
    report = asyncio.run(connector(cluster).check())
    assert report.system == "Kubernetes v1.31.2"
    assert report.writes_refused is True
    assert any("context shop-prod" in fact for fact in report.facts)
    assert any("3 pods" in fact for fact in report.facts)
    assert any("--event-ttl" in words for words in report.retention)


@pytest.mark.parametrize(
    ("complaint", "problem"),
    [
        (
            'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource '
            '"pods" in API group "" in the namespace "shop"',
            AccessRefused,
        ),
        ("error: You must be logged in to the server (Unauthorized)", AccessRefused),
        ("Unable to connect to the server: x509: certificate signed by unknown", AccessRefused),
        ("Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout", Unreachable),
        ("Error from server (TooManyRequests): the server has received too many requests",
         Overloaded),
        ('error: context "nowhere" does not exist', Misconfigured),
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence_of_its_kind(
    complaint: str, problem: type[SourceProblem], cluster: Cluster, window: Window
) -> None:
    cluster.refuse(get_pods=complaint)
    with pytest.raises(problem) as caught:
        collect(cluster, window)
    assert complaint.partition(" (")[0][:30] in caught.value.sentence()
    assert "shop-prod" in caught.value.where


def test_events_that_may_not_be_read_leave_the_rest(cluster: Cluster, window: Window) -> None:
    cluster.refuse(get_events='Error from server (Forbidden): events is forbidden: User "dev"')
    collected = collect(cluster, window)
    assert of_pod(collected, "web-6f9c-x2", Kind.LOG)
    assert any("events could not be read" in entry.reason for entry in collected.coverage)


def test_a_container_without_lines_is_said(cluster: Cluster, window: Window) -> None:
    (cluster.folder / "logs" / "web-6f9c-x2" / "app.log").unlink()
    remarks = [remark.sentence for remark in collect(cluster, window).remarks]
    assert any("web-6f9c-x2/app: no lines" in words and "waiting" in words for words in remarks)


def test_more_containers_than_allowed_is_a_cut(cluster: Cluster, window: Window) -> None:
    collected = collect(cluster, window, max_containers=1)
    assert any(r.topic == "cut" and "max_containers" in r.sentence for r in collected.remarks)
    assert {call[1] for call in cluster.calls() if call[0] == "logs"} == {"pod/web-6f9c-x2"}


def test_an_empty_namespace_is_nothing_here(cluster: Cluster) -> None:
    for kind in ("pods", "events"):
        (cluster.folder / f"{kind}.json").write_text('{"items": []}')
    with pytest.raises(NothingHere):
        asyncio.run(connector(cluster).check())


def test_words_instead_of_json_are_a_bad_answer(cluster: Cluster, window: Window) -> None:
    (cluster.folder / "pods.json").write_text("Welcome to our wrapper!")
    with pytest.raises(BadAnswer):
        collect(cluster, window)


def test_no_kubectl_is_a_sentence(window: Window) -> None:
    options = KubernetesOptions(kubectl=("no-such-kubectl",))
    with pytest.raises(Misconfigured, match="no-such-kubectl"):
        fetched(KubernetesConnector("k8s", options, KeyRules()), window)


def test_a_key_in_lines_is_looked_up(cluster: Cluster, window: Window) -> None:
    collected = looked_up(connector(cluster), ("user:101", "user:31337"), window)
    assert {event.actor for event in collected.events} == {
        "web-6f9c-x2/app", "worker-77d-k1/app",
    }  # fmt: skip
    assert any("user:31337" in remark.sentence for remark in collected.remarks)


def test_cancelling_ends_the_process(cluster: Cluster, window: Window) -> None:
    (cluster.folder / "delay").write_text("30")

    async def cancel() -> float:
        task = asyncio.create_task(drained(connector(cluster).fetch(window, Budget())))
        while not any(call[:1] == ["get"] for call in cluster.calls()):  # noqa: ASYNC110  a file
            await asyncio.sleep(0.02)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(cancel()) < 1.25


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("apiVersion: v1\ncurrent-context: shop-prod\nusers: []\n", "shop-prod"),
        ("current-context: 'arn:aws:eks:eu-1:1:x'  # note\n", "arn:aws:eks:eu-1:1:x"),
        ('"current-context": "kind-dev"\n', "kind-dev"),
        ("contexts:\n- name: a\n  current-context: no\n", ""),
        ('current-context: ""\n', ""),
        ("\x00\xff not yaml", ""),
    ],
)  # fmt: skip
def test_the_current_context_is_read_without_yaml(text: str, context: str) -> None:
    assert current_context(text) == context


def test_candidates_name_the_context_and_what_is_local(tmp_path: Path) -> None:
    config = tmp_path / ".kube" / "config"
    config.parent.mkdir()
    config.write_text("current-context: kind-dev\n")
    (found,) = KubernetesConnector.candidates(Place({}, tmp_path, tmp_path))
    assert (found.options, found.local) == ({"context": "kind-dev"}, True)
    other = tmp_path / "other"
    other.write_text("current-context: shop-prod\n")
    place = Place({"KUBECONFIG": f"/none:{other}"}, tmp_path, tmp_path)
    (found,) = KubernetesConnector.candidates(place)
    assert (found.options, found.local) == ({"context": "shop-prod"}, False)
    assert list(KubernetesConnector.candidates(Place({}, tmp_path, tmp_path / "none"))) == []


def test_odd_records_are_no_pods_and_no_crash() -> None:
    for item in (None, 3, {}, {"metadata": 7}, {"metadata": {"name": "a", "namespace": "../x"}}):
        assert pod_of(item) is None  # type: ignore[arg-type]  # what an answer may hold
    assert instant("2026-13-40T00:00:00Z") is None
    assert instant("2026-03-14T02:07:29.123456789+01:00") == 1_773_450_449_123_456_789
