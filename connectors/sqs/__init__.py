"""Amazon SQS: counts and rules of queues now, and their CloudWatch metrics around T."""

from __future__ import annotations

from connectors.sqs.connector import SQSConnector
from connectors.sqs.options import SQSOptions

__all__ = ["SQSConnector", "SQSOptions"]
