"""Any formula is a network: functions reused, skipped over and combined, several inputs, one gradient.

    ŷ = f(g(x, y)) + h(g(x, y)) + exp(f(x)) + σ(x, y) + σ(g(x, y), f(x)) + b

f, g and h are layers; the two σ are neurons with weights of their own. g is used three times and f three times:
each has one set of weights, and its gradient is the sum over all the paths on which it reaches ŷ.
"""

import numpy as np

import chainrule as cr

f = cr.Dense(1, "tanh", name="f")
g = cr.Dense(1, "tanh", name="g")
h = cr.Dense(1, "softplus", name="h")
σ1 = cr.Dense(1, "sigmoid", name="sigma_1")
σ2 = cr.Dense(1, "sigmoid", name="sigma_2")
b = cr.Parameter((1,), name="b")


def formula(x, y):
    return f(g(x, y)) + h(g(x, y)) + np.exp(f(x)) + σ1(x, y) + σ2(g(x, y), f(x)) + b


network = cr.Network(formula, dtype="float64", seed=2)

# Something to learn: a surface over the square.
random = np.random.default_rng(0)
x, y = random.uniform(-1, 1, (200, 1)), random.uniform(-1, 1, (200, 1))
surface = np.exp(0.8 * x) + np.tanh(2 * x - 3 * y)

history = network.fit((x, y), surface, epochs=400, optimizer=cr.Adam(0.02), progress=False)
print(network.summary())
print(f"\nmean squared error {history['loss'][0]:.3f} at first, {history['loss'][-1]:.3f} after 400 epochs")


# One weight's gradient, by the chain rule and by nudging it.
def loss(parameters):
    outputs = network.model.apply(parameters, [x, y]).outputs
    return np.mean((outputs - surface) ** 2)


network.parameters = {"g.weight": [[0.5], [-0.5]]}  # a place where the gradient is not 0
by_chain_rule = cr.grad(loss)(network.parameters)["g"]["weight"][0, 0]
start, nudge = network.parameters["g"]["weight"], np.array([[1e-6], [0.0]])
moved = [loss({**network.parameters, "g": {**network.parameters["g"], "weight": start + s * nudge}}) for s in (1, -1)]
print(f"∂loss/∂g.weight[0, 0]: {by_chain_rule:.9f} by the chain rule, {(moved[0] - moved[1]) / 2e-6:.9f} by nudging")
