"""What a person may configure for an SQS source."""

from __future__ import annotations

from pydantic import Field, field_validator

from connectors.aws import AWSOptions

MAX_QUEUES = 50
"""Queues read: two calls each, and eight metrics that AWS bills."""


class SQSOptions(AWSOptions):
    """`[env.E.sources.NAME]` with `connector = "sqs"`."""

    queues: tuple[str, ...] = ()
    """Names or URLs of queues; empty reads those that `prefix` lists."""
    prefix: str = ""
    """Beginning of the names to list."""
    metrics: bool = True
    """Whether CloudWatch is asked for what was then; it bills by the metric."""
    max_queues: int = Field(default=MAX_QUEUES, ge=1, le=1_000)

    @field_validator("queues")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() for name in value):
            raise ValueError("name the queues, or leave the list out")
        return value
