"""Every format of the table: its line, its instant, what it tells, and what it must not claim."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.logs.dialect import decide
from connectors.logs.formats import BY_NAME, FORMATS
from connectors.logs.zones import ZoneRule
from tests.connectors.logs.reading import T0, load, write
from timeline.event import Precision

SECOND = T0 // 1_000_000_000 * 1_000_000_000
MICRO = SECOND + 110_123_000
MS, US, S = Precision.MILLISECOND, Precision.MICROSECOND, Precision.SECOND
NS = Precision.NANOSECOND


@dataclass(frozen=True)
class Case:
    """One line and what it must become."""

    line: str
    name: str
    timestamp: int
    precision: Precision
    severity: int
    body: str
    actor: str = "app"
    clock: str = ""


CASES = (
    Case(BY_NAME["logfmt"].example, "logfmt", T0, MS, 17, "enqueue failed"),
    Case(
        'ts="2026-03-14 02:07:29.110" level=warn service=web msg="say \\"hi\\"" '
        'err="dial tcp: refused"',
        "logfmt",
        T0,
        MS,
        13,
        'say "hi"␊dial tcp: refused',
        "web",
    ),
    Case(BY_NAME["logfmt-epoch"].example, "logfmt-epoch", T0, MS, 17, "enqueue failed"),
    Case(
        BY_NAME["syslog-5424"].example,
        "syslog-5424",
        T0,
        MS,
        17,
        "enqueue failed for user_id=4711",
        "shop",
        "web-1",
    ),
    Case(
        BY_NAME["syslog-3164"].example,
        "syslog-3164",
        SECOND,
        S,
        0,
        "enqueue failed for user_id=4711",
        "shop",
        "web-1",
    ),
    Case(
        "<30>Mar 14 02:07:29.110 web-1 cron: job done",
        "syslog-3164",
        T0,
        MS,
        9,
        "job done",
        "cron",
        "web-1",
    ),
    Case(
        BY_NAME["access"].example,
        "access",
        SECOND,
        S,
        0,
        '203.0.113.7 "POST /signups HTTP/1.1" 500 312',
    ),
    Case(
        '::1 - frank [13/Mar/2026:21:07:29 -0500] "GET / HTTP/1.0" 200 2326',
        "access",
        SECOND,
        S,
        0,
        '::1 "GET / HTTP/1.0" 200 2326',
    ),
    Case(
        BY_NAME["nginx-error"].example,
        "nginx-error",
        SECOND,
        S,
        17,
        "31#31: *812 connect() failed (111: Connection refused)",
    ),
    Case(
        BY_NAME["apache-error"].example,
        "apache-error",
        MICRO,
        US,
        17,
        "[pid 812] AH00957: connect failed",
    ),
    Case(BY_NAME["ctime"].example, "ctime", SECOND, S, 0, "worker stopped"),
    Case(BY_NAME["klog"].example, "klog", MICRO, US, 17, "mailer.go:42] enqueue failed"),
    Case(
        BY_NAME["tomcat"].example,
        "tomcat",
        T0,
        MS,
        17,
        "[http-nio-8080-exec-3] o.a.c.c.C.invoke enqueue failed",
    ),
    Case("2026-03-14 02:07:29.110 +00:00 [WRN] slow", "iso-level", T0, MS, 13, "slow"),
    Case("[2026-03-14 02:07:29.110 INF] served", "iso-level", T0, MS, 9, "served"),
    Case(BY_NAME["redis"].example, "redis", T0, MS, 13, "Connection with replica lost."),
    Case(
        BY_NAME["ruby"].example,
        "ruby",
        MICRO,
        US,
        17,
        "Redis::TimeoutError for user_id=4711",
    ),
    Case(
        "I, [2026-03-14T02:07:29.110123 #812]  INFO -- shop: started",
        "ruby",
        MICRO,
        US,
        9,
        "shop started",
    ),
    Case(
        BY_NAME["postgresql"].example,
        "postgresql",
        T0,
        MS,
        17,
        "[812] duplicate key value violates unique constraint",
    ),
    Case(
        "2026-03-14 03:07:29.110 CET [812] app@shop LOG:  duration: 1203.119 ms",
        "postgresql",
        T0,
        MS,
        9,
        "[812] app@shop duration: 1203.119 ms",
    ),
    Case(
        BY_NAME["postgresql-csv"].example,
        "postgresql-csv",
        T0,
        MS,
        17,
        '[812] app@shop duplicate key value violates unique constraint "users_email_key"␊'
        "DETAIL:  Key (email)=(a@example.org) already exists.␊"
        "STATEMENT:  INSERT INTO users VALUES (1)",
    ),
    Case(
        BY_NAME["celery"].example,
        "celery",
        T0,
        MS,
        17,
        "ForkPoolWorker-1 Task shop.mail[8f2c] raised unexpected",
    ),
    Case(
        BY_NAME["gunicorn"].example,
        "gunicorn",
        SECOND,
        S,
        17,
        "[812] Worker (pid:813) was sent SIGKILL!",
    ),
    Case(BY_NAME["iso-level"].example, "iso-level", T0, MS, 17, "enqueue failed for user_id=4711"),
    Case("[2026-03-14 02:07:29] [WARN] low disk", "iso-level", SECOND, S, 13, "low disk"),
    Case(
        BY_NAME["iso-marked-level"].example,
        "iso-marked-level",
        SECOND,
        S,
        17,
        "enqueue failed for user_id=4711",
    ),
    Case("2026-03-14T02:07:29Z\tinfo\tup", "iso-marked-level", SECOND, S, 9, "up"),
    Case("2026-03-14T02:07:29Z warn: disk", "iso-marked-level", SECOND, S, 13, "disk"),
    Case("2026-03-14 02:07:29 error handling on", "iso", SECOND, S, 0, "error handling on"),
    Case(
        BY_NAME["journal"].example,
        "journal",
        SECOND,
        S,
        0,
        "enqueue failed for user_id=4711",
        "shop",
        "web-1",
    ),
    Case(
        BY_NAME["iso-lead-level"].example,
        "iso-lead-level",
        T0,
        MS,
        17,
        "shop.signup - enqueue failed for user_id=4711",
    ),
    Case(
        "2026-03-14 02:07:29,110 [main] ERROR com.shop.Signup - enqueue failed",
        "iso-lead-level",
        T0,
        MS,
        17,
        "[main] com.shop.Signup - enqueue failed",
    ),
    Case(
        "2026-03-14T02:07:29.110Z web-1 ERROR [shop.signup:42] - enqueue failed",
        "iso-lead-level",
        T0,
        MS,
        17,
        "web-1 [shop.signup:42] - enqueue failed",
    ),
    Case(BY_NAME["iso"].example, "iso", SECOND, S, 0, "listening on :8080"),
    Case("2026-03-13 21:07:29.110-05:00 took 5 items", "iso", T0, MS, 0, "took 5 items"),
    Case("2026-03-14 02:07:29.110 UTC took 5 items", "iso", T0, MS, 0, "took 5 items"),
    Case("2026-03-14 02:07:29 -05 items sold", "iso", SECOND, S, 0, "-05 items sold"),
    Case(
        BY_NAME["epoch"].example,
        "epoch",
        MICRO,
        US,
        0,
        '[0 127.0.0.1:50412] "LPUSH" "rq:queue:mailers" "8f2c"',
    ),
    Case(
        BY_NAME["access-vhost"].example,
        "access-vhost",
        SECOND,
        S,
        0,
        '203.0.113.7 "GET / HTTP/2.0" 500 12',
        "shop.example.org",
    ),
    Case(
        BY_NAME["php-fpm"].example,
        "php-fpm",
        MICRO,
        US,
        13,
        "[pool www] server reached pm.max_children (5)",
    ),
    Case("[14-Mar-2026 02:07:29] NOTICE: ready", "php-fpm", SECOND, S, 10, "ready"),
    Case(
        BY_NAME["php"].example,
        "php",
        SECOND,
        S,
        17,
        "PHP Fatal error: Uncaught RedisException: went away",
    ),
    Case("[14-Mar-2026 02:07:29 UTC] order 7 kept", "php", SECOND, S, 0, "order 7 kept"),
    Case(
        BY_NAME["monolog"].example,
        "monolog",
        SECOND,
        S,
        17,
        "production enqueue failed for user_id=4711",
    ),
    Case(
        "[2026-03-14T02:07:29.110123+00:00] app.CRITICAL: boom [] []",
        "monolog",
        MICRO,
        US,
        18,
        "app boom [] []",
    ),
    Case(
        "[2026-03-14T02:07:29,110][WARN ][o.e.m.Jvm] [es-1] overhead",
        "iso-level",
        T0,
        MS,
        13,
        "[o.e.m.Jvm] [es-1] overhead",
    ),
    Case(
        "W20260314 02:07:29.110123   812 mail.cc:7] slow", "klog", MICRO, US, 13, "mail.cc:7] slow"
    ),
    Case(
        BY_NAME["w3c-tabs"].example,
        "w3c-tabs",
        SECOND,
        S,
        0,
        "FRA60-P4 312 203.0.113.7 GET shop.example.org /signups 500",
    ),
    Case(
        BY_NAME["load-balancer"].example,
        "load-balancer",
        MICRO,
        US,
        0,
        "h2 app/shop/50dc6c495c0c9188 203.0.113.7:2817 - -1 -1 -1 503",
    ),
    Case(
        BY_NAME["mysql-slow"].example,
        "mysql-slow",
        MICRO,
        US,
        0,
        BY_NAME["mysql-slow"].example,
    ),
    Case(
        BY_NAME["mariadb-slow"].example,
        "mariadb-slow",
        SECOND,
        S,
        0,
        BY_NAME["mariadb-slow"].example,
    ),
    Case(
        BY_NAME["mysql"].example,
        "mysql",
        SECOND,
        S,
        13,
        "12 Aborted connection 12 to db: 'shop' user: 'app'",
    ),
    Case(
        "2026-03-14T02:07:29.110123Z 0 [Note] [MY-010311] [Server] ready",
        "mysql",
        MICRO,
        US,
        9,
        "0 [MY-010311] [Server] ready",
    ),
    Case(
        BY_NAME["hadoop"].example,
        "hadoop",
        SECOND,
        S,
        17,
        "TaskSchedulerImpl: Lost executor 3 on 10.2.0.7: heartbeat",
    ),
    Case(
        BY_NAME["sidekiq"].example,
        "sidekiq",
        T0,
        MS,
        13,
        "pid=4101 tid=ox2k class=Mail jid=8f2c elapsed=0.1 slow",
    ),
    Case(
        BY_NAME["jvm"].example,
        "jvm",
        T0,
        MS,
        13,
        "[61.204s] [gc,alloc] Retried too often",
    ),
    Case(
        BY_NAME["level-iso"].example,
        "level-iso",
        T0,
        MS,
        17,
        "signup 812 139 enqueue failed for user_id=4711",
    ),
    Case(
        "INFO  [main] 2026-03-14 02:07:29,110 Gossiper.java:7 - done",
        "level-iso",
        T0,
        MS,
        9,
        "[main] Gossiper.java:7 - done",
    ),
    Case(
        BY_NAME["audit"].example,
        "audit",
        T0,
        MS,
        0,
        "USER_LOGIN pid=812 uid=0 res=failed",
        "web-1",
        "web-1",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.line[:40]}")
def test_line_becomes_its_event(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", case.line)
    formats = decide([case.line], ZoneRule(), T0 // 10**9).formats
    assert next(item.name for item in formats if item.match(case.line)) == case.name
    (event,) = load(path).events
    assert event.timestamp == case.timestamp
    assert event.precision == case.precision
    assert event.severity_number == case.severity
    assert event.body == case.body
    assert (event.actor, event.clock) == (case.actor, case.clock)


def test_every_format_of_the_table_has_a_case() -> None:
    assert {case.name for case in CASES} == {item.name for item in FORMATS}


@pytest.mark.parametrize(
    "line",
    [
        "order 1773454049 was shipped to 2026-03-14 02:07:29",
        "user 4711 logged in at 02:07:29",
        "Exception in thread main java.lang.IllegalStateException",
        "12345678 bytes written",
        "{not json",
        '{"message": "no time here", "t": 12}',
        "26/03/14 02:07:29 is no stamp where no level and no class follow",
        "20260314020729 compact stamps are not in the table",
    ],
)
def test_a_number_inside_a_message_is_never_a_time(line: str, tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "app.log", line, line))
    assert loaded.events == []
    assert [row["body"] for row in loaded.undated] == [line, line]
    assert loaded.topics()["format-unknown"] == 2


def test_two_words_and_a_colon_are_no_host_and_program(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "hook.log",
        "2026-03-14T02:07:29.110Z Connection error: refused",
        "2026-03-14T02:07:29+00:00 listening on :8080",
        "2026-03-14T02:07:29+00:00 taking part 3 of 9",
        "2026-03-14T02:07:29+00:00 START RequestId: 8f2c",
    )
    told = load(path).events
    assert {event.actor for event in told} == {"hook"}
    assert {event.clock for event in told} == {""}
    assert "Connection error: refused" in {event.body for event in told}


JSON_CASES = (
    ('{"timestamp":"2026-03-14T02:07:29.110Z","level":"error","msg":"boom"}', T0, MS, 17, "boom"),
    ('{"@timestamp":"2026-03-14T02:07:29.110Z","log.level":"WARN","message":"m"}', T0, MS, 13, "m"),
    ('{"time":1773454049110,"level":30,"msg":"pino","pid":1}', T0, MS, 9, "pino"),
    ('{"ts":1773454049.110123,"level":"info","msg":"zap"}', MICRO, US, 9, "zap"),
    ('{"ts":1773454049110123000,"severity":"CRITICAL","text":"ns"}', MICRO, NS, 18, "ns"),
    ('{"t":"1773454049","message":"s"}', SECOND, S, 0, "s"),
    ('{"t":{"$date":"2026-03-14T02:07:29.110+00:00"},"s":"W","c":"COMMAND","msg":"slow"}',
     T0, MS, 13, "slow"),
    ('{"t":{"$date":"2026-03-14T02:07:29.110+00:00"},"s":"D2","c":"STORAGE","msg":"m"}',
     T0, MS, 5, "m"),
    ('{"time":"2026-03-14T02:07:29.110Z","s":"E","msg":"a letter of its own"}',
     T0, MS, 0, "a letter of its own"),
    ('{"time":"14/Mar/2026:02:07:29 +0000","message":"nginx"}', SECOND, S, 0, "nginx"),
    ('{"log":"line from docker","stream":"stderr","time":"2026-03-14T02:07:29.110123456Z"}',
     SECOND + 110_123_456, NS, 0, "line from docker"),
    ('{"time":"2026-03-14T02:07:29.110Z","msg":"m",'
     '"err":{"type":"E","message":"x","stack":"at a\\nat b"}}',
     T0, MS, 0, "m␊E␊x␊at a␊at b"),
    ('{"time":"2026-03-14T02:07:29.110Z","message":"m",'
     '"error":{"message":"x"},"error.stack_trace":"t1\\nt2"}',
     T0, MS, 0, "m␊x␊t1␊t2"),
)  # fmt: skip


@pytest.mark.parametrize(("line", "timestamp", "precision", "severity", "body"), JSON_CASES)
def test_json_line_becomes_its_event(
    line: str, timestamp: int, precision: Precision, severity: int, body: str, tmp_path: Path
) -> None:
    (event,) = load(write(tmp_path, "app.log", line)).events
    assert (event.timestamp, event.precision) == (timestamp, precision)
    assert (event.severity_number, event.body) == (severity, body)


def test_nested_ecs_names_the_service_and_the_host(tmp_path: Path) -> None:
    line = (
        '{"@timestamp":"2026-03-14T02:07:29.110Z","log":{"level":"error"},"message":"m",'
        '"service":{"name":"web"},"host":{"name":"web-1"},"user":{"id":4711},"user_id":4711}'
    )
    (event,) = load(write(tmp_path, "app.log", line)).events
    assert (event.actor, event.clock, event.severity_number) == ("web", "web-1", 17)
    assert "user:4711" in event.keys


def test_who_speaks_line_then_configuration_then_host_then_file_name(tmp_path: Path) -> None:
    stamp = '"time":"2026-03-14T02:07:29.110Z","msg":"m"'
    path = write(
        tmp_path,
        "mailer.log",
        f'{{{stamp},"service":"web","host":"h"}}',
        f'{{{stamp},"host":"h"}}',
        f"{{{stamp}}}",
    )
    assert [event.actor for event in load(path).events] == ["web", "h", "mailer"]
    assert [event.actor for event in load(path, service="shop").events] == ["web", "shop", "shop"]


def test_one_source_may_mix_formats(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "nginx.log",
        '203.0.113.7 - - [14/Mar/2026:02:07:28 +0000] "GET / HTTP/1.1" 200 5',
        "2026/03/14 02:07:29 [error] 31#31: *812 connect() failed",
        '{"time":"2026-03-14T02:07:30Z","msg":"from a sidecar"}',
    )
    loaded = load(path)
    assert [event.severity_number for event in loaded.events] == [0, 17, 0]
    assert loaded.undated == []


def test_a_level_word_inside_messages_is_no_level_column(tmp_path: Path) -> None:
    lines = [f"2026-03-14 02:07:{n:02d} sent message {n}" for n in range(10)]
    lines.append("2026-03-14 02:07:29 sending FATAL signal")
    loaded = load(write(tmp_path, "app.log", *lines))
    assert {event.severity_number for event in loaded.events} == {0}
    assert loaded.events[-1].body == "sending FATAL signal"


def test_a_dated_line_of_a_kind_the_sample_lacked_is_not_swallowed(tmp_path: Path) -> None:
    lines = [f'{{"time":"2026-03-14T02:07:{n % 60:02d}Z","msg":"m"}}' for n in range(5_000)]
    lines[1_234] = "2026-03-14 02:07:34 CRITICAL out of memory"
    loaded = load(write(tmp_path, "app.log", *lines))
    (event,) = [event for event in loaded.events if event.severity_number]
    assert event.body == "out of memory"


def test_a_declared_format_is_not_second_guessed(tmp_path: Path) -> None:
    path = write(tmp_path, "app.log", "2026-03-14 02:07:29 hello", "1773454049 epoch line")
    loaded = load(path, format_name="epoch")
    assert [event.body for event in loaded.events] == ["epoch line"]
