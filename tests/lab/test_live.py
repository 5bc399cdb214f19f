"""Live: the shop, the fault, halfawake against the running servers, compared with the truth.

The pager is 25 s late here, where a real one is five to fifteen minutes late; the recorded stories
have a pin that is late enough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.lab.proxy import Link, Proxy
from tests.lab.scene import Scene
from tests.lab.stories import SHORT, instant, night_hiccup
from tests.lab.telling import (
    ask,
    assert_in_flight,
    assert_onset,
    assert_pushes,
    assert_race,
    assert_without_mail,
    show,
)
from tests.lab.truth import Truth, Unlucky

pytestmark = [pytest.mark.servers, pytest.mark.timing]

ATTEMPTS = 3
SLOW_LINK = Link(round_trip_s=0.08, bits_per_second=10_000_000)
"""A hotel's network on the other side of the ocean."""
FIRST_SENTENCE_S = 5.0
WHOLE_BYTES = 5_000_000
HALF_WAY_BYTES = 20_000
"""Elasticsearch has answered something by then, and by far not everything."""


@dataclass(frozen=True)
class Night:
    """A story that has happened, with its servers still up."""

    scene: Scene
    truth: Truth

    def asked(self, elasticsearch_url: str = "") -> list[str | Path]:
        """Arguments of a command that looks at it."""
        return [
            instant(self.truth.pin_ns),
            "--config",
            self.scene.write_configuration(elasticsearch_url),
        ]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """A night that went as wrong as the story tells, at the third attempt at the latest."""
    misses: list[str] = []
    for _ in range(ATTEMPTS):
        with Scene(tmp_path_factory.mktemp("lab")) as scene:
            try:
                truth = night_hiccup(scene, SHORT)
            except Unlucky as unlucky:
                misses.append(str(unlucky))
                continue
            yield Night(scene, truth)
            return
    pytest.fail(f"the fault never had its effect: {misses}")


def test_the_findings_are_the_truth(night: Night) -> None:
    telling = ask(night.asked())
    assert telling.exit_code == 0, telling.narration
    assert_race(telling, night.truth)
    assert_in_flight(telling, night.truth)
    assert_pushes(telling, night.truth)
    assert_without_mail(telling, night.truth)
    assert_onset(telling, night.truth)


def test_the_logs_alone_tell_of_the_hiccup(night: Night) -> None:
    telling = ask([*night.asked(), "--source", "logs"])
    assert_in_flight(telling, night.truth)
    assert_onset(telling, night.truth)


def test_the_log_files_tell_of_the_hiccup_without_any_configuration(night: Night) -> None:
    files = sorted((night.scene.folder / "logs").glob("*.log"))
    telling = ask([instant(night.truth.pin_ns), *files])
    assert_in_flight(telling, night.truth)
    assert_onset(telling, night.truth)


def test_a_key_without_a_time_tells_its_whole_story(night: Night) -> None:
    account = next(one for one in night.truth.sign_ups if one.ran_before_visible)
    _, *configuration = night.asked()
    key = account.user if ":" in account.user else f"user:{account.user}"
    text = show([key, *configuration])
    story = text.partition(f"STORY of {key}")[2].partition("TIMELINE")[0]
    number = key.partition(":")[2]
    assert "POST /signups" in story  # its request
    assert f"users/{number} inserted" in story  # its row
    assert f"welcome_mail(user_id={number}) enqueued" in story  # its job
    assert "does not exist" in story  # its error
    assert "cannot be known" in story


def test_elasticsearch_stopped_half_way_is_a_blind_spot_and_weakens_every_absence(
    night: Night,
) -> None:
    server = urlsplit(night.scene.elasticsearch.url)
    assert server.hostname is not None
    assert server.port is not None
    with Proxy(server.hostname, server.port, SLOW_LINK) as path:
        stopping = threading.Thread(target=_break_after, args=(path, HALF_WAY_BYTES), daemon=True)
        stopping.start()
        telling = ask(night.asked(f"http://127.0.0.1:{path.port}"))
        stopping.join()
    assert telling.exit_code == 3
    assert "logs:" in telling.narration
    blind = telling.told["blind"]
    assert isinstance(blind, list)
    about_logs = [one for one in blind if isinstance(one, dict) and one["source"] == "logs"]
    assert about_logs
    assert all(one["reason"] for one in about_logs)
    for finding in telling.findings():
        for case in finding.evidence("cases") if finding.term == "ambiguous-enqueue" else []:
            if case["outcome"] == "lost":
                assert case["verdict"] == "possible"


def test_over_a_slow_link_the_first_correct_sentence_comes_within_seconds(night: Night) -> None:
    from halfawake.collector import LiveCollector
    from halfawake.config import load_config
    from halfawake.setup import setup_for_environment
    from timeline.progress import CollectionEnded, IncidentGrew, Update
    from timeline.window import Window

    config = night.scene.write_configuration()
    text = config.read_text()
    elasticsearch, redis = (
        urlsplit(night.scene.access.elasticsearch_url),
        urlsplit(night.scene.access.redis_url),
    )
    assert elasticsearch.port is not None
    assert redis.port is not None
    with (
        Proxy("127.0.0.1", elasticsearch.port, SLOW_LINK) as logs,
        Proxy("127.0.0.1", redis.port, SLOW_LINK) as queue,
    ):
        text = text.replace(f":{elasticsearch.port}", f":{logs.port}")
        config.write_text(text.replace(f":{redis.port}", f":{queue.port}"))
        loaded = load_config(config)
        first: list[float] = []
        ended = threading.Event()

        def listen(update: Update) -> None:
            if isinstance(update, IncidentGrew) and update.analysis is not None and not first:
                terms = [finding.term for finding in update.analysis.findings]
                if "network-hiccup" in terms:
                    first.append(time.monotonic())
            if isinstance(update, CollectionEnded):
                ended.set()

        collector = LiveCollector(
            lambda: setup_for_environment(loaded, config, None, ["logs", "queue"])
        )
        began = time.monotonic()
        collector.start(Window.around(night.truth.pin_ns, now=time.time_ns()), listen)
        try:
            assert ended.wait(60)
        finally:
            collector.close()
        passed = logs.bytes_to_client + queue.bytes_to_client
    assert first, "the hiccup was never told"
    assert first[0] - began <= FIRST_SENTENCE_S
    assert passed <= WHOLE_BYTES


def _break_after(path: Proxy, passed: int) -> None:
    """Once `passed` bytes came through, nothing comes through any more."""
    deadline = time.monotonic() + 60
    while path.bytes_to_client < passed and time.monotonic() < deadline:
        time.sleep(0.005)
    path.break_for_good()
