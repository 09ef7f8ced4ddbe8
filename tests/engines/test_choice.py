"""What every engine keeps to, which one is taken, and an engine of one's own with nothing else touched."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import AUTO, ENGINES, REFERENCE, Engine, Executable, TrainingLoop, choice, evaluate, make_runner
from chainrule.tracing import Program
from chainrule.tracing.program import Literal

random = np.random.default_rng(0)
X = random.normal(size=(300, 4)).astype(np.float32)
LABELS = np.array(["ant", "bee"])[(X[:, 0] > 0).astype(int)]
BEHIND = list(ENGINES.values())[list(ENGINES.values()).index(REFERENCE) + 1 :]
"""Those that `auto` never comes to."""


class Equations(Engine):
    """Carries out one equation after the other, and counts what it is asked to do; it cannot do cosines."""

    name = "equations"

    def __init__(self) -> None:
        self.calls = 0

    def refusal(self, program: Program, data: Sequence[Any] = ()) -> str | None:
        """Cosines."""
        known = any(equation.op.name == "cos" for equation in program.equations)
        return "it has never heard of cos" if known else None

    def executable(self, program: Program) -> Executable:
        """A loop over the equations."""

        def call(*inputs: Any) -> tuple[Any, ...]:
            self.calls += 1
            values: dict[Any, Any] = dict(zip(program.inputs, inputs, strict=True))

            def value(x: Any) -> Any:
                return x.value if isinstance(x, Literal) else values[x]

            for equation in program.equations:
                values[equation.output] = equation.op.bind(equation.attributes)(*map(value, equation.inputs))
            return tuple(map(value, program.outputs))

        return Executable(program, call)


@pytest.fixture
def equations(monkeypatch: pytest.MonkeyPatch) -> Iterator[Equations]:
    engine = Equations()
    monkeypatch.setitem(ENGINES, engine.name, engine)
    yield engine
    assert engine.calls, "something else computed"


class TestAnEngineOfOnesOwn:
    """One registration, and everything that takes `engine=` takes it."""

    def test_fits(self, equations: Equations) -> None:
        histories = {}
        for engine in (equations.name, REFERENCE.name):
            network = cr.Network([cr.Dense(5, "tanh"), cr.Dropout(0.2), cr.Dense(2)])
            options: dict[str, Any] = {"validation_split": 0.2, "batch_size": 64, "epochs": 3, "progress": False}
            histories[engine] = network.fit(X, LABELS, engine=engine, **options)
        for name in ("loss", "accuracy", "val_loss"):
            np.testing.assert_allclose(histories[equations.name][name], histories[REFERENCE.name][name], rtol=1e-6)

    def test_answers(self, equations: Equations) -> None:
        network = cr.Network([cr.Dense(5, "tanh"), cr.Dense(2)])
        network.fit(X, LABELS, epochs=1, progress=False)
        for rows in (1, 20, 300):
            for method in ("predict", "predict_proba", "__call__"):
                found, expected = (getattr(network, method)(X[:rows], engine=e) for e in (equations.name, "numpy"))
                assert found.dtype == expected.dtype
                if expected.dtype.kind == "f":
                    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
                else:
                    np.testing.assert_array_equal(found, expected)
            found, expected = (network.evaluate(X[:rows], LABELS[:rows], engine=e) for e in (equations.name, "numpy"))
            assert found == pytest.approx(expected, rel=1e-5)

    def test_compiles_functions(self, equations: Equations) -> None:
        function = cr.jit(cr.grad(lambda x: np.sum(np.tanh(x) ** 2)), engine=equations.name)
        np.testing.assert_allclose(function(X[0]), cr.grad(lambda x: np.sum(np.tanh(x) ** 2))(X[0]), rtol=1e-6)
        with pytest.raises(cr.ChainruleError, match="the engine 'equations' cannot compile cos: it has never heard"):
            cr.jit(np.cos, engine=equations.name)(X)

    def test_shows_the_step_it_takes(self, equations: Equations) -> None:
        network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(1)]).build(4)
        step = network.step_by_step(X[:5], X[:5, 0], engine=equations.name)
        network.fit(X[:5], X[:5, 0], engine=equations.name, epochs=1, batch_size=5, progress=False)
        np.testing.assert_array_equal(step.update.after["dense_0"]["weight"], network.parameters["dense_0"]["weight"])

    def test_is_known_by_name(self, equations: Equations) -> None:
        equations.calls = 1
        with pytest.raises(cr.ChainruleError, match="did you mean 'equations'"):
            cr.Network([cr.Dense(1)]).build(4)(X, engine="equation")

    def test_is_not_taken_unasked_while_it_says_nothing_about_its_speed(self, equations: Equations) -> None:
        equations.calls = 1
        assert choice.quickest(10**6, 10**6, 10**6) is not equations

    def test_auto_takes_the_first_that_refuses_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = Equations()
        monkeypatch.setattr(choice, "ENGINES", {first.name: first, **ENGINES})
        for f, taken in ((np.sin, first), (np.cos, ENGINES["llvm"]), (lambda x: np.sort(np.cos(x)), REFERENCE)):
            assert choice.choose(AUTO, cr.trace(f, np.ones(3)), task="do this") is taken


@pytest.mark.parametrize("engine", ENGINES)
class TestEveryEngine:
    def test_has_the_name_it_is_registered_by(self, engine: str) -> None:
        assert ENGINES[engine].name == engine

    def test_gives_a_function_and_workspaces_that_hold_inputs(self, engine: str) -> None:
        def f(w: Any, x: Any) -> Any:
            return np.tanh(x @ w), np.sum(x), w, x[::-1]

        w, x = random.normal(size=(4, 3)), random.normal(size=(6, 4))
        program = cr.trace(f, w, x)
        function = ENGINES[engine].executable(program)
        for found, expected in zip(function(w, x), evaluate(program, w, x), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)
        first, second = function.workspace(), function.workspace()
        first.inputs[0][...], second.inputs[0][...] = w, -w
        for k in (1.0, 2.0):
            for workspace, sign in ((first, 1.0), (second, -1.0)):
                workspace.inputs[1][...] = k * x
                for found, expected in zip(workspace.run(), f(sign * w, k * x), strict=True):
                    np.testing.assert_allclose(found, expected, rtol=1e-12)

    @pytest.mark.parametrize("kind", ["float64", "complex128"])
    def test_frees_a_function_that_is_given_up(self, engine: str, kind: str) -> None:
        """At once: Python looks for circles seldom, and does not know how much memory hangs on one."""
        x = np.ones((3, 3), kind)
        function = ENGINES[engine].executable(cr.trace(lambda x: x @ x + 1, x))
        function(x)
        known = weakref.ref(function)
        gc.disable()
        try:
            del function
            assert known() is None
        finally:
            gc.enable()

    def test_plans_memory_or_says_that_it_does_not(self, engine: str) -> None:
        step = cr.trace(lambda total, rows: [total + np.sum(rows), np.sum(rows)], 0.0, np.ones(4))
        plan = ENGINES[engine].memory(TrainingLoop(step, None, state=1, batch_size=4))
        assert plan is None or 8 <= sum(plan[0]) <= plan[1]

    def test_loads(self, engine: str) -> None:
        ENGINES[engine].load()

    def test_is_an_error_and_a_warning_where_its_library_is_missing(
        self, engine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if ENGINES[engine] is REFERENCE:
            return
        monkeypatch.setattr(type(ENGINES[engine]), "missing", "a library")
        step = cr.trace(lambda total, rows: [total + np.sum(rows), np.sum(rows)], 0.0, np.ones(4))
        loop = TrainingLoop(step, None, state=1, batch_size=4)
        with pytest.raises(
            cr.errors.UnsupportedError, match=f"'{engine}' cannot .* training: a library is not installed"
        ):
            make_runner(loop, [np.ones(4)], engine)
        if ENGINES[engine] in BEHIND:
            return
        choice._say_once.cache_clear()
        with pytest.warns(UserWarning, match="pip install a library"):
            make_runner(loop, [np.ones(4)])
        make_runner(loop, [np.ones(4)])  # said once
        assert choice.quickest(10**9, 10**9, 10**9) is not ENGINES[engine]


def test_the_reference_refuses_nothing_and_engines_behind_it_are_only_taken_when_asked_for() -> None:
    for engine in BEHIND:
        assert choice.quickest(10**6, 10**6, 10**6) is not engine
        assert engine.seconds(10**6, 10**6, 10**6) == np.inf
    assert REFERENCE.missing is None
    assert REFERENCE.refusal(cr.trace(np.sort, np.ones(3))) is None
