"""Customers: sign-ups in small waves, orders, and many who only look at the catalogue.

A fixed rhythm with seeded noise, so that a story knows when the next wave comes. A request that
fails is the shop's business; here it is only counted.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
CYCLE_S = 6.0
"""One wave of sign-ups, one order, a dozen looks at the catalogue; at night it takes longer."""
WAVE_S = (0.0, 0.30, 0.50, 0.70)
"""A newsletter link is opened by several people at once, then by nobody for a while."""
ORDER_S = 3.6
LOOK_EVERY_S = 0.45
LOOK_NOISE_S = 0.05
CUSTOMERS = range(4601, 4621)
"""Accounts that the schema brings along."""
REQUEST_WITHIN_S = 20.0


@dataclass(frozen=True)
class Call:
    """One request, `at` seconds after its cycle began."""

    at: float
    method: str
    path: str
    body: dict[str, str | int]


class Traffic:
    """Sends requests from its own threads while its block lasts."""

    def __init__(self, port: int, cycle_s: float = CYCLE_S, seed: int = 7) -> None:
        self._port = port
        self._cycle_s = cycle_s
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._accounts = 0
        self._rushed = 0
        self._calls: list[threading.Thread] = []
        self.statuses: list[int] = []
        self.began = 0.0

    def __enter__(self) -> Self:
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        for call in self._calls:
            call.join(REQUEST_WITHIN_S)

    def next_wave(self, not_before: float) -> float:
        """When (monotonic seconds) the first wave at or after `not_before` begins."""
        cycles = max(0.0, not_before - self.began) / self._cycle_s
        return self.began + (int(cycles) + 1) * self._cycle_s

    def rush(self, size: int, over_s: float) -> None:
        """That many sign-ups within `over_s`; returns when the last has been sent off."""
        for _ in range(size):
            self._rushed += 1
            body: dict[str, str | int] = {"email": f"reader{self._rushed}@example.org"}
            self._begin(Call(0.0, "POST", "/signups", body))
            time.sleep(over_s / size)

    def order(self, clicks: int = 1, apart_s: float = 0.0) -> None:
        """One more order by somebody who clicks that often."""
        body: dict[str, str | int] = {
            "user_id": self._random.choice(CUSTOMERS),
            "product_id": self._random.randint(1, 40),
        }
        for _ in range(clicks):
            self._begin(Call(0.0, "POST", "/orders", body))
            time.sleep(apart_s)

    def _run(self) -> None:
        cycle = 0
        while not self._stopping.is_set():
            start = self.began + cycle * self._cycle_s
            for call in self._calls_of_one_cycle():
                if self._stopping.wait(max(0.0, start + call.at - time.monotonic())):
                    return
                self._begin(call)
            self._calls = [one for one in self._calls if one.is_alive()]
            cycle += 1

    def _calls_of_one_cycle(self) -> list[Call]:
        calls = []
        for at in WAVE_S:
            self._accounts += 1
            email = f"new{self._accounts}@example.org"
            calls.append(Call(at, "POST", "/signups", {"email": email}))
        order: dict[str, str | int] = {
            "user_id": self._random.choice(CUSTOMERS),
            "product_id": self._random.randint(1, 40),
        }
        calls.append(Call(ORDER_S, "POST", "/orders", order))
        looks = int(self._cycle_s / LOOK_EVERY_S)
        for number in range(looks):
            noise = self._random.uniform(-LOOK_NOISE_S, LOOK_NOISE_S)
            calls.append(Call((number + 0.5) * LOOK_EVERY_S + noise, "GET", "/products", {}))
        return sorted(calls, key=lambda call: call.at)

    def _begin(self, call: Call) -> None:
        thread = threading.Thread(target=self._send, args=(call,), daemon=True)
        self._calls.append(thread)
        thread.start()

    def _send(self, call: Call) -> None:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=REQUEST_WITHIN_S)
        try:
            body = json.dumps(call.body) if call.method == "POST" else None
            connection.request(call.method, call.path, body)
            answer = connection.getresponse()
            answer.read()
            self.statuses.append(answer.status)
        except (OSError, http.client.HTTPException):
            self.statuses.append(0)
        finally:
            connection.close()
