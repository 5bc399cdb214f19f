"""Logging as `web` does it: JSON lines with the field names of the Elastic Common Schema."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

from .settings import Settings

FIELDS = ("request_id", "user_id", "order_id", "job_id", "batch_id")
"""What a line may carry beside its message, given by `extra`."""


class EcsFormatter(logging.Formatter):
    """One JSON object a line; a stack trace stays inside its line."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "@timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "log": {"level": record.levelname.lower(), "logger": record.name},
            "service": {"name": self._settings.service},
            "host": {"name": self._settings.host},
            "message": record.getMessage(),
        }
        line.update({name: getattr(record, name) for name in FIELDS if hasattr(record, name)})
        if record.exc_info and (error := record.exc_info[1]) is not None:
            line["error"] = {
                "type": f"{type(error).__module__}.{type(error).__qualname__}",
                "message": str(error),
                "stack_trace": "".join(traceback.format_exception(error)),
            }
        return json.dumps(line)


def log_to(settings: Settings) -> logging.Logger:
    """The service's logger, writing to its file."""
    handler = logging.FileHandler(settings.log)
    handler.setFormatter(EcsFormatter(settings))
    logger = logging.getLogger("shop.web")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    return logger
