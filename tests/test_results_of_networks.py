"""What networks, estimators and data sets give is the caller's: whoever writes into it changes nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import sklearn
from chainrule.datasets import digits, split, xor

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = X @ np.ones((3, 1), np.float32)
LABELS = np.array([3, 5] * 6)


def arrays(x: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """The arrays that can be reached through containers and public attributes."""
    seen = set() if seen is None else seen
    if isinstance(x, np.ndarray):
        yield path, x
    elif id(x) not in seen:
        seen.add(id(x))
        if isinstance(x, Mapping):
            for key in list(x):
                yield from arrays(x[key], f"{path}[{key!r}]", seen)
        elif isinstance(x, list | tuple):
            for i, item in enumerate(x):
                yield from arrays(item, f"{path}[{i}]", seen)
        module = type(x).__module__
        if module.startswith("chainrule") and not module.startswith(
            ("chainrule.ops", "chainrule.tracing", "chainrule.engines")
        ):
            for name in {*getattr(x, "__dict__", {}), *getattr(x, "__slots__", ()), *vars(type(x))}:
                if not name.startswith("_") and not isinstance(value := readable(x, name), Callable):  # type: ignore[arg-type]
                    yield from arrays(value, f"{path}.{name}", seen)


def readable(x: Any, name: str) -> Any:
    try:
        return getattr(x, name)
    except (cr.ChainruleError, AttributeError, TypeError):
        return None


def fitted(targets: Any, **settings: Any) -> cr.Network:
    layers = [cr.Dense(4, "tanh", name="hidden"), lambda x: x, cr.Dense(2 if targets is LABELS else 1)]
    network = cr.Network(layers, seed=1, dtype="float32")
    network.fit(X, targets, epochs=2, progress=False, record=True, **settings)
    return network


def owned_by(network: cr.Network) -> list[tuple[str, Any]]:
    """What a network computes with, and what it keeps of its training."""
    inside = [("parameters", network.parameters), ("run", network.run), ("history", network.history)]
    inside += [("meanings", network.meanings), ("recording", getattr(network, "recording", None))]
    return [("X", X), ("Y", Y), ("LABELS", LABELS), *(found for name, x in inside for found in arrays(x, name))]


RESULTS: dict[str, Callable[[cr.Network], Any]] = {
    "forward": lambda n: n.forward(X),
    "forward of one": lambda n: n.forward(X[:1]),
    "evaluation": lambda n: n.evaluation(X, LABELS if n.classes is not None else Y),
    "evaluation without targets": lambda n: n.evaluation(X),
    "step_by_step": lambda n: n.step_by_step(X, LABELS if n.classes is not None else Y),
    "gradients": lambda n: n.gradients(X, LABELS if n.classes is not None else Y),
    "a moment": lambda n: n.recording.at(1),
    "a batch": lambda n: n.recording.batch(1),
    "outputs": lambda n: n(X),
    "predict": lambda n: n.predict(X),
    "predict_proba": lambda n: n.predict_proba(X) if n.classes is not None else None,
    "compiled": lambda n: n.compiled()(X),
    "classes": lambda n: n.classes,
    "a copy": lambda n: copy.deepcopy(n),
    "explain": lambda n: n.explain(X, LABELS if n.classes is not None else Y, "hidden.weight[0, 0]"),
    "contributions": lambda n: n.contributions(X, LABELS if n.classes is not None else Y, "hidden.weight[0, 0]"),
}


@pytest.mark.parametrize("targets", [Y, LABELS], ids=["values", "labels"])
def test_results_share_no_memory_with_the_network(targets: Any) -> None:
    network = fitted(targets, optimizer=cr.Adam(0.01))
    owned = owned_by(network)
    for name, call in RESULTS.items():
        for path, x in arrays(call(network), name):
            for place, other in owned:
                assert not x.flags.writeable or not np.shares_memory(x, other), f"{path} is {place}"


def test_what_is_written_into_a_reading_changes_no_answer() -> None:
    network = fitted(LABELS)
    before, gradients = network.predict_proba(X), network.gradients(X, LABELS)
    for call in RESULTS.values():
        for _, x in arrays(call(network)):
            if x.flags.writeable and x.dtype.kind in "fiu":
                x[...] = 7
    np.testing.assert_array_equal(network.predict_proba(X), before)
    np.testing.assert_array_equal(network.predict(X), np.array([3, 5])[before.argmax(1)])
    np.testing.assert_array_equal(network.gradients(X, LABELS)["hidden"]["weight"], gradients["hidden"]["weight"])


def test_runs_and_given_parameters_are_apart() -> None:
    network = fitted(Y, optimizer=cr.Adam(0.01))
    for kept in (network.run, network.history):
        for path, x in arrays(kept):
            for place, other in arrays(network.parameters):
                assert not np.shares_memory(x, other), f"{path} is {place}"
    given = {"hidden": {"weight": np.ones((3, 4), np.float32)}}
    for path, x in arrays(cr.Network([cr.Dense(4, name="hidden")], parameters=given).build(3).parameters):
        assert not np.shares_memory(x, given["hidden"]["weight"]), path
    network.parameters = given
    assert not np.shares_memory(network.parameters["hidden"]["weight"], given["hidden"]["weight"])


@pytest.mark.parametrize("make", [xor, digits, lambda: split(X, Y)], ids=["xor", "digits", "split"])
def test_data_sets_are_made_anew(make: Callable[[], Any]) -> None:
    first, again = list(arrays(make())), list(arrays(make()))
    assert first
    for path, x in first:
        for _, other in (*again, ("X", X), ("Y", Y)):
            assert not np.shares_memory(x, other), path


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    ("estimator", "targets"),
    [(sklearn.MLPClassifier, LABELS), (sklearn.MLPRegressor, Y[:, 0])],
    ids=["classifier", "regressor"],
)
def test_estimators_keep_no_data(estimator: Any, targets: Any) -> None:
    found = estimator(max_iter=2).fit(X, targets)
    for name, value in vars(found).items():
        for path, x in arrays(value, name):
            assert not any(np.shares_memory(x, data) for data in (X, Y, LABELS)), path
