"""Layered layout: random graphs without cycles have no overlaps, and edges that end where they should."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.explanation.drawing.layout import Node, lay_out
from chainrule.explanation.drawing.scene import Box
from trying import examples


@st.composite
def graphs(draw):
    """Nodes of any size, and edges from earlier to later ones."""
    count = draw(st.integers(1, 25))
    edges = []
    for target in range(1, count):
        sources = draw(st.lists(st.integers(0, target - 1), max_size=4))
        edges += [(source, target) for source in sources]
    nodes = []
    for i in range(count):
        entries = sum(target == i for _, target in edges)
        height = draw(st.integers(10, 60)) + 14 * entries
        nodes.append(
            Node(draw(st.integers(5, 120)), height, height / 2, tuple(7.0 + 14 * entry for entry in range(entries)))
        )
    return nodes, edges


@examples(75)
@given(graphs())
def test_nothing_overlaps_and_every_edge_arrives(graph):
    nodes, edges = graph
    places = lay_out(nodes, edges)
    boxes = [Box(x, y, node.width, node.height) for (x, y), node in zip(places.corners, nodes, strict=True)]
    for a, b in itertools.combinations(boxes, 2):
        assert not a.overlaps(b, 5)
    whole = Box(0, 0, places.width, places.height)
    assert all(whole.contains(box) for box in boxes)
    used = set()
    for (source, target), route in zip(edges, places.routes, strict=True):
        start, end = route.points[0], route.points[-1]
        assert start == pytest.approx((boxes[source].x + boxes[source].width, boxes[source].y + nodes[source].exit))
        assert end == pytest.approx((boxes[target].x, boxes[target].y + nodes[target].entries[route.entry]))
        assert start[0] < end[0]
        used.add((target, route.entry))
    assert len(used) == len(edges)
    for target in range(len(nodes)):
        arriving = [route for (_, end), route in zip(edges, places.routes, strict=True) if end == target]
        arriving.sort(key=lambda route: route.entry)
        heights = [route.points[-4][1] for route in arriving]  # where the last swing begins
        assert heights == sorted(heights), "edges cross before their target"


def test_a_ladder_has_no_crossings():
    nodes = [Node(10, 10, 5, () if i < 2 else (5,)) for i in range(8)]
    places = lay_out(nodes, [(0, 3), (1, 2), (2, 5), (3, 4), (4, 7), (5, 6)])
    heights = [y for _, y in places.corners]
    upper = heights[0] < heights[1]
    assert [heights[a] < heights[b] for a, b in ((3, 2), (4, 5), (7, 6))] == [upper] * 3


def test_a_chain_is_level_and_leaves_stand_where_they_are_used():
    nodes = [
        Node(20, 20, 10),
        Node(20, 20, 10, (10,)),
        Node(20, 20, 10, (10,)),
        Node(20, 20, 10),
        Node(20, 40, 20, (10, 30)),
    ]
    places = lay_out(nodes, [(0, 1), (1, 2), (2, 4), (3, 4)])
    heights = [y for _, y in places.corners]
    assert heights[0] == pytest.approx(heights[1], abs=0.5)
    assert heights[1] == pytest.approx(heights[2], abs=0.5)
    assert places.corners[3][0] == places.corners[2][0]


def test_edges_of_one_node_share_their_way():
    """A value used far away twice goes there once."""
    nodes = (
        [Node(10, 10, 5)] + [Node(10, 30, 15, (8,)) for _ in range(3)] + [Node(10, 40, 20, (8, 20)) for _ in range(2)]
    )
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (3, 5), (0, 5)]
    places = lay_out(nodes, edges)
    first, second = places.routes[4].points, places.routes[6].points
    assert first[:-3] == second[:-3]
    assert first[-1] != second[-1]
