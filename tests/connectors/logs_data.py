"""Log groups on moto with events of our own."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from botocore.exceptions import ClientError

from tests.connectors.aws_world import act

MILLISECOND_NS = 1_000_000


def put_events(url: str, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
    """Events as (stamp in ns UTC, message), in the order of their stamps."""
    with contextlib.suppress(ClientError):  # the group is there already
        act(url, "logs", "create_log_group", logGroupName=group)
    act(url, "logs", "create_log_stream", logGroupName=group, logStreamName=stream)
    told = [{"timestamp": stamp // MILLISECOND_NS, "message": message} for stamp, message in events]
    act(url, "logs", "put_log_events", logGroupName=group, logStreamName=stream, logEvents=told)
