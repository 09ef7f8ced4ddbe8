"""`scan` and `loop` against the loops of Python that they stand for: values, all derivatives, batches, engines."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.errors import InPlaceError, LeakedValueError, SettingError, ShapeError, TracingError, UnsupportedError
from chainrule.tracing import trees
from chainrule.tracing.identity import identity
from trying import ENGINES, examples


def python_scan(function: Any, state: Any, xs: Any, *, length: int | None = None, reverse: bool = False) -> Any:
    """What `scan` stands for."""
    rows, structure = trees.flatten(xs)
    count = rows[0].shape[0] if rows else length
    collected = []
    for i in reversed(range(count)) if reverse else range(count):
        state, y = function(state, trees.unflatten(structure, [x[i] for x in rows]))
        collected.append(y)
    if reverse:
        collected.reverse()
    return state, trees.map_leaves(lambda *each: np.stack(each), *collected) if trees.flatten(collected)[0] else None


def recurrent(scan: Any, w: Any, x: Any) -> Any:
    """Two states, two results, values of the outside."""

    def step(state: Any, row: Any) -> Any:
        h, total = state
        new = np.tanh(w @ h + row)
        return (new, total + np.sum(new * h)), {"h": h * 2, "sum": np.sum(new)}

    (h, total), found = scan(step, (np.zeros(3), 0.0), x)
    return np.sum(found["h"] ** 2) + np.sum(found["sum"] * np.arange(len(x))) + np.sum(h) * total


def written(scan: Any, w: Any, x: Any) -> Any:
    """A state that is written to, and a row."""

    def step(state: Any, row: Any) -> Any:
        row = row + 0 * w[0]  # of the same kind, wherever the derivative goes by
        state[0] = state[1] * row[2]
        row[1:] += state[:2]
        state += w[:, 0]
        return state, row

    state, found = scan(step, w[0] + 0 * x[0], x)
    return np.sum(np.sin(found)) + np.sum(state * x[0])


def swapped(scan: Any, w: Any, x: Any) -> Any:
    """States that change places, one that stays, and nothing collected."""

    def step(state: Any, row: Any) -> Any:
        a, b, kept = state
        return (b, a * row + kept, kept), None

    (a, b, _), _ = scan(step, (w[0], w[1], w[2]), x, reverse=True)
    return np.sum(np.sin(a) * b)


def nested(scan: Any, w: Any, x: Any) -> Any:
    """A loop in a loop, which uses what is outside of both."""

    def step(state: Any, row: Any) -> Any:
        inner, path = scan(lambda s, r: (np.sin(s * r + state) * w[0], s + row), row, w)
        return state + np.mean(inner), path[:, 1]

    state, paths = scan(step, np.zeros(3), x)
    return np.sum(state**2) + np.sum(paths * 0.3)


def counted(scan: Any, w: Any, x: Any) -> Any:
    """Whole numbers and truth values beside real ones, more than a float64 holds of them."""

    def step(state: Any, row: Any) -> Any:
        i, s, sign = state
        s = np.where(sign, s * row, s + row)
        return (i + 3, s, s > 0), (i, s > 0.5, s * (i - 2**60))

    (i, s, sign), (path, where, scaled) = scan(step, (2**60 + 1, w[0], x[0] > 0), x)
    weight = (i - 2**60) * 1.0 + np.sum(path % 7) + np.sum(where) + np.sum(sign)
    return np.sum(s) * weight + np.sum(scaled)


def complex_steps(scan: Any, w: Any, x: Any) -> Any:
    """Complex numbers beside real ones."""

    def step(state: Any, row: Any) -> Any:
        z, r = state
        z = z * np.exp(1j * row) + r
        return (z, np.abs(z) / 2), np.real(z * 1j)

    (z, r), path = scan(step, (w[0] * (1.0 + 0.5j), w[1]), x)
    return np.sum(np.imag(z) * r) + np.sum(path**2)


def turned(scan: Any, w: Any, x: Any) -> Any:
    """States that are views of old ones, of themselves and of each other."""

    def step(state: Any, row: Any) -> Any:
        a, b, c = state
        return (c * 2 + row, a[::-1], c.T[::-1]), (b, c)

    (a, b, c), (path, others) = scan(step, (w, w * x[0], w[:, ::-1]), x)
    return np.sum(np.sin(a) * b) + np.sum(c * w) + np.sum(path * np.cos(others))


CASES = [recurrent, written, swapped, turned, nested, counted, complex_steps]


def arguments(steps: int = 4, seed: int = 0) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    return random.uniform(-1, 1, (3, 3)), random.uniform(-1, 1, (steps, 3))


@pytest.mark.parametrize("case", CASES)
def test_is_the_loop_in_python(case: Any) -> None:
    args = arguments()
    own, plain = partial(case, cr.scan), partial(case, python_scan)
    np.testing.assert_allclose(own(*args), plain(*args), rtol=1e-13)
    for transform in (cr.grad, cr.jacobian):
        for found, expected in zip(transform(own, (0, 1))(*args), transform(plain, (0, 1))(*args), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    cr.check_grads(own, args, order=1)


@pytest.mark.parametrize("case", CASES)
def test_second_derivatives(case: Any) -> None:
    args = arguments(3)
    own, plain = partial(case, cr.scan), partial(case, python_scan)
    if case is not complex_steps:
        np.testing.assert_allclose(cr.hessian(own)(*args), cr.hessian(plain)(*args), rtol=1e-11, atol=1e-12)
    along = np.ones((3, 3))
    forward_over_reverse = [
        cr.jvp(lambda w, f=f: cr.grad(f)(w, args[1]), (args[0],), (along,))[1] for f in (own, plain)
    ]
    reverse_over_forward = cr.grad(lambda w: cr.jvp(lambda v: own(v, args[1]), (w,), (along,))[1])(args[0])
    np.testing.assert_allclose(*forward_over_reverse, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(reverse_over_forward, forward_over_reverse[1], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_batches(case: Any) -> None:
    w, x = arguments(3)
    many = np.stack([w, 2 * w, w - 1])
    for axes, args, members in (
        ((0, None), (many, x), [(v, x) for v in many]),
        ((None, 1), (w, np.stack([x, -x], 1)), [(w, x), (w, -x)]),
    ):
        plain = partial(case, python_scan)
        found = cr.vmap(partial(case, cr.scan), axes)(*args)
        np.testing.assert_allclose(found, [plain(*each) for each in members], rtol=1e-12)
        found = cr.vmap(cr.grad(partial(case, cr.scan)), axes)(*args)
        np.testing.assert_allclose(found, [cr.grad(plain)(*each) for each in members], rtol=1e-11, atol=1e-12)
        of_all = cr.grad(lambda w, x, axes=axes: np.sum(cr.vmap(partial(case, cr.scan), axes)(w, x)), 1)(*args)
        each = [cr.grad(plain, 1)(*own) for own in members]
        expected = np.sum(each, axis=0) if axes[1] is None else np.stack(each, axis=1)
        np.testing.assert_allclose(of_all, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_every_engine(case: Any, engine: str) -> None:
    args = arguments()
    own = partial(case, cr.scan)
    several = args[0], np.stack([args[1], args[1] / 2], 1)
    for function, inputs in ((own, args), (cr.grad(own, (0, 1)), args), (cr.vmap(cr.grad(own), (None, 1)), several)):
        found, expected = cr.jit(function, engine=engine)(*inputs), function(*inputs)
        for a, b in zip(trees.flatten(found)[0], trees.flatten(expected)[0], strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


KINDS = ["float64", "float32", "int64", "int32", "bool", "uint64"]


@examples(30)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    row_kind=st.sampled_from(KINDS),
    shape=st.sampled_from([(), (2,), (1, 3), (2, 1, 2)]),
    length=st.integers(0, 5),
    reverse=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_kinds_and_shapes(kinds: Any, row_kind: str, shape: Any, length: int, reverse: bool, seed: int) -> None:
    random = np.random.default_rng(seed)

    def numbers(kind: str, shape: Any) -> Any:
        return np.asarray(random.integers(0, 2 if kind == "bool" else 100, shape)).astype(kind)

    state = [numbers(kind, shape) for kind in kinds]
    xs = {"row": numbers(row_kind, (length, *shape)), "number": np.arange(length)}

    def step(state: Any, x: Any) -> Any:
        new = [np.where(x["row"] > 50, s, s[...][::-1] if s.shape else s) for s in state[1:] + state[:1]]
        new = [(s + x["row"].astype(s.dtype)).astype(old.dtype) for s, old in zip(new, state, strict=True)]
        return new, (state[0], [x["row"], x["number"]])

    last, (first, rest) = cr.scan(step, state, xs, reverse=reverse)
    if not length:
        for a, b in zip(last, state, strict=True):
            np.testing.assert_array_equal(a, b)
        assert first.shape == (0, *shape)
        return
    expected, (path, others) = python_scan(step, state, xs, reverse=reverse)
    for a, b in zip([*last, first, *rest], [*expected, path, *others], strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
    compiled = cr.jit(lambda state, xs: cr.scan(step, state, xs, reverse=reverse))(state, xs)
    for a, b in zip(trees.flatten(compiled)[0], trees.flatten((expected, (path, others)))[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_numbers_take_the_dtype_of_what_they_meet() -> None:
    x = np.ones((3, 2), np.float32)
    last, path = cr.scan(lambda s, r: (s + r, s), 0, x[:, 0])
    assert last == 3
    assert (last.dtype, path.dtype) == (np.float32, np.float32)
    assert cr.loop(lambda s, i: s + i, 1, 4) == 7
    assert cr.loop(lambda s, i: s * 0.5, 1, 2) == 0.25


def test_the_number_of_equations_does_not_grow() -> None:
    def count(steps: int) -> int:
        program = cr.trace(cr.grad(partial(recurrent, cr.scan)), *arguments(steps))
        return len(str(program).splitlines())

    assert count(3) == count(300)


def test_a_derivative_keeps_no_sums_for_every_step() -> None:
    """The cotangent of what all steps share is one array, however many steps there are."""
    w = np.ones((100, 100))
    x = np.zeros((200, 100))
    program = cr.trace(cr.grad(lambda w: np.sum(cr.scan(lambda s, r: (np.tanh(w @ s + r), None), x[0], x)[0])), w)
    assert max(e.output.type.size for e in program.equations) < 10 * x.size + 2 * w.size


def test_forward_mode_keeps_no_states() -> None:
    x = np.linspace(-1.0, 1.0, 50)
    end = lambda w: np.sum(cr.loop(lambda s, i: np.tanh(w * s[::-1] + i), x, 300))  # noqa: E731
    program = cr.trace(lambda w: cr.jvp(end, (w,), (w,)), x)
    assert max(e.output.type.size for e in program.equations) < 10 * x.size
    step = 1e-6
    np.testing.assert_allclose(
        cr.jvp(end, (x,), (x,))[1], (end(x + step * x) - end(x - step * x)) / (2 * step), rtol=1e-5
    )


def test_equal_loops_have_equal_identities() -> None:
    def program(**changed: Any) -> Any:
        own = {"factor": 2.0, "length": 3, "reverse": False, "constant": 1.0} | changed
        array = np.full(3, own["constant"])
        step = lambda s, _: (s * own["factor"] + array, s)  # noqa: E731
        return cr.trace(lambda x: cr.scan(step, x, length=own["length"], reverse=own["reverse"]), np.ones(3))

    assert identity(program()) == identity(program()) != None  # noqa: E711
    for changed in ({"factor": 3.0}, {"length": 4}, {"reverse": True}, {"constant": 2.0}):
        assert identity(program()) != identity(program(**changed))


def test_is_explained_step_by_step() -> None:
    grown = cr.explain(lambda r: cr.loop(lambda s, i: s * (1 + r), 100.0, 3))(0.05)
    assert grown.value == pytest.approx(300 * 1.05**2)
    assert "product rule" in str(grown)
    program = cr.trace(lambda s: cr.loop(lambda s, i: np.sin(s), s, 3), 1.0, stepwise=True)
    assert [e.op.name for e in program.equations].count("sin") == 3


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (SettingError, lambda: cr.scan(np.zeros(3), 0.0, np.ones(3))),
        (SettingError, lambda: cr.scan(lambda s, x: s, 0.0, np.ones(3))),
        (SettingError, lambda: cr.scan(lambda s, x: (s, x), 0.0)),
        (SettingError, lambda: cr.scan(lambda s, x: (s, x), 0.0, length=-1)),
        (SettingError, lambda: cr.loop(lambda s, i: s, 0.0, 2.5)),
        (SettingError, lambda: cr.loop(lambda s, i: s * 2, 2**70, 2)),
        (ShapeError, lambda: cr.scan(lambda s, x: (s, x), 0.0, 1.0)),
        (ShapeError, lambda: cr.scan(lambda s, x: (s, x), 0.0, (np.ones(3), np.ones(4)))),
        (ShapeError, lambda: cr.scan(lambda s, x: (s, x), 0.0, np.ones(3), length=4)),
        (ShapeError, lambda: cr.scan(lambda s, x: (np.stack([s, s]), x), 0.0, np.ones(3))),
        (ShapeError, lambda: cr.scan(lambda s, x: ((s, s), x), 0.0, np.ones(3))),
        (ShapeError, lambda: cr.scan(lambda s, x: (s, x), 0.0, [1.0, 2.0])),
        (TracingError, lambda: cr.scan(lambda s, x: (s, x), 0.0, np.array(["a"]))),
        (TracingError, lambda: cr.loop(lambda s, i: s, np.array([None]), 2)),
        (TracingError, lambda: cr.scan(lambda s, x: (s if s > 0 else x, x), 0.0, np.ones(3))),
        (
            InPlaceError,
            lambda: cr.grad(lambda w: cr.scan(lambda s, x: (w.__iadd__(s), x), w, np.ones(3))[0].sum())(np.ones(2)),
        ),
    ],
)
def test_errors_name_the_cause(error: Any, call: Any) -> None:
    with pytest.raises(error):
        call()


def test_numbers_stay_numbers() -> None:
    square = lambda a: cr.loop(lambda s, i: s * a, a, 1)  # noqa: E731
    found = square(3.0), *cr.value_and_grad(square)(3.0), *cr.jvp(square, (3.0,), (1.0,)), cr.jit(square)(3.0)
    assert found == (9, 9, 6, 9, 6, 9)
    assert set(map(type, found)) == {np.float64}


def test_a_loop_of_nothing_gives_nothing() -> None:
    assert cr.loop(lambda s, i: None, None, 3) is None
    assert cr.scan(lambda s, x: ({}, None), {}, np.ones(3)) == ({}, None)
    above = lambda x: cr.scan(lambda n, r: (n + (r > 0), None), 0, x)[0] * np.sum(x)  # noqa: E731
    x = np.array([1.0, -2.0, 3.0])
    np.testing.assert_array_equal(cr.grad(above)(x), [2, 2, 2])
    assert cr.jvp(above, (x,), (x,)) == (4, 4)


def test_bytes_in_any_order() -> None:
    x = np.arange(6.0).reshape(3, 2)
    last, rows = cr.scan(lambda s, r: (s * r, r), x[1].astype(">f8"), x.astype(">f8"))
    assert last.dtype == rows.dtype == np.dtype("=f8")
    np.testing.assert_array_equal(rows, x)


def test_integers_to_powers_that_change_with_the_steps_have_no_machine_code() -> None:
    """NumPy refuses negative ones, and nobody could look before."""
    for function in (
        lambda n: cr.loop(lambda s, i: s + 2 ** (i - 1), n, 3),
        lambda n: cr.loop(lambda s, i: 2**s, n, 3),
    ):
        with pytest.raises(UnsupportedError, match="power"):
            cr.jit(function)(0)
    assert cr.jit(lambda n: cr.loop(lambda s, i: s + 2**n, n, 3))(3) == 27


def test_a_body_shows_how_it_is_compiled() -> None:
    fast, w = cr.jit(lambda w: cr.loop(lambda s, i: np.tanh(w @ s), w[0], 3)), np.eye(3)
    assert "contraction over 3" in fast.inspect("loops", w)
    loop = fast.inspect("program", w).split(": float64[3] = loop")[0].split()[-1]
    assert f"{loop}." in fast.inspect("memory", w)


def test_what_the_body_writes_into_values_of_the_outside_is_refused() -> None:
    def function(a: Any) -> Any:
        total = a * 1.0

        def step(s: Any, i: Any) -> Any:
            np.add(total, 1.0, out=total) if not isinstance(total, np.ndarray) else None
            return s * total

        return np.sum(cr.loop(step, a, 3))

    for transform in (cr.grad, cr.jit, cr.vmap):
        with pytest.raises(InPlaceError):
            transform(function)(np.ones((2, 2)))


def test_a_value_that_leaves_the_body_is_refused() -> None:
    kept = []
    with pytest.raises(LeakedValueError):
        cr.grad(lambda w: cr.scan(lambda s, x: (kept.append(s) or s * w, x), w, np.ones(3))[0] * kept[0])(1.0)
