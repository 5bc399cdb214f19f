"""Lines that drag others behind them: traces of sixty frames, PHP's pool, nginx's error log.

The same refusals come all day at one rate: part of the noise of a service in good health.
"""

from __future__ import annotations

from bench.strange.shape import Moment, Sample, Shape

FRAMES = 60
EVERY = 40
"""One record in so many has a trace."""


def _java(at: Moment) -> str:
    clock = f"{at.text('%Y-%m-%d %H:%M:%S')},{at.when.microsecond // 1000:03d}"
    thread = f"[http-nio-8080-exec-{at.below(200)}]"
    if at.number % EVERY:
        return f"{clock} INFO  {thread} o.e.shop.BasketResource - basket {at.uuid()} was saved"
    said = f"quantity {at.below(9_000)} of article {at.below(900_000)} is more than may be ordered"
    frames = (
        f"\tat org.example.shop.layer{n}.Handler{at.below(90)}.invoke(Handler.java:{at.below(900)})"
        for n in range(FRAMES)
    )
    head = f"{clock} WARN  {thread} o.e.shop.OrderResource - order was refused"
    cause = f"org.example.shop.ValidationException: {said}"
    return "\n".join([head, cause, *frames])


def _php(at: Moment) -> str:
    stamp = at.text("%d-%b-%Y %H:%M:%S")
    return (
        f"[{stamp}] {at.one_of('NOTICE', 'NOTICE', 'WARNING')}: [pool www] child"
        f" {at.below(30_000)} exited with code 0 after {at.below(90_000) / 100:.6f} seconds"
        " from start"
    )


def _nginx_error(at: Moment) -> str:
    wanted = f"/srv/www/assets/{at.id()}/{at.one_of('icon', 'map', 'font')}.{at.below(90)}.js"
    return (
        f"{at.text('%Y/%m/%d %H:%M:%S')} [{at.one_of('error', 'info', 'notice')}] {at.below(8)}#0:"
        f' *{at.number} open() "{wanted}" failed (2: No such file or directory), client:'
        f' {at.address()}, server: www.example.org, request: "GET /assets/{at.id()} HTTP/1.1",'
        f' host: "www.example.org"'
    )


def _rails(at: Moment) -> str:
    request = at.uuid()
    tags = f"[{request}] [u{at.below(90_000)}] [{at.address()}]"
    told = at.one_of(
        f'Started PATCH "/orders/{at.below(900_000)}" for {at.address()} at {at.iso}',
        "Processing by OrdersController#update as JSON",
        f'  Order Load (0.{at.below(9)}ms)  SELECT "orders".* FROM "orders" WHERE id = {at.number}',
        f"Completed 200 OK in {at.below(400)}ms (Views: 0.{at.below(9)}ms | ActiveRecord: 3.1ms)",
    )
    clock = at.text("%Y-%m-%dT%H:%M:%S.%f")
    return f"I, [{clock} #{at.below(9)}]  INFO -- : {tags} {told}"


def _gc(at: Moment) -> str:
    before = 400 + at.below(300)
    after = before - 200 - at.below(100)
    return (
        f"[{at.text('%Y-%m-%dT%H:%M:%S')}.{at.when.microsecond // 1000:03d}+0000]"
        f"[{at.number}.{at.below(999):03d}s][info][gc] GC({at.number}) Pause Young (Normal)"
        f" (G1 Evacuation Pause) {before}M->{after}M(1024M) {at.below(9)}.{at.below(999):03d}ms"
    )


SHAPES = (
    Shape("java-traces", _java, Sample(frozenset([9, 13]))),
    Shape("php-fpm", _php, Sample(frozenset([10, 13]))),
    Shape("nginx-error", _nginx_error, Sample(frozenset([17, 9, 10]))),
    Shape("rails-tagged", _rails, Sample(frozenset([9]))),
    Shape("jvm-gc", _gc, Sample(frozenset([9]))),
)
