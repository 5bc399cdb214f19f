"""The only commands that are ever sent: get, logs, version, config current-context, auth can-i.

Owns the allow-list and what kubectl's refusals mean. A command outside the list raises before a
process is started. The context is pinned at the first question and said; it is never switched.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

from connectors.kubernetes.options import KubernetesOptions
from connectors.logs.jsonshape import JsonValue
from connectors.logs.program import Program
from timeline.clean import clean
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    Unreachable,
)

ALLOWED_VERBS: tuple[tuple[str, ...], ...] = (
    ("get", "pods"),
    ("get", "events"),
    ("logs",),
    ("version",),
    ("config", "current-context"),
    ("auth", "can-i"),
)
ALLOWED_FLAGS = frozenset(
    (
        "--context", "--kubeconfig", "--namespace", "--output", "--selector", "--request-timeout",
        "--container", "--timestamps", "--since-time", "--previous", "--limit-bytes",
        "--subresource",
    )
)  # fmt: skip
MOST_JSON_BYTES = 64 * 1024 * 1024
"""Of one list of pods or events: some thousand pods."""
REQUEST_TIMEOUT_S = 10


class NotAllowed(ValueError):
    """A command that this connector never sends; a mistake in it, not in the configuration."""


def ensure_allowed(words: Sequence[str]) -> None:
    """Raise `NotAllowed` unless verb and flags are on the lists and every flag holds its value."""
    if not any(tuple(words[: len(verb)]) == verb for verb in ALLOWED_VERBS):
        raise NotAllowed(f"kubectl {' '.join(words[:2])} is not among what is ever sent")
    for word in words:
        if word.startswith("-") and word.partition("=")[0] not in ALLOWED_FLAGS:
            raise NotAllowed(f"the flag {word.partition('=')[0]} is not among what is ever sent")


class Kubectl:
    """Sends commands to one context of one kubeconfig."""

    def __init__(self, options: KubernetesOptions) -> None:
        self._options = options
        self.context = options.context
        self._pinning = asyncio.Lock()

    @property
    def where(self) -> str:
        return f"kubectl context {clean(self.context)}" if self.context else "kubectl"

    async def pin_context(self, deadline: float) -> str:
        """The context that every command is sent to. Raises `Misconfigured` when none is set."""
        async with self._pinning:
            if not self.context:
                run = self._run(["config", "current-context"], deadline, 64 * 1024)
                name = (await run.output()).decode("utf-8", "replace").strip()
                if run.code != 0 or not name:
                    raise Misconfigured(
                        f"kubectl has no current context: {run.complaint or 'it named none'}",
                        where="kubectl config current-context",
                        remedy="Set context, or choose one with kubectl config use-context.",
                    )
                self.context = name
        return self.context

    def program(self, words: Sequence[str], deadline: float, most_bytes: int) -> Program:
        """A run of an allowed command in the pinned context and namespace."""
        scope = [f"--context={self.context}"]
        if self._options.namespace:
            scope.append(f"--namespace={self._options.namespace}")
        return self._run([*words, *scope], deadline, most_bytes)

    async def listed(self, kind: str, deadline: float, *flags: str) -> list[JsonValue]:
        """The items of `kubectl get KIND --output=json`."""
        words = ["get", kind, "--output=json", f"--request-timeout={REQUEST_TIMEOUT_S}s", *flags]
        run = self.program(words, deadline, MOST_JSON_BYTES)
        output = await run.output()
        if run.stopped:
            raise Unreachable(
                f"kubectl get {kind} did not end: {run.stopped}",
                where=self.where,
                remedy="Narrow it with namespace and selector, or raise timeout_s.",
            )
        if run.code != 0:
            raise refusal(run.complaint, f"{self.where}, get {kind}")
        try:
            answer = await asyncio.to_thread(json.loads, output)
        except ValueError:
            answer = None
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise BadAnswer(
                f"kubectl get {kind} printed something that is no list",
                where=self.where,
                remedy="Is the program kubectl, or a wrapper that prints words of its own?",
            )
        return items

    async def said(self, words: Sequence[str], seconds: float) -> tuple[int | None, str, str]:
        """Exit code, output and complaint of a short command."""
        run = self.program(words, time.monotonic() + seconds, 1024 * 1024)
        output = (await run.output()).decode("utf-8", "replace")
        return run.code, output, run.complaint or run.stopped

    def _run(self, words: Sequence[str], deadline: float, most_bytes: int) -> Program:
        ensure_allowed(words)
        given = self._options.kubeconfig
        config = [f"--kubeconfig={given.expanduser()}"] if given else []
        return Program([*self._options.kubectl, *words, *config], deadline, most_bytes)


def refusal(complaint: str, where: str) -> SourceProblem:
    """What kubectl's words on stderr mean."""
    lowered = complaint.lower()
    said = complaint or "kubectl gave no reason"

    def has(*texts: str) -> bool:
        return any(text in lowered for text in texts)

    if has("forbidden"):
        return AccessRefused(
            said, where=where, remedy="The account needs get, list on pods, pods/log and events."
        )
    if has("unauthorized", "must be logged in", "getting credentials", "exec plugin", "provide cr"):
        return AccessRefused(said, where=where, remedy="Log in to the cluster again.")
    if has("too many requests", "toomanyrequests"):
        return Overloaded(
            said, where=where, remedy="The API server turns clients away: that is evidence too."
        )
    if has("certificate", "x509"):
        return AccessRefused(said, where=where, remedy="Check the cluster's entry in kubeconfig.")
    if has("context", "kubeconfig", "namespaces") and has("does not exist", "not found", "no such"):
        return Misconfigured(said, where=where, remedy="Correct context, namespace or kubeconfig.")
    return Unreachable(said, where=where, remedy="Run kubectl by hand; check VPN and context.")
