"""Nested containers: taken apart, put together, named."""

from collections import Counter, OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.tracing.trees import flatten, flatten_like, maker, map_leaves, paths, taker, unflatten

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
    made = maker(structure)(leaves)
    assert (made, type(made)) == (tree, type(tree))
    assert taker(structure)(tree) == leaves
    names = paths(structure, "p")
    assert len(names) == len(leaves) == len(set(names))
    assert map_leaves(lambda a, b: (a, b)[0], tree, tree) == tree


def test_keys_that_python_calls_equal_stay_themselves():
    for key in (1, True, 1.0):
        leaves, structure = flatten({key: 2.0, "b": 3.0})
        (found, _) = maker(structure)(leaves)
        assert type(found) is type(key)
        assert taker(structure)({key: 2.0, "b": 3.0}) == [2.0, 3.0]


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
        ({"a": 1.0, "b": 2.0}, r"the argument\['b'\] should be a list of 2 and is a float, 2\.0"),
        ({"a": [1.0], "b": [1.0, 2.0]}, r"the argument\['a'\] should be one array and is a list"),
        ({"a": 1.0, "b": [1.0]}, r"the argument\['b'\] should be a list of 2 and is a list of 1"),
        ({"a": 1.0, "b": (1.0, 2.0)}, r"\['b'\] should be a list of 2 and is a tuple of 2"),
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


def test_containers_that_contain_themselves_are_errors():
    own_list, own_dict, deep = [1.0], {"a": 1.0}, 1.0
    own_list.append(own_list)
    own_dict["b"] = (own_dict,)
    for _ in range(3000):
        deep = [deep]
    for tree in (own_list, own_dict, deep):
        for call in (
            lambda tree: cr.grad(lambda x: x)(tree),
            lambda tree: cr.jit(lambda x: x)(tree),
            lambda tree: cr.vjp(lambda x: tree, 1.0),
            cr.flatten,
        ):
            with pytest.raises(ShapeError, match="contains itself, or is nested more than 200 deep"):
                call(tree)


class Record(dict):
    def __init__(self, name, items=()):
        super().__init__(items)
        self.name = name


class Doubled(list):
    def __init__(self, values):
        super().__init__([*values, *values])


class Short(dict):
    def __init__(self, items):
        super().__init__([*dict(items).items()][1:])


class Moved(Pair):
    def __new__(cls, left, right):
        return super().__new__(cls, left + 1.0, right)


def test_classes_derived_from_pythons_containers_are_whole_or_errors():
    x = np.float64(3.0)
    for tree in (defaultdict(lambda: 7.0, a=x), Counter(a=x, b=2.0), OrderedDict(a=x)):
        found = cr.value_and_grad(lambda tree: tree["a"] ** 2 * sum(tree.values()))(tree)
        total = sum(tree.values())
        assert found[0] == 9 * total
        assert type(found[1]) is type(tree)
        assert found[1]["a"] == 6 * total + 9
    assert cr.grad(lambda tree: tree["a"] * tree["not there"])(defaultdict(lambda: 7.0, a=x)) == {"a": 7.0}
    for tree in (Record("name", {"a": x}), Doubled([x]), Short({"a": x, "b": x}), Moved(1.5, x)):
        with pytest.raises(
            SettingError, match=r"besides what is inside|of what is inside alone.*chainrule\.register_container"
        ):
            cr.grad(lambda tree: x)(tree)


@pytest.mark.parametrize("keys", [(True, 1, 1.0), (np.float32(1), np.float64(1)), ((0.0,), (-0.0,))])
def test_compiled_code_of_an_equal_key_is_not_that_of_another(keys):
    def function(tree):
        ((key, value),) = tree.items()
        return value * (len(repr(key)) + (type(key) is np.float32))

    compiled = cr.jit(function)
    for key in keys:
        assert compiled({key: 2.0}) == function({key: 2.0})
