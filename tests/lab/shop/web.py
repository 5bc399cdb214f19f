"""`web`: takes sign-ups and orders over HTTP. JSON-lines log.

`python -m shop.web`; ends on SIGTERM.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue

from .database import Database
from .json_log import log_to
from .measured import Measured
from .settings import Settings

REDIS_TIMEOUT_S = 1.0
"""Nobody waits longer than a second for a mail to be put on a list."""
WARM_CONNECTIONS = 2
CAMPAIGN = 7

Answer = tuple[HTTPStatus, dict[str, object]]


class Shop:
    """What the handlers need: a database, a queue, a cache, a log."""

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings.database_url)
        self.queue = Queue("mailers", connection=_redis(settings.redis_url))
        self.cache = _redis(settings.redis_url)
        self.log = log_to(settings)
        self.measured = Measured(settings.measured)
        _warm(self.queue.connection)

    def sign_up(self, request: str, body: dict[str, str]) -> Answer:
        """Create an account and have its welcome mail sent."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO users (email, campaign_id) VALUES (%s, %s) RETURNING id",
                (body["email"], CAMPAIGN),
            ).fetchone()
            assert row is not None
            user: int = row[0]
            said = {"request_id": request, "user_id": user}
            self.log.info("sign-up: account %s created", user, extra=said)
            self._enqueue("shop.jobs.welcome_mail", said, user_id=user)
            row = connection.execute(
                "UPDATE campaigns SET signups = signups + 1 WHERE id = %s RETURNING signups",
                (CAMPAIGN,),
            ).fetchone()
            assert row is not None
            self._remember(f"campaign:{CAMPAIGN}:signups", str(row[0]), said)
        self.measured.note("committed", request=request, user=user, at=time.time_ns())
        return HTTPStatus.CREATED, {"user_id": user}

    def order(self, request: str, body: dict[str, str]) -> Answer:
        """Place an order; its receipt is enqueued after the commit."""
        with self.database.transaction() as connection:
            row = connection.execute(
                "INSERT INTO orders (user_id, product_id) VALUES (%s, %s) RETURNING id",
                (body["user_id"], body["product_id"]),
            ).fetchone()
            assert row is not None
            order: int = row[0]
        said = {"request_id": request, "order_id": order, "user_id": int(body["user_id"])}
        self.log.info("order %s placed", order, extra=said)
        self._enqueue("shop.jobs.order_receipt", said, order_id=order)
        return HTTPStatus.CREATED, {"order_id": order}

    def products(self, request: str, body: dict[str, str]) -> Answer:
        """The catalogue, from the cache when it is there."""
        began = time.time_ns()
        try:
            cached = self.cache.get("products")
        except RedisError as error:
            self._note_cache_failure(request, began, error)
            self.log.warning(
                "catalogue: cache not reachable, reading the database",
                extra={"request_id": request},
                exc_info=error,
            )
            cached = None
        if isinstance(cached, bytes):
            return HTTPStatus.OK, {"products": json.loads(cached)}
        with self.database.transaction() as connection:
            rows = connection.execute("SELECT id, name, stock FROM products ORDER BY id").fetchall()
        return HTTPStatus.OK, {"products": rows}

    def _enqueue(self, function: str, said: dict[str, object], **arguments: int) -> None:
        """Put a job on the queue. An account without a mail is better than no account."""
        job = str(uuid.uuid4())
        began = time.time_ns()
        failure: Exception | None = None
        try:
            with self.queue.connection.pipeline() as one_round_trip:
                self.queue.enqueue(function, job_id=job, pipeline=one_round_trip, **arguments)
                one_round_trip.execute()
        except RedisError as error:
            failure = error
            self.log.exception("could not enqueue %s", function.rpartition(".")[2], extra=said)
        self.measured.note(
            "enqueued",
            request=str(said["request_id"]),
            job=job,
            function=function,
            began=began,
            ended=time.time_ns(),
            error=str(failure) if failure else None,
            **arguments,
        )

    def _remember(self, name: str, value: str, said: dict[str, object]) -> None:
        began = time.time_ns()
        try:
            self.cache.set(name, value)
        except RedisError as error:
            self._note_cache_failure(str(said["request_id"]), began, error)
            self.log.warning("%s not cached", name, extra=said, exc_info=error)

    def _note_cache_failure(self, request: str, began: int, error: RedisError) -> None:
        self.measured.note(
            "cache", request=request, began=began, ended=time.time_ns(), error=str(error)
        )


Endpoint = Callable[[Shop, str, dict[str, str]], Answer]
ROUTES: dict[tuple[str, str], Endpoint] = {
    ("POST", "/signups"): Shop.sign_up,
    ("POST", "/orders"): Shop.order,
    ("GET", "/products"): Shop.products,
}


class Handler(BaseHTTPRequestHandler):
    """Finds the endpoint, gives the request an id, logs its beginning and its end."""

    shop: ClassVar[Shop]

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """The service's own log says it already."""

    def _answer(self, body: dict[str, str]) -> None:
        request = uuid.uuid4().hex[:16]
        said = {"request_id": request}
        began = time.time_ns()
        self.shop.log.info("%s %s started", self.command, self.path, extra=said)
        try:
            endpoint = ROUTES[self.command, self.path]
            status, answer = endpoint(self.shop, request, body)
        except Exception:
            self.shop.log.exception("%s %s failed", self.command, self.path, extra=said)
            status, answer = HTTPStatus.INTERNAL_SERVER_ERROR, {}
        took = (time.time_ns() - began) / 1e6
        self.shop.log.info("%s %s %d in %.1f ms", self.command, self.path, status, took, extra=said)
        self.shop.measured.note(
            "request", id=request, path=self.path, status=status, start=began, end=time.time_ns()
        )
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        socket_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _warm(connection: Redis) -> None:
    """Open the queue's connections before the first customer comes."""
    pool = connection.connection_pool
    opened = [pool.get_connection() for _ in range(WARM_CONNECTIONS)]
    for one in opened:
        pool.release(one)


def main() -> None:
    settings = Settings.from_environment()
    Handler.shop = Shop(settings)
    server = ThreadingHTTPServer(("127.0.0.1", settings.http_port), Handler)
    log = logging.getLogger("shop.web")
    log.info("listening on port %d", settings.http_port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    log.info("stopped")


if __name__ == "__main__":
    main()
