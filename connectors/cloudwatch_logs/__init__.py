"""Amazon CloudWatch Logs: the events of log groups around T."""

from __future__ import annotations

from connectors.cloudwatch_logs.connector import CloudWatchLogsConnector
from connectors.cloudwatch_logs.options import CloudWatchLogsOptions

__all__ = ["CloudWatchLogsConnector", "CloudWatchLogsOptions"]
