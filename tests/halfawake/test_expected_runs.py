"""A set that is expected every night, from the configuration to the list that is resumed from."""

from __future__ import annotations

import csv
import io
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

CONFIGURATION = """\
default_env = "lab"

[keys.app]
table = "apps"

[keys.night]
fields = ["night"]

[env.lab.sources.db]
connector = "sqlite"
path = "app.db"
tables = ["apps", { name = "backups", columns = ["app_id", "night"] }]

[env.lab.sources.logs]
connector = "file"
paths = ["app.log"]

[env.lab.expected.backups]
source = "db"
query = "SELECT id FROM apps ORDER BY id"
key = "app"
table = "backups"
ordered = true
run = "night"
"""
APPS = 12
NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)


def after(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S.000")


def written(folder: Path) -> None:
    """Three nights: one whole, one that every app had twice, one that stopped half-way."""
    (folder / "halfawake.toml").write_text(CONFIGURATION)
    (folder / "app.log").write_text(
        "".join(f"{after(n)} INFO all is well\n" for n in range(-20, 9))
    )
    apps = range(1, APPS + 1)
    nights = {"2026-03-12": [*apps], "2026-03-13": [*apps, *apps], "2026-03-14": [*apps[:5]]}
    with sqlite3.connect(folder / "app.db") as base:
        base.execute("CREATE TABLE apps (id INTEGER PRIMARY KEY, created_at TIMESTAMP)")
        base.execute(
            "CREATE TABLE backups (id INTEGER PRIMARY KEY, app_id INT REFERENCES apps (id), "
            "night TEXT, created_at TIMESTAMP)"
        )
        base.execute("CREATE INDEX by_creation ON backups (created_at)")
        base.executemany("INSERT INTO apps VALUES (?, ?)", [(n, after(-9000)) for n in apps])
        for place, (night, done) in enumerate(nights.items()):
            rows = [(app, night, after(4 * place - 15 + n / 20)) for n, app in enumerate(done)]
            told = "INSERT INTO backups (app_id, night, created_at) VALUES (?, ?, ?)"
            base.executemany(told, rows)


def halfawake(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "halfawake", *words]
    path = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "HOME": str(folder)}
    done = subprocess.run(
        command, cwd=folder, env=path, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout, done.stderr
    return done.stdout


def test_half_a_night_and_a_doubled_one_are_told_by_their_names(tmp_path: Path) -> None:
    written(tmp_path)
    now = NOON.strftime("%Y-%m-%d %H:%M:%SZ")
    found = halfawake(tmp_path, "findings", now)
    assert "partial-batch: Backups of 2026-03-14 stopped at" in found, found
    assert "with 5 of 12 done: 7 without a sign" in found  # SQLite shows rows as they are now
    assert "backups of 2026-03-13" in found.lower()
    assert "2026-03-12" not in found
    listed = csv.DictReader(io.StringIO(halfawake(tmp_path, "export", now, "--format", "keys")))
    left = [line["key"] for line in listed if line["finding"] == "partial-batch"]
    assert left == [f"app:{number}" for number in range(6, 13)]
