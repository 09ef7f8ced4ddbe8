"""The polynomials of vector mathematics have the errors that are written beside them."""

import re
from pathlib import Path

import numpy as np
import pytest
from approximations import TARGETS, error, find

from chainrule.engines.llvm.mathematics import coefficients

TABLES = {name: table for name, table in vars(coefficients).items() if name.isupper() and isinstance(table, dict)}
CASES = [(name, dtype) for name, table in TABLES.items() for dtype in table]


def test_every_table_has_a_target():
    assert set(TABLES) == set(TARGETS)


@pytest.mark.parametrize(("name", "dtype"), CASES, ids=str)
def test_errors(name, dtype):
    target, table = TARGETS[name], TABLES[name][dtype]
    assert all(float(dtype.type(c)) == c for c in table)
    assert error(target, table) <= target.errors[dtype.name] + 0.06


def test_the_comments_say_the_same_errors():
    text = Path(coefficients.__file__).read_text()
    comments = re.findall(r"errors? (.*)\.\n(\w+): Table", text)
    assert {
        name: {dtype: float(power) for power, dtype in re.findall(r"2\^(-[\d.]+) in (\w+)", line)}
        for line, name in comments
    } == {name: target.errors for name, target in TARGETS.items()}


def test_tables_can_be_found_again():
    target = TARGETS["TANH"]
    assert error(target, find(target, 5, np.float32)) <= target.errors["float32"] + 0.5
