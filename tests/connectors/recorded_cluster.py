"""A small cluster, written by hand after what Kubernetes 1.31 answers, for `fake_kubectl`.

web runs; worker was OOM-killed at 02:07:28 and runs again; mailer crashes in a loop; a fourth pod,
gone by now, is still named by an event.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

FAKE = Path(__file__).with_name("fake_kubectl.py")
HOSTILE = "escape survives"


class Cluster:
    """Writes the folder that the fake reads; times are seconds around `pin` (ns)."""

    def __init__(self, folder: Path, pin: int) -> None:
        self.folder = folder
        self._second = pin // 1_000_000_000
        self._write_pods()
        self._write_events()
        self._write_logs()

    @property
    def program(self) -> list[str]:
        return [sys.executable, str(FAKE), str(self.folder)]

    def at(self, seconds: float) -> str:
        whole = datetime.fromtimestamp(self._second + int(seconds // 1), UTC)
        return whole.strftime("%Y-%m-%dT%H:%M:%SZ")

    def calls(self) -> list[list[str]]:
        path = self.folder / "argv.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def refuse(self, **complaints: str) -> None:
        named = {name.replace("_", " "): words for name, words in complaints.items()}
        (self.folder / "refuse.json").write_text(json.dumps(named))

    def _pod(self, name: str, *statuses: dict[str, object]) -> dict[str, object]:
        return {
            "metadata": {
                "name": name,
                "namespace": "shop",
                "creationTimestamp": self.at(-7200),
            },
            "spec": {"nodeName": "node-a"},
            "status": {
                "phase": "Running",
                "conditions": [
                    {"type": "Ready", "status": "True", "lastTransitionTime": self.at(-7190)}
                ],
                "containerStatuses": list(statuses),
            },
        }

    def _write_pods(self) -> None:
        killed = {
            "startedAt": self.at(-7195),
            "finishedAt": self.at(-12),
            "reason": "OOMKilled",
            "exitCode": 137,
        }
        crashed = {**killed, "reason": "Error", "exitCode": 1, "finishedAt": self.at(10)}
        web = {"name": "app", "restartCount": 0, "state": {"running": {"startedAt": self.at(-60)}}}
        worker = {
            "name": "app",
            "restartCount": 1,
            "state": {"running": {"startedAt": self.at(-11)}},
            "lastState": {"terminated": killed},
        }
        mailer = {
            "name": "app",
            "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": crashed},
        }
        pods = [
            self._pod("web-6f9c-x2", web),
            self._pod("worker-77d-k1", worker),
            self._pod("mailer-5c-z9", mailer),
        ]
        self._list("pods", pods)

    def _write_events(self) -> None:
        def event(name: str, reason: str, pod: str, message: str, **more: object) -> object:
            return {
                "metadata": {"name": f"{pod}.{name}", "namespace": "shop"},
                "involvedObject": {"kind": "Pod", "namespace": "shop", "name": pod},
                "reason": reason,
                "message": message,
                "type": "Normal" if reason == "Killing" else "Warning",
                "source": {"component": "kubelet", "host": "node-a"},
                **more,
            }

        repeated = {
            "firstTimestamp": self.at(-300), "lastTimestamp": self.at(20), "count": 12,
        }  # fmt: skip
        once = {"firstTimestamp": self.at(-90), "lastTimestamp": self.at(-90), "count": 1}
        fine = {"firstTimestamp": None, "eventTime": self.at(-5).replace("Z", ".250000Z")}
        self._list(
            "events",
            [
                event("a", "BackOff", "mailer-5c-z9", "Back-off restarting", **repeated),
                event("b", "Killing", "web-6f9c-old", "Stopping container app", **once),
                event(
                    "c", "Unhealthy", "web-6f9c-x2", "Readiness probe failed: user_id=4711", **fine
                ),
            ],
        )

    def _write_logs(self) -> None:
        for pod, name, seconds in (
            ("web-6f9c-x2", "app", range(-59, 30)),
            ("worker-77d-k1", "app", range(-10, 30)),
            ("worker-77d-k1", "app.previous", range(-100, -12)),
            ("mailer-5c-z9", "app", range(5, 10)),
        ):
            path = self.folder / "logs" / pod / f"{name}.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = []
            for second in seconds:
                stamp = self.at(second).replace("Z", ".000000001Z")
                text = json.dumps(
                    {
                        "time": self.at(second).replace("Z", ".500Z"),
                        "level": "error" if second == -13 else "info",
                        "msg": f"{name} of user_id={100 + second}",
                    }
                )
                if (pod, second) == ("web-6f9c-x2", -2):
                    text = text.replace("app of", f"\\u001b[31m\\u202e {HOSTILE}")
                lines.append(f"{stamp} {text}\n")
            path.write_text("".join(lines), encoding="utf-8")

    def _list(self, kind: str, items: list[object] | list[dict[str, object]]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"kind": "List", "items": items})
        (self.folder / f"{kind}.json").write_text(text, encoding="utf-8")
