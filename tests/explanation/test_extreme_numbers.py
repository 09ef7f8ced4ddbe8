"""Networks whose numbers overflow or all but vanish: everything that is said of them is said, as JSON too, without a warning."""

import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DifferentiationError

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(4, 2))
Y = X[:, :1]

SAID = {
    "diagnose": lambda network: network.diagnose(X, Y, loss="mse"),
    "step_by_step": lambda network: network.step_by_step(X, Y, loss="mse"),
    "draw": lambda network: network.draw(X, Y, loss="mse"),
    "contributions": lambda network: network.contributions(X, Y, "h.weight[0, 0]", loss="mse"),
    "explain": lambda network: network.explain(X, Y, "h.weight[0, 0]", loss="mse"),
}


def no_constant(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


@pytest.mark.parametrize("what", SAID)
@pytest.mark.parametrize("size", [1e308, 1e200, -1e300, 0.0, 1e-320])
def test_all_is_said(what: str, size: float) -> None:
    network = cr.Network([cr.Dense(2, "tanh", name="h"), cr.Dense(1, name="o")], dtype="float64", seed=1).build(2)
    network.parameters["o"]["weight"][:] = size
    network.parameters["h"]["weight"][0, 0] = size
    is_finite = bool(np.isfinite(network.explain(X, Y, "h.weight[0, 0]", loss="mse").value))
    if what == "contributions" and not is_finite:  # which has no parts
        with pytest.raises(DifferentiationError, match="finite"):
            SAID[what](network)
        return
    said = SAID[what](network)
    json.loads(said.to("json"), parse_constant=no_constant)
    if what != "draw":
        assert said.to("text")


def test_ten_thousand_parts_are_balanced_at_once() -> None:
    """What rounding left goes to the largest part that can hold it, and is looked for in one pass."""
    X, labels = RANDOM.normal(size=(300, 5)), RANDOM.integers(0, 10, 300)
    network = cr.Network([cr.Dense(4, "tanh", name="h"), cr.Dense(10, "softmax", name="o")], dtype="float64").build(5)
    found = network.contributions(X, labels, "h.weight[0, 0]")
    for split in found.data()["splits"]:
        assert sum(part["count"] for part in split["parts"]) in (10, 300, 3000)
        assert np.sum([part["value"] for part in split["parts"]]) == pytest.approx(found.gradient, rel=1e-9)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x / (x - x),
        lambda x: (x - x) / (x - x),
        lambda x: x * (x - x) ** -1.0,
        lambda x: x / np.sum(np.zeros(3) * x),
    ],
)
@pytest.mark.parametrize("depth", ["layers", "factors", "terms"])
def test_what_is_divided_by_zero_is_said_to_have_no_derivative(f: Any, depth: str) -> None:
    with np.errstate(all="ignore"):
        said = cr.explain(f, depth=depth)(2.0)
        assert not np.isfinite(said.value)
        assert "not differentiable here" in str(said)
        json.loads(said.to("json"), parse_constant=no_constant)
