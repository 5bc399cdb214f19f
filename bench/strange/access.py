"""Access logs of proxies and balancers: paths, queries and agents that hardly come twice.

One answer in a hundred is a 404 and one in a thousand a 503, all day long.
"""

from __future__ import annotations

from bench.strange.shape import Moment, Sample, Shape

CLF = "%d/%b/%Y:%H:%M:%S +0000"
_WORDS = (
    "atlas", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron",
    "islet", "juno", "krill", "lotus", "maple", "nadir", "onyx", "pearl",
)  # fmt: skip


def path(at: Moment) -> str:
    """A path with a slug and an id of its own, and a query that no other request has."""
    slug = "-".join(at.one_of(*_WORDS) for _ in range(3))
    return (
        f"/{at.one_of('shop', 'blog', 'api/v2', 'media')}/{slug}/{at.below(9_000_000)}"
        f"?utm_id={at.id(32)}&page={at.below(90)}&q={at.one_of(*_WORDS)}%20{at.below(5_000)}"
    )


def agent(at: Moment) -> str:
    """A browser whose build numbers differ from visitor to visitor."""
    return (
        f"Mozilla/5.0 (X11; Linux x86_64; rv:{at.below(60) + 90}.0) Gecko/20100101"
        f" Firefox/{at.below(60) + 90}.{at.below(9)}.{at.below(4_000)}"
    )


def status(at: Moment) -> int:
    """Mostly 200; at every hour as many 404 and 503 as in any other."""
    drawn = at.below(1_000)
    return 503 if drawn == 0 else 404 if drawn < 11 else 301 if drawn < 60 else 200


def _nginx(at: Moment) -> str:
    return (
        f'{at.address()} - - [{at.text(CLF)}] "{at.one_of("GET", "GET", "POST")} {path(at)}'
        f' HTTP/1.1" {status(at)} {at.below(90_000)} "https://www.example.org{path(at)}"'
        f' "{agent(at)}"'
    )


def _apache(at: Moment) -> str:
    return (
        f"www{at.below(9)}.example.org:443 {at.address()} - u{at.below(900_000)} [{at.text(CLF)}]"
        f' "GET {path(at)} HTTP/2.0" {status(at)} {at.below(90_000)} "-" "{agent(at)}"'
    )


def _haproxy(at: Moment) -> str:
    clock = f"{at.text('%d/%b/%Y:%H:%M:%S')}.{at.when.microsecond // 1000:03d}"
    return (
        f"{at.text('%b %d %H:%M:%S')} lb-{at.below(2)} haproxy[{900 + at.below(4)}]:"
        f" {at.address()}:{at.below(60_000)} [{clock}] https~ be_app/app{at.below(40)}"
        f" 0/0/{at.below(3)}/{at.below(400)}/{at.below(500)} {status(at)} {at.below(90_000)} - -"
        f' ---- {at.below(900)}/{at.below(900)}/{at.below(40)}/0/0 0/0 "GET {path(at)} HTTP/1.1"'
    )


def _envoy(at: Moment) -> str:
    took = at.below(900)
    return (
        f'[{at.iso}] "GET {path(at)} HTTP/2" {status(at)} - via_upstream - "-" 0 {at.below(9_999)}'
        f' {took} {max(took - 1, 0)} "{at.address()}" "{agent(at)}" "{at.uuid()}"'
        f' "cart.example.org" "{at.address()}:8080" outbound|8080||cart.shop.svc.cluster.local'
        f" {at.address()}:{at.below(60_000)} {at.address()}:8080 {at.address()}:41312 - default"
    )


def _iis(at: Moment) -> str:
    stem, _, query = path(at).partition("?")
    return (
        f"{at.text('%Y-%m-%d %H:%M:%S')} 10.1.0.4 GET {stem} {query} 443 - {at.address()}"
        f" {agent(at).replace(' ', '+')} - {status(at)} 0 0 {at.below(900)}"
    )


def _cloudfront(at: Moment) -> str:
    stem, _, query = path(at).partition("?")
    fields = (
        at.text("%Y-%m-%d"), at.text("%H:%M:%S"), "FRA60-P4", str(at.below(90_000)), at.address(),
        "GET", "d111111abcdef8.cloudfront.net", stem, str(status(at)), "-",
        agent(at).replace(" ", "%20"), query, "-", at.one_of("Hit", "Miss"), at.id(128),
        "www.example.org", "https", str(at.below(999)), f"0.{at.below(999):03d}", "-", "TLSv1.3",
    )  # fmt: skip
    return "\t".join(fields)


def _alb(at: Moment) -> str:
    code = status(at)
    return (
        f"h2 {at.text('%Y-%m-%dT%H:%M:%S.%f')}Z app/shop/50dc6c495c0c9188"
        f" {at.address()}:{at.below(60_000)} {at.address()}:8080 0.000 0.{at.below(999):03d} 0.000"
        f' {code} {code} {at.below(900)} {at.below(90_000)} "GET https://shop.example.org:443'
        f'{path(at)} HTTP/2.0" "{agent(at)}" TLS_AES_128_GCM_SHA256 TLSv1.3'
        f" arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop/73e2d6bc24d8a067"
        f' "Root=1-69b4c0{at.id(8)}-{at.id(96)}" "shop.example.org" "-" 1'
    )


IIS_HEAD = """#Software: Microsoft Internet Information Services 10.0
#Version: 1.0
#Date: 2026-03-14 02:00:00
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip \
cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken"""
CLOUDFRONT_HEAD = """#Version: 1.0
#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id \
x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol"""

SHAPES = (
    Shape("nginx-access", _nginx),
    Shape("apache-vhosts", _apache),
    Shape("haproxy", _haproxy, Sample(services=frozenset(["haproxy"]))),
    Shape("envoy", _envoy),
    Shape("iis", _iis, head=IIS_HEAD),
    Shape("cloudfront", _cloudfront, head=CLOUDFRONT_HEAD),
    Shape("alb", _alb),
)
