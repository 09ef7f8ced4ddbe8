"""`scipy.special`: SciPy's values, derivatives against mpmath and finite differences, and what is refused."""

import mpmath
import numpy as np
import pytest
import scipy.special

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.errors import DerivativeLostError, SettingError, UnsupportedError
from chainrule.scipy import special
from chainrule.scipy.functions.named_functions import SPHERICAL
from chainrule.scipy.special import BY_ORDER, OPERATIONS, PARTS, standing

x = np.array([0.35, 0.6, 0.85])
a, b = np.array([0.7, 1.9, 3.3]), np.array([2.1, 0.8, 1.6])
M = np.array([[0.3, -1.2, 2.0], [1.0, 0.4, -0.6]])

THREE = {
    "voigt_profile": (x, a, b), "gdtr": (a, b, x), "gdtrc": (a, b, x), "fdtr": (a, b, x), "fdtrc": (a, b, x),
    "betainc": (a, b, x), "betaincc": (a, b, x), "betaincinv": (a, b, x), "betainccinv": (a, b, x),
}  # fmt: skip
TWO = {
    "beta": (a, b), "betaln": (a, b), "binom": (a + 5.0, b), "poch": (a, b),
    "gammainc": (a, b), "gammaincc": (a, b), "gammaincinv": (a, x),
    "gammainccinv": (a, x), "stdtr": (a, b), "stdtrit": (a + 1.0, x / 3.0),
    "xlogy": (a, b), "xlog1py": (a, b), "rel_entr": (a, b), "kl_div": (a, b),
    "owens_t": (a, b), "sph_harm_y": (a / 2, b), "chdtr": (a, b), "chdtrc": (a, b),
    "boxcox": (a, b), "inv_boxcox": (a, b), "boxcox1p": (a, b), "inv_boxcox1p": (a, b), "huber": (a, b), "pseudo_huber": (a, b),
}  # fmt: skip
NEGATIVE = {"ndtri_exp": -x}
FOLDS = {"logsumexp": (M,), "softmax": (M,), "log_softmax": (M,)}
STEPS = {"round", "gammasgn"}
ORDERS = dict.fromkeys(BY_ORDER, 2) | {"zeta": 2.5}
PARAMETERS = {
    "hyp0f1": (0.7,), "hyp1f1": (0.4, 1.3), "hyp2f1": (0.4, 1.3, 2.1), "hyperu": (0.4, 1.3), "eval_jacobi": (3, 0.5, 1.5),
    "eval_gegenbauer": (4, 0.7), "eval_genlaguerre": (3, 0.5), "eval_hermite": (4,), "eval_hermitenorm": (4,), "eval_chebyt": (4,),
    "eval_chebyu": (3,), "eval_legendre": (4,), "eval_laguerre": (3,), **dict.fromkeys(SPHERICAL, (2,)),
    "legendre_p": (3,), "assoc_legendre_p": (3, 2), "lpmv": (2, 3), "sph_legendre_p": (3, 1), "sph_harm_y": (3, 2),
}  # fmt: skip
AFTER = {"multigammaln": (2,), "ellipkinc": (0.3,), "ellipeinc": (0.3,), "ellipj": (0.3,)}
SEVERAL, COMPLEX = (
    {"ellipj", "airy", "sici", "shichi", "fresnel"},
    {"hankel1", "hankel2", "wofz", "lambertw", "sph_harm_y"},
)
"""What gives several results, and what complex ones."""
ORDERS_OF_DERIVATIVES = {"legendre_p", "assoc_legendre_p", "sph_legendre_p"}
"""What gives an array of derivatives, of one at least."""


def arguments(name):
    return (
        THREE.get(name)
        or TWO.get(name)
        or FOLDS.get(name)
        or (NEGATIVE.get(name, x + 1.5 if name == "multigammaln" else x),)
    )


@pytest.mark.parametrize("name", sorted(standing.functions))
def test_values_are_scipys_and_derivatives_those_of_finite_differences(name):
    own, ours = getattr(scipy.special, name), getattr(special, name)
    args = arguments(name)
    before = (ORDERS[name],) if name in ORDERS else PARAMETERS.get(name, ())
    after = AFTER.get(name, ())
    np.testing.assert_array_equal(ours(*before, *args, *after), own(*before, *args, *after))
    function = lambda *args: ours(*before, *args, *after)  # noqa: E731
    np.testing.assert_allclose(cr.vjp(function, *args)[0], own(*before, *args, *after), rtol=1e-13, atol=1e-14)
    if name not in STEPS:
        check_grads(function, args, order=2)
    for i, argument in enumerate(args):  # numbers of Python's
        if name not in {*FOLDS, *SEVERAL, *COMPLEX, *ORDERS_OF_DERIVATIVES}:
            numbers = [float(np.ravel(other)[0]) for other in args]
            numbers[i] = float(np.ravel(argument)[1])
            assert np.isfinite(cr.grad(function, i)(*numbers))


INNER = {name for names in PARTS.values() for name in names} | {"airy_ai", "airy_bi", "erf_of_complex"}
INNER |= {"jacobi_sn", "jacobi_cn", "jacobi_dn", "jacobi_am", "ellipem1"}
INNER |= {"bessel_ratio", "log_i0e", "logrel", "log_of_share", "abs_power", "signed_power"}
INNER |= {"general_normal_share", "general_normal_quantile"}
"""Operations that are one of several results, or one for some arguments, or what laws and derivatives are written in."""


INNER |= {name for name in OPERATIONS if name.startswith(("skew_normal", "exponential_normal", "rice_"))}


def test_every_operation_stands_for_a_function():
    slopes = {name for name in OPERATIONS if name.endswith("_slope")}
    assert set(OPERATIONS) - slopes - INNER <= set(standing.functions) | set(BY_ORDER.values())


@pytest.mark.parametrize(
    ("name", "args"),
    [("gammainc", point) for point in [(0.05, 0.3), (2.0, 3.0), (30.0, 20.0), (300.0, 330.0), (3.0, 1e-3), (1e-8, 1.0)]]
    + [("betainc", point) for point in [(0.5, 0.5, 0.3), (20.0, 0.2, 0.9), (0.1, 30.0, 0.01), (400.0, 300.0, 0.55)]],
)
def test_derivatives_by_parameters_are_those_of_many_digits(name, args):
    mpmath.mp.dps = 30
    exact = {
        "gammainc": lambda a, x: mpmath.gammainc(a, 0, x, regularized=True),
        "betainc": lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True),
    }[name]
    for i in range(len(args) - 1):
        n = tuple(int(k == i) for k in range(len(args)))
        assert cr.grad(getattr(special, name), i)(*args) == pytest.approx(
            float(mpmath.diff(exact, args, n)), rel=1e-9, abs=1e-12
        )


def mp_voigt(x, sigma, gamma):
    z = (x + 1j * gamma) / (sigma * mpmath.sqrt(2))
    return mpmath.re(mpmath.exp(-z * z) * mpmath.erfc(-1j * z)) / (sigma * mpmath.sqrt(2 * mpmath.pi))


def mp_logarithm_of_normal_share(x):
    return mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2)


@pytest.mark.parametrize(
    ("name", "args", "exact"),
    [
        ("gammaincc", (3.0, 100.0), lambda a, x: mpmath.gammainc(a, x, mpmath.inf, regularized=True)),
        ("gammaincc", (200.0, 300.0), lambda a, x: mpmath.gammainc(a, x, mpmath.inf, regularized=True)),
        ("gammainc", (200.0, 100.0), lambda a, x: mpmath.gammainc(a, 0, x, regularized=True)),
        ("betainc", (50.0, 3.0, 0.2), lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True)),
        ("betaincc", (3.0, 50.0, 0.8), lambda a, b, x: mpmath.betainc(a, b, x, 1, regularized=True)),
        ("stdtr", (2.5, -1e5), lambda n, t: mpmath.betainc(n / 2, 0.5, 0, n / (n + t * t), regularized=True) / 2),
        ("stdtr", (3.0, 1e-3), lambda n, t: 1 - mpmath.betainc(n / 2, 0.5, 0, n / (n + t * t), regularized=True) / 2),
        ("log_ndtr", (-1e5,), mp_logarithm_of_normal_share),
        ("log_ndtr", (-40.0,), mp_logarithm_of_normal_share),
        ("log_ndtr", (3.0,), mp_logarithm_of_normal_share),
        ("erfcx", (1e6,), lambda x: mpmath.exp(x * x) * mpmath.erfc(x)),
        ("erfcx", (2.0,), lambda x: mpmath.exp(x * x) * mpmath.erfc(x)),
        ("dawsn", (1e7,), lambda x: mpmath.exp(-x * x) * mpmath.erfi(x) * mpmath.sqrt(mpmath.pi) / 2),
        ("dawsn", (900.0,), lambda x: mpmath.exp(-x * x) * mpmath.erfi(x) * mpmath.sqrt(mpmath.pi) / 2),
        ("voigt_profile", (0.5, 1e-3, 1.0), mp_voigt), ("voigt_profile", (300.0, 0.1, 0.5), mp_voigt),
        ("voigt_profile", (9.0, 1.0, 1e-12), mp_voigt), ("voigt_profile", (4.0, 0.5, 0.1), mp_voigt),
        ("ellipk", (1 - 1e-14,), mpmath.ellipk), ("ellipe", (1 - 1e-14,), mpmath.ellipe),
        ("ellipkm1", (1e-20,), lambda x: mpmath.ellipk(1 - x)),
        ("rgamma", (-3.0,), mpmath.rgamma), ("rgamma", (0.0,), mpmath.rgamma), ("rgamma", (-2.5,), mpmath.rgamma),
        ("boxcox", (2.0, 1e-8), lambda x, p: (x**p - 1) / p), ("boxcox", (2.0, 1e-300), lambda x, p: (x**p - 1) / p),
        ("inv_boxcox", (2.0, 1e-8), lambda x, p: (1 + p * x) ** (1 / p)),
        ("pseudo_huber", (1.0, 1e-9), lambda d, r: d * d * (mpmath.sqrt(1 + (r / d) ** 2) - 1)),
    ],
)  # fmt: skip
def test_digits_are_kept_in_tails_and_near_limits(name, args, exact):
    function, places = getattr(special, name), range(len(args))
    with mpmath.workdps(400 if 1e-300 in args else 120):
        args_of_many_digits = tuple(map(mpmath.mpf, args))
        for i in places:
            first = cr.grad(function, i)
            for slope, n in ((first, {i: 1}), (cr.grad(first, i), {i: 2})):
                expected = mpmath.diff(
                    exact, args_of_many_digits, tuple(n.get(k, 0) for k in places), h=mpmath.mpf(10) ** -40
                )
                assert slope(*args) == pytest.approx(float(expected), rel=1e-7, abs=1e-35), (i, n)


@pytest.mark.parametrize("x", [-1e308, -1e5, -700.0, -30.5, -29.5, -2.0, 0.0, 3.0, 29.5, 30.5, 300.0, 700.0])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_slopes_of_exprel_for_numbers_of_every_size(x, order):
    """The series that SciPy sums does not end for very large ones."""
    found = OPERATIONS["exprel_slope"].evaluate(x, order=order)
    if x < -1e6:
        assert found == pytest.approx(0.0, abs=1e-300)
        return
    with mpmath.workdps(400):
        series = mpmath.hyp1f1(order + 1, order + 2, mpmath.mpf(x)) / (order + 1)
    assert found == pytest.approx(float(series), rel=1e-13)


@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": (0, 1)}])
def test_logsumexp_and_softmax_along_axes(options):
    weights = np.array([[0.5, 2.0, 1.0], [1.5, 0.3, 0.7]])
    np.testing.assert_allclose(
        cr.vjp(lambda m: special.logsumexp(m, **options), M)[0], scipy.special.logsumexp(M, **options)
    )
    check_grads(lambda m, w: special.logsumexp(m, b=w, **options), (M, weights), order=2)
    check_grads(lambda m: special.softmax(m, axis=options.get("axis")), (M,), order=2)
    value, sign = cr.vjp(lambda m: special.logsumexp(m, b=-weights, return_sign=True), M)[0]
    assert (value, sign) == pytest.approx(scipy.special.logsumexp(M, b=-weights, return_sign=True))
    assert cr.grad(special.logsumexp)(np.array([-np.inf, 1.0])).tolist() == [0.0, 1.0]


def test_orders_are_numbers_or_arrays():
    orders = np.array([[0.0], [1.5]])
    np.testing.assert_allclose(cr.vjp(lambda x: special.jv(orders, x), x)[0], scipy.special.jv(orders, x), rtol=1e-14)
    check_grads(lambda x: special.jv(orders, x), (x,), order=2)
    np.testing.assert_allclose(
        cr.vmap(lambda t: special.iv(np.arange(3), t))(x), scipy.special.iv(np.arange(3), x[:, None])
    )
    with pytest.raises(UnsupportedError, match="traced order"):
        cr.grad(lambda n: special.jv(n, 1.0))(1.0)
    orders = np.array([0, 1, 3])
    check_grads(lambda x: special.expn(orders, x), (x[:1],), order=2)
    for function in (special.kn, special.yn, special.expn):
        with pytest.raises(SettingError, match=r"order 0\.5.*whole number"):
            cr.grad(lambda x: function(0.5, x))(1.3)  # noqa: B023


def test_compiled_batched_and_refused():
    function = cr.grad(lambda x: np.sum(special.gammaln(x) * special.betainc(x, 2.0, 0.3)))
    np.testing.assert_allclose(cr.jit(function, engine="numpy")(a), function(a), rtol=1e-15)
    np.testing.assert_allclose(cr.vmap(cr.grad(special.gammaln))(a), scipy.special.digamma(a))
    with pytest.raises(UnsupportedError, match=r"no machine code: .*digamma"):
        cr.jit(function, engine="llvm")(a)
    np.testing.assert_allclose(cr.jit(cr.grad(special.erf), engine="llvm")(0.5), cr.grad(special.erf)(0.5), rtol=1e-14)
    with pytest.raises(UnsupportedError, match="arguments it does not take"):
        cr.grad(lambda t: special.gamma(t, out=np.zeros(())))(1.0)
    with pytest.raises((UnsupportedError, DerivativeLostError)):
        cr.grad(lambda t: special.struve(1, t))(1.0)
    assert special.struve is scipy.special.struve
    assert special.gamma(5) == 24


def test_limits():
    assert cr.grad(special.xlogy)(0.0, 0.5) == pytest.approx(np.log(0.5))
    assert cr.grad(special.xlogy, 1)(0.0, 0.0) == 0.0
    assert cr.grad(special.j1)(0.0) == 0.5
    assert cr.grad(special.log_ndtr)(-40.0) == pytest.approx(40.024968827, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "order", "exact"),
    [
        ("jv", 1.5, mpmath.besselj), ("yv", 1.5, mpmath.bessely), ("iv", 1.5, mpmath.besseli), ("kv", 1.5, mpmath.besselk),
        ("hankel1", 0.5, mpmath.hankel1), ("hankel2", 2, mpmath.hankel2),
        ("lambertw", -1, lambda k, z: mpmath.lambertw(z, k)), ("lambertw", 0, lambda k, z: mpmath.lambertw(z, k)),
    ],
)  # fmt: skip
def test_functions_of_complex_numbers_have_mpmath_s_derivatives(name, order, exact):
    function = getattr(special, name)
    f = (lambda z: function(z, order)) if name == "lambertw" else lambda z: function(order, z)
    first = lambda z: cr.jvp(f, (z,), (np.complex128(1),))[1]  # noqa: E731
    for z in (0.3 + 0.4j, 1.4 - 2.1j, -0.6 + 0.7j):
        z = np.complex128(z)
        for n, found in enumerate((f(z), first(z), cr.jvp(first, (z,), (np.complex128(1),))[1])):
            assert found == pytest.approx(complex(mpmath.diff(lambda z: exact(order, z), complex(z), n)), rel=1e-8)


NEAR_LIMITS = [
    ("ellipk", (), (0.0, 1e-9, -50.0, 1 - 1e-6), mpmath.ellipk), ("ellipe", (), (0.0, 1e-9, -50.0, 1 - 1e-6), mpmath.ellipe),
    ("ellipkm1", (), (1e-6, 1e-9, 1.0, 5.0), lambda x: mpmath.ellipk(1 - x)),
    ("hyp2f1", (0.4, 1.3, 2.1), (0.0, 0.99, -30.0), lambda x: mpmath.hyp2f1(0.4, 1.3, 2.1, x)),
    ("hyp1f1", (0.4, 1.3), (0.0, -40.0, 30.0), lambda x: mpmath.hyp1f1(0.4, 1.3, x)),
    ("hyperu", (0.4, 1.3), (0.01, 40.0), lambda x: mpmath.hyperu(0.4, 1.3, x)),
    ("spence", (), (1e-12, 0.01, 1.0, 1.0 + 1e-5, 0.999, 1.1, 30.0), lambda x: mpmath.polylog(2, 1 - x)),
    ("eval_legendre", (5,), (-1.0, 0.0, 1.0), lambda x: mpmath.legendre(5, x)),
    ("spherical_jn", (0,), (1e-6, 5.0), lambda x: mpmath.sin(x) / x), ("airy", (), (-8.0, 0.0, 5.0), mpmath.airyai),
    ("sici", (), (0.0, 1e-4, 0.029, 0.031, 20.0), mpmath.si), ("shichi", (), (0.0, 0.029, 0.031, 9.0), mpmath.shi),
    ("voigt_profile", (), (0.0, 1.0, 8.0), lambda x: mpmath.re(
        mpmath.exp(-(((x + 1j) / mpmath.sqrt(2)) ** 2)) * mpmath.erfc(-1j * (x + 1j) / mpmath.sqrt(2))
    ) / mpmath.sqrt(2 * mpmath.pi)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "points", "exact"), NEAR_LIMITS, ids=[case[0] for case in NEAR_LIMITS])
def test_derivatives_near_limits_are_those_of_many_digits(name, parameters, points, exact):
    """Two orders, the first of several results."""
    after = (1.0, 1.0) if name == "voigt_profile" else ()

    def function(x):
        found = getattr(special, name)(*parameters, x, *after)
        return found[0] if isinstance(found, tuple) else found

    first = cr.grad(function)
    with mpmath.workdps(40):
        for x in points:
            slope, curve = (mpmath.diff(exact, mpmath.mpf(x), n) for n in (1, 2))
            assert first(x) == pytest.approx(float(slope.real), rel=1e-9, abs=1e-12)
            assert cr.grad(first)(x) == pytest.approx(float(curve.real), rel=2e-8, abs=1e-11)


def test_parameters_that_nothing_is_differentiated_by_are_refused_by_name():
    for call, what in (
        (lambda t: special.hyp1f1(t, 1.0, 0.5), "parameter"), (lambda t: special.ellipkinc(0.5, t), "parameter m"),
        (lambda t: special.eval_legendre(t, 0.5), "parameter"),
    ):  # fmt: skip
        with pytest.raises(UnsupportedError, match=f"was given a traced {what}.*as plain numbers"):
            cr.grad(call)(0.3)
    with pytest.raises(UnsupportedError, match=r"a parameter of shape \(2,\).*np\.stack"):
        cr.grad(lambda t: np.sum(special.hyp1f1(np.array([0.5, 1.0]), 1.5, t)))(0.3)
    with pytest.raises(UnsupportedError, match=r"m of shape \(2,\).*np\.stack"):
        cr.grad(lambda t: np.sum(special.ellipkinc(t, np.array([0.5, 0.7]))))(0.3)


@pytest.mark.parametrize("n", range(4))
def test_associated_legendre_functions_and_spherical_harmonics(n):
    z, theta, phi = np.array([-0.95, 0.0, 0.3, 0.9]), np.array([0.0, 0.4, 2.0, np.pi, 4.0]), 0.7
    cases = [(special.legendre_p, scipy.special.legendre_p, (n,), z)]
    for m in range(-n, n + 1):
        cases += [
            (special.lpmv, scipy.special.lpmv, (m, n), z),
            (special.sph_legendre_p, scipy.special.sph_legendre_p, (n, m), theta),
        ]
        cases += [(special.assoc_legendre_p, scipy.special.assoc_legendre_p, (n, m), z)]
    for ours, own, orders, x in cases:
        np.testing.assert_allclose(cr.vjp(lambda x: ours(*orders, x), x)[0], own(*orders, x), rtol=1e-12, atol=1e-14)  # noqa: B023
        check_grads(lambda x: ours(*orders, x), (x[1:3],), order=2)  # noqa: B023
    for m in range(-n, n + 1):
        polar = lambda t, m=m: special.sph_legendre_p(n, m, t)[0]  # noqa: E731
        found = [[polar(t), cr.grad(polar)(t), cr.grad(cr.grad(polar))(t)] for t in theta]
        np.testing.assert_allclose(
            np.transpose(found), scipy.special.sph_legendre_p(n, m, theta, diff_n=2), rtol=1e-10, atol=1e-12
        )
        harmonic = lambda t, p, m=m: special.sph_harm_y(n, m, t, p)  # noqa: E731
        value = cr.vjp(harmonic, theta, phi)[0]
        np.testing.assert_allclose(value, scipy.special.sph_harm_y(n, m, theta, phi), rtol=1e-12, atol=1e-14)
        check_grads(harmonic, (theta[1:3], np.float64(phi)), order=2)


def test_harmonics_outside_and_what_they_refuse():
    assert np.isnan(cr.vjp(lambda z: special.lpmv(1, 2, z), 1.5)[0])
    assert cr.vjp(lambda z: special.assoc_legendre_p(2, 0, z), 1.5)[0] == scipy.special.assoc_legendre_p(2, 0, 1.5)
    with pytest.raises(SettingError, match="diff_n=1; leave it out, and take grad"):
        cr.grad(lambda t: special.sph_legendre_p(2, 1, t, diff_n=1)[0])(0.3)
    with pytest.raises(SettingError, match=r"n=\(1, 2\); give one whole number"):
        cr.grad(lambda t: np.sum(special.legendre_p(np.array([1, 2]), t)))(0.3)
    with pytest.raises(UnsupportedError, match="traced m"):
        cr.grad(lambda m: special.lpmv(m, 2, 0.3))(1.0)
