"""Layered layout: directed graphs without cycles, in columns from left to right.

The method is Sugiyama's, in its usual four steps: nodes into columns, long edges into bends (one chain of bends for
all edges of a node), an order in every column with few crossings, and heights. Heights are exact where the usual
heuristics are not: Σ weight·(difference of heights)² over the edges is least, under the condition that nothing
overlaps. Column by column that is a monotone regression, solved by pooling adjacent violators.

References
----------
Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", 1981.
Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs", 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chainrule.explanation.drawing.scene import Point

ORDERINGS, SWEEPS = 12, 30


@dataclass(frozen=True)
class Node:
    """A box to be placed: edges leave at `exit` on its right side and enter at `entries` on its left, from the top."""

    width: float
    height: float
    exit: float
    entries: tuple[float, ...] = ()


@dataclass(frozen=True)
class Route:
    """Where an edge runs: Bézier points as in a `Curve`, ending at the target's entry number `entry`."""

    points: tuple[Point, ...]
    entry: int


@dataclass(frozen=True)
class Layout:
    """The upper left corner of every node, the route of every edge, and the size of it all."""

    corners: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(
    nodes: Sequence[Node], edges: Sequence[tuple[int, int]], column_gap: float = 44, row_gap: float = 16
) -> Layout:
    """Places for nodes, and routes for the edges between them.

    Parameters
    ----------
    nodes : sequence of Node
        In an order in which every edge leads from an earlier to a later one. A node has an entry for every edge
        that ends there.
    edges : sequence of pairs (source, target)
        Several may join the same two nodes.
    """
    columns = _columns(len(nodes), edges)
    graph = _with_bends(nodes, edges, columns)
    _order(graph)
    heights = _heights(graph, row_gap)
    return _finish(nodes, edges, graph, heights, column_gap)


@dataclass
class _Link:
    """A part of an edge, from a column to the next; `slot` is the entry where it ends."""

    source: int
    target: int
    weight: float
    edge: int | None
    slot: int = 0


@dataclass
class _Graph:
    """Nodes and bends, the links between neighbouring columns, and the order in every column."""

    nodes: list[Node]
    column: list[int]
    links: list[_Link] = field(default_factory=list)
    order: list[list[int]] = field(default_factory=list)
    chain: list[list[int]] = field(default_factory=list)
    incoming: list[list[_Link]] = field(default_factory=list)
    outgoing: list[list[_Link]] = field(default_factory=list)


_BEND = Node(0.0, 6.0, 3.0, (3.0,))


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest way from the left for every node, and then as far to the right as shortens the edges.

    Edges of one source share their bends, so that its furthest target alone decides how long they are.
    """
    column = [0] * count
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    for node in range(count):
        column[node] = max((column[source] + 1 for source in before[node]), default=0)
    for node in reversed(range(count)):
        if not after[node]:
            continue
        latest = min(column[target] for target in after[node]) - 1
        longer = 0
        for source in set(before[node]):
            others = max((column[target] for target in after[source] if target != node), default=column[node])
            longer += max(0, latest - max(others, column[node]))
        if longer < latest - column[node]:
            column[node] = latest
    return column


def _with_bends(nodes: Sequence[Node], edges: Sequence[tuple[int, int]], columns: list[int]) -> _Graph:
    """The graph with a bend in every column that an edge passes; edges of one node share their bends."""
    graph = _Graph(list(nodes), list(columns))
    chains: list[list[int]] = [[i] for i in range(len(nodes))]  # the node, then its bends, column by column
    for index, (source, target) in enumerate(edges):
        chain = chains[source]
        while columns[source] + len(chain) < columns[target]:
            bend = len(graph.nodes)
            graph.nodes.append(_BEND)
            graph.column.append(columns[source] + len(chain))
            graph.links.append(_Link(chain[-1], bend, 8.0 if len(chain) > 1 else 3.0, None))
            chain.append(bend)
        start = chain[columns[target] - columns[source] - 1]
        graph.links.append(_Link(start, target, 1.0 if start == source else 3.0, index))
    graph.chain = chains
    graph.order = [[] for _ in range(max(graph.column, default=-1) + 1)]
    for node, column in enumerate(graph.column):
        graph.order[column].append(node)
    graph.incoming = [[] for _ in graph.nodes]
    graph.outgoing = [[] for _ in graph.nodes]
    for link in graph.links:
        graph.incoming[link.target].append(link)
        graph.outgoing[link.source].append(link)
    return graph


def _order(graph: _Graph) -> None:
    """Barycentres forwards and backwards, neighbours exchanged where that helps; the best order seen is kept."""
    place = _places(graph.order)
    best, fewest = [list(column) for column in graph.order], _crossings(graph, place)
    for sweep in range(ORDERINGS):
        if not fewest:
            break
        forwards = sweep % 2 == 0
        for column in graph.order if forwards else reversed(graph.order):
            links = graph.incoming if forwards else graph.outgoing
            column.sort(key=lambda node: _barycentre(node, links[node], place, forwards))
            place.update((node, i) for i, node in enumerate(column))
        _exchange(graph, place)
        crossings = _crossings(graph, place)
        if crossings < fewest:
            best, fewest = [list(column) for column in graph.order], crossings
    graph.order = best
    place = _places(best)
    for node, incoming in enumerate(graph.incoming):
        if graph.nodes[node].entries:
            incoming.sort(key=lambda link: place[link.source])
            for slot, link in enumerate(incoming):
                link.slot = slot


def _places(order: list[list[int]]) -> dict[int, int]:
    return {node: i for column in order for i, node in enumerate(column)}


def _barycentre(node: int, links: list[_Link], place: dict[int, int], forwards: bool) -> float:
    ends = [place[link.source if forwards else link.target] for link in links]
    return sum(ends) / len(ends) if ends else float(place[node])


def _crossings(graph: _Graph, place: dict[int, int]) -> int:
    """How many pairs of links cross: inversions, counted while inserting."""
    total = 0
    for column in graph.order:
        seen: list[int] = []
        for node in column:
            ends = sorted(place[link.target] for link in graph.outgoing[node])
            total += sum(1 for end in ends for other in seen if other > end)
            seen += ends
    return total


def _exchange(graph: _Graph, place: dict[int, int]) -> None:
    """Neighbours change places while that takes away crossings."""
    for column in graph.order:
        for i in range(len(column) - 1):
            upper, lower = column[i], column[i + 1]
            if _crossed(graph, place, upper, lower) > _crossed(graph, place, lower, upper):
                column[i], column[i + 1] = lower, upper
                place[lower], place[upper] = i, i + 1


def _crossed(graph: _Graph, place: dict[int, int], upper: int, lower: int) -> int:
    """Crossings among the links of two neighbours, if they stand in this order."""
    total = 0
    for links, end in ((graph.incoming, "source"), (graph.outgoing, "target")):
        above = [place[getattr(link, end)] for link in links[upper]]
        below = [place[getattr(link, end)] for link in links[lower]]
        total += sum(1 for a in above for b in below if a > b)
    return total


def _heights(graph: _Graph, gap: float) -> list[float]:
    """The upper edge of every node: links as level as they can be without overlaps."""
    top = [0.0] * len(graph.nodes)
    for column in graph.order:
        y = 0.0
        for node in column:
            top[node] = y
            y += graph.nodes[node].height + gap
    for sweep in range(SWEEPS):
        for column in graph.order if sweep % 2 == 0 else reversed(graph.order):
            wishes = [_wish(graph, top, node) for node in column]
            _settle(graph, top, column, wishes, gap)
    highest = min(top, default=0.0)
    return [y - highest for y in top]


def _wish(graph: _Graph, top: list[float], node: int) -> tuple[float, float]:
    """Where a node's links would have it, and how much they ask for that."""
    box, total, weight = graph.nodes[node], 0.0, 1e-6
    for link in graph.incoming[node]:
        total += link.weight * (top[link.source] + graph.nodes[link.source].exit - box.entries[link.slot])
        weight += link.weight
    for link in graph.outgoing[node]:
        total += link.weight * (top[link.target] + graph.nodes[link.target].entries[link.slot] - box.exit)
        weight += link.weight
    return (total + 1e-6 * top[node]) / weight, weight


def _settle(graph: _Graph, top: list[float], column: list[int], wishes: list[tuple[float, float]], gap: float) -> None:
    """Heights nearest to the wishes among those that keep the order and the gaps (pool adjacent violators)."""
    offsets, offset = [], 0.0
    pools: list[list[float]] = []  # Σ weight·wish, Σ weight, number of nodes
    for node, (wish, weight) in zip(column, wishes, strict=True):
        offsets.append(offset)
        pools.append([weight * (wish - offset), weight, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
        offset += graph.nodes[node].height + gap
    settled = [total / weight for total, weight, count in pools for _ in range(int(count))]
    for node, offset, y in zip(column, offsets, settled, strict=True):
        top[node] = y + offset


def _finish(
    nodes: Sequence[Node], edges: Sequence[tuple[int, int]], graph: _Graph, top: list[float], gap: float
) -> Layout:
    """Columns put side by side, and routes drawn through the bends."""
    left, right, x = [], [], 0.0
    for i, column in enumerate(graph.order):
        crowd = sum(len(graph.outgoing[node]) for node in graph.order[i - 1]) if i else 0
        x += min(70.0, 3.0 * max(0, crowd - 4)) if i else 0.0
        left.append(x)
        x += max(graph.nodes[node].width for node in column)
        right.append(x)
        x += gap
    corners = tuple((left[graph.column[i]], top[i]) for i in range(len(nodes)))
    slots = {link.edge: link.slot for link in graph.links if link.edge is not None}
    routes = []
    for index, (source, target) in enumerate(edges):
        entry = slots[index]
        points: list[Point] = [(corners[source][0] + nodes[source].width, top[source] + nodes[source].exit)]
        _level(points, right[graph.column[source]])
        for bend in graph.chain[source][1 : graph.column[target] - graph.column[source]]:
            _swing(points, (left[graph.column[bend]], top[bend] + _BEND.exit))
            _level(points, right[graph.column[bend]])
        _swing(points, (corners[target][0], top[target] + nodes[target].entries[entry]))
        routes.append(Route(tuple(points), entry))
    height = max((top[i] + nodes[i].height for i in range(len(nodes))), default=0.0)
    bends = max((top[i] + _BEND.height for i in range(len(nodes), len(graph.nodes))), default=0.0)
    return Layout(corners, tuple(routes), right[-1] if right else 0.0, max(height, bends))


def _level(points: list[Point], x: float) -> None:
    """Straight on to `x`."""
    (x0, y) = points[-1]
    if x > x0:
        points += [(x0 + (x - x0) / 3, y), (x - (x - x0) / 3, y), (x, y)]


def _swing(points: list[Point], end: Point) -> None:
    """To the end in an S that leaves and arrives level."""
    (x0, y0), (x1, y1) = points[-1], end
    middle = (x0 + x1) / 2
    points += [(middle, y0), (middle, y1), end]
