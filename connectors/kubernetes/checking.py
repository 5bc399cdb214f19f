"""What `check` says of a cluster: the context, the versions, what the account may do."""

from __future__ import annotations

import json
import time

from connectors.contract import CheckReport
from connectors.kubernetes.commands import Kubectl, refusal
from connectors.kubernetes.options import KubernetesOptions
from connectors.kubernetes.pods import pod_of
from connectors.logs.jsonshape import JsonValue, value_at
from timeline.clean import clean
from timeline.problems import NothingHere

NEEDED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("list pods", "list", ("pods",)),
    ("read logs", "get", ("pods", "--subresource=log")),
    ("list events", "list", ("events",)),
)
WRITES: tuple[tuple[str, str], ...] = (
    ("create", "pods"),
    ("delete", "pods"),
    ("patch", "deployments"),
    ("update", "configmaps"),
)
"""Asked of the API server (a review that it stores nowhere), never tried. All four refused is
taken as an account that reads."""
KEEPS_EVENTS = "events for {seconds:,} s (kube-apiserver --event-ttl, as configured)"


async def check_cluster(source: str, kubectl: Kubectl, options: KubernetesOptions) -> CheckReport:
    """Raises `NothingHere` when there is neither a pod nor an event in the namespace."""
    del source
    seconds = options.timeout_s
    context = await kubectl.pin_context(time.monotonic() + seconds)
    code, output, complaint = await kubectl.said(["version", "--output=json"], seconds)
    if code != 0:
        raise refusal(complaint, f"{kubectl.where}, version")
    client, server = _version(output, "clientVersion"), _version(output, "serverVersion")
    cannot = [f"cannot {name}" for name, verb, what in NEEDED
              if not await _may(kubectl, verb, *what, seconds=seconds)]  # fmt: skip
    deadline = time.monotonic() + seconds
    selector = [f"--selector={options.selector}"] if options.selector else []
    items = await kubectl.listed("pods", deadline, *selector)
    pods = [pod for item in items if (pod := pod_of(item)) is not None]
    if not pods and not (options.events and await kubectl.listed("events", deadline)):
        raise NothingHere(
            "The namespace holds neither pods nor events",
            where=kubectl.where,
            remedy="Set namespace or selector.",
        )
    restarted = sum(container.restarts > 0 for pod in pods for container in pod.containers)
    facts = (
        f"context {clean(context)}; it is kept for every question and never switched",
        f"namespace {clean(options.namespace) or 'of the context'}, "
        f"selector {clean(options.selector) or 'none'}",
        f"{len(pods)} pods, {sum(len(pod.containers) for pod in pods)} containers, "
        f"{restarted} restarted at some time",
        f"kubectl {client}",
    )
    forgets = (
        "pods that are gone: their lines and status went with them",
        "rotated log files: the kubelet hands out a container's newest file only",
        "the death of a container before its last one",
    )
    asked = {f"{verb} {what}": await _may(kubectl, verb, what, seconds=seconds)
             for verb, what in WRITES}  # fmt: skip
    allowed = [name for name, may in asked.items() if may]
    return CheckReport(
        f"Kubernetes {server}",
        facts,
        (*cannot, *forgets),
        writes_refused=not allowed,
        retention=(KEEPS_EVENTS.format(seconds=options.event_ttl_s),),
        rights=(f"kubectl auth can-i {', '.join(asked)}: {', '.join(allowed) or 'no'}",),
    )


async def _may(kubectl: Kubectl, verb: str, *what: str, seconds: float) -> bool:
    """What the API server says of a right: `kubectl auth can-i` prints yes or no."""
    _, output, _ = await kubectl.said(["auth", "can-i", verb, *what], seconds)
    return output.strip().splitlines()[:1] == ["yes"]


def _version(output: str, part: str) -> str:
    try:
        answer: JsonValue = json.loads(output)
    except ValueError:
        answer = None
    found = value_at(answer, (part, "gitVersion")) if isinstance(answer, dict) else None
    return clean(str(found)) if found else "of unknown version"
