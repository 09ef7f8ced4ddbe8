"""`jit`: any function of arrays, compiled by an engine."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from chainrule.engines.choice import COMPILER, choose, named
from chainrule.engines.engine import Engine, Executable
from chainrule.engines.whole_numbers import range_check
from chainrule.errors import SettingError, UnknownNameError
from chainrule.ops.operation import ArrayType
from chainrule.tracing import simplify, trace, trees
from chainrule.tracing.apply import Traced, held_by, separate
from chainrule.tracing.numbers import NUMBERS
from chainrule.tracing.plain import array_of


def jit(function: Callable[..., Any], *, engine: str | Engine = COMPILER) -> Callable[..., Any]:
    """The function as machine code, compiled once for every combination of shapes and dtypes it is called with.

    Parameters
    ----------
    function : callable
        Plain NumPy code of arrays, or nested dicts, lists and tuples of them; derivatives inside are allowed. It is run
        once on shapes alone, so its course must not depend on the numbers. **All that it reads besides its arguments**
        (global variables, variables of functions around it, attributes, files) **is compiled in as it is then**: what is
        changed later does not reach machine code that is there already. Pass as an argument what may change.
    engine : {"llvm", "numpy", "jax", "auto"} or Engine
        What computes it: machine code; NumPy, called without tracing again; or the first of them that can.

    Returns
    -------
    callable
        Called like `function`; its results have the dtypes that `function` itself gives. `.inspect(stage, *args)` shows
        what became of it for such arguments: the `"program"`, the `"loops"` it was grouped into, the plan of its
        `"memory"`, the `"llvm"` code or the `"assembly"`. Machine code of much work shares it out among the cores, as
        many as OMP_NUM_THREADS says, if that is set; results have the same bits for any number.

    Raises
    ------
    TracingError
        Where the function's course depends on the numbers.
    UnsupportedError
        When an operation has no machine code, by its name, or an argument is no array of real numbers; when llvmlite is
        not installed.
    UnknownNameError
        For a name that is no engine.
    SettingError
        When an argument is given by name that the function does not have, or takes by name only.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> fast = cr.jit(cr.grad(lambda x: np.sum(np.tanh(x) ** 2)))
    >>> fast(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.6397])
    """
    SettingError.unless_callable("jit", function)
    named(engine)
    compiled = _Compiled(function, engine)

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        return compiled(*(positional(function, args, named) if named else args))

    call.inspect = compiled.inspect  # type: ignore[attr-defined]
    return call


def positional(function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """The arguments of a call by their places, those that were given by name too."""
    try:
        bound = inspect.signature(function).bind(*args, **named)
        bound.apply_defaults()
    except (TypeError, ValueError) as error:
        raise SettingError(f"the compiled function was called with {', '.join(named)} by name, but {error}.") from None
    if bound.kwargs:
        raise SettingError(
            f"the compiled function was given {', '.join(bound.kwargs)} by name, which it takes by name only. Compile it with "
            "that fixed: cr.jit(lambda x: f(x, k=2.0))."
        )
    return bound.args


ACCEPTED = (np.ndarray, *NUMBERS)
"""Types of arguments that are taken as they are: arrays, and numbers that adapt to the arrays they meet."""


Compilation = tuple[Executable, trees.Structure, Callable[[Sequence[Any]], None] | None]
"""What computes, how its results are put together, and what is to be made sure of its arguments before."""


def _accepted(leaf: Any) -> Any:
    return leaf if type(leaf) in ACCEPTED or isinstance(leaf, np.generic) else array_of(leaf)


def _example(given: Any) -> Any:
    """What stands for an argument while the function is traced; arrays without axes, which can be written to, are no numbers."""
    if type(given) in NUMBERS:
        return type(given)(1)
    kind = given.dtype.newbyteorder("=")
    return np.ones((), kind) if type(given) is np.ndarray and not given.shape else ArrayType(given.shape, kind)


class _Compiled:
    """What an engine made of a function, by the structure, shapes and dtypes of its arguments."""

    def __init__(self, function: Callable[..., Any], engine: str | Engine) -> None:
        self._function, self._engine = function, engine
        self._compiled: dict[Any, Any] = {}

    def __call__(self, *args: Any) -> Any:
        structure: trees.Structure | None
        if set(map(type, args)) == {np.ndarray}:
            arrays, structure = args, None  # a row of arrays; structures take long to be compared
        else:
            leaves, structure = trees.flatten(args)
            leaves = list(map(held_by, leaves))
            if any(isinstance(leaf, Traced) for leaf in leaves):
                return self._traced(leaves, structure)
            arrays = tuple(map(_accepted, leaves))
        compiled, result, check = self._found(arrays, structure)
        if structure is not None:
            arrays = tuple([np.asarray(x) if isinstance(x, np.generic) else x for x in arrays])
        if check is not None:
            check(arrays)
        outputs = compiled(*arrays)
        return outputs[0] if result is trees.LEAF else trees.unflatten(result, outputs)

    def _traced(self, leaves: Sequence[Any], structure: trees.Structure) -> Any:
        """Inside another trace the function itself is traced; its arguments and results are its own there too."""
        results = self._function(*trees.unflatten(structure, list(map(separate, leaves))))
        return trees.map_leaves(separate, results)

    def _found(self, arrays: Sequence[Any], structure: trees.Structure | None) -> Compilation:
        """What runs for such arguments; a row of arrays has no structure."""
        key = (structure, *[(a.shape, a.dtype) if type(a) is np.ndarray else type(a) for a in arrays])
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(arrays, structure or trees.row(len(arrays)))
        return found

    def _compile(self, arrays: Sequence[Any], structure: trees.Structure) -> Compilation:
        task = f"compile {getattr(self._function, '__name__', 'this function')}"
        examples = list(map(_example, arrays))
        # Kinds of number that an engine refuses are said before the function is run on them.
        choose(self._engine, trace(lambda *inputs: inputs, *examples), task=task)
        program = simplify(trace(self._function, *trees.unflatten(structure, examples)))
        engine = choose(self._engine, program, task=task)
        result = program.outputs_structure
        return engine.executable(program), trees.LEAF if result.kind is None else result, range_check(program, arrays)

    def inspect(self, stage: str, *args: Any) -> str:
        """What runs for such arguments, at one stage of the way."""
        leaves, structure = trees.flatten(args)
        arrays = tuple(map(_accepted, leaves))
        row = bool(arrays) and set(map(type, args)) == {np.ndarray}
        compiled = self._found(arrays, None if row else structure)[0]
        stages = {"program": lambda: str(compiled.program), **compiled.stages}
        if stage not in stages:
            raise UnknownNameError.among("stage", stage, stages)
        return stages[stage]()
