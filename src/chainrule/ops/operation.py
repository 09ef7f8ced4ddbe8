"""What every operation has in common, and the registry that all of them are in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import UnknownNameError
from chainrule.ops.axes import Kept, Links
from chainrule.ops.notation import COMPOSED, EXACT, Accuracy, Notation, Textbook
from chainrule.ops.registry import Registry

Namespace = Any
"""The operations by name, as `m` in a rule: plain NumPy, traced, LLVM vectors, SymPy, …"""


class ArrayType:
    """Shape and dtype of an array that need not exist yet."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayType) and self.shape == other.shape and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"ArrayType({self.shape}, {self.dtype})"

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"


class Example(NamedTuple):
    """Arguments an operation or function can be tried with; tests and documentation use them.

    Every tuple among the inputs is the shape of a random real array; everything else (numbers, lists, index
    arrays) is an explicit constant.
    """

    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any] = MappingProxyType({})


def example(*inputs: Any, **attributes: Any) -> Example:
    """An `Example`, written as the call would be."""
    return Example(inputs, attributes)


def axes_of_example(given: Example) -> int:
    """How many axes the first input of an example has."""
    first = given.inputs[0]
    return len(first) if type(first) is tuple else np.ndim(first)


class Place(NamedTuple):
    """Inputs that are different from others: which, in words with {0}, {1} for the inputs, and an example of them."""

    where: str
    example: Example


def at(where: str, *inputs: Any, **attributes: Any) -> Place:
    """A `Place`, with the example written as the call would be."""
    return Place(where, Example(inputs, attributes))


REGISTRY: Registry[str, Operation] = Registry()
"""Every operation by its name. Tests, documentation and engines loop over it."""

OF_NUMPY: Registry[Callable[..., Any], Any] = Registry()
"""The functions and operations that are declared to stand for NumPy's, by these."""


@dataclass(init=False, eq=False, repr=False, kw_only=True)
class Operation:
    """One primitive operation; the five kinds say how their members are evaluated and differentiated.

    `latex`, `notation` and `textbook` say how it is written, `accuracy` how exact engines are: by default to the bit
    where NumPy has a ufunc of the name, and else as exact as its formula.
    """

    name: str = field(kw_only=False)
    latex: str = ""
    differential: str = ""
    """dy in LaTeX, with {0} for an input, d{0} for its differential and y for the result; of elementwise operations the
    partials say it."""
    notation: Notation = Notation()  # noqa: RUF009
    textbook: Textbook = Textbook()  # noqa: RUF009
    accuracy: Accuracy = None  # type: ignore[assignment]  # chosen below
    examples: tuple[Example, ...] = ()
    kinks: tuple[Place, ...] = ()
    """Where there is a value and no derivative; what a single number has to be is said by the domains of elementwise operations."""
    undefined: tuple[Place, ...] = ()
    """Where there is no value."""
    doc: str = ""
    listed: bool = True
    """Whether it is in the registry; those that users make with `custom_derivative` are not."""
    public: bool = False
    """Whether it is `cr.<name>`, with `doc` as its docstring."""
    differentiable: bool = field(init=False, default=True)
    """Whether a derivative can pass through this operation; every kind sets it, once."""
    remembers: bool = field(init=False, default=True)
    """Whether its derivative needs the numbers of its inputs; every kind sets it, once."""
    complex: bool = False
    """Whether it takes complex numbers too, and its derivatives are right for them; others refuse them."""
    to_complex: bool = False
    """Whether it may give complex numbers of real ones."""
    parts: Callable[..., Any] | None = None
    """Both parts of a complex result, or a real one, from both parts of every input (`ops/pairs.py`); so it takes complex numbers."""
    asks_use: bool = False
    """Whether its reverse rule is told, as `used`, which elements of its result anything is computed from."""
    any_phase: bool = False
    """Whether complex results are columns, each of which may be multiplied by any number of length 1: derivatives take no side."""
    part_by_part: bool = False
    """Whether each part of its result is what it gives of that part of its inputs."""
    noted: bool = field(init=False, default=False)
    """Whether a trace remembers something of its results: that they are views, roots or complex."""
    views: bool = field(init=False, default=False)
    """Whether NumPy's result may be a view, which shares its memory with the input."""
    write_back: Callable[..., Any] | None = field(init=False, default=None)
    """`write_back(m, x, view, **attributes)`: the input of a view with the view's numbers where it has them."""
    needs_contiguous: bool = field(init=False, default=False)
    """Whether the result is a view only of numbers that lie in memory one after the other."""
    squared: Callable[..., Any] | None = field(init=False, default=None)
    """`squared(m, *inputs)`: its square, in operations that have derivatives where it has none, as |x|² is x²."""
    unsigned: bool = field(init=False, default=False)
    """Whether its result is its input, if that is real, without the sign."""
    carries: bool = field(init=False, default=False)
    """Whether a sign of an input, or of two inputs together, is one of the result."""
    shares: bool = field(init=False, default=False)
    """Whether a sign that all its inputs have is one of the result."""
    even: Callable[..., Any] | None = field(init=False, default=None)
    """`even(m, square, *inputs)`: its result from the square of its first input; `None` for inputs where it is none of that."""
    symmetric: bool = field(init=False, default=False)
    """Whether its result is that of its first input without the sign."""
    flattens: Callable[..., int] | None = field(init=False, default=None)
    """`flattens(*inputs)`: which derivative is the first it lacks where its first input has a kink at 0; by default the second."""
    moves: tuple[int, int | None] = field(init=False, default=(0, None))
    """From which to which of its inputs the result has their elements or products; others say which."""

    def __init__(self, name: str, **declared: Any) -> None:
        """As declared. One for all kinds: a dataclass compiles one for each, which takes half a millisecond of the import."""
        defaults, settings = _settings_of(type(self))  # type: ignore[arg-type]  # classes can be hashed
        if unknown := declared.keys() - settings:
            raise TypeError(f"the operation {name!r} is declared with {', '.join(unknown)}, which its kind has not")
        if missing := settings - declared.keys() - defaults.keys():
            raise TypeError(f"the operation {name!r} is declared without {', '.join(missing)}")
        vars(self).update(defaults, name=name, **declared)
        self.__post_init__()

    @property
    def spoken(self) -> str:
        """Its name in explanations; that of a user's function without the module."""
        return self.name.rpartition(".")[2].replace("<lambda>", "function")

    def __post_init__(self) -> None:
        if self.listed and REGISTRY.loaded(self.name) is not None:
            raise ValueError(f"the operation {self.name!r} is declared twice")
        if self.listed:
            REGISTRY[self.name] = self
        if self.examples:
            self.examples = tuple(map(self.counted, self.examples))
        if self.parts is not None:
            object.__setattr__(self, "complex", True)
        if self.accuracy is None:
            own = isinstance(getattr(np, self.name, None), np.ufunc)
            self.accuracy = EXACT if own else COMPOSED
        noted = getattr(self, "view", False) or (self.squared is not None and not self.carries) or self.to_complex
        self.noted = noted

    def counted(self, given: Example) -> Example:
        """An example as rules are called: its axis counted from the front."""
        axis = given.attributes.get("axis")
        if type(axis) is not int or axis >= 0:
            return given
        return Example(given.inputs, {**given.attributes, "axis": axis + axes_of_example(given)})

    def meets(self, **attributes: Any) -> bool:
        """Whether it multiplies two inputs place by place, so that a sign they share cancels."""
        return self.carries and self.moves == (0, None)

    def evaluate(self, *inputs: Any, **attributes: Any) -> Any:
        """The value for plain arrays and numbers."""
        raise UnknownNameError(f"operation {self.name!r} has no value; declare one")  # every kind defines its own

    def infer(self, *inputs: Any, **attributes: Any) -> ArrayType:
        """The type of the result, from the types of the inputs (Python numbers stand for themselves)."""
        raise UnknownNameError(f"operation {self.name!r} has no type; declare infer")

    def pullback(
        self,
        m: Namespace,
        cotangent: Any,
        output: Any,
        inputs: Sequence[Any],
        wanted: Sequence[Any],
        **attributes: Any,
    ) -> list[Any]:
        """The cotangent of each wanted input, given the output's (`None`: no dependence)."""
        raise UnknownNameError(f"operation {self.name!r} has no derivative; declare one")

    def uses(
        self, m: Namespace, used: Any, inputs: Sequence[Any], wanted: Sequence[Any], **attributes: Any
    ) -> list[Any]:
        """Which elements of each wanted input the `used` ones of the result may depend on: there numbers above 0, and else 0.

        It is asked of what is computed, not of the numbers that come out: what is multiplied by a 0 that was computed is used.
        By default those in the same places along the axes that are kept, all along others.
        """
        links = self.axes(*inputs, **attributes) or [()] * len(inputs)
        return [
            _in_kept_places(m, used, own, shape_of(x)) if want else None
            for x, own, want in zip(inputs, links, wanted, strict=True)
        ]

    def pushforward(
        self, m: Namespace, tangents: Sequence[Any], output: Any, inputs: Sequence[Any], **attributes: Any
    ) -> Any:
        """The tangent of the output, given the inputs' (`None`: no dependence)."""
        raise UnknownNameError(f"operation {self.name!r} has no derivative; declare one")

    def axes(self, *inputs: Any, **attributes: Any) -> tuple[Links, ...] | None:
        """How the axes of every input go on in the result; `None` if that is not known."""
        return None

    def batch(self, m: Namespace, size: int, batched: Sequence[bool], inputs: Sequence[Any], **attributes: Any) -> Any:
        """The results for `size` members of a batch at once, along a first axis, which the inputs that are batched have.

        By default one member after the other.
        """
        if not size:
            kinds = [ArrayType(x.shape[1:], x.dtype) if mine else x for x, mine in zip(inputs, batched, strict=True)]
            result = self.infer(*kinds, **attributes)
            return np.zeros((0, *result.shape), result.dtype)
        results = []
        for i in range(size):
            own = [_member(m, x, i) if mine else x for x, mine in zip(inputs, batched, strict=True)]
            one = getattr(m, self.name)(*own, **attributes)
            results.append(m.reshape(one, shape=(1, *shape_of(one))))
        return m.concatenate(*results, axis=0)

    @property
    def at_once(self) -> bool:
        """Whether a batch is computed at once, and not one member after the other."""
        return True

    def written(self, m: Namespace, *inputs: Any, **attributes: Any) -> Any:
        """The result in simpler operations, for engines that have only those; `None` for one that is simple itself."""
        return None

    def has_loops(self, inputs: int) -> bool:
        """Whether it is loops over elements, or is `written` in operations that are; engines that know only loops refuse others."""
        return True

    def bind(self, attributes: Mapping[str, Any]) -> Callable[..., Any]:
        """`evaluate` with its attributes fixed, for evaluating many times."""
        if not attributes:
            return self.evaluate
        evaluate = self.evaluate
        return lambda *inputs: evaluate(*inputs, **attributes)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


@cache
def _settings_of(kind: type[Operation]) -> tuple[dict[str, Any], frozenset[str]]:
    """What the operations of a kind have by default, and what a declaration may say."""
    declared = fields(kind)[1:]
    defaults = {entry.name: entry.default for entry in declared if entry.default is not MISSING}
    defaults |= {entry.name: entry.default_factory() for entry in declared if entry.default_factory is not MISSING}
    return defaults, frozenset(entry.name for entry in declared if entry.init)


def operation(name: str) -> Operation:
    """The operation called `name`."""
    try:
        return REGISTRY[name]
    except KeyError:
        raise UnknownNameError.among("operation", name, REGISTRY) from None


def _in_kept_places(m: Namespace, x: Any, links: Links, shape: tuple[int, ...]) -> Any:
    """What has a result's axes with those of an input: summed along axes that the input lacks, repeated along its own others."""
    kept = {link.target: link.source for link in links if isinstance(link, Kept)}
    summed = m.sum(x, axis=tuple(i for i in range(len(x.shape)) if i not in kept), keepdims=False)
    order = np.argsort([kept[i] for i in sorted(kept)])
    moved = m.transpose(summed, axes=tuple(map(int, order)))
    own = m.reshape(moved, shape=tuple(n if i in kept.values() else 1 for i, n in enumerate(shape)))
    return m.broadcast_to(own, shape=tuple(shape))


def _member(m: Namespace, x: Any, i: int) -> Any:
    """Member `i` of a batch."""
    whole = (None,) * (len(shape_of(x)) - 1)
    return m.slice(x, start=(i, *whole), stop=(i + 1, *whole), step=(1,) * (len(whole) + 1), drop=(0,))


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array, an `ArrayType`, a traced value or a number."""
    return getattr(value, "shape", ())


def dtype_of(value: Any) -> Any:
    """The dtype of an array, or the Python type of a number (which adapts to the arrays it meets)."""
    return getattr(value, "dtype", None) or type(value)


def lets_through(factor: Any, varies: Any) -> Any:
    """1.0 where what is multiplied by a factor may depend on it, and 0.0 where the factor is 0 and a plain number, which stays so."""
    fixed = not varies and isinstance(factor, np.ndarray | np.generic | int | float)
    return np.not_equal(factor, 0).astype(float) if fixed else np.ones(shape_of(factor))


def cast(m: Namespace, x: Any, dtype: Any) -> Any:
    """A derivative in the dtype of what it belongs to; of a real number that is the real part.

    A cotangent g of a complex number z is the map dz ↦ Re(g·dz); where dz can only be real, the imaginary part does nothing.
    """
    if x.dtype.kind == "c" and np.dtype(dtype).kind != "c":
        x = m.real(x)
    return x if x.dtype == dtype else m.astype(x, dtype=dtype)


def copied(m: Namespace, x: Any) -> Any:
    """The same numbers as another value; truth values have no sign that could be kept."""
    return m.astype(x, dtype=x.dtype) if x.dtype.kind == "b" else m.positive(x)


def exemplar(kind: Any, ndim: int = 1) -> Any:
    """A small value of a dtype (an empty array) or of a Python number type (one)."""
    if isinstance(kind, type) and not issubclass(kind, np.generic):
        number: Callable[..., Any] = kind
        return number(1)
    return np.empty((0,) * ndim, kind)


class Eager:
    """The namespace of plain NumPy: `eager.tanh(x)` is the value, at once."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in REGISTRY:
            raise AttributeError(f"there is no operation named {name!r}")
        evaluate = REGISTRY[name].evaluate
        setattr(self, name, evaluate)
        return evaluate


eager = Eager()
