"""`explain`: derivations of the gradients of values, of plain functions, and of networks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

import numpy as np

from chainrule.errors import DifferentiationError, SettingError, shortened
from chainrule.explanation.derivations.classes import with_classes
from chainrule.explanation.derivations.derivation import Derivation, derive
from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.explanation.evaluations.places import element_of, find, letters_for
from chainrule.explanation.formulas.symbols import Element
from chainrule.explanation.picking import with_output
from chainrule.explanation.values import Graph, Value, explain_value
from chainrule.tracing import trees
from chainrule.tracing.apply import Traced, refreshed, separate


@overload
def explain(
    what: Value,
    by: Value | str,
    *,
    index: Sequence[int | str] | None = None,
    depth: str = "factors",
    most: int = 3,
    digits: int = 6,
    check: bool = False,
    symbols: Mapping[str, str] | None = None,
) -> Derivation: ...


@overload
def explain(what: Callable[..., Any], by: int | str = 0, **options: Any) -> Callable[..., Derivation]: ...


def explain(what: Any, by: Any = 0, *, index: Sequence[int | str] | None = None, **options: Any) -> Any:
    """Why a derivative is what it is: the chain rule in symbols and with the numbers, line by line.

    Of a `Value`, by a value it was computed from: `explain(L, a)`. Of a plain NumPy function, by one of its
    arguments: `explain(f, argnums)(x, y)`, or by an array in one: `explain(f, "parameters.w[0]")(parameters)`.

    Parameters
    ----------
    what : Value or callable
        What the derivative is of.
    by : Value, str or int
        A value or its name, with an index for arrays (`"w[0, 1]"`); for a function the position of an argument, or a name.
    index : sequence of int or str, optional
        Which number of an array. Letters in it, as in `["i", "j"]`, give the formula for all of them.
    depth : {"layers", "factors", "terms"}
        "layers" derives by way of named values only, the others by way of all.
    most : int
        Terms of a sum that are shown one by one.
    digits : int
        Significant digits. Factors get more where the printed ones would not multiply to the printed result.
    check : bool
        Whether to put finite differences beside the gradients.
    symbols : mapping, optional
        Other names, such as `{"weight": "w"}`.

    Returns
    -------
    Derivation
        Printed as text; `to("latex")` and the like give other forms. For a function, what gives it for arguments.

    Examples
    --------
    >>> import chainrule as cr
    >>> a, b, c, f = cr.values(a=2.0, b=-3.0, c=10.0, f=-2.0)
    >>> L = ((a * b).named("e") + c).named("d") * f
    >>> print(cr.explain(L, a, depth="layers").value)
    6.0
    >>> cr.explain(lambda x: 3 * x**2 - 4 * x + 5)(3.0).value
    14.0
    >>> cr.explain(lambda p: p["w"] * p["b"], "p.w")({"w": 2.0, "b": 3.0}).value
    3.0

    Raises
    ------
    SettingError
        When an argument is asked for that is not there, or of which it is not said which of its arrays is meant.
    DifferentiationError
        When the result is not one number, or depends on nothing.
    UnsupportedError
        Where complex numbers are met: explanations are of real ones.
    """
    if isinstance(what, Value):
        return what.explain(by, index=index, **options)
    if not callable(what):
        raise SettingError(f"explain was given {what!r}; give a cr.Value, or a function of arrays.")
    if isinstance(by, bool) or not isinstance(by, int | str):
        raise SettingError(
            f"explain was given {by!r} as the argument of a function; give its position, such as 0, or its name, and the numbers "
            "to what that gives: explain(f)(3.0), explain(f, 1)(3.0, 2.0)."
        )

    def explained(*args: Any) -> Derivation:
        if isinstance(by, int) and not -len(args) <= by < len(args):
            raise SettingError(
                f"explain was asked for argument {by} of a function called with {len(args)}; name one of those, counted from 0."
            )
        values, result = run_with_values(what, args, by)
        name = getattr(what, "__name__", "f")
        of = by if isinstance(by, str) else _one_of(values[by], by)
        return explain_value(result, of, index, options, "f" if name == "<lambda>" else name)

    return explained


def run_with_values(
    function: Callable[..., Any],
    args: Sequence[Any],
    by: int | str = "",
    changed: Mapping[str, Any] | None = None,
    graph: Graph | None = None,
) -> tuple[list[Any], Value]:
    """A function's arguments as values that go by their names, and its result.

    Whole numbers stay what they are where the function counts by them or finds places, but for the argument `by`. `changed` has other
    numbers for some of the names; `graph` is what the values are in.
    """
    ways = (function, args, _names_of(function, len(args)), by, changed or {}, graph)
    try:
        values, result = _run(*ways, whole=True)
    except Exception:
        if int not in map(type, trees.flatten(args)[0]):
            raise
        values, result = _run(*ways, whole=False)
    if not isinstance(result, Value):
        raise DifferentiationError(_no_number(result))
    return values, result


def _run(
    function: Callable[..., Any],
    args: Sequence[Any],
    names: Sequence[str],
    by: int | str,
    changed: Mapping[str, Any],
    graph: Graph | None,
    whole: bool,
) -> tuple[list[Any], Any]:
    """Places, conditions and texts stay what they are, but for the argument asked for; so do whole numbers, unless `whole`."""
    values = []
    with graph or Graph() as graph:
        for i, (x, name) in enumerate(zip(args, names, strict=True)):
            asked = by.startswith(name) if isinstance(by, str) else i in (by, len(args) + by)
            leaves, structure = trees.flatten(x)
            own = []
            for leaf, path in zip(leaves, trees.paths(structure, name), strict=True):
                real = isinstance(leaf, Traced) or np.asarray(leaf).dtype.kind in "fc" or (whole and type(leaf) is int)
                own.append(graph.variable(changed.get(path, leaf), path) if asked or real else leaf)
            values.append(trees.unflatten(structure, own))
        given = trees.map_leaves(separate, tuple(values))  # the function may write into its arguments
        return values, refreshed(function(*given))


def _no_number(result: Any) -> str:
    """What is said of a result that has no derivative to explain."""
    if trees.is_container(result):
        return f"the function gave a {type(result).__name__}, and an explanation is of one number; return the one that is meant."
    is_whole = np.asarray(result).dtype.kind in "iu"
    return (
        f"the function gave {shortened(result)}, which does not depend on its arguments, so that every derivative is 0; "
        f"return what is computed from them{' (arrays of whole numbers are taken as places: give 1.0 for 1)' if is_whole else ''}."
    )


def _one_of(argument: Any, by: int) -> Value:
    """The only array of an argument."""
    leaves, _ = trees.flatten(argument)
    if len(leaves) != 1:
        names = [leaf.name for leaf in leaves]
        raise SettingError(
            f"explain was asked for argument {by}, which has {len(leaves)} arrays. Name the one that is meant: "
            f"{' or '.join(f'explain(f, {name!r})' for name in names[:3])}."
        )
    return leaves[0]  # type: ignore[no-any-return]


def explain_network(
    network: NetworkEvaluation,
    where: str,
    *,
    of: str | None = None,
    depth: str = "factors",
    most: int = 3,
    digits: int = 6,
    check: bool = False,
    symbols: Mapping[str, str] | None = None,
) -> Derivation:
    """Why the loss of a network, or another of its numbers, changes with one of them as it does.

    `where` is such as `"hidden.weight[0, 1]"`, and `of` such as `"output.a[1]"`. A symbol for targets that are class numbers is one
    for the zeros and ones that are made of them.
    """
    variable, index = find(network.known, where)
    evaluation, right = with_classes(network)
    SettingError.unless_texts("explain", "symbols", symbols, "{'hidden.weight': 'w'}")
    symbols = {right.get(name, name): symbol for name, symbol in (symbols or {}).items()}
    if of is not None:
        evaluation = with_output(evaluation, _number_named(network, of))
    if index is None:
        index = letters_for(evaluation, variable)
    layers = {layer.a if layer.z is None else layer.z for layer in network.layers}
    return derive(
        evaluation,
        element_of(evaluation, variable, tuple(index)),
        depth=depth,
        stations=layers.__contains__,
        most=most,
        digits=digits,
        check=check,
        symbols=symbols,
    )


def _number_named(network: NetworkEvaluation, of: str) -> Element:
    """The one number of a network that a text names."""
    variable, index = find(network.known, of)
    places = (0,) * len(variable.shape) if index is None and variable.type.size == 1 else tuple(index or ())
    element = element_of(network.evaluation, variable, places)
    if element.letters:
        raise SettingError(
            f"explain was asked for the derivative of {of!r}; give whole numbers as the index, such as [0]."
        )
    return element


def _names_of(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's positional parameters, or `x0`, `x1`, … where it does not say."""
    try:
        given = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        given = []
    names = [p.name for p in given if p.kind.name in ("POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD")][:count]
    return [*names, *(f"x{i}" for i in range(len(names), count))]
