"""Wrong gradients: a student's backward pass with one slip is told by that slip, and nothing else by any."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, DifferentiationError, SettingError, ShapeError, UnknownNameError
from chainrule.explanation.comparison import MISTAKES, Comparison

ACT: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a * a),
    "softplus": (lambda z: np.log1p(np.exp(z)), lambda z, a: 1 / (1 + np.exp(-z))),
}
"""Activations and their derivatives, by z and a."""


class Case(NamedTuple):
    """A network of sigmoids or the like, with data."""

    W: list[Any]
    b: list[Any]
    acts: list[str]
    loss: str
    x: Any
    t: Any

    @property
    def names(self) -> list[str]:
        return [f"l{i}" for i in range(len(self.W))]

    def network(self, dtype: str = "float64") -> cr.Network:
        last = {"cross_entropy": "identity", "binary_cross_entropy": "sigmoid"}.get(self.loss)
        acts = [*self.acts[:-1], last or self.acts[-1]]
        layers = [
            cr.Dense(w.shape[1], act, w, c, name=n)
            for w, c, act, n in zip(self.W, self.b, acts, self.names, strict=True)
        ]
        return cr.Network(layers, dtype=dtype).build(self.W[0].shape[0])

    def compared(self, mine: Any, dtype: str = "float64", **more: Any) -> Comparison:
        network = self.network(dtype)
        network.parameters = {n: {"weight": w, "bias": c} for n, w, c in zip(self.names, self.W, self.b, strict=True)}
        y = self.t.argmax(axis=1) if self.loss == "cross_entropy" else self.t
        return network.compare(self.x, y, mine, loss=self.loss, **more)


def case(seed: int, rows: int, depth: int, loss: str = "l2_norm") -> Case:
    r = np.random.default_rng(seed)
    widths = [4, 3, 5, 3][: depth + 1] if depth < 3 else [4, 3, 5, 3]
    W = [r.normal(size=(m, n)) for m, n in pairwise(widths)]
    acts = [str(r.choice(["sigmoid", "tanh", "softplus"])) for _ in W]
    t = r.uniform(size=(rows, widths[-1]))
    if loss == "cross_entropy":
        t = np.eye(widths[-1])[r.integers(0, widths[-1], rows)]
    return Case(W, [r.normal(size=n) for n in widths[1:]], acts, loss, r.normal(size=(rows, 4)), t)


Gradients = dict[str, Any]


def student(c: Case, **slip: Any) -> Gradients:
    """Backpropagation as a student writes it, in plain NumPy, with one slip; keys are names, of δ too.

    `slope(i, z, a)` gives act′ of a layer, `weight(i, W, g)` the weights that δ is carried back through, once their own gradient g
    is known, `delta(i, δ)` is what is made of ∂L/∂z, `passed(i, ∂L/∂a)` of ∂L/∂a, `rows` are those summed, `n` is the divisor.
    """
    slope = slip.get("slope", lambda i, z, a: ACT[c.acts[i]][1](z, a))
    weight = slip.get("weight", lambda i, W, g: W)
    delta_of = slip.get("delta", lambda i, d: d)
    passed = slip.get("passed", lambda i, d: d)
    a, kept, n = c.x, [], slip.get("n", len(c.x))
    last = len(c.W) - 1
    for i, (w, bias) in enumerate(zip(c.W, c.b, strict=True)):
        z = a @ w + bias
        fused = i == last and c.loss in ("cross_entropy", "binary_cross_entropy")
        out = ACT["sigmoid" if fused else c.acts[i]][0](z)
        if i == last and c.loss == "cross_entropy":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            out = e / e.sum(axis=1, keepdims=True)
        kept.append((a, z, out))
        a = out
    outputs = a.shape[1]
    da = {"l2_norm": a - c.t, "squared_error": 2 * (a - c.t) / outputs}.get(c.loss, a - c.t) / n
    if c.loss == "binary_cross_entropy":
        da = da / outputs
    found: Gradients = {}
    for i in reversed(range(len(c.W))):
        before, z, out = kept[i]
        fused = i == last and c.loss in ("cross_entropy", "binary_cross_entropy")
        d = delta_of(i, (da if fused else da * slope(i, z, out)))
        if "rows" in slip:
            d = d * np.isin(np.arange(len(d)), slip["rows"])[:, None]
        g = before.T @ d
        found |= {f"l{i}.z": d, f"l{i}.weight": g, f"l{i}.bias": d.sum(axis=0)}
        if i:
            da = passed(i - 1, d @ weight(i, c.W[i], g).T)
            found[f"l{i - 1}.a"] = da
    return found


def of_parameters(found: Gradients) -> Gradients:
    return {name: x for name, x in found.items() if name.endswith(("weight", "bias"))}


def right(c: Case, **slip: Any) -> Gradients:
    return of_parameters(student(c, **slip))


def changed(c: Case, by: Callable[[Any], Any], only: str = "") -> Gradients:
    return {name: by(x) if name.endswith(only) else x for name, x in right(c).items()}


def permuted(c: Case) -> Gradients:
    mine = right(c)
    mine["l0.weight"] = mine["l0.weight"][[1, 2, 3, 0]]
    return mine


L2 = 0.3


def with_penalty(c: Case, l2: float) -> Gradients:
    return {name: x + l2 * c.W[int(name[1])] if name.endswith("weight") else x for name, x in right(c).items()}


def after_step(c: Case, rate: float) -> Gradients:
    g = right(c)
    W = [w - rate * g[f"l{i}.weight"] for i, w in enumerate(c.W)]
    b = [x - rate * g[f"l{i}.bias"] for i, x in enumerate(c.b)]
    return right(c._replace(W=W, b=b))


def sigma_of(act: str) -> Callable[[Any], Any]:
    return lambda z: ACT[act][1](z, ACT[act][0](z))


SLIPS: dict[str, list[tuple[str, Callable[[Case], Gradients]]]] = {
    "not_finite_given": [("nan", lambda c: changed(c, lambda x: np.where(x == x.flat[0], np.nan, x), "l0.weight"))],
    "transposed": [("all", lambda c: changed(c, np.transpose, "weight")), ("one", lambda c: changed(c, np.transpose, "l0.weight"))],
    "reshaped": [("row", lambda c: changed(c, lambda x: x[None], "bias"))],
    "factor": [
        ("N", lambda c: right(c, n=1)),
        ("twice", lambda c: changed(c, lambda x: x / len(c.x))),
        ("2", lambda c: changed(c, lambda x: 2 * x)),
        ("half", lambda c: changed(c, lambda x: x / 2)),
        ("sign", lambda c: changed(c, lambda x: -x)),
        ("2 and sign", lambda c: changed(c, lambda x: -2 * x)),
        ("odd", lambda c: changed(c, lambda x: 1.37 * x)),
        ("zero", lambda c: changed(c, lambda x: 0 * x, "l0.weight")),
    ],
    "bias_mean": [("all", lambda c: changed(c, lambda x: x / len(c.x), "bias"))],
    "permuted": [("rows", permuted)],
    "missing_slope": [
        ("all", lambda c: right(c, slope=lambda i, z, a: 1.0)),
        ("first", lambda c: right(c, slope=lambda i, z, a: 1.0 if i == 0 else ACT[c.acts[i]][1](z, a))),
    ],
    "slope_twice": [("first", lambda c: right(c, slope=lambda i, z, a: ACT[c.acts[i]][1](z, a) ** (2 if i == 0 else 1)))],
    "slope_at_activation": [("all", lambda c: right(c, slope=lambda i, z, a: sigma_of(c.acts[i])(a)))],
    "slope_of_linear": [("first", lambda c: right(
        c._replace(acts=["tanh", *c.acts[1:]]), slope=lambda i, z, a: 1 - z * z if i == 0 else ACT[c.acts[i]][1](z, a)))],
    "updated_weights": [("0.5", lambda c: right(c, weight=lambda i, W, g: W - 0.5 * g))],
    "after_update": [("0.5", lambda c: after_step(c, 0.5))],
    "forgotten_path": [
        ("an output", lambda c: right(c, weight=lambda i, W, g: W * (np.arange(W.shape[1]) != 1) if i == len(c.W) - 1 else W)),
        ("a unit", lambda c: right(c, passed=lambda i, d: d * (np.arange(d.shape[1]) != 2) if i == len(c.W) - 2 else d)),
    ],
    "wrong_penalty": [("left out", right), ("twice", lambda c: with_penalty(c, 2 * L2))],
    "left_out_sample": [
        ("the last", lambda c: right(c, rows=range(len(c.x) - 1))),
        ("mean of others", lambda c: changed(c._replace(x=c.x[1:], t=c.t[1:]), lambda x: x)),
    ],
    "one_sample": [("bias", lambda c: {**right(c), **{k: v for k, v in right(c, rows=[1]).items() if k.endswith("bias")}}),
                   ("all", lambda c: right(c, rows=[0], n=1))],
    "not_summed": [("bias", lambda c: {**right(c), **{f"l{i}.bias": student(c)[f"l{i}.z"] for i in range(len(c.W))}})],
}  # fmt: skip
"""A student's slips, by the mistake that is to be told."""

OPTIONS: dict[str, dict[str, float]] = {"after_update": {"learning_rate": 0.5}, "wrong_penalty": {"l2": L2}}
"""What the comparison is told for some of them."""

HIDDEN = {"updated_weights", "forgotten_path", "slope_of_linear"}
SEVERAL = {"bias_mean", "left_out_sample", "one_sample", "not_summed"}
"""Those that need a hidden layer, or several samples (more than two, for a sample left out of two leaves one alone)."""


def applies(kind: str, rows: int, depth: int, name: str) -> bool:
    if kind == "factor" and name in ("N", "twice") and rows == 1:
        return False
    if kind in ("missing_slope", "slope_twice") and name == "first" and depth == 1 and kind == "missing_slope":
        return False
    return not (kind in HIDDEN and depth == 1) and not (kind in SEVERAL and rows == 1)


def test_every_mistake_has_a_slip() -> None:
    assert set(SLIPS) == set(MISTAKES)


@pytest.mark.parametrize("kind", SLIPS)
def test_exactly_the_slip_is_told(kind: str) -> None:
    for seed, (rows, depth, loss) in enumerate(
        [*((r, d, "l2_norm") for r in (1, 5, 32) for d in (1, 2, 3)), (5, 2, "squared_error"), (32, 3, "squared_error")]
    ):
        c = case(seed, rows, depth, loss)
        if kind == "slope_of_linear":
            c = c._replace(acts=["tanh", *c.acts[1:]])
        for name, slip in SLIPS[kind]:
            if applies(kind, rows, depth, name):
                found = c.compared(slip(c), **OPTIONS.get(kind, {}))
                assert found.kinds == (kind,), f"{name}, {rows} rows, {depth} layers, {loss}: {found}"
                assert found.first_wrong in found.differences[0].names
                assert set(found.differences[0].names) == {x.name for x in found.gradients if not x.is_right}


def typed(found: Gradients, digits: int) -> Gradients:
    """Gradients as somebody types them who reads them off a screen."""
    return {name: np.vectorize(lambda x: float(f"{x:.{digits}g}"))(x) for name, x in found.items()}


@pytest.mark.parametrize("kind", SLIPS)
def test_slips_are_told_of_numbers_that_were_typed(kind: str) -> None:
    c = case(0, 5, 3, "l2_norm")
    if kind == "slope_of_linear":
        c = c._replace(acts=["tanh", *c.acts[1:]])
    for name, slip in SLIPS[kind]:
        found = c.compared(typed(slip(c), 6), **OPTIONS.get(kind, {}))
        assert kind in found.kinds, f"{name}: {found}"


@pytest.mark.parametrize("digits", range(3, 9))
def test_right_gradients_are_right_to_the_digits_they_were_typed_to(digits: int) -> None:
    c = case(1, 5, 2, "l2_norm")
    mine = typed(right(c), digits)
    found = c.compared(mine)
    assert found.is_right
    assert f"rounding to the {digits} digits given" in str(found)
    assert found.data()["typed"] == digits
    wrong = {name: x * (1 + 20 * 10.0**-digits) for name, x in mine.items()}
    assert not c.compared(typed(wrong, digits)).is_right
    assert not c.compared({"l0.bias": np.round(right(c)["l0.bias"] * 1.2, 1)}).is_right  # so few may be exact


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_slips_with_losses_that_bring_their_activation(loss: str) -> None:
    c = case(3, 5, 3, loss)
    assert c.compared(right(c)).is_right
    assert c.compared(right(c, n=1)).kinds == ("factor",)
    assert c.compared(right(c, slope=lambda i, z, a: 1.0)).kinds == ("missing_slope",)
    if loss == "binary_cross_entropy":
        again = right(c, delta=lambda i, d: d * _last_slope(c) if i == 2 else d)
        assert c.compared(again).kinds == ("slope_twice",)


def _last_slope(c: Case) -> Any:
    a = c.x
    for i, (w, b) in enumerate(zip(c.W, c.b, strict=True)):
        a = ACT["sigmoid" if i == len(c.W) - 1 else c.acts[i]][0](a @ w + b)
    return a * (1 - a)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 5, 32])
def test_right_gradients_are_right(dtype: str, rows: int) -> None:
    for depth in (1, 2, 3):
        c = case(depth, rows, depth)
        single = c._replace(
            **{k: [x.astype(dtype) for x in getattr(c, k)] for k in ("W", "b")},
            x=c.x.astype(dtype),
            t=c.t.astype(dtype),
        )
        found = c.compared({k: v.astype(dtype) for k, v in student(single).items()}, dtype)
        assert found.is_right, found
        assert found.kinds == ()
        assert found.first_wrong is None
        assert f"rounding of {dtype}" in str(found)


def test_random_changes_are_never_told_as_a_mistake() -> None:
    r = np.random.default_rng(0)
    for seed in range(40):
        c = case(seed, int(r.choice([1, 2, 5])), int(r.integers(1, 4)))
        mine = right(c)
        name = str(r.choice(sorted(mine)))
        x = mine[name].copy()
        how = r.integers(4)
        if how == 0:
            x[tuple(r.integers(n) for n in x.shape)] += r.normal() * np.abs(x).max()
        elif how == 1:
            x = x + 1e-5 * r.normal(size=x.shape) * np.abs(x).max()
        elif how == 2:
            x = x * r.uniform(0.5, 2, size=x.shape)
        else:
            x = r.normal(size=x.shape)
        found = c.compared({**mine, name: x})
        assert found.kinds == ("",), found
        assert found.first_wrong == name
        assert found.explanation is not None
        assert json.loads(found.to("json"))["explanation"]["kind"] == "derivation"
        assert found[name].mine == x[found[name].place]
        assert found[name].right == pytest.approx(mine[name][found[name].place], rel=1e-9)


def test_constant_factors_are_no_activations() -> None:
    r = np.random.default_rng(0)
    X, w = r.normal(size=(6, 3)), r.normal(size=3)
    found = cr.compare(lambda w: np.sum(np.where(X @ w > 0, X @ w, 0.1 * (X @ w))), w, X.T @ np.ones(6))
    assert found.kinds == ("",)
    assert "∂L/∂w" in str(found)
    assert cr.compare(lambda w: np.sum((X @ w / np.arange(1.0, 7.0)) ** 3), w, w**2).kinds == ("",)


def test_a_penalty_of_plain_functions() -> None:
    r = np.random.default_rng(0)
    X, t, w = r.normal(size=(5, 3)), r.normal(size=5), r.normal(size=3)

    def loss(w: Any) -> Any:
        return np.mean((X @ w - t) ** 2) + 0.1 * np.sum(w**2)

    data = 2 * X.T @ (X @ w - t) / 5
    assert cr.compare(loss, w, data + 0.2 * w).is_right
    assert cr.compare(loss, w, data).kinds == ("wrong_penalty",)
    assert cr.compare(loss, w, data + 0.4 * w).kinds == ("wrong_penalty",)


def test_two_slips_in_two_places_are_told_as_two() -> None:
    c = case(0, 5, 3)
    mine = right(c)
    found = c.compared({**mine, "l2.weight": 2 * mine["l2.weight"], "l0.weight": mine["l0.weight"][::-1]})
    assert {(x.kind, x.names) for x in found.differences} == {("factor", ("l2.weight",)), ("permuted", ("l0.weight",))}


@pytest.mark.parametrize("seed", range(8))
def test_a_slip_together_with_a_factor_is_told_as_both(seed: int) -> None:
    c = case(seed, 5, 3)
    found = c.compared(right(c, n=1, slope=lambda i, z, a: 1.0 if i == 0 else ACT[c.acts[i]][1](z, a)))
    assert found.kinds == ("missing_slope",)
    assert len(found.differences[0].names) == 6
    assert found.differences[0].evidence == {"layers": ["l0"], "factor": 5.0}
    turned = c.compared({name: -x.T for name, x in right(c).items() if name.endswith("weight")})
    assert turned.kinds == ("transposed",)
    assert turned.differences[0].evidence["factor"] == -1


def test_the_first_wrong_value_in_between_is_told() -> None:
    c = case(1, 5, 3)
    mine = student(c, slope=lambda i, z, a: 1.0 if i == 1 else ACT[c.acts[i]][1](z, a))
    found = c.compared(mine)
    assert found.first_wrong == "l1.z"
    assert found.kinds == ("missing_slope",)
    assert [x.name for x in found.gradients][:6] == ["l2.z", "l2.bias", "l2.weight", "l1.a", "l1.z", "l1.bias"]
    shifted = {**student(c), "l1.a": student(c)["l1.a"] + 1.0}
    assert c.compared(shifted).first_wrong == "l1.a"


def test_the_learning_rate_of_updated_weights_is_found() -> None:
    c = case(2, 5, 3)
    found = c.compared(right(c, weight=lambda i, W, g: W - 0.37 * g))
    assert found.differences[0].evidence["learning_rate"] == pytest.approx(0.37, rel=1e-9)


def test_mazurs_slip() -> None:
    """Mazur's 2-2-2 network: weights of the hidden layer with output weights that have been updated, rate 0.5."""
    W = [np.array([[0.15, 0.25], [0.20, 0.30]]), np.array([[0.40, 0.50], [0.45, 0.55]])]
    c = Case(
        W,
        [np.full(2, 0.35), np.full(2, 0.60)],
        ["sigmoid"] * 2,
        "l2_norm",
        np.array([[0.05, 0.10]]),
        np.array([[0.01, 0.99]]),
    )
    found = c.compared(right(c, weight=lambda i, W, g: W - 0.5 * g))
    assert found.kinds == ("updated_weights",)
    assert found.differences[0].evidence["learning_rate"] == pytest.approx(0.5, rel=1e-9)


def test_named_factors_say_their_reason() -> None:
    c = case(4, 5, 2, "squared_error")
    assert "5 is the number of rows" in " ".join(str(c.compared(right(c, n=1))).split())
    assert "½d²" in str(c.compared(changed(c, lambda x: x / 2)))
    outputs = c.W[-1].shape[1]
    assert f"{outputs} is the number of outputs" in " ".join(str(c.compared(changed(c, lambda x: x * outputs))).split())
    said = c.compared(changed(c, lambda x: -0.3 * x), learning_rate=0.3).differences[0].says
    assert "learning rate" in said
    assert "sign" in said


def test_a_shared_layer_without_one_of_its_uses() -> None:
    g, head = cr.Dense(3, "tanh", name="g"), cr.Dense(2, name="head")
    network = cr.Network(lambda x: head(g(g(x))), dtype="float64").build(3)
    r = np.random.default_rng(0)
    X, t = r.normal(size=(4, 3)), r.normal(size=(4, 2))
    w, b = network.parameters["g"]["weight"], network.parameters["g"]["bias"]
    a = np.tanh(X @ w + b)
    a2 = np.tanh(a @ w + b)
    dz2 = (((a2 @ network.parameters["head"]["weight"]) - t) / 4) @ network.parameters["head"]["weight"].T * (1 - a2**2)
    found = network.compare(X, t, {"g.weight": a.T @ dz2}, loss="l2_norm")
    assert found.kinds == ("forgotten_path",)
    assert "g" in found.differences[0].evidence["path"]


# --- plain functions


def loss_of(c: Case) -> Callable[[Any], Any]:
    def loss(p: Any) -> Any:
        a = c.x
        for i, act in enumerate(c.acts):
            z = a @ p[f"l{i}"]["weight"] + p[f"l{i}"]["bias"]
            a = {"sigmoid": cr.sigmoid, "tanh": np.tanh, "softplus": cr.softplus}[act](z)
        return np.mean(np.sum(0.5 * (a - c.t) ** 2, axis=1))

    return loss


def nested(c: Case, flat: Gradients) -> Any:
    return {n: {k: flat[f"{n}.{k}"] for k in ("weight", "bias")} for n in c.names}


@pytest.mark.parametrize("kind", sorted(set(SLIPS) - {"bias_mean", "wrong_penalty"}))
def test_the_same_of_plain_functions(kind: str) -> None:
    c = case(7, 5, 2)
    if kind == "slope_of_linear":
        c = c._replace(acts=["tanh", *c.acts[1:]])
    parameters = {n: {"weight": w, "bias": b} for n, w, b in zip(c.names, c.W, c.b, strict=True)}
    assert cr.compare(loss_of(c), parameters, nested(c, right(c))).is_right
    for name, slip in SLIPS[kind]:
        if name == "an output" or (name == "all" and "slope" in kind):
            continue  # outputs are not known as such, nor is which functions are activations
        more = OPTIONS.get(kind, {})
        found = cr.compare(loss_of(c), parameters, nested(c, slip(c)), **more)
        if name != "a unit":
            assert found.kinds == (kind,), f"{name}: {found}"


def test_containers_of_every_kind() -> None:
    w = [np.array([1.0, 2.0]), (np.array(3.0),)]
    loss = lambda w: np.sum(w[0] ** 3) * w[1][0]  # noqa: E731
    mine = [9.0 * w[0] ** 2, (np.array(9.0),)]
    assert cr.compare(loss, w, mine).is_right
    assert cr.compare(loss, w, [mine[0] * 2, mine[1]]).first_wrong == "w[0]"
    assert cr.compare(lambda x: x**2, 3.0, 6.0).is_right
    assert cr.compare(lambda x: x**2, 3.0, 3.0).kinds == ("factor",)
    assert cr.compare(lambda x: x**2, 3.0, 3.1234).kinds == ("",)
    with pytest.raises(ShapeError, match="my_gradients"):
        cr.compare(loss, w, [mine[0]])
    with pytest.raises(DataError, match="numbers"):
        cr.compare(loss, w, [mine[0], ("a",)])
    with pytest.raises(DifferentiationError, match="depend"):
        cr.compare(lambda x: 3.0, w, mine)
    with pytest.raises(SettingError, match="learning_rate"):
        cr.compare(loss, w, mine, learning_rate=-1)


def test_what_the_loss_does_not_depend_on_has_the_gradient_0() -> None:
    p, loss = {"a": np.ones(2), "b": np.ones(3)}, lambda p: np.sum(p["a"] ** 2)
    assert cr.compare(loss, p, {"a": 2 * np.ones(2), "b": np.zeros(3)}).is_right
    found = cr.compare(loss, p, {"a": 2 * np.ones(2), "b": np.ones(3)})
    assert found.first_wrong == "b"
    assert found.kinds == ("",)
    assert "no way that is known" in str(found)


def test_gradients_that_are_no_numbers_themselves_are_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        cr.compare(lambda x: np.sum(np.sqrt(x)), np.zeros(2), np.zeros(2))


def test_names_that_a_network_lacks_are_refused() -> None:
    c = case(0, 5, 2)
    with pytest.raises(UnknownNameError, match="l0"):
        c.compared({"l9.weight": 1.0})
    with pytest.raises(SettingError, match="dict"):
        c.compared([1.0])
    with pytest.raises(UnknownNameError):
        c.compared(right(c)).to("latex")
    with pytest.raises(UnknownNameError, match="l0"):
        c.compared(right(c))["l7"]


@pytest.mark.parametrize("kind", SLIPS)
def test_every_form_can_be_had(kind: str) -> None:
    c = case(0, 5, 2)._replace(acts=["tanh", "sigmoid"])
    found = c.compared(SLIPS[kind][0][1](c), **OPTIONS.get(kind, {}))
    data = json.loads(found.to("json"))
    json.dumps(data, allow_nan=False)
    assert (data["version"], data["kind"]) == (1, "comparison")
    assert data["differences"][0]["kind"] == found.kinds[0]
    assert found.to("markdown").count("$") % 2 == 0
    assert found.differences[0].names[0] in found.to("html")
    assert max(map(len, str(found).splitlines())) <= 80
