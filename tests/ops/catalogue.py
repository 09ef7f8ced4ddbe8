"""docs/operations.md: every operation on one page, read off the declarations.

`python tests/ops/catalogue.py` writes it (`make documents`); a test holds that it is what the declarations say now. Formulas are the
declared ones, evaluated over formulas as explanations do; what kinks do is seen by evaluating beside them.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import chainrule.scipy
from chainrule import ops
from chainrule.explanation.formulas.symbolic import Formula, as_expression, symbolic, with_static
from chainrule.explanation.formulas.symbols import Call, Element, Expression, Numeral, Printed, Symbol, add
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.numerals import coefficient
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rendering.styles import LatexStyle, for_markdown
from chainrule.ops.functions.of_operations import parameters_of
from chainrule.ops.kinds import Custom, Domain, Elementwise, Layout, Reduction
from chainrule.ops.kinds.elementwise import INTEGER
from chainrule.ops.notation import COMPARISON
from chainrule.ops.operation import OF_NUMPY, Operation, eager
from chainrule.scipy import linalg, special
from chainrule.scipy.standing import Standing
from chainrule.tracing.program import Variable

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"

HEAD = """# Operations

Everything that chainrule differentiates is written in the operations below. Each is declared once; this page is read off the
declarations by `make documents`, and a test holds that it is true.

- **Value and derivative.** d*a* is the differential of an input *a*, and *y* the result. Formulas are those of textbooks; what
  is computed has guards besides, so that numbers stay finite. Capital letters are matrices.
- **Domain.** The numbers that an operation is declared for and tried with. Of any other it gives NumPy's value, often NaN.
- **No derivative.** Where the value has a kink or makes a step, and what its derivative is taken to be there; "second" where only the
  second derivative is missing; k is any whole number. An operation with no derivative at all counts as constant: its derivative is 0.
- **Code.** How exact machine code is: to the last bit (=), to so many units in the last place (2 ulp), or as its formula (≈); – where
  there is none and NumPy computes it.
- **Batch.** Whether `vmap` computes it for all members at once (✓) or for one after the other (–).
- **ℂ.** Whether it takes complex numbers, "no code" where machine code takes real ones only; (ℂ) where it gives complex numbers of
  real ones. All others refuse them.
"""

FUNCTIONS = """## Functions

Written in these operations, so what holds of the operations holds of them. "By numbers" are those that need the numbers of their
arguments, which a Program (under `jit`) and the members of a batch (under `vmap`) do not have.
"""

COLUMNS = ("Operation", "Value and derivative", "Domain", "No derivative", "Names", "Code", "Batch", "ℂ")


def modules() -> Iterator[ModuleType]:
    """The modules that declare operations, from the bottom up."""
    of_scipy = pkgutil.walk_packages(chainrule.scipy.__path__, "chainrule.scipy.")
    for found in (*pkgutil.iter_modules(ops.__path__, "chainrule.ops."), *of_scipy):
        yield importlib.import_module(found.name)


def declared(module: ModuleType) -> list[Operation]:
    """The operations that a module declares, and not those it imports."""
    return [x for x in vars(module).values() if isinstance(x, Operation) and x.listed]


# --- formulas


STYLE = LatexStyle()
SINGLE = ops.ArrayType((), np.dtype(float))


class Order(Formula):
    """The order n of a function, and those beside it, as a static argument."""

    __slots__ = ("letter", "shift")

    def __init__(self, letter: str, shift: float = 0) -> None:
        symbol = Symbol(Element(Variable(letter, SINGLE)))
        super().__init__(add([symbol, Numeral(shift)]))
        self.letter, self.shift = letter, shift

    def __add__(self, other: float) -> Order:
        return Order(self.letter, self.shift + other)

    def __str__(self) -> str:
        return f"{self.letter} {'+' if self.shift > 0 else '-'} {abs(self.shift):g}" if self.shift else self.letter

    def __eq__(self, other: object) -> bool:  # type: ignore[override]
        return isinstance(other, Order) and str(other) == str(self)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(str(self))


def letters(op: Operation) -> list[str]:
    """The names of the inputs; capital letters for those that are always matrices."""
    names = [p.name for p in parameters_of(op)[0]]
    if not isinstance(op, Custom):
        return names
    matrices = [all(np.ndim(e.inputs[i]) > 1 or _axes(e.inputs[i]) > 1 for e in op.examples) for i in range(len(names))]
    return [name.upper() if matrix else name for name, matrix in zip(names, matrices, strict=True)]


def result_of(op: Operation) -> str:
    """The letter of the result: y, where no input is called so."""
    return "z" if "y" in letters(op) else "y"


def _axes(given: Any) -> int:
    return len(given) if isinstance(given, tuple) else 0


def in_latex(name: str) -> str:
    """A name as LaTeX."""
    return STYLE.name(Spelled(name, ()))


def printed(x: Expression) -> str:
    """An expression as LaTeX."""

    def leaf(symbol: Any) -> Leaf:
        return Leaf(in_latex(symbol.element.variable.name), short=True)

    return Printer(STYLE, leaf, 4).write(x)


def symbols(op: Operation) -> list[Formula]:
    """A formula for every input, which is its name."""
    return [Formula(Symbol(Element(Variable(name, SINGLE)))) for name in letters(op)]


def value_of(op: Operation) -> str:
    """y = the operation as it is written, and what that is, in simpler operations."""
    written = (
        op.latex.format(*map(in_latex, letters(op)))
        if op.latex
        else STYLE.function(op, list(map(in_latex, letters(op))))
    )
    truth = (op.notation.form, op.notation.strength) == ("infix", COMPARISON) and INTEGER not in getattr(
        op, "domain", ()
    )
    parts = [result_of(op), rf"\left[{written}\right]" if truth else written]
    if isinstance(op, Elementwise) and op.differentiable and (op.textbook.value or not (op.doc or op.examples)):
        rule = op.textbook.value or op.value
        expanded = as_expression(rule(symbolic, *symbols(op)))
        simple = isinstance(expanded, Call) and expanded.op is op
        text = printed(expanded.form if isinstance(expanded, Printed) else expanded)
        if not simple and bare(text) != bare(written):
            parts.append(text)
    return " = ".join(parts)


def bare(latex: str) -> str:
    """LaTeX without the size of brackets and without spaces."""
    return latex.replace(r"\left", "").replace(r"\right", "").replace(" ", "")


def derivative_of(op: Operation) -> str:
    """dy, as the declaration says it: from partial derivatives, or as the differential of the whole."""
    names = list(map(in_latex, letters(op)))
    if not op.differentiable:
        return "dy = 0"
    if isinstance(op, Layout):
        moved = [f"d{x}" if op.linear is None or i < op.linear else x for i, x in enumerate(names)]
        return f"dy = {STYLE.function(op, moved)}"
    if op.differential:
        return f"dy = {op.differential.format(*names)}"
    if isinstance(op, Reduction) and callable(op.partial):
        x = Formula(Symbol(Element(Variable(f"{names[0]}_k", SINGLE))))
        y = Formula(Symbol(Element(Variable("y", SINGLE))))
        try:
            slope = printed(as_expression(op.partial(symbolic, y, x, (0,))))
        except IndexError:  # the number of elements is asked for
            raise AssertionError(
                f"{op.name} is to say its differential, for its partial is no formula of x and y"
            ) from None
        return rf"dy = \sum_k {slope} \, d{names[0]}_k"
    assert isinstance(op, Elementwise), f"{op.name} is to say its differential"
    if op.loops or not any("order" in given.attributes for given in op.examples):
        return _partials(op, names, {})
    order = op.examples[0].attributes["order"]
    try:
        return _partials(op, names, {"order": tuple(map(Order, "nm")) if isinstance(order, tuple) else Order("n")})
    except TypeError:  # a recursion over the order, which has no formula for all of them
        said = zip("nm", order if isinstance(order, tuple) else (order,), strict=False)
        where = ",\\ ".join(f"{letter} = {n}" for letter, n in said)
        return rf"{_partials(op, names, {'order': order})}\ ({where})"


def _partials(op: Elementwise, names: Sequence[str], static: Mapping[str, Any]) -> str:
    """The partial derivatives, with static arguments as they are given."""
    inputs = symbols(op)
    y = Formula(Call(with_static(op, static), tuple(x.expression for x in inputs)))
    found = []
    for i, (name, partial) in enumerate(zip(names, op.partials, strict=True)):
        if partial is not None:
            rule: Any = op.textbook.partial(i) or partial
            slope = as_expression(rule(symbolic, y, *inputs, **static) if callable(rule) else rule)
            found.append(rf"\frac{{\partial {result_of(op)}}}{{\partial {name}}} = {printed(slope)}")
    return r",\ ".join(found)


def mathematics(latex: str) -> str:
    """LaTeX in a cell of a table, where the sign | would end it."""
    latex = latex.replace(r"\left|", r"\left\lvert ").replace(r"\right|", r"\right\rvert ").replace("|", r"\vert ")
    return f"$`{for_markdown(latex)}`$"


# --- domains and kinks


def domain_of(op: Operation) -> str:
    """What the inputs may be: intervals and excluded points, or words."""
    if not isinstance(op, Elementwise):
        return "; ".join(f"all but {place.where.format(*letters(op))}" for place in op.undefined) or "all"
    return ", ".join(interval(op, i, name) for i, name in enumerate(letters(op)))


def interval(op: Elementwise, i: int, name: str) -> str:
    """The numbers that one input may be."""
    domain = op.domain[i]
    if domain.dtype != "float":
        return f"{name} {'true or false' if domain.dtype == 'bool' else 'whole'}"
    low, high = math.isfinite(domain.low), math.isfinite(domain.high)
    left, right = (" ≤ " if belongs(op, i, end) else " < " for end in (domain.low, domain.high))
    if low:
        text = (
            f"{number(domain.low)}{left}{name}{right}{number(domain.high)}"
            if high
            else f"{name}{MIRRORED[left]}{number(domain.low)}"
        )
    else:
        text = f"{name}{right}{number(domain.high)}" if high else ""
    poles = [f"{name} ≠ {number(x, domain.period)}" for x in domain.poles]
    return ", ".join([*([text] if text else []), *poles]) or f"all {name}"


MIRRORED = {" ≤ ": " ≥ ", " < ": " > "}


def number(x: float, period: float | None = None) -> str:
    """A number, or the numbers that are whole multiples of a period away."""
    text = "π/2" if x == math.pi / 2 else coefficient(abs(x), 4)
    text = f"−{text}" if x < 0 else text
    if period is None:
        return text
    return f"k + {text}".removesuffix(" + 1") if period == 1.0 else f"{text} + k·{coefficient(period, 4)}"


def ordinary(domain: Domain) -> Any:
    """A number of a domain that is none of its points."""
    if domain.dtype != "float":
        return np.ones((), domain.dtype)[()]
    low, high = (min(max(end, -2.0), 2.0) for end in domain.bounds)
    return np.float64(low + 0.375 * (high - low) + 0.0625)


def beside(op: Elementwise, i: int, x: float) -> tuple[Any, ...]:
    """Inputs of which one is given."""
    return tuple(np.float64(x) if k == i else ordinary(domain) for k, domain in enumerate(op.domain))


def static_of(op: Operation) -> dict[str, Any]:
    """The static arguments of the first example."""
    return dict(op.examples[0].attributes) if op.examples else {}


def belongs(op: Elementwise, i: int, x: float) -> bool:
    """Whether an end belongs to a domain: there is a finite value, and a slope, though it may be infinite."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(op.evaluate(*beside(op, i, x), **static_of(op)))) and not math.isnan(slope_at(op, i, x))


def slope_at(op: Elementwise, i: int, x: float) -> float:
    """The partial derivative by one input; the real part of one that is complex."""
    inputs, static, partial = beside(op, i, x), static_of(op), op.partials[i]
    if not callable(partial):
        return float(partial or 0.0)
    with np.errstate(all="ignore"):
        value = op.evaluate(*inputs, **static)
        value = value if np.iscomplexobj(value) else np.float64(value)
        return float(np.real(partial(eager, value, *inputs, **static)))


def kinks_of(op: Operation) -> str:
    """Where the derivative is missing, and what it is taken to be there."""
    said = [place.where.format(*letters(op)) for place in op.kinks]
    if isinstance(op, Elementwise) and not said:
        for i, (name, domain) in enumerate(zip(letters(op), op.domain, strict=True)):
            said += [f"{name} = {number(x, domain.period)}{taken_as(op, i, x)}" for x in domain.kinks]
            ends = [x for x in (domain.low, domain.high) if domain.dtype == "float" and math.isfinite(x)]
            said += [
                f"{name} = {number(x)} (∞)" for x in ends
                if op.differentiable and belongs(op, i, x) and not math.isfinite(slope_at(op, i, x))
            ]  # fmt: skip
    return "; ".join(dict.fromkeys(said))


def taken_as(op: Elementwise, i: int, x: float) -> str:
    """What a derivative is at a kink; that it exists, if it is the same on both sides."""
    if not op.differentiable:
        return ""
    before, here, after = (slope_at(op, i, x + side) for side in (-1e-9, 0.0, 1e-9))
    if not math.isfinite(here):
        return " (∞)"
    if math.isclose(before, after, rel_tol=1e-6, abs_tol=1e-6):
        return " (second)"
    return f" ({number(here)})" if len(op.domain) == 1 else " (as on its left)" if math.isclose(here, before) else ""


# --- names, engines


def names_of(op: Operation) -> str:
    """What NumPy and SciPy call it."""
    found = list(dict.fromkeys(x for own in (op.name, f"linalg.{op.name}") for x in NUMPYS.get(own, ())))
    for module in (special, linalg):
        standing: Standing = module.standing
        own = getattr(module, "OWN_NAMES", {}) | getattr(module, "BY_ORDER", {})
        scipys = [*([] if op.has_loops(1) else [op.name]), *(x for x, ours in own.items() if ours == op.name)]
        found += [f"scipy.{standing.name}.{x}" for x in dict.fromkeys(scipys) if x in standing.functions]
    if op.public:
        found.insert(0, f"cr.{op.name}")
    return ", ".join(f"`{x}`" for x in found)


def numpys_names() -> dict[str, list[str]]:
    """What NumPy's functions are called, by the name of the operation or function that stands for them."""
    by_object = {id(f): own.name for f, own in OF_NUMPY.items()}
    found: dict[str, list[str]] = {}
    for prefix, module in (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft)):
        for name in sorted(module.__all__):
            own = by_object.get(id(getattr(module, name)))
            if own is not None:
                found.setdefault(own, []).append(f"{prefix}.{name}")
    return found


NUMPYS = numpys_names()


def code_of(op: Operation) -> str:
    """How exact machine code is, if there is any."""
    if not op.has_loops(1) and not op.parts:
        return "–"
    return "≈" if op.accuracy.composed else "=" if op.accuracy.ulps <= 0.5 else f"{op.accuracy.ulps:g} ulp"


def complex_of(op: Operation) -> str:
    """Whether it takes or gives complex numbers."""
    if op.complex and op.has_loops(1) and not (op.parts or op.part_by_part):
        return "ℂ, no code"
    return "ℂ" if op.complex else "(ℂ)" if op.to_complex else "–"


def row(op: Operation) -> str:
    """One line of a table."""
    formulas = [mathematics(value_of(op)), mathematics(derivative_of(op))]
    cells = (
        f"`{op.name}`", "<br>".join([*formulas, *told(op)]), domain_of(op), kinks_of(op), names_of(op), code_of(op),
        "✓" if op.at_once else "–", complex_of(op),
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def told(op: Operation) -> list[str]:
    """The first paragraph of what is said of an operation."""
    text = " ".join(op.doc.split("\n\n")[0].split())
    return [text.replace("|", r"\|").replace("*", r"\*")] if text else []


def functions() -> Iterator[str]:
    """A line for every function that is written in operations."""
    for name, f in sorted(ops.FUNCTIONS.items()):
        if name not in ops.REGISTRY:
            said = (
                " ".join(str(f.implementation.__doc__).split("\n\n")[0].split()).replace("|", r"\|").replace("*", r"\*")
            )
            called = ", ".join(f"`{x}`" for x in ([f"cr.{name}"] if f.public else []) + NUMPYS.get(name, []))
            limits = [*([] if f.differentiable else ["no derivative"]), *(["by numbers"] if f.by_numbers else [])]
            yield f"| {called} | {said} | {', '.join(limits)} |"


def page() -> str:
    """The whole document."""
    out, seen = [HEAD], set[str]()
    for module in modules():
        found = [op for op in declared(module) if op.name not in seen]
        seen.update(op.name for op in found)
        if found:
            title = str(module.__doc__).split("\n")[0].rstrip(".")
            out += [
                f"## {title}\n",
                "| " + " | ".join(COLUMNS) + " |",
                "|" + " --- |" * len(COLUMNS),
                *map(row, found),
                "",
            ]
    out += [FUNCTIONS, "| Function | Value | |", "| --- | --- | --- |", *functions(), ""]
    return "\n".join(out)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
