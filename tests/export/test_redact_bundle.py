"""A redacted bundle opens, holds no secret in any member, and tells what the whole one told."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from halfawake.bundles import open_about, open_bundle, save_bundle
from halfawake.cli import run
from halfawake.demo import story_path
from tests.export.planted import PLANTED, SECRETS, hostile_incident, leaks
from tests.export.world import ANALYSIS, EVENTS, OPTIONS, incident
from timeline.event import Lane
from timeline.export.findings import findings_json
from timeline.export.json_ import JsonExporter
from timeline.export.redact import Redactor
from timeline.export.redact_bundle import counts_words, redacted
from timeline.progress import Phase, SourceStatus


def _texts_of(path: Path) -> str:
    """Every text of every member, tables unpacked."""
    told = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".parquet"):
                frame = pl.read_parquet(io.BytesIO(content))
                for column in frame.select(pl.col(pl.String, pl.Categorical)).get_columns():
                    told += [str(value) for value in column.drop_nulls().cast(pl.String).to_list()]
            else:
                told.append(content.decode())
    return "\n".join(told)


def _saved(path: Path, redactor: Redactor | None) -> str:
    whole = hostile_incident()
    statuses = tuple(
        SourceStatus(s.text, Lane.LOG, "file", Phase.FAILED, problem=s.text) for s in SECRETS
    )
    marks = PLANTED[:5]
    if redactor is not None:
        whole, statuses, marks = redacted(whole, statuses, marks, redactor)
    save_bundle(path, whole, statuses, marks)
    return _texts_of(path)


def test_no_member_of_the_bundle_holds_a_secret(tmp_path: Path) -> None:
    naked = _saved(tmp_path / "naked.halfawake", None)
    assert [s.kind for s in SECRETS if not leaks(naked, (s,))] == []
    assert leaks(_saved(tmp_path / "clean.halfawake", Redactor()), SECRETS) == []


def test_it_opens_with_as_many_records_marks_and_sources(tmp_path: Path) -> None:
    redactor = Redactor()
    path = tmp_path / "clean.halfawake"
    _saved(path, redactor)
    opened, statuses = open_bundle(path)
    whole = hostile_incident()
    assert len(opened.snapshot) == len(whole.snapshot)
    assert opened.snapshot.times.to_list() == whole.snapshot.times.to_list()
    assert opened.snapshot.undated.height <= whole.snapshot.undated.height
    assert len(opened.sources) == len(whole.sources)
    assert len(statuses) == len(SECRETS)
    assert len(open_about(path).marks) == 5
    assert "secret" in counts_words(redactor)


def test_a_record_without_a_secret_stays_to_the_letter() -> None:
    whole = incident()
    clean, _, _ = redacted(whole, (), (), Redactor())
    before, after = (one.snapshot.events_at(range(len(one.snapshot))) for one in (whole, clean))
    changed = [b.ref for b, a in zip(before, after, strict=True) if a != b]
    assert sorted(changed) == ["/srv/shop/log/mailer.log@7649287", "users/4711"]
    assert clean.snapshot.keys.equals(whole.snapshot.keys)


def test_exporting_it_gives_what_exporting_the_whole_one_gives() -> None:
    events = [event for event in EVENTS if "/home/" not in event.body]
    whole = incident(events)
    clean, _, _ = redacted(whole, (), (), Redactor())
    for render in (JsonExporter().render, findings_json):
        one, other = render(clean, ANALYSIS, OPTIONS), render(whole, ANALYSIS, OPTIONS)
        counted_last = '"redaction": {'
        assert one.partition(counted_last)[0] == other.partition(counted_last)[0]


@pytest.mark.parametrize("story", ["night-hiccup", "friday-batch"])
def test_its_findings_are_the_same(
    story: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clean.halfawake"
    assert run(["capture", f"demo:{story}", "--redact", "-o", str(path)]) == run(
        ["findings", f"demo:{story}", "--json"]
    )
    told = capsys.readouterr()
    assert "redact" in told.err
    run(["findings", str(path), "--json"])
    assert capsys.readouterr().out == told.out
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(open_bundle(path)[0].snapshot) == len(open_bundle(story_path(story))[0].snapshot)


def test_the_teams_rules_reach_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "halfawake.toml").write_text(
        "[redact.rules.patient]\npattern = '\\bMRN-(?P<secret>[0-9]{4,12})'\n", encoding="utf-8"
    )
    log = tmp_path / "app.log"
    log.write_text(
        "2026-03-14T02:07:29Z ERROR MRN-004711 lost, mail a.b@example.com\n", encoding="utf-8"
    )
    out = tmp_path / "x.halfawake"
    run(["capture", "2026-03-14T02:08Z", str(log), "--redact", "-o", str(out)])
    assert "email 1, patient 1" in capsys.readouterr().err
    text = _texts_of(out)
    assert "MRN-{redacted:patient}" in text
    assert "004711" not in text
    assert "a.b@example.com" not in text
