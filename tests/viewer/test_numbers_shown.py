"""What a view shows: every number is the library's own number of its key, whatever was done before."""

import json
import math
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from trying import examples


def mazur() -> cr.View:
    """The 2-2-2 network of Matt Mazur, A Step by Step Backpropagation Example, 2015."""
    hidden = cr.Dense(2, "sigmoid", weight=[[0.15, 0.25], [0.20, 0.30]], bias=0.35, name="hidden")
    output = cr.Dense(2, "sigmoid", weight=[[0.40, 0.50], [0.45, 0.55]], bias=0.60, name="output")
    network = cr.Network([hidden, output], dtype="float64").build(2)
    return cr.view(network, [[0.05, 0.10]], [[0.01, 0.99]], loss="l2_norm", optimizer=cr.SGD(0.5), epochs=10)


def classifier() -> cr.View:
    random = np.random.default_rng(0)
    X = random.normal(size=(12, 2))
    network = cr.Network([cr.Dense(5, "relu", name="h"), cr.Dense(3, name="o")], dtype="float64", seed=3)
    return cr.view(network, X, np.arange(12) % 3, optimizer=cr.Adam(0.05), epochs=6, batch_size=5, l2=0.01)


def a_value() -> cr.View:
    a, b, c, f = cr.values(a=2.0, b=-3.0, c=np.array([10.0, 1.0]), f=-2.0)
    return cr.view((((a * b).named("e") + c).named("d").sum() * f).named("L"))


def a_function() -> cr.View:
    return cr.view(lambda w, x: np.sum(np.tanh(x @ w["W"]) ** 2), {"W": np.ones((2, 2)) / 3}, np.array([0.3, -0.2]))


VIEWS = {"mazur": mazur, "classifier": classifier, "value": a_value, "function": a_function}


def numbers_in(x: Any) -> Iterator[tuple[str, Any]]:
    """Keys with the numbers beside them: in dicts, and in the attributes of MathML."""
    if isinstance(x, dict):
        if x.get("key") and isinstance(x.get("value"), int | float | str) and "before" not in x:
            yield x["key"], x["value"]
        for inner in x.values():
            yield from numbers_in(inner)
    elif isinstance(x, list):
        for inner in x:
            yield from numbers_in(inner)
    elif isinstance(x, str) and x.startswith("<math"):
        for key, value in re.findall(r'data-key="([^"]*)" data-value="([^"]*)"', x):
            yield unescape(key), value


def check_numbers(view: cr.View) -> int:
    subject, count = view.subject, 0
    json.dumps(dict(view.parts), allow_nan=False)
    for name, content in view.parts.items():
        for key, value in numbers_in(content):
            own = subject.gradient(key) if key.startswith("∂") else subject.number(key)
            assert own is not None, f"{name}: {key} has no gradient"
            assert math.isclose(float(value), own, rel_tol=1e-12, abs_tol=1e-300), (
                f"{name}: {key} is {own}, not {value}"
            )
            count += 1
    return count


@pytest.mark.parametrize("name", VIEWS)
def test_numbers_are_the_librarys(name: str) -> None:
    view = VIEWS[name]()
    keys = {key for key, _ in numbers_in(view.parts["drawing"]) if not key.startswith("∂")}
    assert keys
    for depth in ("layers", "factors", "terms"):
        for key in sorted(keys)[:12]:
            view.do("select", key=key, depth=depth)
            assert view.parts["selection"]["key"] == key
            assert check_numbers(view) > len(keys)


@examples(12)
@given(st.data())
def test_numbers_are_the_librarys_whatever_was_done(data: Any) -> None:
    view = mazur() if data.draw(st.booleans()) else classifier()
    view.do("train", wait=True)
    weights = [f"{layer}.{name}" for layer, own in view.subject.parameters.items() for name in own]
    for _ in range(data.draw(st.integers(1, 8))):
        kind = data.draw(st.sampled_from(["select", "set", "move", "go", "rows", "check", "branch", "reset", "unfold"]))
        name = data.draw(st.sampled_from(weights))
        array = view.subject.found.known[name]
        key = f"{name}[{', '.join(str(data.draw(st.integers(0, n - 1))) for n in array.shape)}]"
        steps = view.parts["position"]["steps"]
        arguments: dict[str, Any] = {
            "select": {"key": key, "depth": data.draw(st.sampled_from(["layers", "factors"]))},
            "set": {"key": key, "value": data.draw(st.floats(-2, 2)), "final": data.draw(st.booleans())},
            "move": {
                "grain": data.draw(st.sampled_from(["operation", "stage", "step", "epoch"])),
                "by": data.draw(st.integers(-5, 5)),
            },
            "go": {"step": data.draw(st.integers(0, steps)), "operation": data.draw(st.none() | st.integers(0, 40))},
            "rows": {"rows": data.draw(st.sampled_from(["batch", "all", [0]]))},
            "check": {"on": data.draw(st.booleans())},
            "branch": {"settings": {"learning_rate": data.draw(st.sampled_from([0.01, 0.5]))}},
            "reset": {},
            "unfold": {"layer": data.draw(st.sampled_from([None, *view.subject.network.layers]))},
        }[kind]
        view.do(kind, **arguments)
        check_numbers(view)


def test_mazurs_published_numbers() -> None:
    view = mazur()
    shown = dict(numbers_in(view.parts["drawing"]))
    published = {
        "hidden.a[0, 0]": 0.593269992,
        "hidden.a[0, 1]": 0.596884378,
        "output.a[0, 0]": 0.75136507,
        "output.a[0, 1]": 0.772928465,
        "L": 0.298371109,
        "∂L/∂output.weight[0, 0]": 0.082167041,
        "∂L/∂hidden.weight[0, 0]": 0.000438568,
    }
    for key, number in published.items():
        assert abs(shown[key] - number) < 1e-9, key
    view.do("select", key="hidden.weight[0, 0]")
    parts = view.parts["contributions"]["splits"][0]["parts"]
    assert [round(x["value"], 12) for x in parts] == [0.000668396021, -0.000229828287]
    view.do("train", wait=True)
    view.do("go", step=1)
    weight = view.subject.parameters["output"]["weight"]
    assert np.allclose(weight, [[0.35891648, 0.51130127], [0.408666186, 0.561370121]], atol=1e-9)


def test_nothing_to_derive_says_so() -> None:
    view = cr.view(lambda x, y: x + 0 * np.sign(y), 1.0, 2.0)
    view.do("select", key="y")
    assert view.parts["derivation"]["kind"] in ("none", "derivation")
    assert view.parts["selection"]["gradient_text"] in ("—", "0")
