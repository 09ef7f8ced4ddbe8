"""Networks and operations as ONNX models: what onnxruntime computes of them is what chainrule computes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import MissingExtraError, NotBuiltError, SettingError, UnsupportedError
from chainrule.onnx import Graph, Rows, given, written
from chainrule.ops import REGISTRY
from chainrule.ops.operation import ArrayType, Operation
from chainrule.tracing import Program, simplify
from chainrule.tracing.apply import apply
from making import called, exported, made, with_a_category
from strategies import cases
from together import together

onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
PLAIN = onnxruntime.SessionOptions()
PLAIN.log_severity_level = 3
PLAIN.intra_op_num_threads = 1
X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


def carried_out(model: bytes, *arrays: Any) -> list[Any]:
    """What onnxruntime computes of the inputs, in their order."""
    session = onnxruntime.InferenceSession(
        model, PLAIN, disabled_optimizers=["MatmulTransposeFusion"]
    )  # wrong of doubles up to 1.23
    return session.run(None, {x.name: array for x, array in zip(session.get_inputs(), arrays, strict=True)})


def close(found: Any, expected: Any, tolerance: float = 1e-6) -> None:
    """The same shape and dtype, and the same numbers to rounding."""
    expected = np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(found, expected)


def answers_as_exported(network: cr.Network, *inputs: Any, tolerance: float = 1e-6) -> None:
    """Whether all that is exported of a network is what its methods answer, for any number of rows."""
    path = Path("model.onnx")
    network.export(path)
    model = path.read_bytes()
    names = [x.name for x in onnx.load_from_string(model).graph.output]
    for rows in (1, 2, len(inputs[0])):
        own = [x[:rows] for x in inputs]
        for name, found in zip(names, carried_out(model, *own), strict=True):
            asked = network if name == "outputs" else getattr(network, name)
            expected = asked(*own) if name == "outputs" else asked(own[0] if len(own) == 1 else tuple(own))
            if expected.dtype.kind == "U":
                assert found.tolist() == expected.tolist()
            else:
                close(found, expected, tolerance)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- operations


def model_of(trace: Any, inputs: list[tuple[Any, Any]]) -> bytes:
    """The model of a function of arrays of these dtypes and shapes."""
    graph = Graph()
    for i, value in enumerate(written(graph, trace, [given(graph, f"x{i}", *kind) for i, kind in enumerate(inputs)])):
        graph.output(f"y{i}", value.name, value.dtype, value.shape)
    return graph.model("function", "")


@together(product(REGISTRY.values(), (np.float32,)), lambda op, dtype: op.name)
def test_every_operation_that_engines_have_loops_for(op: Operation, dtype: Any) -> None:
    for case in cases(op, dtype):
        arrays = [np.asarray(x) for x in case.inputs]
        program = simplify(cr.trace(lambda *xs, case=case: apply(case.op, *xs, **case.attributes), *arrays))
        kinds = [(x.dtype, x.shape) for x in arrays]
        if not op.has_loops(len(arrays)) and program.equations:
            with pytest.raises(UnsupportedError, match=op.name):
                model_of(lambda rows, program=program: program, kinds)
            continue
        model = model_of(lambda rows, program=program: program, kinds)
        with np.errstate(all="ignore"):
            close(carried_out(model, *arrays)[0], case.evaluate(), 1e-5)


@together([(op,) for op in REGISTRY.values()], lambda op: op.name)
def test_every_operation_for_any_number_of_rows(op: Operation) -> None:
    """Row by row, as `vmap` has it: the model that was written for no number in particular takes three."""
    for case in list(cases(op, np.float32))[:4]:
        by_rows = [np.asarray(x).dtype.kind == "f" for x in case.inputs]
        if not any(by_rows) or not op.has_loops(len(case.inputs)):
            continue
        given_rows = [np.stack([x] * 3) if own else np.asarray(x) for x, own in zip(case.inputs, by_rows, strict=True)]
        axes = [0 if own else None for own in by_rows]

        def program(rows: int, case: Any = case, given_rows: Any = given_rows, axes: Any = axes) -> Program:
            types = [
                ArrayType((rows, *x.shape[1:]), x.dtype) if a == 0 else x for x, a in zip(given_rows, axes, strict=True)
            ]
            each = cr.vmap(lambda *xs: apply(case.op, *xs, **case.attributes), tuple(axes))
            return simplify(cr.trace(each, *types))

        kinds = [
            (x.dtype, (Rows(), *x.shape[1:]) if a == 0 else x.shape) for x, a in zip(given_rows, axes, strict=True)
        ]
        model = model_of(program, kinds)
        with np.errstate(all="ignore"):
            close(carried_out(model, *given_rows)[0], np.stack([case.evaluate()] * 3), 1e-5)


# --- networks


def with_drawn_parameters(function: Any, *shapes: Any, dtype: str = "float32") -> cr.Network:
    """A network whose biases and variances are not 0 and 1, which would hide one that is forgotten."""
    network, random = cr.Network(function, dtype=dtype, seed=3).build(*shapes), np.random.default_rng(1)
    unlearned = network.model.unlearned
    network.parameters = {
        f"{layer}.{name}": (np.abs if f"{layer}.{name}" in unlearned else np.positive)(random.normal(size=value.shape))
        for layer, own in network.parameters.items()
        for name, value in own.items()
    }
    return network


@together(product(exported(cr.Layer), ("float32", "float64")), lambda kind, dtype: kind.__name__)
def test_every_layer(kind: Any, dtype: str) -> None:
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    network = with_drawn_parameters(called(made(kind)), 4, dtype=dtype)
    answers_as_exported(network, with_a_category(X).astype(dtype), tolerance=tolerance)


@pytest.mark.parametrize("name", cr.nn.ACTIVATIONS)
def test_every_activation(name: str) -> None:
    answers_as_exported(cr.Network([cr.Dense(5, name), cr.Dense(2)], seed=1).build(4), X, tolerance=2e-6)


LABELS = np.array(["red", "green", "blue"])[np.arange(9) % 3]


@pytest.mark.parametrize(
    ("y", "loss", "names"),
    [
        (LABELS, None, ["predict", "predict_proba"]),
        (np.arange(9) % 2, None, ["predict", "predict_proba"]),
        (np.arange(9) % 2 == 0, None, ["predict", "predict_proba"]),
        (np.arange(18).reshape(9, 2) % 3 == 0, "binary_cross_entropy", ["predict", "predict_proba"]),
        (X[:, 0] ** 2, None, ["predict"]),
        (X[:, :2], None, ["predict"]),
        (np.arange(9) % 4, "poisson", ["predict"]),
    ],
    ids=["texts", "two classes", "truth", "several truths", "values", "rows of values", "counts"],
)
def test_what_outputs_mean(y: Any, loss: Any, names: list[str]) -> None:
    width = 3 if y is LABELS else 2 if np.ndim(y) == 2 else 1
    network = cr.Network([cr.Dense(8, "tanh"), cr.Dense(width)])
    network.fit(X, y, loss=loss, epochs=20, progress=False)
    answers_as_exported(network, X)
    assert [x.name for x in onnxruntime.InferenceSession("model.onnx", PLAIN).get_outputs()] == names
    network.export("scores.onnx", "outputs")
    close(carried_out(Path("scores.onnx").read_bytes(), X)[0], network(X))


def test_members_are_averaged_in_the_graph() -> None:
    def network(seed: int) -> cr.Network:
        return cr.Network([cr.Dense(8, "tanh"), cr.Dense(3)], seed=seed)

    ensemble = cr.fit_many([network(seed) for seed in range(3)], X, LABELS, epochs=5, progress=False).ensemble()
    answers_as_exported(ensemble, X)


def test_several_inputs_and_outputs_go_by_their_names() -> None:
    hidden, left = cr.Dense(4, "tanh"), cr.Dense(2)

    def function(first: Any, second: Any) -> Any:
        h = hidden(first, second)
        return {"left": left(h), "right": h - np.mean(h, axis=0)}

    network = cr.Network(function).build(4, 2)
    network.export("model.onnx")
    session = onnxruntime.InferenceSession("model.onnx", PLAIN)
    assert [x.name for x in session.get_inputs()] == ["first", "second"]
    assert [(x.name, x.shape) for x in session.get_outputs()] == [
        ("outputs_left", ["rows", 2]),
        ("outputs_right", ["rows", 4]),
    ]
    found, expected = session.run(None, {"first": X, "second": X[:, :2]}), network(X, X[:, :2])
    for own, name in zip(found, ("left", "right"), strict=True):
        close(own, expected[name])


@dataclass(frozen=True)
class Recurrent(cr.Layer):
    """h = tanh(W·h + U·x) along the second axis, from its end: what is collected, the last h, and how many steps were taken."""

    reverse: bool = True

    def parameters(self, shape: Any) -> Any:
        return {name: cr.ParameterSpec((n, 3), "glorot_uniform") for name, n in (("W", 3), ("U", shape[-1]))}

    def forward(self, p: Any, x: Any) -> Any:
        first = np.zeros((x.shape[0], 3), x.dtype), np.float32(0.0)

        def step(state: Any, row: Any) -> Any:
            h, count = state
            h = np.tanh(h @ p["W"] + row @ p["U"])
            return (h, count + 1), (2 * h, np.sum(row))

        (last, count), (seen, sums) = cr.scan(step, first, np.swapaxes(x, 0, 1), reverse=self.reverse)
        return np.concatenate([seen[1], last * count, np.mean(seen, axis=0) + np.sum(sums)], axis=1)


@pytest.mark.parametrize("reverse", [True, False])
def test_loops(reverse: bool) -> None:
    rows = np.random.default_rng(0).normal(size=(9, 5, 2)).astype(np.float32)
    answers_as_exported(cr.Network([Recurrent(reverse), cr.Dense(2)], seed=1).build((5, 2)), rows, tolerance=5e-6)


def test_loops_along_nothing() -> None:
    def halved(x: Any) -> Any:
        return cr.loop(lambda h, i: 0.5 * h + np.tanh(x) * i, x, 4)

    answers_as_exported(cr.Network([cr.Dense(3), halved]).build(4), X)


def beside(x: Any) -> Any:
    """A column of ones, as users put it there."""
    return np.concatenate([x, np.ones((x.shape[0], 1), x.dtype)], axis=1)


@pytest.mark.parametrize(
    "function",
    [beside, lambda x: x[:, ::-2], lambda x: x @ (x.T @ x), lambda x: x - np.mean(x, axis=0), lambda x: np.pad(x, ((0, 0), (1, 2))),
     lambda x: np.stack([x, 2 * x], axis=1)[:, 1], lambda x: x / np.sum(x), lambda x: np.cumsum(x, axis=1),
     lambda x: np.reshape(np.reshape(x, (-1, 2)), (x.shape[0], -1)), lambda x: np.argmax(x, axis=1)[:, None] * x],
)  # fmt: skip
def test_functions_of_the_users(function: Any) -> None:
    answers_as_exported(cr.Network([cr.Dense(4, "tanh"), function]).build(4), X, tolerance=5e-6)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda x: np.sort(x, axis=1), "sort"),
        (lambda x: x * x.shape[0], "multiply .computes something else for another number of rows"),
        (lambda x: x[::-1], "slice"),
        (lambda x: np.concatenate([x, x], axis=0)[: x.shape[0]], "concatenate"),
        (lambda x: x - np.arange(len(x), dtype=x.dtype)[:, None], "subtract"),
        (lambda x: x if len(x) < 20 else x + x, "computes something else for another number of rows"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(function: Any, told: str) -> None:
    with pytest.raises(UnsupportedError, match=told):
        cr.Network([cr.Dense(2), function]).build(4).export("model.onnx")
    assert not Path("model.onnx").exists()


def test_names_in_the_graph_are_the_networks() -> None:
    network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1)]).build(4)
    network.export("model.onnx")
    graph = onnx.load("model.onnx").graph
    assert {x.name for x in graph.initializer} == {"hidden.weight", "hidden.bias", "dense_0.weight", "dense_0.bias"}
    assert [node.op_type for node in graph.node] == ["MatMul", "Add", "Tanh", "MatMul", "Add", "Identity"]
    assert graph.node[2].name == "hidden.activation.tanh"


def test_what_is_asked_for_that_is_not_there() -> None:
    network = cr.Network([cr.Dense(1)])
    with pytest.raises(NotBuiltError):
        network.export("model.onnx")
    network.fit(X, X[:, 0], epochs=1, progress=False)
    with pytest.raises(SettingError, match="answers"):
        network.export("model.onnx", "scores")
    with pytest.raises(SettingError, match="no probabilities"):
        network.export("model.onnx", ["predict_proba"])
    with pytest.raises(SettingError, match="Call export"):
        network.save("model.onnx")


def test_without_the_package_it_is_said_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[onnx\]"):
        cr.Network([cr.Dense(1)]).build(2).export("model.onnx")
