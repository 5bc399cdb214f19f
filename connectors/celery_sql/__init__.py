"""Celery in PostgreSQL: kombu's SQLAlchemy broker, and results kept by SQLAlchemy or Django."""

from __future__ import annotations

from connectors.celery_sql.connector import CelerySqlConnector
from connectors.celery_sql.options import CelerySqlOptions

__all__ = ["CelerySqlConnector", "CelerySqlOptions"]
