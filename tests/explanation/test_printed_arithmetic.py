"""Equations as they are printed, computed anew from their own digits: every one comes out on a calculator, to its last digit."""

import math
import re
from collections.abc import Iterator

import numpy as np
import pytest

import chainrule as cr
from chainrule.explanation.evaluations import finite_differences

FUNCTIONS = {
    "tanh": math.tanh,
    "ln": math.log,
    "σ": lambda z: 1 / (1 + math.exp(-z)),
    "Φ": lambda z: math.erfc(-z / 2**0.5) / 2,
}
TOGETHER = re.compile(r"\+ … and [\d,]+ further terms?, together ")


def computed(text: str) -> float:
    """What is printed, on a calculator that has these functions."""
    text = TOGETHER.sub("+ ", text)
    for printed, typed in {"−": "-", "·": "*", "²": "**2", "³": "**3", "+ -": "- "}.items():
        text = text.replace(printed, typed)
    text = re.sub(r"\[(\S+) = (\S+)\]", r"(\1 == \2)", text)
    return float(eval(text.replace("[", "(").replace("]", ")"), {}, FUNCTIONS))


def equations(text: str) -> Iterator[list[str]]:
    """The sides in numbers of every equation, the result last."""
    text = re.sub(r"\n +([·+−]) ", r" \1 ", text)  # long ones are broken before a sign
    whole: list[str] = []
    for line in text.split("\n"):
        line = re.sub(r" {3,}\(.*\)$", "", line).strip()
        if line.startswith("= "):
            whole.append(line[2:])
            continue
        yield [side for one in whole for side in sides(one)]
        whole = [re.sub(r"^(\w′* = \d+(, )?)+: ", "", line)]
    yield [side for one in whole for side in sides(one)]


def sides(text: str) -> list[str]:
    """Those in numbers and the functions above."""
    numbers = re.compile(rf"([\d.=²³ +−·()\[\]]|e[−\d]|{'|'.join(FUNCTIONS)})+")
    return [x for x in re.split(r" = (?![^\[]*\])", text) if numbers.fullmatch(TOGETHER.sub("", x))]


ACTIVATIONS, LOSSES = ["tanh", "sigmoid", "relu", "gelu"], ["mse", "cross_entropy", "l2_norm", "binary_cross_entropy"]
EVERY_TWO = [(a, b, (3, 6, 9)[(i + j) % 3]) for i, a in enumerate(ACTIVATIONS) for j, b in enumerate(LOSSES)]
"""Activations with losses, and both with how many digits are printed."""


@pytest.mark.parametrize(("activation", "loss", "digits"), EVERY_TWO)
def test_equations_come_out(activation: str, loss: str, digits: int) -> None:
    random = np.random.default_rng([digits, len(loss), len(activation)])
    outputs = {"cross_entropy": 3, "binary_cross_entropy": 1}.get(loss, 2)
    network = cr.Network([cr.Dense(5, activation, name="h"), cr.Dense(outputs, name="o")], dtype="float64").build(2)
    X = random.normal(size=(2, 2))
    y = {"cross_entropy": [2, 0], "binary_cross_entropy": [1, 0]}.get(loss, random.normal(size=(2, outputs)))
    found = 0
    for where in ("h.weight[0, 1]", "o.weight[1, 0]", "h.bias[2]"):
        for depth in ("layers", "factors", "terms"):
            derivation = network.explain(X, y, where, loss=loss, depth=depth, digits=digits)
            for *others, result in filter(None, equations(str(derivation))):
                for other in others:
                    found += 1
                    value, printed = computed(other), result.replace("−", "-")
                    last = len(printed.partition("e")[0].partition(".")[2]) - int(printed.partition("e")[2] or 0)
                    assert abs(value - float(printed)) <= 0.5001 * 10.0**-last, f"{other} is {value}, not {result}"
    assert found > 10


def test_nudges_are_printed_with_the_digits_asked_for() -> None:
    network = cr.Network([cr.Dense(1, "tanh", name="o")], dtype="float64").build(2)
    text = str(network.explain([[0.3, 0.7]], [[0.5]], "o.weight[0, 0]", loss="mse", digits=9, check=True))
    gradient, nudged = re.search(r"= (\S+)   \[nudged: (\S+), ", text.replace("−", "-")).groups()  # type: ignore[union-attr]
    assert len(nudged.lstrip("-0.")) >= 8
    assert float(nudged) == pytest.approx(float(gradient), rel=1e-7)


def test_formulas_with_letters_are_checked_for_all_they_stand_for(monkeypatch: pytest.MonkeyPatch) -> None:
    network = cr.Network([cr.Dense(2, "tanh", name="h"), cr.Dense(1, name="o")], dtype="float64").build(3)
    data = [[0.3, 0.7, -0.2]], [[0.5]]
    found = network.explain(*data, "h.weight[i, j]", loss="mse", check=True)
    for form in ("text", "markdown", "latex", "html"):
        assert "6 such gradients compared with their finite differences: all agree." in found.to(form)
    monkeypatch.setattr(finite_differences, "TOLERANCE", -1.0)
    with pytest.warns(UserWarning, match="6 gradients differ"):
        found = network.explain(*data, "h.weight[i, j]", loss="mse", check=True)
    assert "finite differences: 6 DO NOT AGREE." in str(found)


def test_what_rounding_leaves_of_terms_that_cancel_is_said_to_be_0() -> None:
    told = str(cr.explain(lambda x: np.std(x), "x[0]")(np.array([1.0, 2.0, 4.0])))
    (left,) = re.findall(r"(\S+) is what rounding left of 0\.", told)
    assert abs(float(left.replace("−", "-"))) < 1e-15
    assert f"= {left}" in told
    assert "rounding" not in str(cr.explain(lambda x: np.sum(x**2), "x[0]")(np.array([1.0, 2.0, 4.0])))
