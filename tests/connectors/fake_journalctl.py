"""Plays a recorded journal: prints `-o json` lines between --since and --until, logs every argv.

Run as `python fake_journalctl.py FOLDER …`; the folder holds `entries.jsonl` and may hold
`complaint` (for stderr) and `delay` (seconds before the first line).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> int:
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    with (folder / "argv.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(words) + "\n")
    if "--version" in words:
        sys.stdout.write("systemd 252 (252.38-1)\n+PAM +AUDIT\n")
        return 0
    complaint = folder / "complaint"
    if complaint.exists():
        sys.stderr.write(complaint.read_text() + "\n")
        if not complaint.read_text().startswith("Hint"):
            return 1
    if (folder / "delay").exists():
        time.sleep(float((folder / "delay").read_text()))
    flags = dict(word.partition("=")[::2] for word in words)
    since = int(flags.get("--since", "@0")[1:]) * 1_000_000
    until = int(flags.get("--until", f"@{2**40}")[1:]) * 1_000_000
    lines = (folder / "entries.jsonl").read_text(encoding="utf-8").splitlines()
    chosen = [
        line for line in lines if since <= int(json.loads(line)["__REALTIME_TIMESTAMP"]) <= until
    ]
    for line in reversed(chosen) if "--reverse" in words else chosen:
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
