"""Links to Datadog's pages of logs, traces, monitors and dashboards: `from_ts`, `to_ts` in ms."""

from __future__ import annotations

from timeline.pasted.contract import Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    host_of,
    keys_in,
    named,
    pairs_in,
)
from timeline.pasted.links import parameters, range_of, sole_link


def understood(text: str) -> Pasted | None:
    link = sole_link(text)
    if not link or not host_of(link).endswith(("datadoghq.com", "datadoghq.eu", "ddog-gov.com")):
        return None
    found = {name: values[0] for name, values in parameters(link).items()}
    begin = found.get("from_ts") or found.get("start", "")
    end = found.get("to_ts") or found.get("end", "")
    instants, remarks = range_of(begin, end)
    if found.get("live") == "true":
        instants, remarks = (), ("the link shows a live view, whose range moves on",)
    query = found.get("query", "")
    said = pairs_in(query)
    return Pasted(
        "Datadog link",
        instants=instants,
        service=named(said, SERVICE_NAMES),
        environment=named(said, ENVIRONMENT_NAMES),
        keys=keys_in(query.replace("@", "")),
        filters=(query,) if query else (),
        links=(link,),
        remarks=remarks,
    )
