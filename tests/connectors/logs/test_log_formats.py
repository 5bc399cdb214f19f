"""Every general format of the table: its line, its instant, what it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.logs.formats import BY_NAME, FORMATS
from connectors.logs.serverformats import SERVERS
from tests.connectors.logs.linecase import MICRO, MS, SECOND, US, Case, S, check_line, named
from tests.connectors.logs.reading import T0

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
        '203.0.113.7 - jane doe [14/Mar/2026:02:07:29 +0000] "GET / HTTP/1.1" 401 12',
        "access",
        SECOND,
        S,
        0,
        '203.0.113.7 "GET / HTTP/1.1" 401 12',
    ),
    Case(
        '203.0.113.7, 10.0.0.2 - - [14/Mar/2026:02:07:29.110 +0000] "GET / HTTP/1.1" 499 0',
        "access",
        T0,
        MS,
        0,
        '203.0.113.7, 10.0.0.2 "GET / HTTP/1.1" 499 0',
    ),
)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_line_becomes_its_event(case: Case, tmp_path: Path) -> None:
    check_line(case, tmp_path)


def test_every_format_of_the_table_has_a_case() -> None:
    of_servers = {item.name for item in SERVERS}
    assert {case.name for case in CASES} == {item.name for item in FORMATS} - of_servers
