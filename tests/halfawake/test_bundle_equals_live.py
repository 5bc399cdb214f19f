"""What is captured is what was live: every format, the findings, the screen's text, byte by byte.

Over real sources: a log with a stack trace, lines without a time and a broken one, a packed log,
a SQLite database, and a source that cannot be read.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from halfawake import cli
from halfawake.bundles import open_about, save_bundle
from halfawake.commands import export
from halfawake.exit_codes import ExitCode
from halfawake.headless import Collected, collect
from halfawake.plugins import EXPORTERS, exporter, names
from halfawake.recorded import RecordedCollector, examine
from halfawake.where import Target, target
from timeline.batch import Batch, batch_of
from timeline.bundle_tables import refilled
from timeline.coverage import Sight
from timeline.event import Event, Kind, Lane
from timeline.export.contract import ExportOptions
from timeline.export.findings import findings_json, findings_text
from timeline.export.plain import PlainOptions, render_plain
from timeline.incident import SourceInfo
from timeline.progress import Phase
from timeline.window import MINUTE_NS, SECOND_NS, Window

T = "2026-03-14T02:13:40Z"
T_NS = int(datetime(2026, 3, 14, 2, 13, 40, tzinfo=UTC).timestamp()) * SECOND_NS

CONFIGURATION = """\
default_env = "lab"

[keys.user]
table = "users"
fields = ["user_id"]

[env.lab.sources.web]
connector = "file"
paths = ["web.log"]

[env.lab.sources.mailer]
connector = "file"
paths = ["mailer.log.gz"]

[env.lab.sources.db]
connector = "sqlite"
path = "app.db"
tables = ["users"]

[env.lab.sources.lost]
connector = "sqlite"
path = "missing.db"
"""


def stamp(second: int) -> str:
    return f"2026-03-14T02:{second // 60:02}:{second % 60:02}"


def write_sources(folder: Path) -> None:
    web = ["a line before any that has a time", ""]
    for second in range(0, 840, 3):
        web.append(f"{stamp(second)}.117Z INFO web GET /cart 200 user_id={second % 17} in 12 ms")
    web.append(f"{stamp(449)}.117Z ERROR web user_id=4711 enqueue WelcomeMail: TimeoutError")
    web.append('  File "jobs.py", line 7, in push  # password=hunter2secret')
    web.append(f"{stamp(450)}.300Z ERROR web redis.exceptions.TimeoutError: reading redis:6379")
    web.append(f"{stamp(451)}.900Z ERROR web connection to redis:6379 reset by peer")
    (folder / "web.log").write_text("\n".join(sorted(web)) + "\n", encoding="utf-8")
    mailer = [
        json.dumps({"ts": f"{stamp(s)}.5Z", "level": "info", "msg": f"sent {s}", "user_id": s})
        for s in range(1, 800, 9)
    ]
    mailer.insert(40, '{"ts": "2026-03-14T02:07:30Z", "msg": "cut in the mid')
    with gzip.open(folder / "mailer.log.gz", "wt", encoding="utf-8") as out:
        out.write("\n".join(mailer) + "\n")
    with closing(sqlite3.connect(folder / "app.db")) as base, base:
        base.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, mail TEXT, created_at TEXT)")
        made = [
            (n, f"u{n}@example.com", f"2026-03-14 02:{n % 14:02}:10") for n in range(4700, 4720)
        ]
        base.executemany("INSERT INTO users VALUES (?, ?, ?)", made)
    (folder / "halfawake.toml").write_text(CONFIGURATION, encoding="utf-8")


@dataclass
class Both:
    """One collection as it was live, and as it comes out of its file."""

    live: Collected
    path: Path
    marked: tuple[Event, ...]

    @property
    def reopened(self) -> Collected:
        return collect(asked_for(str(self.path)))


def asked_for(where: str, *more: str) -> Target:
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    return target(where, parser.parse_args([where, *more]))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("night")
    write_sources(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        live = collect(asked_for(T))
        marked = tuple(live.incident.snapshot.in_order(40, 3))
        path = folder / "night.halfawake"
        save_bundle(path, live.incident, live.statuses, marked)
        yield Both(live, path, marked)


def test_the_sources_tell_all_that_is_compared(both: Both) -> None:
    incident, statuses = both.live.incident, both.live.statuses
    phases = {status.source: status.phase for status in statuses}
    assert phases["lost"] is Phase.FAILED
    assert {"web", "mailer", "db"} <= set(incident.snapshot.sources)
    assert incident.snapshot.undated.height > 0
    assert incident.snapshot.remarks
    assert any(entry.sight is Sight.BLIND for entry in incident.snapshot.coverage.entries)
    assert both.live.analysis.findings


def test_incident_statuses_and_marks_come_back(both: Both) -> None:
    back = both.reopened
    mine, theirs = both.live.incident.snapshot, back.incident.snapshot
    assert back.statuses == both.live.statuses
    assert back.exit_code == both.live.exit_code
    assert open_about(both.path).marks == both.marked
    for table in ("events", "keys", "undated", "counts"):
        assert getattr(theirs, table).equals(getattr(mine, table)), table
    assert (theirs.coverage, theirs.remarks) == (mine.coverage, mine.remarks)
    assert back.incident.sources == both.live.incident.sources


@pytest.mark.parametrize("name", sorted(names(EXPORTERS)))
def test_every_format_gives_the_same_bytes(both: Both, name: str) -> None:
    options = ExportOptions(marked=both.marked, root=str(both.path.parent), tool_version="1")
    told = [
        exporter(name).render(collected.incident, collected.analysis, options)
        for collected in (both.live, both.reopened)
    ]
    assert told[0] == told[1]
    assert "hunter2secret" not in told[0]


def test_findings_and_the_plain_screen_are_the_same(both: Both) -> None:
    live, back = both.live, both.reopened
    for render in (findings_json, findings_text):
        assert render(back.incident, back.analysis) == render(live.incident, live.analysis)
    told = [
        render_plain(each.incident, each.analysis, each.statuses, PlainOptions(width=160))
        for each in (live, back)
    ]
    assert told[0] == told[1]


def test_notes_of_a_person_are_captured_too(both: Both, tmp_path: Path) -> None:
    note = Event(T_NS, "notes", Lane.NOTE, Kind.NOTE, "paused the mailers", "notes@1", 1)
    held = both.live.incident.snapshot
    store = refilled(held.events, held.keys, held.undated, held.coverage, held.remarks)
    added: Batch = batch_of("notes", [note])
    store.add(added)

    incident = replace(
        both.live.incident,
        snapshot=store.snapshot(),
        sources=(*both.live.incident.sources, SourceInfo("notes", Lane.NOTE, "notes")),
    )
    path = tmp_path / "noted.halfawake"
    save_bundle(path, incident, both.live.statuses)
    back = collect(asked_for(str(path)))
    options = ExportOptions(tool_version="1")
    for name in sorted(names(EXPORTERS)):
        live = exporter(name).render(incident, examine(incident), options)
        assert exporter(name).render(back.incident, back.analysis, options) == live
    assert "paused the mailers" in exporter("md").render(back.incident, back.analysis, options)


def test_another_t_inside_a_bundle_is_what_it_would_have_been_live(both: Both) -> None:

    earlier = Window.around(T_NS - 6 * MINUTE_NS, now=T_NS)
    recorded = asked_for(str(both.path))
    assert isinstance(recorded.collector, RecordedCollector)
    back = collect(replace(recorded, window=earlier))
    incident = replace(both.live.incident, window=earlier)
    live = examine(incident)
    assert back.incident.window == earlier
    assert findings_json(back.incident, back.analysis) == findings_json(incident, live)
    options = ExportOptions(tool_version="1")
    for name in sorted(names(EXPORTERS)):
        mine = exporter(name).render(incident, live, options)
        assert exporter(name).render(back.incident, back.analysis, options) == mine


def test_the_command_captures_and_a_file_captured_again_is_the_same(
    both: Both, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.run(["capture", T, "-o", "asked.halfawake"])
    assert code == ExitCode.PARTIAL  # one source cannot be read
    assert "events in asked.halfawake" in capsys.readouterr().err
    assert cli.run(["export", "asked.halfawake", "--format", "json"]) == ExitCode.PARTIAL
    first = capsys.readouterr().out
    back = collect(asked_for("asked.halfawake"))
    save_bundle(Path("again.halfawake"), back.incident, back.statuses)
    assert Path("again.halfawake").read_bytes() == Path("asked.halfawake").read_bytes()
    assert cli.run(["export", "again.halfawake", "--format", "json"]) == ExitCode.PARTIAL
    assert capsys.readouterr().out == first
