"""What a line says as one thing that can be counted: a request's route and answer, or its template.

A template takes every path for a variable; a request line keeps its route, because the route is
what tells requests apart. Stateless, like `timeline.templates`: the shape depends on the line only.
"""

from __future__ import annotations

import polars as pl

from timeline.facts.requests import route_of
from timeline.templates import template_of

ANSWERED = (
    r"\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*|https?://\S+?)(?: HTTP/[0-9.]+)?\"? "
    r"([1-5]\d\d)\b"
)
"""Method, target and status of an answered request, as access logs and frameworks write them."""
ASKED = r"\b(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[^\s\"]*|https?://[^\s\"]+)"


def line_shape(text: pl.Expr) -> pl.Expr:
    """`GET /orders/:id 500` of an answered request, else the line's template."""
    method, target, status = (text.str.extract(ANSWERED, group) for group in (1, 2, 3))
    request = pl.concat_str(method, route_of(target), status, separator=" ")
    return pl.coalesce(request, template_of(text))


def route_in(text: pl.Expr) -> pl.Expr:
    """`GET /orders/:id` where the line names a request, answered or not; else null."""
    return pl.concat_str(
        text.str.extract(ASKED, 1), route_of(text.str.extract(ASKED, 2)), separator=" "
    )
