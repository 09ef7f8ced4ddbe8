"""Published worked examples of backpropagation, digit by digit."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

import chainrule as cr


class TestMazur:
    """The 2-2-2 network of Matt Mazur, "A step by step backpropagation example", 2015.

    https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/. The gradient is the page's; the errors
    after one step and more were recomputed in float64 and in 40-digit decimals, because the page's own come from a
    program that uses output weights already updated for the hidden gradients.
    """

    X, T = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
    GRADIENT: ClassVar = {
        "w1": 0.00043856773447434674, "w2": 0.0008771354689486935, "w3": 0.0004977127352608601,
        "w4": 0.0009954254705217202, "w5": 0.08216704056423078, "w6": 0.08266762784753326,
        "w7": -0.02260254047747506, "w8": -0.022740242215978212,
    }  # fmt: skip
    AFTER_ONE: ClassVar = {
        "w1": 0.14978071613276284, "w2": 0.19956143226552564, "w3": 0.24975114363236958, "w4": 0.29950228726473915,
        "w5": 0.3589164797178846, "w6": 0.4086661860762334, "w7": 0.5113012702387375, "w8": 0.5613701211079891,
    }  # fmt: skip
    ERRORS: ClassVar = {  # after so many steps
        1: 0.29102777369359933, 2: 0.28354713312241997, 3: 0.27594328888945185, 10: 0.22091859205390402,
        100: 0.0200468282494252, 1000: 0.001114349453733746, 9999: 3.510854812251261e-05, 10000: 3.510187782978859e-05,
    }  # fmt: skip

    def network(self) -> cr.Network:
        hidden = cr.Dense(2, "sigmoid", weight=[[0.15, 0.25], [0.20, 0.30]], bias=0.35, name="hidden")
        output = cr.Dense(2, "sigmoid", weight=[[0.40, 0.50], [0.45, 0.55]], bias=0.60, name="output")
        return cr.Network([hidden, output], dtype="float64", frozen=["*.bias"]).build(2)

    @staticmethod
    def by_name(parameters: Any) -> dict[str, float]:
        hidden, output = parameters["hidden"]["weight"], parameters["output"]["weight"]
        return dict(zip([f"w{i}" for i in range(1, 9)], [*hidden.T.ravel(), *output.T.ravel()], strict=True))

    def trained(self, epochs: int) -> tuple[cr.Network, cr.History]:
        network = self.network()
        history = network.fit(self.X, self.T, loss="l2_norm", optimizer=cr.SGD(0.5), epochs=epochs, progress=False)
        return network, history

    def test_forward(self) -> None:
        reading = self.network().forward(self.X)
        np.testing.assert_allclose(reading["hidden"].z[0, 0], 0.3775, rtol=1e-12)
        np.testing.assert_allclose(reading["hidden"].a[0], [0.5932699921071872, 0.596884378259767], rtol=1e-15)
        np.testing.assert_allclose(reading["output"].z[0], [1.1059059670597702, 1.2249214040964655], rtol=1e-15)
        np.testing.assert_allclose(reading["output"].a[0], [0.7513650695523157, 0.7729284653214626], rtol=1e-15)
        assert cr.L2Norm()(reading.outputs, self.T)[0] == pytest.approx(0.29837110876000267, rel=1e-15)

    def test_gradient(self) -> None:
        network = self.network()
        gradient = cr.grad(lambda p: np.sum(cr.L2Norm()(network.model.apply(p, [self.X]).outputs, self.T)))
        found = self.by_name(gradient(network.parameters))
        assert found == pytest.approx(self.GRADIENT, rel=1e-13)
        shared = gradient(network.parameters)
        assert shared["hidden"]["bias"].sum() == pytest.approx(0.018725609394704135, rel=1e-13)
        assert shared["output"]["bias"].sum() == pytest.approx(0.10040032511200075, rel=1e-13)

    def test_one_step(self) -> None:
        network, history = self.trained(1)
        assert history["loss"] == [pytest.approx(0.29837110876000267, rel=1e-15)]
        assert self.by_name(network.parameters) == pytest.approx(self.AFTER_ONE, rel=1e-15)
        assert network.evaluate(self.X, self.T)["loss"] == pytest.approx(0.29102777369359933, rel=1e-14)
        np.testing.assert_allclose(network(self.X)[0], [0.742088111190782, 0.77528496829446], rtol=1e-12)

    def test_ten_thousand_steps(self) -> None:
        network, history = self.trained(10000)
        for steps, error in self.ERRORS.items():
            if steps < 10000:
                assert history["loss"][steps] == pytest.approx(error, rel=1e-11)
        assert network.evaluate(self.X, self.T)["loss"] == pytest.approx(self.ERRORS[10000], rel=1e-11)
        np.testing.assert_allclose(network(self.X)[0], [0.015913620444, 0.984064273515], rtol=1e-10)


class TestNielsen:
    """The single neuron of Michael Nielsen, "Neural networks and deep learning", 2015, chapter 3.

    Input 1, target 0, cost a²/2, η = 0.15, 300 steps; the book prints 0.82 before and 0.09 after for the first start
    and 0.98 before for the second; the further digits were computed in float64.
    """

    @pytest.mark.parametrize(("start", "outputs"), [
        (0.6, {0: 0.8175744762, 1: 0.8120549688, 150: 0.1527398856, 300: 0.0939556949}),
        (2.0, {0: 0.98201379, 1: 0.9819216511, 150: 0.9334174726, 300: 0.2028484243}),
    ])  # fmt: skip
    def test_saturation(self, start: float, outputs: dict[int, float]) -> None:
        bias = 0.9 if start == 0.6 else 2.0
        network = cr.Network([cr.Dense(1, "sigmoid", weight=start, bias=bias)], dtype="float64")
        history = network.fit([[1.0]], [[0.0]], loss="l2_norm", optimizer=cr.SGD(0.15), epochs=300, progress=False)
        for step, a in outputs.items():
            reached = network(np.ones((1, 1)))[0, 0] if step == 300 else (2 * history["loss"][step]) ** 0.5
            assert reached == pytest.approx(a, rel=1e-8)

    def test_cross_entropy_does_not_saturate(self) -> None:
        def trained(loss: str) -> float:
            network = cr.Network([cr.Dense(1, "sigmoid", weight=2.0, bias=2.0)], dtype="float64")
            network.fit([[1.0]], [[0]], loss=loss, optimizer=cr.SGD(0.15), epochs=100, progress=False)
            return float(network([[1.0]])[0, 0])

        assert trained("binary_cross_entropy") < 0.15
        assert trained("l2_norm") > 0.9


def test_gradient_of_a_two_three_two_network_by_the_formulas() -> None:
    """Sigmoid everywhere, ½Σ(y − t)²: output weights δ_j·h_i, hidden weights [Σ_k δ_k·u_jk]·h_j(1 − h_j)·x_i."""
    network = cr.Network([cr.Dense(3, "sigmoid", name="w"), cr.Dense(2, "sigmoid", name="u")], dtype="float64").build(2)
    x, t = np.array([[0.4, -0.7]]), np.array([[0.2, 0.9]])
    reading = network.forward(x)
    h, y, u = reading["w"].a[0], reading["u"].a[0], network.parameters["u"]["weight"]
    delta = (y - t[0]) * y * (1 - y)
    gradient = cr.grad(lambda p: np.sum(cr.L2Norm()(network.model.apply(p, [x]).outputs, t)))(network.parameters)
    for i in range(3):
        for j in range(2):
            assert gradient["u"]["weight"][i, j] == pytest.approx(delta[j] * h[i], rel=1e-12)
    for i in range(2):
        for j in range(3):
            expected = sum(delta[k] * u[j, k] for k in range(2)) * h[j] * (1 - h[j]) * x[0, i]
            assert gradient["w"]["weight"][i, j] == pytest.approx(expected, rel=1e-12)
