"""Integrals, differential equations, roots, minima, splines: SciPy's numbers, and derivatives against finite differences."""

import tracemalloc

import numpy as np
import pytest
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.optimize

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.errors import SettingError, UnsupportedError
from chainrule.scipy import integrate, interpolate, optimize

P = np.array([1.3, 0.7])
GRID = np.linspace(0.0, 2.0, 5)

ATOL = 1e-5
"""What steps of a solver with tolerances of 1e-9, chosen anew with every argument, make of finite differences."""


def pendulum(t, y, p):
    return [y[1], -p[0] * np.sin(y[0]) - p[1] * y[1]]


def rosenbrock(x, p):
    return (p[0] - x[0]) ** 2 + 5.0 * (x[1] - p[1] * x[0] ** 2) ** 2


DATA = np.array([2.0, 1.2, 0.9, 0.5, 0.4])


def curve(x, a, b):
    return a * np.exp(-b * x)


def circle(x, p):
    return np.stack([x[0] ** 2 + x[1] ** 2 - p[0], x[0] - p[1] * x[1]])


ROOTS = {
    "root": lambda p: optimize.root(circle, np.ones(2), args=(p,), tol=1e-12).x,
    "root by a closure": lambda p: optimize.root(lambda x: circle(x, p), np.ones(2), tol=1e-12).x,
    "fsolve": lambda p: optimize.fsolve(circle, np.ones(2), (p,), xtol=1e-12),
    "newton": lambda p: optimize.newton(lambda x: x**3 - p[0] * x - p[1], 1.5),
    "root_scalar": lambda p: optimize.root_scalar(lambda x: x**3 - p[0] * x - p[1], bracket=(1.0, 3.0)).root,
    "brentq": lambda p: optimize.brentq(lambda x, a, b: x**3 - a * x - b, 1.0, 3.0, (p[0], p[1])),
    "fixed_point": lambda p: optimize.fixed_point(lambda x, p: np.cos(p[0] * x) * p[1], np.array([0.5]), (p,)),
    "minimize": lambda p: optimize.minimize(rosenbrock, np.zeros(2), args=(p,), tol=1e-9).x,
    "minimum": lambda p: optimize.minimize(lambda x: rosenbrock(x, p) + p[0] ** 2, np.zeros(2), tol=1e-9).fun,
    "minimize_scalar": lambda p: optimize.minimize_scalar(lambda x: (x - p[0]) ** 2 + np.exp(p[1] * x)).x,
    "least_squares": lambda p: (
        optimize.least_squares(lambda x: np.stack([x[0] - p[0], x[0] * p[1] - 2.0]), np.ones(1)).x
    ),
    "losses of squares": lambda p: sum(
        optimize.least_squares(
            lambda x, q: np.stack([x[0] - p[0], x[0] * q - 2.0, x[0] - 5.0]),
            np.ones(1),
            loss=loss,
            kwargs={"q": p[1]},
            xtol=1e-13,
            ftol=None,
        ).cost
        for loss in ("soft_l1", "huber", "cauchy", "arctan")
    ),
    "value and slope": lambda p: (
        optimize.minimize(
            fun=lambda x: (np.sum((x - p) ** 4 + x**2), 4 * (x - p) ** 3 + 2 * x), x0=P, jac=True, tol=1e-9
        ).x
    ),
    "bounds": lambda p: (
        optimize.minimize(
            rosenbrock, np.ones(2), (p,), "L-BFGS-B", bounds=[(0, 3), (p[0], None)], options={"ftol": 1e-14}
        ).x
    ),
    "bounds that do not matter": lambda p: (
        optimize.minimize(rosenbrock, np.zeros(2), (p,), bounds=optimize.Bounds(0.0, 5.0), tol=1e-12).x
    ),
    "all of a root": lambda p: optimize.brentq(lambda x: x**3 - p[0] * x - p[1], 1.0, 3.0, full_output=True)[1].root,
    "curve_fit": lambda p: optimize.curve_fit(curve, GRID, DATA * p[0], [1.0, 1.0])[0],
    "curve_fit, weighed": lambda p: np.diagonal(
        optimize.curve_fit(
            lambda x, a, b: curve(x, a, b) * p[1],
            GRID,
            DATA,
            [1.0, 1.0],
            sigma=1.0 + GRID * p[0],
            ftol=1e-13,
            xtol=1e-13,
        )[1]
    ),
}


EXACT = {"root", "root by a closure", "fsolve", "newton", "root_scalar", "brentq", "fixed_point", "all of a root"}


@pytest.mark.parametrize("name", ROOTS)
def test_solutions_by_what_their_functions_hold(name):
    function = ROOTS[name]
    value, _ = cr.vjp(function, P)
    np.testing.assert_array_equal(value, function(P))
    slopes = cr.jacobian(function)(P)
    accuracy = 1e-6 if name in EXACT else 2e-4  # minima have some six digits in SciPy, and so their differences
    for i, unit in enumerate(np.eye(2)):
        at = [cr.vjp(function, P + h * unit)[0] for h in (-0.02, -0.01, 0.01, 0.02)]
        differences = (at[0] - 8.0 * at[1] + 8.0 * at[2] - at[3]) / 0.12
        np.testing.assert_allclose(slopes[..., i], differences, rtol=accuracy, atol=accuracy)
        np.testing.assert_allclose(cr.jvp(function, (P,), (unit,))[1], slopes[..., i], rtol=1e-9, atol=1e-11)
    second = cr.jacobian(cr.jacobian(function))(P)
    ahead, behind = (cr.jacobian(function)(P + np.array([h, 0.0])) for h in (1e-4, -1e-4))
    np.testing.assert_allclose(second[..., 0], (ahead - behind) / 2e-4, rtol=1e-5, atol=1e-6)


def test_what_of_solvers_is_refused():
    def squares(x, p):
        return np.sum((x - p) ** 2)

    for options in (
        {"constraints": {"type": "eq", "fun": lambda x: x[0] - 0.1}},
        {"method": "SLSQP", "constraints": optimize.LinearConstraint([[1.0]], 0.0, 0.2)},
    ):
        with pytest.raises(UnsupportedError, match="solution may lie on one"):
            cr.grad(lambda p, options=options: optimize.minimize(squares, np.zeros(1), p, **options).x[0])(0.5)
    with pytest.raises(UnsupportedError, match="least_squares with bounds"):
        cr.grad(lambda p: optimize.least_squares(lambda x: x - p, np.zeros(1), bounds=(0.0, 0.3)).x[0])(0.5)
    with pytest.raises(UnsupportedError, match="known are linear"):
        cr.grad(
            lambda p: optimize.least_squares(lambda x: x - p, np.zeros(1), loss=lambda z: np.stack([z, z, z])).x[0]
        )(0.5)
    with pytest.raises(UnsupportedError, match="slope is 0"):
        cr.grad(lambda p: optimize.minimize_scalar(lambda x: (x - p) ** 4).x)(0.5)
    for lost in ("jac", "hess_inv"):
        with pytest.raises(UnsupportedError, match=f"'{lost}' of this result has no derivative"):
            cr.grad(lambda p, lost=lost: p * np.sum(getattr(optimize.minimize(squares, np.zeros(1), p), lost)))(0.5)
    with pytest.raises(UnsupportedError, match="curve_fit of traced values takes no bounds"):
        cr.grad(lambda p: optimize.curve_fit(curve, GRID, DATA * p, bounds=(0.0, 3.0))[0][0])(1.0)
    with pytest.raises(UnsupportedError, match="it is no solution"):
        cr.grad(lambda p: optimize.minimize_scalar(lambda x: (x - p) ** 2, None, (1.0, 2.0), method="bounded").x)(0.5)
    with pytest.raises(UnsupportedError, match="inside of jit"):
        cr.vmap(lambda p: optimize.brentq(lambda x: x - p, -3.0, 3.0))(P)
    assert optimize.brentq(lambda x: x - 1.0, 0.0, 3.0) == pytest.approx(1.0)
    assert cr.grad(lambda p: p * optimize.brentq(lambda x: x - 1.0, 0.0, 3.0))(2.0) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["fmin", "fmin_powell", "fmin_cg", "fmin_bfgs"])
def test_minima_under_older_names(name):
    function = lambda x, p: (x[0] - p[0]) ** 2 + 3.0 * (x[1] - p[1] * x[0]) ** 2 + x[0] ** 4  # noqa: E731
    older = lambda p: getattr(optimize, name)(function, np.zeros(2), args=(p,), disp=0)  # noqa: E731
    newer = lambda p: optimize.minimize(function, np.zeros(2), (p,), tol=1e-12).x  # noqa: E731
    np.testing.assert_array_equal(
        cr.vjp(older, P[:2])[0], getattr(scipy.optimize, name)(function, np.zeros(2), args=(P[:2],), disp=0)
    )
    np.testing.assert_allclose(cr.jacobian(older)(P[:2]), cr.jacobian(newer)(P[:2]), atol=3e-3)
    with pytest.raises(UnsupportedError, match="takes no full_output"):
        cr.grad(lambda p: getattr(optimize, name)(function, np.zeros(2), args=(p,), disp=0, full_output=True)[1])(P[:2])


def test_bounded_minima_and_least_squares_under_older_names():
    assert cr.grad(lambda a: optimize.fminbound(lambda x: (x - a) ** 2 + x, 0.0, 3.0))(1.5) == pytest.approx(1.0)
    assert cr.grad(lambda a: optimize.brent(lambda x, a: (x - a) ** 2 + x, (a,), brack=(0.0, 1.0, 3.0)))(
        1.5
    ) == pytest.approx(1.0)
    residuals = lambda x, p: np.stack([x[0] - p[0], x[1] * x[0] - p[1], x[1] - 0.5])  # noqa: E731
    older = cr.jacobian(lambda p: optimize.leastsq(residuals, np.ones(2), args=(p,))[0])(P[:2])
    np.testing.assert_allclose(
        older, cr.jacobian(lambda p: optimize.least_squares(residuals, np.ones(2), args=(p,)).x)(P[:2]), atol=1e-6
    )


INTEGRALS = {
    "by bounds and parameters": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * np.sin(p[1] * x), a, b)[0],
    "by args": lambda a, b, p: integrate.quad(lambda x, c, d: np.exp(-c * x) * d, a, b, (p[0], p[1]))[0],
    "upwards": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * b, a, np.inf)[0],
    "downwards": lambda a, b, p: integrate.quad(lambda x: np.exp(p[0] * x) * p[1], -np.inf, b)[0] + a,
    "everywhere": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * (x - p[1]) ** 2) * a * b, -np.inf, np.inf)[0],
    "backwards": lambda a, b, p: integrate.quad(lambda x: np.exp(-p[0] * x) * p[1], b, a)[0],
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_integrals(name):
    args = (np.float64(0.4), np.float64(1.7), P)
    np.testing.assert_allclose(cr.vjp(INTEGRALS[name], *args)[0], INTEGRALS[name](*args), rtol=1e-14)
    check_grads(INTEGRALS[name], args, order=2)


def test_an_integral_over_nothing_and_one_that_is_singular():
    assert cr.grad(lambda b: integrate.quad(lambda x: np.exp(x) * b, 1.0, b)[0])(1.0) == pytest.approx(np.e)
    assert cr.grad(lambda p: integrate.quad(lambda x: x**p, 0.0, 1.0)[0])(0.5) == pytest.approx(-1 / 1.5**2, rel=1e-4)


def test_integrals_of_integrals():
    p = np.array([0.7, 1.3])  # ∫₀^a ∫₀^bx c·xy dy dx = c·b²·a⁴/8
    value, slopes = cr.value_and_grad(
        lambda p: integrate.dblquad(lambda y, x: p[0] * x * y, 0.0, p[1], 0.0, lambda x: p[1] * x)[0]
    )(p)
    assert value == scipy.integrate.dblquad(lambda y, x: p[0] * x * y, 0.0, p[1], 0.0, lambda x: p[1] * x)[0]
    np.testing.assert_allclose(slopes, [p[1] ** 6 / 8, 6 * p[0] * p[1] ** 5 / 8], rtol=1e-12)
    slope = cr.grad(
        lambda c: integrate.nquad(lambda x, y, c: c * x * y**2, [lambda y, c: (0.0, y), (0.0, c)], (c,))[0]
    )(p[1])
    assert slope == pytest.approx(6 * p[1] ** 5 / 10, rel=1e-12)
    triple = lambda p: integrate.tplquad(lambda z, y, x: p * z, 0.0, 1.0, 0.0, lambda x: x, 0.0, lambda x, y: y)[0]  # noqa: E731
    assert cr.grad(triple)(p[0]) == pytest.approx(1 / 24, rel=1e-12)  # ∫₀¹ ∫₀ˣ ∫₀ʸ z dz dy dx
    with pytest.raises(UnsupportedError, match="takes one dictionary of opts"):
        cr.grad(lambda c: integrate.nquad(lambda x: c * x, [(0.0, 1.0)], full_output=True)[0])(1.0)


@pytest.mark.parametrize("name", ["trapezoid", "simpson", "romb", "cumulative_trapezoid", "cumulative_simpson"])
@pytest.mark.parametrize("axis", [0, -1])
def test_integrals_of_samples(name, axis):
    samples = np.sin(np.arange(10.0).reshape(2, 5) if axis else np.arange(10.0).reshape(5, 2))
    options = {"dx": 0.3} if name == "romb" else {"x": np.array([0.0, 0.4, 1.1, 1.5, 2.0])}
    own, ours = getattr(scipy.integrate, name), getattr(integrate, name)
    np.testing.assert_allclose(
        cr.vjp(lambda y: ours(y, axis=axis, **options), samples)[0], own(samples, axis=axis, **options), rtol=1e-13
    )
    check_grads(lambda y: ours(y, axis=axis, **options) ** 2, (samples,), order=2)
    if name != "romb":
        for count in (5, 4, 3, 2):
            places, part = options["x"][:count], np.take(samples, np.arange(count), axis=axis)
            function = lambda y, x: ours(y, x=x, axis=axis)  # noqa: E731
            expected = own(part, x=places, axis=axis)
            np.testing.assert_allclose(cr.vjp(function, part, places)[0], expected, rtol=1e-12, atol=1e-15)
            check_grads(function, (part, places), order=2)
    by_step = lambda y, h: ours(y, dx=h, axis=axis)  # noqa: E731
    np.testing.assert_allclose(cr.vjp(by_step, samples, 0.3)[0], own(samples, dx=0.3, axis=axis), rtol=1e-12)
    check_grads(by_step, (samples, np.float64(0.3)), order=2)
    single = samples.astype(np.float32)
    assert cr.vjp(lambda y: ours(y, axis=axis), single)[0].dtype == np.asarray(own(single, axis=axis)).dtype


def test_integrals_of_samples_from_values_on_and_of_lists():
    samples, places = np.sin(np.arange(6.0)), np.arange(6.0) ** 1.5
    function = lambda y, x, c: integrate.cumulative_simpson(y, x=x, initial=c)  # noqa: E731
    np.testing.assert_allclose(
        cr.vjp(function, samples, places, 1.5)[0], scipy.integrate.cumulative_simpson(samples, x=places, initial=1.5)
    )
    check_grads(function, (samples, places, np.float64(1.5)), order=2)
    assert cr.grad(lambda a: integrate.trapezoid([a, 2.0 * a, 1.0], [0.0, 1.0, a]))(3.0) == pytest.approx(
        7.0
    )  # of a² + a − 1/2
    with pytest.raises(cr.ChainruleError, match="romb"):
        cr.grad(lambda y: integrate.romb(y))(samples)


def test_times_are_differentiated_by():
    start = np.array([0.5, -0.2])
    options = {"rtol": 1e-9, "atol": 1e-9}
    end = lambda t: integrate.solve_ivp(pendulum, (0.0, t), start, args=(P,), **options).y[:, -1]  # noqa: E731
    np.testing.assert_allclose(cr.jacobian(end)(2.0), pendulum(2.0, end(2.0), P), rtol=1e-6)
    asked = lambda t: integrate.solve_ivp(pendulum, (0.0, 2.0), start, t_eval=t, args=(P,), **options)  # noqa: E731
    check_grads(lambda t: asked(t).y, (0.1 + 0.9 * GRID,), order=2, atol=ATOL)
    np.testing.assert_array_equal(cr.jacobian(lambda t: asked(t).t)(GRID), np.eye(len(GRID)))

    def moved(begin, end, t):
        return integrate.solve_ivp(pendulum, (begin, end), start, t_eval=t, args=(P,), **options).y

    check_grads(moved, (-0.1, 2.1, GRID), order=2, atol=ATOL)
    slopes = cr.jacobian(lambda t: asked(t).y)(GRID)
    expected = np.stack([pendulum(t, y, P) for t, y in zip(GRID, asked(GRID).y.T, strict=True)], axis=1)
    np.testing.assert_allclose(np.einsum("itt->it", slopes), expected, rtol=1e-9, atol=1e-9)
    path = lambda t: integrate.odeint(lambda y, s: np.stack(pendulum(s, y, P)), start, t, **options)  # noqa: E731
    check_grads(path, (GRID,), order=1, atol=ATOL)


@pytest.mark.parametrize("method", ["RK45", "DOP853", "LSODA"])
def test_differential_equations(method):
    def ended(y0, p):
        solution = integrate.solve_ivp(pendulum, (0.0, 2.0), y0, method, GRID, args=(p,), rtol=1e-9, atol=1e-9)
        return solution.y

    y0 = np.array([0.5, -0.2])
    value = cr.vjp(ended, y0, P)[0]
    np.testing.assert_array_equal(value, ended(y0, P))
    check_grads(ended, (y0, P), order=2, atol=ATOL)


def test_many_steps_keep_their_values_and_nothing_else():
    """Against the closed form, and the equation of the sensitivities, which SciPy solves beside."""
    calls = []

    def swing(t, y, p):
        calls.append(1)
        return np.stack([y[1], -p[0] * y[0] - p[1] * y[1]])

    options = {"rtol": 1e-9, "atol": 1e-12, "max_step": 0.02}

    def end(p, y0):
        return integrate.solve_ivp(swing, (0.0, 4.0), y0, args=(p,), **options).y[:, -1]

    p, y0 = np.array([4.0, 0.1]), np.array([1.0, 0.0])
    cr.jacobian(end, (0, 1))(p, y0)
    calls.clear()
    tracemalloc.start()
    by_p, by_start = cr.jacobian(end, (0, 1), mode="reverse")(p, y0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(calls) < 20  # it was recorded
    assert most < 2e6

    def with_sensitivities(t, z):
        y, by = z[:2], z[2:].reshape(2, 2)
        inside = np.array([[0.0, 1.0], [-p[0], -p[1]]])
        return np.concatenate([inside @ y, (inside @ by + np.array([[0.0, 0.0], [-y[0], -y[1]]])).ravel()])

    whole = scipy.integrate.solve_ivp(with_sensitivities, (0.0, 4.0), [*y0, 0, 0, 0, 0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(by_p, whole.y[2:, -1].reshape(2, 2), rtol=1e-5, atol=1e-8)
    inside = np.array([[0.0, 1.0], [-p[0], -p[1]]])
    np.testing.assert_allclose(by_start, scipy.linalg.expm(4.0 * inside), rtol=1e-6, atol=1e-8)


def test_odeint():
    def ended(y0, p):
        return integrate.odeint(lambda y, t: np.stack(pendulum(t, y, p)), y0, GRID, rtol=1e-9, atol=1e-9)

    y0 = np.array([0.5, -0.2])
    np.testing.assert_array_equal(cr.vjp(ended, y0, P)[0], ended(y0, P))
    check_grads(ended, (y0, P), order=2, atol=ATOL)
    with pytest.raises(UnsupportedError, match="takes no events"):
        cr.grad(
            lambda p: integrate.solve_ivp(lambda t, y: -p * y, (0.0, 1.0), [1.0], events=lambda t, y: y[0] - 0.5).y[
                0, -1
            ]
        )(1.0)


@pytest.mark.parametrize("kind", ["not-a-knot", "natural", "clamped"])
def test_splines(kind):
    knots, values, x = (
        np.array([0.0, 0.4, 1.1, 1.5, 2.0]),
        np.array([0.3, 1.2, -0.5, 0.8, 0.1]),
        np.array([-0.2, 0.2, 0.9, 1.7, 2.1]),
    )
    for nu in (0, 1):
        function = lambda y, x, nu=nu: interpolate.CubicSpline(knots, y, bc_type=kind)(x, nu)  # noqa: E731
        np.testing.assert_allclose(
            cr.vjp(function, values, x)[0], scipy.interpolate.CubicSpline(knots, values, bc_type=kind)(x, nu)
        )
        check_grads(function, (values, x), order=2)
    with pytest.raises(UnsupportedError, match="traced x"):
        cr.grad(lambda k: interpolate.CubicSpline(k, values)(0.3))(knots)
    assert interpolate.CubicSpline(knots, values).integrate(0.0, 1.0) == scipy.interpolate.CubicSpline(
        knots, values
    ).integrate(0.0, 1.0)


KNOTS = np.array([0.0, 0.4, 1.1, 1.5, 2.0, 2.6])
HEIGHTS = np.array([0.3, 1.2, -0.5, 0.8, 0.9, 2.1])
INTERPOLANTS = {
    "PchipInterpolator": [{}, {"extrapolate": False}],
    "Akima1DInterpolator": [{}, {"extrapolate": True}],
    "CubicSpline": [{"bc_type": "natural", "extrapolate": False}],
    "interp1d": [
        {}, {"kind": "cubic"}, {"fill_value": "extrapolate"}, {"bounds_error": False},
        {"bounds_error": False, "fill_value": (1.0, -2.0)},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"), [(name, options) for name, cases in INTERPOLANTS.items() for options in cases]
)
@pytest.mark.parametrize("shape", [(), (2,)])
def test_interpolants(name, options, shape):
    own, ours = getattr(scipy.interpolate, name), getattr(interpolate, name)
    outside = name != "interp1d" or bool({"bounds_error", "fill_value"} & set(options))
    x = np.array([0.2, 0.9, 1.7, 2.4, *((2.9, -0.3) if outside else ())])
    y = np.stack([HEIGHTS, np.cos(HEIGHTS)], axis=-1)[:, : shape[0]] if shape else HEIGHTS
    if name == "interp1d":
        options = {**options, "axis": 0}
    function = lambda y, x: ours(KNOTS, y, **options)(x)  # noqa: E731
    expected = own(KNOTS, y, **options)(x)
    np.testing.assert_allclose(cr.vjp(function, y, x)[0], expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(function(y, x), expected)
    np.testing.assert_allclose(cr.vjp(lambda x: function(y, x), x)[0], expected, rtol=1e-12, atol=1e-13)
    known = np.isfinite(expected) if not shape else np.isfinite(expected[:, 0])
    check_grads(lambda y, x: function(y, x)[np.flatnonzero(known)], (y, x), order=2)
    if name != "interp1d":
        np.testing.assert_allclose(
            cr.vjp(lambda y: ours(KNOTS, y, **options)(x, 1), y)[0],
            own(KNOTS, y, **options)(x, 1),
            rtol=1e-12,
            atol=1e-12,
        )


def test_what_of_interpolants_is_refused():
    with pytest.raises(SettingError, match="bc_type='periodic'; known are 'not-a-knot'"):
        cr.grad(lambda y: interpolate.CubicSpline(KNOTS, y, bc_type="periodic")(0.3))(HEIGHTS)
    with pytest.raises(UnsupportedError, match="kind=5; it takes 'linear'"):
        cr.grad(lambda x: interpolate.interp1d(KNOTS, HEIGHTS, 5)(x))(0.3)
    with pytest.raises(UnsupportedError, match="method of 'akima'"):
        cr.grad(lambda y: interpolate.Akima1DInterpolator(KNOTS, y, method="makima")(0.3))(HEIGHTS)
    with pytest.raises(UnsupportedError, match="takes s=0 only"):
        cr.grad(lambda y: interpolate.UnivariateSpline(KNOTS, y)(0.3))(HEIGHTS)
    with pytest.raises(ValueError, match="outside of the interpolation range"):
        cr.grad(lambda x: interpolate.interp1d(KNOTS, HEIGHTS)(x))(3.0)
    last = lambda y: interpolate.interp1d(KNOTS, y)(np.array([0.2, 0.9]))  # noqa: E731
    assert cr.vjp(last, np.stack([HEIGHTS, HEIGHTS]))[0].shape == (2, 2)
    monotone = np.array([0.0, 1.0, 1.0, 3.0])
    np.testing.assert_allclose(
        cr.vjp(lambda y: interpolate.pchip_interpolate(np.arange(4.0), y, 1.5), monotone)[0],
        scipy.interpolate.pchip_interpolate(np.arange(4.0), monotone, 1.5),
    )


def test_parameters_that_are_met_only_here_and_there_are_not_lost():
    assert cr.grad(lambda p: integrate.quad(lambda x: p * x if x > 1.5 else 0.5, 0.0, 2.0, points=[1.5])[0])(
        1.0
    ) == pytest.approx(0.875)
    end = lambda p: integrate.solve_ivp(lambda t, y: p * y if t > 1.0 else -y, (0.0, 2.0), [1.0], rtol=1e-8).y[0, -1]  # noqa: E731
    assert cr.grad(end)(0.5) == pytest.approx(np.exp(-0.5), rel=1e-3)


def test_steps_too_long_for_a_stiff_equation_are_refused_without_a_warning():
    """The derivatives are those of explicit steps: right where these are short enough, and else an error."""

    def end(k, rtol):
        stiff = lambda t, y: -k * (y - np.cos(t))  # noqa: E731
        return integrate.solve_ivp(stiff, (0.0, 5.0), np.zeros(1), "Radau", rtol=rtol, atol=1e-10).y[0, -1]

    with pytest.raises(UnsupportedError, match="stiff"):
        cr.grad(end)(1000.0, 1e-6)
    k, t = 20.0, 5.0  # y = (k²·cos t + k·sin t)/(1 + k²) and what has died out
    slope = (2 * k * np.cos(t) + np.sin(t)) / (1 + k**2) - 2 * k * (k**2 * np.cos(t) + k * np.sin(t)) / (1 + k**2) ** 2
    assert cr.grad(end)(k, 1e-8) == pytest.approx(slope, rel=1e-4)
