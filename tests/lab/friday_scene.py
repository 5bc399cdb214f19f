"""The office's batch running: servers, processes, the shipper of one region, the scraper of both.

staff -> office (Django) -> batcher -> statement-mailer (under a supervisor) -> mail sink
office, batcher logs -> shipper -> Elasticsearch      statement-mailer's log stays in us-east
Prometheus <- statement-mailer's /metrics             batcher, statement-mailer -> PostgreSQL
"""

from __future__ import annotations

import http.client
import re
import secrets
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import psycopg

from tests.lab.mail_sink import LOOPBACK, MailSink
from tests.lab.services import Services
from tests.lab.shipper import Shipper
from tests.servers.postgresql import postgresql, url_for
from tests.servers.process import free_port
from tests.servers.prometheus import prometheus
from tests.servers.pytest_fixtures import provided

HERE = Path(__file__).parent
READER = "halfawake"
SCRAPES = """
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}}
scrape_configs:
  - job_name: statement-mailer
    static_configs:
      - targets: ["127.0.0.1:MAILER"]
        labels: {{instance: statements-1, region: us-east}}
"""
PRESS_WITHIN_S = 30.0
LOOK_EVERY_S = 7.0


class FridayScene:
    """Everything is up inside the block and gone after it; `folder` with the logs stays."""

    def __init__(self, folder: Path, users: int) -> None:
        self.folder = folder
        self.users = users
        self._stack = ExitStack()
        self._leaving = threading.Event()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self, stack: ExitStack) -> None:
        self.elasticsearch = stack.enter_context(provided("elasticsearch", {}))
        self.postgresql = stack.enter_context(postgresql())
        with psycopg.connect(self.postgresql.url, autocommit=True) as connection:
            schema = Template((HERE / "friday.sql").read_text())
            connection.execute(schema.substitute(users=self.users).encode())
        self.mails = stack.enter_context(MailSink())
        self.office, batcher, mailer = free_port(), free_port(), free_port()
        scrapes = SCRAPES.replace("MAILER", str(mailer))
        self.prometheus = stack.enter_context(prometheus(config=scrapes))
        self.services = Services(
            self.folder,
            {
                "SHOP_DATABASE_URL": self.postgresql.url,
                "SHOP_REDIS_URL": "",
                "SHOP_SMTP_PORT": str(self.mails.port),
            },
        )
        stack.callback(self.services.stop_all)
        far = self.folder / "us-east"
        far.mkdir(exist_ok=True)
        self.services.start(
            "statement-mailer",
            "statements-1",
            module="supervisor",
            SHOP_HTTP_PORT=str(mailer),
            SHOP_LOG=str(far / "statement-mailer.statements-1.log"),
        )
        self.services.start("batcher", "batch-1", str(mailer), SHOP_HTTP_PORT=str(batcher))
        self.services.start("office", "office-1", str(batcher), SHOP_HTTP_PORT=str(self.office))
        self.services.wait_for_line("batcher", "batch-1", "listening on")
        self.services.wait_for_line("office", "office-1", "listening on")
        self.index = f"office-{secrets.token_hex(4)}"
        self.shipper = stack.enter_context(
            Shipper(self.folder / "logs", self.elasticsearch.url, self.index)
        )
        self.began_ns = time.time_ns()
        colleagues = threading.Thread(target=self._look, name="colleagues", daemon=True)
        stack.callback(colleagues.join)
        stack.callback(self._leaving.set)
        colleagues.start()

    def _look(self) -> None:
        """Colleagues open the page all evening, and see no progress on it."""
        while not self._leaving.wait(LOOK_EVERY_S):
            self._ask("GET", "/statements/")

    @property
    def far_log(self) -> Path:
        """The log that nobody collects."""
        return self.folder / "us-east" / "statement-mailer.statements-1.log"

    def write_configuration(self) -> Path:
        """Write `halfawake.toml` into the folder."""
        password = secrets.token_hex(8)
        with psycopg.connect(self.postgresql.url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{password}'")
            connection.execute(f"GRANT SELECT ON users, statements TO {READER}")
            connection.execute(f"GRANT pg_read_all_stats TO {READER}")
        path = self.folder / "halfawake.toml"
        path.write_text(
            Template((HERE / "friday.toml").read_text()).substitute(
                elasticsearch_url=self.elasticsearch.url,
                index=self.index,
                database_url=url_for(self.postgresql, user=READER, password=password),
                prometheus_url=self.prometheus.url,
            )
        )
        path.chmod(0o600)
        return path

    def pause(self, seconds: float) -> None:
        """Let everybody go about their business, noticing when a process died."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.services.check()
            time.sleep(min(left, 1.0))

    def press_with_names(self) -> int:
        """The old button: GET with every user in the URL. The status of the answer."""
        with psycopg.connect(self.postgresql.url) as connection:
            rows = connection.execute("SELECT public_id FROM users ORDER BY id").fetchall()
        names = urlencode([("user", str(row[0])) for row in rows])
        return self._ask("GET", f"/statements/send?{names}")[0]

    def press(self, *, with_token: bool = True) -> int:
        """The new button: POST, as a browser sends it that has opened the page before."""
        if not with_token:
            return self._ask("POST", "/statements/send")[0]
        _, page, cookie = self._ask("GET", "/statements/")
        token = re.search(r"value='(\w+)'", page)
        assert token is not None, page
        headers = {"Cookie": cookie.partition(";")[0], "X-CSRFToken": token[1]}
        return self._ask("POST", "/statements/send", headers)[0]

    def _ask(
        self, method: str, target: str, headers: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        office = http.client.HTTPConnection(LOOPBACK, self.office, timeout=PRESS_WITHIN_S)
        try:
            office.request(method, target, headers=headers or {})
            answer = office.getresponse()
            text = answer.read().decode()
            return answer.status, text, answer.getheader("Set-Cookie") or ""
        finally:
            office.close()
