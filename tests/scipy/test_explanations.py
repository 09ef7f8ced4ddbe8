"""All of `chainrule.scipy` is explained: SciPy's own differences as values, lines that are true, no internal names."""

import re
from functools import partial

import numpy as np
import pytest
from tests.explanation.test_recurrence import holds_everywhere
from tests.scipy import test_grids, test_linalg_and_signal, test_solvers, test_special, test_stats
from tests.scipy.test_fft import CASES as TRANSFORMS

import chainrule as cr
import scipy
from chainrule.errors import UnsupportedError
from chainrule.scipy import fft, integrate, interpolate, special, stats

INTERNAL = re.compile(
    r"constant_|v\d+ = v\d+'?$|__main__|<lambda>|Recorded|reshape\(|where\(True|\bslice\(|embed\(|scipy\.|stop_gradient|logical_",
    re.MULTILINE,
)
REFUSED = "explanations are of real numbers.*cr.grad takes"
COMPLEX = {*test_special.COMPLEX, "freqz"}
"""What is complex, or inside."""


def reals(x):
    """The real numbers of what SciPy gives."""
    several = x if isinstance(x, tuple | list) else [np.float64(x) if type(x) is float else x]
    return [y for y in several if getattr(y, "dtype", np.dtype(int)).kind == "f"]


def total(x):
    """One number of all that SciPy gives, in which every number counts otherwise."""
    sums = [np.sum(y * np.cos(np.arange(1.0, np.size(y) + 1.0)).reshape(np.shape(y))) for y in reals(x)]
    return sum(sums[1:], sums[0])


def is_explained(ours, own, args, by=0, accuracy=1e-5):
    """The explanation by one number of an argument has SciPy's slope as its value, and all its lines are true."""
    x = np.array(args[by], float)
    place = tuple(n // 2 for n in x.shape)

    def of(function, x):
        return total(function(*args[:by], x, *args[by + 1 :]))

    found = cr.explain(partial(of, ours), index=list(place))(x)
    step, unit = 1e-5 * max(1.0, abs(float(x[place]))), np.zeros(x.shape)
    unit[place] = 1.0
    slope = (of(own, x + step * unit) - of(own, x - step * unit)) / (2.0 * step)
    assert found.value == pytest.approx(slope, rel=accuracy, abs=accuracy)
    holds_everywhere(found, 1e-8)
    for instance in (instance for line in found.lines for instance in line.instances):
        assert sum(p.value for p in instance.parts) + instance.rest == pytest.approx(
            instance.value, rel=1e-8, abs=1e-10
        )
    text = str(found)
    assert not INTERNAL.search(text), text


def with_arguments(module, name, before=(), after=(), **options):
    """A function of a module's, with all that it takes besides what it is explained by."""
    return lambda *x: getattr(module, name)(*before, *x, *after, **options)


@pytest.mark.parametrize("name", sorted(special.standing.functions))
def test_special_functions(name):
    s = test_special
    before = (s.ORDERS[name],) if name in s.ORDERS else s.PARAMETERS.get(name, ())
    ours, own = (with_arguments(m, name, before, s.AFTER.get(name, ())) for m in (special, scipy.special))
    args = s.arguments(name)
    if name in COMPLEX:
        with pytest.raises(UnsupportedError, match=REFUSED):
            cr.explain(lambda x: np.real(np.sum(ours(x, *args[1:]))), index=[0])(args[0])
    elif reals(own(*args)) and name not in s.STEPS:
        is_explained(ours, own, args)


LAWS = [
    (name, method)
    for name, law in test_stats.LAWS.items()
    for method in ("logpdf", "cdf", "ppf")
    if not law.discrete and (name, method) in test_stats.CASES
]


@pytest.mark.parametrize(("name", "method"), LAWS)
def test_distributions(name, method):
    x, shapes, more = test_stats.inputs_of(name, method)
    ours, own = (with_arguments(getattr(m, name), method, (), more) for m in (stats, scipy.stats))
    is_explained(ours, own, (x[np.isfinite(own(x, *shapes))], *shapes))


FIRST = {case.values[2]: case.values for case in reversed(test_linalg_and_signal.CASES)}


@pytest.mark.parametrize("name", FIRST)
def test_linear_algebra_and_signals(name):
    own, ours, _, args, options = FIRST[name]
    by = range(len(args))[test_linalg_and_signal.STATIC.get(name, slice(None))][0]
    of = [lambda *x, m=m: test_linalg_and_signal.parts(getattr(m, name)(*x, **options)) for m in (ours, own)]
    if name in COMPLEX:
        with pytest.raises(UnsupportedError, match=REFUSED):
            is_explained(*of, args, by)
    elif isinstance(args[by], np.ndarray) and reals(of[1](*args)):
        is_explained(*of, args, by, accuracy=1e-4)


@pytest.mark.parametrize("name", test_solvers.ROOTS)
def test_solutions(name):
    function = test_solvers.ROOTS[name]
    is_explained(function, function, (test_solvers.P,), accuracy=1e-3)


@pytest.mark.parametrize(
    ("name", "by"), [("by bounds and parameters", 0), ("by args", 2), ("upwards", 2), ("backwards", 1)]
)
def test_integrals(name, by):
    function = test_solvers.INTEGRALS[name]
    is_explained(function, function, (np.float64(0.4), np.float64(1.7), test_solvers.P), by)


def test_differential_equations_are_explained_through_their_steps():
    def function(a):
        times = np.linspace(0.0, 0.5, 2)
        return integrate.odeint(lambda y, t: -a * y, 1.0, times, rtol=1e-5, atol=1e-5)[-1, 0]

    found = cr.explain(function)(1.5)
    assert found.value == pytest.approx(-0.5 * np.exp(-0.75), rel=1e-3)
    holds_everywhere(found, 1e-9)
    text = str(found)
    assert not INTERNAL.search(text)
    assert f"{found.further} more lines before the last one are left out" in text
    assert len(text.splitlines()) < 400


@pytest.mark.parametrize("name", test_solvers.INTERPOLANTS)
@pytest.mark.parametrize("by", [0, 1])
def test_interpolants(name, by):
    of = [lambda y, x, m=m: getattr(m, name)(test_solvers.KNOTS, y)(x) for m in (interpolate, scipy.interpolate)]
    is_explained(*of, (test_solvers.HEIGHTS, np.array([0.2, 0.9, 1.7])), by)


@pytest.mark.parametrize("name", test_grids.CASES)
@pytest.mark.parametrize("by", [0, 1])
def test_interpolants_of_grids(name, by):
    points, values, places, options = test_grids.CASES[name]
    of = [lambda v, x, m=m: m.interpn(points, v, x, **options) for m in (interpolate, scipy.interpolate)]
    is_explained(*of, (values, places), by)


@pytest.mark.parametrize("name", sorted({name for name, *_ in TRANSFORMS}))
def test_transforms(name):
    x = np.linspace(0.2, 1.4, 4).reshape(2, 2)
    ours, own = (with_arguments(m, name) for m in (fft, scipy.fft))
    if np.iscomplexobj(own(x)) or name in ("irfft2", "irfftn"):  # in which a transform with complex results is first
        with pytest.raises(UnsupportedError, match=REFUSED):
            cr.explain(lambda x: np.sum(np.abs(ours(x)) ** 2), index=[0, 0])(x)
    else:
        is_explained(ours, own, (x,))
