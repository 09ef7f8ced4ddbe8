"""Contributions: one gradient split by output, by sample and by path, each split adding up to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import DifferentiationError, SettingError
from chainrule.explanation.derivations.chain import Chain
from chainrule.explanation.evaluations.evaluation import Evaluation
from chainrule.explanation.evaluations.forward import carry_forward, most_that_passes, unit_tangent
from chainrule.explanation.evaluations.keys import key_of
from chainrule.explanation.evaluations.labels import is_state
from chainrule.explanation.evaluations.lifting import with_constants_as_inputs
from chainrule.explanation.evaluations.networks import NetworkEvaluation
from chainrule.explanation.evaluations.places import element_of, find
from chainrule.explanation.formulas.rules import only_moves
from chainrule.explanation.formulas.symbols import Element
from chainrule.explanation.rendering.contributions import Piece, Writes, as_html, as_text, render_splits
from chainrule.explanation.rendering.json_form import VERSION, exact, written
from chainrule.explanation.rendering.names import ARROW, in_signs, spelled
from chainrule.explanation.rendering.written import Written
from chainrule.explanation.splits.paths import Paths
from chainrule.tracing.program import Variable

if TYPE_CHECKING:
    from chainrule.explanation.drawing import Drawing

ENUMERATED = 10_000
"""Up to so many paths are listed one by one."""

ROUNDING = 1e-11
"""What rounding may leave between a gradient and the sum of its parts, relative to all that they were computed of."""
TINY = float(np.finfo(np.float64).tiny)
"""Below this products keep few digits."""


@dataclass(frozen=True)
class Contribution:
    """What one output, sample or path adds to a gradient; `count` tells how many of them are put together here.

    `index` is the place of the output or sample, or of the sample that a path belongs to, `keys` those of the numbers that it went
    by, with the letter n for all samples.
    """

    name: str
    value: float
    count: int = 1
    index: int | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """One way to take a gradient apart; the values add up to it, as exactly as numbers of their size can."""

    by: str
    parts: tuple[Contribution, ...]

    @property
    def total(self) -> float:
        """The sum of the parts, rounded once."""
        return math.fsum(part.value for part in self.parts)

    def __iter__(self) -> Any:
        return iter(self.parts)

    def __len__(self) -> int:
        return len(self.parts)

    def __getitem__(self, key: int | str) -> Contribution:
        if isinstance(key, int):
            return self.parts[key]
        for part in self.parts:
            if part.name == key:
                return part
        raise KeyError(key)


@dataclass(frozen=True, repr=False)
class Contributions(Written):
    """A gradient and its splits: `by_output`, `by_sample`, `by_path`; of a `Value` the last one only.

    Every split adds up to `gradient`, to the last digit that its largest part has. What reaches the loss without passing
    an output or a sample (a penalty on the weight) is a part of its own. Printing gives a table, `draw()` a picture of
    signed bars.
    """

    name: str
    gradient: float
    by_output: Split
    by_sample: Split
    by_path: Split
    paths: int
    digits: int = 6

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that there are."""
        return tuple(split for split in (self.by_output, self.by_sample, self.by_path) if split.parts)

    def forms(self) -> Mapping[str, Callable[[Contributions], str]]:
        """What writes it as text, HTML and JSON."""
        return {
            "text": lambda own: own._written(as_text),
            "html": lambda own: own._written(as_html),
            "json": lambda own: written(own.data()),
        }

    def _written(self, write: Writes) -> str:
        splits = {
            split.by: [Piece(part.name, part.value, part.count) for part in _shown(split)] for split in self.splits
        }
        return render_splits(self.name, self.gradient, splits, self.digits, write)

    def data(self) -> dict[str, Any]:
        """The splits as nested dicts and lists, every number with all its digits."""
        splits = [{"by": split.by, "parts": [_as_data(part) for part in split]} for split in self.splits]
        return {
            "version": VERSION,
            "kind": "contributions",
            "gradient": self.name,
            "value": exact(self.gradient),
            "paths": self.paths,
            "splits": splits,
        }

    def _repr_html_(self) -> str:
        return self.to("html")

    def draw(self, *, digits: int = 4) -> Drawing:
        """The splits as signed bars.

        Parameters
        ----------
        digits : int
            Significant digits of numbers.
        """
        from chainrule.explanation.drawing import draw_bars

        splits = {f"by {split.by}": [(part.name, part.value) for part in _shown(split)] for split in self.splits}
        return draw_bars(self.gradient, splits, title=self.name, digits=digits)


def _as_data(part: Contribution) -> dict[str, Any]:
    """A part, with its number in full."""
    return {
        "name": part.name,
        "value": exact(part.value),
        "count": part.count,
        "index": part.index,
        "keys": list(part.keys),
    }


def _shown(split: Split) -> Sequence[Contribution]:
    """The parts as they are shown: those of samples by their size."""
    return sorted(split.parts, key=lambda part: -abs(part.value)) if split.by == "sample" else split.parts


def contributions_to(
    network: NetworkEvaluation,
    where: str,
    *,
    largest: int = 20,
    digits: int = 6,
    sample_names: Sequence[str] | None = None,
) -> Contributions:
    """The gradient of a network's loss by one of its numbers, split by output, by sample and by path.

    `largest` paths are listed where there are more than 10,000; their rest is exact.
    """
    evaluation = network.evaluation
    variable, index = find(network.known, where)
    element = element_of(evaluation, variable, tuple(index or ()))
    if element.letters:
        raise SettingError(f"contributions were asked for {where!r}; give numbers as the index, such as [0, 1].")
    count = next((x.shape[0] for x in evaluation.samples), 0)
    names = [f"sample {n}" for n in range(count)] if sample_names is None else list(sample_names)
    if len(names) != count:
        raise SettingError(f"contributions was given {len(names)} names for {count} samples; give one for each.")
    gradient = _gradient_to_split(evaluation, element, where, largest, digits)
    layers = {layer.a if layer.z is None else layer.z for layer in network.layers}
    size = most_that_passes(evaluation, element)
    by_path, paths = _by_path(evaluation, element, layers.__contains__, gradient, size, largest, names)
    return Contributions(
        _spelled(evaluation, element),
        gradient,
        Split("output", balanced(_by_output(network, element), gradient, size)),
        Split("sample", balanced(_by_sample(evaluation, element, names), gradient, size)),
        Split("path", by_path),
        paths,
        digits,
    )


def contributions_to_value(
    evaluation: Evaluation, element: Element, *, largest: int = 20, digits: int = 6
) -> Contributions:
    """The gradient of an evaluation's output by one number, split by path: by way of all values that are more than moved."""
    name = _spelled(evaluation, element)
    moved = {e.output for e in evaluation.program.equations if only_moves(e)} - set(evaluation.names)
    gradient = _gradient_to_split(evaluation, element, name, largest, digits)
    size = most_that_passes(evaluation, element)
    by_path, paths = _by_path(evaluation, element, lambda x: x not in moved, gradient, size, largest, ())
    return Contributions(
        name, gradient, Split("output", ()), Split("sample", ()), Split("path", by_path), paths, digits
    )


def _spelled(evaluation: Evaluation, element: Element) -> str:
    assert evaluation.output is not None
    return f"∂{evaluation.label(evaluation.output)}/∂{spelled(evaluation, element, {}).text}"


def _gradient_to_split(evaluation: Evaluation, element: Element, where: str, largest: int, digits: int) -> float:
    """The gradient by an element, which has to be there and finite."""
    SettingError.unless_count("contributions", "largest", largest)
    SettingError.unless_count("contributions", "digits", digits)
    variable = element.variable
    if evaluation.output is None or variable not in evaluation.cotangents:
        raise DifferentiationError(
            f"the loss does not depend on {where} in a way that has a derivative; "
            "ask for a parameter that the loss depends on, by its name."
        )
    gradient = float(np.asarray(evaluation.cotangents[variable])[element.place])
    if not math.isfinite(gradient):
        raise DifferentiationError(
            f"the gradient by {where} is {gradient}, which has no parts that add up to it; "
            "lower the weights or the inputs until it is finite."
        )
    return gradient


def balanced(parts: Sequence[Contribution], gradient: float, size: float = 0.0) -> tuple[Contribution, ...]:
    """The parts with what rounding left between their sum and the gradient given to them, to the largest first.

    The split and the gradient add the same products in different orders; more between them than rounding is a fault. Numbers of
    this `size` were added up on the way.
    """
    if not parts:
        return ()
    values = [part.value for part in parts]
    left = math.fsum([gradient, *(-value for value in values)])
    size = max(size, abs(gradient), math.fsum(map(abs, values)))
    if not abs(left) <= ROUNDING * size + TINY:
        raise AssertionError(f"parts that add up to {gradient - left!r} do not make the gradient {gradient!r}")
    for i in sorted(range(len(values)), key=lambda i: -abs(values[i])):
        if not left or (not values[i] and any(values)):
            break
        if (moved := values[i] + left) != values[i]:  # else it is too large to hold what is left
            values[i] = moved
            left = math.fsum([gradient, *(-value for value in values)])
    return tuple(replace(part, value=value) for part, value in zip(parts, values, strict=True))


# --- by output and by sample: a tangent of the one number, carried forward, times the cotangents it meets


def _by_output(network: NetworkEvaluation, element: Element) -> list[Contribution]:
    """What passes each number of the outputs; the last layer's z where the loss takes that."""
    evaluation = network.evaluation
    makers = {layer.a: layer.z for layer in network.layers if layer.z is not None}
    found = [output if output in evaluation.cotangents else makers.get(output) for output in network.outputs]
    outputs = dict.fromkeys(x for x in found if isinstance(x, Variable))
    shares, past = _shares(evaluation, element, outputs.__contains__)
    parts = []
    for x in outputs:
        by_unit = shares.get(x, np.zeros(x.shape)).reshape(-1, x.shape[-1]).sum(axis=0)
        name, letters = evaluation.label(x), ["n"] * (len(x.shape) - 1)
        parts += [
            Contribution(f"{name}[{k}]", float(v), index=k, keys=(key_of(name, [*letters, k]),))
            for k, v in enumerate(by_unit)
        ]
    return parts + past


def _by_sample(evaluation: Evaluation, element: Element, names: Sequence[str]) -> list[Contribution]:
    """What passes each sample: what arrives at values of samples from what is no sample's."""
    samples = evaluation.samples
    total = np.zeros(next(x.shape[0] for x in samples))
    shares, past = _shares(evaluation, element, samples.__contains__)
    for share in shares.values():
        total += share.reshape(len(total), -1).sum(axis=1)
    return [Contribution(names[n], float(value), index=n) for n, value in enumerate(total)] + past


def _shares(
    evaluation: Evaluation, element: Element, stop: Callable[[Variable], bool]
) -> tuple[dict[Variable, Any], list[Contribution]]:
    """How much of the gradient arrives at each number of the variables where it is stopped, and what passes by them."""
    cotangents, start = evaluation.cotangents, unit_tangent(element)
    if stop(element.variable):
        return {x: np.asarray(tangent * cotangents[x]) for x, tangent in start.items()}, []
    found, stopped = carry_forward(evaluation, start, lambda x: x in cotangents and not stop(x))
    shares = {x: np.asarray(tangent * cotangents[x]) for x, tangent in stopped.items() if x in cotangents}
    past = [np.sum(tangent * cotangents[x]) for x, tangent in found.items() if x is evaluation.output]
    return shares, [Contribution("by other ways", float(value)) for value in past if value]


# --- by path


def _by_path(
    evaluation: Evaluation,
    element: Element,
    stations: Callable[[Variable], bool],
    gradient: float,
    size: float,
    largest: int,
    samples: Sequence[str],
) -> tuple[tuple[Contribution, ...], int]:
    """Every path by way of the stations where there are few, else the largest and the rest."""
    evaluation = with_constants_as_inputs(evaluation)
    chain = Chain(
        evaluation, element, [lambda x: stations(x) or is_state(x)], evaluation.names.__contains__, most=10**9
    )
    paths = Paths(chain)
    number = paths.count
    listed = number if number <= ENUMERATED else largest
    ways: dict[tuple[str, int | None], list[float]] = {}  # several from one layer's number to the next are one path
    keys: dict[tuple[str, int | None], tuple[str, ...]] = {}
    for path in islice(paths.largest_first(), listed):
        inner = path.elements[1:-1]
        route = _route(evaluation, inner, samples)
        ways.setdefault(route, []).append(path.value)
        keys[route] = tuple(
            key_of(evaluation.names[x.variable], x.place) for x in inner if x.variable in evaluation.names
        )
    found = [
        Contribution(route, math.fsum(values), index=n, keys=keys[route, n]) for (route, n), values in ways.items()
    ]
    if number > listed:
        rest = math.fsum([gradient, *(-part.value for part in found)])
        return (*found, Contribution(f"{number - listed:,} further paths", rest, number - listed)), number
    found.sort(key=lambda part: -abs(part.value))
    return balanced(found, gradient, size), len(found)


def _route(evaluation: Evaluation, elements: Iterable[Element], samples: Sequence[str]) -> tuple[str, int | None]:
    """The numbers on a path, the sample it belongs to before them: `sample 3: hidden[0] → output[1]`; and which that is."""
    names: list[str] = []
    sample: int | None = None
    for element in elements:
        label, place, shape = evaluation.label(element.variable), element.place, element.variable.shape
        if element.variable in evaluation.samples:
            sample, place, shape = place[0], place[1:], shape[1:]
        if element.variable not in evaluation.names:
            label, place = in_signs(label), tuple(i for i, n in zip(place, shape, strict=True) if n != 1)
        name = label.removesuffix(".z").removesuffix(".a")
        names.append(f"{name}[{', '.join(map(str, place))}]" if place else name)
    before = f"{samples[sample]}: " if sample is not None and len(samples) > 1 else ""
    return before + ARROW.join(names) if names else "directly", sample
