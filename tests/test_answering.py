"""What a network answers is the same by NumPy and by machine code, for any number of rows."""

from __future__ import annotations

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import REFERENCE
from chainrule.engines.choice import quickest
from chainrule.engines.rows import BLOCKS
from chainrule.training import CHUNK
from chainrule.training.evaluation import sizes_of
from trying import ENGINES

LLVM = ENGINES["llvm"]

random = np.random.default_rng(0)
X = random.normal(size=(700, 6)).astype(np.float32)
LABELS = np.array(["ant", "bee", "cat"])[np.argmax(X[:, :3], axis=1)]

NETWORKS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "labels": ([cr.Dense(9, "tanh"), cr.Dense(3)], LABELS, {}),
    "ends in softmax": ([cr.Dense(9, "relu"), cr.Dense(3, "softmax")], LABELS, {}),
    "two labels": ([cr.Dense(9, "gelu"), cr.Dense(1)], X[:, 0] > 0, {}),
    "hinge": ([cr.Dense(9, "tanh"), cr.Dense(1)], X[:, 0] > 0, {"loss": "hinge"}),
    "several labels at once": ([cr.Dense(4)], (X[:, :4] > 0).astype(float), {"loss": "binary_cross_entropy"}),
    "one-hot": ([cr.Dense(3)], np.eye(3)[np.argmax(X[:, :3], axis=1)], {"loss": "cross_entropy"}),
    "values": ([cr.Dense(9, "tanh"), cr.Dense(1)], X[:, 0] * X[:, 1], {}),
    "several values": ([cr.Dropout(0.5), cr.Dense(3)], X[:, :3] * 2, {}),
    "counts": ([cr.Dense(1)], np.floor(np.abs(X[:, 0]) * 3), {"loss": "poisson"}),
}


def fitted(name: str, **settings: Any) -> cr.Network:
    layers, y, options = NETWORKS[name]
    network = cr.Network(layers, **settings)
    network.fit(X, y, epochs=2, progress=False, **options)
    return network


def gives_probabilities(network: cr.Network) -> bool:
    return network.meanings[0].head.loss.link in ("sigmoid", "softmax")


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
    else:
        assert np.mean(found == expected) > 0.99  # a tie may be broken by rounding


@pytest.mark.parametrize("name", NETWORKS)
def test_engines_agree(name: str) -> None:
    network = fitted(name)
    compiled = network.compiled()
    methods = ["predict", "__call__"] + ["predict_proba"] * gives_probabilities(network)
    for method in methods:
        for rows in (1, 2, 15, 16, 17, 256, 257, 700):
            expected = getattr(network, method)(X[:rows], engine="numpy")
            for engine in ENGINES:
                assert_same(getattr(network, method)(X[:rows], engine=engine), expected)
            assert_same(getattr(compiled, method)(X[:rows]), expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_evaluations_agree(name: str, weighted: bool) -> None:
    network, y = fitted(name), NETWORKS[name][1]
    weights = random.random(700) if weighted else None
    for rows in (1, 16, 300, 700):
        given = None if weights is None else weights[:rows]
        expected = network.evaluate(X[:rows], y[:rows], sample_weight=given, engine="numpy")
        for engine in ENGINES:
            found = network.evaluate(X[:rows], y[:rows], sample_weight=given, engine=engine)
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_validation_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = []
    for preparing in (np.inf, -np.inf):
        monkeypatch.setattr(LLVM, "preparing", preparing)
        network = cr.Network([cr.Dense(9, "tanh"), cr.Dense(3)])
        histories.append(network.fit(X, LABELS, epochs=4, validation_split=0.3, progress=False))
    for name in ("val_loss", "val_accuracy"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)


def test_several_inputs_and_outputs() -> None:
    hidden, left, right = cr.Dense(7, "tanh"), cr.Dense(3), cr.Dense(1)

    def function(x: Any, y: Any) -> Any:
        h = hidden(x, y)
        return {"kind": left(h), "size": right(h)}

    parts = (X[:, :2], X[:, 2:])
    network = cr.Network(function)
    network.fit(parts, {"kind": LABELS, "size": X[:, 0]}, epochs=1, progress=False)
    expected = network.predict(parts, engine="numpy")
    for found in (
        *(network.predict(parts, engine=engine) for engine in ENGINES),
        network.compiled().predict(dict(zip("xy", parts, strict=True))),
    ):
        for name in expected:
            assert_same(found[name], expected[name])


def test_like_networks_answer_in_the_form_of_their_own_targets() -> None:
    """Targets as a flat list and as a column: the numbers are the same, and the shapes are not."""
    values = X[:, 0] * X[:, 1]
    for rows in (20, 700):
        for _ in range(2):
            for y in (values, values[:, None]):
                network = cr.Network([cr.Dense(9, "tanh"), cr.Dense(1)])
                network.fit(X, y, epochs=1, progress=False)
                expected = network.predict(X[:rows], engine="numpy")
                assert expected.shape == y[:rows].shape
                assert_same(network.predict(X[:rows], engine="llvm"), expected)
                assert_same(network.compiled().predict(X[:rows]), expected)


@pytest.mark.parametrize("nest", [
    lambda a, b: (a, b), lambda a, b: [a, b], lambda a, b: {"a": a, "b": b}, lambda a, b: {"b": b, "a": a},
    lambda a, b: {"a": (a,), "b": [b]},
], ids=["tuple", "list", "dict", "other order", "deeper"])  # fmt: skip
def test_answers_are_nested_as_the_outputs_are(nest: Any) -> None:
    """The same layers and sizes, nested otherwise: the machine code may be shared, and the form is each one's own."""

    def forms(x: Any) -> Any:
        return ("tuple", *map(forms, x)) if isinstance(x, tuple) else (
            ["list", *map(forms, x)] if isinstance(x, list) else
            {k: forms(v) for k, v in x.items()} if isinstance(x, dict) else (x.dtype, x.shape)
        )  # fmt: skip

    left, right = cr.Dense(3, name="left"), cr.Dense(1, name="right")
    network = cr.Network(lambda x: nest(left(x), right(x)))
    network.fit(X, nest(LABELS, X[:, 0]), epochs=1, progress=False)
    for call in (network.predict, network):
        expected = call(X[:20], engine="numpy")
        assert forms(call(X[:20], engine="llvm")) == forms(expected)
        assert forms(call(X[:20])) == forms(expected)
    assert forms(network.compiled().predict(X[:20])) == forms(network.predict(X[:20]))


@pytest.mark.parametrize("engine", ["numpy", "llvm"])
def test_weights_of_many_rows_count_as_those_of_few(engine: str) -> None:
    """Rows are evaluated in portions, whose weights are not all alike; some have none at all."""
    rows = 2 * CHUNK + 300
    x = np.random.default_rng(1).normal(size=(rows, 3))
    labels = (x[:, 0] + 0.3 * x[:, 1] > 0).astype(int)
    network = cr.Network([cr.Dense(2)], dtype="float64")
    network.fit(x[:50], labels[:50], epochs=2, progress=False)
    scores = x @ network.parameters["dense_0"]["weight"] + network.parameters["dense_0"]["bias"]
    losses = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(rows), labels]
    right = scores.argmax(axis=1) == labels
    for weights in (np.linspace(0.0, 5.0, rows) ** 3, np.where(np.arange(rows) < CHUNK, 0.0, 0.5), np.arange(rows) % 3):
        found = network.evaluate(x, labels, sample_weight=weights, engine=engine)
        assert found["loss"] == pytest.approx(np.average(losses, weights=weights), rel=1e-9)
        assert found["accuracy"] == pytest.approx(np.average(right, weights=weights), rel=1e-9)


class TestAuto:
    def test_takes_machine_code_where_this_call_pays_for_compiling(self, monkeypatch: pytest.MonkeyPatch) -> None:
        network = fitted("labels")
        held, computed = sizes_of(network.model)

        def saved(rows: int) -> float:
            return REFERENCE.seconds(held, computed, rows) - LLVM.seconds(held, computed, rows)

        monkeypatch.setattr(LLVM, "preparing", saved(500))
        by = {name: network.predict_proba(X, engine=name) for name in ENGINES}
        assert not np.array_equal(by["llvm"], by["numpy"]), "the engines cannot be told apart by their rounding"
        np.testing.assert_array_equal(network.predict_proba(X), by["llvm"])
        np.testing.assert_array_equal(network.predict_proba(X[:499]), network.predict_proba(X[:499], engine="numpy"))
        np.testing.assert_array_equal(network.predict_proba(X[:500]), network.predict_proba(X[:500], engine="llvm"))

    @pytest.mark.parametrize("engine", ["auto", *ENGINES])
    def test_equal_networks_answer_equally_whatever_was_asked_before(
        self, engine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LLVM, "preparing", 1e-5)  # a few calls would have saved that together
        asked, fresh = (fitted("labels") for _ in range(2))
        y = NETWORKS["labels"][1]
        for _ in range(50):
            for rows in (1, 20, 300):
                asked.predict_proba(X[:rows], engine=engine)
                asked.evaluate(X[:rows], y[:rows], engine=engine)
        for rows in (1, 20, 300):
            for method in ("__call__", "predict_proba"):
                found, expected = (getattr(n, method)(X[:rows], engine=engine) for n in (asked, fresh))
                np.testing.assert_array_equal(found, expected)
            assert asked.evaluate(X[:rows], y[:rows], engine=engine) == fresh.evaluate(
                X[:rows], y[:rows], engine=engine
            )

    def test_epochs_known_beforehand_pay_together(self) -> None:
        sizes, rows = (100_000, 200), 3000
        assert quickest(*sizes, rows) is REFERENCE
        assert quickest(*sizes, rows, times=1000) is LLVM

    def test_leaves_code_of_the_users_to_numpy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(LLVM, "preparing", -np.inf)
        scale = [1.0]
        network = cr.Network([cr.Dense(2), lambda x: x * scale[0]]).build(6)
        first = network(X)
        scale[0] = 2.0
        np.testing.assert_allclose(network(X), 2 * first)

    def test_takes_numpy_where_nothing_else_can_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(LLVM, "preparing", -np.inf)
        monkeypatch.setattr(type(LLVM), "missing", "llvmlite")
        network = cr.Network([cr.Dense(23, "tanh"), cr.Dense(3)]).build(6)  # which no other test compiles
        np.testing.assert_array_equal(network.predict(X), network.predict(X, engine="numpy"))
        for refused in (lambda: network.predict(X, engine="llvm"), lambda: network.compiled()(X)):
            with pytest.raises(cr.ChainruleError, match="llvmlite is not installed"):
                refused()


def test_rows_that_depend_on_each_other_are_refused() -> None:
    network = cr.Network([cr.Dense(2), lambda x: x - np.mean(x, axis=0)]).build(6)
    with pytest.raises(cr.ChainruleError, match="depend on other rows"):
        network(X, engine="llvm")
    with pytest.raises(cr.ChainruleError, match="depend on other rows"):
        network.compiled()(X)
    assert network(X).shape == (700, 2)


def test_operations_without_machine_code_are_named() -> None:
    with pytest.raises(cr.ChainruleError, match="sort"):
        cr.Network([cr.Dense(2), lambda x: np.sort(x, axis=1)]).build(6)(X, engine="llvm")
    with pytest.raises(cr.ChainruleError, match="engine"):
        fitted("labels").predict(X, engine="lvm")


def test_unusable_rows_are_errors() -> None:
    network = fitted("labels")
    compiled = network.compiled()
    for rows in (1, 20, 700):
        for place in (0, rows - 1):
            for value in (np.nan, np.inf, -np.inf):
                bad = X[:rows].copy()
                bad[place, 3] = value
                for call in (compiled.predict, compiled, compiled.predict_proba, network.predict):
                    with pytest.raises(cr.ChainruleError, match=f"row {place}, column 3"):
                        call(bad)
                with pytest.raises(cr.ChainruleError, match=f"row {place}, column 3"):
                    network.predict(bad, engine="llvm")
    for bad in (X[0], X[:0], X[:, :5], np.array([["a"] * 6]), X[:2].astype(np.float64) * 1e39):
        for call in (compiled.predict, network.predict, lambda x: network.predict(x, engine="llvm")):
            with pytest.raises(cr.ChainruleError):
                call(bad)


@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[::-1][::-1],
        lambda x: x.astype(">f4"),
        lambda x: x.astype(np.float64),
        lambda x: x.tolist(),
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
    ],
    ids=["columns", "steps", "backwards", "other bytes", "float64", "list", "misaligned"],
)
@pytest.mark.parametrize("rows", [1, 30, 300])
def test_arrays_lying_in_memory_in_any_way(change: Any, rows: int) -> None:
    network = fitted("values")
    x = change(X[:rows])
    if isinstance(x, np.ndarray):
        x.flags.writeable = False
    expected = network.predict(X[:rows], engine="numpy")
    np.testing.assert_allclose(network.predict(x, engine="llvm"), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(network.compiled().predict(x), expected, rtol=1e-4, atol=1e-6)


def test_files_on_disk(tmp_path: Any) -> None:
    file = np.memmap(tmp_path / "x", np.float32, "w+", shape=X.shape)
    file[:] = X
    network = fitted("values")
    np.testing.assert_allclose(
        network.compiled().predict(file), network.predict(X, engine="numpy"), rtol=1e-4, atol=1e-6
    )
    file[5, 0] = np.nan
    with pytest.raises(cr.ChainruleError, match="NaN"):
        network.compiled().predict(file)
    assert np.isnan(network.predict(file, engine="llvm")).sum() == 1


def test_a_compiled_network_stays_as_it_was() -> None:
    network = fitted("values")
    compiled, before = network.compiled(), network.predict(X)
    network.fit(X, X[:, 3], epochs=2, progress=False)
    after = network.predict(X, engine="llvm")
    assert np.abs(after - before).max() > 0.01
    np.testing.assert_allclose(after, network.predict(X, engine="numpy"), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(compiled.predict(X), before, rtol=1e-4, atol=1e-6)
    network.parameters["dense_1"]["bias"][:] += 1.0
    np.testing.assert_allclose(network.predict(X, engine="llvm"), after + 1.0, rtol=1e-4, atol=1e-6)


def test_results_are_the_callers_own() -> None:
    compiled = fitted("values").compiled()
    first = compiled(X[:1])
    kept = first.copy()
    compiled(X[1:2])
    np.testing.assert_array_equal(first, kept)


def test_many_threads_at_once() -> None:
    compiled = fitted("labels").compiled()
    expected = [compiled.predict_proba(X[i : i + size]) for i in range(8) for size in (1, 20)]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(200):
            for j, size in enumerate((1, 20)):
                if not np.array_equal(compiled.predict_proba(X[i : i + size]), expected[2 * i + j]):
                    wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_networks_with_machine_code_can_be_copied_and_pickled() -> None:
    network = fitted("labels")
    expected = network.predict(X, engine="llvm")
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(other.predict(X, engine="llvm"), expected)


def test_like_networks_share_machine_code() -> None:
    first, second = (fitted("labels", seed=seed) for seed in (1, 2))
    assert first._answers.function("predict", LLVM) is second._answers.function("predict", LLVM)
    assert first._answers.function("predict", LLVM) is not fitted("hinge")._answers.function("predict", LLVM)


def test_blocks_reach_down_to_one_row() -> None:
    assert BLOCKS[-1] == 1
    assert list(BLOCKS) == sorted(BLOCKS, reverse=True)


@pytest.mark.parametrize("mixing", [True, False])
def test_many_rows_that_depend_on_each_other_and_that_do_not(mixing: bool) -> None:
    dense = cr.Dense(2, name="d")
    network = cr.Network(lambda x: dense(x - np.mean(x, axis=0) if mixing else x - 1.0), dtype="float64").build(3)
    rows = np.linspace(0.0, 5.0, 2 * CHUNK + 7)[:, None] * np.array([1.0, -2.0, 0.5])
    own = network.parameters["d"]
    expected = (rows - (rows.mean(axis=0) if mixing else 1.0)) @ own["weight"] + own["bias"]
    np.testing.assert_allclose(network(rows), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(network.predict(rows), expected, rtol=1e-9, atol=1e-9)
    network.fit(rows[:5], expected[:5], epochs=1, progress=False)
    own = network.parameters["d"]
    found = (rows - (rows.mean(axis=0) if mixing else 1.0)) @ own["weight"] + own["bias"]
    assert network.evaluate(rows, expected)["loss"] == pytest.approx(np.mean((found - expected) ** 2), rel=1e-9)


class Centred(cr.nn.Layer):
    """A layer of the user's that subtracts the mean over the batch, and passes itself off as one of the library's."""

    def forward(self, parameters: Any, x: Any) -> Any:
        return x - np.mean(x, axis=0)


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
def test_independence_of_rows_is_never_guessed_from_a_modules_name(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Centred, "__module__", "chainrule.nn.layers")
    monkeypatch.setattr(LLVM, "preparing", -np.inf)
    rows = np.linspace(0.0, 5.0, 2 * CHUNK + 7)[:, None] * np.array([1.0, -2.0, 0.5])
    network = cr.Network([Centred(), cr.Dense(1)], dtype="float64")
    network.fit(rows[:40], rows[:40, :1], epochs=1, progress=False)
    own = network.parameters["dense_0"]
    expected = (rows - rows.mean(axis=0)) @ own["weight"] + own["bias"]
    if engine not in ("auto", REFERENCE.name):
        for call in (network, network.predict, lambda x, **given: network.evaluate(x, x[:, :1], **given)):
            with pytest.raises(cr.ChainruleError, match="depend on other rows"):
                call(rows, engine=engine)
        return
    np.testing.assert_allclose(network(rows, engine=engine), expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(network.predict(rows, engine=engine), expected, rtol=1e-9, atol=1e-9)
    found = network.evaluate(rows, rows[:, :1], engine=engine)["loss"]
    assert found == pytest.approx(np.mean((expected - rows[:, :1]) ** 2), rel=1e-9)


def test_rows_that_fill_up_a_batch_do_not_change_a_mean_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = []
    for module in (Centred.__module__, "chainrule.nn.layers"):
        monkeypatch.setattr(Centred, "__module__", module)
        network = cr.Network([Centred(), cr.Dense(1)], dtype="float64", seed=1)
        losses.append(network.fit(X[:19], X[:19, :1], epochs=3, batch_size=10, progress=False)["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)


def test_a_compiled_network_is_copied_and_pickled_after_its_calls() -> None:
    import copy
    import pickle

    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2)])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    network.fit(x, [0, 1, 1, 0, 1], epochs=1, progress=False)
    fast = network.compiled()
    expected = fast(x), fast.predict(x), fast.predict_proba(x)
    for made in (
        copy.deepcopy(fast),
        copy.copy(fast),
        pickle.loads(pickle.dumps(fast)),
        copy.deepcopy({"n": fast})["n"],
    ):
        for a, b in zip((made(x), made.predict(x), made.predict_proba(x)), expected, strict=True):
            np.testing.assert_array_equal(a, b)
    network.predict(x, engine="llvm")
    np.testing.assert_array_equal(copy.deepcopy(network).predict(x), network.predict(x))
