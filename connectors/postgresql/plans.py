"""Reads EXPLAIN's answer: which indexes a statement would use, what it would cost, and whether
it would read something large from end to end. Nothing is executed for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SCAN_COST_PAGES = 20_480
"""A whole scan of more than 160 MiB (8 KiB pages at seq_page_cost 1) is not started."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner says of one statement. `rows` and `cost` are its estimates."""

    indexes: tuple[str, ...]
    rows: int | None
    cost: float | None
    scans_everything: bool

    @property
    def costly(self) -> bool:
        """As dear as a scan that is refused: an index on the wrong column first, for example."""
        return self.cost is not None and self.cost > SCAN_COST_PAGES


def plan_of(answer: object) -> Plan:
    """The plan in the rows of `EXPLAIN (FORMAT JSON)`, which the driver has already unpacked."""
    nodes = list(_nodes(answer))
    top = nodes[0] if nodes else {}
    rows, cost = top.get("Plan Rows"), top.get("Total Cost")
    names = (node.get("Index Name") for node in nodes)
    return Plan(
        indexes=tuple(dict.fromkeys(name for name in names if isinstance(name, str))),
        rows=int(rows) if isinstance(rows, int | float) else None,
        cost=float(cost) if isinstance(cost, int | float) else None,
        scans_everything=any(_is_whole_scan(node) for node in nodes),
    )


def whole_scans(answer: object) -> Iterator[str]:
    """Every large table that would be read from end to end."""
    for node in _nodes(answer):
        if isinstance(table := node.get("Relation Name"), str) and _is_whole_scan(node):
            yield table


def _nodes(part: object) -> Iterator[dict[object, object]]:
    """Every node of a plan, the outermost first."""
    if isinstance(part, dict):
        if "Node Type" in part:
            yield part
        for inner in part.values():
            yield from _nodes(inner)
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for inner in part:
            yield from _nodes(inner)


def _is_whole_scan(node: dict[object, object]) -> bool:
    kind, cost = node.get("Node Type"), node.get("Total Cost")
    if not isinstance(kind, str) or not isinstance(cost, int | float):
        return False
    narrowed = "Index Cond" in node or "Recheck Cond" in node
    return kind.endswith("Scan") and not narrowed and cost > SCAN_COST_PAGES
