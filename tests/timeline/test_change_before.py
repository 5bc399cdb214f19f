"""change-before: coincidences with their base rate, changes proved guilty, stale builds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest

from timeline.clock import ClockBound
from timeline.detectors.change_before import ChangeBeforeDetector
from timeline.detectors.change_findings import ChangeBefore, GuiltyChange, StaleBuild
from timeline.event import Event, Kind, Lane, Meaning
from timeline.facts.instances import fisher
from timeline.finding import Finding, NotEvaluated, Stage
from timeline.order import Verdict, at_least

from .worlds import SECOND, World, at, healthy

DEPLOY, BOOT, FAIL = 1375.0, 1380.0, 1440.0
V412 = "deploy of checkout v412 by ann: success"


def found(world: World) -> list[Finding]:
    result = ChangeBeforeDetector().detect(world.incident())
    assert not isinstance(result, NotEvaluated)
    return list(result)


def fleet(
    world: World,
    count: int,
    *,
    booted: Iterable[int] = (),
    failing: Iterable[int] = (),
    name: str = "checkout",
    hosts: bool = False,
) -> World:
    """Instances that serve carts; some start anew, some fail from `FAIL` on."""
    rng = random.Random(count)

    def say(number: int, seconds: float, body: str, severity: int = 9) -> None:
        actor, clock = (name, f"host-{number}") if hosts else (f"{name}-{number}", "")
        world.log(seconds, actor, body, severity=severity, source=f"{name}.log", clock=clock)

    for number in range(count):
        for cart in range(100):
            say(number, rng.uniform(0, 2100), f"GET /cart/{cart} 200")
    for number in booted:
        say(number, BOOT + number, "Listening on http://0.0.0.0:8080 version v412")
    for number in failing:
        for cart in range(20):
            say(number, FAIL + rng.uniform(0, 60), f"TypeError: cart {cart} undefined", 17)
    return world


def deployed(
    world: World,
    seconds: float = DEPLOY,
    body: str = V412,
    *,
    service: str = "checkout",
    failed: bool = False,
    ref: str = "",
    version: str = "v412",
    lane: Lane = Lane.CHANGE,
) -> World:
    """A change as the connectors for deployment tables and forges tell it."""
    event = world.change(seconds, body)
    world.events.remove(event)
    told = {"version": version, "who": "ann", "status": "failed" if failed else "success"}
    world.events.append(
        replace(
            event,
            lane=lane,
            kind=Kind.NOTE if lane is Lane.NOTE else Kind.CHANGE,
            source="notes" if lane is Lane.NOTE else "deploys",
            actor=service,
            ref=ref or event.ref,
            severity_number=17 if failed else 0,
            attributes=json.dumps(told),
        )
    )
    return world


def test_changed_instances_that_alone_fail_prove_the_change_guilty() -> None:
    world = deployed(fleet(World(), 10, booted=range(5), failing=range(5)))
    (finding,) = found(world)
    assert isinstance(finding, GuiltyChange)
    assert finding.stage is Stage.TRIGGER
    assert finding.verdict is Verdict.LIKELY
    assert not finding.qualifier
    assert finding.failing == tuple(f"checkout-{n}" for n in range(5))
    assert finding.spared == tuple(f"checkout-{n}" for n in range(5, 10))
    assert finding.chance == pytest.approx(1 / 252)
    assert "5 of 5 changed instances fail" in finding.sentence()
    assert "none of the 5 others" in finding.sentence()
    assert finding.next_action.startswith("Roll checkout back")
    assert finding.steps[0].role == "change"
    assert finding.steps[-1].role == "first error"


def test_hosts_tell_instances_apart_where_all_share_a_name() -> None:
    world = deployed(fleet(World(), 10, booted=range(5), failing=range(5), hosts=True))
    (finding,) = found(world)
    assert isinstance(finding, GuiltyChange)
    assert finding.failing == tuple(f"host-{n}" for n in range(5))


def test_starts_alone_tell_of_a_change_nobody_recorded() -> None:
    (finding,) = found(fleet(World(), 10, booted=range(5), failing=range(5)))
    assert isinstance(finding, GuiltyChange)
    assert (finding.what, finding.version, finding.change_row) == ("restart", "v412", -1)


def test_four_instances_are_too_few_to_be_likely() -> None:
    world = deployed(fleet(World(), 4, booted=(0, 1), failing=(0, 1)))
    (finding,) = found(world)
    assert isinstance(finding, GuiltyChange)
    assert finding.verdict is Verdict.POSSIBLE
    assert "too few" in finding.weakest_link


def test_a_log_that_was_cut_may_hide_a_start() -> None:
    world = deployed(fleet(World(), 10, booted=range(5), failing=range(5)))
    world.blind("checkout.log", BOOT, BOOT + 20)
    (finding,) = found(world)
    assert isinstance(finding, GuiltyChange)
    assert finding.verdict is Verdict.POSSIBLE


def test_where_unchanged_instances_fail_too_the_change_stays_innocent() -> None:
    world = deployed(fleet(World(), 10, booted=range(5), failing=range(10)))
    (finding,) = found(world)
    assert isinstance(finding, ChangeBefore)
    assert finding.stage is Stage.CONTEXT


def test_where_other_instances_fail_the_change_stays_innocent() -> None:
    world = deployed(fleet(World(), 10, booted=range(5), failing=range(5, 10)))
    (finding,) = found(world)
    assert isinstance(finding, ChangeBefore)


def test_a_change_of_the_failing_service_coincides_and_prints_its_base_rate() -> None:
    (finding,) = found(deployed(fleet(World(), 4, failing=range(4))))
    assert isinstance(finding, ChangeBefore)
    assert finding.verdict is Verdict.LIKELY
    assert not finding.qualifier
    assert (finding.what, finding.service, finding.who) == ("deploy", "checkout", "ann")
    assert finding.base.changes == 1
    assert "the only change in the 35 min that were read" in finding.sentence()
    assert "coincides" in finding.weakest_link


@pytest.mark.parametrize(("gap", "verdict"), [(60.0, Verdict.LIKELY), (480.0, Verdict.POSSIBLE)])
def test_a_change_as_near_as_one_often_stands_is_only_possible(
    gap: float, verdict: Verdict
) -> None:
    (finding,) = found(deployed(fleet(World(), 4, failing=range(4)), FAIL - gap))
    assert isinstance(finding, ChangeBefore)
    assert finding.verdict is verdict
    assert finding.base.share == pytest.approx(gap / 2100, abs=0.01)


def somebody_else_fails_first(world: World) -> World:
    """Clients of the proxy hang up: its errors rise some minutes before the deploy."""
    for number in range(8):
        world.error(900 + 3 * number, "edge", "client closed request 499")
    return world


def test_a_change_is_judged_by_the_errors_of_its_own_service() -> None:
    world = deployed(somebody_else_fails_first(fleet(World(), 4, failing=range(4))))
    (finding,) = found(world)
    assert isinstance(finding, ChangeBefore)
    assert (finding.service, finding.verdict) == ("checkout", Verdict.LIKELY)
    assert finding.onset >= at(FAIL)


def test_a_service_that_fails_no_more_than_before_acquits_its_change() -> None:
    world = deployed(somebody_else_fails_first(fleet(World(), 4)))
    for number in range(120):
        world.error(number * 17.0, "checkout-1", "cannot parse agent", source="checkout-1.log")
    assert not [one for one in found(world) if not one.qualifier]


def test_a_deployment_that_is_told_twice_is_one() -> None:
    world = fleet(World(), 4, failing=range(4))
    deployed(world, DEPLOY - 60, "deployment of main 0a1b2c to prod: begun")
    deployed(world, DEPLOY, "deployment of main 0a1b2c to prod: success")
    (finding,) = found(world)
    assert isinstance(finding, ChangeBefore)
    assert "success" in finding.body
    failed = fleet(World(), 4, failing=range(4))
    deployed(failed, DEPLOY - 60, "deployment of main 0a1b2c to prod: begun")
    deployed(failed, DEPLOY, "deployment of main 0a1b2c to prod: failed", failed=True)
    assert not found(failed)


def test_continuous_deployment_makes_one_more_deploy_say_nothing() -> None:
    world = fleet(World(), 4, failing=range(4))
    for number in range(25):
        body = f"deploy of checkout v{number}: success"
        deployed(world, 60 + number * 70, body, version=f"v{number}")
    told = found(world)
    assert told
    assert all(finding.qualifier for finding in told)
    assert all(finding.verdict is Verdict.POSSIBLE for finding in told)


def test_a_change_of_another_service_only_colours() -> None:
    world = fleet(World(), 4, failing=range(4))
    (finding,) = found(deployed(world, body="deploy of search v9: success", service="search"))
    assert finding.qualifier
    assert finding.verdict is Verdict.POSSIBLE


def test_a_commit_is_no_deployment() -> None:
    world = fleet(World(), 4, failing=range(4))
    (finding,) = found(
        deployed(world, body="commit 0a1b2c3d4e5f by ann: checkout: new cart", ref="commit/0a1b")
    )
    assert finding.qualifier
    assert isinstance(finding, ChangeBefore)
    assert finding.what == "commit"


@pytest.mark.parametrize("seconds", [FAIL + 90, 1900.0])
def test_a_change_after_the_errors_began_is_none_before(seconds: float) -> None:
    assert not found(deployed(fleet(World(), 4, failing=range(4)), seconds))


def test_restarts_that_follow_the_errors_are_not_their_cause() -> None:
    world = fleet(World(), 10, failing=range(5))
    for number in range(5):
        body = "Listening on http://0.0.0.0:8080"
        world.log(FAIL + 70, f"checkout-{number}", body, source="checkout.log")
    world.change(10, "deploy of search v1")
    assert not [f for f in found(world) if isinstance(f, GuiltyChange)]


def test_a_healthy_night_with_a_deploy_is_silent() -> None:
    assert not found(deployed(fleet(World(), 10, booted=range(5))))
    assert not found(deployed(healthy(World())))


def test_a_failed_deploy_changed_nothing() -> None:
    assert not found(deployed(fleet(World(), 4, failing=range(4)), failed=True))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("restarted checkout on both hosts", "restart"),
        ("paused mailers, checkout is slow", "pause or resume"),
        ("enabled the new_cart flag for checkout", "configuration change"),
        ("fixed three checkout rows by hand", "manual change"),
        ("ran the checkout migration", "migration"),
    ],
)
def test_notes_of_what_people_did_are_changes(text: str, what: str) -> None:
    world = fleet(World(), 4, failing=range(4))
    (finding,) = found(deployed(world, body=text, service="", lane=Lane.NOTE))
    assert isinstance(finding, ChangeBefore)
    assert (finding.what, finding.service) == (what, "checkout")
    assert finding.noted
    assert finding.verdict in (Verdict.POSSIBLE, Verdict.LIKELY)
    assert "by a person's note" in finding.sentence()
    assert "a person's word" in finding.weakest_link


def test_a_recorded_change_is_no_persons_word() -> None:
    (finding,) = found(deployed(fleet(World(), 4, failing=range(4))))
    assert isinstance(finding, ChangeBefore)
    assert not finding.noted
    assert "person" not in finding.sentence() + finding.weakest_link


@pytest.mark.parametrize(
    "text",
    [
        "shall we restart checkout?",
        "will deploy checkout later",
        "restart of checkout didn't help",
        "don't restart checkout",
        "checkout restarted by itself",
        "looks like the configuration of checkout",
    ],
)
def test_plans_and_questions_are_not(text: str) -> None:
    world = deployed(fleet(World(), 4, failing=range(4)), body=text, service="", lane=Lane.NOTE)
    assert not found(world)


def audited(world: World, count: int, *, bare: float | None) -> World:
    """Row versions of an audit table that names the request, and one that does not."""
    stamps = [(100 + 50 * number, f"r{number}") for number in range(count)]
    for number, (seconds, request) in enumerate([*stamps, *([(bare, "")] if bare else [])]):
        told = {"tool": "audited", "audit_table": "audits", "table": "checkout", "pk": number}
        keys = [f"row:checkout/{number}", f"checkout:{number}"]
        world.events.append(
            Event(
                timestamp=at(seconds),
                source="postgres",
                lane=Lane.DATABASE,
                kind=Kind.ROW_VERSION,
                body=f"checkout/{number} updated: state open → paid (audited)",
                ref=f"audits/{number}",
                seq=number + 1,
                actor="audits",
                meaning=Meaning.TRANSACTION_START,
                keys=tuple(keys + ([f"request:{request}"] if request else [])),
                attributes=json.dumps({**told, "request_id": request, "actor": ""}),
            )
        )
    return world


def test_a_row_written_by_nobodys_code_is_a_manual_change() -> None:
    world = audited(fleet(World(), 4, failing=range(4)), 20, bare=1400.0)
    (finding,) = found(world)
    assert isinstance(finding, ChangeBefore)
    assert finding.what == "manual change"
    assert "checkout/20 updated" in finding.sentence()


def test_a_row_whose_writer_speaks_in_the_log_was_written_by_code() -> None:
    world = audited(fleet(World(), 4, failing=range(4)), 20, bare=1400.0)
    world.log(1401, "checkout-1", "settled checkout", keys=("checkout:20",), source="checkout.log")
    world.change(10, "deploy of search v1")
    assert not [f for f in found(world) if isinstance(f, ChangeBefore) and f.what.startswith("man")]


def test_deploys_that_keep_failing_leave_an_old_version_running() -> None:
    world = healthy(World())
    deployed(world, 60, "deploy of shop v1: success", service="shop", version="v1")
    for number in range(3):
        told = {"service": "shop", "version": f"v{2 + number}"}
        deployed(world, 290 + 300 * number, "deploy of shop: begun", **told)  # type: ignore[arg-type]
        deployed(world, 300 + 300 * number, "deploy of shop: failed", failed=True, **told)  # type: ignore[arg-type]
    (finding,) = found(world)
    assert isinstance(finding, StaleBuild)
    assert finding.qualifier
    assert (finding.failures, finding.last_success) == (3, at(60))
    deployed(world, 1500, "deploy of shop v5: success", service="shop", version="v5")
    assert not found(world)


def test_without_changes_notes_or_starts_it_is_not_evaluated() -> None:
    result = ChangeBeforeDetector().detect(fleet(World(), 4, failing=range(4)).incident())
    assert isinstance(result, NotEvaluated)
    assert "deployments" in result.needs


def test_an_order_within_the_clocks_bounds_is_only_possible() -> None:
    world = deployed(fleet(World(), 4, failing=range(4)), FAIL - 2)
    (tight,) = found(world)
    (wide,) = found(replace(world, bound=ClockBound(30 * SECOND, 30 * SECOND, "assumed")))
    assert tight.verdict is Verdict.LIKELY
    assert wide.verdict is Verdict.POSSIBLE
    assert at_least(tight.verdict, wide.verdict)


def test_arrival_shift_and_unrelated_lines_change_nothing_else() -> None:
    world = deployed(fleet(World(), 10, booted=range(5), failing=range(5)))
    (first,) = found(world)
    assert ChangeBeforeDetector().detect(world.incident(world.batches()[::-1])) == [first]
    (moved,) = found(replace(world, shift=3600 * SECOND))
    assert moved.began == first.began + 3600 * SECOND
    for number in range(100):
        world.log(number * 20, "elsewhere", f"unrelated {number}")
    (again,) = found(world)
    assert again.sentence() == first.sentence()


def test_fishers_exact_test_by_hand() -> None:
    assert fisher(5, 5, 5, 10) == pytest.approx(1 / 252)
    assert fisher(0, 5, 5, 10) == pytest.approx(1.0)
    assert fisher(3, 4, 4, 8) == pytest.approx(17 / 70)  # the lady tasting tea
