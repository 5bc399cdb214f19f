"""A checkout read by git itself: what is told, what never runs, what is said when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.changes import ChangesConnector, ChangesOptions
from connectors.changes.gitcommands import NotAllowed, argv_of, ensure_allowed
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors.changes_data import T_S, Repository, window_around
from timeline.coverage import Sight
from timeline.event import Event, Precision
from timeline.keys import KeyRules
from timeline.problems import Misconfigured, NothingHere, SourceProblem
from timeline.window import SECOND_NS


def connector(path: Path, **changes: object) -> ChangesConnector:
    options = ChangesOptions.model_validate({"git": str(path), **changes})
    return ChangesConnector("commits", options, KeyRules())


def read(path: Path, **changes: object) -> Collected:
    return fetched(connector(path, **changes), window_around())


def events(path: Path, **changes: object) -> list[Event]:
    return sorted(read(path, **changes).events, key=lambda event: event.timestamp)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.made(tmp_path)


def test_a_commit_tells_who_what_and_which(repository: Repository) -> None:
    commit = repository.commit(60, "Retry sign-up", {"app/signup.rb": "x"})
    (event,) = events(repository.path)
    assert event.timestamp == (T_S - 60) * SECOND_NS, "the committer's stamp, not the author's"
    assert event.precision is Precision.SECOND
    assert event.body == (
        f"commit {commit[:12]} by Ann Author, committed by Bo Committer: Retry sign-up"
    )
    assert event.keys == (f"commit:{commit[:12]}",)
    assert event.ref == f"commit/{commit}"
    assert event.clock == "committer Bo Committer"
    assert event.actor == repository.path.name
    told = json.loads(event.attributes or "")
    assert (told["who"], told["version"]) == ("Ann Author", commit)
    assert "not the deploy's" in told["stamp"]


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("db/migrate/20260314_add_index.rb", True),
        ("shop/migrations/0042_index.py", True),
        ("migrations/1.sql", True),
        ("docs/migrations.md", False),
        ("app/db_migrate/x.rb", False),
    ],
)
def test_a_migration_gets_a_word(repository: Repository, file: str, named: bool) -> None:
    repository.commit(60, "Work", {file: "x", "app/x.rb": "y"})
    (event,) = events(repository.path)
    assert ("touches a migration" in event.body) is named
    assert (file in event.body) is named


def test_a_merge_tells_the_migrations_that_it_brings(repository: Repository) -> None:
    repository.commit(9000, "Base", {"a": "x"})
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit(8000, "Old work", {"db/migrate/1.rb": "x"})
    repository.git("checkout", "--quiet", "main")
    repository.commit(7000, "Other", {"b": "x"})
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge side", "side", at=T_S - 60)
    (event,) = events(repository.path)
    assert "(a merge)" in event.body
    assert "touches a migration: db/migrate/1.rb" in event.body


def test_a_file_cannot_pretend_to_be_a_commit(repository: Repository) -> None:
    forged = f"//{'b' * 40}\0\0{T_S}".replace("\0", "\n")
    repository.commit(60, "Odd names", {"\n" + forged: "x"})
    assert len(events(repository.path)) == 1


def test_a_tag_is_told_where_somebody_set_it(repository: Repository) -> None:
    commit = repository.commit(90_000, "Long ago", {"a": "x"})
    repository.tag(60, "v412")
    repository.git("tag", "light")
    (event,) = events(repository.path)
    assert event.body == f"tag v412 on {commit[:12]} by Bo Committer: release v412"
    assert event.keys == (f"commit:{commit[:12]}",)


def test_the_reflog_is_read_only_where_the_checkout_is_what_runs(repository: Repository) -> None:
    repository.commit(90_000, "One", {"a": "x"})
    repository.commit(80_000, "Two", {"a": "y"})
    repository.git("reset", "--quiet", "--hard", "HEAD~1", at=T_S - 60)
    assert events(repository.path) == []
    (event,) = events(repository.path, reflog=True)
    assert event.timestamp == (T_S - 60) * SECOND_NS
    assert event.body.startswith(f"the checkout moved to {repository.commits[0][:12]}: reset")


def test_other_branches_are_read_when_named(repository: Repository) -> None:
    repository.commit(90_000, "Base", {"a": "x"})
    repository.git("checkout", "--quiet", "-b", "hotfix")
    repository.commit(60, "Hot", {"b": "x"})
    repository.git("checkout", "--quiet", "main")
    assert events(repository.path) == []
    assert [e.body.rpartition(": ")[2] for e in events(repository.path, refs=["hotfix"])] == ["Hot"]


def test_a_stray_clock_hides_no_commit_behind_it(repository: Repository) -> None:
    repository.commit(60, "Wanted", {"a": "x"})
    for nth in range(12):
        repository.commit(3_600 * 3, f"Clock behind {nth}", {"a": str(nth)})
    assert [event.body.rpartition(": ")[2] for event in events(repository.path)] == ["Wanted"]


def test_what_a_commit_cannot_say_is_said(repository: Repository) -> None:
    repository.commit(60, "Work", {"a": "x"})
    collected = read(repository.path)
    assert any("committer's clock" in r.sentence for r in collected.remarks if r.topic == "clock")
    assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}
    assert any("never fetched" in entry.reason for entry in collected.coverage)


def test_a_shallow_clone_is_said(repository: Repository, tmp_path: Path) -> None:
    repository.commit(90, "One", {"a": "x"})
    repository.commit(60, "Two", {"a": "y"})
    shallow = tmp_path / "shallow"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(shallow))
    collected = read(shallow)
    assert len(collected.events) == 1
    assert any(remark.topic == "shallow" for remark in collected.remarks)


def test_a_commit_is_found_by_any_part_of_its_id(repository: Repository) -> None:
    commit = repository.commit(9_000_000, "Long ago", {"a": "x"})
    for digits in (commit, commit[:12], commit[:7]):
        found = looked_up(connector(repository.path), (f"commit:{digits}",), window_around())
        assert [event.ref for event in found.events] == [f"commit/{commit}"]


@pytest.mark.parametrize("key", ["commit:--output=x", "commit:HEAD", "commit:main", "commit:"])
def test_a_key_is_never_an_argument(repository: Repository, key: str) -> None:
    repository.commit(60, "Work", {"a": "x"})
    found = looked_up(connector(repository.path), (key,), window_around())
    assert found.events == []
    assert any(key in remark.sentence for remark in found.remarks)


def test_nothing_of_a_hostile_checkout_runs(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    ran.mkdir()

    def trap(name: str) -> str:
        script = tmp_path / f"trap-{name}"
        script.write_text(f"#!/bin/sh\ntouch {ran / name}\ncat\n", encoding="utf-8")
        script.chmod(0o755)
        return str(script)

    repository.commit(60, "Work", {"a": "x", ".gitattributes": "* diff=evil filter=evil\n"})
    repository.sign()
    repository.tag(50, "v1")
    for setting in (
        "core.fsmonitor", "core.pager", "pager.log", "core.sshCommand", "core.editor",
        "diff.external", "diff.evil.textconv", "diff.evil.command", "filter.evil.clean",
        "filter.evil.smudge", "gpg.program", "credential.helper", "core.alternateRefsCommand",
        "core.gitProxy", "alias.log",
    ):  # fmt: skip
        shell = "!" if setting == "alias.log" else ""
        repository.git("config", setting, shell + trap(setting))
    repository.git("config", "log.showSignature", "true")
    repository.git("config", "core.hooksPath", str(tmp_path))
    for hook in ("post-index-change", "reference-transaction", "post-checkout"):
        Path(trap(f"hook-{hook}")).rename(tmp_path / hook)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", trap("GIT_EXTERNAL_DIFF"))
    monkeypatch.setenv("GIT_PAGER", trap("GIT_PAGER"))
    monkeypatch.setenv("GIT_TRACE", str(ran / "trace"))
    (repository.path / "a").write_text("changed since", encoding="utf-8")
    repository.git("status")
    repository.git("log")
    ran_unprotected = {path.name for path in ran.iterdir()}
    assert {"core.fsmonitor", "gpg.program"} <= ran_unprotected, "the traps work"
    for path in ran.iterdir():
        path.unlink()
    assert len(events(repository.path, reflog=True)) >= 2
    import asyncio

    asyncio.run(connector(repository.path).check())
    assert list(ran.iterdir()) == []


def test_a_partial_clone_fetches_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.commit(60, "Work", {"db/migrate/1.rb": "x"})
    repository.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    url = f"file://{repository.path}"
    repository.git("clone", "--quiet", "--no-checkout", "--filter=tree:0", url, str(partial))
    ran = tmp_path / "ran"
    script = tmp_path / "upload"
    script.write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n", encoding="utf-8")
    script.chmod(0o755)
    Repository(partial).git("config", "remote.origin.uploadpack", str(script))
    with pytest.raises(SourceProblem) as caught:
        read(partial)
    assert "partial clone" in caught.value.sentence()
    assert not ran.exists()


def test_nothing_in_the_checkout_changes(repository: Repository) -> None:
    repository.commit(60, "Work", {"a": "x"})
    (repository.path / "a").write_text("changed since", encoding="utf-8")
    before = {p: p.stat().st_mtime_ns for p in repository.path.rglob("*")}
    read(repository.path, reflog=True)
    assert {p: p.stat().st_mtime_ns for p in repository.path.rglob("*")} == before


@pytest.mark.parametrize(
    "words",
    [
        ["fetch"],
        ["config", "--get", "user.email"],
        ["reflog", "expire"],
        ["log", "--output=x"],
        ["log", "--ext-diff"],
        ["for-each-ref", "--textconv"],
    ],
)
def test_other_commands_are_not_run(words: list[str]) -> None:
    with pytest.raises(NotAllowed):
        ensure_allowed(words)


def test_the_environment_of_git_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    argv = argv_of(Path("x"), ["log"])
    assert argv[argv.index("GIT_DIR") - 1] == "-u"
    assert "GIT_OPTIONAL_LOCKS=0" in argv


def test_bad_places_are_sentences(repository: Repository, tmp_path: Path) -> None:
    import asyncio

    with pytest.raises(NothingHere, match="no commit"):
        asyncio.run(connector(repository.path).check())
    with pytest.raises(Misconfigured, match="no such folder"):
        read(tmp_path / "nonesuch")
    bare_folder = tmp_path / "plain"
    bare_folder.mkdir()
    (repository.path / ".git").rename(tmp_path / "gone")
    with pytest.raises(Misconfigured, match="no git checkout"):
        asyncio.run(connector(bare_folder).check())


def test_a_wrong_ref_is_a_sentence(repository: Repository) -> None:
    repository.commit(60, "Work", {"a": "x"})
    with pytest.raises(Misconfigured, match="no branch or tag 'nonesuch'"):
        read(repository.path, refs=["nonesuch"])


def test_no_login_of_the_remote_is_told(repository: Repository) -> None:
    import asyncio

    repository.commit(60, "Work", {"a": "x"})
    url = "https://ann:s3cret@git.example.org/acme/shop.git"
    repository.git("remote", "add", "origin", url)
    report = asyncio.run(connector(repository.path).check())
    assert "s3cret" not in repr(report)
    assert any("git.example.org/acme/shop.git" in fact for fact in report.facts)
