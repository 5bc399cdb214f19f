"""Every format of a single program: its line, its instant, what it tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.logs.formats import BY_NAME
from connectors.logs.serverformats import SERVERS
from tests.connectors.logs.linecase import MICRO, MS, SECOND, US, Case, S, check_line, named
from tests.connectors.logs.reading import T0

CASES = (
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
    Case(
        "shop.example.org:443 2001:db8::7 - jane doe [14/Mar/2026:02:07:29 +0000] "
        '"GET / HTTP/2.0" 401 12',
        "access-vhost",
        SECOND,
        S,
        0,
        '2001:db8::7 "GET / HTTP/2.0" 401 12',
        "shop.example.org",
    ),
    Case(
        BY_NAME["haproxy"].example,
        "haproxy",
        T0,
        MS,
        0,
        "203.0.113.7:2817 https~ app/<NOSRV> 0/-1/-1/-1/0 503 217 - - SC-- 9/9/0/0/0 0/0 "
        '"GET / HTTP/1.1"',
    ),
    Case(
        "::1:2817 [14/Mar/2026:02:07:29.110] web app/a1 -1/-1/-1/-1/5000 408 212 - - cR-- 1/1/0/0/0"
        ' 0/0 "<BADREQ>"',
        "haproxy",
        T0,
        MS,
        0,
        '::1:2817 web app/a1 -1/-1/-1/-1/5000 408 212 - - cR-- 1/1/0/0/0 0/0 "<BADREQ>"',
    ),
    Case(
        BY_NAME["s3-access"].example,
        "s3-access",
        SECOND,
        S,
        0,
        'shop-media 203.0.113.7 - 3E57427F3EXAMPLE REST.GET.OBJECT a.png "GET /a.png HTTP/1.1" 503 '
        'SlowDown 113 - 7 - "-" "curl/8" -',
    ),
    Case(
        BY_NAME["uwsgi"].example,
        "uwsgi",
        SECOND,
        S,
        0,
        "203.0.113.7 GET / => generated 12 bytes in 3 msecs (HTTP/1.1 500)",
    ),
    Case(
        "[14-Mar-2026 03:07:29 Europe/Berlin] PHP Warning:  disk is low",
        "php",
        SECOND,
        S,
        13,
        "PHP Warning: disk is low",
    ),
    Case("[2026-03-14 02:07:29] tenant.eu.ERROR: boom", "monolog", SECOND, S, 17, "tenant.eu boom"),
    Case(
        "[2026-03-14T02:07:29.110+0000][61.204s][4101][4117][error][gc] full",
        "jvm",
        T0,
        MS,
        17,
        "[61.204s][4101][4117] [gc] full",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_line_of_a_server_becomes_its_event(case: Case, tmp_path: Path) -> None:
    check_line(case, tmp_path)


def test_every_format_of_a_server_has_a_case() -> None:
    assert {case.name for case in CASES} == {item.name for item in SERVERS}
