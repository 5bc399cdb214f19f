"""RabbitMQ with real messages: lost workers, dead letters, alarms; and what never is sent."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pika.exchange_type import ExchangeType

from connectors.contract import CheckReport
from connectors.discovery import Place
from connectors.rabbitmq import RabbitMQConnector, RabbitMQOptions
from connectors.rabbitmq.api import RequestRefused, permitted
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors import rabbit_work
from tests.connectors.loopback_http import Told, as_json, loopback, passing_on
from tests.servers.process import RunningServer
from tests.servers.rabbitmq import amqp_url, create_reader, rabbitmq
from timeline.coverage import Sight
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Event, Kind
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

TALE = "tale"


def connector(url: str, **options: object) -> RabbitMQConnector:
    settings = RabbitMQOptions.model_validate({"url": url, **options})
    return RabbitMQConnector("rabbit", settings, KeyRules())


def checked(subject: RabbitMQConnector) -> CheckReport:
    async def check() -> CheckReport:
        try:
            return await subject.check()
        finally:
            await subject.close()

    return asyncio.run(check())


def problem_of(subject: RabbitMQConnector) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        checked(subject)
    return caught.value


def content(event: Event) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(event.attributes or "{}")
    return decoded


def hold_and_wait(url: str, taken: object) -> None:
    """A worker that takes five messages of `tale` and never says a word about them."""
    with rabbit_work.channel(url, "worker-lost") as work:
        for _ in range(5):
            work.basic_get(TALE)
        taken.set()  # type: ignore[attr-defined]  # an Event of multiprocessing
        time.sleep(60)


@pytest.fixture(scope="module")
def tale(rabbitmq_server: RunningServer) -> Iterator[Collected]:
    """Nine published; five in the hands of a worker that is killed; three acked, one refused."""
    url = amqp_url(rabbitmq_server)
    with rabbit_work.channel(url, "set-up") as work:
        work.exchange_declare("tale-dlx", ExchangeType("fanout"), durable=True)
        work.queue_declare("tale.dead", durable=True)
        work.queue_bind("tale.dead", "tale-dlx")
        work.queue_declare(TALE, durable=True, arguments={"x-dead-letter-exchange": "tale-dlx"})
    # Counts are told as differences of samples: what was published before the first is in none.
    rabbit_work.wait_for_statistics()
    begun = time.time_ns()
    rabbit_work.publish(url, 9, TALE)
    context = multiprocessing.get_context("spawn")
    taken = context.Event()
    worker = context.Process(target=hold_and_wait, args=(url, taken))
    worker.start()
    assert taken.wait(20)
    rabbit_work.wait_for_statistics()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(10)
    with rabbit_work.channel(url, "worker-next") as work:
        for number in range(6):
            tag = rabbit_work.take(work, TALE)
            if number < 3:
                work.basic_ack(tag)
            elif number == 3:
                work.basic_nack(tag, requeue=False)
            else:
                work.basic_nack(tag, requeue=True)
        rabbit_work.wait_for_statistics()
        window = Window(begun, begun - 20 * SECOND_NS, time.time_ns())
        yield fetched(connector(create_reader(rabbitmq_server)), window)
    with rabbit_work.channel(url, "tear-down") as work:
        for name in (TALE, "tale.dead"):
            work.queue_delete(name)
        work.exchange_delete("tale-dlx")


@pytest.mark.servers
class TestTale:
    """What the broker still knows of one minute of work."""

    def of_queue(self, tale: Collected, name: str) -> list[Event]:
        events = [event for event in tale.events if content(event).get("queue") == name]
        return sorted(events, key=lambda event: event.timestamp)

    def test_the_depth_of_then_is_dated(self, tale: Collected) -> None:
        past = [e for e in self.of_queue(tale, TALE) if "now" not in content(e)]
        levels = [(content(e)["depth"], content(e)["running"]) for e in past]
        assert (4, 5) in levels, "four ready and five in the hands of the worker"
        assert levels[-1] == (5, 0), "three acknowledged and one refused of nine"

    def test_every_message_is_counted_once(self, tale: Collected) -> None:
        past = [content(e) for e in self.of_queue(tale, TALE) if "now" not in content(e)]
        totals = {
            name: sum(int(str(entry[name])) for entry in past)
            for name in ("published", "acked", "redelivered")
        }
        assert totals["published"] == 9
        assert totals["acked"] == 3
        assert totals["redelivered"] >= 5, "what the killed worker held was given out again"

    def test_a_lost_worker_shows_as_redelivery_and_a_closed_connection(
        self, tale: Collected
    ) -> None:
        warned = [e.body for e in tale.events if e.severity_number == SEVERITY_WARN]
        assert any("redelivered" in body for body in warned)
        churn = [event.body for event in tale.events if event.body.startswith("connections:")]
        assert any("closed" in body for body in churn)

    def test_where_dead_letters_went(self, tale: Collected) -> None:
        (now,) = (e for e in self.of_queue(tale, "tale.dead") if content(e).get("now"))
        assert content(now)["depth"] == 1
        assert content(now)["dead_letters_of"] == [TALE]
        assert "takes the dead letters of tale" in now.body
        assert now.severity_number == SEVERITY_WARN

    def test_a_connection_that_is_still_there_tells_when_it_came(self, tale: Collected) -> None:
        came = [event for event in tale.events if event.body.startswith("worker-next connected")]
        assert [event.kind for event in came] == [Kind.CHANGE]

    def test_no_message_is_claimed_to_be_seen(self, tale: Collected) -> None:
        assert {entry.sight for entry in tale.coverage} <= {Sight.PARTIAL, Sight.NOW_ONLY}
        assert any("no message, no id" in entry.reason for entry in tale.coverage)
        assert not [event for event in tale.events if event.keys]


@pytest.mark.servers
class TestAsking:
    def test_everything_sent_is_a_get(self, rabbitmq_server: RunningServer) -> None:
        url = amqp_url(rabbitmq_server)
        with rabbit_work.channel(url, "set-up") as work:
            work.queue_declare("asked")
        parts = urlsplit(create_reader(rabbitmq_server))
        with loopback(passing_on(f"http://{parts.hostname}:{parts.port}")) as proxy:
            here = urlsplit(proxy.url)._replace(
                netloc=f"{parts.username}:{parts.password}@{urlsplit(proxy.url).netloc}"
            )
            window = Window.around(time.time_ns(), 1_800 * SECOND_NS, SECOND_NS)
            report = checked(connector(here.geturl()))
            fetched(connector(here.geturl()), window)
            looked_up(connector(here.geturl()), ("job:1",), window)
            assert {seen.method for seen in proxy.seen} == {"GET"}
            assert not [seen.path for seen in proxy.seen if seen.path.endswith("/get")]
            assert len(proxy.seen) > 10
        assert report.system == f"RabbitMQ {rabbitmq_server.version}"
        assert report.writes_refused is None
        with rabbit_work.channel(url, "tear-down") as work:
            work.queue_delete("asked")

    def test_an_administrator_is_told_that_it_could_write(
        self, rabbitmq_server: RunningServer
    ) -> None:
        with rabbit_work.channel(amqp_url(rabbitmq_server), "set-up") as work:
            work.queue_declare("checked")
            assert checked(connector(rabbitmq_server.url)).writes_refused is False
            work.queue_delete("checked")

    def test_more_queues_than_may_be_read(self, rabbitmq_server: RunningServer) -> None:
        with rabbit_work.channel(amqp_url(rabbitmq_server), "set-up") as work:
            names = [f"many-{number}" for number in range(5)]
            for name in names:
                work.queue_declare(name)
            now = time.time_ns()
            subject = connector(
                create_reader(rabbitmq_server), queues=["many-*"], page_queues=2, max_queues=3
            )
            collected = fetched(subject, Window.around(now, 60 * SECOND_NS, SECOND_NS))
            shown = [e for e in collected.events if str(content(e).get("queue")).startswith("many")]
            assert len(shown) == 4
            assert any("5 queues match; the 4 fullest" in r.sentence for r in collected.remarks)
            for name in names:
                work.queue_delete(name)

    def test_wrong_password(self, rabbitmq_server: RunningServer) -> None:
        problem = problem_of(connector(rabbitmq_server.url, password="wrong"))  # not one
        assert isinstance(problem, AccessRefused)
        assert "password" in problem.remedy
        assert "wrong" not in problem.sentence()

    def test_an_account_without_a_tag(self, rabbitmq_server: RunningServer) -> None:
        url = create_reader(rabbitmq_server, tags="")
        problem = problem_of(connector(url))
        assert isinstance(problem, AccessRefused)
        assert "monitoring" in problem.remedy

    def test_the_amqp_port_is_named_as_such(self, rabbitmq_server: RunningServer) -> None:
        port = urlsplit(amqp_url(rabbitmq_server)).port
        problem = problem_of(connector(f"http://u:p@127.0.0.1:{port}"))
        assert isinstance(problem, Unreachable)
        assert "5672" in problem.remedy

    def test_a_virtual_host_that_does_not_exist(self, rabbitmq_server: RunningServer) -> None:
        problem = problem_of(connector(rabbitmq_server.url, vhost="nonesuch"))
        assert isinstance(problem, Misconfigured)
        assert "vhost" in problem.remedy


@pytest.mark.servers
class TestAlarm:
    """A broker of our own whose memory limit is below what it uses, without statistics at last."""

    @pytest.fixture(scope="class")
    def alarmed(self) -> Iterator[RunningServer]:
        with rabbitmq("vm_memory_high_watermark.absolute = 50MiB\n") as server:
            yield server

    def test_an_alarm_is_seen_now_and_in_the_samples(self, alarmed: RunningServer) -> None:
        rabbit_work.wait_for_statistics()
        window = Window.around(time.time_ns(), 60 * SECOND_NS, SECOND_NS)
        collected = fetched(connector(alarmed.url), window)
        now = [e for e in collected.events if "memory alarm: publishers are held up" in e.body]
        assert [event.severity_number for event in now] == [SEVERITY_ERROR]
        past = [e for e in collected.events if "memory beyond the limit" in e.body]
        assert past
        assert all(window.contains(event.timestamp) for event in past)

    def test_the_start_of_the_node_is_an_event_of_its_own(self, alarmed: RunningServer) -> None:
        window = Window.around(time.time_ns(), 300 * SECOND_NS, SECOND_NS)
        collected = fetched(connector(alarmed.url), window)
        (start,) = (event for event in collected.events if "started" in event.body)
        assert start.kind is Kind.CHANGE
        assert any("a node started" in entry.reason for entry in collected.coverage)

    def test_a_broker_without_queues_holds_nothing(self, alarmed: RunningServer) -> None:
        assert isinstance(problem_of(connector(alarmed.url)), NothingHere)


@pytest.mark.servers
def test_a_broker_without_statistics_says_that_there_is_no_past() -> None:
    with rabbitmq("management_agent.disable_metrics_collector = true\n") as server:
        url = amqp_url(server)
        with rabbit_work.channel(url, "set-up") as work:
            work.queue_declare("counted")
            for _ in range(3):
                work.basic_publish("", "counted", b"{}")
        window = Window.around(time.time_ns(), 60 * SECOND_NS, SECOND_NS)
        collected = fetched(connector(server.url), window)
        assert any("statistics are off" in entry.reason for entry in collected.coverage)
        assert checked(connector(server.url)).clock is None
        depths = [content(e)["depth"] for e in collected.events if "depth" in content(e)]
        assert depths == [3]


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Told(200, b"<html>login</html>", {"content-type": "text/html"}), BadAnswer, "text/html"),
        (Told(404, b"nothing"), NothingHere, "rabbitmq_management"),
        (as_json({"error": "busy"}, 503), Overloaded, "503"),
        (as_json({}, 429), Overloaded, "429"),
        (Told(302, b"", {"location": "/login"}), Misconfigured, "302"),
        (as_json({"error": "x\x1b[31m", "reason": "y"}, 500), BadAnswer, "x␛[31m"),
    ],
)
def test_other_answers_are_sentences(told: Told, kind: type[SourceProblem], words: str) -> None:
    with loopback(lambda _: told) as server:
        problem = problem_of(connector(server.url))
    assert type(problem) is kind
    assert words in problem.sentence()


@pytest.mark.parametrize("answer", [[], 3, {"items": [None, 3, {"name": 5}]}, {"nodes": "x"}])
def test_answers_of_another_shape_harm_nobody(answer: object) -> None:
    with loopback(lambda _: as_json(answer)) as server:
        window = Window.around(time.time_ns(), 60 * SECOND_NS, SECOND_NS)
        collected = fetched(connector(server.url), window, Budget())
    assert collected.coverage


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/queues/%2F/mailers/get", {}),
        ("/api/queues/%2F/mailers/contents", {}),
        ("/api/aliveness-test/%2F", {}),
        ("/api/definitions", {}),
        ("/api/users", {}),
        ("/api/queues/../users", {}),
        ("/api/overview", {"delete": "1"}),
    ],
)
def test_what_is_not_listed_is_never_sent(path: str, parameters: dict[str, str]) -> None:
    with pytest.raises(RequestRefused):
        permitted(path, parameters)


@pytest.mark.parametrize(
    ("url", "base", "vhost"),
    [
        ("amqp://u:p@broker/shop", "http://broker:15672", "shop"),
        ("amqps://u:p@broker:5671/%2F", "https://broker:443", "/"),
        ("https://u:p@proxy.example.org/rabbit/", "https://proxy.example.org:443/rabbit", ""),
        ("http://[::1]:15672", "http://[::1]:15672", ""),
    ],
)
def test_where_the_api_is(url: str, base: str, vhost: str) -> None:
    place = RabbitMQOptions.model_validate({"url": url}).place
    assert (place.base, place.vhost) == (base, vhost)


def test_candidates_keep_the_password_in_its_variable(tmp_path: Path) -> None:
    variables = {"CLOUDAMQP_URL": "amqps://u:hunter2@broker/shop", "AMQP_URL": "nonsense"}
    found = list(RabbitMQConnector.candidates(Place(variables, tmp_path, tmp_path)))
    assert [dict(candidate.options) for candidate in found] == [{"url": "${CLOUDAMQP_URL}"}]
