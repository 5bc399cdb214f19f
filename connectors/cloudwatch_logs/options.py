"""What a person may configure for a CloudWatch Logs source."""

from __future__ import annotations

from pydantic import Field, field_validator

from connectors.aws import AWSOptions

PAGE_EVENTS = 5_000
"""Events asked for at once; FilterLogEvents gives 10,000 or one megabyte at most."""
MAX_PAGE = 10_000


class CloudWatchLogsOptions(AWSOptions):
    """`[env.E.sources.NAME]` with `connector = "cloudwatch-logs"`."""

    groups: tuple[str, ...] = Field(min_length=1, max_length=20)
    """Names of log groups: `/aws/lambda/mailer`."""
    stream_prefix: str = ""
    """Beginning of the names of the streams to read."""
    pattern: str = ""
    """A filter pattern; what does not match is not read, and so not seen."""
    page_events: int = Field(default=PAGE_EVENTS, ge=1, le=MAX_PAGE)

    @field_validator("groups")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() for name in value):
            raise ValueError("name the log groups, like '/aws/lambda/mailer'")
        return value
