"""The derivation of a formula told, and written as text, LaTeX, Markdown, HTML and JSON."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from chainrule.explanation.derived import DerivedFormula, PartialDerivative
from chainrule.explanation.formulas.symbols import Element, Expression, Slope
from chainrule.explanation.rendering.data import as_formula_json
from chainrule.explanation.rendering.latex import aligned
from chainrule.explanation.rendering.names import Spelled
from chainrule.explanation.rendering.story import (
    ArgumentStory,
    Definition,
    Derivative,
    FormulaStory,
    KinkTold,
    Name,
    RuleApplied,
    Told,
)
from chainrule.explanation.rendering.styles import LatexStyle, MathmlStyle, TextStyle
from chainrule.explanation.rendering.telling import told_by
from chainrule.explanation.rendering.writer import Writer


def tell_formula(derivation: DerivedFormula) -> FormulaStory:
    """All that the derivation of a formula says."""
    formulas, output = derivation.formulas, derivation.output
    evaluation = formulas.evaluation

    def told(x: Expression) -> Told:
        return told_by(x, lambda leaf: slope(leaf) if isinstance(leaf, Slope) else _name(leaf.element))

    def slope(x: Slope) -> Derivative:
        """∂(part)/∂argument; the whole formula goes by the function's name."""
        by = _name(x.by)
        of = name if x.of == output else told(formulas.formula(x.of))
        return Derivative(of, by, by.variable, d=evaluation.d)

    def made(element: Element) -> Told:
        equation = evaluation.makers.get(element.variable)
        return told(formulas.formula(element) if equation is None else formulas.made_by(equation, element))

    def argument(x: PartialDerivative) -> ArgumentStory:
        lines = tuple(RuleApplied(slope(line.slope), told(line.result), tuple(line.rules)) for line in x.lines)
        return ArgumentStory(x.argument, slope(x.slope), lines, told(x.result))

    name = Name(Spelled(derivation.name, ()))
    order = [e.output for e in evaluation.program.equations if e.output in formulas.lengthy]
    parts = tuple(Definition(_name(Element(x)), made(Element(x))) for x in order if x is not output.variable)
    kinks = tuple(
        KinkTold(told(formulas.formula(kink.of)), kink.where, tuple(map(told, kink.inputs)))
        for kink in derivation.kinks
    )
    arguments = tuple(_name(Element(x)) for x in evaluation.program.inputs)
    return FormulaStory(name, arguments, made(output), parts, tuple(map(argument, derivation.partials)), kinks)


def _name(element: Element) -> Name:
    return Name(Spelled(element.variable.name, ()), variable=element.variable.name)


DIGITS = 6


class _Lines:
    """The equations of a story in one style."""

    def __init__(self, story: FormulaStory, writer: Writer, comma: str = ", ") -> None:
        self.story, self.writer, self.comma = story, writer, comma

    def definitions(self) -> list[tuple[str, str]]:
        """F(a, b), and what it is; and names for parts of it."""
        write, story = self.writer, self.story
        arguments = write.style.brackets(self.comma.join(map(write.name, story.arguments)))
        first = write.name(story.name) + arguments, write.formula(story.formula)
        return [first, *((write.name(part.left), write.formula(part.right)) for part in story.parts)]

    def kinks(self) -> list[str]:
        """Where parts are not differentiable."""
        found = []
        for kink in self.story.kinks:
            where = kink.where.format(*map(self.writer.formula, kink.inputs))
            found.append(f"{self.writer.formula(kink.of)} is not differentiable where {where}.")
        return list(dict.fromkeys(found))


def _text(story: FormulaStory) -> str:
    writer = Writer(TextStyle(), DIGITS)
    lines = _Lines(story, writer)
    (left, right), *parts = lines.definitions()
    out = [f"{left} = {right}", *(f"  with {name} = {formula}" for name, formula in parts)]
    for partial in story.partials:
        rows = [
            (
                f"{'  ' if i else ''}{writer.slope(line.slope)} = {writer.formula(line.result)}",
                ", ".join(line.rules),
            )
            for i, line in enumerate(partial.lines)
        ]
        width = max(len(row) for row, _ in rows)
        out += ["", *(f"{row.ljust(width)}  {rules}" for row, rules in rows)]
        if len(partial.lines) > 1:
            out.append(f"so {writer.slope(partial.slope)} = {writer.formula(partial.result)}")
    kinks = lines.kinks()
    return "\n".join([*out, *([""] if kinks else []), *kinks])


def latex_equations_of(story: FormulaStory) -> list[str]:
    """Every equation by itself."""
    writer = Writer(LatexStyle(), DIGITS)
    found = [" = ".join(pair) for pair in _Lines(story, writer).definitions()]
    for partial in story.partials:
        for line in partial.lines:
            rules = writer.style.words(", ".join(line.rules))
            result = writer.formula(line.result)
            found.append(rf"{writer.slope(line.slope)} = {result} \qquad \mathrm{{({rules})}}")
        if len(partial.lines) > 1:
            found.append(f"{writer.slope(partial.slope)} = {writer.formula(partial.result)}")
    return found


def _latex(story: FormulaStory) -> str:
    return "\n\n".join(f"$$\\displaystyle {equation}$$" for equation in latex_equations_of(story))


def _markdown(story: FormulaStory) -> str:
    """A block for every argument, its lines below each other with their rules beside them."""
    writer = Writer(LatexStyle(), DIGITS)
    blocks = [[(left, f"= {right}") for left, right in _Lines(story, writer).definitions()]]
    for partial in story.partials:
        rows = []
        for line in partial.lines:
            rules = writer.style.words(", ".join(line.rules))
            right = f"= {writer.formula(line.result)} && \\small\\mathrm{{({rules})}}"
            rows.append((writer.slope(line.slope), right))
        if len(partial.lines) > 1:
            rows.append((rf"\mathrm{{so}}\quad {writer.slope(partial.slope)}", f"= {writer.formula(partial.result)}"))
        blocks.append(rows)
    notes = [f"*{note}*" for note in _Lines(story, Writer(TextStyle(), DIGITS)).kinks()]
    return "\n\n".join([*map(aligned, blocks), *notes])


def _html(story: FormulaStory) -> str:
    writer = Writer(MathmlStyle(), DIGITS)
    rows = [(f"{left}<mo>=</mo>{right}", "") for left, right in _Lines(story, writer, "<mo>,</mo>").definitions()]
    for partial in story.partials:
        rows += [
            (f"{writer.slope(line.slope)}<mo>=</mo>{writer.formula(line.result)}", ", ".join(line.rules))
            for line in partial.lines
        ]
        if len(partial.lines) > 1:
            rows.append((f"{writer.slope(partial.slope)}<mo>=</mo>{writer.formula(partial.result)}", "result"))
    cell = 'style="text-align:left;padding:.25em .8em"'
    inner = "".join(
        f'<tr><td {cell}><math xmlns="http://www.w3.org/1998/Math/MathML"><mrow>{formula}</mrow></math></td>'
        f"<td {cell}><small>{escape(rules)}</small></td></tr>"
        for formula, rules in rows
    )
    notes = "".join(
        f"<p><small>{escape(note)}</small></p>" for note in _Lines(story, Writer(TextStyle(), DIGITS)).kinks()
    )
    table = f'<table class="chainrule-derivation" style="border-collapse:collapse">{inner}</table>'
    return f"<div>{table}{notes}</div>" if notes else table


FORMS: dict[str, Callable[[FormulaStory], str]] = {
    "text": _text,
    "latex": _latex,
    "markdown": _markdown,
    "html": _html,
    "json": as_formula_json,
}
"""Ways to write the derivation of a formula, by name."""
