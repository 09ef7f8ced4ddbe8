"""Distributions: SciPy's values, and derivatives by argument, shapes, location and scale against finite differences."""

import mpmath
import numpy as np
import pytest
import scipy.stats

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.errors import ShapeError, UnsupportedError
from chainrule.scipy import stats
from chainrule.scipy.laws.derived_laws import DERIVED_LAWS
from chainrule.scipy.laws.distributions import QUANTILES, methods_of
from chainrule.scipy.laws.further_laws import FURTHER_LAWS
from chainrule.scipy.laws.laws import LAWS as FIRST_LAWS
from chainrule.scipy.laws.rarer_laws import RARER_LAWS
from together import together
from versions import before

LAWS = FIRST_LAWS | FURTHER_LAWS | RARER_LAWS | DERIVED_LAWS

SHAPES = {
    "lognorm": (0.7,), "gamma": (2.3,), "chi2": (3.4,), "invgamma": (2.2,), "beta": (1.7, 2.6), "f": (3.2, 5.5), "t": (4.5,),
    "weibull_min": (1.8,), "pareto": (2.4,), "poisson": (3.3,), "binom": (7.0, 0.35), "bernoulli": (0.3,), "geom": (0.4,),
    "nbinom": (4.5, 0.4), "truncnorm": (-1.2, 2.1), "chi": (3.4,), "invgauss": (0.8,), "loguniform": (0.1, 4.0), "powerlaw": (1.7,),
    "lomax": (2.4,), "fisk": (1.8,), "genextreme": (-0.3,), "genpareto": (0.4,), "invweibull": (1.8,), "gompertz": (0.9,),
    "johnsonsu": (0.4, 1.3), "gennorm": (1.6,), "laplace_asymmetric": (0.7,), "loggamma": (1.4,), "genlogistic": (0.8,),
    "betaprime": (1.7, 2.6), "burr12": (1.8, 2.1), "nakagami": (1.2,), "vonmises": (1.3,), "skewnorm": (1.5,), "exponnorm": (0.8,),
    "rice": (0.9,), "betabinom": (7.0, 1.3, 2.1), "logser": (0.6,), "reciprocal": (0.1, 4.0),
    "weibull_max": (1.8,), "gengamma": (1.7, 1.4), "exponweib": (1.6, 1.3), "fatiguelife": (0.8,), "foldnorm": (0.7,),
    "halfgennorm": (1.6,), "johnsonsb": (0.4, 1.3), "powernorm": (1.9,), "loglaplace": (2.3,), "burr": (1.8, 2.1),
    "norminvgauss": (1.5, -0.6), "triang": (0.35,), "truncexpon": (2.5,), "bradford": (1.4,), "planck": (0.6,),
}  # fmt: skip
CASES = [(name, method) for name, law in LAWS.items() for method in methods_of(law)]
LOC, SCALE = 0.3, 1.4
BY_OTHER_QUANTILES = {
    ("moyal", "isf"),
    ("genlogistic", "isf"),
    ("betaprime", "isf"),
    ("weibull_max", "isf"),
    ("powernorm", "ppf"),
}
"""What SciPy computes by 1 − q, so that it loses the digits of small shares."""


def inputs_of(name, method):
    law, shapes = LAWS[name], SHAPES.get(name, ())
    if method in QUANTILES:
        x = np.array([0.12, 0.37, 0.81])
    elif law.discrete:
        x = np.array([1.0, 2.0, 5.0]) if name != "bernoulli" else np.array([0.0, 1.0, 1.0])
    else:
        x = LOC + SCALE * np.array(
            {"pareto": [1.2, 1.9, 3.1], "weibull_max": [-1.9, -1.0, -0.4]}.get(name, [0.2, 0.45, 0.8])
        )
    return x, shapes, (0.0,) if law.discrete else (LOC, SCALE)


@together(CASES, lambda name, method: name)
def test_values_are_scipys_and_derivatives_those_of_finite_differences(name, method):
    x, shapes, more = inputs_of(name, method)
    own = getattr(getattr(scipy.stats, name), method)
    ours = getattr(getattr(stats, name), method)
    np.testing.assert_array_equal(ours(x, *shapes, *more), own(x, *shapes, *more))  # nothing traced: SciPy's
    value, _ = cr.vjp(lambda *p: ours(*p, *more), x, *shapes)
    np.testing.assert_allclose(value, own(x, *shapes, *more), rtol=1e-12, atol=1e-14)
    if name == "betabinom":
        shapes, function = shapes[1:], lambda x, *given: ours(x, 7, *given)
    elif name == "binom":
        shapes, function = shapes[1:], lambda x, p, *more: ours(x, 7, p, *more)
    else:
        function = ours
    finite = np.isfinite(value)
    assert finite.any()
    x = x[finite]
    if LAWS[name].discrete:
        check_grads(lambda *p: function(x, *p, *more), [np.float64(p) for p in shapes], order=2)
    else:
        check_grads(function, (x, *map(np.float64, (*shapes, *more))), order=2)


@together(CASES, lambda name, method: name)
def test_outside_of_the_support(name, method):
    shapes = SHAPES.get(name, ())
    x = (
        np.array([-np.inf, -3.0, 0.0, 0.5, 1.0, 1.5, 40.0, np.inf])
        if method not in QUANTILES
        else np.array([-0.1, 0.0, 1.0, 1.2])
    )
    own = getattr(getattr(scipy.stats, name), method)
    with np.errstate(all="ignore"):
        expected = own(x, *shapes)
        value, tangent = cr.jvp(lambda s: getattr(getattr(stats, name), method)(x, *shapes, s), (0.0,), (1.0,))
    sure = np.isfinite(expected) | (np.abs(x) < 10)
    np.testing.assert_allclose(value[sure], expected[sure], rtol=1e-11, atol=1e-14)
    if method in ("pdf", "pmf", "cdf", "sf"):
        outside = sure & (np.abs(x) < 10) & ((expected == 0) | (expected == 1))
        assert not np.any(tangent[outside & (x != 0.0) & (x != 1.0)])


@together(CASES, lambda name, method: name)
def test_tails_and_what_has_no_meaning_are_as_in_scipy(name, method):
    law, shapes, more = LAWS[name], SHAPES.get(name, ()), () if LAWS[name].discrete else (0.0, 1.0)
    place = "q" if method in QUANTILES else "k" if law.discrete else "x"
    own = getattr(getattr(scipy.stats, name), method)
    ours = getattr(getattr(stats, name), method)
    x = np.array([1e-12, 1e-3, 0.999, np.nan]) if method in QUANTILES else np.array([2.0, 9.0, 31.0, np.nan])
    with np.errstate(all="ignore"):
        value = cr.jvp(lambda x: ours(*shapes, *more, **{place: x}), (x,), (np.ones_like(x),))[0]
        if (name, method) in BY_OTHER_QUANTILES:
            share = getattr(stats, name).cdf if method == "ppf" else getattr(stats, name).sf
            back = cr.jvp(lambda z: share(z, *shapes), (value[:-1],), (x[:-1],))[0]
            np.testing.assert_allclose(back, x[:-1], rtol=1e-11)
        else:
            np.testing.assert_allclose(value, own(x, *shapes, *more), rtol=1e-9, atol=1e-16 if law.discrete else 0.0)
        meaning = (
            [] if name == "binom" or (method == "logcdf" and law.discrete) else range(len(shapes))
        )  # where SciPy gives 0
        for i in meaning:  # a parameter without it
            if name in (
                "truncnorm",
                "genextreme",
                "genpareto",
                "johnsonsu",
                "johnsonsb",
                "skewnorm",
                "gengamma",
                "norminvgauss",
            ):
                continue  # whose shapes are ends, or of either sign
            wrong = (*shapes[:i], -1.5, *shapes[i + 1 :])
            value = cr.jvp(lambda p, i=i: ours(x, *shapes[:i], p, *shapes[i + 1 :], *more), (-1.5,), (1.0,))[0]
            np.testing.assert_array_equal(value, own(x, *wrong, *more))
    if not law.discrete:  # integers and columns beside what is traced, and single precision
        whole = [int(np.ceil(s)) for s in shapes]
        x, scale = inputs_of(name, method)[0], np.array([[1], [2]])
        value = cr.jvp(lambda x: ours(x, *whole, scale=scale), (x,), (np.ones_like(x),))[0]
        np.testing.assert_allclose(value, own(x, *whole, scale=scale), rtol=1e-9)
        single = np.float32(inputs_of(name, method)[0])
        assert cr.grad(lambda x: np.sum(ours(x, *whole)))(single).dtype == np.float32


CONTINUOUS = {name: law for name, law in LAWS.items() if not law.discrete}
MIDDLES = {
    "gennorm": [(2.0,), (1.0,), (1.6,)],
    "t": [(3.0,), (200.0,)],
    "genpareto": [(0.0,), (0.4,)],
    "truncnorm": [(-1.0, np.inf)],
}


@pytest.mark.parametrize("name", [name for name, law in CONTINUOUS.items() if law.below is not None])
def test_shares_have_densities_as_slopes_also_in_the_middle(name):
    """At 0 and at the median, where some are written by the size of a number."""
    ours = getattr(stats, name)
    for shapes in MIDDLES.get(name, [SHAPES.get(name, ())]):
        low, high = getattr(scipy.stats, name).support(*shapes)
        for x in [x for x in (-0.5, 0.0, 0.5, 1.0, 2.0) if low < x < high]:
            density = getattr(scipy.stats, name).pdf(x, *shapes)
            assert cr.grad(ours.cdf)(x, *shapes) == pytest.approx(density, rel=1e-11)
            assert cr.grad(ours.sf)(x, *shapes) == pytest.approx(-density, rel=1e-11)
            if x or name not in ("laplace", "laplace_asymmetric", "gennorm"):  # which have a kink there
                twice = cr.grad(cr.grad(ours.cdf))(x, *shapes)
                assert twice == pytest.approx(cr.grad(ours.pdf)(x, *shapes), rel=1e-9, abs=1e-13)
        if LAWS[name].quantile is not None:
            for q in (0.25, 0.5, 0.75):
                slope = 1.0 / getattr(scipy.stats, name).pdf(getattr(scipy.stats, name).ppf(q, *shapes), *shapes)
                assert cr.grad(ours.ppf)(q, *shapes) == pytest.approx(slope, rel=1e-9)
                assert np.isfinite([cr.grad(cr.grad(ours.ppf, i), i)(q, *shapes) for i in range(len(shapes) + 1)]).all()


FAR = {  # d/dx and d²/dx² of logsf where it is so small that its square is 0, by many digits
    "halfnorm": lambda x: mpmath.log(mpmath.erfc(x / mpmath.sqrt(2))),
    "maxwell": lambda x: mpmath.log(mpmath.gammainc(1.5, x * x / 2, mpmath.inf, regularized=True)),
    "gamma": lambda x: mpmath.log(mpmath.gammainc(2.3, x * 18, mpmath.inf, regularized=True)),
}


@pytest.mark.parametrize("name", FAR)
def test_logarithms_of_shares_have_curvatures_in_far_tails(name):
    shapes = (2.3, 0.0, 1 / 18) if name == "gamma" else ()
    first = cr.grad(lambda x: getattr(stats, name).logsf(x, *shapes))
    with mpmath.workdps(50):
        exact = [float(mpmath.diff(FAR[name], mpmath.mpf(28), n)) for n in (1, 2)]
    assert [first(28.0), cr.grad(first)(28.0)] == pytest.approx(exact, rel=1e-8)


def test_limits_of_shapes_and_ends():
    """Where shapes are 0, ends infinite, or shares next to 1, by many digits or in closed form."""
    x, infinite = np.float64(10.005), np.inf
    assert cr.grad(stats.rice.logpdf, 1)(1.3, 0.0) == pytest.approx(0.0, abs=1e-15)
    assert cr.grad(cr.grad(stats.rice.pdf, 1), 1)(1.0, 0.0) == pytest.approx(-0.5 * np.exp(-0.5))
    assert cr.grad(stats.vonmises.logpdf, 1)(0.5, 0.0) == pytest.approx(np.cos(0.5))
    with mpmath.workdps(40):
        mass = lambda a: mpmath.log(mpmath.erfc(a / mpmath.sqrt(2)) / 2)  # noqa: E731
        slope = float(mpmath.diff(mass, 10))
        above = float(mpmath.diff(lambda z: mpmath.log(mpmath.ncdf(-z)), x))
    assert cr.grad(stats.truncnorm.logpdf, 1)(x, 10.0, infinite) == pytest.approx(-slope, rel=1e-9)
    assert cr.grad(stats.truncnorm.logsf)(x, 10.0, infinite) == pytest.approx(above, rel=1e-9)
    assert cr.grad(stats.truncnorm.cdf, 2)(0.2, -infinite, 1.0) == pytest.approx(
        -scipy.stats.norm.cdf(0.2) * scipy.stats.norm.pdf(1.0) / scipy.stats.norm.cdf(1.0) ** 2
    )
    assert cr.value_and_grad(stats.genpareto.logsf)(800.0, 0.0) == (-800.0, -1.0)
    assert cr.value_and_grad(stats.genpareto.cdf)(1e-12, 0.4) == pytest.approx((1e-12, 1.0))
    assert cr.value_and_grad(stats.invgauss.logsf)(1.0, 0.01)[0] == pytest.approx(scipy.stats.invgauss.logsf(1.0, 0.01))
    assert cr.grad(stats.betaprime.cdf, 2)(1e19, 0.3, 0.5) == pytest.approx(
        float(mpmath.diff(lambda b: -mpmath.betainc(b, 0.3, 0, 1 / (1 + mpmath.mpf(10) ** 19), regularized=True), 0.5)),
        rel=1e-6,
    )
    with np.errstate(divide="ignore"):
        assert cr.vjp(stats.fisk.pdf, 0.0, 1.0)[0] == scipy.stats.fisk.pdf(0.0, 1.0) == 1.0
        assert cr.vjp(stats.burr.pdf, 0.0, 0.5, 2.0)[0] == pytest.approx(scipy.stats.burr.pdf(0.0, 0.5, 2.0))
    assert cr.value_and_grad(stats.exponweib.ppf)(1e-12, 0.5, 0.6)[0] == pytest.approx(1e-40)
    with pytest.raises(
        UnsupportedError, match=r"stats.vonmises.cdf has no derivative here. Use one of those that have: logpdf, pdf"
    ):
        cr.grad(stats.vonmises.cdf)(0.3, 1.0)
    assert cr.vjp(stats.norm.logpdf, np.ones(2, np.float32))[0].dtype == np.float64  # as SciPy


def test_frozen_distributions_and_everything_else_are_there():
    x = np.array([0.2, 1.5])
    expected = cr.grad(lambda s: np.sum(stats.norm.logpdf(x, 0.1, s)))(1.3)
    assert cr.grad(lambda s: np.sum(stats.norm(0.1, scale=s).logpdf(x)))(1.3) == pytest.approx(expected, rel=1e-14)
    frozen = stats.gamma(2.0, scale=3.0)
    assert frozen.mean() == 6.0
    assert cr.grad(frozen.logpdf)(1.5) == pytest.approx(1 / 1.5 - 1 / 3, rel=1e-13)
    assert stats.norm.rvs(size=2, random_state=0).shape == (2,)
    assert stats.ttest_ind is scipy.stats.ttest_ind
    with pytest.raises(UnsupportedError, match="has no derivative by the traced parameters"):
        cr.grad(lambda s: stats.norm(0.1, s).mean())(1.0)
    with pytest.raises(UnsupportedError, match="it takes loc, scale"):
        cr.grad(lambda s: stats.norm.pdf(s, shape=2.0))(1.0)


def test_dirichlet():
    alpha, x = np.array([1.3, 2.5, 0.8]), np.array([0.2, 0.5, 0.3])
    value, _ = cr.vjp(stats.dirichlet.logpdf, x, alpha)
    assert value == pytest.approx(scipy.stats.dirichlet.logpdf(x, alpha), rel=1e-13)
    check_grads(lambda x, a: stats.dirichlet.pdf(x[:2], a), (x, alpha), order=2)
    assert stats.dirichlet.mean(alpha).shape == (3,)


COV = np.array([[2.0, 0.5, -0.25], [0.5, 1.5, 0.75], [-0.25, 0.75, 3.0]])
POINTS = np.array([[0.1, 0.4, -0.3], [1.0, -2.0, 0.5]])


@pytest.mark.parametrize("method", ["pdf", "logpdf"])
@pytest.mark.parametrize(
    "args",
    [
        (POINTS, POINTS[0], COV),
        (POINTS[1], POINTS[0], 1.3),
        (POINTS[1], POINTS[0], np.diag(COV)),
        (POINTS[0], 0.3, 1.7),
    ],
    ids=["points", "spherical", "diagonal", "one"],
)
def test_multivariate_normal(method, args):
    own, ours = getattr(scipy.stats.multivariate_normal, method), getattr(stats.multivariate_normal, method)
    np.testing.assert_allclose(cr.vjp(ours, *args)[0], own(*args), rtol=1e-12)
    args = tuple(np.asarray(x, float) for x in args)
    check_grads(lambda x, mean, cov: ours(x, mean, 0.5 * (cov + cov.T)), args, order=2)


def test_entropy_of_the_multivariate_normal():
    entropy = stats.multivariate_normal.entropy
    for cov in (COV, np.diag(COV), 1.3):
        value = cr.vjp(lambda cov: entropy(POINTS[0], cov), cov)[0]
        assert value == pytest.approx(scipy.stats.multivariate_normal.entropy(POINTS[0], cov), rel=1e-13)
    check_grads(lambda cov: entropy(POINTS[0], 0.5 * (cov + cov.T)), (COV,), order=2)


def test_multivariate_normal_refuses_what_has_no_derivative():
    assert stats.multivariate_normal(np.zeros(2)).logpdf([0.0, 0.0]) == pytest.approx(-np.log(2 * np.pi))
    with pytest.raises(UnsupportedError, match="allow_singular"):
        cr.grad(lambda cov: stats.multivariate_normal.logpdf(0.5, cov=cov, allow_singular=True))(1.0)


def test_multivariate_normal_with_a_singular_covariance():
    """In the plane that it spans, a normal distribution of two variables; nothing outside of it."""
    basis = np.array([[1.0, 0.0], [0.5, 2.0], [1.5, 2.0]])
    cov, outside = basis @ basis.T, np.array([1.0, 0.0, 0.0])
    for method in ("logpdf", "pdf"):
        own, ours = getattr(scipy.stats.multivariate_normal, method), getattr(stats.multivariate_normal, method)
        inside = lambda u, v: ours(basis @ u, basis @ v, cov, allow_singular=True)  # noqa: B023, E731
        u, v = np.array([0.3, -0.4]), np.array([0.1, 0.2])
        assert cr.vjp(inside, u, v)[0] == pytest.approx(own(basis @ u, basis @ v, cov, allow_singular=True), rel=1e-13)
        check_grads(inside, (u, v), order=2)
        assert cr.vjp(lambda x: ours(x, None, cov, allow_singular=True), basis @ u + outside)[0] == own(  # noqa: B023
            basis @ u + outside, None, cov, allow_singular=True
        )


SIGMA = COV + 0.5 * np.eye(len(COV))
SEVERAL = {
    "multinomial": [((np.array([[2.0, 1.0, 3.0], [0.0, 4.0, 2.0]]), 6, np.array([0.2, 0.3, 0.5])), 2)],
    "multivariate_t": [((POINTS, np.full(len(COV), 0.2), SIGMA, np.float64(3.5)), 0)],
    "wishart": [((SIGMA, np.float64(4.5), COV), 0)], "invwishart": [((SIGMA, np.float64(4.5), COV), 0)],
}  # fmt: skip
"""Arguments, and the first of them that the density is differentiated by."""


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("logarithm", [False, True])
def test_densities_of_several_numbers(name, logarithm):
    method = ("log" if logarithm else "") + ("pmf" if name == "multinomial" else "pdf")
    own, ours = getattr(getattr(scipy.stats, name), method), getattr(getattr(stats, name), method)
    for args, first in SEVERAL[name]:
        chosen = [i for i, x in enumerate(args) if i >= first and isinstance(x, np.ndarray | np.floating)]

        def function(*new, args=args, chosen=chosen):
            whole = list(args)
            for i, x in zip(chosen, new, strict=True):
                symmetric = np.shape(x) == np.shape(COV) and args[i] is not POINTS
                whole[i] = 0.5 * (x + x.T) if symmetric else x / np.sum(x) if name == "multinomial" else x
            return ours(*whole)

        given = tuple(args[i] for i in chosen)
        assert np.all(ours(*args) == own(*args))
        np.testing.assert_allclose(cr.vjp(function, *given)[0], own(*args), rtol=1e-12)
        check_grads(function, given, order=2)
    assert isinstance(getattr(stats, name).rvs(*SEVERAL[name][0][0][1:], random_state=0), np.ndarray)


@pytest.mark.parametrize("c", [0.0, 1e-9, -1e-7, 0.2, -0.3])
def test_extremes_near_the_shape_0_keep_their_digits(c):
    mpmath = pytest.importorskip("mpmath")
    z = 0.7

    def logarithm(c):
        return mpmath.log1p(c * z) / c if c else mpmath.mpf(z)

    exact = {
        "genextreme": lambda c: -(1 - c) * logarithm(-c) - mpmath.exp(-logarithm(-c)),
        "genpareto": lambda c: -(1 + c) * logarithm(c),
    }
    for name, formula in exact.items():
        first = cr.grad(lambda c: getattr(stats, name).logpdf(z, c))  # noqa: B023
        with mpmath.workdps(60):
            for order, derivative in ((1, first), (2, cr.grad(first))):
                assert derivative(c) == pytest.approx(float(mpmath.diff(formula, mpmath.mpf(c), order)), rel=1e-7)


FORMS = {
    "lists": (lambda M, q: M.multivariate_normal.logpdf([0.3, q[0]], [0.1, q[1]], [[2.0, 0.3], [0.3, 1.0]])),
    "no mean": (lambda M, q: M.multivariate_normal.logpdf(q)),
    "one number": (lambda M, q: M.multivariate_normal.pdf(np.ones(3), q[0], q[1])),
    "one point among others": (lambda M, q: M.multivariate_normal.logpdf(q[None, :2], [0.1, 0.2])),
    "variances": (lambda M, q: M.multivariate_normal.logpdf(np.ones((3, 2)), [0.1, 0.2], q[:2])),
    "frozen": (lambda M, q: M.multivariate_normal([0.1, 0.2], COV[:2, :2], seed=1).logpdf(q[:2])),
    "frozen with what is traced": (lambda M, q: M.multivariate_normal(q[:2], COV[:2, :2]).pdf([0.3, 0.1])),
    "entropy of what is frozen": (lambda M, q: M.multivariate_normal([0.0, 0.0], q[0] * COV[:2, :2]).entropy()),
    "t": (lambda M, q: M.multivariate_t.logpdf(q)),
    "t without end": (lambda M, q: M.multivariate_t.logpdf(np.stack([q, 2.0 * q]), [0.1, 0.2, 0.3], df=np.inf)),
    "t frozen": (lambda M, q: M.multivariate_t([0.1, 0.2], COV[:2, :2], df=3).logpdf(q[:2])),
    "dirichlet frozen": (lambda M, q: M.dirichlet(q).logpdf([0.2, 0.3, 0.5])), "dirichlet's mean": (lambda M, q: M.dirichlet.mean(q)),
    "stacks": (lambda M, q: M.wishart.logpdf(np.stack([COV, 2.0 * COV], -1), q[0] + 3.0, q[1] * COV)),
    "inverse stacks": (lambda M, q: M.invwishart.pdf(np.stack([COV, 2.0 * COV], -1), q[0] + 3.0, q[1] * COV)),
    "numbers": (lambda M, q: M.wishart.logpdf(q, 3, 2.0)), "a number": (lambda M, q: M.invwishart.logpdf(q[0], 3.0, q[1])),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_several_numbers_in_every_form_that_scipy_takes(name):
    if name == "t without end" and before(scipy, 1, 17):
        pytest.skip("SciPy's own call failed")
    q = np.array([1.3, 0.7, 0.9])
    function = lambda q: FORMS[name](stats, q)  # noqa: E731
    np.testing.assert_allclose(cr.vjp(function, q)[0], FORMS[name](scipy.stats, q), rtol=1e-12, strict=True)
    check_grads(function, (q,), order=2)


def test_counts_that_are_none_and_methods_without_derivatives():
    p = np.array([0.2, 0.3, 0.5])
    for x in ([1.5, 1.5, 3], [-1, 4, 3], [1, 2, 4]):
        assert cr.vjp(lambda p, x=x: stats.multinomial.logpmf(x, 6, p), p)[0] == -np.inf
    for call in (lambda q: stats.multivariate_normal.cdf(q), lambda q: stats.multivariate_normal(q).cdf(0.3)):
        with pytest.raises(
            UnsupportedError, match=r"has no derivative here. Use one of those that have: pdf, logpdf, entropy"
        ):
            cr.vjp(call, np.array([0.5]))
    with pytest.raises(ShapeError, match=r"points of shape \(3,\)"):
        cr.vjp(lambda q: stats.multivariate_normal.logpdf(q, [0.0, 0.0]), p)
