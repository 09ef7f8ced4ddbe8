"""Drawings as JSON: every number with its key, and under that key the library has the very number."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explanation.drawing.palette import depths


def shapes_in(shapes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for shape in shapes:
        yield shape
        yield from shapes_in(shape.get("shapes", []))


def array_by(key: str, network: cr.Network, data: tuple[Any, Any]) -> Any:
    """The array that a key's number is in."""
    evaluation = network.evaluation(*data, loss="mse").evaluation
    x = evaluation.variable(key.removeprefix("∂L/∂").partition("[")[0])
    return np.asarray((evaluation.cotangents if key.startswith("∂") else evaluation.values)[x])


def number_by(key: str, network: cr.Network, data: tuple[Any, Any]) -> float:
    """What the library says of a key."""
    index = key.removesuffix("]").partition("[")[2]
    place = tuple(int(i) for i in index.split(",")) if index else ()
    return float(array_by(key, network, data)[place])


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("rows", [1, 4])
def test_numbers_are_those_of_their_keys(depth: int, rows: int) -> None:
    random = np.random.default_rng(depth)
    network = cr.Network([cr.Dense(20, "tanh", name="h"), cr.Dense(2, name="o")], dtype="float64").build(3)
    data = random.normal(size=(rows, 3)), random.normal(size=(rows, 2))
    picture = json.loads(network.draw(*data, loss="mse", depth=depth).to("json"))
    assert (picture["version"], picture["kind"]) == (1, "drawing")
    keys = set()
    for shape in shapes_in(picture["shapes"]):
        if shape["shape"] == "text" and "key" in shape:
            keys.add(shape["key"])
            assert shape["value"] == pytest.approx(number_by(shape["key"], network, data), rel=1e-15)
        if shape["shape"] == "heatmap" and "cells" in shape:
            check_cells(shape, network, data)
            keys.add(shape["cells"]["key"])
    assert "L" in keys
    assert any("weight" in key for key in keys)
    assert ("h.a[0, 1]" in keys) == (rows == 1 and depth > 1)  # means over rows are no one's number


def check_cells(heat: dict[str, Any], network: cr.Network, data: tuple[Any, Any]) -> None:
    """Cells that stand for one number each have its depth."""
    cells = heat["cells"]
    found = np.frombuffer(base64.b64decode(heat["depths"]), np.int8).reshape(heat["rows"], heat["columns"])
    keys = [
        cells["key"].format(r * cells["width"] + c) if cells["width"] else cells["key"].format(r, c)
        for r in cells["rows"]
        for c in cells["columns"]
    ]
    numbers = np.array([number_by(key, network, data) for key in keys])
    whole = array_by(cells["key"], network, data)
    assert (found.ravel() == depths(numbers, np.abs(whole).max())).all()


def test_values_have_keys() -> None:
    a, b = cr.values(a=2.0, b=np.array([1.0, -3.0]))
    total = ((a * b).named("e") ** 2).named("s").sum().named("L")
    total.backward()
    picture = json.loads(total.draw().to("json"))
    found = {x["key"]: x["value"] for x in shapes_in(picture["shapes"]) if x["shape"] == "text" and "key" in x}
    assert found["a"] == 2.0
    assert found["∂L/∂a"] == a.grad
    assert [found["∂L/∂b[0]"], found["∂L/∂b[1]"]] == list(b.grad)
    assert found["e[1]"] == -6.0


def test_svg_is_a_form_too() -> None:
    drawing = cr.Network([cr.Dense(1)]).build(2).draw()
    assert drawing.to("svg") == drawing.svg
    with pytest.raises(cr.ChainruleError, match="json, svg"):
        drawing.to("png")
