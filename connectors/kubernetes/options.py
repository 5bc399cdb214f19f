"""What a person may configure for a Kubernetes source (unknown keys are refused)."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

EVENT_TTL_S = 3_600
"""How long the API server keeps events unless told otherwise (kube-apiserver `--event-ttl`)."""
MAX_CONTAINERS = 60
"""One run of kubectl for each: more cost minutes and say little more about one incident."""
TIMEOUT_S = 30.0


class KubernetesOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "kubernetes"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    context: str = ""
    """A context of the kubeconfig. Empty takes the one that is current at the first question and
    keeps to it."""
    namespace: str = ""
    """Empty takes the namespace of the context."""
    selector: str = ""
    """A label selector for pods: `app=web,tier!=cache`."""
    logs: bool = True
    events: bool = True
    max_containers: int = Field(default=MAX_CONTAINERS, ge=1, le=1_000)
    event_ttl_s: int = Field(default=EVENT_TTL_S, ge=60)
    zone: str = ""
    """Zone of stamps inside the lines that carry none; UTC is assumed without."""
    kubectl: tuple[str, ...] = ("kubectl",)
    """The program and what must follow it: `["oc"]`, `["microk8s", "kubectl"]`."""
    kubeconfig: Path | None = None
    timeout_s: float = Field(default=TIMEOUT_S, gt=0, le=600)

    @field_validator("kubectl")
    @classmethod
    def _a_program(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not value[0].strip():
            raise ValueError("name the program, such as ['kubectl']")
        return value

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        from connectors.logs.zones import ZoneRule

        ZoneRule.named(zone)
        return zone
