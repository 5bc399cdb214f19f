"""Metrics of a queue as SQS would send them to CloudWatch; moto sends none by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.connectors.aws_world import act
from timeline.window import MINUTE_NS, SECOND_NS


def put_metrics(url: str, queue: str, start: int, minutes: int) -> None:
    """A datapoint of every level and sum in each minute from `start` (ns UTC) on."""
    data = []
    for minute in range(minutes):
        stamp = datetime.fromtimestamp((start + minute * MINUTE_NS) / SECOND_NS, UTC)
        for metric, value in (
            ("ApproximateNumberOfMessagesVisible", 5 * minute),
            ("ApproximateNumberOfMessagesNotVisible", 3),
            ("ApproximateAgeOfOldestMessage", 60 * minute),
            ("NumberOfMessagesSent", 5),
            ("NumberOfMessagesReceived", 3),
            ("NumberOfMessagesDeleted", 0 if minute > minutes // 2 else 3),
        ):
            data.append(
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": "QueueName", "Value": queue}],
                    "Timestamp": stamp,
                    "Value": float(value),
                }
            )
    for first in range(0, len(data), 500):
        some = data[first : first + 500]
        act(url, "cloudwatch", "put_metric_data", Namespace="AWS/SQS", MetricData=some)


def create_pair(url: str, name: str) -> None:
    """A queue and `NAME-dead`, which takes its messages after three receives."""
    dead = act(url, "sqs", "create_queue", QueueName=f"{name}-dead")["QueueUrl"]
    told = act(url, "sqs", "get_queue_attributes", QueueUrl=dead, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": told["Attributes"]["QueueArn"], "maxReceiveCount": 3}
    attributes = {"RedrivePolicy": json.dumps(policy)}
    act(url, "sqs", "create_queue", QueueName=name, Attributes=attributes)
