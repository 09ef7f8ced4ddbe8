"""Many networks at once: each is what its own `fit` leaves, to the bit, and what is asked wrongly is said."""

import copy
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.engines.threadless import no_more_threads

import chainrule as cr
from chainrule.engines.llvm.threads.crew import Crew
from chainrule.errors import ArgumentError, DivergedError, SettingError, ShapeError, UnknownNameError
from chainrule.tracing import trees

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(70, 3)).astype(np.float32)
VALUES = np.sin(2 * X[:, 0]) * X[:, 1]
LABELS = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")

NETWORKS = {
    "regression": (lambda seed: cr.Network([cr.Dense(6, "tanh"), cr.Dense(1)], seed=seed), VALUES),
    "classes": (lambda seed: cr.Network([cr.Dense(6, "relu"), cr.Dense(2)], seed=seed), LABELS),
    "one score": (lambda seed: cr.Network([cr.Dense(6, "relu"), cr.Dense(1, "sigmoid")], seed=seed), LABELS),
    "dropout": (lambda seed: cr.Network([cr.Dense(8, "relu"), cr.Dropout(0.3), cr.Dense(1)], seed=seed), VALUES),
    "batch norm": (lambda seed: cr.Network([cr.Dense(8), cr.BatchNorm(), cr.Dense(1)], seed=seed), VALUES),
    "standardised": (lambda seed: cr.Network([cr.Standardise(), cr.Dense(4, "tanh"), cr.Dense(1)], seed=seed), VALUES),
    "double": (lambda seed: cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)], seed=seed, dtype="float64"), VALUES),
    "frozen": (lambda seed: cr.Network([cr.Dense(4), cr.Dense(1)], seed=seed, frozen=["dense_0.bias"]), VALUES),
    "a function": (lambda seed: cr.Network(_through(cr.Dense(4, "tanh"), cr.Dense(1)), seed=seed), VALUES),
}
ARGUMENTS = {
    "plain": {},
    "validated": {"validation_data": (X[:20], None)},
    "early stopping": {"validation_data": (X[:20], None), "early_stopping": 2, "optimizer": cr.SGD(0.3)},
    "stopped by its own loss": {"early_stopping": cr.EarlyStopping(1, min_delta=0.05)},
    "momentum": {"optimizer": cr.SGD(0.05, momentum=0.9)},
    "schedule": {"optimizer": cr.Adam(cr.Cosine(0.02, epochs=4)), "l2": 0.01},
    "plateau": {"optimizer": cr.SGD(cr.OnPlateau(0.2, patience=1))},
    "clipped": {"clip_norm": 0.1, "l1": 0.01},
    "all rows at once": {"batch_size": None},
    "weighted": {"sample_weight": np.linspace(0.5, 2.0, 70)},
    "standardise": {"standardise": True},
    "without shuffling": {"shuffle": False},
    "metrics": {
        "validation_data": (X[:20], None),
        "metrics": ["r2"],
        "early_stopping": cr.EarlyStopping(2, monitor="val_r2"),
    },
    "numpy": {"engine": "numpy"},
}


def _through(*layers):
    def function(x):
        for layer in layers:
            x = layer(x)
        return x

    return function


def _given(arguments, y):
    held = arguments.get("validation_data")
    return {
        "epochs": 4,
        "progress": False,
        **arguments,
        **({} if held is None else {"validation_data": (held[0], y[:20])}),
    }


def _same(one, other):
    assert one.history.stopped == other.history.stopped
    assert one.history.best_epoch == other.history.best_epoch
    assert set(one.history) == set(other.history)
    for name in set(one.history) - {"seconds"}:
        assert np.array_equal(one.history.column(name), other.history.column(name)), name
    for layer, own in one.parameters.items():
        for name, x in own.items():
            assert np.array_equal(x, other.parameters[layer][name]), (layer, name)


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_network_is_what_its_own_fit_leaves(kind):
    made, y = NETWORKS[kind]
    given = _given({}, y)
    many = cr.fit_many(made(5), X, y, seeds=[3, 1], settings={"learning_rate": [0.05, 0.01], "l2": [0.0, 0.1]}, **given)
    assert len(many) == 8
    for network, told in zip(many, many.settings, strict=True):
        alone = made(told["seed"])
        alone.fit(X, y, optimizer=cr.Adam(told["learning_rate"]), l2=told["l2"], seed=told["seed"], **given)
        _same(network, alone)
        assert np.array_equal(network.predict(X), alone.predict(X))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [*(("regression", name) for name in ARGUMENTS), ("classes", "early stopping"), ("dropout", "validated")],
)
def test_whatever_fit_is_given(kind, arguments):
    made, y = NETWORKS[kind]
    given = _given(ARGUMENTS[arguments], y)
    many = cr.fit_many(made(0), X, y, seeds=[4, 7, 1, 2], **given)
    for network, seed in zip(many.networks[:2], (4, 7), strict=True):
        alone = made(seed)
        alone.fit(X, y, seed=seed, **given)
        _same(network, alone)
        _same_run(network.run, alone.run)


def _same_run(one, other):
    assert one.steps == other.steps
    assert one.settings == other.settings
    assert one.streams == other.streams
    flat = [trees.flatten(run.optimizer_state)[0] for run in (one, other)]
    assert all(np.array_equal(a, b) for a, b in zip(*flat, strict=True))


def test_a_network_goes_on_from_its_run():
    made, y = NETWORKS["regression"]
    many = cr.fit_many(made(0), X, y, seeds=[2], epochs=3, progress=False)
    network, alone = many[0], made(2)
    network.fit(X, y, seed=2, epochs=6, continue_from=network.run, progress=False)
    alone.fit(X, y, seed=2, epochs=6, progress=False)
    _same(network, alone)


def test_nothing_depends_on_the_number_of_threads():
    made, y = NETWORKS["dropout"]
    given = {"seeds": range(6), "settings": {"learning_rate": [0.1, 0.01]}, "epochs": 3, "progress": False}
    for one, other in zip(*(cr.fit_many(made(0), X, y, threads=n, **given) for n in (1, 4)), strict=True):
        _same(one, other)


def test_networks_in_a_list_stay_as_they_are_and_are_copied():
    built = cr.Network([cr.Dense(4, "tanh"), cr.Dense(1)], seed=1).build(3)
    other = cr.Network([cr.Dense(2), cr.Dense(1)], seed=2)
    before = copy.deepcopy(built.parameters)
    many = cr.fit_many([built, other, built], X, VALUES, settings={"epochs": [1, 2]}, progress=False)
    assert [told["network"] for told in many.settings] == [0, 0, 1, 1, 2, 2]
    assert not other.is_built
    assert all(np.array_equal(built.parameters[n]["weight"], x["weight"]) for n, x in before.items())
    alone = cr.Network([cr.Dense(2), cr.Dense(1)], seed=2)
    alone.fit(X, VALUES, epochs=2, progress=False)
    _same(many[3], alone)
    _same(many[0], many[4])
    many[0].parameters["dense_0"]["weight"][:] = 0.0
    assert many[4].parameters["dense_0"]["weight"].any()


def test_parameters_that_were_given_stay_given():
    weight = np.ones((3, 4))
    network = cr.Network([cr.Dense(4), cr.Dense(1)], parameters={"dense_0.weight": weight}, frozen=["dense_0.weight"])
    for found in cr.fit_many(network, X, VALUES, seeds=range(2), epochs=2, progress=False):
        assert np.array_equal(found.parameters["dense_0"]["weight"], weight)


def test_a_fitted_network_learns_on():
    made, y = NETWORKS["classes"]
    first = made(0)
    first.fit(X, y, epochs=2, progress=False)
    alone = copy.deepcopy(first)
    (one,) = cr.fit_many(first, X, y, epochs=2, progress=False)
    alone.fit(X, y, epochs=2, progress=False)
    _same(one, alone)
    assert list(one.classes) == ["no", "yes"]


def test_the_rows_held_out_are_the_same_for_all():
    made, y = NETWORKS["regression"]
    many = cr.fit_many(made(0), X, y, seeds=[3, 8], validation_split=0.2, epochs=2, progress=False)
    alone = made(3)
    alone.fit(X, y, seed=3, validation_split=0.2, epochs=2, progress=False)
    _same(many[0], alone)
    order = np.random.default_rng([3, 2]).permutation(70)[:14]
    held, kept = np.sort(order), np.setdiff1d(np.arange(70), order)
    alone = made(8)
    alone.fit(X[kept], y[kept], seed=8, validation_data=(X[held], y[held]), epochs=2, progress=False)
    _same(many[1], alone)


def test_a_dataset_is_read_by_every_network_in_its_own_order():
    made, y = NETWORKS["regression"]
    dataset = cr.ArrayDataset(X, y)
    many = cr.fit_many(made(0), dataset, seeds=[2, 5], epochs=2, threads=2, progress=False)
    for network, seed in zip(many, (2, 5), strict=True):
        alone = made(seed)
        alone.fit(dataset, seed=seed, epochs=2, progress=False)
        _same(network, alone)


def test_numbers_of_the_optimizer_and_settings_in_a_list():
    made, y = NETWORKS["regression"]
    rows = [{"momentum": 0.5}, {"momentum": 0.9, "batch_size": 16}]
    many = cr.fit_many(made(1), X, y, settings=rows, optimizer=cr.SGD(0.01), epochs=2, progress=False)
    alone = made(1)
    alone.fit(X, y, optimizer=cr.SGD(0.01, momentum=0.9), batch_size=16, epochs=2, progress=False)
    _same(many[1], alone)


def test_the_best_has_the_smallest_loss_on_validation_data():
    made, y = NETWORKS["regression"]
    given = {"settings": {"learning_rate": [1e-5, 0.05]}, "epochs": 5, "progress": False}
    many = cr.fit_many(made(0), X, y, validation_split=0.3, **given)
    assert many.best is many[1]
    assert many.losses[1] == many[1].history["val_loss"][-1] < many.losses[0]
    with pytest.raises(SettingError, match="validation_split"):
        _ = cr.fit_many(made(0), X, y, **given).best


def test_those_that_diverge_are_told_of():
    made, y = NETWORKS["regression"]
    given = {"epochs": 4, "progress": False, "validation_split": 0.2}
    rates = {"learning_rate": [1e30, 0.01]}
    with pytest.warns(RuntimeWarning, match=r"1 of 2 networks diverged.*\[0\]"):
        many = cr.fit_many(made(0), X, y, settings=rates, optimizer=cr.SGD(0.1), **given)
    assert many[0].history.stopped == "diverged"
    assert many.losses[0] == np.inf
    assert many.best is many[1]
    with pytest.raises(DivergedError):
        cr.fit_many(made(0), X, y, optimizer=cr.SGD(1e30), **given)


class _Ended:
    def __init__(self):
        self.seen = []

    def update(self, networks, metrics):
        self.seen.append(networks)
        if networks > 2.5:
            raise KeyboardInterrupt


WAYS = {"crew": {}, "threads": {"engine": "numpy"}}
"""How many are carried out at the same time: short steps of machine code by a crew, all else by threads of Python."""


@pytest.mark.parametrize("given", WAYS.values(), ids=WAYS)
def test_an_interrupt_keeps_what_is_done(given):
    made, y = NETWORKS["regression"]
    told = _Ended()
    many = cr.fit_many(made(0), X, y, seeds=range(3000), epochs=600, progress=told, threads=1, **given)
    assert told.seen == sorted(told.seen)
    assert 2 <= len(many) < 3000
    for network, alone, seed in ((many[0], made(0), 0), (many[-1], made(len(many) - 1), len(many) - 1)):
        network.fit(X, y, seed=seed, epochs=600, continue_from=network.run, progress=False, **given)
        alone.fit(X, y, seed=seed, epochs=600, progress=False, **given)
        _same(network, alone)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("way", "most"), [("crew", 12), ("threads", 2)])
def test_a_signal_keeps_what_is_done_whenever_it_comes(number, way, most, monkeypatch):
    kind, name = (Crew, "put") if way == "crew" else (ThreadPoolExecutor, "submit")
    begin = getattr(kind, name)

    def begun(self, work):
        found = begin(self, work)
        signal.raise_signal(number)  # one has begun, and no other has
        return found

    monkeypatch.setattr(kind, name, begun)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    made, y = NETWORKS["regression"]
    given = {"epochs": 10_000, "threads": 2, "progress": False, **WAYS[way]}
    many = cr.fit_many(made(0), X, y, seeds=range(400), **given)
    assert len(many) <= most
    assert all(network.history.interrupted for network in many)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    nothing = cr.FittedNetworks((), ())
    for asked in (lambda: nothing.best, nothing.ensemble, lambda: nothing.ensemble(2)):
        with pytest.raises(SettingError, match="there are no networks: fit_many was ended"):
            asked()


def test_what_can_be_gone_through_once_only():
    made, y = NETWORKS["regression"]
    rates = (rate for rate in (0.1, 0.01))
    many = cr.fit_many(made(0), X, y, seeds=iter([3, 4]), settings={"learning_rate": rates}, epochs=1, progress=False)
    assert [tuple(told.values()) for told in many.settings] == [(0.1, 3), (0.1, 4), (0.01, 3), (0.01, 4)]


def test_they_are_shown_in_one_line():
    made, y = NETWORKS["regression"]
    given = {"epochs": 1, "progress": False, "validation_split": 0.2}
    many = cr.fit_many(made(0), X, y, seeds=range(64), settings={"learning_rate": [0.01, 0.1]}, **given)
    shown = repr(many)
    assert len(shown) < 160
    assert "128 networks" in shown
    assert f"val_loss {many.losses.min():.4g} with {dict(many.settings[int(many.losses.argmin())])}" in shown
    assert f"{many.losses.max():.4g}" in shown
    assert repr(many.ensemble().uncertainty(X)) == "Uncertainty(128 predictions of 70 rows)"
    assert len(repr(many.ensemble())) < 160
    assert repr(cr.FittedNetworks((), ())) == "FittedNetworks(0 networks)"


def test_an_error_in_one_ends_all():
    before = threading.active_count()
    with pytest.raises(ShapeError):
        cr.fit_many(
            cr.Network([cr.Dense(2), lambda x: x[:, :5] @ np.ones(9)]), X, VALUES, seeds=range(5), progress=False
        )
    assert threading.active_count() <= before + 2


@pytest.mark.parametrize("count", [2, 5])
def test_an_index_error_of_the_users_code_is_no_end_of_the_line(count):
    with pytest.raises(IndexError, match="pop from empty"):
        cr.fit_many(cr.Network([lambda x: x * [].pop(), cr.Dense(1)]), X, VALUES, seeds=range(count), progress=False)


def test_what_is_asked_wrongly():
    network = NETWORKS["regression"][0](0)
    for error, said, given in [
        (SettingError, "a list of them", {"networks": []}),
        (SettingError, "several, such as range", {"seeds": 3}),
        (SettingError, "without any", {"seeds": []}),
        (SettingError, "integer from 0", {"seeds": [-1]}),
        (SettingError, "one of them", {"seeds": [1], "seed": 2}),
        (SettingError, "one of them", {"seeds": [1], "settings": {"seed": [1, 2]}}),
        (SettingError, "give a list of values", {"settings": {"l2": 0.1}}),
        (SettingError, "a list of dicts", {"settings": [0.1]}),
        (UnknownNameError, "learning_rate", {"settings": {"learningrate": [0.1]}}),
        (SettingError, "learning rate", {"settings": {"learning_rate": [-0.1]}}),
        (SettingError, "l2", {"settings": {"l2": [-0.1]}}),
        (ArgumentError, "early_stopping", {"callbacks": [print]}),
        (ArgumentError, "optimizer=cr.Adam", {"lr": 0.1}),
        (ArgumentError, "epochs", {"epoch": 3}),
        (SettingError, "threads", {"threads": 0}),
        (SettingError, "several threads", {"shuffle": lambda n: None}),
        (SettingError, "epochs", {"epochs": 0}),
    ]:
        with pytest.raises(error, match=said):
            cr.fit_many(**{"networks": network, "X": X, "y": VALUES, **given})


@pytest.mark.parametrize("given", WAYS.values(), ids=WAYS)
def test_they_are_trained_where_the_system_has_no_more_threads(given):
    made, y = NETWORKS["regression"]
    with no_more_threads():
        many = cr.fit_many(made(0), X, y, seeds=range(5), epochs=2, threads=3, progress=False, **given)
    alone = made(4)
    alone.fit(X, y, seed=4, epochs=2, progress=False, **given)
    _same(many[4], alone)
