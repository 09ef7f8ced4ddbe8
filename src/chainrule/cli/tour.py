"""`chainrule demo chain-rule`: from the nudge of one number to every gradient of a network, a stage at a time."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

import chainrule as cr
from chainrule.cli.console import say
from chainrule.cli.pages import leaf_through
from chainrule.explanation.rendering.numerals import readable as number
from chainrule.explanation.rendering.telling import tell
from chainrule.explanation.rendering.text import as_text

WIDEST = 96


def tour(seed: int = 1) -> None:
    """Print every stage; at a terminal page by page."""
    say("The chain rule, from one number to a whole network", "bold")
    say("  Every number below is computed by chainrule while you read.")
    leaf_through({title: partial(stage, seed) for title, stage in STAGES.items()})


def _width() -> int:
    return min(shutil.get_terminal_size((80, 24)).columns, WIDEST)


def _tell(text: str) -> None:
    """Print paragraphs, filled; those that begin with spaces as they are."""
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.splitlines()
        if not paragraph.startswith(" "):
            lines = textwrap.wrap(" ".join(lines), max(_width(), 60) - 2, break_long_words=False)
        for line in lines:
            say(f"  {line}".rstrip())
        say()


def _show(text: Any) -> None:
    """Print what the library says of itself, four spaces in."""
    for line in str(text).splitlines():
        say(f"    {line}".rstrip())
    say()


def _show_derivation(derivation: Any) -> None:
    _show(as_text(tell(derivation), max(_width(), 64) - 4))


def _show_moments(moments: Sequence[Any]) -> None:
    """Numbers in their order, as many on a line as fit."""
    lines = [""]
    for i, moment in enumerate(moments):
        piece = f"{moment.name} = {number(moment.value)}" + "," * (i + 1 < len(moments))
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > _width() - 4:
            lines.append("")
        lines[-1] = f"{lines[-1]} {piece}".lstrip()
    _show("\n".join(lines))


def _columns(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    _show("\n".join("   ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in table))


# --- A1 to A3: derivatives before any network


def _parabola(x: Any) -> Any:
    return 3 * x**2 - 4 * x + 5


def _numerical(_: int) -> None:
    x, h = 3.0, 0.001
    lines = str(cr.derivation(_parabola)).replace("_parabola", "f").splitlines()
    before, after = lines[0], lines[-1].removeprefix("so ").replace("df/dx", "f′(x)")
    start, end = _parabola(x), _parabola(x + h)
    exact = cr.grad(_parabola)(x)
    found = cr.derivative(_parabola, x, method="forward", h=h)
    _tell(f"""
A derivative answers the question: if I change x a little, how many times as much does f change?
Take {before} at x = {number(x)} and raise x by h = {h}:

    f({number(x)})          = {number(start, 8)}
    f({number(x + h)})      = {number(end, 8)}
    the quotient  = ({number(end, 8)} − {number(start, 8)}) / {h} = {number(found, 8)}

The rules of calculus say {after}, so f′({number(x)}) = {number(exact)}.

The quotient is off by {number(found - exact, 1)} because h is not 0: that error is called truncation, and a smaller
h makes it smaller, but only up to a point. A computer keeps some 16 digits, and for tiny h nearly all of them cancel in
the subtraction. That error is called rounding:
""")
    rows = []
    for power in range(1, 16, 2):
        step = 10.0**-power
        quotient = cr.derivative(_parabola, x, method="forward", h=step)
        error = abs(quotient - exact)
        bar = "█" * max(0, round(16 + np.log10(max(error, 1e-16))))
        rows.append((f"1e−{power}", f"{quotient:.9f}", f"{error:.0e}".replace("-", "−"), bar.ljust(30)))
    _columns(("h", "quotient", "error", "each block: 10 times the error"), rows)
    chosen = cr.derivative(_parabola, x, method="forward")
    _tell(f"""
The best h is in between. Given none, cr.derivative chooses such an h, and finds {chosen:.9f}. From here on
derivatives need no h: they come from the rules, and are exact.
""")


def _partial(_: int) -> None:
    def d(a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    _tell("""
With several inputs, take each in turn and hold the others fixed. That is a
partial derivative, written ∂. A handful of rules is enough:

    constant    the derivative of what does not change is 0
    identity    ∂x/∂x = 1
    sum         ∂(u + v) = ∂u + ∂v
    factor      ∂(c·u) = c·∂u, where c is constant
    product     ∂(u·v) = v·∂u + u·∂v
    quotient    ∂(u/v) = (v·∂u − u·∂v)/v²
    power       ∂(uⁿ) = n·uⁿ⁻¹·∂u
    exponential ∂(aᵘ) = aᵘ·ln(a)·∂u
    chain       ∂f(u) = f′(u)·∂u: the outer derivative times the inner one

By hand one works from the outside in, and so does cr.derivation. For example, with respect to a:
""")
    _show(cr.derivation(d, 0))
    at = {"a": 2.0, "b": -3.0, "c": 10.0}
    exact = cr.grad(d, (0, 1, 2))(*at.values())
    nudged = [
        cr.derivative(lambda x, i=i: d(*[x if k == i else v for k, v in enumerate(at.values())]), v)
        for i, v in enumerate(at.values())
    ]
    _tell(f"With respect to all three, at {', '.join(f'{name} = {number(v)}' for name, v in at.items())}:")
    _columns(
        ("", "by the rules", "by nudging"),
        [
            (f"∂d/∂{name}", number(e), f"{n:.6f}".replace("-", "−"))
            for name, e, n in zip(at, exact, nudged, strict=True)
        ],
    )


def _gradient(_: int) -> None:
    def f(x: Any, w: Any) -> Any:
        return (w * x - 1) ** 2

    x, w, rate = 2.0, 1.5, 0.05
    slope = cr.grad(f, (0, 1))(x, w)
    below = x - rate * slope[0], w - rate * slope[1]
    above = x + rate * slope[0], w + rate * slope[1]
    _tell(f"""
All partial derivatives together are the gradient, ∇f. For f(x, w) = (w·x − 1)² at
x = {number(x)}, w = {number(w)} it is

    ∇f = (∂f/∂x, ∂f/∂w) = ({number(slope[0])}, {number(slope[1])})

It points the way f grows fastest. Take a small step along it, and one against it:
""")
    _columns(
        ("", "x", "w", "f(x, w)"),
        [
            (name, number(p), number(q), number(f(p, q), 4))
            for name, (p, q) in {"along ∇f": above, "where we are": (x, w), "against ∇f": below}.items()
        ],
    )
    _tell(f"""
Going against the gradient, by a fraction of it called the learning rate (here {rate}),
is how a network learns. f is then its error, and x, w, … are its weights.
""")


# --- A4 to A6: graphs, the chain rule, the two modes


def _graph_values() -> tuple[Any, Any]:
    given = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    e = (given.a * given.b).named("e")
    result = ((e + given.c).named("d") * given.f).named("L")
    result.backward()
    return given, result


def _graph(_: int) -> None:
    given, result = _graph_values()
    _tell("""
A long formula is many short ones, each a single sum or product. Written as a
graph, every value shows what it was computed from, its number (data), and how
strongly the result L reacts to it (gradient, ∂L/∂value):
""")
    say("\n".join(f"  {line}" for line in cr.tree(result).splitlines()))
    say()
    raised = given.a.data + 0.01
    there = (raised * given.b.data + given.c.data) * given.f.data
    _tell(f"""
Read it like this: the gradient of a is {number(given.a.grad)}. Raise a from {number(given.a.data)} to {number(raised)}, and L rises
{number(given.a.grad)} times as much: from {number(result.data)} to {number(there)}. In Python:

    a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    L = ((a * b).named("e") + c).named("d") * f
    L.backward()
    print(cr.tree(L))             # the tree above
    L.draw().save("graph.svg")    # the same as a picture
""")


def _chain(_: int) -> None:
    given, result = _graph_values()
    evaluation = result.graph()[0].backward()
    local = {(edge.equation.output.name, evaluation.label(edge.source)): edge.local for edge in evaluation.edges()}
    steps = [local["L", "d"], local["d", "e"], local["e", "a"]]
    product = "·".join(f"({number(x)})" if x < 0 and i else number(x) for i, x in enumerate(steps))
    _tell(f"""
How does one find the gradient of a, which is far from L? On the way from a to L each step is simple. In the graph
above, L changes {number(steps[0])} times as fast as d (L = d·f, and f = {number(given.f.data)}), d changes
{number(steps[1])} times as fast as e, and e changes {number(steps[2])} times as fast as a. So L changes
{product} = {number(np.prod(steps))} times as fast as a: derivatives along a path multiply. That is the chain rule.

    ∂L/∂a = ∂L/∂d · ∂d/∂e · ∂e/∂a

The library says the same, one line per step, from L back to a:
""")
    _show_derivation(result.explain(given.a))
    a, b = cr.values(a=-2.0, b=3.0)
    both = ((a * b).named("p") * (a + b).named("q")).named("L")
    both.backward()
    _tell(f"""
Where a value is used twice, a change reaches L by two paths, and their contributions add up. In L = p·q with
p = a·b and q = a + b, this is so for a. Its gradient at a = {number(a.data)}, b = {number(b.data)} has a term for each path:
""")
    _show_derivation(both.explain(a))


def _modes(_: int) -> None:
    def loss(a: Any, b: Any, c: Any, f: Any) -> Any:
        return (a * b + c) * f

    loss.__name__ = "L"
    at = (2.0, -3.0, 10.0, -2.0)
    _tell("""
The factors along a path may be multiplied from either end. Forward mode starts at one input and
carries value and derivative outwards together. That gives the derivative with respect
to that input only; the next input needs another run:
""")
    forward = cr.evaluation_order(loss, *at, mode="forward")
    _show_moments(forward.moments)
    _tell("""
Reverse mode first computes and keeps all values, then walks back from the output.
One walk gives the derivatives with respect to all inputs. This is backpropagation:
""")
    reverse = cr.evaluation_order(loss, *at, mode="reverse")
    derivatives = [m for m in reverse.moments if m.name.startswith("∂")]
    _show_moments(derivatives)
    _tell(f"""
For this L with its {reverse.inputs} inputs, forward mode needs {reverse.counts["forward"]} in all, reverse mode
{reverse.counts["reverse"]}. Which is cheaper depends on the numbers of inputs and outputs. For sin(X·w), with numbers w
as inputs and as many outputs as X has rows, multiplications and additions together:
""")
    rows = []
    for inputs, outputs in ((1, 1), (1, 100), (10, 10), (100, 1), (1000, 1)):
        X = np.ones((outputs, inputs))
        counts = cr.evaluation_order(lambda w, X=X: np.sin(X @ w), np.ones(inputs)).counts
        totals = {mode: count.multiplications + count.additions for mode, count in counts.items()}
        better = min(totals, key=lambda mode: totals[mode]) if len(set(totals.values())) > 1 else "equal"
        rows.append((f"{inputs:,}", str(outputs), f"{totals['forward']:,}", f"{totals['reverse']:,}", better))
    _columns(("inputs", "outputs", "forward mode", "reverse mode", "fewer"), rows)
    _tell("A network has many weights and one error to reduce: reverse mode wins.")


# --- C4: a network


X, TARGETS = [[0.4, -0.7]], [[0.2, 0.9]]
SYMBOLS = {
    "hidden.weight": "w", "output.weight": "u", "hidden.a": "h", "output.a": "y", "hidden.z": "p", "output.z": "q",
    "target": "t",
}  # fmt: skip


def _network(seed: int) -> Any:
    layers = [cr.Dense(3, "sigmoid", name="hidden"), cr.Dense(2, "sigmoid", name="output")]
    return cr.Network(layers, dtype="float64", seed=seed).build(2)


def _show_weight(network: Any, layer: str) -> None:
    """The derivative by any weight of a layer in symbols, and by its first with the numbers."""
    options = {"loss": "l2_norm", "symbols": SYMBOLS}
    _show(str(network.explain(X, TARGETS, f"{layer}.weight[i, j]", depth="layers", **options)).splitlines()[0])
    _show_derivation(network.explain(X, TARGETS, f"{layer}.weight[0, 0]", **options))


def _output_weight(seed: int) -> None:
    network = _network(seed)
    _tell(f"""
Two inputs x, three hidden neurons h, two outputs y. A neuron adds up its inputs times their weights and squeezes the
sum into 0 … 1 by the sigmoid σ:

    p_j = Σ_i x_i·w_ij,  h_j = σ(p_j)        σ(s) = 1/(1 + e⁻ˢ)
    q_j = Σ_i h_i·u_ij,  y_j = σ(q_j)        σ′ = σ·(1 − σ)

Σ_i is the sum over all i; w_ij leads from input i to hidden neuron j, u_ij from hidden neuron i to output j. The error
is L = ½ Σ_j (y_j − t_j)², with t what y should be. Here x = ({_listed(X[0])}) and t = ({_listed(TARGETS[0])}); the
weights are random (seed {seed}), and biases start at 0.

A weight u into an output has one path to L: through that output. So its derivative is one product,
""")
    _show_weight(network, "output")


def _hidden_weight(seed: int) -> None:
    network = _network(seed)
    _tell("""
The same network. A weight w into hidden neuron h_j reaches L through every output that h_j feeds: one path each, and a
sum Σ_k over them. That sum is what backpropagation passes back from layer to layer, however many there are.
""")
    _show_weight(network, "hidden")
    found = network.contributions(X, TARGETS, "hidden.weight[0, 0]", loss="l2_norm")
    _tell("How much of it comes by way of each output:")
    rows = [(f"y[{k}]", number(part.value)) for k, part in enumerate(found.by_output)]
    _columns(("by way of", "part"), [*rows, ("together", number(found.gradient))])
    step = network.step_by_step(X, TARGETS, loss="l2_norm", optimizer=cr.SGD(1.0))
    before = _error(network)
    network.parameters = step.update.after
    _tell(f"""
Do this for every weight, and take one step against the gradient (learning rate 1): the error falls from {number(before)}
to {number(_error(network))}. Repeat it, and that is training. Continue with your own numbers and data:

    chainrule explain --expression "(a*b + c)*f" a=2 b=-3 c=10 f=-2
    chainrule train data.csv --target COLUMN --save model.safetensors
    chainrule explain model.safetensors data.csv --weight "dense_0.bias[0]"
""")


def _listed(numbers: Iterable[float]) -> str:
    return ", ".join(map(number, numbers))


def _error(network: Any) -> float:
    found = network.evaluation(X, TARGETS, loss="l2_norm")
    return float(found.evaluation.value(found.loss))


STAGES: dict[str, Callable[[int], None]] = {
    "What a derivative is, and how a nudge finds it": _numerical,
    "Partial derivatives, by the rules": _partial,
    "The gradient, and the way down": _gradient,
    "A formula as a graph": _graph,
    "The chain rule: along a path multiply, over paths add": _chain,
    "Forward mode and reverse mode": _modes,
    "A network: a weight of its output": _output_weight,
    "A network: a weight of its hidden layer": _hidden_weight,
}
