"""The reference engine: Programs as Python text, and training loops step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.engines import TrainingLoop, compile_program, evaluate, make_runner
from chainrule.errors import ShapeError, UnknownNameError
from chainrule.tracing.passes.straight_line import source_of
from trying import ENGINES


def function(x: Any, w: Any) -> Any:
    return {"loss": np.sum(np.tanh(x @ w) ** 2), "parts": [np.exp(-w), x[1:]]}


X, W = np.random.default_rng(0).normal(size=(4, 3)), np.random.default_rng(1).normal(size=(3, 2))


class TestEvaluate:
    def test_equals_the_function(self) -> None:
        program = cr.trace(function, X, W)
        for one in (program, cr.simplify(program)):
            result, expected = evaluate(one, X, W), function(X, W)
            assert result["loss"] == pytest.approx(expected["loss"], rel=1e-15)
            for ours, theirs in zip(result["parts"], expected["parts"], strict=True):
                np.testing.assert_array_equal(ours, theirs)

    def test_of_a_gradient_and_gradient_of_it(self) -> None:
        loss = lambda w: np.sum(np.tanh(X @ w) ** 2)  # noqa: E731
        program = cr.simplify(cr.trace(cr.grad(loss), W))
        np.testing.assert_allclose(evaluate(program, W), cr.grad(loss)(W), rtol=1e-14)
        twice = cr.grad(lambda w: np.sum(evaluate(program, w) ** 2))(W)
        np.testing.assert_allclose(twice, cr.grad(lambda w: np.sum(cr.grad(loss)(w) ** 2))(W), rtol=1e-12)

    def test_arguments_are_checked(self) -> None:
        program = cr.trace(function, X, W)
        with pytest.raises(ShapeError, match=r"\(3, 2\).*\(2, 3\).*Trace the function again"):
            evaluate(program, X, W.T)
        with pytest.raises(cr.ChainruleError):
            evaluate(program, X)

    def test_inputs_may_be_outputs_and_unused(self) -> None:
        program = cr.simplify(cr.trace(lambda a, b: (a, a, 3.0 * a), np.ones(2), np.ones(1)))
        first, second, third = evaluate(program, np.array([1.0, 2.0]), np.zeros(1))
        assert first.tolist() == second.tolist() == [1, 2]
        assert third.tolist() == [3, 6]

    def test_made_once(self) -> None:
        program = cr.trace(function, X, W)
        assert compile_program(program) is compile_program(program)

    def test_text_frees_values_after_their_last_use(self) -> None:
        text, _ = source_of(cr.trace(lambda x: np.sum(np.exp(np.sin(x))), X))
        lines = [line.strip() for line in text.splitlines()]
        assert lines[0] == "def run(x0):"
        assert lines[2:4] == ["v0 = f0(x0)", "v1 = f1(v0); del v0"]


class TestRunner:
    """A loop known to nothing but Programs: a running sum of the rows, with a smaller last batch."""

    DATA = np.arange(10.0)

    def loop(self) -> TrainingLoop:
        def step(total: Any, rows: Any, scale: Any) -> Any:
            return [total + scale * np.sum(rows), np.sum(rows)]

        full = cr.simplify(cr.trace(step, 0.0, np.ones(4), 1.0))
        last = cr.simplify(cr.trace(step, 0.0, np.ones(2), 1.0))
        return TrainingLoop(full, last, state=1, batch_size=4)

    @pytest.mark.parametrize("engine", [*ENGINES, "auto"])
    def test_steps_through_epochs_in_pieces(self, engine: str) -> None:
        order = np.stack([np.arange(10), np.arange(10)[::-1]]).astype(np.int32)
        scales = np.array([1.0, 10.0, 100.0, 1.0, 10.0, 100.0])
        assert self.loop().steps_per_epoch(10) == 3
        sums = [6, 22, 17, 30, 14, 1]
        for pieces in ([6], [1, 1, 1, 1, 1, 1], [2, 3, 1]):
            runner = make_runner(self.loop(), [self.DATA], engine)
            runner.load([np.float64(0.0)])
            first, metrics = 0, []
            for count in pieces:
                metrics.append(runner.run(order, first, count, [scales[first : first + count]]))
                first += count
            assert np.concatenate(metrics)[:, 0].tolist() == sums
            assert np.concatenate(metrics).dtype == np.float64
            assert float(runner.state[0]) == sum(a * b for a, b in zip(sums, scales, strict=True))

    @pytest.mark.parametrize("engine", [*ENGINES, "auto"])
    def test_arrays_are_reported_too(self, engine: str) -> None:
        """Of every step: the state after it, a number, and a moved view of the rows, written to between two runs."""

        def step(total: Any, rows: Any) -> Any:
            new = total + np.sum(rows)
            return [new, new, np.sum(rows), np.transpose(np.reshape(rows, (2, 2)))]

        loop = TrainingLoop(cr.simplify(cr.trace(step, np.zeros((3, 1)), np.ones(4))), None, state=1, batch_size=4)
        data = np.arange(8.0)
        runner = make_runner(loop, [data], engine)
        for shift in (0.0, 100.0):
            data += shift
            runner.load([np.array([[0.0], [1.0], [2.0]])])
            found = runner.run(np.arange(8, dtype=np.int32)[None], 0, 2, [])
            rows, total = data.reshape(2, 4), np.cumsum(data.reshape(2, 4).sum(1))
            expected = [[t, t + 1, t + 2, r.sum(), *r[[0, 2, 1, 3]]] for t, r in zip(total, rows, strict=True)]
            assert found.tolist() == expected

    def test_going_back_to_a_state(self) -> None:
        runner = make_runner(self.loop(), [self.DATA], "numpy")
        runner.load([np.float64(0.0)])
        order, ones = np.arange(10, dtype=np.int32)[None], [np.ones(1)]
        runner.run(order, 0, 1, ones)
        kept = runner.state
        runner.run(order, 1, 1, ones)
        runner.load(kept)
        assert float(runner.state[0]) == 6
        runner.run(order, 1, 1, ones)
        assert float(runner.state[0]) == 28

    def test_unknown_engine(self) -> None:
        with pytest.raises(UnknownNameError, match="did you mean 'numpy'"):
            make_runner(self.loop(), [self.DATA], "numpi")
        with pytest.raises(UnknownNameError, match="no engine named 'cuda'"):
            cr.Network([cr.Dense(1)]).fit(np.ones((3, 1)), np.ones(3), engine="cuda", progress=False)
