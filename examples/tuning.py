"""Settings found by gradient descent: 12 trainings beside a grid of 120.

The loss on the validation data is a function of the settings, and has a gradient by them. The grid tries every combination of
the values one would write down; the descent goes where the gradient says, and takes two settings more with it, for the learning
rate may change on the way. Digits not seen by either judge what was found.
"""

from itertools import product

import numpy as np

import chainrule as cr

digits = cr.datasets.digits()
X, X_rest, y, y_rest = cr.datasets.split(digits.X, digits.y, test=5 / 6, seed=1)  # 300 digits to learn from
half = len(y_rest) // 2
data, validation, test = (X, y), (X_rest[:half], y_rest[:half]), (X_rest[half:], y_rest[half:])
always = {"epochs": 20, "batch_size": 30}


def network():
    return cr.Network([cr.Dense(32, "tanh"), cr.Dense(10)], dtype="float64", seed=0)


tried = []
for rate, momentum, l2 in product(
    (0.001, 0.003, 0.01, 0.03, 0.1), (0.0, 0.5, 0.9, 0.95), (0.0, 1e-4, 1e-3, 1e-2, 0.1, 1.0)
):
    one = network()
    one.fit(*data, optimizer=cr.SGD(rate, momentum=momentum), l2=l2, progress=False, **always)
    tried.append((one.evaluate(*validation)["loss"], f"learning rate {rate}, momentum {momentum}, l2 {l2}", one))
loss, settings, best = min(tried, key=lambda row: row[0])
print(f"the grid, {len(tried)} trainings: {loss:.4f} on the validation data, with {settings}")
print(f"    on new digits: {best.evaluate(*test)}")

begin = cr.SGD(cr.PiecewiseLinear(rates=(0.03, 0.03, 0.03), times=(0, 10, 20)), momentum=0.9)
found = cr.tune(network(), data, validation, optimizer=begin, l2=0.01, trainings=12, **always)
rates = ", ".join(f"{x:.3f}" for x in found.settings["learning_rate.rates"])
print(f"the descent, {len(found.losses)} trainings: {found.loss:.4f}, from {found.losses[0]:.4f}")
print(f"    with rates {rates}, momentum {found.settings['momentum']:.3f}, l2 {found.settings['l2']:.5f}")
print(f"    on new digits: {found.network.evaluate(*test)}")
print("the descent found a smaller loss" if found.loss < loss else "the grid found a smaller loss")

# Why the momentum went where it went: what it does to every weight, and what the weights do to the loss.
where = cr.hypergradient(network(), data, validation, optimizer=cr.SGD(0.03, momentum=0.9), by="momentum", **always)
print(where.explain("momentum", most=4))

# Every row has a weight of its own: which rows would the validation data rather have more of?
weights = cr.hypergradient(
    network(), data, validation, optimizer=cr.SGD(0.03, momentum=0.9), by="sample_weight", **always
)
order = np.argsort(weights["sample_weight"])
print(f"{weights.mode} mode; the rows that help most are the digits {y[order[:5]]}, least {y[order[-5:]]}")
