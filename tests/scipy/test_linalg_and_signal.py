"""Matrices, convolutions: SciPy's values, and derivatives in both modes to second order against finite differences."""

import numpy as np
import pytest
import scipy.linalg
import scipy.signal

import chainrule as cr
from chainrule.autodiff import check_grads
from chainrule.errors import DerivativeLostError, MatrixError, UnsupportedError
from chainrule.scipy import linalg, signal
from chainrule.scipy.matrix_functions import A, B, Q

S = A @ A.T + np.eye(3)
v = np.array([0.5, -1.0, 2.0])
u = np.array([1.5, 0.3, -0.2, 0.7])

LINALG = {
    "solve": [((A, v), {}), ((S, v), {"assume_a": "pos"}), ((A, Q), {"transposed": True}),
              ((A, Q), {"assume_a": "sym", "lower": True}), ((A, Q), {"assume_a": "upper triangular"})],
    "solve_triangular": [((A, v), {}), ((A, Q), {"lower": True, "trans": 1}), ((A, v), {"unit_diagonal": True, "trans": "T"})],
    "cholesky": [((S,), {}), ((S,), {"lower": True})],
    "inv": [((A,), {})], "det": [((A,), {})], "pinv": [((Q,), {})], "norm": [((A,), {}), ((v,), {"ord": 3})],
    "eigvals": [((A,), {})],
    "eigvalsh": [((S,), {}), ((S, S + np.diag(v**2)), {})], "svdvals": [((Q,), {})],
    "expm": [((A,), {}), ((B,), {})], "logm": [((A,), {})], "sqrtm": [((A,), {})], "sinm": [((A,), {})], "cosm": [((A,), {})],
    "sinhm": [((A,), {})], "coshm": [((A,), {})],
    "solve_sylvester": [((A, B, Q), {})], "solve_continuous_lyapunov": [((A, S), {})],
    "solve_discrete_lyapunov": [((A / 5, S), {})],
    "block_diag": [((A, v, Q), {})], "toeplitz": [((v,), {}), ((v, u), {})], "hankel": [((v,), {}), ((v, u), {})],
    "circulant": [((v,), {})],
}  # fmt: skip
x2, k2 = np.random.default_rng(0).normal(size=(4, 5)), np.random.default_rng(1).normal(size=(2, 3))
PAIRS = [(u, v), (v, u), (x2, k2), (k2, x2)]
MODES = ("full", "same", "valid")
SIGNAL = {
    name: [((a, b), {"mode": mode}) for a, b in (PAIRS[2:] if name == "convolve2d" else PAIRS) for mode in MODES]
    for name in ("convolve", "correlate", "fftconvolve", "oaconvolve", "convolve2d")
}
CASES = [
    pytest.param(own, ours, name, args, options, id=f"{name}-{i}")
    for own, ours, table in ((scipy.linalg, linalg, LINALG), (scipy.signal, signal, SIGNAL))
    for name, cases in table.items()
    for i, (args, options) in enumerate(cases)
]
FACTORS = {"cho_factor", "cho_solve", "eig", "eigh", "svd", "qr"}


@pytest.mark.parametrize(("own", "ours", "name", "args", "options"), CASES)
def test_values_are_scipys_and_derivatives_those_of_finite_differences(own, ours, name, args, options):
    function = getattr(ours, name)
    symmetric = name in ("cholesky", "eigvalsh")

    def derived(*args):
        if symmetric:
            args = [0.5 * (a + a.T) for a in args]
        return function(*args, **options)

    expected = getattr(own, name)(*args, **options)
    np.testing.assert_array_equal(function(*args, **options), expected)
    value, _ = cr.vjp(derived, *args)
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-12)
    check_grads(derived, args, order=2)


def test_eigenvalues_of_any_matrix_and_of_a_pair():
    value, _ = cr.vjp(linalg.eig, A)
    for found, expected in zip(value, scipy.linalg.eig(A), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for f in (lambda a, b: np.sum(np.abs(linalg.eigvals(a, b)) ** 2), lambda a, b: np.abs(linalg.eig(a, b)[0]).sum()):
        np.testing.assert_allclose(cr.vjp(f, A, S)[0], f(A, S), rtol=1e-11)
        check_grads(f, (A, S), order=2)


def test_all_that_stand_are_tried():
    assert set(linalg.standing.functions) <= set(LINALG) | FACTORS
    assert set(signal.standing.functions) <= set(SIGNAL)


@pytest.mark.parametrize("lower", [False, True])
def test_equations_by_choleskys_factor(lower):
    def solved(s, b):
        return linalg.cho_solve(linalg.cho_factor(0.5 * (s + s.T), lower=lower), b)

    np.testing.assert_allclose(cr.vjp(solved, S, v)[0], np.linalg.solve(S, v), rtol=1e-12)
    check_grads(solved, (S, v), order=2)


def test_factors():
    M = S + np.diag(v**2)
    check_grads(lambda s: linalg.eigh(0.5 * (s + s.T))[1] ** 2, (S,), order=2)
    check_grads(lambda s, t: linalg.eigh(0.5 * (s + s.T), 0.5 * (t + t.T))[1] ** 2, (S, M), order=1)
    check_grads(lambda q: linalg.svd(q, full_matrices=False)[0] ** 2, (Q,), order=1)
    check_grads(lambda q: linalg.qr(q, mode="economic")[1] ** 2, (Q,), order=2)
    with pytest.raises(UnsupportedError, match="mode='economic'"):
        cr.jvp(lambda q: linalg.qr(q)[1], (Q,), (Q,))


def test_batches_and_what_is_refused():
    stack = np.stack([A, A.T])
    np.testing.assert_allclose(cr.vmap(linalg.expm)(stack), [scipy.linalg.expm(a) for a in stack])
    with pytest.raises(MatrixError, match="is complex"):
        cr.grad(lambda a: np.sum(linalg.logm(a)))(-np.eye(2))
    with pytest.raises(DerivativeLostError):
        cr.grad(lambda a: np.sum(linalg.schur(a)[0]))(A)
    assert linalg.lu is scipy.linalg.lu
