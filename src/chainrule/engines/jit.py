"""`jit`: any function of arrays as machine code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, get_args

import numpy as np

from chainrule.engines.compilation import load_compiler
from chainrule.errors import UnknownNameError, UnsupportedError
from chainrule.ops.operation import ArrayType
from chainrule.tracing import Program, simplify, trace, trees
from chainrule.tracing.apply import Traced

Stage = Literal["program", "loops", "memory", "llvm", "assembly"]


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code, compiled once for every combination of shapes and dtypes it is called with.

    Parameters
    ----------
    function : callable
        Plain NumPy code of arrays, or nested dicts, lists and tuples of them; derivatives inside are allowed. It is run
        once on shapes alone, so its course must not depend on the numbers.

    Returns
    -------
    callable
        Called like `function`, with positional arguments; `.inspect(stage, *args)` shows what became of it for such
        arguments: the `"program"`, the `"loops"` it was grouped into, the plan of its `"memory"`, the `"llvm"` code or
        the `"assembly"`.

    Raises
    ------
    TracingError
        Where the function's course depends on the numbers.
    UnsupportedError
        When an operation has no machine code, by its name, or an argument is no array of real numbers.

    Examples
    --------
    >>> import numpy as np, chainrule as cr
    >>> fast = cr.jit(cr.grad(lambda x: np.sum(np.tanh(x) ** 2)))
    >>> fast(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.6397])
    """
    compiled = _Compiled(function)

    @wraps(function)
    def call(*args: Any) -> Any:
        return compiled(*args)

    call.inspect = compiled.inspect  # type: ignore[attr-defined]
    return call


class _Compiled:
    """A function's kernels, by the structure, shapes and dtypes of its arguments."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._kernels: dict[Any, Any] = {}

    def __call__(self, *args: Any) -> Any:
        structure: trees.Structure | None
        if set(map(type, args)) == {np.ndarray}:
            arrays, structure = args, None  # a row of arrays; structures take long to be compared
        else:
            leaves, structure = trees.flatten(args)
            if any(isinstance(leaf, Traced) for leaf in leaves):
                return self._function(*args)  # inside another trace the function itself is traced
            arrays = tuple([leaf if type(leaf) is np.ndarray else np.asarray(leaf) for leaf in leaves])
        key = (structure, *[(a.shape, a.dtype) for a in arrays])
        found = self._kernels.get(key)
        if found is None:
            found = self._kernels[key] = self._compile(arrays, structure or trees.row(len(args)))
        kernel, result = found
        outputs = kernel(*arrays)
        return outputs[0] if result is trees.LEAF else trees.unflatten(result, outputs)

    def _program(self, arrays: Sequence[Any], structure: trees.Structure) -> Program:
        examples = trees.unflatten(structure, [ArrayType(a.shape, a.dtype.newbyteorder("=")) for a in arrays])
        return simplify(trace(self._function, *examples))

    def _compile(self, arrays: Sequence[Any], structure: trees.Structure) -> tuple[Any, trees.Structure]:
        load_compiler()
        from chainrule.engines.llvm.kernel import Kernel
        from chainrule.engines.llvm.lowering import DTYPES, unsupported

        kinds = sorted({str(a.dtype) for a in arrays if a.dtype.name not in DTYPES})
        if kinds:
            raise UnsupportedError(
                f"compiled functions take arrays of {', '.join(DTYPES)}, and were given {', '.join(kinds)}. Convert them first."
            )
        program = self._program(arrays, structure)
        names = unsupported(program)
        if names:
            raise UnsupportedError(
                f"{program.name} cannot be compiled: {', '.join(names)} has no machine code. Call the function itself, "
                "or compile the parts without it."
            )
        result = program.outputs_structure
        return Kernel(program), trees.LEAF if result.kind is None else result

    def inspect(self, stage: Stage, *args: Any) -> str:
        """What becomes of the function for such arguments, at one stage of the way."""
        leaves, structure = trees.flatten(args)
        arrays = [np.asarray(leaf) for leaf in leaves]
        if stage == "program":
            return str(self._program(arrays, structure))
        from chainrule.engines.llvm.inspection import groups_text, memory_text

        kernel, _ = self._compile(arrays, structure)
        if stage == "loops":
            return groups_text(kernel.grouping)
        if stage == "memory":
            return memory_text(kernel.memory)
        if stage == "llvm":
            return str(kernel.function.ir)
        if stage == "assembly":
            return str(kernel.function.assembly)
        raise UnknownNameError.among("stage", stage, get_args(Stage))
