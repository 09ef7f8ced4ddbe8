"""Where NaN begins in a function of one's own: the line, the pass, and what the operation was given."""

import inspect

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DifferentiationError


def forwards(w):
    h = w * 2
    g = np.log(h - 2.0)  # here
    return np.sum(g * np.sqrt(h))


def overflow(w):
    return np.sum(np.exp(w * 800.0) / 2.0)  # here


def backwards(w):
    size = w * 2
    return np.sum(np.sqrt(size - 2.0))  # here


def not_taken(w):
    roots = np.sqrt(w - 1.0)  # here
    return np.sum(np.where(w > 1.0, roots, 0.0))


def through_a_library_function(w):
    total = np.sum(w)
    return total + cr.logsumexp(w) * np.std(w - 1.0)  # here


def in_a_loop(w):
    for _ in range(4):
        w = w - 0.25
    return np.sum(1.0 / w)  # here


@pytest.mark.parametrize(
    ("function", "way"),
    [
        (forwards, "forward"),
        (overflow, "forward"),
        (backwards, "backward"),
        (not_taken, "backward"),
        (in_a_loop, "forward"),
    ],
)
def test_the_line_is_found(function, way):
    found = cr.find_nan(function, np.array([2.0, 1.0]))
    lines, first = inspect.getsourcelines(function)
    assert found.finding is not None
    evidence = found.finding.evidence
    assert (evidence["file"], evidence["pass"]) == (__file__, way)
    assert evidence["line"] == first + next(i for i, line in enumerate(lines) if "# here" in line)
    assert evidence["code"] in str(found).replace("\n  ", " ")


@pytest.mark.parametrize("function", [forwards, backwards, not_taken, through_a_library_function])
def test_nothing_is_found_where_all_is_finite(function):
    found = cr.find_nan(function, np.array([2.0, 3.0]))
    assert not found
    assert str(found) == "All numbers are finite, those of the function and those of its derivatives."


def test_containers_and_whole_numbers():
    found = cr.find_nan(lambda p, k: p["w"] / (k - 1), {"w": np.ones(3)}, 1)
    assert found.finding is not None
    assert found.finding.evidence["operation"] == "divide"
    with pytest.raises(DifferentiationError, match="return the one that is meant"):
        cr.find_nan(lambda x: {"a": x}, 1.0)
