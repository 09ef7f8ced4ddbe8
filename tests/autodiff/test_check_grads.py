"""`check_grads` accepts what is right and names what is wrong."""

import re

import numpy as np
import pytest

import chainrule as cr
from chainrule.autodiff import check_grads, grad
from chainrule.errors import DifferentiationError, GradientMismatchError, SettingError
from chainrule.tracing.functions import stop_gradient


def test_accepts_right_derivatives():
    check_grads(lambda x: np.tanh(x) * x, (np.array([0.5, -1.0]),), order=3)
    check_grads(lambda p, q: {"a": p["w"] @ q, "b": [np.sum(q)]}, ({"w": np.ones((2, 3))}, np.arange(3.0)))
    check_grads(np.sum, [np.ones(3, np.float32)], modes=("reverse",))
    check_grads(lambda x: 3.0, (1.0,))
    check_grads(np.argmax, (np.array([1.0, 2.0]),))


def wrong(x):
    """2x³ by value, but only one of the three factors is seen: derivative 2x² in place of 6x²."""
    return 2 * x * stop_gradient(x) ** 2


def test_names_the_argument_the_index_and_both_numbers():
    x = np.array([[0.0, 0.0], [2.0, 0.0]])
    with pytest.raises(GradientMismatchError) as error:
        check_grads(lambda p: np.sum(wrong(p["w"])), ({"w": x},), modes=("reverse",))
    message = str(error.value)
    assert "argument 0.w at [1, 0]" in message
    derivative, difference = map(
        float, re.search(r"derivative is (\S+), the finite difference (\S+),", message).groups()
    )
    assert difference == pytest.approx(3 * derivative, rel=1e-5)
    assert "relative error 0.667" in message
    assert re.search(r"allowed: \S+e-\d\d \+ 1e-05 relative", message)


@pytest.mark.parametrize(("argument", "place"), [(0, 0), (0, 2), (1, 0), (1, 1), (2, 0)])
def test_the_first_and_last_numbers_of_every_argument_are_named(argument, place):
    args = np.ones(3), np.ones(2), np.ones(1)

    def function(*xs):
        return sum(np.sum(x) for x in xs) + wrong(xs[argument][place])

    with pytest.raises(GradientMismatchError, match=re.escape(f"argument {argument} at [{place}]")):
        check_grads(function, args, modes=("reverse",))


def test_directions_have_about_unit_length_however_many_numbers_there_are():
    """Along longer ones a step of `eps` would leave the neighbourhood in which a curved function is nearly straight."""
    check_grads(lambda x: np.sum(np.sin(30.0 * x)), (np.linspace(0.0, 1.0, 10_000),), order=1, eps=1e-3)


@pytest.mark.parametrize(
    ("modes", "named"),
    [(("forward",), "forward mode"), (("reverse",), "reverse mode"), (("forward", "reverse"), "forward mode")],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finds_wrong_derivatives_in_each_mode(modes, named, dtype):
    with pytest.raises(GradientMismatchError, match=named):
        check_grads(wrong, (np.array(1.5, dtype),), modes=modes, order=1)


def test_finds_derivatives_that_are_right_only_along_the_diagonal():
    """Value x₀ + x₁, derivative (2, 0) in place of (1, 1)."""

    def skewed(x):
        return 2 * x[0] + stop_gradient(x[1] - x[0])

    for mode in ("forward", "reverse"):
        with pytest.raises(GradientMismatchError):
            check_grads(skewed, (np.array([1.0, 2.0]),), order=1, modes=(mode,))


def test_finds_derivatives_that_are_wrong_only_in_second_order():
    """Value and first derivative of x² are right at every x; the second derivative is lost."""

    def lossy(x):
        fixed = stop_gradient(x)
        return fixed**2 + 2 * fixed * (x - fixed)

    check_grads(lossy, (1.5,), order=1)
    for mode in ("forward", "reverse"):
        with pytest.raises(GradientMismatchError, match="derivative of"):
            check_grads(lossy, (1.5,), order=2, modes=(mode,))


def test_nan_is_a_difference():
    with np.errstate(invalid="ignore"), pytest.raises(GradientMismatchError):
        check_grads(lambda x: np.log(x) * np.nan, (2.0,))


def test_tolerance_and_step():
    almost = lambda x: x + 1e-3 * stop_gradient(x)  # noqa: E731
    check_grads(almost, (2.0,), atol=1e-2, order=1)
    with pytest.raises(GradientMismatchError, match="allowed: 1e-07"):
        check_grads(almost, (2.0,), atol=1e-7, rtol=0.0, order=1)
    with pytest.raises(GradientMismatchError):
        check_grads(np.abs, (0.05,), eps=10.0, order=1)  # so wide a step crosses the kink
    check_grads(np.abs, (0.05,), eps=1e-3, order=1)


def test_strongly_curved_functions_are_no_reason_to_complain():
    """A difference of second order would err by 4e-5 here, more than is allowed."""
    check_grads(lambda x: np.sin(600.0 * x), (np.array(0.0),), order=1)
    check_grads(lambda x: np.exp(600.0 * x), (np.array(0.0),), order=1)


def test_modes_go_by_short_names_too():
    for modes in (("fwd",), ("rev",), ("fwd", "rev"), "fwd", "reverse"):
        check_grads(np.sin, (1.0,), modes=modes)
        with pytest.raises(GradientMismatchError):
            check_grads(wrong, (1.5,), modes=modes, order=1)


def test_settings_are_checked():
    with pytest.raises(SettingError, match="mode='sideways'; use 'forward' or 'reverse'"):
        check_grads(np.sin, (1.0,), modes=("sideways",))
    with pytest.raises(DifferentiationError, match="integers"):
        check_grads(np.sin, (1,))


@pytest.mark.parametrize("order", [0, -1, 1.5, True])
def test_an_order_that_checks_nothing_is_refused(order):
    with pytest.raises(SettingError, match=r"order=.*positive integer"):
        check_grads(np.sin, (1.0,), order=order)


def test_no_modes_and_no_tuple_are_refused():
    with pytest.raises(SettingError, match="given no modes"):
        check_grads(np.sin, (1.0,), modes=())
    for args in (1.0, np.ones(3), {"x": 1.0}):
        with pytest.raises(SettingError, match=r"give a tuple .*such as \(x,\)"):
            check_grads(np.sin, args)


@pytest.mark.parametrize("x", [1e-12, 1e-5, 1.0, 1e8, 1e13, 1e100])
def test_steps_are_in_units_of_the_numbers(x):
    check_grads(lambda x: x**2, (x,))
    check_grads(np.sqrt, (max(x, 1e-5),), order=1)
    if x > 1e-10:
        check_grads(np.log, (x,), order=1)
    if x >= 1.0:
        with pytest.raises(GradientMismatchError):
            check_grads(wrong, (x,), order=1)


def test_steps_shrink_near_the_edge_of_a_domain():
    check_grads(np.log, (1e-5,), order=2)
    check_grads(lambda x: np.sum(np.log(x)), (np.array([1e-5, 1.0, 1e5]),), order=1)
    check_grads(np.arcsin, (1.0 - 1e-6,), order=1)
    with pytest.raises(GradientMismatchError):
        check_grads(lambda x: np.log(x) + stop_gradient(np.log(x)), (1e-5,), order=1)


def test_numbers_of_all_sizes_side_by_side():
    x = np.array([1e8, 1.0, 1e-8])
    check_grads(lambda x: np.sum(x), (x,))
    with pytest.raises(GradientMismatchError, match=r"at \[1\]"):
        check_grads(lambda x: x[0] + stop_gradient(x[1]) * 1e4, (x,), order=1, modes=("reverse",))


def test_naming_a_wrong_one_among_many_takes_few_calls():
    calls = []

    def function(x):
        calls.append(1)
        return np.sum(np.where(np.arange(20_000) == 777, stop_gradient(x), x) ** 2)

    with pytest.raises(GradientMismatchError, match=r"argument 0 at \[777\]"):
        check_grads(function, (np.linspace(1.0, 2.0, 20_000),), order=1, modes=("reverse",))
    assert len(calls) < 5_000


@pytest.mark.parametrize("exponent", range(-6, 9))
@pytest.mark.parametrize(
    "function", [np.sin, np.cos, np.tanh, np.square, np.arctan, np.log, lambda x: np.sin(x) * np.cos(3 * x)]
)
def test_right_derivatives_pass_at_every_size_and_wrong_ones_where_they_can_be_seen(function, exponent):
    x = 10.0**exponent * 3.7
    check_grads(function, (x,))
    if abs(float(grad(function)(x))) * max(1.0, x) > 0.1:
        with pytest.raises(GradientMismatchError):
            check_grads(lambda x: 0.99 * function(x) + 0.01 * stop_gradient(function(x)), (x,), order=1)


def test_a_check_of_nothing_is_refused():
    for function, args in (
        (lambda x: None, (1.0,)),
        (lambda x: [], (1.0,)),
        (lambda: 1.0, ()),
        (lambda x: np.sum(1.0), ({},)),
    ):
        with pytest.raises(SettingError, match="nothing would be checked"):
            check_grads(function, args)


def scaled(factor, by=2.0):
    """A function of about size `factor`, whose derivative is wrong by a factor."""
    half = cr.custom_derivative(lambda tangents, y, x: by * factor * np.cos(x) * tangents[0])
    return half(lambda x: factor * np.sin(x))


@pytest.mark.parametrize("modes", [("forward",), ("reverse",)])
@pytest.mark.parametrize("factor", [1e-30, 1e-12, 1e-9, 1.0, 1e9, 1e30])
def test_a_wrong_derivative_of_any_size_is_found(factor, modes):
    x = np.array([0.3, 1.0, -2.0])
    check_grads(scaled(factor, 1.0), (x,), order=1, modes=modes)
    for by in (2.0, 0.5, 0.0, -1.0, 1.001):
        with pytest.raises(GradientMismatchError):
            check_grads(scaled(factor, by), (x,), order=1, modes=modes)


@pytest.mark.parametrize("modes", [("forward",), ("reverse",)])
def test_a_small_slope_of_large_values_is_found(modes):
    wrong = cr.custom_derivative(lambda tangents, y, x: 2e-9 * tangents[0])(lambda x: 1.0 + 1e-9 * x)
    with pytest.raises(GradientMismatchError):
        check_grads(wrong, (0.5,), order=1, modes=modes)


ROUNDED = {
    "probabilities add up to 1": lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))),
    "and less 1": lambda x: np.sum(np.exp(x) / np.sum(np.exp(x))) - 1.0,
    "a small difference of large numbers": lambda x: (1e6 + np.sin(x)) - 1e6,
    "no slope": lambda x: np.sin(x) ** 2 + np.cos(x) ** 2,
    "no slope here": lambda x: (x - np.array([0.3, 1.0, -2.0])) ** 2,
    "in single precision": lambda x: np.sin(x.astype(np.float32)).astype(np.float64),
    "an inverse that is undone": lambda x: np.exp(np.log(np.abs(x))) - np.abs(x),
    "sums of many": lambda x: np.sum(np.sin(np.outer(x, np.arange(2000.0)))) / 2000.0,
}


@pytest.mark.parametrize("name", ROUNDED)
@pytest.mark.parametrize("shift", np.linspace(0.0, 0.5, 5))
def test_what_rounding_makes_of_differences_is_no_mistake(name, shift):
    check_grads(ROUNDED[name], (np.array([0.3, 1.0, -2.0]) + shift,), order=1)


def test_an_absolute_tolerance_of_ones_own():
    check_grads(scaled(1e-9), (0.5,), order=1, atol=1e-6)
    with pytest.raises(GradientMismatchError, match=r"allowed: 1e-11"):
        check_grads(scaled(1e-9), (0.5,), order=1, atol=1e-11)
