"""Folding: a Program cut into the parts that a picture shows, single operations and whole scopes.

A block is a run of neighbouring equations, so that no two blocks can depend on each other both ways, however often
a layer is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from chainrule.errors import UnknownNameError
from chainrule.tracing.program import Equation, Program, Variable

LEGIBLE, POSSIBLE = 200, 1000
"""Nodes that a picture has when nobody asks for more, and that it has at most."""


@dataclass(frozen=True)
class Part:
    """What becomes one node of the picture: an input, a single equation, or a block of equations.

    `inner` are inputs of the Program that only this block uses and that are shown inside it; `entering` the
    variables it takes from other parts, `leaving` those it has for others.
    """

    title: str
    equations: tuple[Equation, ...]
    entering: tuple[Variable, ...]
    leaving: tuple[Variable, ...]
    inner: tuple[Variable, ...] = ()

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the Program."""
        return not self.equations

    @property
    def is_block(self) -> bool:
        """Whether its equations are folded away."""
        return len(self.equations) > 1 or bool(self.inner)


def fold(
    program: Program, names: Mapping[Variable, str], depth: int | None = None, focus: str | None = None
) -> list[Part]:
    """The parts of a Program, each after those it depends on.

    Parameters
    ----------
    names : mapping
        Names of variables; a block has in it the inputs that are called after its scope, `hidden.weight`.
    depth : int, optional
        How many levels of scopes are unfolded: 0 gives one block, 1 a block for every layer, and so on. By
        default as many as leave the picture legible.
    focus : str, optional
        A scope, such as `"hidden"` or `"hidden / linear"`, to be unfolded down to its operations.

    Raises
    ------
    UnknownNameError
        When there is no such scope.
    """
    paths = [_path(equation) for equation in program.equations]
    focused = _path_of(focus) if focus is not None else None
    if focused is not None and not any(path[: len(focused)] == focused for path in paths):
        known = {" / ".join(path[:i]) for path in paths for i in range(1, len(path) + 1)}
        raise UnknownNameError.among("scope", focus, known)
    if depth is not None or focused is not None:
        level, limit = (1, LEGIBLE) if depth is None else (depth, LEGIBLE if depth < 2 else POSSIBLE)
        runs = _runs(program, level, focused)
        return _cut_middle(program, names, runs, limit if focused is None else POSSIBLE)
    deepest = max((len(path) for path in paths), default=0) + 1
    for level in range(deepest, 1, -1):
        runs = _runs(program, level, None)
        if _nodes(program, runs) <= LEGIBLE:
            return _parts(program, names, runs)
    return _cut_middle(program, names, _runs(program, 1, None), LEGIBLE)


Run = tuple[str, tuple[Equation, ...]]


def _path(equation: Equation) -> tuple[str, ...]:
    return _path_of(equation.scope)


def _path_of(scope: str) -> tuple[str, ...]:
    return tuple(scope.split(" / ")) if scope else ()


def _runs(program: Program, depth: int, focused: tuple[str, ...] | None) -> list[Run]:
    """Neighbouring equations of one scope together; those above that depth, and those in focus, by themselves."""

    def key(numbered: tuple[int, Equation]) -> tuple[str, int]:
        number, equation = numbered
        path = _path(equation)
        alone = len(path) < depth or (focused is not None and path[: len(focused)] == focused)
        backward = " / backward" if "backward" in path[depth:] else ""
        return ("", number) if alone else (" / ".join(path[:depth]) + backward, -1)

    return [
        (title, tuple(equation for _, equation in run))
        for (title, _), run in groupby(enumerate(program.equations), key=key)
    ]


def _nodes(program: Program, runs: Sequence[Run]) -> int:
    """Values and operations and blocks that a picture of these runs has."""
    return len(program.inputs) + sum(2 if len(equations) == 1 else 1 for _, equations in runs)


def _cut_middle(program: Program, names: Mapping[Variable, str], runs: list[Run], limit: int) -> list[Part]:
    """The parts; of more nodes than the limit only a few runs at both ends, and those between as one block."""
    if _nodes(program, runs) > limit:
        keep = limit // 16
        if len(runs) > 2 * keep:
            middle = tuple(equation for _, equations in runs[keep:-keep] for equation in equations)
            runs = [*runs[:keep], (f"… {len(middle):,} operations", middle), *runs[-keep:]]
    return _parts(program, names, runs)


def _parts(program: Program, names: Mapping[Variable, str], runs: Sequence[Run]) -> list[Part]:
    """Inputs first, then the runs, with what enters and leaves each."""
    owner = {equation.output: i for i, (_, equations) in enumerate(runs) for equation in equations}
    users: dict[Variable, set[int]] = {x: set() for x in (*program.inputs, *owner)}
    for i, (_, equations) in enumerate(runs):
        for equation in equations:
            for x in equation.inputs:
                if isinstance(x, Variable):
                    users[x].add(i)
    results = {x for x in program.outputs if isinstance(x, Variable)}
    inner: dict[int, list[Variable]] = {}
    for x in program.inputs:
        if len(users[x]) == 1 and x not in results:
            (user,) = users[x]
            title = runs[user][0]
            if title.startswith("…") or (title and names.get(x, "").startswith(title.split(" / ")[0] + ".")):
                inner.setdefault(user, []).append(x)
    hidden = {x for own in inner.values() for x in own}
    shown = [x for x in program.inputs if x not in hidden and (users[x] or x in results)]
    parts = [Part(names.get(x, x.name), (), (), (x,)) for x in shown]
    for i, (title, equations) in enumerate(runs):
        own = {equation.output for equation in equations}
        taken = [x for equation in equations for x in equation.inputs if isinstance(x, Variable)]
        entering = tuple(dict.fromkeys(x for x in taken if x not in own and x not in hidden))
        leaving = tuple(e.output for e in equations if e.output in results or users[e.output] - {i})
        parts.append(Part(title or equations[0].scope, equations, entering, leaving, tuple(inner.get(i, ()))))
    return parts
