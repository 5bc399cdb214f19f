"""Plays a recorded cluster: answers kubectl's read commands from a folder and logs every argv.

Run as `python fake_kubectl.py FOLDER …`. The folder holds `pods.json`, `events.json`,
`logs/POD/CONTAINER.log` (and `.previous.log`) with one stamped line each, and may hold
`refuse.json`: the words to put on stderr, by the first words of a command.
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
    refused = folder / "refuse.json"
    if refused.exists():
        for start, complaint in json.loads(refused.read_text()).items():
            if " ".join(words).startswith(start):
                sys.stderr.write(complaint + "\n")
                return 1
    verbs = [word for word in words if not word.startswith("-")]
    flags = dict(word.partition("=")[::2] for word in words if word.startswith("-"))
    if verbs == ["config", "current-context"]:
        sys.stdout.write("shop-prod\n")
    elif verbs == ["version"]:
        versions = {"clientVersion": "v1.32.4", "serverVersion": "v1.31.2"}
        sys.stdout.write(json.dumps({k: {"gitVersion": v} for k, v in versions.items()}))
    elif verbs[:2] == ["auth", "can-i"]:
        allowed = verbs[2] in ("get", "list")
        sys.stdout.write("yes\n" if allowed else "no\n")
        return 0 if allowed else 1
    elif verbs[0] == "get":
        time.sleep(float((folder / "delay").read_text()) if (folder / "delay").exists() else 0)
        sys.stdout.write((folder / f"{verbs[1]}.json").read_text(encoding="utf-8"))
    elif verbs[0] == "logs":
        return _logs(folder, verbs[1].removeprefix("pod/"), flags)
    else:
        sys.stderr.write(f"error: unknown command {words}\n")
        return 1
    return 0


def _logs(folder: Path, pod: str, flags: dict[str, str]) -> int:
    before = ".previous" if "--previous" in flags else ""
    path = folder / "logs" / pod / f"{flags['--container']}{before}.log"
    if not path.exists():
        sys.stderr.write(
            f'Error from server (BadRequest): container "{flags["--container"]}" in pod "{pod}" '
            "is waiting to start: ContainerCreating\n"
        )
        return 1
    since = flags.get("--since-time", "")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if line[:19] >= since[:19])
    limit = int(flags.get("--limit-bytes", 2**40))
    sys.stdout.write(text.encode()[:limit].decode("utf-8", "ignore"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
