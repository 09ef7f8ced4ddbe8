"""Nested containers: taken apart, put together, named."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import ShapeError
from chainrule.tracing.trees import flatten, flatten_like, map_leaves, paths, unflatten

Pair = namedtuple("Pair", ["left", "right"])

TREES = st.recursive(
    st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)
        | st.builds(Pair, inner, inner)
        | st.none()
    ),
    max_leaves=12,
)


@given(TREES)
def test_taking_apart_and_putting_together_is_the_identity(tree):
    leaves, structure = flatten(tree)
    assert structure.leaves == len(leaves)
    again = unflatten(structure, leaves)
    assert again == tree
    assert type(again) is type(tree)
    assert flatten_like(structure, tree) == leaves
    names = paths(structure, "p")
    assert len(names) == len(leaves) == len(set(names))
    assert map_leaves(lambda a, b: (a, b)[0], tree, tree) == tree


def test_paths_are_written_as_one_would_write_them():
    tree = {"hidden": {"weight": 1.0}, "layers": [2.0, (3.0,)], "pair": Pair(4.0, 5.0)}
    _, structure = flatten(tree)
    assert paths(structure) == ["hidden.weight", "layers[0]", "layers[1][0]", "pair.left", "pair.right"]
    assert paths(structure, "p")[0] == "p.hidden.weight"
    assert paths(flatten(1.0)[1], "x") == ["x"]


def test_dicts_match_in_any_order_and_keep_their_own():
    _, structure = flatten({"a": 1.0, "b": 2.0})
    assert flatten_like(structure, {"b": 20.0, "a": 10.0}) == [10.0, 20.0]
    assert list(unflatten(structure, [1.0, 2.0])) == ["a", "b"]
    ordered = OrderedDict(b=1.0, a=2.0)
    assert unflatten(flatten(ordered)[1], [3.0, 4.0]) == OrderedDict(b=3.0, a=4.0)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (1.0, r"the argument should be a dict with \['a', 'b'\] and is a float"),
        ({"a": 1.0}, r"should be a dict with \['a', 'b'\] and is a dict with \['a'\]"),
        ({"a": 1.0, "b": 2.0}, r"the argument\['b'\] should be a list with \[0, 1\] and is a float"),
        ({"a": [1.0], "b": [1.0, 2.0]}, r"the argument\['a'\] should be one array and is a list"),
        ({"a": 1.0, "b": [1.0]}, r"the argument\['b'\] should be a list with \[0, 1\] and is a list with \[0\]"),
        ({"a": 1.0, "b": (1.0, 2.0)}, r"\['b'\] should be a list with \[0, 1\] and is a tuple"),
    ],
)
def test_containers_of_another_form_are_named(tree, message):
    _, structure = flatten({"a": 1.0, "b": [2.0, 3.0]})
    with pytest.raises(ShapeError, match=message):
        flatten_like(structure, tree)


def test_arrays_are_leaves():
    x = np.ones((2, 2))
    leaves, structure = flatten([x])
    assert leaves[0] is x
    assert structure.leaves == 1
