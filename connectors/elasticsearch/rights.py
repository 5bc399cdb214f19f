"""What the account of one cluster could change, and what one look would read: asked, never tried.

Elasticsearch answers any account about its own rights (`_security/user/_has_privileges`, a read
that is spelt POST). OpenSearch's security plugin tells an account its roles and no more. Its
`perform_permission_check` is not used: a version that does not know it would do what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.answers import at, items, text, whole
from connectors.contract import Cost
from connectors.elasticsearch.answers import Reply
from connectors.elasticsearch.options import ElasticsearchOptions, Flavor
from connectors.elasticsearch.queries import Stretch, both, within
from connectors.elasticsearch.reading import Settings
from connectors.elasticsearch.requests import Request, on
from connectors.elasticsearch.transport import SearchTransport
from connectors.logs.jsonshape import JsonValue
from timeline.clean import clean
from timeline.window import Window

ON_INDICES = (
    "auto_configure",
    "create",
    "create_doc",
    "create_index",
    "delete",
    "delete_index",
    "index",
    "maintenance",
    "manage",
    "write",
)
ON_CLUSTER = (
    "manage",
    "manage_ilm",
    "manage_index_templates",
    "manage_pipeline",
    "manage_security",
)
"""Rights that change something, by names that 7.17 and 8.19 know; a server refuses the whole
question over one that it does not (Elasticsearch reference, "Security privileges")."""
FULL_ROLES = frozenset(["all_access", "admin"])
"""Roles and backend roles that OpenSearch's own configuration lets do everything."""
NAMED = 4
"""Rights named of those an account has."""
NO_HANDLER = "no handler found"
REMOTE = "indices of another cluster: what this account may do there is decided there"
NOT_SECURED = "the cluster has no security switched on: whoever reaches it can write"
IAM = (
    "AWS decides by IAM and the domain's policy, and no call of the cluster tells; check with "
    "aws iam simulate-principal-policy --action-names es:ESHttpPut es:ESHttpDelete"
)


@dataclass(frozen=True, slots=True)
class Rights:
    """`refused` as in `CheckReport.writes_refused`; `said` are the sentences it rests on."""

    refused: bool | None
    said: tuple[str, ...]


async def rights_of(
    transport: SearchTransport, settings: Settings, options: ElasticsearchOptions
) -> Rights:
    """One small request. Raises `SourceProblem` when the cluster cannot be reached."""
    if options.aws_service:
        return Rights(None, (IAM,))
    if settings.dialect.flavor is Flavor.OPENSEARCH:
        return _opensearch(await transport.ask(Request("GET", "/_plugins/_security/authinfo")))
    names = [name for name in settings.index.split(",") if not name.startswith("-")]
    if any(":" in name for name in names):
        return Rights(None, (REMOTE,))
    request = Request("POST", "/_security/user/_has_privileges", body=_question(names))
    return _elasticsearch(await transport.ask(request), names)


async def cost_of(transport: SearchTransport, settings: Settings, window: Window) -> Cost:
    """How many records of `window` there are: a count, answered from the index of the time field.

    Raises `SourceProblem`.
    """
    fields = settings.reading.fields
    stretch = Stretch.of(window.start, window.end)
    query = both(within(fields.time, stretch), *settings.always)
    reply = await transport.ask(
        Request("POST", on(settings.index, "_count"), body={"query": query})
    )
    counted = whole(at(reply.content or {}, "count")) if reply.status == 200 else None
    way = f"the range of {clean(fields.time.name)} in {len(fields.indices)} indices"
    return Cost("records of a look at now", way, counted)


def _question(names: list[str]) -> dict[str, JsonValue]:
    return {
        "cluster": list(ON_CLUSTER),
        "index": [{"names": list(names), "privileges": list(ON_INDICES)}],
    }


def _elasticsearch(reply: Reply, names: list[str]) -> Rights:
    if _is_not_there(reply):
        return Rights(False, (NOT_SECURED,))
    content = reply.content or {}
    answers = [(right, "the cluster", at(content, "cluster", right)) for right in ON_CLUSTER]
    for name in names:
        answers += [(right, clean(name), at(content, "index", name, right)) for right in ON_INDICES]
    if reply.status != 200 or any(not isinstance(has, bool) for *_, has in answers):
        said = f"the cluster did not say what this account may do (HTTP {reply.status})"
        return Rights(None, (said,))
    held = [f"{right} on {where}" for right, where, has in answers if has]
    user = clean(text(at(content, "username")))
    of = f"{len(answers)} rights to change these indices or the cluster ({user}, _has_privileges)"
    if held:
        return Rights(False, (f"of {of} it has {_few(held)}",))
    return Rights(True, (f"of {of} it has none; other indices were not asked about",))


def _opensearch(reply: Reply) -> Rights:
    if _is_not_there(reply):
        return Rights(False, (NOT_SECURED,))
    content = reply.content or {}
    if reply.status != 200:
        return Rights(None, (f"the cluster did not say whose account it is (HTTP {reply.status})",))
    both_kinds = (*items(at(content, "roles")), *items(at(content, "backend_roles")))
    roles = dict.fromkeys(clean(text(role)) for role in both_kinds)
    name, told = clean(text(at(content, "user_name"))), ", ".join(roles) or "none"
    if FULL_ROLES.intersection(roles):
        return Rights(False, (f"{name} has the roles {told}",))
    how = "an administrator sees what they allow: GET _plugins/_security/api/roles/NAME"
    return Rights(None, (f"OpenSearch tells an account its roles only: {name} has {told}; {how}",))


def _is_not_there(reply: Reply) -> bool:
    """Whether the server knows no such request: it is built or configured without security.

    Measured: 400 with `no handler found` (Elasticsearch 8.19, OpenSearch 3.8).
    """
    return reply.status == 400 and NO_HANDLER in text(at(reply.content or {}, "error"))


def _few(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
