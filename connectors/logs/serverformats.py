r"""Text formats of single programs that begin unlike everybody's: the second part of `formats`.

The same rules hold as there. Sources: Apache's `vhost_combined`; HAProxy's configuration manual
(8.2.3, `option httplog`: the accept date, in local time); Amazon S3's server access log format; the
request line of uWSGI (logging.c, `ctime` in local time); PHP's main.c (the zone by its IANA name)
and FPM's zlog.c; Monolog's LineFormatter (Laravel, Symfony); W3C extended log files as CloudFront
writes them, with tabs (UTC by definition, see `w3c`); access logs of AWS' application load
balancers; the slow query log and the error log of MySQL and MariaDB; Hadoop's and Spark's
log4j.properties; Sidekiq's logger (`Pretty`); JEP 158 (unified logging of the JVM; times, process
and thread may stand before the level); the `verbose` formatter of Django's manual and Cassandra's
logback.xml; the Linux audit system.

MariaDB writes `# Time:` once for each second: statements that ended in the same second are one
record.
"""

from __future__ import annotations

from connectors.logs.textformat import (
    CALLER,
    CLF,
    CLF_LOCAL,
    CLOCK,
    CTIME,
    DATE,
    FRACTION,
    ISO,
    MONTH,
    ZONE,
    TextFormat,
)

_DIGITS = "0123456789"
_SHORT_CLOCK = r"(?P<hour>[ 0-9][0-9]):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
"""MySQL pads hours with a blank."""
_PHP_STAMP = (
    rf"^\[(?P<day>[0-9]{{2}})-{MONTH}-(?P<year>[0-9]{{4}}) {CLOCK}{FRACTION}"
    r"(?: (?P<zone>[A-Z][\w/+-]*))?\]"
)
_LEVEL = "(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL)"

SERVERS: tuple[TextFormat, ...] = (
    TextFormat(
        "access-vhost",
        rf"^(?P<actor>[\w.-]+)(?::[0-9]+)? (?P<lead>[0-9a-fA-F.:]{{3,45}}) {CALLER} \[{CLF}\] ",
        'shop.example.org:443 203.0.113.7 - - [14/Mar/2026:02:07:29 +0000] "GET / HTTP/2.0" 500 12',
        holds=" [",
    ),
    TextFormat(  # `log stdout format raw`, as in containers; through syslog it is read as syslog
        "haproxy",
        rf"^(?P<lead>\S+:[0-9]+) \[{CLF_LOCAL}\] ",
        "203.0.113.7:2817 [14/Mar/2026:02:07:29.110] https~ app/<NOSRV> 0/-1/-1/-1/0 503 217 - -"
        ' SC-- 9/9/0/0/0 0/0 "GET / HTTP/1.1"',
        holds=" [",
    ),
    TextFormat(
        "s3-access",
        rf"^[0-9a-f]{{64}} (?P<lead>[\w.-]+) \[{CLF}\] ",
        f"{'7c' * 32} shop-media [14/Mar/2026:02:07:29 +0000] 203.0.113.7 - 3E57427F3EXAMPLE"
        ' REST.GET.OBJECT a.png "GET /a.png HTTP/1.1" 503 SlowDown 113 - 7 - "-" "curl/8" -',
        opens="0123456789abcdef",
        holds=" [",
    ),
    TextFormat(
        "uwsgi",
        r"^\[pid: [0-9]+\|app: [0-9-]+\|req: [0-9/-]+\] (?P<lead>\S+) \([^)]*\)"
        rf" \{{[0-9]+ vars in [0-9]+ bytes\}} \[{CTIME}\] ",
        "[pid: 812|app: 0|req: 3/9] 203.0.113.7 () {40 vars in 512 bytes}"
        " [Sat Mar 14 02:07:29 2026] GET / => generated 12 bytes in 3 msecs (HTTP/1.1 500)",
        opens="[",
        holds="|req: ",
    ),
    TextFormat(
        "php-fpm",
        rf"{_PHP_STAMP} (?P<level>DEBUG|NOTICE|WARNING|ERROR|ALERT): ",
        "[14-Mar-2026 02:07:29.110123] WARNING: [pool www] server reached pm.max_children (5)",
        opens="[",
        holds="-",
    ),
    TextFormat(
        "php",
        rf"{_PHP_STAMP} (?:(?P<lead>PHP (?P<level>[A-Z][a-z]+(?: [a-z]+){{0,2}}):) +)?",
        "[14-Mar-2026 02:07:29 UTC] PHP Fatal error:  Uncaught RedisException: went away",
        opens="[",
        holds="-",
    ),
    TextFormat(
        "monolog",
        rf"^\[{ISO}\] (?P<lead>[\w.-]+)\."
        r"(?P<level>DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY): ",
        "[2026-03-14 02:07:29] production.ERROR: enqueue failed for user_id=4711",
        opens="[",
    ),
    TextFormat(
        "w3c-tabs",
        rf"^{DATE}\t{CLOCK}{FRACTION}\t",
        "2026-03-14\t02:07:29\tFRA60-P4\t312\t203.0.113.7\tGET\tshop.example.org\t/signups\t500",
        opens=_DIGITS,
        holds="\t",
    ),
    TextFormat(
        "load-balancer",
        rf"^(?P<lead>https?|h2|grpcs|wss?) {ISO} ",
        "h2 2026-03-14T02:07:29.110123Z app/shop/50dc6c495c0c9188 203.0.113.7:2817 - -1 -1 -1 503",
        opens="hgw",
    ),
    TextFormat(
        "mysql-slow",
        rf"^# Time: (?:{ISO})\s*$",
        "# Time: 2026-03-14T02:07:29.110123Z",
        opens="#",
    ),
    TextFormat(
        "mariadb-slow",
        r"^# Time: (?P<year>[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2}) "
        rf"{_SHORT_CLOCK}\s*$",
        "# Time: 260314  2:07:29",
        opens="#",
    ),
    TextFormat(
        "mysql",
        rf"^{DATE}[T ]{_SHORT_CLOCK}{FRACTION}{ZONE}? (?P<lead>[0-9]+)"
        r" \[(?P<level>Note|System|Warning|Error|ERROR)\] ",
        "2026-03-14  2:07:29 12 [Warning] Aborted connection 12 to db: 'shop' user: 'app'",
        opens=_DIGITS,
        holds="[",
    ),
    TextFormat(  # two digits might be a day as well, so the class that follows must be there
        "hadoop",
        r"^(?P<year>[0-9]{2})/(?P<month>[0-9]{2})/(?P<day>[0-9]{2})"
        rf" {CLOCK}{FRACTION} {_LEVEL} (?P<lead>[A-Za-z][\w.$]*:) ",
        "26/03/14 02:07:29 ERROR TaskSchedulerImpl: Lost executor 3 on 10.2.0.7: heartbeat",
        opens=_DIGITS,
        holds="/",
    ),
    TextFormat(
        "sidekiq",
        rf"^{ISO} (?P<lead>pid=[0-9]+ tid=\S+(?: [a-z_]+=\S+)*) {_LEVEL}: ",
        "2026-03-14T02:07:29.110Z pid=4101 tid=ox2k class=Mail jid=8f2c elapsed=0.1 WARN: slow",
        opens=_DIGITS,
        holds=" tid=",
    ),
    TextFormat(
        "jvm",
        rf"^\[{ISO}\](?P<lead>(?:\[[0-9.,]+(?:[mn]?s)?\])*)"
        r"\[(?P<level>trace|debug|info|warning|error) *\]",
        "[2026-03-14T02:07:29.110+0000][61.204s][warning][gc,alloc] Retried too often",
        opens="[",
    ),
    TextFormat(
        "level-iso",
        rf"^\[?{_LEVEL}\]?[: ]\s*(?:(?P<lead>\[[^\]]*\])\s*)?\[?{ISO}\]?[\s:,-]+",
        "ERROR 2026-03-14 02:07:29,110 signup 812 139 enqueue failed for user_id=4711",
        opens="TDINWECF[",
    ),
    TextFormat(
        "audit",
        r"^(?:node=(?P<host>\S+) )?type=(?P<lead>[A-Z0-9_]+)"
        r" msg=audit\((?P<epoch>[0-9]{10}\.[0-9]{3}):[0-9]+\):\s*",
        "node=web-1 type=USER_LOGIN msg=audit(1773454049.110:812): pid=812 uid=0 res=failed",
        opens="nt",
        holds="audit(",
    ),
)
