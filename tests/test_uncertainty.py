"""Ensembles predict the mean of what their members predict, and say how far these are apart; passes with dropout do, too."""

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import DataError, SettingError, ShapeError
from chainrule.network.answers.uncertainty import Uncertainty

RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(60, 2)).astype(np.float32)
TARGETS = {
    "values": np.sin(X[:, 0]) + X[:, 1],
    "rows of values": np.stack([X[:, 0], X[:, 1] ** 2], 1),
    "three labels": np.array(["a", "b", "c"])[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)],
    "two labels": np.where(X[:, 0] > 0, "yes", "no"),
    "counts": RANDOM.poisson(np.exp(X[:, 0])).astype(float),
}
TWICE, NAMED = cr.Dense(2, "tanh"), cr.Dense(2, "tanh", name="twice")
CASES = {
    "one layer twice": ("values", [TWICE, NAMED, TWICE, NAMED, cr.Dense(1)], {}),
    "values": ("values", [cr.Dense(5, "tanh"), cr.Dense(1)], {}),
    "rows of values": ("rows of values", [cr.Dense(5, "tanh"), cr.Dense(2)], {}),
    "scores": ("three labels", [cr.Dense(5, "relu"), cr.Dense(3)], {}),
    "ending in softmax": ("three labels", [cr.Dense(5, "relu"), cr.Dense(3, "softmax")], {}),
    "a softmax at the end": ("three labels", [cr.Dense(5, "relu"), cr.Dense(3), cr.softmax], {}),
    "one score": ("two labels", [cr.Dense(5, "relu"), cr.Dense(1)], {}),
    "ending in sigmoid": ("two labels", [cr.Dense(5, "relu"), cr.Dense(1, "sigmoid")], {}),
    "counts": ("counts", [cr.Dense(5, "tanh"), cr.Dense(1)], {"loss": "poisson"}),
    "with names": ("values", [cr.Dense(5, "tanh", name="hidden"), cr.Dense(1, name="output")], {}),
    "standardised": ("values", [cr.Standardise(), cr.Dense(5, "tanh"), cr.BatchNorm(), cr.Dense(1)], {}),
}


def _fitted(case, **more):
    target, layers, given = CASES[case]
    return cr.fit_many(
        cr.Network(layers), X, TARGETS[target], seeds=range(3), epochs=8, progress=False, **given, **more
    )


def _said(network, case):
    return network.predict_proba(X) if "labels" in CASES[case][0] else network.predict(X)


@pytest.mark.parametrize("case", CASES)
def test_an_ensemble_predicts_the_mean_of_what_its_members_predict(case):
    many = _fitted(case)
    ensemble, apart = many.ensemble(), np.stack([_said(network, case) for network in many])
    assert _said(ensemble, case) == pytest.approx(apart.mean(0), abs=2e-5)
    told = ensemble.uncertainty(X)
    assert told.samples == pytest.approx(apart, abs=1e-5)
    assert told.mean == pytest.approx(apart.mean(0), abs=1e-5)
    assert told.deviation == pytest.approx(apart.std(0), abs=2e-5)
    if "labels" in CASES[case][0]:
        chosen = ensemble.classes[apart.mean(0).argmax(-1)]
        assert (ensemble.predict(X) == chosen).mean() > 0.98
        assert np.array_equal(told.classes, ensemble.classes)


def test_an_ensemble_is_saved_and_loaded_as_any_network(tmp_path):
    ensemble = _fitted("with names").ensemble()
    ensemble.save(tmp_path / "ensemble.safetensors")
    again = cr.load(tmp_path / "ensemble.safetensors")
    assert np.array_equal(again.predict(X), ensemble.predict(X))
    assert np.array_equal(again.uncertainty(X).samples, ensemble.uncertainty(X).samples)


def _inside(pattern):
    """A network of one member, and the same as a row: which layers are one and the same is told by the letters."""
    layers = {letter: cr.Dense(3, "tanh") for letter in pattern}
    row = [layers[letter] for letter in pattern] + [cr.Dense(1)]
    return cr.Network([cr.Average((tuple(row),))], seed=1), cr.Network(row, seed=1)


@pytest.mark.parametrize("pattern", ["aba", "abb", "aab", "abc"])
def test_members_whose_layers_are_one_and_the_same_elsewhere_learn_differently(pattern):
    X = np.random.default_rng(2).normal(size=(20, 3)).astype(np.float32)
    member, row = _inside(pattern)
    for network in (member, row):
        network.fit(X, X[:, 0], epochs=2, progress=False)
    assert member.history["loss"] == row.history["loss"]
    assert np.array_equal(member.predict(X), row.predict(X))


def test_an_ensemble_has_numbers_of_its_own():
    many = _fitted("values")
    ensemble, before = many.ensemble(), many[0].predict(X)
    for own in ensemble.parameters.values():
        for x in own.values():
            x[...] = 0.0
    assert np.array_equal(many[0].predict(X), before)
    assert not ensemble.predict(X).any()


def test_an_ensemble_of_the_best():
    many = _fitted("values", validation_split=0.2)
    two = np.sort(np.argsort(many.losses)[:2])
    expected = np.mean([many[int(i)].predict(X) for i in two], axis=0)
    assert many.ensemble(best=2).predict(X) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(SettingError, match="at most 3"):
        many.ensemble(best=4)
    with pytest.raises(SettingError, match="validation_split"):
        _fitted("values").ensemble(best=2)


def test_networks_of_different_layers_make_an_ensemble_too():
    y = TARGETS["values"]
    networks = [cr.Network([cr.Dense(n, "tanh"), cr.Dense(1)], seed=n) for n in (3, 6)]
    many = cr.fit_many(networks, X, y, epochs=3, progress=False)
    assert many.ensemble().predict(X) == pytest.approx(np.mean([n.predict(X) for n in many], axis=0), abs=1e-6)


def test_one_that_diverged_is_left_out():
    network = cr.Network([cr.Dense(1)])
    rates = {"learning_rate": [1e30, 0.01]}
    with pytest.warns(RuntimeWarning, match="diverged"):
        many = cr.fit_many(network, X, X[:, 0], settings=rates, optimizer=cr.SGD(0.1), epochs=3, progress=False)
    assert np.array_equal(many.ensemble().predict(X), many[1].predict(X))


def test_passes_with_dropout():
    y = TARGETS["three labels"]
    network = cr.Network([cr.Dense(30, "relu"), cr.Dropout(0.4), cr.BatchNorm(), cr.Dense(3)])
    network.fit(X, y, epochs=10, progress=False)
    running = network.parameters["batchnorm_0"]["mean"].copy()
    told, again, other = (network.uncertainty(X, samples=300, seed=seed) for seed in (0, 0, 1))
    assert told.samples.shape == (300, 60, 3)
    assert told.samples.sum(-1) == pytest.approx(1.0, abs=1e-5)
    assert np.array_equal(told.samples, again.samples)
    assert not np.array_equal(told.samples, other.samples)
    assert np.array_equal(network.parameters["batchnorm_0"]["mean"], running)
    assert np.array_equal(network.uncertainty(X[:7], samples=300).samples, told.samples[:, :7]), "rows are apart"
    assert other.mean == pytest.approx(told.mean, abs=6 * told.deviation.max() / np.sqrt(150))
    assert network.uncertainty(X).samples.shape == (100, 60, 3)


def test_dropout_leaves_out_the_share_that_it_says():
    network = cr.Network([cr.Dropout(0.25), cr.Dense(1, weight=[[1.0], [0.0]], bias=None)], dtype="float64").build(2)
    samples = network.uncertainty(np.ones((50, 2)), samples=200).samples
    assert set(np.unique(samples.round(6))) == {0.0, round(1 / 0.75, 6)}
    assert (samples == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_entropy_and_disagreement():
    told = cr.Network([cr.Dropout(0.5), cr.Dense(2)]).build(2).uncertainty(X, samples=5)
    with pytest.raises(SettingError, match="deviation"):
        _ = told.entropy
    kind = type(told)
    certain, mixed = [1.0, 0.0], [0.5, 0.5]
    opposite = kind(np.array([[certain, mixed, certain], [certain, mixed, certain[::-1]]]), np.array(["a", "b"]))
    assert opposite.entropy == pytest.approx([0.0, np.log(2), np.log(2)])
    assert opposite.disagreement == pytest.approx([0.0, 0.0, np.log(2)])


@pytest.mark.parametrize("loss", ["hinge", "squared_error"])
def test_labels_without_probabilities_have_no_entropy(loss):
    many = cr.fit_many(cr.Network([cr.Dense(2)]), X, TARGETS["two labels"], seeds=range(3), loss=loss, epochs=2)
    told = many.ensemble().uncertainty(X)
    assert told.classes is None
    np.testing.assert_allclose(told.samples, [network(X) for network in many], atol=1e-6)
    for asked in ("entropy", "disagreement"):
        with pytest.raises(SettingError, match="these predictions are values"):
            getattr(told, asked)


def test_members_of_a_layer_that_has_them():
    network = cr.Network([cr.BatchEnsemble(8, "relu", members=4), cr.MemberMean(1, members=4)])
    network.fit(X, TARGETS["values"], epochs=3, progress=False)
    told = network.uncertainty(X)
    assert told.samples.shape == (4, 60)
    assert told.mean == pytest.approx(network.predict(X), abs=1e-5)


def test_what_is_asked_wrongly():
    plain = cr.Network([cr.Dense(1)])
    plain.fit(X, X[:, 0], epochs=1, progress=False)
    two = cr.Network([cr.Dense(2)])
    two.fit(X, TARGETS["two labels"], epochs=1, progress=False)
    layer = cr.Dense(1)
    function = cr.Network(lambda x: layer(x))
    many = cr.fit_many(function, X, X[:, 0], epochs=1, progress=False)
    for said, call in [
        ("neither members nor dropout", lambda: plain.uncertainty(X)),
        ("no dropout", lambda: plain.uncertainty(X, samples=3)),
        ("no dropout", lambda: _fitted("values").ensemble().uncertainty(X, samples=3)),
        ("samples", lambda: plain.uncertainty(X, samples=0)),
        ("seed", lambda: plain.uncertainty(X, seed=-1)),
        ("layers in a row", many.ensemble),
        ("mean the same", lambda: type(many)((plain, two), ({}, {})).ensemble()),
    ]:
        with pytest.raises(SettingError, match=said):
            call()
    with pytest.raises(DataError, match=r"^ArrayDataset has 60 rows that are read piece by piece"):
        many[0].uncertainty(cr.ArrayDataset(X, X[:, 0]))


def test_a_picture_of_many_classes_with_names_as_they_come(tmp_path):
    probabilities = np.random.default_rng(0).dirichlet(np.ones(40), size=(3, 7))
    names = ["_hidden", "$5 and $6", r"$\frac{", "a" * 300, *map(str, range(36))]
    probabilities[:, 2, :4] += 1.0
    told = Uncertainty(probabilities, np.array(names))
    figure = told.plot(tmp_path / "picture.png")
    (axes,) = figure.axes
    (legend,) = figure.legends
    said = [text.get_text().strip() for text in legend.get_texts()]
    likeliest = np.sort(np.argsort(-told.mean.max(axis=0))[:8])
    assert said[:3] == names[:3]
    assert said[3] == "a" * 19 + "…"
    assert said[4:8] == [names[i] for i in likeliest[4:]]
    assert axes.get_title() == "the likeliest 8 of 40"
    assert len({line.get_color() for line in axes.lines}) == len(axes.lines) == 8


def test_a_picture_of_one_row():
    told = Uncertainty(np.array([[1.0], [3.0]]))
    (axes,) = told.plot(band=2.0).axes
    assert axes.collections[0].get_segments()[0].tolist() == [[0.0, 0.0], [0.0, 4.0]]  # 2 ± 2·1
    assert [tick for tick in axes.get_xticks() if tick % 1] == []


def test_a_picture(tmp_path):
    told = _fitted("values").ensemble().uncertainty(X)
    figure = told.plot(tmp_path / "picture.png", x=X[:, 0], band=1.0)
    (axes,) = figure.axes
    (line,) = axes.lines
    order = np.argsort(X[:, 0])
    assert np.allclose(line.get_xdata(), X[order, 0])
    assert np.allclose(line.get_ydata(), told.mean[order])
    low, high = (told.mean[order] + sign * told.deviation[order] for sign in (-1, 1))
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == pytest.approx((low.min(), high.max()), abs=1e-5)
    assert (tmp_path / "picture.png").stat().st_size > 1000
    with pytest.raises(ShapeError, match="each of 60 rows"):
        told.plot(x=[1.0])
    with pytest.raises(DataError, match="x has"):
        told.plot(x=["a"] * 60)
    with pytest.raises(DataError, match="NaN"):
        told.plot(x=[np.nan] * 60)
    with pytest.raises(SettingError, match="pictures"):
        told.plot(tmp_path / "picture.words")
