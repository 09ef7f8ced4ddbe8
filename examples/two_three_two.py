"""The 2-3-2 network of the textbooks: the derivative by every weight, derived by the library itself.

Inputs x, weights w to three hidden neurons h, weights u to two outputs y, targets t; a sigmoid everywhere, and the loss
L = ½ Σ (y − t)². Nothing below is typed in: formulas and numbers are read off the network as it runs.
"""

import chainrule as cr

layers = [cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2, "sigmoid", name="output")]
network = cr.Network(layers, dtype="float64", seed=1).build(2)
X, T = [[0.4, -0.7]], [[0.2, 0.9]]
letters = {"hidden.weight": "w", "output.weight": "u", "hidden.a": "h", "output.a": "y", "target": "t"}


def explain(where, depth="layers", **options):
    return network.explain(X, T, where, loss="l2_norm", depth=depth, symbols=letters, **options)


print("Any weight into the outputs, and any weight into the hidden layer:\n")
for weight in ("output.weight", "hidden.weight"):
    print(" ", str(explain(f"{weight}[i, j]")).splitlines()[0])

print("\nThe same as LaTeX:\n")
print(explain("hidden.weight[i, j]").to("latex").splitlines()[0])

print("\nIn numbers, with a finite difference beside each gradient:\n")
print(explain("hidden.weight[0, 0]", depth="factors", check=True))

print("\nu[0, 0] serves only the first output; w[0, 0] feeds both:\n")
for weight in ("output.weight", "hidden.weight"):
    found = network.contributions(X, T, f"{weight}[0, 0]", loss="l2_norm")
    parts = " and ".join(f"{part.value:+.9f} by way of {part.name}" for part in found.by_output)
    print(f"  {found.name} = {found.gradient:+.9f}: {parts}")
