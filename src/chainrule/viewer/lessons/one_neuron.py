"""One neuron: what it computes, how far off it is, and the derivative that says how to change it."""

from __future__ import annotations

from typing import Any

from chainrule.network.network import Network
from chainrule.nn.layers import Dense
from chainrule.training.optimizers import SGD
from chainrule.viewer.lessons.lesson import Lesson, Question, Step


def _network() -> tuple[Network, Any, Any]:
    neuron = Dense(1, "sigmoid", weight=[[0.8], [-0.5]], bias=0.3, name="neuron")
    return Network([neuron], dtype="float64").build(2), [[0.5, 1.0]], [[1.0]]


ONE_NEURON = Lesson(
    "One neuron",
    _network,
    (
        Step(
            "A weighted sum, then a curve",
            "A neuron takes numbers, here `x[0] = 0.5` and `x[1] = 1`, multiplies each by a **weight**, and adds "
            "them up with a **bias**: "
            "`z = w₀·x₀ + w₁·x₁ + b`.\nThen it bends the sum with the **sigmoid** curve `σ(z) = 1/(1 + e⁻ᶻ)`, "
            "which lies between 0 and 1.\n"
            "Nothing is computed yet: every value is a dash.",
            (("go", {"step": 0, "stage": "start"}), ("select", {"key": None})),
        ),
        Step(
            "You are the neuron",
            "The weights are 0.8 and −0.5, the bias is 0.3. Work it out with pencil and paper before you look.",
            (("go", {"step": 0, "stage": "start"}),),
            Question("What is z?", "neuron.z[0, 0]"),
        ),
        Step(
            "How far off",
            "The sigmoid of z is the neuron's answer a. It should have been 1, the **target**. The **loss** says "
            "how far off it is: "
            "`L = ½·(a − t)²`.\nThe smaller L, the better. Learning is to make it smaller.",
            (("go", {"step": 0, "stage": "forward"}),),
        ),
        Step(
            "Backwards, by the chain rule",
            "How does L change with z? Along the way stand two derivatives: `∂L/∂a = a − t`, and `∂a/∂z = a·(1 − "
            "a)`. The **chain rule** "
            "multiplies them.\nPoint at a factor: where it stands in the picture lights up.",
            (("go", {"step": 0}), ("select", {"key": "neuron.z[0, 0]", "depth": "factors"})),
            Question("What is ∂L/∂z? Two digits are enough.", "∂L/∂neuron.z[0, 0]"),
        ),
        Step(
            "The gradient of a weight",
            "z changes by `x₀` when `w₀` changes by 1. So `∂L/∂w₀ = ∂L/∂z · x₀`: the error that arrives, times "
            "what came in.",
            (("go", {"step": 0}), ("select", {"key": "neuron.weight[0, 0]", "depth": "factors"})),
            Question("What is ∂L/∂w₀?", "∂L/∂neuron.weight[0, 0]"),
        ),
        Step(
            "See for yourself",
            "A derivative is a promise: change the weight by a little, and the loss changes by the gradient "
            "times that.\n"
            "`w₀` was raised by 0.1. **Drag it further** and watch: the further you go, the less the straight "
            "line of the derivative fits the curve.",
            (
                ("go", {"step": 0}),
                ("select", {"key": "neuron.weight[0, 0]"}),
                ("set", {"key": "neuron.weight[0, 0]", "value": 0.9}),
            ),
        ),
        Step(
            "Learning",
            "**Gradient descent** takes a step against the gradient: `w ← w − η·∂L/∂w`, with the learning rate "
            "`η = 2`.\n"
            "At the beginning `w₀` was 0.8, and its gradient is what you found two pages before. Which weight comes out?",
            (("reset", {}), ("go", {"step": 1, "stage": "start"}), ("select", {"key": None})),
            Question("What is w₀ after one step?", "neuron.weight[0, 0]"),
        ),
        Step(
            "And again",
            "Play goes through fifty steps. Go back whenever you like: **every** moment is there as it was, to "
            "the last bit.",
            (("go", {"step": 0}), ("select", {"key": "neuron.weight[0, 0]", "depth": "layers"})),
        ),
    ),
    loss="l2_norm",
    optimizer=SGD(2.0),
    epochs=50,
    symbols={"neuron.weight": "w", "neuron.bias": "b", "neuron.z": "z", "neuron.a": "a", "target": "t"},
)
