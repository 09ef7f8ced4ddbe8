"""Matrices, convolutions: SciPy's values, and derivatives in both modes to second order against finite differences."""

import inspect

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.errors import DerivativeLostError, MatrixError, SettingError, UnsupportedError
from chainrule.scipy import linalg, signal, special
from chainrule.scipy.matrices.matrix_functions import A, B, Q
from versions import before

S = A @ A.T + np.eye(3)
PAIR = np.stack([A, A.T + 0.1])
v = np.array([0.5, -1.0, 2.0])
u = np.array([1.5, 0.3, -0.2, 0.7])

LINALG = {
    "solve": [((A, v), {}), ((S, v), {"assume_a": "pos"}), ((A, Q), {"transposed": True}),
              ((A, Q), {"assume_a": "sym", "lower": True}), ((A, Q), {"assume_a": "upper triangular"}),
              ((A, v), {"assume_a": "diagonal"}), ((A, v), {"assume_a": "tridiagonal"}), ((PAIR, Q), {"assume_a": "sym"})],
    "lstsq": [((Q, v), {})], "lu": [((PAIR,), {}), ((A,), {}), ((A,), {"permute_l": True}), ((Q,), {"p_indices": True}),
                               ((Q.T,), {})],
    "polar": [((A,), {}), ((Q,), {"side": "left"})], "orthogonal_procrustes": [((A, S), {})],
    "expm_frechet": [((A, S), {})], "fractional_matrix_power": [((B, np.float64(0.3)), {})],
    "pinvh": [((S,), {})], "solve_lyapunov": [((A, S), {})], "companion": [((u,), {})], "leslie": [((v, v[1:]), {})],
    "convolution_matrix": [((v, 4), {"mode": mode}) for mode in ("full", "same", "valid")] + [((u, 2), {})],
    "khatri_rao": [((A, B[:, [0, 1, 0]]), {})], "solve_circulant": [((v, v), {})],
    "solve_toeplitz": [((v, v), {}), (((v, v[::-1] + np.array([1.5, 0, 0])), v), {})], "matmul_toeplitz": [((v, Q), {})],
    "solve_banded": [(((1, 1), np.array([[9.0, 0.3, 0.1], [2.0, 3.0, 4.0], [0.4, 0.2, 9.0]]), v), {})],
    "solveh_banded": [((np.array([[9.0, 0.3, 0.1], [2.0, 3.0, 4.0]]), v), {}),
                      ((np.array([[2.0, 3.0, 4.0], [0.4, 0.2, 9.0]]), v), {"lower": True})],
    "solve_triangular": [((A, v), {}), ((A, Q), {"lower": True, "trans": 1}), ((A, v), {"unit_diagonal": True, "trans": "T"})],
    "cholesky": [((S,), {}), ((S,), {"lower": True}), ((S + PAIR * 0.0,), {})],
    "inv": [((A,), {})],
    "det": [((A,), {})], "pinv": [((Q,), {}), ((Q,), {"atol": 0.1, "return_rank": True})], "norm": [((A,), {}), ((v,), {"ord": 3})],
    "eigvals": [((A,), {})],
    "eigvalsh": [((S,), {}), ((S, S + np.diag(v**2)), {})], "svdvals": [((Q,), {})],
    "expm": [((A,), {}), ((B,), {}), ((PAIR,), {})], "tanm": [((A,), {})], "tanhm": [((A,), {})],
    "logm": [((A,), {})], "sqrtm": [((A,), {})], "sinm": [((A,), {})], "cosm": [((A,), {})],
    "sinhm": [((A,), {})], "coshm": [((A,), {})],
    "solve_sylvester": [((A, B, Q), {})], "solve_continuous_lyapunov": [((A, S), {})],
    "solve_continuous_are": [((A, Q, S, B @ B.T + np.eye(2)), {})],
    "solve_discrete_are": [((A / 3, Q, S, B @ B.T + np.eye(2)), {})],
    "eigvalsh_tridiagonal": [((v, v[1:]), {})], "eigh_tridiagonal": [((v, v[1:]), {"eigvals_only": True})],
    "solve_discrete_lyapunov": [((A / 5, S), {"method": "direct"})],
    "block_diag": [((A, v, Q), {}), ((PAIR, PAIR), {})], "toeplitz": [((v,), {}), ((v, u), {})], "hankel": [((v,), {}), ((v, u), {})],
    "circulant": [((v,), {})],
}  # fmt: skip
x2, k2 = np.random.default_rng(0).normal(size=(4, 5)), np.random.default_rng(1).normal(size=(2, 3))
PAIRS = [(u, v), (v, u), (x2, k2), (k2, x2)]
MODES = ("full", "same", "valid")
SIGNAL = {
    name: [((a, b), {"mode": mode}) for a, b in (PAIRS[2:] if name.endswith("2d") else PAIRS) for mode in MODES]
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d", "correlate2d")
}
for name in ("fftconvolve", "oaconvolve"):
    SIGNAL[name] += [((x2, x2[:, :2]), {"axes": axes, "mode": mode}) for axes in (1, [-1]) for mode in MODES]
    SIGNAL[name] += [((x2, k2[:1, :2]), {"axes": 1}), ((x2[:, :2], x2), {"axes": 1, "mode": "valid"})]
for name in ("convolve2d", "correlate2d"):
    SIGNAL[name] += [((x2, k2), {"boundary": kind, "mode": mode}) for kind in ("wrap", "symm") for mode in MODES]
    SIGNAL[name] += [((x2, k2), {"fillvalue": 1.5}), ((k2, x2), {"boundary": "symm", "mode": "same"})]
line = np.random.default_rng(2).normal(size=12)
lines = np.random.default_rng(3).normal(size=(2, 12))
low_b, low_a = scipy.signal.butter(3, 0.3)
FILTERS = {
    "lfilter": [((low_b, low_a, line), {}), ((low_b * 2.0, low_a * 2.0, lines.T), {"axis": 0}), ((low_b, np.ones(1), line[:2]), {}),
                ((low_b[:2], low_a, lines), {"zi": np.array([[0.3, -0.2, 0.5], [1.0, 0.4, 0.2]])}), ((low_b, low_a, line[:1]), {}),
                ((low_b, low_a[:2], line[:2]), {"zi": np.array([0.3, -0.2, 0.5])})],
    "lfilter_zi": [((low_b, low_a), {}), ((low_b * 2.0, low_a * 3.0), {}), ((low_b, low_a[:2]), {})],
    "filtfilt": [((low_b[:2], low_a[:2], line), {}), ((low_b[:2], low_a[:2], lines), {"padtype": "even", "padlen": 3}),
                 ((low_b, low_a, lines.T), {"axis": 0, "padtype": None}),
                 ((low_b[:2], low_a[:2], line), {"padtype": "constant"})],
    "sosfilt": [((scipy.signal.butter(4, 0.3, output="sos"), lines), {}),
                ((scipy.signal.butter(4, 0.3, output="sos"), line), {"zi": np.array([[0.3, -0.2], [0.5, 0.1]])})],
    "freqz": [((low_b, low_a), {"worN": 5}), ((low_b,), {"worN": np.array([0.1, 0.7, 2.0]), "fs": 5.0}),
              ((low_b, low_a), {"worN": 5, "whole": True})],
    "hilbert": [((line,), {}), ((lines[:, :5],), {"axis": 0}), ((line,), {"N": 9})],
    "detrend": [((line,), {}), ((lines.T,), {"axis": 0, "type": "constant"}), ((lines,), {"bp": [4, 9]})],
    "savgol_filter": [((line, 5, 2), {"mode": mode, "deriv": deriv}) for mode in ("interp", "mirror", "nearest", "wrap")
                      for deriv in (0, 1)] + [((lines.T, 5, 3), {"axis": 0, "mode": "constant", "cval": 0.5})]
                     + [((line, 4, 2), {"mode": mode}) for mode in ("interp", "mirror", "wrap")],
}  # fmt: skip
CASES = [
    pytest.param(own, ours, name, args, options, id=f"{name}-{i}")
    for own, ours, table in ((scipy.linalg, linalg, LINALG), (scipy.signal, signal, SIGNAL | FILTERS))
    for name, cases in table.items()
    for i, (args, options) in enumerate(cases)
]
FACTORS = {"cho_factor", "cho_solve", "eig", "lu_factor", "lu_solve", "eigh", "svd", "qr"}
SYMMETRIC = {"cholesky": (0,), "eigvalsh": (0, 1), "solve_continuous_are": (2, 3), "solve_discrete_are": (2, 3)}
"""Which arguments are to be symmetric, however they are moved."""
STATIC = {
    "convolution_matrix": slice(0, 1),
    "solve_banded": slice(1, 3),
    "savgol_filter": slice(0, 1),
    "sosfilt": slice(1, 2),
}
"""By which of their arguments these are differentiated."""


def parts(x):
    """Of what SciPy gives, what has derivatives."""
    return [y for y in (x if isinstance(x, tuple) else (x,)) if getattr(y, "dtype", np.dtype(int)).kind in "fc"]


@pytest.mark.parametrize(("own", "ours", "name", "args", "options"), CASES)
def test_values_are_scipys_and_derivatives_those_of_finite_differences(own, ours, name, args, options):
    function = getattr(ours, name)
    symmetric = SYMMETRIC.get(name, ())

    def derived(*args):
        args = [0.5 * (a + np.swapaxes(a, -1, -2)) if i in symmetric else a for i, a in enumerate(args)]
        return function(*args, **options)

    expected = getattr(own, name)(*args, **options)
    for x, y in zip(parts(function(*args, **options)), parts(expected), strict=True):
        np.testing.assert_array_equal(x, y)
    if name in STATIC:
        given, chosen = args, STATIC[name]
        args = given[chosen]
        derived = lambda *x: function(*given[: chosen.start], *x, *given[chosen.stop :], **options)  # noqa: E731
    value, _ = cr.vjp(derived, *args)
    for x, y in zip(parts(value), parts(expected), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-12)
    check_grads(lambda *args: parts(derived(*args))[-1], args, order=2)


def single(x):
    if isinstance(x, tuple):
        return tuple(map(single, x))
    return x.astype(np.float32) if isinstance(x, np.ndarray) else x


@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")
@pytest.mark.parametrize(("own", "ours", "name", "args", "options"), CASES)
def test_precision_is_scipys(own, ours, name, args, options):
    if name == "logm" or (
        name == "freqz" and len(args) == 1
    ):  # complex by rounding; an a of 1 is one of Python's numbers
        return
    args = single(args)
    places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]

    def derived(*chosen):
        whole = list(args)
        for i, x in zip(places, chosen, strict=True):
            whole[i] = x
        return parts(getattr(ours, name)(*whole, **options))

    value, pullback = cr.vjp(derived, *(args[i] for i in places))
    expected = parts(getattr(own, name)(*args, **options))
    assert [x.dtype for x in value] == [x.dtype for x in expected]
    gradients = pullback([np.ones_like(x) for x in value])
    assert {np.asarray(g).dtype for g in gradients} <= {np.dtype(np.float32)}


SETTINGS = [
    (linalg.polar, (A,), "side"), (linalg.solve_discrete_lyapunov, (A, S), "method"), (linalg.qr, (A,), "mode"),
    (lambda a, **o: linalg.convolution_matrix(a, 3, **o), (v,), "mode"), (linalg.lstsq, (Q, v), "lapack_driver"),
    (linalg.svd, (A,), "lapack_driver"), (linalg.expm_frechet, (A, S), "method"), (signal.convolve, (u, v), "mode"),
    (signal.convolve, (u, v), "method"), (signal.correlate, (u, v), "method"), (signal.fftconvolve, (u, v), "mode"),
    (signal.convolve2d, (x2, k2), "boundary"), (signal.correlate2d, (x2, k2), "mode"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args", "setting"), SETTINGS)
def test_settings_that_scipy_does_not_know_are_refused(function, args, setting):
    with pytest.raises(SettingError, match=f"{setting}='other'; known are"):
        cr.vjp(lambda a: function(a, *args[1:], **{setting: "other"}), args[0])


def test_what_makes_no_sense_is_an_error_of_the_family():
    for call in (
        lambda x: signal.savgol_filter(x, 5, 7), lambda x: signal.convolve2d(x, x), lambda x: linalg.lu(x),
        lambda x: signal.hilbert(x + 0j), lambda x: signal.fftconvolve(x, x, axes=3),
    ):  # fmt: skip
        with pytest.raises(cr.ChainruleError):
            cr.vjp(call, line)
    with pytest.raises(UnsupportedError, match=r"there for gamma\(x, /\); leave out"):
        cr.vjp(lambda x: special.gamma(x, x), line)
    with pytest.raises(UnsupportedError, match=r"chainrule\.scipy has none either"):
        cr.vjp(special.struve, 1.0, line)


@pytest.mark.parametrize("power", [3, -2, 0, 2.0])
def test_whole_powers_are_products_of_any_matrix(power):
    turned = np.array([[-1.0, 0.3], [0.2, 0.5]])
    function = lambda a: linalg.fractional_matrix_power(a, power)  # noqa: E731
    expected = scipy.linalg.fractional_matrix_power(turned, power)
    np.testing.assert_allclose(cr.vjp(function, turned)[0], expected, rtol=1e-12, atol=1e-14)
    check_grads(function, (turned,), order=2)


def test_eigenvalues_of_pairs_have_scipys_order_and_vectors():
    first, second = A + 0.3j * np.cos(A), S + 0.2j * np.sin(A)
    for a, b in ((first, second), (A, S)):
        (values, vectors), _ = cr.vjp(lambda a, b: list(linalg.eig(a, b)), a, b)
        own_values, own_vectors = scipy.linalg.eig(a, b)
        np.testing.assert_allclose(values, own_values, rtol=1e-10)
        np.testing.assert_allclose(vectors, own_vectors, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(cr.vjp(linalg.eigvals, a, b)[0], own_values, rtol=1e-10)


def test_factors_of_stacks_and_of_matrices_that_are_not_square():
    for a in (PAIR, Q, Q.T):
        (factors, exchanges), _ = cr.vjp(lambda a: list(linalg.lu_factor(a)), a)
        own = scipy.linalg.lu_factor(a)
        np.testing.assert_allclose(factors, own[0], rtol=1e-13)
        np.testing.assert_array_equal(exchanges, own[1])
        check_grads(lambda a: linalg.lu_factor(a)[0], (a,), order=2)


def complex_like(x, seed=0):
    if not isinstance(x, np.ndarray):
        return tuple(map(complex_like, x)) if type(x) is tuple else x
    return x + 0.4j * np.random.default_rng(seed).normal(size=np.shape(x))


@pytest.mark.parametrize(("own", "ours", "name", "args", "options"), CASES)
def test_of_complex_numbers_values_are_scipys(own, ours, name, args, options):
    """Conjugates stand where SciPy has them: in adjoint matrices, in correlations."""
    function = getattr(ours, name)
    given = tuple(map(complex_like, args))
    if name in ("cholesky", "eigvalsh"):
        given = tuple(x + np.conj(np.swapaxes(x, -1, -2)) for x in given)
    try:
        expected = parts(getattr(own, name)(*given, **options))
    except (TypeError, ValueError, NotImplementedError, np.exceptions.ComplexWarning):  # SciPy takes real numbers only
        return
    places = [i for i, x in enumerate(given) if isinstance(x, np.ndarray) and x.dtype.kind == "c"]

    def derived(*chosen):
        whole = list(given)
        for i, x in zip(places, chosen, strict=True):
            whole[i] = 0.5 * (x + np.conj(np.swapaxes(x, -1, -2))) if name in ("cholesky", "eigvalsh") else x
        return parts(function(*whole, **options))

    chosen = tuple(given[i] for i in places)
    value, _ = cr.vjp(derived, *chosen)
    for x, y in zip(value, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
    check_grads(lambda *chosen: derived(*chosen)[-1], chosen, order=2)


@pytest.mark.parametrize("module", [linalg, signal], ids=["linalg", "signal"])
def test_arguments_stand_where_scipy_has_them(module):
    for name, function in module.standing.functions.items():
        derived = inspect.signature(module.standing.derived[name])
        own = inspect.signature(function)
        places = [[p.name for p in s.parameters.values() if p.kind == p.POSITIONAL_OR_KEYWORD] for s in (derived, own)]
        if name not in module.standing.refused:
            later = {"assume_a", "lower"} if name == "inv" and before(scipy, 1, 17) else set()
            later = {"overwrite_b"} if name == "eigvals" and before(scipy, 1, 18) else later
            known = [argument for argument in places[0] if argument not in later]
            assert known == places[1][: len(known)], name
            assert set(derived.parameters) - later <= set(own.parameters), name


def test_eigenvalues_of_any_matrix_and_of_a_pair():
    value, _ = cr.vjp(linalg.eig, A)
    for found, expected in zip(value, scipy.linalg.eig(A), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for f in (lambda a, b: np.sum(np.abs(linalg.eigvals(a, b)) ** 2), lambda a, b: np.abs(linalg.eig(a, b)[0]).sum()):
        np.testing.assert_allclose(cr.vjp(f, A, S)[0], f(A, S), rtol=1e-11)
        check_grads(f, (A, S), order=2)


def test_all_that_stand_are_tried():
    assert set(linalg.standing.functions) <= set(LINALG) | FACTORS | linalg.standing.refused
    assert set(signal.standing.functions) <= set(SIGNAL | FILTERS)


@pytest.mark.parametrize("trans", [0, 1])
def test_equations_by_exchanged_rows(trans):
    def solved(a, b):
        return linalg.lu_solve(linalg.lu_factor(a), b, trans)

    first = A[[1, 2, 0]]
    expected = np.linalg.solve(first.T if trans else first, Q)
    np.testing.assert_allclose(cr.vjp(solved, first, Q)[0], expected, rtol=1e-12)
    check_grads(solved, (first, Q), order=2)
    with pytest.raises(UnsupportedError, match="inside of jit"):
        cr.vmap(linalg.lu_factor)(PAIR)


@pytest.mark.parametrize("lower", [False, True])
def test_equations_by_choleskys_factor(lower):
    def solved(s, b):
        return linalg.cho_solve(linalg.cho_factor(0.5 * (s + s.T), lower=lower), b)

    np.testing.assert_allclose(cr.vjp(solved, S, v)[0], np.linalg.solve(S, v), rtol=1e-12)
    check_grads(solved, (S, v), order=2)


def test_roots_of_matrices_with_negative_eigenvalues_are_complex():
    negative = np.diag([1.0, -2.0, 3.0]) + 0.1 * A
    value, pullback = cr.vjp(linalg.sqrtm, negative)
    np.testing.assert_allclose(value, scipy.linalg.sqrtm(negative), rtol=1e-13, atol=1e-14)
    assert pullback(value)[0].dtype == float
    check_grads(linalg.sqrtm, (negative,), order=2)
    with pytest.raises(MatrixError, match="is complex"):
        cr.jit(linalg.sqrtm, engine="numpy")(negative)


def test_factors():
    M = S + np.diag(v**2)
    check_grads(lambda s: linalg.eigh(0.5 * (s + s.T))[1] ** 2, (S,), order=2)
    check_grads(lambda s, t: linalg.eigh(0.5 * (s + s.T), 0.5 * (t + t.T))[1] ** 2, (S, M), order=1)
    check_grads(lambda q: linalg.svd(q, full_matrices=False)[0] ** 2, (Q,), order=1)
    check_grads(lambda q: linalg.qr(q, mode="economic")[1] ** 2, (Q,), order=2)
    with pytest.raises(UnsupportedError, match="no pivoting"):
        cr.jvp(lambda q: linalg.qr(q, pivoting=True)[1], (Q,), (Q,))


def test_batches_and_what_is_refused():
    stack = np.stack([A, A.T])
    np.testing.assert_allclose(cr.vmap(linalg.expm)(stack), [scipy.linalg.expm(a) for a in stack])
    with pytest.raises(MatrixError, match=r"is complex.*give a complex matrix, a \+ 0j"):
        cr.grad(lambda a: np.sum(linalg.logm(a)))(-np.eye(2))
    for name in linalg.standing.refused:
        with pytest.raises(
            UnsupportedError, match=rf"scipy.linalg.{name} of traced values has no derivative here. Take "
        ):
            cr.jvp(getattr(linalg, name), (A,), (A,))
    with pytest.raises(DerivativeLostError):
        cr.grad(lambda a: np.sum(linalg.rq(a)[0]))(A)
    assert linalg.rq is scipy.linalg.rq
    with pytest.raises(UnsupportedError, match="known are"):
        cr.grad(lambda a: np.sum(linalg.solve(a, v, assume_a="any")))(A)


def test_sections_of_a_filter_have_derivatives():
    sections = scipy.signal.butter(4, 0.3, output="sos")

    def filtered(b, a, start):
        return signal.sosfilt(np.concatenate([b, np.ones((2, 1)), a], axis=1), line, zi=start)

    given = (sections[:, :3], sections[:, 4:], np.array([[0.3, -0.2], [0.5, 0.1]]))
    check_grads(filtered, given, order=2)
    np.testing.assert_allclose(cr.vjp(filtered, *given)[0][0], scipy.signal.sosfilt(sections, line, zi=given[2])[0])


def test_a_recursive_filter_learns_and_batches():
    """By its coefficients: those of a filter are found again by descent, and a batch of signals is its members."""
    target = scipy.signal.lfilter([0.5], [1.0, -0.7], lines)
    loss = lambda p: np.mean((signal.lfilter(p[:1], np.concatenate([np.ones(1), p[1:]]), lines) - target) ** 2)  # noqa: E731
    p = np.array([0.45, -0.6])
    for _ in range(6):
        p = p - np.linalg.solve(cr.hessian(loss)(p), cr.grad(loss)(p))
    np.testing.assert_allclose(p, [0.5, -0.7], atol=1e-8)
    one = lambda x: signal.lfilter(low_b, low_a, x)  # noqa: E731
    np.testing.assert_allclose(cr.vmap(one)(lines), scipy.signal.lfilter(low_b, low_a, lines), rtol=1e-12)
    np.testing.assert_allclose(cr.jit(cr.grad(lambda x: np.sum(one(x) ** 2)), engine="auto")(line),
                               cr.grad(lambda x: np.sum(one(x) ** 2))(line), rtol=1e-12)  # fmt: skip


@pytest.mark.parametrize("name", list(SIGNAL))
@pytest.mark.parametrize("mode", MODES)
def test_large_convolutions_are_computed_by_spectra(name, mode, monkeypatch):
    expected = cr.vjp(lambda a, b: getattr(signal, name)(a, b, mode), x2, k2)
    monkeypatch.setattr(signal, "LARGE", 0)
    found = cr.vjp(lambda a, b: getattr(signal, name)(a, b, mode), x2, k2)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-13)
    for x, y in zip(found[1](found[0]), expected[1](expected[0]), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-12)


def test_factors_are_scipys():
    for function in (
        linalg.eigh,
        linalg.svd,
        lambda a: linalg.eigh(a, S + np.diag(v**2)),
        lambda a: linalg.eigh(a, subset_by_index=[0, 1]),
    ):
        found, expected = cr.vjp(function, S)[0], function(S)
        for x, y in zip(found, expected, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)
    assert cr.jvp(lambda q: linalg.qr(q, mode="r")[0], (Q,), (Q,))[0].shape == (3, 2)


@pytest.mark.parametrize(("select", "bounds"), [("a", None), ("i", (1, 3)), ("v", (-1.0, 1.5)), ("value", (9.0, 10.0))])
def test_eigenvalues_that_are_wanted(select, bounds):
    """All, some by index, some by value: SciPy's, eigenvectors with SciPy's signs, of whole matrices and of diagonals."""
    random = np.random.default_rng(5)
    d, e = random.normal(size=6), random.normal(size=5)
    whole = np.diag(d) + np.diag(e, 1) + np.diag(e, -1)
    own = scipy.linalg.eigh_tridiagonal(d, e, select=select, select_range=bounds)
    subset = {} if select == "a" else {"subset_by_index" if select == "i" else "subset_by_value": bounds}
    for function, given in (
        (lambda d, e: linalg.eigh_tridiagonal(d, e, select=select, select_range=bounds), (d, e)),
        (lambda a: linalg.eigh(0.5 * (a + a.T), **subset), (whole,)),
        (lambda a: linalg.eigh(0.5 * (a + a.T), np.eye(6), **subset), (whole,)),
    ):
        values, vectors = cr.vjp(function, *given)[0]
        np.testing.assert_allclose(values, own[0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(vectors if given[1:] else vectors**2, own[1] ** (1 if given[1:] else 2), atol=1e-10)
        check_grads(lambda *given, function=function: function(*given)[0], given, order=2)
        check_grads(lambda *given, function=function: function(*given)[1] ** 2, given, order=1)
    only = cr.vjp(lambda d: linalg.eigvalsh_tridiagonal(d, e, select, bounds), d)[0]
    np.testing.assert_allclose(only, own[0], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(cr.vjp(lambda a: linalg.eigvalsh(a, **subset), whole)[0], only, rtol=1e-10, atol=1e-12)


@pytest.mark.filterwarnings("ignore")  # SciPy's, of matrices that have no root
@pytest.mark.parametrize("function", [linalg.sqrtm, linalg.logm])
def test_functions_that_a_matrix_has_none_of_are_told(function):
    with pytest.raises(MatrixError, match="eigenvalues that are 0"):
        cr.grad(lambda a: np.sum(function(a)))(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]) * 1e200)
