"""XOR: what one neuron cannot learn, found by nudging every weight, and at once by the chain rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.datasets import xor
from chainrule.network.network import Network
from chainrule.nn.layers import Dense
from chainrule.training.optimizers import SGD
from chainrule.viewer.lessons.lesson import Lesson, Question, Step


def _network() -> tuple[Network, Any, Any]:
    random = np.random.default_rng(8)
    layers = [
        Dense(
            2,
            "sigmoid",
            weight=random.uniform(0, 1, (2, 2)).round(2),
            bias=random.uniform(0, 1, 2).round(2),
            name="hidden",
        ),
        Dense(
            1,
            "sigmoid",
            weight=random.uniform(0, 1, (2, 1)).round(2),
            bias=random.uniform(0, 1, 1).round(2),
            name="output",
        ),
    ]
    X, y = xor()
    return Network(layers, dtype="float64").build(2), X, y


EXCLUSIVE_OR = Lesson(
    "XOR, by nudging and by the chain rule",
    _network,
    (
        Step(
            "One or the other, not both",
            "The answer is 1 where exactly one input is 1. No straight line separates the points whose answer is "
            "1 from the others, so **one** neuron cannot learn it. "
            "Two hidden neurons draw two lines.",
            (("go", {"step": 0}), ("rows", {"rows": "all"}), ("select", {"key": None})),
        ),
        Step(
            "Learning without any calculus",
            "Raise one weight by a tiny `ε`, compute the loss of all four rows again, and see by how much it "
            "changed: `(L(w + ε) − L(w))/ε` is about the slope.\n"
            "This network has 9 parameters. So for **one** step every parameter is nudged in turn, and the loss "
            "is computed again each time.",
            (
                ("go", {"step": 0}),
                ("rows", {"rows": "all"}),
                ("select", {"key": "hidden.weight[0, 0]"}),
                ("check", {"on": True}),
            ),
        ),
        Step(
            "The chain rule finds all of them at once",
            "One pass forwards keeps the values, one pass backwards carries the derivative through them and "
            "meets **every** weight on its way. "
            "Nudging took 10 passes for 9 parameters; of a million parameters it would take a million and one, "
            "backwards still one.\n"
            "The two agree as far as a nudge can tell.",
            (
                ("go", {"step": 0}),
                ("select", {"key": "hidden.weight[0, 0]", "depth": "layers"}),
                ("check", {"on": True}),
            ),
        ),
        Step(
            "Four rows, one gradient",
            "The loss is the mean over four rows, so the gradient is the mean of theirs: see them **by sample**. "
            "Rows with different targets pull in "
            "different directions, which is why learning starts slowly.",
            (
                ("check", {"on": False}),
                ("rows", {"rows": "all"}),
                ("go", {"step": 0}),
                ("select", {"key": "output.bias[0]", "depth": "layers"}),
            ),
            Question("What is the gradient of the output's bias?", "∂L/∂output.bias[0]"),
        ),
        Step(
            "The plateau, and then the fall",
            "Play by epoch. For some fifty epochs the loss hardly falls: all four answers stay near ½. Then the two "
            "lines find their places, and by epoch 200 all answers are on the right side of ½.\n"
            "Go back to where it begins to fall, and **branch** from there with another learning rate.",
            (("go", {"step": 0}), ("rows", {"rows": "all"}), ("select", {"key": None})),
        ),
    ),
    loss="mse",
    optimizer=SGD(5.0),
    epochs=3000,
)
