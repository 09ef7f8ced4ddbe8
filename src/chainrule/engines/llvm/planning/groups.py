"""Equations gathered into groups: what one nest of loops computes together.

A group has a space, the points its loops visit. It may have a root (a contraction, or a move of elements); its
elementwise equations are computed at every point in registers, and folds collect their values. A value is stored only
if another group, or the caller, needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from chainrule.engines.llvm.planning.buffers import long_axes
from chainrule.engines.llvm.planning.layouts import is_move, is_strided, keeps_places
from chainrule.engines.llvm.planning.lowering import Lowered, lower_body
from chainrule.ops import Contraction, Reduction
from chainrule.tracing import Equation, Program, Variable
from chainrule.tracing.program import Atom, bodies_of

Space = tuple[int, ...]

FUNCTION = 8
"""Instructions that a function like e^x counts for where code would be written several times: it is written where it is used."""

SEVERAL, LARGE = 32, 512
"""Groups, and equations, from which on a Program is written in functions: LLVM takes six times as long for thousands of equations in
one as for as many in parts, and groups that are alike share theirs."""

LONG = 64
"""Groups from which on it is long: so are those that are alike but for their sizes."""

MOST = 256
"""Equations in a group, all of whose values are in registers at once: with thousands LLVM takes much longer for each."""


@dataclass(eq=False)
class Group:
    """Equations that share one nest of loops over `space`, whose axes of length 1 are left out.

    `values` is what is known at each point once the loops are there, `stored` what has memory.
    """

    space: Space
    root: Equation | None = None
    pointwise: list[Equation] = field(default_factory=list)
    folds: list[Equation] = field(default_factory=list)
    values: set[Variable] = field(default_factory=set)
    stored: set[Variable] = field(default_factory=set)
    inner: Inner | None = None
    """The body of the loop that the root is."""

    def __post_init__(self) -> None:
        if self.root is not None and isinstance(self.root.op, Contraction):
            self.values.add(self.root.output)

    def add(self, equation: Equation, *, fold: bool) -> None:
        """One equation more for every point."""
        if fold:
            self.folds.append(equation)
        else:
            self.pointwise.append(equation)
            self.values.add(equation.output)

    @property
    def size(self) -> int:
        """How many equations it has."""
        return len(self.pointwise) + len(self.folds) + (self.root is not None)

    @property
    def equations(self) -> list[Equation]:
        """All of them, in order."""
        return [*([self.root] if self.root is not None else []), *self.pointwise, *self.folds]

    @property
    def instructions(self) -> int:
        """About how much code its elementwise equations are."""
        return sum(FUNCTION if e.op.accuracy.ulps > 0.5 else 1 for e in self.pointwise)

    @property
    def addition(self) -> tuple[Atom, Variable] | None:
        """What is added to the sum of a contraction, and the result, if nobody else needs the sum: a layer's bias, say.

        Sums may begin with it; then the result is there, and written, before all other pointwise equations are computed.
        """
        if self.root is None or not isinstance(self.root.op, Contraction):
            return None
        total = self.root.output
        users = [e for e in self.pointwise if total in e.inputs]
        if (
            len(users) != 1
            or users[0].op.notation.algebra != "sum"
            or total in self.stored
            or users[0].output.type != total.type
        ):
            return None
        others = [x for x in users[0].inputs if x is not total]
        return (others[0], users[0].output) if len(others) == 1 else None


@dataclass
class Grouping:
    """Groups in the order they run, and the views: variables that only read another's memory."""

    groups: list[Group]
    views: dict[Variable, Equation]

    @cached_property
    def instructions(self) -> int:
        """About how much code the elementwise equations of all are."""
        return sum(group.instructions for group in self.groups)

    @property
    def is_in_functions(self) -> bool:
        """Whether every group is a function, those that are alike the same."""
        return self.is_long or len(self.groups) > SEVERAL or sum(group.size for group in self.groups) > LARGE

    @property
    def is_long(self) -> bool:
        """Whether it takes less time to compile code that many groups share than such as is best for each."""
        return len(self.groups) > LONG


@dataclass
class Inner:
    """The body of a loop, gathered into groups in its turn."""

    program: Program
    grouping: Grouping
    states: int
    apart: bool
    """Whether its rounds may be done in any order, by several threads: it carries no state, and is in no other loop."""


def group(lowered: Lowered, *, inside: bool = False) -> Grouping:
    """The groups of a lowered Program; of the body of a loop if it is `inside` of one.

    Each equation joins the latest group with its space that comes after everything it needs. Numbers without axes
    that depend on nothing computed so far go into a first group of their own, so that they are there for all others.
    """
    prelude = Group(())
    program, state = lowered.program, _Assignment([prelude], lowered.copied, inside)
    for equation in program.equations:
        state.add(equation)
    needed = {x for x in program.outputs if isinstance(x, Variable)}
    for later in state.groups:
        for equation in later.equations:
            for x in equation.inputs:
                if isinstance(x, Variable):
                    state.mark(x, later, equation is later.root)
    for x in needed:
        state.store(x)
    return Grouping([g for g in state.groups if g.equations], state.views)


class _Assignment:
    """Which group computes each variable, while equations are being placed."""

    def __init__(self, groups: list[Group], copied: frozenset[Variable], inside: bool) -> None:
        self.groups, self.copied, self.inside = groups, copied, inside
        self.places = {g: i for i, g in enumerate(groups)}
        self.home: dict[Variable, Group] = {}
        self.views: dict[Variable, Equation] = {}

    def add(self, equation: Equation) -> None:
        op = equation.op
        if is_strided(equation) and equation.output not in self.copied:
            self.views[equation.output] = equation
        elif isinstance(op, Contraction) or is_move(equation):
            space = long_axes(equation.output.shape)
            self.home[equation.output] = self._append(Group(space, root=equation, inner=_inner(equation, self.inside)))
        elif isinstance(op, Reduction):
            self._place(equation, long_axes(equation.inputs[0].shape), fold=True)
        else:
            self._place(equation, long_axes(equation.output.shape), fold=False)

    def _append(self, new: Group) -> Group:
        self.places[new] = len(self.groups)
        self.groups.append(new)
        return new

    def _place(self, equation: Equation, space: Space, *, fold: bool) -> None:
        earliest = 0
        for x in equation.inputs:
            if isinstance(x, Variable):
                earliest = max(earliest, self._ready(x, space))
        if earliest == 0 and not space and not fold and _takes(self.groups[0], fold=fold):
            chosen = self.groups[0]
        else:
            later = (self.groups[i] for i in range(len(self.groups) - 1, max(earliest, 1) - 1, -1))
            fitting = next((g for g in later if g.space == space and _takes(g, fold=fold)), None)
            chosen = fitting or self._append(Group(space))
        chosen.add(equation, fold=fold)
        self.home[equation.output] = chosen

    def _ready(self, x: Variable, space: Space) -> int:
        """The first group in which `x` can be used at the points of `space`."""
        source, same_point = self._source(x)
        home = self.home.get(source)
        if home is None:
            return 0
        place = self.places[home]
        pointwise = same_point and home.space == space and source in home.values
        return place if pointwise else place + 1

    def _source(self, x: Variable) -> tuple[Variable, bool]:
        """The variable whose memory `x` reads, and whether point by point."""
        same = True
        while x in self.views:
            equation = self.views[x]
            source = equation.inputs[0]
            if not isinstance(source, Variable):
                break
            same = same and keeps_places(equation)
            x = source
        return x, same

    def mark(self, x: Variable, user: Group, by_root: bool) -> None:
        """Note that a group uses `x`: unless it is there in a register, it must be in memory."""
        source, same_point = self._source(x)
        home = self.home.get(source)
        if home is not None and (home is not user or not same_point or source not in home.values or by_root):
            home.stored.add(source)

    def store(self, x: Variable) -> None:
        """Note that the caller needs `x`."""
        source, _ = self._source(x)
        if source in self.home:
            self.home[source].stored.add(source)


def _inner(equation: Equation, inside: bool) -> Inner | None:
    """The body, if the equation is a loop, which may be inside of another."""
    if not bodies_of(equation):
        return None
    body = equation.attributes["body"]
    lowered = lower_body(body.program, body.states)
    return Inner(lowered.program, group(lowered, inside=True), body.states, not inside and not body.states)


def _takes(g: Group, *, fold: bool) -> bool:
    """Whether a group's loops can hold one more equation of this kind."""
    if len(g.pointwise) >= MOST:
        return False
    if g.root is None:
        return True
    return isinstance(g.root.op, Contraction) and not fold
