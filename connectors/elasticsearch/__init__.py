"""Elasticsearch and OpenSearch: log records of one index pattern, read by search alone.

One connector for both: the differences are a small table (`dialect`), everything that may be sent
is a list (`requests`), and a document becomes an event in one place (`documents`).
"""

from __future__ import annotations

from connectors.elasticsearch.connector import ElasticsearchConnector
from connectors.elasticsearch.options import ElasticsearchOptions

__all__ = ["ElasticsearchConnector", "ElasticsearchOptions"]
