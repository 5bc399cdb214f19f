"""CloudWatch Logs: how messages are read, in which order they are asked for, what is not seen."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from connectors.cloudwatch_logs import CloudWatchLogsConnector, CloudWatchLogsOptions
from connectors.cloudwatch_logs.connector import outwards
from connectors.cloudwatch_logs.records import Record, dialect_of, event_of, records_in
from connectors.contract import CheckReport
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors import aws_world
from tests.connectors.logs_data import put_events
from tests.connectors.loopback_http import Seen, Told, as_json, loopback, passing_on
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, Misconfigured, NothingHere, SourceProblem
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

GROUP = "/aws/lambda/mailer"
NOW = 1_795_312_450 * SECOND_NS
MILLISECOND_NS = 1_000_000


@pytest.fixture(autouse=True)
def _logged_in() -> Iterator[None]:
    with aws_world.logged_in():
        yield


def connector(url: str, **options: object) -> CloudWatchLogsConnector:
    settings = {
        "region": aws_world.REGION,
        "endpoint_url": url,
        "groups": [GROUP],
        **options,
    }
    return CloudWatchLogsConnector("logs", CloudWatchLogsOptions.model_validate(settings), RULES)


RULES = KeyRules()


def checked(subject: CloudWatchLogsConnector) -> CheckReport:
    async def check() -> CheckReport:
        try:
            return await subject.check()
        finally:
            await subject.close()

    return asyncio.run(check())


def read(message: str, *others: str) -> Event:
    """The event of a message, in a group that also has `others`."""
    sample = [
        Record(GROUP, "web-1", str(number), text, NOW)
        for number, text in enumerate((message, *others))
    ]
    return event_of(sample[0], "logs", dialect_of(sample, NOW))


class TestMessages:
    def test_json_tells_level_message_and_speaker(self) -> None:
        said = {"level": "error", "msg": "no such user", "service": "mailer", "user_id": 4711}
        event = read(json.dumps(said))
        assert (event.body, event.severity_number, event.actor) == ("no such user", 17, "mailer")
        assert json.loads(event.attributes or "")["user_id"] == 4711

    def test_a_dated_text_line_gives_its_level_and_keeps_the_senders_stamp(self) -> None:
        line = "2026-11-22 01:54:10,123 ERROR mailer: no such user"
        event = read(line, "2026-11-22 01:54:11,500 INFO mailer: sent")
        assert event.severity_number == 17
        assert event.timestamp == NOW
        assert event.body.endswith("no such user")

    def test_a_line_of_no_known_kind_is_told_whole(self) -> None:
        event = read("START RequestId: 8f2c Version: $LATEST\n")
        assert event.body == "START RequestId: 8f2c Version: $LATEST"
        assert (event.actor, event.clock) == ("mailer", "web-1")

    def test_a_stack_trace_stays_one_event(self) -> None:
        event = read("Traceback (most recent call last):\r\n  File x\r\nLookupError: 4711")
        assert event.body == "Traceback (most recent call last):␊  File x␊LookupError: 4711"

    @pytest.mark.parametrize(
        "message", ["", "{", "{not json", "[1]", "\x1b[2J", "{" * 5_000, "null"]
    )
    def test_any_text_is_an_event(self, message: str) -> None:
        event = read(message)
        assert event.body
        assert "\x1b" not in event.body
        json.loads(event.attributes or "")

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            {"events": None},
            {"events": [3, {}, {"timestamp": "x"}, {"timestamp": -1}, {"timestamp": 10**30}]},
        ],
    )
    def test_events_without_a_time_never_get_one(self, answer: dict[str, object]) -> None:
        assert records_in(json.loads(json.dumps(answer)), GROUP) == []


class TestAsking:
    def test_the_window_is_asked_for_once_from_t_outwards(self) -> None:
        window = Window.around(NOW, 30 * MINUTE_NS, 15 * MINUTE_NS)
        pieces = list(outwards(window))
        assert pieces[0][0] <= NOW < pieces[0][1]
        covered = sorted(pieces)
        assert covered[0][0] == window.start
        assert covered[-1][1] == window.end
        assert all(one[1] == two[0] for one, two in pairwise(covered))

    @pytest.mark.parametrize("pin", [NOW, NOW + 5 * MINUTE_NS - 1, NOW + 5 * MINUTE_NS])
    def test_a_pin_at_the_edge(self, pin: int) -> None:
        window = Window(pin, NOW, NOW + 5 * MINUTE_NS)
        covered = sorted(outwards(window))
        assert (covered[0][0], covered[-1][1]) == (window.start, window.end)
        assert all(low < high for low, high in covered)

    def test_empty_pages_are_not_the_end_and_a_repeated_token_is(self) -> None:
        stamp = (time.time_ns() - 5 * MINUTE_NS) // MILLISECOND_NS

        def answer(seen: Seen) -> Told:
            asked = json.loads(seen.body)
            if asked["limit"] == 200:
                return as_json({"events": []})
            if "nextToken" not in asked:
                return as_json({"events": [], "nextToken": "a"})
            late = asked["startTime"] <= stamp <= asked["endTime"]
            event = {"timestamp": stamp, "message": "found", "eventId": "1", "logStreamName": "s"}
            return as_json({"events": [event] if late else [], "nextToken": "a"})

        with loopback(answer) as server:
            now = time.time_ns()
            collected = fetched(
                connector(server.url), Window(now - 5 * MINUTE_NS, now - 9 * MINUTE_NS, now)
            )
        assert [event.body for event in collected.events] == ["found"]

    def test_an_event_from_outside_the_window_is_left_out(self) -> None:
        event = {"timestamp": 1_000, "message": "old", "eventId": "1", "logStreamName": "s"}
        with loopback(lambda _: as_json({"events": [event]})) as server:
            window = Window.around(time.time_ns(), MINUTE_NS, SECOND_NS)
            assert fetched(connector(server.url), window).events == []

    def test_a_slow_shipper_is_believed_rather_than_the_usual_minute(self) -> None:
        now = time.time_ns()
        stamp = (now - 8 * MINUTE_NS) // MILLISECOND_NS

        def answer(seen: Seen) -> Told:
            asked = json.loads(seen.body)
            inside = asked["startTime"] <= stamp <= asked["endTime"]
            event = {
                "timestamp": stamp,
                "ingestionTime": stamp + 300_000,
                "message": "late",
                "eventId": "1",
                "logStreamName": "s",
            }
            return as_json({"events": [event] if inside else []})

        with loopback(answer) as server:
            window = Window(now - 8 * MINUTE_NS, now - 10 * MINUTE_NS, now)
            collected = fetched(connector(server.url), window)
        (late,) = (entry for entry in collected.coverage if entry.sight is Sight.PARTIAL)
        assert late.end == window.end
        assert abs((window.end - late.start) - 5 * MINUTE_NS) < 10 * SECOND_NS
        assert "0:05:00" in late.reason

    def test_a_filter_is_said(self) -> None:
        with loopback(lambda _: as_json({"events": []})) as server:
            window = Window.around(time.time_ns() - 10 * MINUTE_NS, MINUTE_NS, MINUTE_NS)
            collected = fetched(connector(server.url, pattern="ERROR"), window)
            filters = {json.loads(seen.body).get("filterPattern") for seen in server.seen}
        assert filters == {"ERROR"}
        assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}

    def test_a_value_is_searched_word_for_word(self) -> None:
        with loopback(lambda _: as_json({"events": []})) as server:
            window = Window.around(time.time_ns(), MINUTE_NS, SECOND_NS)
            looked_up(connector(server.url), ('order:a" ?b', "row:users/1"), window)
            phrases = {json.loads(seen.body).get("filterPattern") for seen in server.seen}
        assert phrases == {None, '"a\\" ?b"'}

    def test_a_missing_right_names_it(self) -> None:
        refused = as_json({"__type": "AccessDeniedException", "message": "no"}, 400)
        with loopback(lambda _: refused) as server, pytest.raises(AccessRefused) as caught:
            fetched(connector(server.url), Window.around(time.time_ns(), MINUTE_NS, SECOND_NS))
        assert "logs:FilterLogEvents" in caught.value.remedy


@pytest.mark.servers
class TestOnMoto:
    @pytest.fixture(scope="class")
    def group(self, moto_server: RunningServer) -> str:
        name = f"/shop/{secrets.token_hex(4)}"
        now = time.time_ns() - 10 * MINUTE_NS
        with aws_world.logged_in():
            events = [(now + number * SECOND_NS, f"user_id={number}") for number in range(60)]
            put_events(moto_server.url, name, "web-1", events)
            put_events(moto_server.url, name, "web-2", [(now, "user_id=7 again")])
        return name

    def window(self) -> Window:
        now = time.time_ns()
        return Window(now - 9 * MINUTE_NS, now - 30 * MINUTE_NS, now)

    def collect(self, url: str, group: str, budget: Budget | None = None) -> Collected:
        return fetched(connector(url, groups=[group], page_events=10), self.window(), budget)

    def test_streams_are_clocks(self, group: str, moto_server: RunningServer) -> None:
        collected = self.collect(moto_server.url, group)
        assert len(collected.events) == 61
        assert {event.clock for event in collected.events} == {"web-1", "web-2"}

    def test_a_cut_loses_what_is_furthest_from_t(
        self, group: str, moto_server: RunningServer
    ) -> None:
        collected = self.collect(moto_server.url, group, Budget(rows=20))
        assert len(collected.events) == 20
        assert any(remark.topic == "cut" for remark in collected.remarks)
        assert any(entry.sight is Sight.PARTIAL for entry in collected.coverage)

    def test_a_key_is_found_in_all_streams(self, group: str, moto_server: RunningServer) -> None:
        found = looked_up(connector(moto_server.url, groups=[group]), ("user:7",), self.window())
        assert sorted(event.body for event in found.events) == ["user_id=7", "user_id=7 again"]

    def test_only_reads_are_sent(self, group: str, moto_server: RunningServer) -> None:
        with loopback(passing_on(moto_server.url)) as proxy:
            report = checked(connector(proxy.url, groups=[group]))
            fetched(connector(proxy.url, groups=[group]), self.window())
            looked_up(connector(proxy.url, groups=[group]), ("user:7",), self.window())
            sent = {seen.headers["x-amz-target"] for seen in proxy.seen}
        assert sent == {"Logs_20140328.DescribeLogGroups", "Logs_20140328.FilterLogEvents"}
        assert any("kept for ever" in kept for kept in report.retention)

    @pytest.mark.parametrize(("method", "kind"), [("check", NothingHere), ("fetch", Misconfigured)])
    def test_no_such_group(
        self, method: str, kind: type[SourceProblem], moto_server: RunningServer
    ) -> None:
        subject = connector(moto_server.url, groups=["/nonesuch"])
        with pytest.raises(kind):
            checked(subject) if method == "check" else fetched(subject, self.window())
