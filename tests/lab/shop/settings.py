"""What a service of the shop is told by its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One process of one service. `measured` is the file of its own account; see that module."""

    service: str
    host: str
    log: Path
    measured: Path
    database_url: str
    redis_url: str
    smtp_port: int
    http_port: int

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the variables that whoever deploys the shop sets. Raises KeyError."""
        given = os.environ
        return cls(
            service=given["SHOP_SERVICE"],
            host=given["SHOP_HOST"],
            log=Path(given["SHOP_LOG"]),
            measured=Path(given["SHOP_MEASURED"]),
            database_url=given["SHOP_DATABASE_URL"],
            redis_url=given["SHOP_REDIS_URL"],
            smtp_port=int(given["SHOP_SMTP_PORT"]),
            http_port=int(given["SHOP_HTTP_PORT"]),
        )
