"""Vanishing gradients: why the first layer of a deep network of sigmoids hardly learns."""

from __future__ import annotations

from typing import Any

from chainrule.network.network import Network
from chainrule.nn.layers import Dense
from chainrule.training.optimizers import SGD
from chainrule.viewer.datasets import in_the_plane
from chainrule.viewer.lessons.lesson import Lesson, Question, Step

DEPTH = 5


def _network() -> tuple[Network, Any, Any]:
    layers = [Dense(3, "sigmoid", name=f"layer_{i}") for i in range(1, DEPTH + 1)]
    points, classes = in_the_plane("xor", rows=60)
    return Network([*layers, Dense(1, "sigmoid", name="output")], dtype="float64", seed=4), points, classes


VANISHING = Lesson(
    "Vanishing gradients",
    _network,
    (
        Step(
            "A deep stack of sigmoids",
            "Five hidden layers of three neurons. The error starts at the right, and has to pass all of them on "
            "its way to the first weights.",
            (("go", {"step": 0}), ("rows", {"rows": [0]}), ("select", {"key": None})),
        ),
        Step(
            "At most a quarter, each time",
            "Passing back through a sigmoid multiplies by `σ′(z) = a·(1 − a)`. It is largest where `a = ½`, and "
            "then it is ½·½, a quarter.",
            (("go", {"step": 0}), ("rows", {"rows": [0]}), ("select", {"key": "layer_5.a[0, 0]", "depth": "factors"})),
        ),
        Step(
            "Where it goes",
            "The derivation of a weight of the first layer, layer by layer: what arrives at the neurons of a layer "
            "is smaller with each of them, 0.16 at the output and less than 0.0001 at the first.",
            (
                ("go", {"step": 0}),
                ("rows", {"rows": [0]}),
                ("select", {"key": "layer_1.weight[0, 0]", "depth": "layers"}),
            ),
            Question(
                "What is its gradient? Read the last line: the factor that arrives, times x[0].",
                "∂L/∂layer_1.weight[0, 0]",
            ),
        ),
        Step(
            "What to do about it",
            "The doctor names the factor of every layer, σ′ and weights apart, and what to try: activations "
            "whose derivative is 1 on one side "
            "(`relu`), or nearer to 1 around 0 (`tanh`), and initial weights that keep the signal's size.\nPlay: "
            "within twenty steps the output learns to say ½ for every point, and then the loss stays at 0.25.",
            (
                ("go", {"step": 0}),
                ("rows", {"rows": "all"}),
                ("panel", {"name": "doctor", "open": True}),
                ("select", {"key": None}),
            ),
        ),
    ),
    loss="mse",
    optimizer=SGD(1.0),
    epochs=200,
)
