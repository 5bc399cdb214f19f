"""RabbitMQ: queue depths and rates, alarms and connections, from its management HTTP API."""

from __future__ import annotations

from connectors.rabbitmq.connector import RabbitMQConnector
from connectors.rabbitmq.options import RabbitMQOptions

__all__ = ["RabbitMQConnector", "RabbitMQOptions"]
