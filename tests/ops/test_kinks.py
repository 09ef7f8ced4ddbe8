"""Where declarations say that there is no derivative, or no value: looked at by evaluating there and beside."""

import numpy as np
import pytest

from chainrule.autodiff import grad, jvp
from chainrule.errors import ChainruleError
from chainrule.ops import REGISTRY, Elementwise
from chainrule.tracing import apply
from strategies import arguments, from_domain, split_leaves

SPECIAL = [op for op in REGISTRY.values() if isinstance(op, Elementwise)]
POINTS = [
    pytest.param(op, i, point, id=f"{op.name}-{i}-{point:.3g}")
    for op in SPECIAL
    if not op.kinks  # where a kink is one of several numbers together, they are said together
    for i, domain in enumerate(op.domain)
    for point in domain.kinks
]
POLES = [
    pytest.param(op, i, point, id=f"{op.name}-{i}-{point:.3g}")
    for op in SPECIAL
    for i, domain in enumerate(op.domain)
    for point in domain.poles
]
KINKS = [pytest.param(op, place, id=f"{op.name}-{place.where}") for op in REGISTRY.values() for place in op.kinks]
UNDEFINED = [
    pytest.param(op, place, id=f"{op.name}-{place.where}") for op in REGISTRY.values() for place in op.undefined
]
STEP = 1e-6


def along(op, i):
    """The operation as a function of one of its inputs; the others are from their domains."""
    random = np.random.default_rng(0)
    others = [from_domain(domain, (), random)[()] for domain in op.domain]
    attributes = dict(op.examples[0].attributes) if op.examples else {}
    return lambda x: apply(op, *others[:i], x, *others[i + 1 :], **attributes)


def breaks(f, point):
    """Whether a function, its derivative or its second one makes a step at a point, or grows beyond all bounds."""
    for derivative in (f, grad(f), grad(grad(f))):
        with np.errstate(invalid="ignore"):
            before, after = (float(derivative(point + side)) for side in (-STEP, STEP))
        if not np.isclose(before, after, rtol=1e-3, atol=1e-3) or abs(after) > 1e3:
            return True
    return False


@pytest.mark.parametrize(("op", "i", "point"), POINTS)
def test_numbers_said_to_be_kinks_are(op, i, point):
    f = along(op, i)
    assert np.isfinite(f(point))
    if op.differentiable:
        assert breaks(f, point)
        with np.errstate(divide="ignore"):
            assert np.isfinite(grad(f)(point)) or abs(grad(f)(point + STEP)) > 1e3
    else:
        assert f(point - STEP) != f(point + STEP)


@pytest.mark.parametrize(("op", "i", "point"), POLES)
def test_numbers_said_to_have_no_value_have_none(op, i, point):
    with np.errstate(all="ignore"):
        value = np.float64(along(op, i)(np.float64(point)))
    assert not np.isfinite(value) or abs(value) > 1e12


@pytest.mark.parametrize(
    ("op", "i"), [pytest.param(op, i, id=f"{op.name}-{i}") for op in SPECIAL for i in range(len(op.domain))]
)
def test_inside_a_domain_there_are_values(op, i):
    """On both sides of its points, near its ends, and far out where it has none."""
    domain, f = op.domain[i], along(op, i)
    if domain.dtype != "float":
        return
    inside = [x + side for x in domain.points for side in (-0.01, 0.01)]
    inside += [domain.low + 0.01, domain.low + 1.0] if np.isfinite(domain.low) else [-5.0]
    inside += [domain.high - 0.01] if np.isfinite(domain.high) else [20.0]
    for x in inside:
        if domain.low < x < domain.high:
            assert np.isfinite(f(np.float64(x))), x


@pytest.mark.parametrize(("op", "place"), KINKS)
def test_inputs_said_to_have_no_derivative_have_none(op, place):
    """Difference quotients to both sides differ, or from what the rule gives, or it says that there is none."""
    inputs, attributes = arguments(place.example), dict(place.example.attributes)
    leaves, put = split_leaves([np.asarray(x, np.float64) if isinstance(x, float) else x for x in inputs])
    random = np.random.default_rng(5)
    directions = [
        random.normal(size=x.shape) + (1j * random.normal(size=x.shape) if x.dtype.kind == "c" else 0.0) for x in leaves
    ]

    def f(t):
        return np.asarray(apply(op, *put([x + t * d for x, d in zip(leaves, directions, strict=True)]), **attributes))

    before, here, after = f(-STEP), f(0.0), f(STEP)
    assert np.isfinite(here).all()
    if not op.differentiable:
        assert not (np.array_equal(before, here) and np.array_equal(here, after))
        return
    slopes = (here - before) / STEP, (after - here) / STEP
    if not np.allclose(*slopes, rtol=1e-3, atol=1e-3) or np.max(np.abs(slopes)) > 1e6:
        return
    try:
        _, slope = jvp(lambda *new: apply(op, *put(new), **attributes), leaves, directions)
    except ChainruleError:
        return
    assert not np.isfinite(slope).all() or not np.allclose(slope, slopes[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("op", "place"), UNDEFINED)
def test_inputs_said_to_have_no_value_have_none(op, place):
    try:
        value = op.evaluate(*arguments(place.example), **place.example.attributes)
    except (ChainruleError, np.linalg.LinAlgError):
        return
    assert not np.isfinite(value).all() or np.max(np.abs(value)) > 1e12


def test_places_are_said_in_words_of_the_inputs():
    for op in REGISTRY.values():
        for place in (*op.kinks, *op.undefined):
            assert place.where.format(*"xyz") != ""
