"""expired: what ran out, in the words of many clients, and what expires every day."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from timeline.clock import ClockBound
from timeline.detectors.expired import Expired, ExpiredDetector
from timeline.event import Kind
from timeline.facts.expiries import expiry_told
from timeline.finding import NotEvaluated, Stage
from timeline.order import Verdict

from .findings import findings_of
from .worlds import SECOND, START, World, at, healthy

BEGUN = 1200.0


def found(world: World) -> list[Expired]:
    return findings_of(ExpiredDetector(), world.incident(), Expired)


def only(world: World) -> Expired:
    (finding,) = found(world)
    return finding


def failing(world: World, body: str, *, times: int = 3, actor: str = "shop") -> World:
    for number in range(times):
        world.error(BEGUN + number * 10, actor, f"{body} request_id=e{number}")
    return world


GO = (
    'Post "https://pay.example/charge": tls: failed to verify certificate: x509: certificate has '
    "expired or is not yet valid: current time 2026-03-14T02:20:00Z is after 2026-03-14T02:19:50Z"
)


def test_a_certificate_that_ran_out_is_certain_and_dated() -> None:
    finding = only(failing(healthy(World()), GO))
    assert finding.verdict is Verdict.CERTAIN
    assert (finding.what, finding.peer, finding.services) == (
        "certificate",
        "pay.example",
        ("shop",),
    )
    assert finding.expired_at == at(BEGUN - 10)
    assert finding.sentence() == (
        "The certificate of pay.example has expired: shop met it 3 times from 02:20:00.000 to "
        "02:20:20.000; it ran out at 2026-03-14 02:19:50.000, 10.0 s before that."
    )
    assert finding.clause() == "the certificate of pay.example has expired"
    assert finding.next_action.startswith("Renew the certificate of pay.example")
    assert finding.stage is Stage.TRIGGER


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (
            "requests.exceptions.SSLError: HTTPSConnectionPool(host='api.example', port=443): "
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
            "certificate",
        ),
        (
            "Error: certificate has expired code: 'CERT_HAS_EXPIRED' host: api.example",
            "certificate",
        ),
        (
            "400 invalid_client: rotation is over, secret of 7f3a no longer valid since 2026-03-01",
            "secret",
        ),
        ("the server's certificate for api.example:443 is past its validity", "certificate"),
        ("licence of cluster-1 lapsed on 2026-03-13, writes are refused", "licence"),
        (
            "java.security.cert.CertificateExpiredException: NotAfter: Sat Mar 14 02:00:00 UTC "
            "2026",
            "certificate",
        ),
        ("curl: (60) SSL certificate problem: certificate has expired", "certificate"),
        ("jwt.exceptions.ExpiredSignatureError: Signature has expired for api.example", "token"),
        ("TokenExpiredError: jwt expired calling https://api.example/v1", "token"),
        (
            "botocore.exceptions.ClientError: (ExpiredToken) when calling the PutObject operation "
            "to https://s3.example: The security token included in the request is expired",
            "token",
        ),
        (
            "AADSTS7000222: The provided client secret keys for app 'x' are expired.",
            "secret",
        ),
        ("(1862, 'Your password has expired. To log in you must change it')", "secret"),
        ("license has expired, refusing to start", "licence"),
    ],
)
def test_the_wordings_of_many_clients(body: str, what: str) -> None:
    finding = only(failing(healthy(World()), body))
    assert finding.what == what
    assert finding.verdict is Verdict.CERTAIN


def test_its_own_certificate_is_told_from_the_peers() -> None:
    body = "write to broker.example:5671: remote error: tls: expired certificate"
    finding = only(failing(healthy(World()), body, actor="importer"))
    assert finding.own
    assert "certificate of importer towards broker.example:5671" in finding.clause()
    assert "Renew the certificate of importer" in finding.next_action


def test_words_that_also_mean_not_yet_valid_are_likely() -> None:
    body = "x509: certificate has expired or is not yet valid for api.example"
    assert only(failing(healthy(World()), body)).verdict is Verdict.LIKELY


def test_an_end_after_the_line_means_a_wrong_clock() -> None:
    body = GO.replace("02:19:50Z", "09:00:00Z")
    finding = only(failing(healthy(World()), body))
    assert finding.verdict is Verdict.LIKELY
    assert "one of two clocks is wrong" in finding.weakest_link
    assert "later than the line" in finding.sentence()


def test_services_that_meet_the_same_peer_are_one_story() -> None:
    world = failing(healthy(World()), GO)
    failing(world, GO, actor="billing", times=2)
    finding = only(world)
    assert set(finding.services) == {"shop", "billing"}
    assert finding.times == 5


def test_a_job_that_is_refused_names_the_job() -> None:
    world = healthy(World())
    for number in range(2):
        told = "google.auth.exceptions.RefreshError: invalid_grant: Token has been expired"
        args = f"sheet_id={number}"
        world.job(BEGUN + number, Kind.JOB_FAILED, f"s{number}", args, error=told)
    finding = only(world)
    assert finding.verdict is Verdict.CERTAIN
    assert set(finding.keys) == {"job:s0", "job:s1", "sheet:0", "sheet:1"}


def test_tokens_of_nobody_in_particular_are_possible_when_they_begin_at_once() -> None:
    finding = only(failing(healthy(World()), "401 jwt expired", times=6))
    assert finding.verdict is Verdict.POSSIBLE


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("token is expired by 1m30s", 100 - 90),
        ("jwt expired expiredAt: 2026-03-14T02:00:50.000Z", 50),
        ("JWT expired at 2026-03-14T02:00:50Z. Current time: 2026-03-14T02:01:40Z", 50),
        ("JWT expired 122 milliseconds ago at 2026-03-14T02:00:50Z", 50),
        ("notAfter=Mar 14 02:00:50 2026 GMT", 50),
        ("certificate has expired", None),
        ("NotAfter: Sat Foo 14 02:00:50 UTC 2026", None),
        ("expired at 2026-13-44T02:00:50Z", None),
    ],
)
def test_the_instant_of_expiry_is_read_where_it_stands(text: str, seconds: float | None) -> None:
    told = expiry_told(text, START + 100 * SECOND)
    assert told == (None if seconds is None else at(seconds))


def chatter(*bodies: str) -> Callable[[World], None]:
    def add(world: World) -> None:
        for number, body in enumerate(bodies):
            for again in range(4):
                world.log(BEGUN + number + again * 10, "shop", body, severity=13)

    return add


def users_at_a_steady_rate(world: World) -> None:
    for number in range(100):
        world.log(number * 20, "web", f"401 jwt expired request_id=u{number}", severity=13)


def one_token_renewed(world: World) -> None:
    failing(world, "TokenExpiredError: jwt expired calling https://api.example", times=1)


def told_at_info(world: World) -> None:
    world.log(BEGUN, "web", "certificate has expired banner shown")


@pytest.mark.parametrize(
    "confuser",
    [
        chatter("session expired", "cache entry expired", "lock lease expired", "timeout expired"),
        chatter("purged 12 expired tokens", "token expired, refreshing", "is token expired=false"),
        chatter("x509: certificate is not yet valid: current time A is before B, has expired no"),
        chatter("removing expired certificate of old.example", "execution expired"),
        chatter("validity of the offer is over", "elapsed 3 s", "collapsed 12 spans of a trace"),
        users_at_a_steady_rate,
        one_token_renewed,
        told_at_info,
    ],
)
def test_confusers_stay_silent(confuser: Callable[[World], None]) -> None:
    world = healthy(World())
    confuser(world)
    assert found(world) == []


def test_a_healthy_night_is_silent() -> None:
    assert found(healthy(World())) == []


def test_order_of_arrival_shift_and_clocks() -> None:
    world = failing(healthy(World()), "certificate has expired for api.example")
    first = only(world)
    world.events.reverse()
    assert only(world) == first
    world.bound = ClockBound(SECOND, SECOND, "assumed")
    assert only(world).verdict is first.verdict
    world.shift = 90 * SECOND
    assert only(world).began == first.began + 90 * SECOND


def test_needs_a_log_or_a_queue() -> None:
    world = World()
    world.row(3, "users", 1)
    assert isinstance(ExpiredDetector().detect(world.incident()), NotEvaluated)
