"""How exact is a numerical derivative? Truncation against rounding, for 3x² − 4x + 5 at x = 3.

With a large nudge h the quotient (f(x + h) − f(x))/h is off because the curve is not straight: truncation, about
h·f″/2. With a small one nearly all digits of f cancel: rounding, about ε·|f|/h. The best h lies between, at about √ε.
Central differences have a truncation of h²·f‴/6, which is 0 for a parabola, so the second curve is of exp.

    python numerical_derivative.py              prints the curves
    python numerical_derivative.py errors.png   draws them as well, with matplotlib
"""

import sys

import numpy as np

import chainrule as cr


def f(x):
    return 3 * x**2 - 4 * x + 5


x = 3.0
exact = cr.grad(f)(x)
print(
    f"f({x:g}) = {f(x):g}; forward difference with h = 0.001: {cr.derivative(f, x, 'forward', 0.001):.6f}; exact: {exact}"
)
print(f"h chosen by the library: {cr.derivative(f, x, 'forward'):.9f} forward, {cr.derivative(f, x):.9f} central\n")

nudges = 10.0 ** -np.arange(1, 16)
errors = {
    "3x² − 4x + 5, forward": [abs(cr.derivative(f, x, "forward", h) - exact) for h in nudges],
    "exp, forward": [abs(cr.derivative(np.exp, 1.0, "forward", h) - np.e) for h in nudges],
    "exp, central": [abs(cr.derivative(np.exp, 1.0, "central", h) - np.e) for h in nudges],
}
print(f"{'h':>6}  " + "  ".join(f"{name:<31}" for name in errors))
for i, h in enumerate(nudges):
    bars = ("█" * max(0, round(1.5 * (13 + np.log10(max(column[i], 1e-13))))) for column in errors.values())
    print(
        f"{h:6.0e}  "
        + "  ".join(f"{e[i]:.0e} {bar:<25}" for e, bar in zip(errors.values(), bars, strict=True)).rstrip()
    )
for name, column in errors.items():
    best = int(np.argmin(column))
    print(f"{name}: smallest error {column[best]:.0e}, at h = {nudges[best]:.0e}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    for name, column in errors.items():
        plt.loglog(nudges, np.maximum(column, 1e-16), "o-", label=name)
    plt.xlabel("h")
    plt.ylabel("error of the quotient")
    plt.legend()
    plt.savefig(sys.argv[1])
    print(f"drawn in {sys.argv[1]}")
