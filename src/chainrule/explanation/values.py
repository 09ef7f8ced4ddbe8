"""Values one can look into: numbers and arrays that remember how they came about, with gradients on request."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import DataError, DifferentiationError, SettingError, shortened
from chainrule.explanation.derivations.derivation import Derivation, derive
from chainrule.explanation.evaluations.evaluation import Evaluation, of_real_numbers
from chainrule.explanation.evaluations.labels import free_name
from chainrule.explanation.evaluations.networks import LOSS
from chainrule.explanation.evaluations.nodes import Node, evaluation_of, real_numbers
from chainrule.explanation.evaluations.places import element_of, find, letters_for
from chainrule.explanation.formulas.rules import only_moves
from chainrule.notebooks import Shown
from chainrule.ops import FUNCTIONS, REGISTRY, Elementwise
from chainrule.ops.operation import Operation
from chainrule.tracing.apply import Trace, lasting
from chainrule.tracing.functions import all_public
from chainrule.tracing.numpy_interface import Wrapped
from chainrule.tracing.plain import array_of
from chainrule.tracing.program import Variable
from chainrule.tracing.scope import Step
from chainrule.tracing.views import NO_PAST, note_array

if TYPE_CHECKING:
    from chainrule.explanation.drawing import Drawing
    from chainrule.explanation.splits.contributions import Contributions


class Graph(Trace):
    """The trace of values. That of a function being explained is open while it runs, and its values may be written to."""

    __slots__ = ()
    stepwise = True
    follows_roots = False  # what is drawn is what was written

    def variable(self, data: Any, name: str | None = None) -> Value:
        """A value that derivatives are wanted for."""
        if np.iscomplexobj(data):
            raise of_real_numbers(np.asarray(data))
        found = self.value(Node(real_numbers(data)))
        found.node.name = name
        return note_array(found) if type(data) is np.ndarray else found

    def value(self, node: Node) -> Value:
        """A handle on a node."""
        new = Value.__new__(Value)
        new.trace, new.node, new.past = self, node, NO_PAST
        return new

    def lifted(self, array: Any) -> Value:
        """Numbers that were not computed from anything."""
        return self.value(Node(array.copy(), REGISTRY["astype"], (array.copy(),), {"dtype": array.dtype}))

    def process(self, op: Operation, inputs: tuple[Any, ...], attributes: dict[str, Any]) -> Any:
        """Compute, and remember from what."""
        nodes = tuple(x.node if isinstance(x, Value) else x.copy() if type(x) is np.ndarray else x for x in inputs)
        value = op.evaluate(*(x.numbers() if isinstance(x, Node) else x for x in nodes), **attributes)
        if np.asarray(value).dtype.kind == "c":
            raise of_real_numbers(value)
        return self.value(Node(value, op, nodes, attributes))

    def note_step(self, value: Any, step: Step) -> None:
        """What was first known as another value stays that; inputs are none."""
        if value.node.step is None and value.node.op is not None:
            value.node.step = step


class Everlasting(Graph):
    """The trace of values that users made: below all others and always open. A value stays what it was computed as."""

    __slots__ = ()
    writable = False

    def __init__(self) -> None:
        super().__init__()
        self.open = self.real = True


_graph = Everlasting()


class Value(Wrapped, Shown):
    """A number or array that remembers how it came about.

    Python's operators and NumPy's functions apply to values and give values; `backward` then finds the gradient
    of one of them by all it was computed from, and `explain` and `draw` show why it is what it is.

    Parameters
    ----------
    data : float or array-like
        Integers become float64; float32 stays float32.
    name : str, optional
        What it is called in explanations and drawings.

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b = cr.Value(2.0), cr.Value(-3.0)
    >>> L = a * b + a
    >>> L.backward()
    >>> L.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    __slots__ = ("node",)
    trace: Graph
    __hash__ = object.__hash__  # a place in a graph, whatever its number

    def __init__(self, data: Any, name: str | None = None) -> None:
        if not lasting:
            lasting.append(_graph)
        self.trace, self.node, self.past = _graph, Node(real_numbers(data)), NO_PAST
        self.node.name = name

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        """A value of its own where nothing was computed to get there; of a result another name, with the same past."""
        if self.node.op is not None:
            return self.__copy__()
        copy = Value(np.array(self.node.value), self.node.name)
        copy.node.grad = None if self.node.grad is None else np.array(self.node.grad)[()]
        return copy

    def __copy__(self) -> Value:
        return self.trace.value(self.node)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return object.__reduce_ex__(self, protocol) if self.node.op is None else super().__reduce_ex__(protocol)

    # --- what it is

    @property
    def inner(self) -> Any:
        """The numbers, as other traced values have them."""
        return self.node.numbers()

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Lengths of the axes; `()` for a number."""
        return np.shape(self.node.value)

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """Kind of number."""
        return self.node.value.dtype  # type: ignore[no-any-return]

    @property
    def data(self) -> Any:
        """The number, or the array. Set it where nothing was computed to get there: `a.data -= 0.1 * a.grad`.

        What was computed from the old number earlier stays as it is. The array of a result cannot be written to.
        """
        if self.node.op is None or type(self.node.value) is not np.ndarray:
            return _plain(self.node.value)
        shown = self.node.value.view()
        shown.flags.writeable = False
        return shown

    @data.setter
    def data(self, new: Any) -> None:
        if self.node.op is not None:
            raise DataError(
                f"this value is the result of {self.node.op.name}; set the data of the values it was computed from."
            )
        value = real_numbers(new)
        if np.shape(value) != self.shape:
            raise DataError(
                f"this value has shape {self.shape} and was given data of shape {np.shape(value)}; give data of its shape."
            )
        old, self.node = self.node, Node(value.astype(self.dtype))
        self.node.name, self.node.grad = old.name, old.grad

    @property
    def grad(self) -> Any:
        """The derivative of the value that `backward` was called on last, by this one; `None` if there is none yet."""
        return None if self.node.grad is None else _plain(self.node.grad)

    @grad.setter
    def grad(self, new: Any) -> None:
        self.node.grad = None if new is None else np.broadcast_to(np.asarray(array_of(new), self.dtype), self.shape)[()]

    @property
    def name(self) -> str | None:
        """The name given, if any."""
        return self.node.name

    def named(self, name: str) -> Value:
        """The value itself, called `name` in explanations and drawings from now on."""
        self.node.name = name
        return self

    def __bool__(self) -> bool:
        return bool(self.node.value)

    def __format__(self, form: str) -> str:
        return f"Value({format(self.node.value, form)})" if form else str(self)

    def __repr__(self) -> str:
        name = f"{self.name!r}, " if self.name else ""
        return f"Value({name}data={self.data}, grad={self.grad})"

    def _repr_markdown_(self) -> str:
        from chainrule.explanation.rendering.values import value_as_markdown

        evaluation, nodes = evaluation_of(self.node)
        own = next(x for x, node in nodes.items() if node is self.node)
        return value_as_markdown(evaluation, own, self.node.grad)

    # --- derivatives

    def backward(self, gradient: Any = None) -> None:
        """Set `grad` of this value and of all it was computed from: the derivative of this value by each.

        Gradients are those of the value that `backward` was called on last: they are set and never added to earlier
        ones, so calling it twice changes nothing. Values that this one does not depend on keep theirs.

        Parameters
        ----------
        gradient : array, optional
            ∂L/∂value of the L it goes on to, of which explanations then are; needed where it is an array of several numbers.
        """
        evaluation, nodes = evaluation_of(self.node)
        seed = None if gradient is None else np.array(array_of(gradient), np.float64)
        found = evaluation.backward(seed=seed)
        self.node.seed = seed
        for variable, node in nodes.items():
            cotangent = found.cotangent(variable)
            node.grad = None if cotangent is None else np.asarray(cotangent, variable.dtype)[()]

    def evaluation(self) -> Evaluation:
        """All that this value was computed from, as a Program with the values it had; nothing is computed again."""
        return evaluation_of(self.node)[0]

    def graph(self) -> tuple[Evaluation, Mapping[Variable, Node]]:
        """The evaluation, and the node that each of its variables stands for."""
        return evaluation_of(self.node)

    def explain(self, by: Value | str, *, index: Sequence[int | str] | None = None, **options: Any) -> Derivation:
        """Why the derivative of this value by another is what it is; the options are those of `cr.explain`."""
        return explain_value(self, by, index, options)

    def contributions(
        self, by: Value | str, *, index: Sequence[int] | None = None, largest: int = 20, digits: int = 6
    ) -> Contributions:
        """How much of this value's derivative by another comes by each path between them; the parts add up to it.

        Parameters
        ----------
        by : Value or str
            The other value, or its name.
        index : sequence of int, optional
            Which number of an array.
        largest : int
            Paths listed where there are more than 10,000; the rest is one part, exact.
        digits : int
            Significant digits where it is printed.

        Examples
        --------
        >>> import chainrule as cr
        >>> a, b = cr.values(a=-2.0, b=3.0)
        >>> L = (a * b).named("d") * (a + b).named("e")
        >>> [(part.name, part.value) for part in L.contributions(a).by_path]
        [('e', -6.0), ('d', 3.0)]
        """
        from chainrule.explanation.splits.contributions import contributions_to_value

        evaluation, variable, places = _asked_for(self, by, index, LOSS)
        element = element_of(evaluation, variable, () if places is None else tuple(places))
        return contributions_to_value(evaluation, element, largest=largest, digits=digits)

    def draw(self, *, depth: int | None = None, digits: int = 4) -> Drawing:
        """What this value was computed from, as a graph: data and gradient of every value, local derivatives on the edges.

        Gradients are those of the last `backward`, "—" where there was none.

        Parameters
        ----------
        depth : int, optional
            Levels of scopes that are unfolded; by default as many as leave the picture legible.
        digits : int
            Significant digits of numbers.

        Examples
        --------
        >>> import chainrule as cr
        >>> a, b = cr.values(a=2.0, b=-3.0)
        >>> L = (a * b).named("L")
        >>> L.backward()
        >>> L.draw()
        Drawing(L; ... pixels; .save('picture.svg') writes it)
        """
        from chainrule.explanation.drawing import draw_evaluation

        evaluation, nodes = evaluation_of(self.node)
        known = {variable: node.grad for variable, node in nodes.items() if node.grad is not None}
        title = evaluation.label(evaluation.program.outputs[0])
        return draw_evaluation(replace(evaluation, cotangents=known), title=title, depth=depth, digits=digits)


def _ufunc(name: str) -> Callable[[Value], Any]:
    def method(self: Value) -> Any:
        return getattr(np, name)(self)

    method.__name__, method.__doc__ = name, f"As np.{name}."
    return method


for _name, _op in REGISTRY.items():
    is_ufunc = isinstance(_op, Elementwise) and _op.differentiable and _op.ufunc and _op.ufunc.nin == 1
    if is_ufunc and not hasattr(Value, _name):
        setattr(Value, _name, _ufunc(_name))
for _name, _function in FUNCTIONS.items():
    if _function.activation:
        setattr(Value, _name, all_public()[_name])


def values(**numbers: Any) -> Any:
    """Named values, in the order given: `a, b = cr.values(a=2.0, b=-3.0)`.

    Parameters
    ----------
    **numbers : float or array-like
        A number or array for every name.

    Returns
    -------
    namedtuple of Value

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    >>> L = (a * b + c) * f
    >>> L.backward()
    >>> a.grad, b.grad, c.grad, f.grad
    (6.0, -4.0, -2.0, 4.0)
    """
    return namedtuple("Values", numbers)(**{name: Value(x, name) for name, x in numbers.items()})


def explain_value(
    of: Value, by: Any, index: Sequence[int | str] | None, options: dict[str, Any], name: str = LOSS
) -> Derivation:
    """Why the derivative of a value by another is what it is; without a name of its own it is called `name`."""
    evaluation, found, places = _asked_for(of, by, index, name)
    if places is None:
        places = letters_for(evaluation, found)
    moved = {e.output for e in evaluation.program.equations if only_moves(e)} - set(evaluation.names)
    return derive(
        evaluation,
        element_of(evaluation, found, tuple(places)),
        symbolic=None if options.get("depth") == "layers" else lambda x: x.dtype.kind == "f" and x not in moved,
        **options,
    )


def _asked_for(
    of: Value, by: Any, index: Sequence[int | str] | None, name: str
) -> tuple[Evaluation, Variable, Sequence[int | str] | None]:
    """A value's evaluation with derivatives, of Σ g·value if `backward` was given g; by which variable, at which places."""
    evaluation, nodes = of.graph()
    output = evaluation.program.outputs[0]
    assert isinstance(output, Variable)
    if output not in evaluation.names:
        own = free_name(name, evaluation.names.values())
        evaluation = replace(evaluation, names={**evaluation.names, output: own})
    if isinstance(by, Value):
        found = next((variable for variable, node in nodes.items() if node is by.node), None)
        if found is None:
            raise DifferentiationError(
                f"{evaluation.label(output)} was not computed from {shortened(by)}; give a value that it was computed from."
            )
        places = index
    elif isinstance(by, str):
        known = {label.text: x for x, label in reversed(list(evaluation.labels.items()))}  # of one label the first
        found, named_index = find(known, by)
        places = named_index if index is None else index
    else:
        raise SettingError(f"explain was given {shortened(by)}; give the value that the derivative is by, or its name.")
    if (seed := of.node.seed) is not None:
        name = free_name(LOSS, evaluation.names.values())
        evaluation, output = evaluation.followed_by(
            lambda y: np.sum(seed * y) if y.shape else seed[()] * y, output, name
        )
    return evaluation.backward(output), found, places


def _plain(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) else np.asarray(x).item()
