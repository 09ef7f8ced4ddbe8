"""The derivation of a formula as text, LaTeX, Markdown and HTML."""

from __future__ import annotations

from html import escape
from typing import Any

from chainrule.errors import UnknownNameError
from chainrule.explanation.derived import DerivedFormula
from chainrule.explanation.rendering.latex import aligned
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.printer import Leaf, Printer
from chainrule.explanation.rendering.styles import LatexStyle, MathmlStyle, TextStyle
from chainrule.explanation.symbols import Element, Slope, Symbol
from chainrule.ops.notation import ATOM, SIGN


def render_formula_derivation(derivation: DerivedFormula, form: str) -> str:
    """The derivation as "text", "latex", "markdown" or "html"."""
    forms = {"text": _text, "latex": _latex, "markdown": _markdown, "html": _html}
    if form not in forms:
        raise UnknownNameError.among("form", form, forms)
    return forms[form](derivation)


class _Writer:
    """Writes the formula, its parts and their derivatives in one style."""

    def __init__(self, derivation: DerivedFormula, style: Any) -> None:
        self.derivation, self.style = derivation, style
        self.printer = Printer(style, self._leaf)

    def _leaf(self, x: Symbol | Slope) -> Leaf:
        if isinstance(x, Slope):
            return Leaf(self.slope(x), SIGN)
        name = self._name(x.element)
        return Leaf(self.style.name(name), ATOM, name.short)

    def _name(self, element: Element) -> Spelled:
        return Spelled(element.variable.name, ())

    def slope(self, x: Slope) -> str:
        """∂(part)/∂argument; the whole formula goes by the function's name."""
        if x.of == self.derivation.output:
            of = self.style.name(Spelled(self.derivation.name, ()))
        else:
            formula = self.derivation.formulas.formula(x.of)
            of = self.printer.write(formula)
            of = of if isinstance(formula, Symbol) else self.style.brackets(of)
        return str(self.style.slope(of, self.style.name(self._name(x.by)), self.derivation.formulas.evaluation.d))

    def definition(self) -> tuple[str, str]:
        """F(a, b), and what it is."""
        arguments = [self.style.name(Spelled(x.name, ())) for x in self.derivation.formulas.evaluation.program.inputs]
        comma = "<mo>,</mo>" if isinstance(self.style, MathmlStyle) else ", "
        name = self.style.name(Spelled(self.derivation.name, ()))
        return name + self.style.brackets(comma.join(arguments)), self._made(self.derivation.output)

    def abbreviations(self) -> list[tuple[str, str]]:
        """Names for parts of a very long formula, and what they are."""
        formulas, output = self.derivation.formulas, self.derivation.output
        order = [e.output for e in formulas.evaluation.program.equations if e.output in formulas.lengthy]
        return [
            (self.style.name(self._name(Element(x))), self._made(Element(x))) for x in order if x is not output.variable
        ]

    def kinks(self) -> list[str]:
        """Where parts are not differentiable."""
        found = []
        for kink in self.derivation.kinks:
            where = kink.where.format(*map(self.printer.write, kink.inputs))
            found.append(
                f"{self.printer.write(self.derivation.formulas.formula(kink.of))} is not differentiable where {where}."
            )
        return list(dict.fromkeys(found))

    def _made(self, element: Element) -> str:
        formulas = self.derivation.formulas
        equation = formulas.evaluation.makers.get(element.variable)
        return self.printer.write(
            formulas.formula(element) if equation is None else formulas.made_by(equation, element)
        )


def _text(derivation: DerivedFormula) -> str:
    writer = _Writer(derivation, TextStyle())
    left, right = writer.definition()
    out = [f"{left} = {right}", *(f"  with {name} = {formula}" for name, formula in writer.abbreviations())]
    for partial in derivation.partials:
        rows = [
            (
                f"{'  ' if i else ''}{writer.slope(line.slope)} = {writer.printer.write(line.result)}",
                ", ".join(line.rules),
            )
            for i, line in enumerate(partial.lines)
        ]
        width = max(len(row) for row, _ in rows)
        out += ["", *(f"{row.ljust(width)}  {rules}" for row, rules in rows)]
        if len(partial.lines) > 1:
            out.append(f"so {writer.slope(partial.slope)} = {writer.printer.write(partial.result)}")
    return "\n".join([*out, *([""] if writer.kinks() else []), *writer.kinks()])


def latex_equations_of(derivation: DerivedFormula) -> list[str]:
    """Every equation by itself."""
    writer = _Writer(derivation, LatexStyle())
    found = [" = ".join(pair) for pair in (writer.definition(), *writer.abbreviations())]
    for partial in derivation.partials:
        for line in partial.lines:
            rules = writer.style.words(", ".join(line.rules))
            result = writer.printer.write(line.result)
            found.append(rf"{writer.slope(line.slope)} = {result} \qquad \mathrm{{({rules})}}")
        if len(partial.lines) > 1:
            found.append(f"{writer.slope(partial.slope)} = {writer.printer.write(partial.result)}")
    return found


def _latex(derivation: DerivedFormula) -> str:
    return "\n\n".join(f"$$\\displaystyle {equation}$$" for equation in latex_equations_of(derivation))


def _markdown(derivation: DerivedFormula) -> str:
    """A block for every argument, its lines below each other with their rules beside them."""
    writer = _Writer(derivation, LatexStyle())
    blocks = [[(left, f"= {right}") for left, right in (writer.definition(), *writer.abbreviations())]]
    for partial in derivation.partials:
        rows = []
        for line in partial.lines:
            rules = writer.style.words(", ".join(line.rules))
            right = f"= {writer.printer.write(line.result)} && \\small\\mathrm{{({rules})}}"
            rows.append((writer.slope(line.slope), right))
        if len(partial.lines) > 1:
            rows.append(
                (rf"\mathrm{{so}}\quad {writer.slope(partial.slope)}", f"= {writer.printer.write(partial.result)}")
            )
        blocks.append(rows)
    notes = [f"*{note}*" for note in _Writer(derivation, TextStyle()).kinks()]
    return "\n\n".join([*map(aligned, blocks), *notes])


def _html(derivation: DerivedFormula) -> str:
    writer = _Writer(derivation, MathmlStyle())
    rows = [(f"{left}<mo>=</mo>{right}", "") for left, right in (writer.definition(), *writer.abbreviations())]
    for partial in derivation.partials:
        rows += [
            (f"{writer.slope(line.slope)}<mo>=</mo>{writer.printer.write(line.result)}", ", ".join(line.rules))
            for line in partial.lines
        ]
        if len(partial.lines) > 1:
            rows.append((f"{writer.slope(partial.slope)}<mo>=</mo>{writer.printer.write(partial.result)}", "result"))
    cell = 'style="text-align:left;padding:.25em .8em"'
    inner = "".join(
        f'<tr><td {cell}><math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{formula}</mrow></math></td>'
        f"<td {cell}><small>{escape(rules)}</small></td></tr>"
        for formula, rules in rows
    )
    notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in _Writer(derivation, TextStyle()).kinks())
    table = f'<table class="chainrule-derivation" style="border-collapse:collapse">{inner}</table>'
    return f"<div>{table}{notes}</div>" if notes else table
