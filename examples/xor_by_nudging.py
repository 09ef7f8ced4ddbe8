"""Exclusive or learned twice from the same start: by nudging every weight, and by the chain rule.

A 2-2-1 network with sigmoids, weights and biases from U(0, 1). Nudging raises each parameter in turn by ε = 0.0001,
computes the loss again, takes the nudge back, and adds η·(loss before − loss after)/ε to the parameter. The chain rule
finds the same derivatives in one backward pass.

    python xor_by_nudging.py              prints both losses
    python xor_by_nudging.py curves.png   draws them as well, with matplotlib
"""

import sys

import numpy as np

import chainrule as cr

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
T = np.array([[0.0], [1.0], [1.0], [0.0]])
STEPS, SHOWN = 6000, 1000


def train(gradients):
    uniform = cr.Uniform(0.0, 1.0)
    layers = [
        cr.Dense(2, "sigmoid", weight=uniform, bias=uniform),
        cr.Dense(1, "sigmoid", weight=uniform, bias=uniform),
    ]
    network = cr.Network(layers, dtype="float64", seed=1)
    path = []

    def remember(end):
        path.append(np.concatenate([p.ravel() for layer in end.parameters.values() for p in layer.values()]))

    history = network.fit(
        X, T, loss="squared_error", optimizer=cr.SGD(2.0), epochs=STEPS, batch_size=None, gradients=gradients,
        callbacks=[remember], progress=False,
    )  # fmt: skip
    return network, history, np.array(path)


nudged, by_nudging, nudged_path = train("numerical")
exact, by_chain_rule, exact_path = train("chain rule")

print("step    loss by nudging    by the chain rule    largest difference of a weight")
for step in [*range(0, STEPS, SHOWN), STEPS - 1]:
    apart = np.abs(nudged_path[step] - exact_path[step]).max()
    print(f"{step:5}   {by_nudging['loss'][step]:14.6f}   {by_chain_rule['loss'][step]:17.6f}   {apart:25.1e}")

print("\ninputs    wanted    by nudging    by the chain rule")
for x, t, a, b in zip(X, T, nudged(X), exact(X), strict=True):
    print(f"{x}     {t[0]:.0f}      {a[0]:10.3f}    {b[0]:17.3f}")

print(
    f"\npasses by nudging:        {by_nudging.passes['forward']:,} forward (one for each of 9 parameters, and one more)"
)
print(
    f"passes by the chain rule: {by_chain_rule.passes['forward']:,} forward and {by_chain_rule.passes['backward']:,} backward"
)

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    plt.semilogy(by_nudging["loss"], linewidth=4, alpha=0.4, label="by nudging")
    plt.semilogy(by_chain_rule["loss"], "k--", label="by the chain rule")
    plt.xlabel("step")
    plt.ylabel("loss")
    plt.legend()
    plt.savefig(sys.argv[1])
    print(f"drawn in {sys.argv[1]}")
