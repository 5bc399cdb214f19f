"""The store refuses the lines of one service, because a field of theirs has changed its type.

A release writes an object where the index has a number. The shipper drops every line that the
store refuses and says so in its own journal; the service works as before and nobody reads it.

A person sees it by: no line of one service in the store, host after host as the release rolls
out, while the requests that pass through it end well at the front; the shipper's own lines, which
tell of documents that were refused and dropped, about as many as are missing; the release.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.families.watched import drop_lines, said_by
from tests.score.fifth_company.harbour import Watch, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Event

SHIPPERS: dict[str, str] = {
    "filebeat": "Cannot index event publisher.Event{{Content:beat.Event{{Meta:null}}}}"
    ' (status=400): {{"type":"mapper_parsing_exception","reason":"failed to parse field'
    " [{field}] of type [long] in document with id '{doc}'\"}}, dropping event!",
    "fluentd": "dump an error event: error_class=Fluent::Plugin::ElasticsearchErrorHandler::"
    'ElasticsearchError error="400 - Rejected by Elasticsearch [error type]:'
    " document_parsing_exception [reason]: '[1:412] failed to parse field [{field}] of type [date]'"
    '" location=nil tag="app.{service}"',
    "logstash": 'Could not index event to Elasticsearch. {{:status=>400, :action=>["create",'
    ' {{:_index=>"logs-{service}"}}], :response=>{{"create"=>{{"status"=>400, "error"=>{{"type"=>'
    '"mapper_parsing_exception", "reason"=>"object mapping for [{field}] tried to parse field'
    ' [{field}] as object, but found a concrete value"}}}}}}}}',
    "fluent-bit": '[output:es:es.0] error: Output {{"took":3,"errors":true,"items":[{{'
    '"create":{{"_index":"logs-{service}","status":400,"error":{{"type":'
    '"illegal_argument_exception","reason":"mapper [{field}] cannot be changed from type [keyword]'
    ' to [float]"}}}}}}]}}',
}


def prepare(world: World) -> None:
    settle(world, central=True)


def inject(world: World) -> Truth:
    night = watch(world)
    rng, since = night.rng, night.onset_s
    lost = max(night.firm.backs, key=lambda service: said_by(night, service, 0, since))
    surroundings(night)
    version = f"2026.02.{rng.randint(1, 28)}-{rng.randint(1, 9)}"
    words = f"{lost.name} {version} rolled out"
    night.change(since - 5, words, lost.name, version=version, who="ci", status="success")
    turned = {host: since + 20.0 * place for place, host in enumerate(lost.hosts)}
    for host, at in turned.items():
        night.say(at - 6, lost, "stop", host=host)
        night.say(at, lost, "boot", {"service": lost.name, "version": version, "n": 4}, host=host)
    missing = _taken_away(night, lost, turned)
    shipper = rng.choice(sorted(SHIPPERS))
    field = rng.choice(("ctx.amount", "context.items", "labels.version", "took"))
    for at, host in missing:
        told = {"field": field, "doc": f"{rng.getrandbits(80):020x}", "service": lost.name}
        words = SHIPPERS[shipper].format(**told)
        night.log(at + rng.uniform(0.5, 4), shipper, host, words, 13, source="journal")
    last = max(turned.values()) + 1
    night.close_the_books()
    return fault(
        night,
        "blind-spot",
        night.end_s,
        also=("change-before",),
        effect=len(missing) >= 10 and said_by(night, lost, last, night.end_s) == 0,
    )


def _taken_away(night: Watch, lost: Service, turned: dict[str, float]) -> list[tuple[float, str]]:
    """Lines of the new release never arrive; when and where they were written."""
    missing: list[tuple[float, str]] = []

    def refused(event: Event, host: str) -> bool:
        if event.actor != lost.name or event.timestamp < night.at(turned.get(host, 1e9)):
            return False
        missing.append(((event.timestamp - night.start) / 1e9, host))
        return True

    drop_lines(night, refused)
    return missing
