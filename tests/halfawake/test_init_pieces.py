"""The pieces of `init`: places, compose files, proposals, proofs, and the text that is written."""

from __future__ import annotations

import asyncio
import io
import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import CheckReport
from connectors.discovery import Candidate, KeyHint, Place, Sampled
from connectors.elasticsearch.sampling import candidates_in, pattern_of
from connectors.postgresql.sampling import hints_from
from halfawake import plugins
from halfawake.discovery import proof as proof_module
from halfawake.discovery.asking import Answered
from halfawake.discovery.compose import read_compose
from halfawake.discovery.env_files import read_env_files
from halfawake.discovery.narration import failures, next_command, nothing_there, show_table
from halfawake.discovery.places import origins
from halfawake.discovery.proof import Proof, prove
from halfawake.discovery.proposals import Proposal, named_apart, propose
from halfawake.discovery.render import Chosen, keys_of, render, toml
from tests.halfawake.fakes import FakeConnector
from timeline.clock import ClockReading
from timeline.problems import NothingHere, SourceProblem, Unreachable

SECRET = "hunter2-9f3c"


class Queue(FakeConnector):
    """A connector that is proposed by FAKE_URL and by nothing else."""

    system = "queue"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        if place.variables.get("FAKE_URL"):
            yield Candidate("queue", "queue", {"url": "${FAKE_URL}"}, "the variable FAKE_URL")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The registry of connectors, empty; what a test puts into it is all there is."""
    classes: dict[str, object] = {}

    def found(name: str) -> object:
        if isinstance(cls := classes[name], Exception):
            raise cls
        return cls

    monkeypatch.setattr(plugins, "names", lambda group: tuple(classes))
    monkeypatch.setattr(plugins, "connector_class", found)
    return classes


def proposal(connector: str = "queue", name: str = "queue", **changes: object) -> Proposal:
    made = Proposal(connector, name, {"url": "${U}"}, "the variable U", "default", {"url": SECRET})
    return replace(made, **changes)  # type: ignore[arg-type]  # names of fields, by the tests


def answered(system: str = "Queue 1", *, refused: bool | None = None) -> Answered:
    return Answered(CheckReport(system, writes_refused=refused), None, 0.1)


def failed(problem: SourceProblem) -> Answered:
    return Answered(None, problem, 0.1)


COMPOSE = """
x-common: &common
  environment: &login
    POSTGRES_USER: shop
    POSTGRES_PASSWORD: hunter2-9f3c
services:
  db:
    <<: *common
    image: docker.io/library/postgres:16-alpine@sha256:abc
    ports: ["127.0.0.1:${DB_PORT:-5433}:5432/tcp"]
  archive:
    image: postgis/postgis
    environment: [POSTGRES_PASSWORD=$ARCHIVE_PASSWORD, POSTGRES_DB=old]
    ports: [{target: 5432, published: "5555"}]
  cache: {image: "redis:7", ports: ["6380:6379"]}
  inner: {image: "valkey/valkey", ports: ["6379"]}
  ui: {image: "rediscommander/redis-commander", ports: ["8081:8081"]}
  web: {build: .}
"""


def test_a_compose_file_becomes_addresses_without_passwords() -> None:
    services, notes = read_compose(COMPOSE, "", {"ARCHIVE_PASSWORD": "other"})
    assert {one.name: dict(one.variables) for one in services} == {
        "db": {"DATABASE_URL": "postgresql://shop:${DB_POSTGRES_PASSWORD}@127.0.0.1:5433/shop"},
        "archive": {"DATABASE_URL": "postgresql://postgres:${ARCHIVE_PASSWORD}@127.0.0.1:5555/old"},
        "cache": {"REDIS_URL": "redis://127.0.0.1:6380"},
    }
    assert [dict(one.secrets) for one in services] == [
        {"DB_POSTGRES_PASSWORD": SECRET},
        {"ARCHIVE_PASSWORD": "other"},
        {},
    ]
    assert notes == ["service inner publishes no port, so it cannot be reached from here"]


def test_no_name_in_a_compose_file_leads_elsewhere() -> None:
    text = (
        "services: {db: {image: postgres, ports: ['5440:5432'], environment: {"
        "POSTGRES_USER: 'me@evil.example', POSTGRES_DB: 'shop?host=evil.example',"
        " POSTGRES_PASSWORD: '${CLOUD_KEY}'}}}"
    )
    services, _ = read_compose(text, "", {"CLOUD_KEY": SECRET})
    address = services[0].variables["DATABASE_URL"]
    assert urlsplit(address).hostname == "127.0.0.1"
    assert urlsplit(address).query == ""
    assert "evil.example@" not in address


def test_an_override_adds_ports() -> None:
    base = "services: {db: {image: postgres, environment: {POSTGRES_DB: a}}}"
    services, _ = read_compose(base, "services: {db: {ports: ['5440:5432']}}", {})
    assert services[0].variables["DATABASE_URL"].endswith(":5440/a")


@pytest.mark.parametrize(
    "text",
    [
        "services:\n\t- broken",
        "services: [",
        "a: " + "[" * 5_000,
        "!!python/object/apply:os.system [date]",
        "x0: &x0 {a: 1, b: 2}\n"
        + "".join(f"x{n}: &x{n}\n  <<: [*x{n - 1}, *x{n - 1}]\n  k{n}: 1\n" for n in range(1, 40)),
    ],
    ids=["tab", "cut", "deep", "code", "merge bomb"],
)
def test_what_is_no_compose_file_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r"line|nesting"):
        read_compose(text, "", {})
    assert time.process_time() - began < 5


def test_aliases_cannot_make_a_value_endless() -> None:
    doubled = "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}]\n" for n in range(1, 60))
    text = (
        f"x0: &x0 [1]\n{doubled}"
        "services: {db: {image: postgres, ports: ['5440:5432', *x59],"
        " environment: {POSTGRES_DB: *x59, POSTGRES_USER: shop}}}"
    )
    services, _ = read_compose(text, "", {})
    assert services[0].variables == {"DATABASE_URL": "postgresql://shop@127.0.0.1:5440"}


@pytest.mark.parametrize("text", ["", "services: 3", "services: {db: 4}", "[]", "services: {a: }"])
def test_a_compose_file_of_another_shape_holds_nothing(text: str) -> None:
    assert read_compose(text, "", {}) == ([], [])


def test_an_env_file_costs_only_its_bad_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "export A='one'\n# no\nthis is nothing\nB=two # why\nC=\n", encoding="utf-8"
    )
    (tmp_path / ".env.local").mkdir()
    monkeypatch.chdir(tmp_path)
    read = read_env_files([tmp_path / ".env", tmp_path / ".env.local", tmp_path / "missing"])
    assert read.variables == {"A": "one", "B": "two"}
    assert read.files == {"A": ".env", "B": ".env"}
    assert "line 3" in read.notes[0]
    assert ".env.local cannot be read" in read.notes[1]
    assert "two" not in repr(read)


def test_what_a_file_names_is_local_and_what_the_shell_names_is_not(
    tmp_path: Path, registered: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    registered["queue"] = Queue
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"FAKE_URL=redis://:{SECRET}@here\n", encoding="utf-8")
    looked = origins({}, tmp_path, tmp_path)
    (found,) = propose(looked.found, "prod", {}).proposals
    assert (found.environment, found.found_in) == ("local", ".env, FAKE_URL")
    assert found.options == {"url": "${FAKE_URL}"}
    assert found.filled == {"url": f"redis://:{SECRET}@here"}
    assert found.unset == {"FAKE_URL": ".env"}
    assert SECRET not in repr(found)
    shell = {"FAKE_URL": "redis://there"}
    looked = origins(shell, tmp_path, tmp_path)
    proposed = propose(looked.found, "prod", shell)
    (found,) = proposed.proposals
    assert (found.environment, found.unset) == ("prod", {})
    assert looked.notes == (
        ".env gives another FAKE_URL than your shell does; the shell's was looked at.",
    )
    assert proposed.looked_at == {"FAKE_URL"}


def test_a_named_env_file_is_local_until_the_person_says_otherwise(
    tmp_path: Path, registered: dict[str, object]
) -> None:
    registered["queue"] = Queue
    named = tmp_path / "staging.env"
    named.write_text("FAKE_URL=redis://x\n", encoding="utf-8")
    for local, environment in ((True, "local"), (False, "staging")):
        looked = origins({}, tmp_path, tmp_path, [named], named_are_local=local)
        (found,) = propose(looked.found, "staging", {}).proposals
        assert found.environment == environment
    with pytest.raises(OSError, match="missing"):
        origins({}, tmp_path, tmp_path, [tmp_path / "missing.env"])


def test_a_broken_connector_stops_nothing(tmp_path: Path, registered: dict[str, object]) -> None:
    class Broken(Queue):
        @staticmethod
        def candidates(place: Place) -> Iterator[Candidate]:
            raise RuntimeError(SECRET)

    registered.update(gone=ImportError("x", name="left_pad"), broken=Broken, queue=Queue)
    shell = {"FAKE_URL": "redis://x"}
    proposed = propose(origins(shell, tmp_path, tmp_path).found, "default", shell)
    assert [one.connector for one in proposed.proposals] == ["queue"]
    assert any("gone" in note and "left_pad" in note for note in proposed.notes)
    assert any("broken" in note and "RuntimeError" in note for note in proposed.notes)
    assert SECRET not in "".join(proposed.notes)


def test_an_address_that_fits_nothing_is_named_and_not_quoted(
    tmp_path: Path, registered: dict[str, object]
) -> None:
    class Picky(Queue):
        @staticmethod
        def candidates(place: Place) -> Iterator[Candidate]:
            if place.variables.get("REDIS_URL", "").startswith("redis://"):
                yield Candidate("queue", "queue", {"url": "${REDIS_URL}"}, "")

    registered["queue"] = Picky
    shell = {"REDIS_URL": SECRET}
    proposed = propose(origins(shell, tmp_path, tmp_path).found, "default", shell)
    assert proposed.proposals == ()
    (note,) = proposed.notes
    assert note.startswith("REDIS_URL of your shell")
    assert SECRET not in note


def test_one_server_under_two_names_is_met_once(
    tmp_path: Path, registered: dict[str, object]
) -> None:
    class Twice(Queue):
        @staticmethod
        def candidates(place: Place) -> Iterator[Candidate]:
            for name in ("A_URL", "B_URL"):
                if place.variables.get(name):
                    url = {"url": f"${{{name}}}"}
                    yield Candidate("queue", "queue", url, f"the variable {name}")

    registered["queue"] = Twice
    shell = {"A_URL": "redis://x", "B_URL": "redis://x"}
    proposed = propose(origins(shell, tmp_path, tmp_path).found, "default", shell)
    assert [one.found_in for one in proposed.proposals] == ["the variable A_URL"]
    assert proposed.notes == (), "B_URL was understood"


def test_names_are_made_apart_within_an_environment() -> None:
    wanted = [
        proposal(),
        proposal(),
        proposal(name="log files!"),
        proposal(environment="local"),
        proposal(name="…"),
    ]
    assert named_apart(wanted) == ["queue", "queue-2", "log-files", "queue", "queue-3"]


def test_proof_is_bounded_and_quotes_nothing(
    registered: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hangs(FakeConnector):
        async def check(self) -> CheckReport:
            await asyncio.sleep(60)
            raise AssertionError

    class Fails(FakeConnector):
        async def check(self) -> CheckReport:
            raise RuntimeError(SECRET)

    class Sampling(FakeConnector):
        async def sample(self) -> Sampled:
            raise Unreachable("the catalogue is locked")

    monkeypatch.setattr(proof_module, "PROVE_WITHIN_S", 0.2)
    registered.update(hangs=Hangs, fails=Fails, sampling=Sampling)
    began = time.monotonic()
    proofs = prove([proposal(name) for name in ("hangs", "fails", "sampling")])
    assert time.monotonic() - began < 30, "the one that hangs was cut off"
    said = [one.answered.problem.sentence() for one in proofs if one.answered.problem]
    assert said[0].startswith("No answer within 0.2 s")
    assert "RuntimeError" in said[1]
    assert SECRET not in "".join(said)
    assert proofs[2].answered.report is not None
    assert proofs[2].sampled.notes == ("its catalogue was not read: the catalogue is locked",)


def test_failures_are_told_once_for_each_place_and_reason() -> None:
    refused = Unreachable("Nothing listens there", where="127.0.0.1:6379")
    proofs = [
        Proof(proposal("rq"), failed(refused)),
        Proof(proposal("sidekiq"), failed(refused)),
        Proof(proposal("resque"), failed(NothingHere("no keys"))),
    ]
    ((sentence, found),) = failures(proofs)
    assert sentence == "rq, sidekiq (U): Nothing listens there (127.0.0.1:6379)."
    assert len(found) == 2
    assert nothing_there(proofs) == "Looked for and not there: resque."
    assert nothing_there(proofs[:2]) == ""


def test_the_table_fits_80_columns_and_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock = ClockReading("x", -440_000, 3_800_000, 0)
    report = CheckReport("Elastic[red]search 8.19.21\x1b[31m", clock=clock, writes_refused=False)
    shown = proposal("elasticsearch", "logs", found_in="the variable ELASTICSEARCH_URL")
    out = io.StringIO()
    show_table([Chosen("logs", Proof(shown, Answered(report, None, 0.1)))], out)
    text = out.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "elasticsearch" in text
    assert "-0.44 ±3.80 ms" in text
    assert "POSSIBLE" in text
    assert "[red]" in text.replace("\n", "")


def test_the_file_says_what_is_known_and_keeps_secrets_out() -> None:
    told = Sampled(
        (KeyHint("user", ("user_id",), "users", "id"),), ("ids in user_id",), {}, ("w]eb\n",)
    )
    sampling = replace(told, options={"index": 'logs-"*'})
    good = Chosen("logs", Proof(proposal(unset={"U": ".env"}), answered(), sampling))
    hostile = answered('Queue\n[env.prod]\nx = "1"', refused=False)
    odd = Chosen("odd", Proof(proposal(environment="local"), hostile))
    gone = Chosen("gone", Proof(proposal(), failed(Unreachable("refused\n[keys.x]"))))
    text = render([good, odd], [gone], "default")
    assert SECRET not in text
    data = tomllib.loads(text)
    assert data == {
        "default_env": "default",
        "keys": {"user": {"table": "users", "pk": "id", "fields": ["user_id"]}},
        "env": {
            "default": {
                "sources": {"logs": {"connector": "queue", "url": "${U}", "index": 'logs-"*'}}
            },
            "local": {"sources": {"odd": {"connector": "queue", "url": "${U}"}}},
        },
    }
    assert "# [env.default.sources.gone]" in text
    assert '# expected_services = ["w]eb' in text
    assert "Export U first: its value stands in .env." in text
    assert "POSSIBLE" in text


def test_keys_of_several_sources_are_one() -> None:
    database = Sampled((KeyHint("user", ("user_id", "owner_id"), "users", "id"),))
    logs = Sampled((KeyHint("user", ("userId",)), KeyHint("session", ("session_id",))))
    jobs = Sampled((KeyHint("job", ("job_id",), "jobs", "id"),))  # not what a queue calls a job
    other = Sampled((KeyHint("user", ("uid",), "crm.users", "id"),))
    proofs = [Proof(proposal(), answered(), one) for one in (logs, jobs, database, other)]
    assert keys_of(proofs) == [KeyHint("user", ("user_id", "owner_id", "userId"), "users", "id")]


@given(
    st.recursive(
        st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
        ),
    )
)
def test_every_option_is_read_back_as_it_was(value: object) -> None:
    assert tomllib.loads(f"value = {toml(value)}") == {"value": value}


def test_an_option_that_is_no_text_is_still_written() -> None:
    assert tomllib.loads(f"value = {toml('a' + chr(0xDC80))}".encode().decode())["value"] == "a?"


def test_the_next_command_exports_what_is_not_exported() -> None:
    env = Chosen("a", Proof(proposal(unset={"A": ".env", "B": ".env"}), answered()))
    compose = Chosen("b", Proof(proposal(unset={"C": "compose.yaml"}), answered()))
    named = Chosen("d", Proof(proposal(unset={"A": "/etc/my shop.env"}), answered()))
    assert next_command([named], "default", "") == (
        "set -a; . '/etc/my shop.env'; set +a; halfawake check"
    )
    ready = Chosen("c", Proof(proposal(), answered()))
    assert next_command([ready], "default", "") == "halfawake check"
    assert next_command([env], "default", "") == "set -a; . ./.env; set +a; halfawake check"
    assert next_command([compose], "default", "x.toml") == (
        "export C=…; halfawake check --config x.toml"
    )


def test_tables_are_named_by_what_refers_to_them() -> None:
    keys: list[tuple[str, str, str, bool]] = [
        ("public", "users", "id", True),
        ("public", "order_items", "item_no", True),
        ("crm", "companies", "id", False),
        ("public", "lonely", "id", True),
    ]
    references = [
        ("orders", "user_id", "public", "users"),
        ("mails", "user_id", "", ""),  # as frameworks spell it, without a foreign key
        ("mails", "author", "public", "users"),
        ("orders", "company_id", "crm", "companies"),
        ("users", "parent_id", "public", "users"),  # a role, not a thing
        ("notes", "subject_id", "public", "users"),
        ("tags", "subject_id", "crm", "companies"),  # leads to two tables
        ("notes", "elsewhere_id", "", ""),
        ("lines", "order_item_id", "", ""),
    ]
    assert hints_from(keys, references) == [
        KeyHint("user", ("author", "user_id"), "users", "id"),
        KeyHint("company", ("company_id",), "crm.companies", "id"),
        KeyHint("order_item", ("order_item_id",), "order_items", "item_no"),
    ]


def test_indices_become_patterns_that_cover_tomorrow() -> None:
    names = [
        ".ds-logs-web-default-2026.03.14-000001",
        "shop-2026.03.13",
        "shop-2026.03.14",
        "web-000042",
        "orders",
        "v20260314",
        ".kibana_7",
    ]
    assert pattern_of(names) == "logs-web-default,orders,shop-*,v20260314,web-*"
    assert pattern_of(f"index{chr(97 + number)}" for number in range(11)) == ""


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"ES_HOST": "search.internal"}, {"url": "http://${ES_HOST}:9200"}),
        ({"ES_HOST": "search.internal:9201"}, {"url": "http://${ES_HOST}"}),
        (
            {"ELASTIC_URL": "https://x", "ELASTIC_API_KEY": SECRET, "ELASTIC_PASSWORD": "y"},
            {"url": "${ELASTIC_URL}", "api_key": "${ELASTIC_API_KEY}"},
        ),
        (
            {"OPENSEARCH_URL": "https://x", "ELASTIC_USERNAME": "u", "ELASTIC_PASSWORD": "p"},
            {
                "url": "${OPENSEARCH_URL}",
                "username": "${ELASTIC_USERNAME}",
                "password": "${ELASTIC_PASSWORD}",
            },
        ),
        ({"ELASTICSEARCH_URL": "https://u:p@x"}, {"url": "${ELASTICSEARCH_URL}"}),
    ],
)
def test_a_cluster_is_proposed_from_its_variables(
    variables: dict[str, str], options: dict[str, object], tmp_path: Path
) -> None:
    (found,) = candidates_in(Place(variables, tmp_path, tmp_path))
    assert found.options == {**options, "index": "*"}
