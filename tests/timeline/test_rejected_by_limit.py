"""rejected-by-limit: size and token, told by status, by words and by size alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.refused_requests import (
    BODY,
    FIELDS,
    HEADER,
    TOKEN,
    URL,
    RejectedByLimit,
)
from timeline.detectors.rejected_by_limit import RejectedByLimitDetector
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, at, healthy

INSIDE = "10.0.4.17"
PUBLIC = "93.184.216.34"
FAIL = 1500.0


def found(world: World) -> list[RejectedByLimit]:
    return findings_of(RejectedByLimitDetector(), world.incident(), RejectedByLimit)


def only(world: World) -> RejectedByLimit:
    (finding,) = found(world)
    return finding


def access(
    world: World,
    seconds: float,
    target: str,
    status: int,
    *,
    method: str = "GET",
    client: str = INSIDE,
    actor: str = "users",
) -> None:
    """A line of the combined log format as the log connector hands it on."""
    body = f'{client} "{method} {target} HTTP/1.1" {status} 177 "-" "batch/1.4"'
    world.log(seconds, actor, body, severity=0, source="access.log")


def ids(count: int) -> str:
    return ",".join(str(40_000 + number) for number in range(count))


def friday(world: World) -> World:
    """Hundreds of ids pass, thousands do not."""
    for number in range(8):
        access(world, 60 + number * 90, f"/users?ids={ids(200 + number * 20)}", 200)
    for number in range(3):
        access(world, FAIL + number, f"/users?ids={ids(1500 + number)}", 414)
    return world


def test_a_request_line_too_long_to_be_read_is_told_by_its_status_alone() -> None:
    world = World()
    world.log(FAIL, "office", "code 414, message Request-URI Too Long")
    world.log(FAIL, "office", '"" 414 -', severity=13)
    world.log(FAIL + 60, "office", '"" 400 -', severity=13)
    finding = only(world)
    assert (finding.what, finding.failures) == (URL, 1)
    assert finding.sentence().startswith("Office refused 1 request at 02:25:00.000 because the URL")


def test_a_url_that_grew_too_long_is_bracketed() -> None:
    finding = only(friday(World()))
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.what, finding.route, finding.statuses) == (URL, "/users", (414,))
    assert (finding.failures, finding.successes) == (3, 8)
    assert finding.largest_success == len(f"/users?ids={ids(340)}")
    assert finding.smallest_failure == len(f"/users?ids={ids(1500)}")
    assert finding.sentence() == (
        "Users refused 3 requests on /users from 02:25:00.000 to 02:25:02.000 with 414 because "
        "the URL was too large; 2050 bytes still passed and 9010 did not."
    )
    assert finding.next_action.startswith("Send what was refused to /users in smaller parts")


def test_the_post_that_replaces_it_and_is_refused_names_what_came_before() -> None:
    world = friday(World())
    words = "Forbidden (CSRF token missing.): /users"
    world.log(FAIL + 300, "users", words, severity=13)
    access(world, FAIL + 300.01, "/users", 403, method="POST")
    size, token = found(world)
    assert size.what == URL
    assert token.what == TOKEN
    assert token.verdict is Verdict.CERTAIN
    assert (token.statuses, token.methods, token.after) == ((403,), ("POST",), "GET")
    assert "check against forged requests" in token.sentence()
    assert token.sentence().endswith("; GET had been refused there for its size before.")
    assert "Put the security token into the request to /users" in token.next_action


def test_without_the_words_a_forbidden_successor_is_only_possible() -> None:
    world = friday(World())
    access(world, FAIL + 300, "/users", 403, method="POST")
    _, token = found(world)
    assert token.what == TOKEN
    assert token.verdict is Verdict.POSSIBLE


@pytest.mark.parametrize(
    ("words", "what", "size", "limit"),
    [
        ("*9 client intended to send too large body: 2097153 bytes", BODY, 2097153, ""),
        (
            "400 response from https://stock/bulk: Request Header Or Cookie Too Large",
            HEADER,
            None,
            "",
        ),
        ("invalid request block size: 21327 (max 4096)...skip", HEADER, 21327, "4096"),
        ("HTTP element REQUEST_PATH is longer than the (2048) allowed length", URL, None, "2048"),
        ("io.netty.handler.codec.http: HTTP line is larger than 4096 bytes.", URL, None, "4096"),
        (
            "Microsoft.AspNetCore: Request body too large. The max request body size is 30000000 "
            "bytes.",
            BODY,
            None,
            "30000000",
        ),
        ("aiohttp: Maximum request body size 1048576 exceeded", BODY, None, "1048576"),
        (
            "rpc error: received message larger than max (5242887 vs. 4194304)",
            "message",
            5242887,
            "4194304",
        ),
        (
            "PSQLException: PreparedStatement can have at most 65,535 parameters",
            FIELDS,
            None,
            "65,535",
        ),
        ("ORA-01795: maximum number of expressions in a list is 1000", FIELDS, None, "1000"),
        ("[WARNING] Invalid request: Request Line is too large (9013 > 4094)", URL, 9013, "4094"),
        (
            "django.core.exceptions.TooManyFieldsSent: The number of GET/POST parameters exceeded "
            "settings.DATA_UPLOAD_MAX_NUMBER_FIELDS.",
            FIELDS,
            None,
            "DATA_UPLOAD_MAX_NUMBER_FIELDS",
        ),
        (
            "PHP Warning: POST Content-Length of 9000000 bytes exceeds the limit of 8388608 bytes",
            BODY,
            9000000,
            "8388608",
        ),
        ("PHP Warning: Unknown: Input variables exceeded 1000.", FIELDS, None, "1000"),
        (
            "PacketTooBigException: Packet for query is too large (5,767,168 > 4,194,304)",
            "packet",
            5767168,
            "4,194,304",
        ),
    ],
)
def test_the_servers_own_words_name_size_and_limit(
    words: str, what: str, size: int | None, limit: str
) -> None:
    world = healthy(World())
    world.error(FAIL, "importer", words)
    world.error(FAIL + 60, "importer", words)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.what, finding.smallest_failure, finding.known_limit) == (what, size, limit)
    assert finding.failures == 2


def test_words_and_status_of_one_request_are_one_refusal() -> None:
    world = World()
    words = (
        "*9 client intended to send too large body: 2097153 bytes, client: 10.0.4.17, server: _, "
        'request: "POST /imports/77 HTTP/1.1", host: "shop"'
    )
    world.error(FAIL, "users", words)
    access(world, FAIL + 0.01, "/imports/77", 413, method="POST")
    finding = only(world)
    assert (finding.route, finding.failures) == ("/imports/:id", 1)


def structured(world: World, seconds: float, status: int, size: int, path: str = "/batch") -> None:
    """A request as an index of structured logs keeps it."""
    told = {
        "http.response.status_code": str(status),
        "url.path": path,
        "http.request.method": "POST",
        "http.request.body.size": str(size),
    }
    world.log(seconds, "orders", "request completed", attributes=told, source="elastic")


def test_size_alone_parts_what_failed_from_what_passed() -> None:
    world = World()
    for number in range(7):
        structured(world, 100 + number * 50, 202, 10_000 + number)
    for number in range(3):
        structured(world, FAIL + number, 400, 90_000 + number)
    finding = only(world)
    assert finding.verdict is Verdict.LIKELY
    assert (finding.largest_success, finding.smallest_failure) == (10_006, 90_000)
    assert "size alone" in finding.weakest_link


def mixed_sizes(world: World) -> None:
    """Validation errors of single users."""
    for number in range(20):
        structured(world, 100 + number * 50, 202, 500 + number * 37)
        structured(world, 110 + number * 50, 422, 480 + number * 41)


def a_scanner(world: World) -> None:
    access(world, FAIL, f"/cgi-bin/{'A' * 9000}", 414, client=PUBLIC)
    for number in range(60):
        access(world, FAIL + number, f"/wp-{number}-login", 403, client=PUBLIC)


def expired_sessions(world: World) -> None:
    for number in range(4):
        world.log(200 + number * 400, "users", "Forbidden (CSRF token missing.): /login",
                  severity=13)  # fmt: skip
        access(world, 200.01 + number * 400, "/login", 403, method="POST", client=PUBLIC)
        access(world, 230 + number * 400, "/login", 302, method="POST", client=PUBLIC)


def forbidden_for_other_reasons(world: World) -> None:
    for number in range(9):
        access(world, 200 + number * 100, "/admin", 403, method="POST")


def talk_about_limits(world: World) -> None:
    world.log(FAIL, "docs", "page 'Request Line is too large' was viewed")


def tokens_that_are_well(world: World) -> None:
    for number, words in enumerate(
        ("CSRF token rotated for session", "csrf cookie set", "csrf protection enabled",
         "antiforgery keys loaded", "upload limit is 10 MB", "larger than usual batch")
    ):  # fmt: skip
        for again in range(3):
            world.log(FAIL + number * 10 + again, "users", words, severity=13)


@pytest.mark.parametrize(
    "words",
    [
        "Plug.CSRFProtection.InvalidCSRFTokenError: invalid CSRF (Cross Site Request) token",
        "The CSRF token is invalid. Please try to resubmit the form.",
        "AntiforgeryValidationException: The required antiforgery cookie is not present.",
        "403 Forbidden: missing XSRF token",
        "Bad CSRF token!",
        "CSRF token from POST incorrect",
    ],
)
def test_any_frameworks_words_name_a_missing_token(words: str) -> None:
    world = healthy(World())
    for again in range(3):
        world.error(FAIL + again * 20, "forms", f"POST /transfers {words}")
        access(world, FAIL + again * 20 + 0.1, "/transfers", 403, method="POST")
    assert only(world).what == TOKEN


@pytest.mark.parametrize(
    "confuser",
    [
        mixed_sizes,
        a_scanner,
        expired_sessions,
        forbidden_for_other_reasons,
        talk_about_limits,
        tokens_that_are_well,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = World()
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain, mixed = only(friday(World())), friday(World())
    mixed.events.reverse()
    access(mixed, FAIL, "/health", 200)
    assert only(mixed).sentence() == plain.sentence()


def test_shifting_all_stamps_moves_times_only() -> None:
    here, there = only(friday(World())), only(friday(World(shift=3600 * SECOND)))
    assert (here.began, there.began) == (at(FAIL), at(FAIL) + 3600 * SECOND)
    assert there.smallest_failure == here.smallest_failure


def test_wider_clock_bounds_never_upgrade() -> None:
    world = friday(World(bound=ClockBound(5 * SECOND, 5 * SECOND)))
    access(world, FAIL + 300, "/users", 403, method="POST")
    assert [one.verdict for one in found(world)] == [Verdict.CERTAIN, Verdict.POSSIBLE]


def test_needs_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(RejectedByLimitDetector().detect(world.incident()), NotEvaluated)
