"""What every search of a source is limited to, whatever else it asks: services, and live tiers.

On an index that many teams share, `services` is not a convenience: it keeps each search to one's
own records. The frozen tier is left alone unless asked for, and what it may hold is said.
"""

from __future__ import annotations

from connectors.answers import items, text
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.dialect import Dialect
from connectors.elasticsearch.fields import FieldMap
from connectors.elasticsearch.options import ElasticsearchOptions, Flavor
from connectors.elasticsearch.queries import NOT_FROZEN, Query, Stretch, any_value, in_frozen_tier
from connectors.elasticsearch.requests import Request, on
from timeline.clean import clean
from timeline.problems import Misconfigured

TIERS_SINCE = (7, 10)
"""First Elasticsearch with data tiers and the field `_tier`."""


def always(fields: FieldMap, options: ElasticsearchOptions, dialect: Dialect) -> tuple[Query, ...]:
    """The conditions of every search. Raises `Misconfigured` where services cannot be told."""
    found: list[Query] = []
    if options.services:
        if not fields.service:
            raise Misconfigured(
                f"services is set, but no field of {options.index!r} can be searched by service",
                where="services",
                remedy="Set service_field to a keyword field that names the service.",
            )
        found.append(any_value(fields.service, list(options.services)))
    tiers = dialect.flavor is Flavor.ELASTICSEARCH and dialect.version >= TIERS_SINCE
    if tiers and not options.frozen:
        found.append(NOT_FROZEN)
    return tuple(found)


def scope_told(options: ElasticsearchOptions) -> str:
    """What the configuration leaves out, as a sentence; "" when it leaves nothing out."""
    if not options.services:
        return ""
    names = ", ".join(clean(name) for name in options.services)
    return f"Only records of {names} are asked for, as configured"


def frozen_indices(index: str, fields: FieldMap, stretch: Stretch) -> Request:
    """Ask which indices of the frozen tier may hold records of the stretch; searches none."""
    query = in_frozen_tier(fields.time, stretch)
    path = on(index, "_field_caps")
    return Request("POST", path, {"fields": fields.time.name}, {"index_filter": query})


def left_alone(reply: Reply) -> str:
    """Why records may be missing: the frozen tier was not searched; "" when it holds none."""
    names = [clean(text(name)) for name in items((reply.content or {}).get("indices"))]
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"the frozen tier was not searched ({names[0]}{more}); set frozen = true to do so"
