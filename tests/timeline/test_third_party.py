"""third-party: one outside host that throttles or fails; own servers and usual noise are silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.third_party import ThirdParty, ThirdPartyDetector
from timeline.event import Kind
from timeline.facts.outside import FAILING, THROTTLED, UNREACHABLE
from timeline.finding import NotEvaluated
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, World, healthy

BEGUN = 1500.0
REQUESTS_429 = (
    "requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: "
    "https://api.mailgate.io/v3/send"
)


def found(world: World) -> list[ThirdParty]:
    return findings_of(ThirdPartyDetector(), world.incident(), ThirdParty)


def only(world: World) -> ThirdParty:
    (finding,) = found(world)
    return finding


def burst(world: World, body: str = REQUESTS_429, count: int = 8, begin: float = BEGUN) -> World:
    for number in range(count):
        world.error(begin + number * 3, "mailer", f"{body} request_id=t{begin:.0f}{number}")
    return world


@pytest.mark.parametrize(
    ("body", "host", "how"),
    [
        (REQUESTS_429, "api.mailgate.io", THROTTLED),
        ("POST https://hooks.chatty.com/services/x returned 503 Service Unavailable",
         "hooks.chatty.com", FAILING),
        ("Faraday::ServerError: the server responded with status 500 for "
         "https://api.payments.co.uk/charges", "api.payments.co.uk", FAILING),
        ("rate limit exceeded calling https://maps.geo.dev/geocode", "maps.geo.dev", THROTTLED),
        ("HTTPSConnectionPool(host='api.mailgate.io', port=443): Read timed out. (read timeout=10)",
         "api.mailgate.io", UNREACHABLE),
        ("AxiosError: Request failed with status code 502 https://sms.telco.net/v1",
         "sms.telco.net", FAILING),
        ("ky.HTTPError: Client error '429' at https://print.papier.ch/jobs", "print.papier.ch",
         THROTTLED),
        ("upstream_error(503, \"https://sign.trust.eu/envelopes\")", "sign.trust.eu", FAILING),
        ("unexpected answer 529 by https://llm.words.ai/v1/complete", "llm.words.ai", FAILING),
        ("Der Dienst antwortete mit 503: https://bank.giro.de/zahlung", "bank.giro.de", FAILING),
        ("POST https://tax.rates.us/quote -> 502", "tax.rates.us", FAILING),
        ("the server responded with status 503 (GET labels.parcel.co/v2/labels)",
         "labels.parcel.co", FAILING),
    ],
)  # fmt: skip
def test_any_clients_words_name_the_host_and_what_it_did(body: str, host: str, how: str) -> None:
    finding = only(burst(healthy(World()), body))
    assert (finding.host, finding.how, finding.errors) == (host, how, 8)
    assert finding.verdict is (Verdict.LIKELY if how == UNREACHABLE else Verdict.CERTAIN)
    assert "request:t15000" in finding.keys


def test_the_sentence_is_told_from_the_evidence() -> None:
    world = burst(healthy(World()), f"{REQUESTS_429} Retry-After: 120")
    finding = only(world)
    assert finding.sentence() == (
        "8 calls of mailer to api.mailgate.io were throttled from 02:25:00.000 to 02:25:21.000 "
        "(8 × 429); it asked to wait 2 min."
    )
    assert finding.clause() == "8 calls to api.mailgate.io were throttled"
    assert finding.next_action.startswith("Hold back what calls api.mailgate.io for 2 min")


def test_failed_jobs_count_too() -> None:
    world = healthy(World())
    for number in range(6):
        job = f"q{number}"
        body = "503 Server Error: Service Unavailable for url: https://api.mailgate.io/v3"
        world.job(BEGUN + number, Kind.JOB_STARTED, job)
        world.job(BEGUN + number + 0.5, Kind.JOB_FAILED, job, error=body)
    finding = only(world)
    assert finding.errors == 6
    assert "job:q5" in finding.keys


def test_where_every_way_out_fails_the_host_is_only_a_sign() -> None:
    world = burst(healthy(World()), "connect timed out: https://api.mailgate.io/v3: "
                  "net/http: TLS handshake timeout")  # fmt: skip
    for host in ("api.payments.co.uk", "maps.geo.dev"):
        burst(world, f"Get https://{host}/x: net/http: TLS handshake timeout", begin=BEGUN + 1)
    assert all(one.qualifier for one in found(world))


def test_what_queue_and_log_tell_of_one_failure_is_one_call() -> None:
    world = healthy(World())
    body = "tax office answered 503: https://einvoice.state.gov/submit"
    for number in range(6):
        begun, job = BEGUN + number * 4, f"q{number}"
        world.job(begun, Kind.JOB_STARTED, job)
        world.error(begun + 0.4, "biller", f"{body} job_id={job}")
        world.job(begun + 0.5, Kind.JOB_FAILED, job, error=body)
    finding = only(world)
    assert (finding.errors, finding.services) == (6, ("biller",))


def test_where_other_names_are_not_found_either_the_resolver_is_likelier() -> None:
    world = burst(healthy(World()), "dial tcp: lookup api.mailgate.io on 10.0.0.2:53: no such host")
    assert not only(world).qualifier
    world.error(BEGUN + 2, "web", "getaddrinfo ENOTFOUND orders-db.svc.cluster.local")
    assert only(world).qualifier


def a_few_jobs_that_try_again(world: World) -> None:
    for number in range(3):
        for attempt in range(4):
            world.error(BEGUN + number * 5 + attempt * 9, "mailer",
                        f"{REQUESTS_429} job_id=again{number}")  # fmt: skip


def own_access_lines(world: World) -> None:
    for number in range(12):
        world.log(BEGUN + number, "nginx", '10.0.0.9 "GET /cart HTTP/1.1" 503 197 '
                  '"https://www.ourshop.com/" "Mozilla/5.0"', severity=0)  # fmt: skip


def an_own_service(world: World) -> None:
    for number in range(12):
        world.error(
            BEGUN + number, "web", "503 Server Error for url: http://stock.svc.cluster.local"
        )
        world.error(BEGUN + number, "web", "502 Bad Gateway from http://10.0.4.3:8080/x")


def a_host_that_writes_logs_here(world: World) -> None:
    world.log(100, "billing", "ready")
    burst(world, "503 Server Error for url: https://billing.ourshop.com/x")


def an_own_database_at_a_cloud(world: World) -> None:
    host = "shop.cx1.eu-west-1.rds.amazonaws.com"
    burst(world, f'connection to server at "{host}", port 5432 failed: Connection timed out')


def a_few(world: World) -> None:
    burst(world, count=3)


def a_webhook_that_always_fails(world: World) -> None:
    for number in range(400):
        world.error(2 + number * 5, "hooks", "POST https://dead.customer.com/h returned 500")


def throttled_now_and_then_all_night(world: World) -> None:
    for number in range(60):
        world.error(5 + number * 34.0 + number * 13 % 17, "mailer", REQUESTS_429)


def successes(world: World) -> None:
    for number in range(20):
        world.log(BEGUN + number, "mailer", "POST https://api.mailgate.io/v3 returned 200")


@pytest.mark.parametrize(
    "confuser",
    [
        a_few_jobs_that_try_again,
        own_access_lines,
        an_own_service,
        a_host_that_writes_logs_here,
        an_own_database_at_a_cloud,
        a_few,
        a_webhook_that_always_fails,
        throttled_now_and_then_all_night,
        successes,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_order_of_arrival_and_unrelated_lines_change_nothing() -> None:
    plain, mixed = only(burst(healthy(World()))), burst(healthy(World()))
    mixed.events.reverse()
    mixed.log(BEGUN, "search", "refresh done")
    assert only(mixed).sentence() == plain.sentence()


def test_shifting_all_stamps_moves_times_only() -> None:
    here, world = only(burst(healthy(World()))), burst(healthy(World()))
    world.shift = 3600 * SECOND
    there = only(world)
    assert there.began - here.began == 3600 * SECOND
    assert (there.errors, there.statuses) == (here.errors, here.statuses)


def test_wider_clock_bounds_never_upgrade() -> None:
    world = burst(healthy(World()))
    world.bound = ClockBound(5 * SECOND, 5 * SECOND)
    assert only(world).verdict is Verdict.CERTAIN  # a count of one host's answers needs no order


def test_needs_logs() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(ThirdPartyDetector().detect(world.incident()), NotEvaluated)


@pytest.mark.parametrize(
    "body",
    [
        "slow answer: 503 ms from https://api.mailgate.io/v3/send",
        "got 512 bytes from https://api.mailgate.io/v3/send, will read on",
        "Server error '503' for url 'https://billing.shop.internal/charge'",
        "status 503 in lib/mailer.rb/deliver, com.shop.mail/Sender.send",
        "status 503: at github.com/shop/mailer/client.go",
    ],
)
def test_numbers_files_packages_and_own_hosts_are_no_outside_status(body: str) -> None:
    assert found(burst(healthy(World()), body)) == []


def test_what_else_is_told_of_the_same_job_went_nowhere_else() -> None:
    world = burst(healthy(World()))
    for number in range(12):
        words = f"handler gave up: status 502 request_id=t{BEGUN:.0f}{number % 8}"
        world.error(BEGUN + number * 2 + 0.3, "mailer", words)
    finding = only(world)
    assert (finding.others, finding.qualifier) == (0, False)


def test_failing_calls_of_other_work_still_count_as_elsewhere() -> None:
    world = burst(healthy(World()))
    for number in range(12):
        world.error(BEGUN + number * 1.5, "web", f"status 502 request_id=other{number}")
    assert only(world).others == 12


@pytest.mark.parametrize(
    ("jobs", "tries", "verdict"),
    [(6, 3, Verdict.POSSIBLE), (6, 1, Verdict.CERTAIN), (12, 3, Verdict.CERTAIN)],
)
def test_tries_of_a_few_jobs_say_little(jobs: int, tries: int, verdict: Verdict) -> None:
    """The tries of one job are no witnesses independent of each other."""
    world = healthy(World())
    for number in range(jobs * tries):
        world.error(BEGUN + number * 3, "mailer", f"{REQUESTS_429} job_id=m{number % jobs}")
    finding = only(world)
    assert finding.errors == jobs * tries
    assert finding.verdict is verdict
    assert ("retries are for" in finding.weakest_link) is (verdict is Verdict.POSSIBLE)
