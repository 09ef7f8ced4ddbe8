"""Eigenvalues, singular values, QR, least squares and norms: closed forms, identities, and what has no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from test_linear_algebra import derivatives, exact

import chainrule as cr
from chainrule.errors import ChainruleError, MatrixError, SettingError, ShapeError, UnsupportedError
from chainrule.ops import FUNCTIONS, decompositions
from chainrule.ops.decompositions import TALL, WIDE, remembered
from chainrule.ops.linear_algebra import POSITIVE, A
from chainrule.tracing import traced
from chainrule.tracing.numpy_interface import _function_of

POINT = np.array([[2.0, 0.75], [0.5, 1.25]])


def lower(x: Any) -> tuple[Any, Any, Any]:
    """The three numbers that are read of a symmetric matrix."""
    return x[0, 0], x[1, 0], x[1, 1]


def smaller_eigenvalue(x: Any) -> Any:
    a, b, d = lower(x)
    return (a + d) / 2 - sympy.sqrt(((a - d) / 2) ** 2 + b**2)


def projection(x: Any) -> Any:
    """An element of v·vᵀ for the smaller eigenvalue, in which the sign of v does not matter: −½ sin 2θ."""
    a, b, d = lower(x)
    return -b / sympy.sqrt((a - d) ** 2 + 4 * b**2)


def largest_singular_value(x: Any) -> Any:
    total, product = sum(e**2 for e in x), x.det()
    return (sympy.sqrt(total + 2 * product) + sympy.sqrt(total - 2 * product)) / 2


def left_projection(x: Any) -> Any:
    """u·uᵀ of the largest singular value: ½ sin 2θ for A·Aᵀ."""
    return -projection(x * x.T)


FORMULAS = {
    "eigvalsh": (lambda a: np.linalg.eigvalsh(a)[0], smaller_eigenvalue),
    "eigh, values": (lambda a: np.linalg.eigh(a)[0][0], smaller_eigenvalue),
    "eigh, upper": (lambda a: np.linalg.eigh(a, "U")[0][0], lambda x: smaller_eigenvalue(x.T)),
    "eigh, vectors": (lambda a: (lambda v: v[0, 0] * v[1, 0])(np.linalg.eigh(a)[1]), projection),
    "svd, values": (lambda a: np.linalg.svd(a)[1][0], largest_singular_value),
    "svdvals": (lambda a: np.linalg.svdvals(a)[0], largest_singular_value),
    "svd, U": (lambda a: (lambda u: u[0, 0] * u[1, 0])(np.linalg.svd(a)[0]), left_projection),
    "svd, V": (lambda a: (lambda v: v[0, 0] * v[0, 1])(np.linalg.svd(a)[2]), lambda x: left_projection(x.T)),
    "norm 2": (lambda a: np.linalg.norm(a, 2), largest_singular_value),
    "norm nuc": (lambda a: np.linalg.norm(a, "nuc"), lambda x: sympy.sqrt(sum(e**2 for e in x) + 2 * x.det())),
    "cond": (np.linalg.cond, lambda x: largest_singular_value(x) ** 2 / x.det()),
    "cond, fro": (lambda a: np.linalg.cond(a, "fro"), lambda x: sum(e**2 for e in x) / x.det()),
    "qr, R": (lambda a: np.linalg.qr(a)[1][1, 1] ** 2, lambda x: x.det() ** 2 / (x[0, 0] ** 2 + x[1, 0] ** 2)),
    "qr, Q": (
        lambda a: (lambda q: q[0, 0] * q[1, 0])(np.linalg.qr(a)[0]),
        lambda x: x[0, 0] * x[1, 0] / (x[0, 0] ** 2 + x[1, 0] ** 2),
    ),
    "pinv": (lambda a: np.linalg.pinv(a)[0, 1], lambda x: -x[0, 1] / x.det()),
    "pinv of a column": (
        lambda a: np.linalg.pinv(a[:, :1])[0, 1],
        lambda x: x[1, 0] / (x[0, 0] ** 2 + x[1, 0] ** 2),
    ),
    "pinv of a row": (lambda a: np.linalg.pinv(a[:1])[1, 0], lambda x: x[0, 1] / (x[0, 0] ** 2 + x[0, 1] ** 2)),
    "lstsq": (
        lambda a: np.linalg.lstsq(a[:, :1], np.array([1.0, -2.0]), rcond=None)[0][0],
        lambda x: (x[0, 0] - 2 * x[1, 0]) / (x[0, 0] ** 2 + x[1, 0] ** 2),
    ),
    "lstsq, the rest": (
        lambda a: np.linalg.lstsq(a[:, :1], a[:, 1], rcond=None)[1][0],
        lambda x: x.det() ** 2 / (x[0, 0] ** 2 + x[1, 0] ** 2),
    ),
    "lstsq, the shortest": (
        lambda a: np.linalg.lstsq(a[:1], a[1, :1], rcond=None)[0][1],
        lambda x: x[0, 1] * x[1, 0] / (x[0, 0] ** 2 + x[0, 1] ** 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", FORMULAS)
def test_every_order_in_every_mode_is_that_of_sympy(name: str, order: int) -> None:
    function, formula = FORMULAS[name]
    expected = exact(formula, POINT, order)
    for derivative in derivatives(function, order):
        np.testing.assert_allclose(derivative(POINT), expected, rtol=1e-9, atol=1e-11)


def rebuilt_svd(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return (u * s[..., None, :]) @ vh


def rebuilt_eigh(a: Any) -> Any:
    w, v = np.linalg.eigh(a @ np.swapaxes(a, -1, -2))
    return (v * w[..., None, :]) @ np.swapaxes(v, -1, -2)


def rebuilt_qr(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return q @ r


def whitened(a: Any) -> Any:
    """(A·Aᵀ)^(−½), by eigenvalues."""
    w, v = np.linalg.eigh(a @ a.T)
    return (v / np.sqrt(w)) @ v.T


IDENTITIES = {
    "U·S·Vᵀ = A": (rebuilt_svd, lambda a: a * 1.0),
    "V·Λ·Vᵀ = A·Aᵀ": (rebuilt_eigh, lambda a: a @ np.swapaxes(a, -1, -2)),
    "Q·R = A": (rebuilt_qr, lambda a: a * 1.0),
    "Σλ³": (lambda a: np.sum(np.linalg.eigvalsh(a @ a.T) ** 3), lambda a: np.trace(np.linalg.matrix_power(a @ a.T, 3))),
    "Σσ²": (lambda a: np.sum(np.linalg.svdvals(a) ** 2), lambda a: np.sum(a**2)),
    "A⁺ with independent rows": (
        lambda a: np.linalg.pinv(a if a.shape[0] <= a.shape[1] else a.T),
        lambda a: (lambda b: b.T @ np.linalg.inv(b @ b.T))(a if a.shape[0] <= a.shape[1] else a.T),
    ),
    "A·A⁺·A = A": (lambda a: a @ np.linalg.pinv(a) @ a, lambda a: a * 1.0),
    "|Ax − b|²": (
        lambda a: np.sum(np.linalg.lstsq(a, a[:, 0] ** 2, rcond=None)[0] ** 2),
        lambda a: np.sum((np.linalg.pinv(a) @ a[:, 0] ** 2) ** 2),
    ),
    "fro": (lambda a: np.linalg.norm(a, "fro"), lambda a: np.sqrt(np.sum(np.linalg.svdvals(a) ** 2))),
}  # fmt: skip


@pytest.mark.parametrize("shape", ["square", "tall", "wide"])
@pytest.mark.parametrize("name", IDENTITIES)
def test_identities_hold_for_derivatives(name: str, shape: str) -> None:
    point = {"square": A, "tall": TALL, "wide": WIDE}[shape]
    if "V·Λ·Vᵀ" in name and shape == "tall":
        point = A[:, :2] + np.outer([1.0, 0.5, -1.0], [0.3, 0.7])  # of rank 2: one eigenvalue is 0
    function, same = IDENTITIES[name]
    for order in (1, 2):
        for derivative, expected in zip(derivatives(function, order), derivatives(same, order), strict=True):
            np.testing.assert_allclose(derivative(point), expected(point), rtol=1e-9, atol=2e-9)


def test_a_root_of_a_matrix_to_third_order() -> None:
    """B = (A·Aᵀ)^(−½) from eigenvectors, against what follows from B·A·Aᵀ·B = 1, by differences of the second derivative."""
    second = cr.jacobian(cr.jacobian(lambda a: np.sum(whitened(a)[0])))
    third = cr.jacobian(second)(POINT)
    direction, h = np.array([[0.3, -0.2], [0.5, 0.7]]), 1e-5
    found = np.tensordot(third, direction, 2)
    np.testing.assert_allclose(
        found, (second(POINT + h * direction) - second(POINT - h * direction)) / (2 * h), rtol=1e-7
    )


# --- equal eigenvalues and singular values

_Q = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))[0]
REPEATED = {
    "identity": np.eye(3),
    "zeros": np.zeros((3, 3)),
    "two pairs": _Q @ np.diag([1.0, 1.0, 2.0, 2.0]) @ _Q.T,
    "one pair of zeros": _Q @ np.diag([0.0, 0.0, 1.0, 3.0]) @ _Q.T,
}


@pytest.mark.parametrize("name", REPEATED)
def test_symmetric_functions_of_equal_eigenvalues_have_their_derivatives(name: str) -> None:
    point = REPEATED[name]
    n = len(point)
    functions = [
        (lambda w: np.sum(w**3), lambda s: np.trace(s @ s @ s)),
        (lambda w: np.sum(np.log(w + 1.0)), lambda s: np.linalg.slogdet(s + np.eye(n))[1]),
        (lambda w: np.prod(w), np.linalg.det),
        (lambda w: np.sum(w**2) ** 2 + np.sum(w), lambda s: np.sum(s * s) ** 2 + np.trace(s)),
    ]
    for of_values, same in functions:
        for values, modes in (
            (np.linalg.eigvalsh, ("forward", "reverse")),
            (lambda a: np.linalg.eigh(a)[0], ("reverse",)),  # forward mode has the tangents of vectors as well
        ):
            for mode in modes:
                found = cr.jacobian(lambda a: of_values(values((a + a.T) / 2)), mode=mode)(point)  # noqa: B023
                expected = cr.jacobian(lambda a: same((a + a.T) / 2), mode=mode)(point)  # noqa: B023
                np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def test_singular_values_where_they_are_equal_or_zero() -> None:
    for point in (np.eye(3), np.zeros((3, 2)), np.diag([2.0, 0.0, 0.0]), TALL @ WIDE):
        for of_values, same in (
            (lambda s: np.sum(s**2), lambda a: np.sum(a**2)),
            (lambda s: np.sum(s**4), lambda a: np.sum((a.T @ a) ** 2)),
        ):
            for mode in ("forward", "reverse"):
                found = cr.jacobian(lambda a: of_values(np.linalg.svdvals(a)), mode=mode)(point)  # noqa: B023
                np.testing.assert_allclose(found, cr.grad(same)(point), rtol=1e-11, atol=1e-12)
    np.testing.assert_array_equal(cr.grad(lambda a: np.linalg.norm(a, "nuc"))(np.zeros((2, 2))), np.zeros((2, 2)))
    np.testing.assert_array_equal(cr.grad(lambda a: np.linalg.norm(a, 2))(np.zeros((2, 3))), np.zeros((2, 3)))


def test_second_derivatives_of_the_largest_value_where_others_are_equal() -> None:
    found = cr.jacobian(cr.grad(lambda a: np.linalg.eigvalsh(a)[-1]))(np.diag([3.0, 1.0, 1.0]))
    expected = np.zeros((3, 3, 3, 3))
    expected[1, 0, 1, 0] = expected[2, 0, 2, 0] = 2.0 / (3.0 - 1.0)  # of λ + Σ aᵢ₀²/(λ − λᵢ)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_vectors_of_other_values_do_not_matter() -> None:
    """The main direction of data of rank 2 in six dimensions: four eigenvalues are 0, whose vectors are not used."""
    data = np.random.default_rng(0).normal(size=(6, 2))

    def main_direction(x: Any) -> Any:
        v = np.linalg.eigh(x @ x.T)[1][:, -1]
        return v[0] * v[1]

    def by_the_small_matrix(x: Any) -> Any:
        u = x @ np.linalg.eigh(x.T @ x)[1][:, -1]
        return u[0] * u[1] / (u @ u)

    for derivative, expected in zip(derivatives(main_direction, 1), derivatives(by_the_small_matrix, 1), strict=True):
        np.testing.assert_allclose(derivative(data), expected(data), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda a: np.sum(np.linalg.eigh(a)[1][0]),
        lambda a: np.sum(np.linalg.svd(a)[0][0]),
        lambda a: whitened(a)[0, 1],
        lambda a: rebuilt_svd(a)[0, 1],
        lambda a: cr.jvp(lambda b: np.sum(np.linalg.eigvalsh(b) ** 2), (a,), (np.ones((3, 3)),))[1],
        lambda a: np.sum(cr.grad(lambda b: np.sum(np.linalg.eigvalsh(b) ** 2))(a) * np.arange(9.0).reshape(3, 3)),
        *(  # the first derivatives are 0, and so is what the vectors are multiplied by
            lambda a, values=values: np.sum(cr.grad(lambda b: np.sum(np.real(values(b) - 1) ** 2))(a) * np.arange(9.0).reshape(3, 3))
            for values in (np.linalg.eigvalsh, np.linalg.eigvals, np.linalg.svdvals)
        ),
        lambda a: cr.jvp(lambda b: np.sum((np.linalg.eigvalsh(b) - 1) ** 2), (a,), (np.ones((3, 3)),))[1],
    ],
)  # fmt: skip
def test_what_depends_on_the_basis_is_an_error(function: Any) -> None:
    for derivative in derivatives(function, 1):
        with pytest.raises(
            MatrixError, match=r"1 and 1 are equal to working precision.*eigvalsh.*np\.linalg\.det.*1e-6"
        ):
            derivative(np.eye(3))


# --- what of the vectors is used

_LOW = np.random.default_rng(11)
SINGLE = np.outer(_LOW.normal(size=3), _LOW.normal(size=3))
FLAT = _LOW.normal(size=(5, 2)) @ _LOW.normal(size=(2, 4))
WEIGHTS = _LOW.normal(size=(5, 5))


def weighted(a: Any) -> Any:
    return np.sum(WEIGHTS[: a.shape[0], : a.shape[1]] * a)


def of_symmetric(f: Any) -> Any:
    """V·f(Λ)·Vᵀ."""

    def rebuilt(a: Any) -> Any:
        w, v = np.linalg.eigh(a)
        return (v * f(w)) @ v.T

    return rebuilt


def rebuilt_eig(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return np.real((v * w) @ np.linalg.inv(v))


def rebuilt_once_more(a: Any) -> Any:
    """With the vectors given by another function, whose cotangents are numbers."""

    @cr.checkpoint
    def parts(a: Any) -> Any:
        return tuple(np.linalg.svd(a, full_matrices=False))

    u, s, vh = parts(a)
    return (u * s) @ vh


@pytest.mark.parametrize(
    ("rebuilt", "point"),
    [
        *((of_symmetric(f), np.diag([1.0, 0.0, 0.0])) for f in (lambda w: w * 1.0, np.sin, lambda w: w**2)),
        (of_symmetric(np.sin), np.zeros((3, 3))),
        (of_symmetric(lambda w: w - 1.0), np.diag([1.0, 1.0, 3.0])),
        *((rebuilt_svd, a) for a in (SINGLE, SINGLE[:, :2], SINGLE[:2], FLAT, FLAT.T, np.zeros((3, 2)), np.zeros((2, 2)))),
        (rebuilt_once_more, SINGLE),
        (lambda a: (lambda w, v: np.where(w > 0.5, v, 0.0) @ v.T)(*np.linalg.eigh(a)), np.diag([1.0, 0.0, 0.0])),
        *((rebuilt_eig, a) for a in (np.diag([1.0, 0.0, 0.0]), SINGLE)),
    ],
)  # fmt: skip
def test_vectors_that_are_multiplied_by_a_computed_zero_are_used(rebuilt: Any, point: Any) -> None:
    """Their cotangent is 0 as if they were not, and the derivative is not."""
    gradient = cr.grad(lambda a: weighted(rebuilt(a)))
    for way in (gradient, cr.jit(gradient, engine="auto")):
        with pytest.raises(
            MatrixError, match=r"equal to working precision, or 0.*take their columns first, as v\[:, -2:\]"
        ):
            way(point)
    with pytest.raises(MatrixError, match="equal to working precision, or 0"):
        cr.vmap(gradient)(np.stack([point, point]))


def top(v: Any) -> Any:
    return weighted(v @ v.T)


def by_order(a: Any) -> Any:
    w, v = np.linalg.eigh(a @ a.T)
    return top(v[:, np.argsort(w)[::-1]][:, :2])


def largest_of_any(a: Any) -> Any:
    w, v = np.linalg.eig(a @ a.T)
    return np.abs(v[0, np.argmax(np.abs(w))]) ** 2


def truncated(a: Any) -> Any:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return weighted((u[:, :2] * s[:2]) @ vh[:2] * np.sin(a))


USES = {
    "columns": lambda a: top(np.linalg.eigh(a @ a.T)[1][:, -2:]),
    "columns one by one": lambda a: (lambda v: top(v[:, -1:]) + 3.0 * top(v[:, -2:-1]))(np.linalg.eigh(a @ a.T)[1]),
    "rows of the transpose": lambda a: top(np.linalg.eigh(a @ a.T)[1].T[-2:].T),
    "in an order that is computed": by_order,
    "by plain numbers": lambda a: top(np.linalg.eigh(a @ a.T)[1] * np.array([0.0, 0.0, 0.0, 1.0, 1.0])),
    "by a plain matrix": lambda a: top(np.linalg.eigh(a @ a.T)[1] @ np.eye(5, 2, -3)),
    "projections": lambda a: np.sum((a.T @ np.linalg.eigh(a @ a.T)[1])[:, -1] ** 4),
    "sums of columns": lambda a: np.sum(np.linalg.eigh(a @ a.T)[1], axis=0)[-1] ** 2,
    "values alone": lambda a: np.sum(np.linalg.eigh(a @ a.T)[0] ** 3),
    "values beside a vector": lambda a: (lambda w, v: np.sum(w**3) * v[0, -1] ** 2)(*np.linalg.eigh(a @ a.T)),
    "bases": lambda a: (lambda u, s, vh: top(u[:, :2]) * top(vh[:2].T) + np.sum(s**2))(*np.linalg.svd(a)),
    "truncated": truncated,
    "of any matrix": largest_of_any,
}  # fmt: skip


@pytest.mark.parametrize("name", USES)
def test_vectors_that_are_not_used_may_be_of_equal_values(name: str) -> None:
    """Of a 5×4 matrix of rank 2, against differences."""
    function, h = USES[name], 1e-5
    expected = np.zeros_like(FLAT)
    for i in np.ndindex(*FLAT.shape):
        step = np.zeros_like(FLAT)
        step[i] = h
        expected[i] = (function(FLAT + step) - function(FLAT - step)) / (2 * h)
    gradient = cr.grad(function)
    for found in (
        gradient(FLAT),
        cr.jit(gradient, engine="auto")(FLAT),
        cr.vmap(gradient)(np.stack([FLAT, FLAT]))[1],
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())


def test_what_is_asked_of_a_pullback_is_used() -> None:
    _, pullback = cr.vjp(lambda a: np.linalg.eigh(a)[1], np.diag([1.0, 0.0, 0.0]))
    with pytest.raises(MatrixError, match="0 and 0 are equal"):
        pullback(np.zeros((3, 3)))


def test_second_derivatives_of_a_norm_where_other_singular_values_are_equal() -> None:
    """Of σ₁ + Σ (aᵢ₀² + a₀ᵢ²)·σ₁/2(σ₁² − σᵢ²) + aᵢ₀·a₀ᵢ·σᵢ/(σ₁² − σᵢ²) at diag(3, 1, 1)."""
    found = cr.jacobian(cr.jacobian(lambda a: np.linalg.norm(a, 2), mode="forward"), mode="reverse")(
        np.diag([3.0, 1.0, 1.0])
    )
    expected = np.zeros((3, 3, 3, 3))
    for i in (1, 2):
        expected[i, 0, i, 0] = expected[0, i, 0, i] = 3.0 / 8.0
        expected[i, 0, 0, i] = expected[0, i, i, 0] = 1.0 / 8.0
    np.testing.assert_allclose(found, expected, atol=1e-12)


# --- what is remembered, batches, and what cannot be


def test_a_decomposition_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda *args: calls.append(1) or original(*args))
    point = POSITIVE + np.eye(3) * 0.123
    cr.grad(lambda a: (lambda w, v: np.sum(w) + np.sum(v**3))(*FUNCTIONS["linalg.eigh"].implementation(traced, a)))(
        point
    )
    assert len(calls) == 1
    first = decompositions.eigenvalues.evaluate(point)
    first[:] = np.nan  # what is given is the caller's
    assert np.isfinite(decompositions.eigenvalues.evaluate(point)).all()


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompositions, "ROOM", 5)
    seen: list[int] = []
    parts = remembered(lambda a: seen.append(a.size) or (a * 2.0,))
    for x in (np.ones(3), np.ones(3), np.ones(2), np.ones(3), np.ones(4), np.ones(3), np.ones(9), np.ones(9)):
        np.testing.assert_array_equal(parts(x)[0], x * 2.0)
    assert seen == [3, 2, 4, 3, 9, 9]


def test_zeros_with_signs_are_told_apart() -> None:
    """What is remembered goes by bits, so −0 is not 0."""
    seen = []
    parts = remembered(lambda a: seen.append(1) or (a,))
    for x in (np.zeros(2), -np.zeros(2), np.zeros(2)):
        assert np.signbit(parts(x)[0]).tolist() == np.signbit(x).tolist()
    assert len(seen) == 2


def test_a_batch_is_its_members() -> None:
    many = np.random.default_rng(1).normal(size=(2, 3, 4, 3))
    for function in (
        rebuilt_svd,
        rebuilt_qr,
        np.linalg.pinv,
        lambda a: np.linalg.norm(a, 2, axis=(-2, -1)),
        np.linalg.cond,
    ):
        gradient = cr.grad(lambda a, function=function: np.sum(np.sin(function(a))))
        found, mapped = gradient(many), cr.vmap(cr.vmap(gradient))(many)
        for i in np.ndindex(2, 3):
            np.testing.assert_allclose(found[i], gradient(many[i]), rtol=1e-9, atol=1e-11)
            np.testing.assert_allclose(mapped[i], found[i], rtol=1e-9, atol=1e-11)


ERRORS = [
    (lambda a: np.linalg.svd(a, hermitian=True)[1], np.eye(2), UnsupportedError, "hermitian=True.*leave it out"),
    (lambda a: np.linalg.qr(a, "raw")[0], TALL, UnsupportedError, "'raw'.*use 'reduced'"),
    (lambda a: np.linalg.qr(a)[0], np.ones((2, 2)), MatrixError, "depend on each other"),
    (lambda a: np.linalg.pinv(a, hermitian=True), np.eye(2), UnsupportedError, "leave it out"),
    (lambda a: np.linalg.pinv(a, np.array([0.1, 0.2])), np.stack([A, A]), UnsupportedError, "give one number"),
    (lambda a: np.linalg.lstsq(a, np.ones(2), rcond=None)[0], TALL, ShapeError, "as many rows"),
    (lambda a: np.linalg.eigh(a, "M")[0], np.eye(2), SettingError, "'L' or 'U'"),
    (lambda a: np.linalg.norm(a, "nuc"), np.ones(3), SettingError, "'nuc'.*leave ord out"),
    (lambda a: np.linalg.norm(a, 3), np.eye(2), SettingError, "ord=3.*'nuc'"),
    (lambda a: np.linalg.norm(a, 1), np.ones((2, 2, 2)), SettingError, "name one axis or two"),
    (lambda a: np.linalg.outer(a, a), np.eye(2), ShapeError, r"np\.outer"),
    (lambda a: np.linalg.cross(a, a), np.eye(2), ShapeError, "3 numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "point", "error", "says"), ERRORS)
def test_what_cannot_be_is_told(call: Any, point: Any, error: Any, says: str) -> None:
    for derivative in (lambda: cr.grad(lambda a: np.sum(call(a)))(point), lambda: cr.jvp(call, (point,), (point,))):
        with pytest.raises(error, match=says) as found:
            derivative()
        assert isinstance(found.value, ChainruleError)
        assert str(found.value).endswith(".")


def test_everything_in_numpys_namespace_is_there() -> None:
    there = {name for name in np.linalg.__all__ if name != "LinAlgError" and _function_of(getattr(np.linalg, name))}
    assert there == set(np.linalg.__all__) - {"LinAlgError"}
