"""The 2-3-2 network: every weight's gradient, and whose error it is."""

from __future__ import annotations

from typing import Any

from chainrule.network.network import Network
from chainrule.nn.layers import Dense
from chainrule.training.optimizers import SGD
from chainrule.viewer.lessons.lesson import Lesson, Question, Step


def _network() -> tuple[Network, Any, Any]:
    hidden = Dense(3, "sigmoid", weight=[[0.2, -0.4, 0.6], [0.5, 0.3, -0.7]], bias=0.0, name="h")
    output = Dense(2, "sigmoid", weight=[[0.7, -0.3], [-0.5, 0.8], [0.4, 0.6]], bias=0.0, name="y")
    return Network([hidden, output], dtype="float64").build(2), [[0.4, -0.7]], [[0.2, 0.9]]


TWO_LAYERS = Lesson(
    "The 2-3-2 network",
    _network,
    (
        Step(
            "Two layers",
            "Two inputs, three hidden neurons h, two outputs y, each with a target t. Weights from the inputs "
            "are called w, those to the "
            "outputs u. The loss is `L = ½·Σ (yₖ − tₖ)²`.\nPlay by **operation** to see each value appear, and "
            "then each gradient, from right to left.",
            (("go", {"step": 0, "stage": "start"}), ("select", {"key": None})),
        ),
        Step(
            "A weight of the output layer",
            "`u₀₀` leads to the first output only, so only that error is in its gradient:\n`∂L/∂u₀₀ = (y₀ − t₀) "
            "· y₀(1 − y₀) · h₀`: how far off, times the slope of the sigmoid, times what came in.",
            (("go", {"step": 0}), ("select", {"key": "y.weight[0, 0]", "depth": "layers"})),
            Question("What is ∂L/∂u₀₀?", "∂L/∂y.weight[0, 0]"),
        ),
        Step(
            "A weight of the hidden layer",
            "`w₀₀` feeds `h₀`, and through `u₀₀` and `u₀₁` **both** errors. So both come back, and are added:\n"
            "`∂L/∂w₀₀ = [Σₖ (yₖ − tₖ) · yₖ(1 − yₖ) · u₀ₖ] · h₀(1 − h₀) · x₀`.",
            (("go", {"step": 0}), ("select", {"key": "h.weight[0, 0]", "depth": "layers"})),
        ),
        Step(
            "Whose error is it?",
            "The bars say how much of `∂L/∂w₀₀` came by way of each output. Here both pull the same way; where they "
            "pull in opposite directions, much of it cancels.",
            (("go", {"step": 0}), ("select", {"key": "h.weight[0, 0]", "depth": "factors"})),
            Question("What arrives at h₀, ∂L/∂h₀? Add up what both outputs send back.", "∂L/∂h.a[0, 0]"),
        ),
        Step(
            "Trust, but check",
            "Next to every gradient is what comes out when the number is **nudged** up and down by a few "
            "millionths and the loss computed again. "
            "No derivative is used for that; it agrees all the same.",
            (("go", {"step": 0}), ("select", {"key": "h.weight[1, 2]", "depth": "layers"}), ("check", {"on": True})),
        ),
        Step(
            "Change something",
            "Drag a weight, an input or a target, and all that follows from it changes at once: values, loss, "
            "gradients, and the derivation.",
            (("check", {"on": False}), ("go", {"step": 0}), ("select", {"key": "target[0, 0]"})),
        ),
    ),
    loss="l2_norm",
    optimizer=SGD(1.0),
    epochs=100,
    symbols={"h.weight": "w", "y.weight": "u", "h.a": "h", "y.a": "y", "target": "t"},
)
