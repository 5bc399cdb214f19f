"""The current context of a kubeconfig, read line by line: no YAML is loaded, nothing is run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from connectors.discovery import Candidate, Place

_CURRENT = re.compile(
    r"""^["']?current-context["']?\s*:\s*(?:"([^"]*)"|'([^']*)'|([^\s#]+))""", re.M
)
LOCAL_CONTEXT = re.compile(r"kind-.*|k3d-.*|minikube|docker-desktop|rancher-desktop|colima.*")
"""Names that the tools for clusters on one's own machine give their contexts."""


def candidates_in(place: Place) -> Iterator[Candidate]:
    """The current context, from the files of KUBECONFIG or from ~/.kube/config."""
    given = place.variables.get("KUBECONFIG", "")
    paths = [Path(part) for part in given.split(os.pathsep) if part]
    found_in = "the variable KUBECONFIG" if paths else "~/.kube/config"
    for path in paths or [place.home / ".kube" / "config"]:
        context = current_context(place.text(path))
        if context:
            local = LOCAL_CONTEXT.fullmatch(context) is not None
            yield Candidate("kubernetes", "kubernetes", {"context": context}, found_in, local)
            return


def current_context(text: str) -> str:
    """The value of the first `current-context:` at the beginning of a line; empty without one."""
    found = _CURRENT.search(text)
    return next((group for group in found.groups() if group), "") if found else ""
