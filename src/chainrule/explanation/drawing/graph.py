"""Expression graphs: values as boxes, operations as ellipses, the local derivative on every edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.errors import SettingError, ShapeError
from chainrule.explanation.drawing.drawing import Drawing
from chainrule.explanation.drawing.folding import Part, fold
from chainrule.explanation.drawing.layout import Node, Route, lay_out
from chainrule.explanation.drawing.operations import sign_on
from chainrule.explanation.drawing.palette import (
    BLOCK_FILL,
    BLOCK_STROKE,
    LEAF_FILL,
    LEAF_STROKE,
    MUTED,
    OPERATION_FILL,
    OPERATION_STROKE,
    RESULT_FILL,
    RESULT_STROKE,
    VALUE_FILL,
    VALUE_STROKE,
    ZERO,
    colour_of,
    largest_of,
    number,
    sign_of,
    signed,
    thickness_of,
)
from chainrule.explanation.drawing.pieces import (
    SIGNS,
    TAG_HEIGHT,
    arrow,
    assemble,
    block_box,
    box_sample,
    how_many_of,
    line_sample,
    listed,
    operation,
    straight,
    tag,
    tag_width,
    two_grids,
    value_box,
    words_box,
)
from chainrule.explanation.drawing.scene import Curve, Group, Scene, Shape, Text, shortened
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.keys import keys_of
from chainrule.explanation.rendering.names import in_signs
from chainrule.ops import Contraction, Layout
from chainrule.tracing import trees
from chainrule.tracing.program import Equation, Program, Variable

SHOWN_INSIDE = 4
"""Arrays that a block shows of its insides."""


@np.errstate(all="ignore")
def draw_evaluation(
    evaluation: Evaluation,
    *,
    title: str | None = None,
    depth: int | None = None,
    focus: str | None = None,
    digits: int = 4,
    subtitles: dict[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Drawing:
    """The graph of an evaluation.

    Every value shows its name, its data and its gradient, "—" where that was not computed; every edge the local
    derivative, its colour telling the sign and its thickness the size. More than about 200 nodes are folded into
    blocks.

    Parameters
    ----------
    title : str, optional
        By default the Program's name.
    depth : int, optional
        Levels of scopes that are unfolded; by default as many as leave the picture legible.
    focus : str, optional
        A scope to be unfolded down to its operations.
    digits : int
        Significant digits of numbers.
    subtitles : dict, optional
        What is written under the titles of blocks, by their scope.
    notes : sequence of str
        Lines below the picture.
    """
    SettingError.unless_count("draw", "digits", digits)
    if depth is not None:
        SettingError.unless_count("draw", "depth", depth, at_least=0)
    graph = _Picture(evaluation, fold(evaluation.program, evaluation.names, depth, focus), digits, subtitles or {})
    return Drawing(graph.scene(title or evaluation.program.name, notes))


def draw_program(
    program: Program, *inputs: Any, depth: int | None = None, focus: str | None = None, digits: int = 4
) -> Drawing:
    """The graph of a Program: names, shapes and dtypes, and with inputs the values and gradients as well.

    Gradients are those of the first output, if it is one real number.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> program = cr.trace(lambda x, w: np.sum(np.tanh(x @ w)), np.ones((4, 3)), np.ones((3, 2)), name="total")
    >>> program.draw()
    Drawing(total; ... pixels; .save('picture.svg') writes it)
    """
    names = {x: x.name for x in program.inputs}
    if not inputs:
        return draw_evaluation(Evaluation(program, {}, names), depth=depth, focus=focus, digits=digits)
    leaves, _ = trees.flatten(tuple(inputs))
    if len(leaves) != len(program.inputs):
        raise ShapeError(
            f"{program.name} has {len(program.inputs)} inputs and was given {len(leaves)}; give one array for each."
        )
    for x, leaf in zip(program.inputs, leaves, strict=True):
        if np.shape(leaf) != x.shape:
            raise ShapeError(
                f"the input {x.name} has shape {x.shape} and was given an array of shape {np.shape(leaf)}; give one of its shape."
            )
    arrays = [np.asarray(leaf, x.dtype)[()] for leaf, x in zip(leaves, program.inputs, strict=True)]
    evaluation = Evaluation.run(program, arrays, names)
    result = program.outputs[0] if program.outputs else None
    if isinstance(result, Variable) and result.type.size == 1 and result.dtype.kind == "f":
        evaluation = evaluation.backward(result)
    return draw_evaluation(evaluation, depth=depth, focus=focus, digits=digits)


@dataclass(frozen=True)
class _Slope:
    """What an edge shows: the words of its local derivative, and a number for colour and thickness."""

    words: str
    number: float | None
    tip: str


@dataclass
class _Unit:
    """A part as it is laid out: its shapes, the width of the tags before them, and the edges that enter.

    `sources` are the units that edges come from, `slopes` their local derivatives, `passes` whether they have any.
    """

    node: Node
    body: Group
    tags: float = 0.0
    sources: list[int] = field(default_factory=list)
    slopes: list[_Slope | None] = field(default_factory=list)
    passes: list[bool] = field(default_factory=list)


class _Picture:
    """Units made of parts, laid out, joined by edges."""

    def __init__(self, evaluation: Evaluation, parts: list[Part], digits: int, subtitles: dict[str, str]) -> None:
        self.evaluation, self.parts, self.digits, self.subtitles = evaluation, parts, digits, subtitles
        self.maker = {x: i for i, part in enumerate(parts) for x in part.leaving}
        self.results = {x for x in evaluation.program.outputs if isinstance(x, Variable)}
        if evaluation.output is not None:
            self.results = {evaluation.output}
        self.units = [self.unit(part) for part in parts]

    # --- units

    def unit(self, part: Part) -> _Unit:
        """The shapes of a part."""
        if part.is_input:
            box = self.box(part.leaving[0])
            return _Unit(Node(box.width, box.height, box.height / 2), box)
        if part.is_block:
            return self.joined(self.block(part), part.entering, [None] * len(part.entering), True)
        (equation,) = part.equations
        places = [i for i, x in enumerate(equation.inputs) if isinstance(x, Variable)]
        slopes = [self.slope(equation, i) for i in places]
        atoms = [x for x in equation.inputs if isinstance(x, Variable)]
        return self.joined(self.step(equation), atoms, slopes, equation.op.differentiable)

    def joined(
        self, body: Group, atoms: Sequence[Variable], slopes: list[_Slope | None], differentiable: bool
    ) -> _Unit:
        """A body with room for the tags of its edges on the left."""
        tags = max((tag_width(slope.words) for slope in slopes if slope), default=0.0)
        room = tags + 14 if tags else 0.0
        pitch = TAG_HEIGHT + 2 if tags else 12.0
        height = max(body.height, pitch * len(atoms))
        first = (height - pitch * (len(atoms) - 1)) / 2
        entries = tuple(first + pitch * i for i in range(len(atoms)))
        return _Unit(
            Node(room + body.width, height, height / 2, entries),
            body.at(room, (height - body.height) / 2),
            tags,
            [self.maker[x] for x in atoms],
            slopes,
            [differentiable and x.dtype.kind == "f" for x in atoms],
        )

    def name(self, x: Variable) -> str:
        """What a value is called: its name, or its formula in the signs of mathematics."""
        label = self.evaluation.label(x)
        return label if x in self.evaluation.names else in_signs(label)

    def box(self, x: Variable) -> Group:
        """The box of a value."""
        fill, stroke = VALUE_FILL, VALUE_STROKE
        if x in self.results:
            fill, stroke = RESULT_FILL, RESULT_STROKE
        elif x in self.evaluation.program.inputs:
            fill, stroke = LEAF_FILL, LEAF_STROKE
        name, value = self.name(x), self.evaluation.values.get(x)
        if value is None:
            return words_box(name, [str(x.type)], fill, stroke)
        gradient = self.evaluation.cotangent(x)
        box = value_box(name, value, gradient, self.digits, fill, stroke, keys=keys_of(self.evaluation, x))
        return replace(box, tip=_described(name, value, gradient))

    def step(self, equation: Equation) -> Group:
        """An operation and the value it gives."""
        sign, box = operation(sign_on(equation, self.digits), str(equation)), self.box(equation.output)
        captions: tuple[Shape, ...] = ()
        top = 0.0
        width = sign.width + 18 + box.width
        if equation.scope:
            top = 13.0
            captions = (Text(0, 9, shortened(equation.scope, width, 9), 9, MUTED),)
        middle = top + max(box.height, 28) / 2
        link = arrow(straight((sign.width, middle), (sign.width + 18, middle)), ZERO, 1.2)
        shapes = (
            *captions,
            *link,
            sign.at(0, middle - 14),
            box.at(sign.width + 18, middle - box.height / 2),
        )
        height = 2 * middle  # so that edges enter and leave in the middle
        return Group(width, height, shapes, box.name)

    def block(self, part: Part) -> Group:
        """A folded part: parameters and results with data and gradients."""
        evaluation = self.evaluation
        middle = part.title.startswith("…")
        counted = "folded, for there are too many" if middle else how_many_of(len(part.equations), "operation")
        subtitle = self.subtitles.get(part.title, counted)
        named = [x for x in part.leaving if x in evaluation.names]
        shown = [*(() if middle else part.inner), *(named or part.leaving)]
        bodies = []
        most = SHOWN_INSIDE + (len(shown) == SHOWN_INSIDE + 1)
        for x in shown[:most]:
            value, name = evaluation.values.get(x), self.name(x)
            if value is None:
                bodies.append((f"{name}  {x.type}", Group(0, 0, ())))
            else:
                gradient = evaluation.cotangent(x)
                bodies.append(
                    (name, two_grids(value, gradient, self.digits, least=96, keys=keys_of(self.evaluation, x)))
                )
        if len(shown) > most:
            bodies.append((f"and {len(shown) - most} more", Group(0, 0, ())))
        return block_box(part.title, subtitle, bodies)

    # --- edges

    def slope(self, equation: Equation, position: int) -> _Slope | None:
        """The local derivative of an equation by one of its inputs."""
        evaluation, source = self.evaluation, equation.inputs[position]
        if equation.output not in evaluation.values or not isinstance(source, Variable):
            return None
        if source.dtype.kind != "f" or not equation.op.differentiable:
            return None
        names = self.name(equation.output), self.name(source)
        fraction = f"∂{names[0]}/∂{names[1]}" if all(n.isidentifier() and len(n) <= 3 for n in names) else "∂"
        tip = f"∂({names[0]}) / ∂({names[1]})"
        if isinstance(equation.op, Contraction):
            atom = equation.inputs[1 - position]
            other = self.name(atom) if isinstance(atom, Variable) else evaluation.label(atom)
            return _Slope(shortened(f"{fraction} = {other}", 130, 10), None, f"{tip} = {other}, summed over")
        local = 1.0 if isinstance(equation.op, Layout) else evaluation.local(equation, position)
        if local is None:
            return None
        least, greatest = float(np.min(local)), float(np.max(local))
        if least == greatest or np.size(local) == 1:
            written = signed(least, self.digits)
            return _Slope(f"{fraction} = {written}", least, f"{tip} = {least!r}")
        words = f"{fraction} = {number(least, 2)} … {number(greatest, 2)}"
        common = greatest if sign_of(least) >= 0 else least if sign_of(greatest) <= 0 else 0.0
        return _Slope(words, common, f"{tip}, element by element")

    def scene(self, title: str, notes: Sequence[str]) -> Scene:
        """Everything in its place."""
        edges = [(source, i) for i, unit in enumerate(self.units) for source in unit.sources]
        places = lay_out([unit.node for unit in self.units], edges)
        largest = largest_of(*(s.number for unit in self.units for s in unit.slopes if s and s.number is not None))
        routes = iter(places.routes)
        lines: list[Shape] = []
        boxes: list[Shape] = []
        for unit, corner in zip(self.units, places.corners, strict=True):
            for slope, passes in zip(unit.slopes, unit.passes, strict=True):
                over, under = _edge(unit, corner, slope, passes, next(routes), largest)
                lines += under
                boxes += over
            boxes.append(unit.body.at(corner[0] + unit.body.x, corner[1] + unit.body.y))
        content = Group(places.width, places.height, (*lines, *boxes))
        return assemble(content, title, self.key(), notes, self.description())

    def description(self) -> str:
        """The graph in words."""
        evaluation = self.evaluation
        given = [self.name(part.leaving[0]) for part in self.parts if part.is_input]
        steps = [
            part.title if part.is_block else self.name(part.leaving[0])
            for part in self.parts
            if part.leaving and not part.is_input
        ]
        said = f"{how_many_of(len(given), 'given value')}: {listed(given)}; {how_many_of(len(steps), 'step')}: {listed(steps)}"
        for x in self.results:
            value = evaluation.values.get(x)
            if value is not None and np.size(value) == 1:
                said += f"; {evaluation.label(x)} = {number(np.asarray(value).item(), self.digits)}"
        return f"{said}."

    def key(self) -> list[tuple[Group, str]]:
        """What the shapes stand for, as far as they are in the picture."""
        entries = []
        boxes = [part.leaving[0] for part in self.parts if part.is_input]
        computed = [part.equations[0].output for part in self.parts if len(part.equations) == 1 and not part.is_block]
        if not self.results.issuperset(boxes):
            entries.append((box_sample(LEAF_FILL, LEAF_STROKE), "given value"))
        if not self.results.issuperset(computed):
            entries.append((box_sample(VALUE_FILL, VALUE_STROKE), "computed value"))
        if self.results.intersection(boxes + computed):
            entries.append((box_sample(RESULT_FILL, RESULT_STROKE), "result"))
        if computed:
            entries.append((box_sample(OPERATION_FILL, OPERATION_STROKE, round_=True), "operation"))
        if any(part.is_block for part in self.parts):
            entries.append((box_sample(BLOCK_FILL, BLOCK_STROKE), "several operations, folded"))
        if not all(passes for unit in self.units for passes in unit.passes):
            entries.append((line_sample(ZERO, 1.2, dashed=True), "no derivative passes"))
        if self.evaluation.values:
            entries += SIGNS
            if any(slope for unit in self.units for slope in unit.slopes):
                entries.append((Group(0, 0, ()), "∂ on an edge: local derivative"))
            output = self.evaluation.output
            if output is not None:
                entries.append((Group(0, 0, ()), f"grad: ∂{self.evaluation.label(output)}/∂ the value"))
            elif self.evaluation.cotangents:
                entries.append((Group(0, 0, ()), "grad: as the last backward left it"))
        return entries


def _edge(
    unit: _Unit, corner: tuple[float, float], slope: _Slope | None, passes: bool, route: Route, largest: float
) -> tuple[list[Shape], list[Shape]]:
    """The tag of an edge, and its line up to the operation; dashed where no derivative passes."""
    colour = ZERO if slope is None or slope.number is None else colour_of(slope.number)
    thick = 1.2 if slope is None or slope.number is None else thickness_of(slope.number, largest)
    x, y = route.points[-1]
    middle = corner[1] + unit.body.y + unit.body.height / 2
    if not unit.tags:
        return [], list(arrow(route.points, colour, thick, dashed=not passes))
    under: list[Shape] = [Curve(route.points, colour, thick, not passes)]
    start = x + (tag_width(slope.words) if slope else 0.0)
    points = straight((start, y), (x + unit.tags, y)) if start < x + unit.tags else ((start, y),)
    end = (x + unit.tags + 14, middle + (y - middle) * 0.25)
    points = (*points, (x + unit.tags + 8, y), (x + unit.tags + 6, end[1]), end)
    under.append(Curve(points, colour, thick, not passes))
    if slope is None:
        return [], under
    label = tag(slope.words, slope.number, tag_width(slope.words), slope.tip)
    return [label.at(x, y - label.height / 2)], under


def _described(name: str, value: Any, gradient: Any) -> str:
    """A value in full precision, for who points at it; arrays by their shape."""
    if np.ndim(value):
        return f"{name}: array of shape {np.shape(value)}"
    slope = "not computed" if gradient is None else repr(float(gradient))
    return f"{name}: data {np.asarray(value).item()!r}, gradient {slope}"
