"""Contributions: every split makes the gradient, and its parts are what their names say."""

from __future__ import annotations

import itertools
import math
from typing import Any
from xml.dom import minidom

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.explanation.test_recurrence import holds_everywhere

import chainrule as cr
from chainrule.errors import DifferentiationError, SettingError, UnknownNameError
from chainrule.explanation.splits.contributions import Contribution, balanced, contributions_to
from trying import examples


def mazur() -> cr.Network:
    hidden = cr.Dense(2, "sigmoid", weight=[[0.15, 0.25], [0.20, 0.30]], bias=0.35, name="hidden")
    output = cr.Dense(2, "sigmoid", weight=[[0.40, 0.50], [0.45, 0.55]], bias=0.60, name="output")
    return cr.Network([hidden, output], dtype="float64").build(2)


@pytest.mark.parametrize(("where", "by_output"), [
    ("hidden.weight[0, 0]", (0.000668396021144, -0.00022982828667)),
    ("hidden.weight[1, 0]", (0.00133679204229, -0.00045965657334)),
    ("hidden.weight[0, 1]", (0.000749803774445, -0.000252091039184)),
    ("hidden.weight[1, 1]", (0.00149960754889, -0.000504182078368)),
])  # fmt: skip
def test_mazurs_hidden_weights_by_output(where: str, by_output: tuple[float, float]) -> None:
    found = mazur().contributions([[0.05, 0.10]], [[0.01, 0.99]], where, loss="l2_norm")
    assert [part.value for part in found.by_output] == pytest.approx(by_output, rel=1e-11)
    assert [part.value for part in found.by_path] == pytest.approx(by_output, rel=1e-11)
    assert found.by_output["output.a[0]"].value == found.by_output[0].value


def test_an_output_weight_serves_one_output_only() -> None:
    """SPEC C5: u₁₁ serves only the error of y₁."""
    found = mazur().contributions([[0.05, 0.10]], [[0.01, 0.99]], "output.weight[0, 0]", loss="l2_norm")
    assert found.by_output[0].value == found.gradient
    assert found.by_output[1].value == 0
    assert found.paths == 1


@examples(25)
@given(st.data())
def test_every_split_makes_the_gradient(data: Any) -> None:
    draw = data.draw
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    widths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    layers = [cr.Dense(n, draw(st.sampled_from(["tanh", "relu", "sigmoid", "softplus"]))) for n in widths]
    outputs, rows = draw(st.integers(2, 4)), draw(st.sampled_from([1, 3, 20]))
    network = cr.Network([*layers, cr.Dense(outputs)], dtype=draw(st.sampled_from(["float32", "float64"]))).build(2)
    X, y = random.normal(size=(rows, 2)), np.arange(rows) % outputs
    loss = draw(st.sampled_from(["cross_entropy", "l2_norm"]))
    y = y if loss == "cross_entropy" else random.normal(size=(rows, outputs))
    where = draw(st.sampled_from(["dense_0.weight[1, 0]", "dense_0.bias[0]", "dense_1.weight[0, 0]"]))
    l2 = draw(st.sampled_from([0.0, 0.1]))
    found = network.contributions(X, y, where, loss=loss, l2=l2)
    explained = network.explain(X, y, where, loss=loss, l2=l2)
    assert found.gradient == explained.value
    for split in found.splits:
        largest = max(abs(found.gradient), *(abs(part.value) for part in split))
        assert abs(split.total - found.gradient) <= np.spacing(largest)
        size = math.fsum(abs(part.value) for part in split)
        assert sum(part.value for part in split) == pytest.approx(found.gradient, abs=1e-12 * size + 1e-300)
    assert sum(part.count for part in found.by_path) == found.paths


@pytest.mark.parametrize("loss", ["l2_norm", "cross_entropy"])
def test_a_samples_part_is_its_own_gradient(loss: str) -> None:
    """A sum for the mean over the batch would be five times as much, and swapped axes another sample's."""
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2)], dtype="float64").build(2)
    random = np.random.default_rng(0)
    X, y = (
        random.normal(size=(5, 2)),
        np.array([0, 1, 1, 0, 1]) if loss == "cross_entropy" else random.normal(size=(5, 2)),
    )
    found = network.contributions(X, y, "dense_0.weight[0, 2]", loss=loss)
    alone = [network.explain(X[n : n + 1], y[n : n + 1], "dense_0.weight[0, 2]", loss=loss).value for n in range(5)]
    assert [part.value for part in found.by_sample] == pytest.approx(np.array(alone) / 5, rel=1e-12)


def test_paths_are_products_of_the_weights_and_slopes_on_them() -> None:
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(4, "tanh"), cr.Dense(2)], dtype="float64").build(2)
    x, t = np.array([[0.3, -0.8]]), np.array([[0.1, 0.7]])
    found = network.contributions(x, t, "dense_0.weight[1, 2]", loss="l2_norm")
    first, second, third = (layer for layer in network.forward(x))
    W2, W3 = network.parameters["dense_1"]["weight"], network.parameters["dense_2"]["weight"]
    expected = {
        f"dense_0[2] → dense_1[{j}] → dense_2[{k}]": x[0, 1] * (1 - first.a[0, 2] ** 2) * W2[2, j]
        * (1 - second.a[0, j] ** 2) * W3[j, k] * (third.a[0, k] - t[0, k])
        for j, k in itertools.product(range(4), range(2))
    }  # fmt: skip
    assert {part.name: part.value for part in found.by_path} == pytest.approx(expected, rel=1e-12)
    sizes = [abs(part.value) for part in found.by_path]
    assert sizes == sorted(sizes, reverse=True)


def test_of_many_paths_the_largest_are_found_and_the_rest_is_exact() -> None:
    layers = [cr.Dense(30, "tanh"), cr.Dense(30, "tanh"), cr.Dense(30, "tanh"), cr.Dense(2)]
    network = cr.Network(layers, dtype="float64").build(2)
    x, t = np.array([[0.3, -0.8]]), np.array([[0.1, 0.7]])
    found = network.contributions(x, t, "dense_0.weight[1, 2]", loss="l2_norm", largest=7)
    assert found.paths == 30 * 30 * 2
    everything = [part.value for part in found.by_path]
    assert len(everything) == 1800
    many = network.contributions(
        np.repeat(x, 6, axis=0), np.repeat(t, 6, axis=0), "dense_0.weight[1, 2]", loss="l2_norm", largest=12
    )
    assert many.paths == 10_800
    assert len(many.by_path) == 13
    assert many.by_path[12].count == 10_800 - 12
    expected = np.repeat(everything[:2], 6) / 6
    assert [part.value for part in many.by_path.parts[:12]] == pytest.approx(expected, rel=1e-10)
    assert many.by_path.total == many.gradient


def test_a_penalty_is_a_part_of_its_own() -> None:
    network = mazur()
    found = network.contributions([[0.05, 0.10]], [[0.01, 0.99]], "hidden.weight[0, 0]", loss="l2_norm", l2=0.1)
    assert found.by_output["by other ways"].value == pytest.approx(0.1 * 0.15)
    assert found.by_sample["by other ways"].value == pytest.approx(0.1 * 0.15)
    assert found.by_path["directly"].value == pytest.approx(0.1 * 0.15)


def test_ways_that_part_after_a_sum_that_they_share() -> None:
    """From a hidden number to a score by way of one product, and of the normaliser over all of them: two sums in one way, one in
    the other. They had one letter, and of the double sum only the diagonal was left."""
    hidden, mix = cr.Dense(2, "tanh", name="hidden"), cr.Parameter((2, 3), "normal", name="mix")

    def scores(x: Any) -> Any:
        return cr.log_softmax(hidden(x) @ mix) ** 2

    members = [cr.BatchEnsemble(2, "tanh", members=2, name="hidden"), cr.MemberMean(3, members=2, of="probabilities")]
    for function in (scores, members):
        network = cr.Network(function, dtype="float64", seed=1).build(2)
        data = {"X": [[0.3, -0.7]], "y": [[0.2, 0.9, -0.4]], "loss": "l2_norm"}
        bias = network.gradients(**data)["hidden"]["bias"]
        where = f"hidden.bias[{', '.join('0' * bias.ndim)}]"
        found = network.contributions(**data, where=where)
        assert math.fsum(part.value for part in found.by_path) == pytest.approx(bias.ravel()[0], rel=1e-12)
        holds_everywhere(network.explain(**data, where=where, depth="layers"), 1e-12)


@pytest.mark.parametrize("after", [
    lambda a: (a - np.mean(a, axis=-1, keepdims=True)) / np.sqrt(np.var(a, axis=-1, keepdims=True) + 1e-9),
    lambda a: cr.softmax(np.cumsum(a, axis=-1)),  # of both scores alike: it changes nothing
    lambda a: cr.log_softmax(a @ np.ones((2, 3))),
], ids=["normalised", "shifted", "all alike"])  # fmt: skip
def test_a_gradient_that_cancels_on_its_way_is_split(after: Any) -> None:
    """What is left of it is rounding, of numbers that were ten orders larger and are neither the gradient nor its parts."""
    hidden, output = cr.Dense(2, "tanh", name="hidden"), cr.Dense(2, name="output")
    network = cr.Network(lambda x: output(after(hidden(x))), dtype="float64").build(2)
    data = {"X": np.random.default_rng(0).normal(size=(3, 2)), "y": [0, 1, 0], "loss": "cross_entropy"}
    found = network.contributions(**data, where="hidden.bias[0]")
    assert abs(found.gradient) < 1e-7
    for split in found.splits:
        assert abs(split.total - found.gradient) <= 1e-15


def test_paths_of_one_sample_by_nameless_numbers() -> None:
    """The axis of samples is one sample's too, and no axis that a number without a name is not told by."""
    hidden, output = cr.Dense(2, "tanh", name="hidden"), cr.Dense(2, name="output")
    centred = lambda a: np.cumsum(a - np.mean(a, axis=-1, keepdims=True), axis=-1)  # noqa: E731
    network = cr.Network(lambda x: output(centred(hidden(x))), dtype="float64").build(2)
    rows = np.random.default_rng(0).normal(size=(2, 2))
    one, both = (
        network.contributions(rows[:n], rows[:n] + 1.0, "hidden.bias[0]", loss=cr.SquaredError(reduction="sum"))
        for n in (1, 2)
    )
    assert {f"sample 0: {part.name}" for part in one.by_path} == {p.name for p in both.by_path if p.index == 0}
    assert {part.index for part in one.by_path} == {0}


def test_parts_that_do_not_add_up_are_refused() -> None:
    parts = [Contribution("a", 1.0), Contribution("b", 2.0)]
    assert math.fsum(p.value for p in balanced(parts, 3.0 + 1e-15)) == 3.0 + 1e-15
    with pytest.raises(AssertionError, match="add up"):
        balanced(parts, 3.1)


def test_tables_and_pictures() -> None:
    network = cr.Network([cr.Dense(30, "tanh", name="hidden"), cr.Dense(2, name="output")]).build(2)
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    found = network.contributions(X, y, "hidden.weight[0, 0]")
    text = str(found)
    for heading in ("by output", "by sample", "by path", "others", "together"):
        assert heading in text
    assert max(map(len, text.splitlines())) <= 100
    minidom.parseString(found._repr_html_())
    minidom.parseString(found.draw().svg)


def test_paths_are_told_apart_however_long() -> None:
    """Every path is written out, in the table on as many lines as it takes; HTML has bars, and what the parts are together."""
    layers = [cr.Dense(n, "tanh", name=f"layer_number_{i}") for i, n in enumerate((2, 2, 1, 1, 1, 2))]
    network = cr.Network(layers, dtype="float64").build(1)
    found = network.contributions([[0.3]], [[1.0, 2.0]], "layer_number_0.weight[0, 0]", loss="squared_error")
    table = str(found).partition("by path")[2]
    names = " ".join(line[:46].strip().partition("  ")[0] for line in table.splitlines())
    for part in found.by_path:
        assert part.name in names
    assert max(map(len, table.splitlines())) <= 100
    html = found.to("html")
    assert html.count("together") == 3
    assert html.count("█" * 16) >= 3
    for part in found.by_path:
        assert part.name in html
    with pytest.raises(UnknownNameError, match="html"):
        found.to("pdf")


def test_the_parts_in_a_table_are_those_of_the_largest_size() -> None:
    """Twelve paths by way of twelve hidden numbers: the three put together are the smallest, whatever the signs."""
    weights = np.array([1.0, -9.0, 2.0, -8.0, 3.0, -7.0, 0.25, -6.0, 4.0, -5.0, 5.5, -0.5])
    first = cr.Dense(1, weight=1.0, name="first")
    middle = cr.Dense(12, weight=np.ones((1, 12)), name="middle")
    network = cr.Network([first, middle, cr.Dense(1, weight=weights[:, None], name="last")], dtype="float64").build(1)
    for target in (1e3, -1e3):
        found = network.contributions([[1.0]], [[target]], "first.weight[0, 0]")
        table = str(found).partition("by path")[2]
        others = {f"middle[{j}]" for j in range(12) if f"middle[{j}]" not in table}
        assert others == {"middle[0]", "middle[6]", "middle[11]"}
        assert "3 others" in table


def test_errors_say_what_to_do() -> None:
    network = mazur()
    data: Any = {"X": [[0.05, 0.10]], "y": [[0.01, 0.99]], "loss": "l2_norm"}
    with pytest.raises(SettingError, match="give numbers as the index"):
        network.contributions(**data, where="hidden.weight[i, j]")
    with pytest.raises(SettingError, match="largest"):
        network.contributions(**data, where="hidden.weight[0, 0]", largest=0)
    seen = network.evaluation(data["X"])
    with pytest.raises(DifferentiationError, match="does not depend"):
        contributions_to(seen, "hidden.weight[0, 0]")


def gated(x: Any, h: Any, p: Any, bias: Any) -> Any:
    """One step of a network with a gate (Cho et al. 2014, without a reset), with a bias that is given apart."""
    z = 1 / (1 + np.exp(-(x @ p["Uz"] + h @ p["Wz"])))
    return (1 - z) * h + z * np.tanh(x @ p["U"] + h @ p["W"] + bias)


class Gated(cr.Layer):
    """Where several ways lead from one state to the next: some to each number, some from its own place alone."""

    def parameters(self, shape: Any) -> Any:
        sizes = {"Wz": (2, 2), "Uz": (shape[-1], 2), "W": (2, 2), "U": (shape[-1], 2), "b": (2,)}
        return {name: cr.ParameterSpec(size, cr.Normal(0.7)) for name, size in sizes.items()}

    def forward(self, p: Any, x: Any) -> Any:
        first = np.zeros((x.shape[0], 2), x.dtype)
        return cr.scan(lambda h, row: (gated(row, h, p, p["b"]), None), first, np.swapaxes(x, 0, 1))[0]


def test_paths_through_states_that_lead_on_in_several_ways() -> None:
    random = np.random.default_rng(2)
    x, t = random.normal(size=(2, 3, 1)), random.normal(size=(2, 1))
    network = cr.Network([Gated(), cr.Dense(1)], dtype="float64", seed=3).build((3, 1))
    found = network.contributions(x, t, "gated_0.b[0]", loss="mse")
    names = [part.name for part in found.by_path]
    assert len(set(names)) == len(names) == found.paths
    assert math.fsum(part.value for part in found.by_path) == pytest.approx(found.gradient, rel=1e-14)
    p, last = network.parameters["gated_0"], network.parameters["dense_0"]

    def loss(step: int, more: float) -> float:
        h = np.zeros((2, 2))
        for i in range(3):
            h = gated(x[:, i], h, p, p["b"] + np.array([more * (i == step), 0.0]))
        return float(np.mean((h @ last["weight"] + last["bias"] - t) ** 2))

    for step in range(3):  # paths that enter by the state after this step: the bias counts there alone
        own = [part.value for part in found.by_path if f"h[{step}" in part.name.split(" → ")[0]]
        own = own or [part.value for part in found.by_path if "h[" not in part.name]
        slope = (loss(step, 1e-5) - loss(step, -1e-5)) / 2e-5
        assert math.fsum(own) == pytest.approx(slope, rel=1e-6)
