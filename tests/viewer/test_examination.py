"""The doctor and the comparison of gradients in a view say what the library says of the same moment."""

import json

import numpy as np
import pytest

import chainrule as cr


def deep(activation: str) -> cr.View:
    random = np.random.default_rng(0)
    X = random.normal(size=(20, 3))
    layers = [cr.Dense(6, activation, name=f"h{i}") for i in range(5)]
    network = cr.Network([*layers, cr.Dense(1, name="o")], dtype="float64", seed=1)
    return cr.view(network, X, X[:, :1], loss="mse", optimizer=cr.SGD(0.1), epochs=3)


def test_the_doctor_is_asked_while_the_panel_is_open() -> None:
    view = deep("sigmoid")
    assert view.parts["doctor"] is None
    view.do("rows", rows="all")
    view.do("panel", name="doctor", open=True)
    found = view.parts["doctor"]
    json.dumps(found, allow_nan=False)
    assert "vanishing_gradient" in {x["kind"] for x in found["findings"]}
    assert all(x["sentence"] and x["advice"] for x in found["findings"])
    assert [x["name"] for x in found["layers"]] == ["h0", "h1", "h2", "h3", "h4", "o"]
    view.do("set", key="h0.weight[0, 0]", value=50.0)
    assert view.parts["doctor"] != found


def test_what_the_doctor_says_is_what_diagnose_says() -> None:
    view = deep("tanh")
    view.do("rows", rows="all")
    view.do("panel", name="doctor", open=True)
    data = view.subject.data
    said = view.subject.network.diagnose(data.inputs[0], data.targets[0], loss="mse", optimizer=cr.SGD(0.1)).data()
    assert [x["sentence"] for x in view.parts["doctor"]["findings"]] == [x["says"] for x in said["findings"]]


def test_a_learners_gradients_are_compared() -> None:
    view = deep("tanh")
    view.do("rows", rows="all")
    right = {
        name: np.asarray(view.subject.evaluation.cotangent(view.subject.found.known[name])).tolist()
        for name in ("o.weight", "o.bias")
    }
    view.do("compare", gradients=right)
    assert view.parts["comparison"]["text"]
    assert not view.parts["comparison"]["differences"]
    view.do("compare", gradients=json.dumps({name: (20 * np.array(x)).tolist() for name, x in right.items()}))
    assert view.parts["comparison"]["differences"]
    assert "20" in view.parts["comparison"]["text"]
    before = view.parts["comparison"]
    for wrong in ("{", [1, 2], {"nothing.weight": [1.0]}):
        with pytest.raises(cr.ChainruleError):
            view.do("compare", gradients=wrong)
        assert view.parts["comparison"] == before
    view.do("compare", gradients=None)
    assert view.parts["comparison"] is None
