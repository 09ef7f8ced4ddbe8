"""Pieces of your own: a loss, an activation, a layer, an optimizer and a schedule, all in plain NumPy.

A loss, an activation and a schedule may be functions; whatever has settings is a small frozen dataclass. Nothing has
to be registered, and no derivative is written.
"""

from dataclasses import dataclass

import numpy as np

import chainrule as cr


def snake(x):  # an activation
    return x + np.sin(x) ** 2


@dataclass(frozen=True)
class Quantile(cr.Loss):  # a loss with a setting: too low costs `share`, too high costs 1 − `share`
    share: float = 0.5

    def __call__(self, outputs, targets):
        short = targets - outputs
        return np.sum(np.maximum(self.share * short, (self.share - 1) * short), axis=-1)


@dataclass(frozen=True)
class Fourier(cr.Layer):  # a layer that learns the frequencies it looks at
    waves: int = 4

    def parameters(self, shape):
        return {"frequency": cr.ParameterSpec((shape[-1], self.waves), cr.Normal(2.0))}

    def forward(self, parameters, x):
        angle = x @ parameters["frequency"]
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)


@dataclass(frozen=True)
class Lion(cr.Optimizer):  # Chen et al. 2023: the sign of a running mean
    learning_rate: object = 0.003
    beta1: float = 0.9
    beta2: float = 0.99

    def initial_state(self, parameter):
        return {"mean": np.zeros_like(parameter)}

    def update(self, gradient, parameter, state, learning_rate, step):
        direction = np.sign(self.beta1 * state["mean"] + (1 - self.beta1) * gradient)
        mean = self.beta2 * state["mean"] + (1 - self.beta2) * gradient
        return parameter - learning_rate * direction, {"mean": mean}


def fading(epoch):  # a schedule: an array of times in epochs, a rate for each
    return 0.005 / (1 + epoch / 20)


random = np.random.default_rng(0)
x = random.uniform(-2, 2, (400, 1))
y = np.sin(3 * x) + 0.3 * random.normal(size=x.shape) * (2 + x)  # noise that grows from left to right

for share in (0.1, 0.5, 0.9):
    network = cr.Network([Fourier(8), cr.Dense(16, snake), cr.Dense(1)], seed=1)
    network.fit(x, y, loss=Quantile(share), optimizer=Lion(fading), epochs=60, progress=False)
    below = np.mean(y <= network.predict(x))
    print(f"the curve that {share:.0%} of the points should lie below has {below:.0%} of them below it")
cr.check_grads(lambda p: network.model.apply(p, [x[:5].astype(np.float32)]).outputs, (network.parameters,), order=1)
print("and every derivative agrees with finite differences")
