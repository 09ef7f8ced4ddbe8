"""Matt Mazur's step-by-step example digit by digit, and why two of his published numbers are slightly off.

https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/: a 2-2-2 network of sigmoids, one sample, learning
rate 0.5, biases not updated. His formulas use the output weights as they were in the forward pass, and his numbers for
the single step follow them. The error after the step and the outputs after 10,000 steps come from a program that had
updated the output weights already when it went on to the hidden layer; with that slip his digits come out.
"""

import numpy as np

import chainrule as cr

X, T = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
START = {"w": np.array([[0.15, 0.25], [0.20, 0.30]]), "u": np.array([[0.40, 0.50], [0.45, 0.55]])}
PUBLISHED = {
    "error before": 0.298371109, "δ of output 1": 0.138498562, "∂E/∂w5": 0.082167041, "∂E/∂w1": 0.000438568,
    "w1 after": 0.149780716, "w5 after": 0.35891648, "error after 1 step": 0.291027924,
    "output 1 after 10,000": 0.015912196, "output 2 after 10,000": 0.984065734,
}  # fmt: skip

network = cr.Network(
    [
        cr.Dense(2, "sigmoid", weight=START["w"], bias=0.35, name="hidden"),
        cr.Dense(2, "sigmoid", weight=START["u"], bias=0.60, name="output"),
    ],
    dtype="float64",
    frozen=["*.bias"],
).build(2)
rule = {"loss": "l2_norm", "optimizer": cr.SGD(0.5)}
print(network.explain(X, T, "hidden.weight[0, 0]", loss="l2_norm", digits=9))
parts = network.contributions(X, T, "hidden.weight[0, 0]", loss="l2_norm")
print("\nby way of o1 and o2:", ", ".join(f"{part.value:+.15f}" for part in parts.by_output))

step = network.step_by_step(X, T, **rule)
first = step.update.after
found = {
    "error before": step.loss.value, "δ of output 1": step.backward["output"].neurons[0].delta[0],
    "∂E/∂w5": step.gather.gradients["output"]["weight"][0, 0],
    "∂E/∂w1": step.gather.gradients["hidden"]["weight"][0, 0],
    "w1 after": first["hidden"]["weight"][0, 0], "w5 after": first["output"]["weight"][0, 0],
}  # fmt: skip
history = network.fit(X, T, **rule, epochs=10_000, batch_size=1, progress=False)
found["error after 1 step"] = history["loss"][1]
found["output 1 after 10,000"], found["output 2 after 10,000"] = network(X)[0]


def slipped(steps):
    """The same training with his program's slip: the hidden layer's gradient from output weights already updated."""
    w, u = START["w"].copy(), START["u"].copy()
    for _ in range(steps):
        h = cr.sigmoid(X @ w + 0.35)
        y = cr.sigmoid(h @ u + 0.60)
        delta = (y - T) * y * (1 - y)
        u -= 0.5 * h.T @ delta
        w -= 0.5 * X.T @ (delta @ u.T * h * (1 - h))  # u is the new one here; it should be the old one
    return cr.sigmoid(cr.sigmoid(X @ w + 0.35) @ u + 0.60)[0]


with_slip = {"error after 1 step": 0.5 * np.sum((slipped(1) - T) ** 2)}
with_slip["output 1 after 10,000"], with_slip["output 2 after 10,000"] = slipped(10_000)
print(f"\n{'':23} {'published':>12} {'computed':>20} {'with the slip':>14}")
for name, value in PUBLISHED.items():
    slip = f"{with_slip[name]:14.9f}" if name in with_slip else ""
    right = "agrees" if abs(found[name] - value) < 6e-10 else "differs"
    print(f"{name:23} {value:12.9f} {found[name]:20.17f} {slip}  {right}".rstrip())
