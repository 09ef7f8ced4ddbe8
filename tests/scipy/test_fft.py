"""`scipy.fft`: SciPy's values, and derivatives in both modes to second order against finite differences."""

import inspect

import numpy as np
import pytest
import scipy.fft

import chainrule as cr
from chainrule.errors import SettingError, ShapeError
from chainrule.scipy import fft

LINE, SHEET = np.random.default_rng(0).normal(size=7), np.random.default_rng(1).normal(size=(4, 6))
COMPLEX = SHEET[:, :3] + 1j * SHEET[:, 3:]
TYPES = [
    {"type": type, "norm": norm, **more}
    for type in (1, 2, 3, 4)
    for norm in (None, "ortho", "forward")
    for more in ({}, {"orthogonalize": norm is None})
]
CASES = [
    *((name, (x,), options) for name in ("fft", "ifft", "hfft", "irfft")
      for x, options in ((COMPLEX, {}), (COMPLEX, {"axis": 0, "norm": "ortho"}), (COMPLEX, {"n": 5}))),
    *((name, (SHEET,), options) for name in ("fft", "rfft", "ihfft") for options in ({}, {"n": 5, "axis": 0})),
    *((name, (COMPLEX,), options) for name in ("fft2", "ifft2", "irfft2", "fftn", "ifftn", "irfftn")
      for options in ({}, {"norm": "forward"}, {"s": (3, 4)})),
    *((name, (SHEET,), options) for name in ("rfft2", "rfftn") for options in ({}, {"s": (3, 4)})),
    *((name, (SHEET,), options) for name in ("fftshift", "ifftshift") for options in ({}, {"axes": 1})),
    *((name, (LINE,), options) for name in ("dct", "idct", "dst", "idst") for options in TYPES),
    *((name, (SHEET,), options) for name in ("dct", "idst") for options in ({"axis": 0}, {"n": 4}, {"n": 8})),
    *((name, (SHEET,), options) for name in ("dctn", "idctn", "dstn", "idstn")
      for options in ({}, {"norm": "ortho"}, {"axes": (0,)}, {"s": (3,)}, {"type": 3, "s": (5, 3)})),
    ("dct", (COMPLEX,), {}), ("dct", (COMPLEX,), {"type": 3, "orthogonalize": True}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "options"), CASES)
def test_values_are_scipys_and_derivatives_those_of_finite_differences(name, args, options):
    expected = getattr(scipy.fft, name)(*args, **options)
    function = lambda *x: getattr(fft, name)(*x, **options)  # noqa: E731
    np.testing.assert_array_equal(function(*args), expected)
    np.testing.assert_allclose(cr.vjp(function, *args)[0], expected, rtol=1e-12, atol=1e-14)
    cr.check_grads(function, args, order=2)


def test_all_that_stand_are_tried_and_take_scipys_arguments():
    assert {case[0] for case in CASES} == set(fft.standing.functions)
    for name, derived in fft.standing.derived.items():
        signatures = [inspect.signature(f) for f in (derived, getattr(scipy.fft, name))]
        assert [*signatures[0].parameters] == [*signatures[1].parameters], name
    assert fft.fftfreq is scipy.fft.fftfreq


def test_batches_and_compiled_functions():
    loss = lambda x: np.sum(fft.dct(x, norm="ortho")[..., :3] ** 2) + np.sum(np.abs(fft.rfft(x)))  # noqa: E731
    gradient = cr.grad(loss)
    np.testing.assert_allclose(cr.vmap(gradient)(SHEET), [gradient(x) for x in SHEET], rtol=1e-12)
    np.testing.assert_allclose(cr.jit(gradient, engine="auto")(LINE), gradient(LINE), rtol=1e-12)
    assert cr.grad(lambda x: np.sum(fft.dct(x) ** 2))(LINE.astype(np.float32)).dtype == np.float32
    with pytest.raises(SettingError, match=r"type=5.*give a type from 1 to 4"):
        gradient = cr.grad(lambda x: np.sum(fft.dct(x, 5)))(LINE)
    for call in (lambda x: fft.idct(x, n=0), lambda x: fft.dct(x, 1, n=1), lambda x: fft.idst(x, n=0)):
        with pytest.raises(ShapeError, match="takes at least"):
            cr.vjp(call, LINE)


@pytest.mark.parametrize("name", fft.standing.functions)
def test_half_precision_is_computed_in_single(name):
    half = SHEET.astype(np.float16)
    value = cr.vjp(getattr(fft, name), half)[0]
    expected = getattr(scipy.fft, name)(half)
    assert value.dtype == expected.dtype
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)
