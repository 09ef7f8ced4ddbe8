"""Derivatives by everything a training is given: random networks, optimizers and settings against trainings with all of it nudged."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import tracemalloc
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DerivativeLostError, DivergedError, SettingError, UnknownNameError
from chainrule.tracing import trees
from chainrule.training.hypergradients.hyperparameters import adjusted, numbers_of
from making import exported, made
from trying import ENGINES

OPTIMIZERS = exported(cr.Optimizer)
SMOOTH = ("tanh", "sigmoid", "softplus", "gelu", "elu", "silu")


def schedules(random: Any, rate: float, epochs: int) -> list[Any]:
    knots = tuple(rate * random.uniform(0.5, 1.5, 3))
    return [
        rate,
        cr.Cosine(rate, epochs=1.7 * epochs, final=rate / 5),
        cr.WarmUp(cr.Exponential(rate, factor=0.8), epochs=1.317),
        cr.PiecewiseLinear(knots, (0.013, 0.613 * epochs, 1.1 * epochs)),
        cr.Step(rate, every=0.7313, factor=0.7),
    ]


@dataclasses.dataclass(frozen=True)
class Case:
    """A network, its data and its training, drawn from a seed."""

    seed: int

    def __post_init__(self) -> None:
        random = np.random.default_rng(self.seed)
        kind, epochs, rows = (
            OPTIMIZERS[self.seed % len(OPTIMIZERS)],
            int(random.integers(2, 5)),
            int(random.integers(15, 40)),
        )
        features = int(random.integers(2, 5))
        self.set("options", {"epochs": epochs, "batch_size": random.choice([5, 8, None]), "loss": "squared_error"})
        rate = {"AdaDelta": 0.5, "SGD": 0.05}.get(kind.__name__, 0.01)
        own: Any = kind(random.choice(np.array(schedules(random, rate, epochs), object)))
        if kind is cr.SGD and self.seed % 4:
            own = dataclasses.replace(own, momentum=0.8, nesterov=bool(self.seed % 3))
        self.set("optimizer", own)
        X, V = (random.normal(size=(n, features)) for n in (rows, 12))
        self.set("data", (X, np.sin(2 * X[:, 0]) + X[:, -1]))
        self.set("validation", (V, np.sin(2 * V[:, 0]) + V[:, -1]))
        sizes = random.integers(2, 7, int(random.integers(1, 3)))
        layers = [cr.Dense(int(n), str(random.choice(SMOOTH))) for n in sizes]
        if self.seed % 3 == 0:
            layers.insert(1, cr.Dropout(0.3))
        network = cr.Network([*layers, cr.Dense(1)], dtype="float64", seed=self.seed).build(features)
        self.set("network", network)
        own_numbers = [name for name in numbers_of(own) if name != "learning_rate"]
        names = ["learning_rate", *own_numbers, "l1", "l2", "sample_weight", "initial_parameters"]
        self.set("by", names if isinstance(own.learning_rate, float) else names[1:])
        self.set("random", random)
        self.set("weights", random.uniform(0.5, 2.0, rows))
        self.set("penalties", {"l1": 0.003, "l2": 0.02})

    def set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def loss(self, values: Any) -> float:
        """The loss on the validation data after `fit` with these settings."""
        case: Any = self
        network = copy.deepcopy(case.network)
        network.parameters = values["initial_parameters"]
        own = {
            name: x if np.ndim(x) == 0 else tuple(x) for name, x in values.items() if name in numbers_of(case.optimizer)
        }
        network.fit(
            *case.data, optimizer=adjusted(case.optimizer, own), l1=values["l1"], l2=values["l2"], engine="numpy",
            sample_weight=values["sample_weight"], progress=False, **case.options,
        )  # fmt: skip
        return float(network.evaluate(*case.validation, engine="numpy")["loss"])


@pytest.mark.parametrize("seed", range(12))
def test_both_modes_are_what_nudged_trainings_show(seed: int) -> None:
    """Along a random direction in all settings at once; forward mode by all of them for some, by the few numbers for others."""
    case: Any = Case(seed)
    given = {
        "optimizer": case.optimizer, "sample_weight": case.weights, "engine": "auto" if seed % 10 == 0 else "numpy",
        **case.penalties, **case.options,
    }  # fmt: skip
    of = case.network, case.data, case.validation
    found = cr.hypergradient(*of, by=case.by, mode="reverse", **given)
    assert list(found.gradients) == case.by
    few = case.by if seed % 5 == 1 else case.by[:-2]
    forward = cr.hypergradient(*of, by=few, mode="forward", **given)
    slopes = trees.flatten(dict(found.gradients))[0]
    largest = max(float(np.max(np.abs(x))) for x in slopes)
    for name in few:
        for ours, theirs in zip(*(trees.flatten(x.gradients[name])[0] for x in (found, forward)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10 * largest)

    leaves, structure = trees.flatten(dict(found.settings))
    direction = [case.random.normal(size=np.shape(x)) * (np.abs(x) + (0.05 if np.ndim(x) else 0.0)) for x in leaves]

    def moved(t: float) -> float:
        return case.loss(trees.unflatten(structure, [x + t * d for x, d in zip(leaves, direction, strict=True)]))

    assert found.value == pytest.approx(moved(0.0), rel=1e-12)
    numerical = (moved(1e-5) - moved(-1e-5)) / 2e-5
    assert sum(float(np.sum(g * d)) for g, d in zip(slopes, direction, strict=True)) == pytest.approx(
        numerical, rel=1e-5
    )


X, V = np.random.default_rng(1).normal(size=(22, 3)), np.random.default_rng(2).normal(size=(9, 3))
DATA, VALIDATION = (X, np.sin(X[:, 0])), (V, np.sin(V[:, 0]))
SHAPES = {(3, 4): "a", (4,): "a", (4, 2): "b", (2,): "b", (2, 1): "c", (1,): "c"}


def small(**options: Any) -> cr.Network:
    layers = [cr.Dense(4, "tanh", name="a"), cr.Dense(2, "tanh", name="b"), cr.Dense(1, name="c")]
    return cr.Network(layers, dtype="float64", **options)


@dataclasses.dataclass(frozen=True)
class ByLayer(cr.Adam):
    """Adam with something added to the learning rate of each layer, which is known by the shapes of its parameters."""

    added: tuple[float, ...] = (0.0, 0.0, 0.0)

    def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
        rate = learning_rate + self.added["abc".index(SHAPES[tuple(parameter.shape)])]
        return cr.Adam.update(self, gradient, parameter, state, rate, step)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_rates_of_layers_and_epochs(mode: str) -> None:
    given: dict[str, Any] = {"epochs": 3, "batch_size": 7}
    by = ["layer_learning_rates", "learning_rates", "learning_rate"]
    found = cr.hypergradient(small(), DATA, VALIDATION, optimizer=cr.Adam(0.02), by=by, mode=mode, **given)
    assert found.mode == mode
    assert sum(found["layer_learning_rates"].values()) == pytest.approx(found["learning_rate"], rel=1e-9)
    assert sum(found["learning_rates"]) == pytest.approx(found["learning_rate"], rel=1e-9)
    for i, layer in enumerate("abc"):
        sides = []
        for change in (1e-6, -1e-6):
            net = small()
            added = tuple(change if j == i else 0.0 for j in range(3))
            net.fit(*DATA, optimizer=ByLayer(0.02, added=added), engine="numpy", progress=False, **given)
            sides.append(net.evaluate(*VALIDATION, engine="numpy")["loss"])
        assert found["layer_learning_rates"][layer] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)


INNER = cr.Adam(beta1=0.7)


@dataclasses.dataclass(frozen=True)
class Shrinking(cr.Optimizer):
    """An optimizer of a user's: gradient descent in steps that get shorter, with another optimizer inside."""

    learning_rate_decay: float = 0.1
    inner: cr.Adam = INNER

    def initial_state(self, parameter: Any) -> Any:
        return self.inner.initial_state(parameter)

    def update(self, gradient: Any, parameter: Any, state: Any, learning_rate: Any, step: Any) -> Any:
        return self.inner.update(
            gradient, parameter, state, learning_rate / (1.0 + self.learning_rate_decay * step), step
        )


def test_numbers_of_an_optimizer_of_ones_own() -> None:
    by = ["learning_rate_decay", "inner.beta1"]
    given: dict[str, Any] = {"epochs": 3, "batch_size": 7, "engine": "numpy"}
    for mode in ("forward", "reverse"):
        found = cr.hypergradient(small(), DATA, VALIDATION, optimizer=Shrinking(0.05), by=by, mode=mode, **given)
        for name in by:
            sides = []
            for change in (1e-6, -1e-6):
                own = adjusted(Shrinking(0.05), {name: found.settings[name] + change})
                net = small()
                net.fit(*DATA, optimizer=own, progress=False, **given)
                sides.append(net.evaluate(*VALIDATION, engine="numpy")["loss"])
            assert found[name] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-5)
            assert found[name] != 0


def test_a_momentum_of_0_has_a_derivative_and_frozen_parameters_have_none() -> None:
    given: dict[str, Any] = {"epochs": 3, "frozen": ["b.*"]}
    losses = []
    for momentum in (0.0, 1e-6, 2e-6):
        net = small()
        net.fit(*DATA, optimizer=cr.SGD(0.1, momentum=momentum), engine="numpy", progress=False, **given)
        losses.append(net.evaluate(*VALIDATION, engine="numpy")["loss"])
    slope = (-3 * losses[0] + 4 * losses[1] - losses[2]) / 2e-6
    for mode in ("forward", "reverse"):
        found = cr.hypergradient(
            small(frozen=["b.*"]),
            DATA,
            VALIDATION,
            optimizer=cr.SGD(0.1),
            epochs=3,
            by=["momentum", "initial_parameters"],
            mode=mode,
        )
        assert found["momentum"] == pytest.approx(slope, rel=1e-5)
        assert sorted(found["initial_parameters"]) == ["a", "c"]


@pytest.mark.parametrize("engine", [*ENGINES, "auto"])
def test_the_mode_follows_the_number_of_directions(engine: str) -> None:
    given: dict[str, Any] = {"optimizer": cr.SGD(0.1, momentum=0.5), "epochs": 2, "engine": engine}
    few = cr.hypergradient(small(), DATA, VALIDATION, **given)
    many = cr.hypergradient(small(), DATA, VALIDATION, by=["momentum", "learning_rate", "sample_weight"], **given)
    assert (few.mode, many.mode) == ("forward", "reverse")
    assert few["momentum"] == pytest.approx(many["momentum"], rel=1e-10)
    assert many["sample_weight"].shape == (22,)
    assert np.sum(many["sample_weight"]) == pytest.approx(
        0.0, abs=1e-12
    )  # all of them twice as large is the same training


def test_reverse_mode_keeps_the_square_root_of_the_states() -> None:
    """Of 576 steps a few times 24 states at once; forward mode and reverse mode agree there too."""
    X, network = (
        np.random.default_rng(0).normal(size=(8, 50)),
        cr.Network([cr.Dense(40, "tanh"), cr.Dense(1)], dtype="float64"),
    )
    data = X, X[:, 0]
    state = 2 * 8 * (50 * 40 + 40 + 41)  # the parameters and their velocity
    given: dict[str, Any] = {"optimizer": cr.SGD(0.002, momentum=0.9), "batch_size": 4, "by": "learning_rate"}

    def peak(epochs: int) -> tuple[float, float]:
        tracemalloc.start()
        found = cr.hypergradient(network, data, data, epochs=epochs, mode="reverse", **given)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / state, found["learning_rate"]

    peak(2)  # what is compiled and imported once
    (short, _), (long, slope) = peak(18), peak(288)
    assert long < 6 * 24
    assert long - short < 5 * (24 - 6)
    forward = cr.hypergradient(network, data, data, epochs=288, mode="forward", **given)
    assert slope == pytest.approx(forward["learning_rate"], rel=1e-8)


# --- settings that are traced, under `cr.grad` itself


def descended(kind: Any, values: dict[str, Any], schedule: Any = None) -> Any:
    """A loss after five steps of an optimizer in a loop of one's own."""
    own = adjusted(made(kind, learning_rate=0.05), {n: x for n, x in values.items() if n != "learning_rate"})
    checked = kind(**{f.name: getattr(own, f.name) for f in dataclasses.fields(kind) if f.name != "learning_rate"})
    loss = lambda w: np.sum(np.array([1.0, 3.0]) * (w - 1.0) ** 2) + 0.1 * np.sum(w**4)  # noqa: E731
    w, state = np.array([0.3, -0.2]), checked.initial_state(np.array([0.3, -0.2]))
    for step in range(5):
        rate = values["learning_rate"] if schedule is None else schedule(step / 2.0)
        w, state = checked.update(cr.grad(loss)(w), w, state, rate, step + 1.0)
    return loss(w)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_every_optimizer_takes_traced_settings(kind: Any) -> None:
    values = {"learning_rate": 0.05, **{n: x for n, x in numbers_of(made(kind)).items() if n != "learning_rate"}}
    values = {
        name: x or 0.5 for name, x in values.items() if name != "epsilon"
    }  # what is 0 could not be moved both ways
    function = lambda values: descended(kind, values)  # noqa: E731
    found = cr.grad(function)(values)
    for name, value in values.items():
        step = 1e-6 * max(value, 1e-3)
        up, down = (function({**values, name: value + d}) for d in (step, -step))
        assert found[name] == pytest.approx((up - down) / (2 * step), rel=2e-5, abs=1e-7), name
    compiled = cr.jit(cr.grad(function), engine="auto")(values)
    assert {n: float(x) for n, x in compiled.items()} == pytest.approx(
        {n: float(x) for n, x in found.items()}, rel=1e-9
    )


@pytest.mark.parametrize("kind", exported(cr.Schedule))
def test_every_schedule_takes_traced_settings(kind: Any) -> None:
    given: dict[str, Any] = {
        "epochs": 7.3,
        "every": 1.7,
        "factor": 0.6,
        "rate": 0.4,
        "rates": (0.4, 0.1),
        "after": 0.3,
        "final": 0.1,
        "minimum": 0.1,
    }
    if kind is cr.PiecewiseLinear:
        given["times"] = (0.7, 6.1)
    schedule = kind(**{f.name: given[f.name] for f in dataclasses.fields(kind) if f.name in given})
    times, weights = np.array([0.0, 0.4, 1.1, 2.9, 5.3]), np.array([1.0, -2.0, 3.0, 1.5, -0.5])
    values = numbers_of(schedule)

    def total(values: Any) -> Any:
        own = {name: tuple(x) if np.ndim(x) else x for name, x in values.items()}
        return np.sum(weights * kind(**own)(times))

    assert any(np.any(slope) for slope in cr.grad(total)(values).values())
    cr.check_grads(total, (values,), order=2)


def test_a_traced_setting_is_checked_and_never_lost() -> None:
    with pytest.raises(SettingError, match=r"SGD was given momentum=.*; it must be at least 0 and below 1"):
        cr.grad(lambda m: cr.SGD(0.1, momentum=m).momentum)(1.5)
    for make in (lambda x: cr.SGD(x), lambda x: cr.Adam(beta1=x), lambda x: cr.Adam(cr.WarmUp(cr.Step(x)))):
        with pytest.raises(DerivativeLostError, match=r"cr\.hypergradient"):
            cr.grad(lambda x, make=make: float(small().fit(*DATA, optimizer=make(x), epochs=1)["loss"][-1]))(0.1)


# --- what the result says


def test_the_explanation_adds_up_as_it_is_printed() -> None:
    by = ["learning_rate", "momentum", "sample_weight", "initial_parameters"]
    found = cr.hypergradient(small(), DATA, VALIDATION, optimizer=cr.SGD(0.1, momentum=0.5), l2=0.01, epochs=3, by=by)
    cases = {
        "learning_rate": found["learning_rate"],
        "momentum": found["momentum"],
        "sample_weight[4]": found["sample_weight"][4],
        "initial_parameters.a.weight[2, 1]": found["initial_parameters"]["a"]["weight"][2, 1],
    }
    for where, value in cases.items():
        shown = found.explain(where, most=5, digits=5)
        assert shown.value == pytest.approx(value, rel=1e-9)
        assert len(shown.shares) == 3 * 4 + 4 + 4 * 2 + 2 + 2 + 1
        *rows, others, total = shown.table.rows
        assert len(rows) == 5
        read = lambda text: float(text.replace("−", "-"))  # noqa: E731
        for _, by_loss, moved, product in rows:
            decimals = len(product.partition(".")[2])
            assert f"{read(by_loss) * read(moved):.{decimals}f}" == f"{read(product):.{decimals}f}"
        assert f"{sum(read(row[-1]) for row in (*rows, others)):.5g}" == f"{read(total[-1]):.5g}"
        assert total[-1] in str(shown)
        assert where in str(shown)
        assert where in shown._repr_html_()
    with pytest.raises(UnknownNameError, match="did you mean 'momentum'"):
        found.explain("momentun")
    for strange in ("sample_weight", "sample_weight[99]", "sample_weight[i]"):
        with pytest.raises(SettingError, match=r"name one number of it, such as sample_weight\[0\]"):
            found.explain(strange)
    with pytest.raises(SettingError, match="call hypergradient again"):
        pickle.loads(pickle.dumps(found)).explain("momentum")


def test_what_is_refused() -> None:
    with pytest.raises(SettingError, match=r"cr\.OnPlateau, whose rates are decided by jumps"):
        cr.hypergradient(small(), DATA, VALIDATION, optimizer=cr.SGD(cr.OnPlateau(0.1)))
    with pytest.raises(SettingError, match="mode='backward'"):
        cr.hypergradient(small(), DATA, VALIDATION, mode="backward")
    with pytest.raises(SettingError, match="no settings in `by`; name some of learning_rate"):
        cr.hypergradient(small(), DATA, VALIDATION, by=[])
    with pytest.raises(DivergedError, match="smaller learning rate"):
        cr.hypergradient(small(), DATA, VALIDATION, optimizer=cr.SGD(1e200), mode="reverse")
