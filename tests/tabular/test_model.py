"""`TableModel`: what it learns, predicts, keeps and refuses."""

import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import chainrule as cr
from chainrule.engines.choice import COMPILER, ENGINES
from chainrule.errors import DataError, ModelFileError, NotBuiltError, SettingError, UnknownNameError
from chainrule.tables import Preparation, TableError, as_table, spell
from chainrule.tables.sources import sampling
from chainrule.tabular.learning.deadline import Deadline
from chainrule.training.metrics import metric_for

QUICK = {
    "recipe": cr.Recipe(hidden=(8,), width=2, bins=4, dropout=0.0),
    "epochs": 4,
    "folds": 2,
    "search": False,
    "progress": False,
}


def people(rows=120, seed=0):
    random = np.random.default_rng(seed)
    height, town = random.normal(170.0, 10.0, rows).round(1), random.choice(["01", "1", "Rome"], rows)
    weight = (height - 100.0 + 5.0 * (town == "1")).round(1)
    return pl.DataFrame({"height": height, "town": town, "heavy": np.where(weight > 72, "yes", "no"), "weight": weight})


@pytest.fixture(scope="module")
def classifier():
    return cr.TableModel(columns={"weight": "drop"}, **QUICK).fit(people(), "heavy")


@pytest.fixture(scope="module")
def regressor():
    return cr.TableModel(columns={"heavy": "drop"}, **QUICK).fit(people(), "weight")


def test_it_knows_what_it_has_learned(classifier, regressor):
    assert (classifier.task, classifier.classes, classifier.columns) == (
        "classification",
        ("no", "yes"),
        ("height", "town"),
    )
    assert (regressor.task, regressor.classes, regressor.target) == ("regression", (), "weight")
    assert "2 columns" in repr(regressor)


def test_columns_are_found_by_name_and_rows_keep_their_places(classifier):
    frame = people(seed=3)
    said = classifier.predict_proba(frame)
    other = classifier.predict_proba(frame.select("town", "heavy", "height").with_columns(more=pl.lit(1)))
    assert np.array_equal(said, other)
    np.testing.assert_allclose(said.sum(axis=1), 1.0, rtol=1e-6)
    backwards = classifier.predict_proba(frame.reverse())
    np.testing.assert_allclose(backwards[::-1], said, rtol=1e-5)
    assert classifier.predict(frame).tolist() == [("no", "yes")[k] for k in said.argmax(axis=1)]


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_one_row_is_predicted_as_in_a_table(kind, request):
    model, frame = request.getfixturevalue(kind), people(5, seed=4)
    one_by_one = [model.predict(row)[0] for row in frame.to_dicts()]
    whole = model.predict(frame)
    assert one_by_one == whole.tolist() if model.classes else np.allclose(one_by_one, whole, rtol=1e-5)


def test_a_row_of_a_pandas_frame_is_a_row(regressor):
    frame = pd.DataFrame(people().head(3).to_dict(as_series=False))
    frame.loc[1, "town"] = None
    for i in range(3):
        assert regressor.predict(frame.iloc[i]) == pytest.approx(regressor.predict(frame.iloc[[i]]), rel=1e-6)
    assert str(regressor.explain(frame.iloc[1])) == str(regressor.explain(frame.iloc[[1]]))
    with pytest.raises(
        TableError, match=r"the row lacks 1 column the model was trained with: 'height'\. Add it, .*\. It has 'town'"
    ):
        regressor.predict(frame.iloc[0][["town"]])
    alone = cr.TableModel(**QUICK).fit(people().select("height", "weight"), "weight")
    assert (alone.predict(frame["height"]) == alone.predict(frame[["height"]])).all()


def test_values_that_cannot_be_read_are_told(regressor):
    new = pl.DataFrame({"height": ["170", "tall"], "town": ["Rome", "Ulm"]})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        regressor.predict(new)
    assert [str(warning.message) for warning in told] == [
        "column 'height' holds numbers; 'tall' in 1 row counts as missing",
        "column 'town': 'Ulm' in 1 row did not occur in training; all its flags are 0 there",
    ]
    assert {warning.filename for warning in told} == {__file__}


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_file_predicts_the_same_to_the_bit(kind, request, tmp_path):
    model, frame = request.getfixturevalue(kind), people(seed=5)
    model.save(tmp_path / "model.safetensors", notes={"source": "people"})
    loaded = cr.load(tmp_path / "model.safetensors")
    assert isinstance(loaded, cr.TableModel)
    assert loaded.facts["source"] == "people"
    assert np.array_equal(loaded.predict(frame), model.predict(frame))
    row = frame.row(0, named=True)
    assert loaded.explain(row).to("json") == model.explain(row).to("json")
    with pytest.raises(NotBuiltError, match="evaluate"):
        _ = loaded.scores


def test_files_of_networks_are_networks_still(tmp_path):
    network = cr.Network([cr.Dense(1)]).build(2)
    network.save(tmp_path / "n.safetensors")
    assert isinstance(cr.load(tmp_path / "n.safetensors"), cr.Network)
    network.save(tmp_path / "t.safetensors", notes={"table": {"facts": {}, "preparation": {}}})
    with pytest.raises(ModelFileError):
        cr.load(tmp_path / "t.safetensors")


def test_a_file_whose_network_answers_for_other_classes_is_refused(classifier, tmp_path):
    classifier.save(tmp_path / "m.safetensors")
    network = cr.load(tmp_path / "m.safetensors").network
    network.notes["table"]["preparation"]["target"]["classes"].pop()
    network.save(tmp_path / "m.safetensors", notes=network.notes)
    with pytest.raises(ModelFileError, match="inputs or outputs"):
        cr.load(tmp_path / "m.safetensors")


def test_scores_are_of_rows_not_learned_from(classifier, regressor):
    assert classifier.scores.truth.shape == (120,)
    assert set(classifier.out_of_fold.fold) == {0, 1}
    found = regressor.evaluate(people(seed=9))
    np.testing.assert_allclose(found["mean absolute error"] if "mean absolute error" in found.metrics else found["mae"],
                               np.abs(regressor.predict(people(seed=9)) - people(seed=9)["weight"].to_numpy()).mean())  # fmt: skip


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_the_network_is_the_mean_of_its_members(kind, request):
    model = request.getfixturevalue(kind)
    (average,) = model.network.function.layers
    X = model.preparation.apply(as_table(people())).X
    own = iter(model.network.parameters.values())
    said = []
    for layers in average.members:
        network = cr.Network(list(layers)).build(X.shape[1])
        network.parameters = {name: next(own) for name in network.parameters}
        scores = np.asarray(network(X), np.float64)
        said.append(np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True) if model.classes else scores[:, 0])
    assert len(said) == model.learned.plan.members == 4
    mean = np.mean(said, axis=0)
    np.testing.assert_allclose(
        model.raw(X), mean if model.classes else model.preparation.target.restored(mean), rtol=1e-4
    )


def test_a_recipe_is_taken_that_is_surely_better():
    """Amounts that grow exponentially are learned on a scale of logarithms."""
    x = np.random.default_rng(0).uniform(0.0, 8.0, 300)
    frame = {"x": x, "y": np.exp(x) * np.random.default_rng(1).uniform(0.9, 1.1, 300)}
    model = cr.TableModel(**QUICK | {"search": True, "epochs": 60}).fit(frame, "y")
    assert model.learned.tried[0].startswith("log scale")
    assert model.preparation.target.scale == "log"
    assert len(model.learned.tried) == 5


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads():
    said = [cr.TableModel(threads=n, **QUICK).fit(people(), "weight").predict(people(seed=2)) for n in (1, 2, 3)]
    assert np.array_equal(said[0], said[1])
    assert np.array_equal(said[0], said[2])


def test_when_time_is_up_the_best_so_far_is_kept():
    model = cr.TableModel(**QUICK | {"seconds": 1e-3, "epochs": 10**7}).fit(people(), "heavy")  # hours of them
    assert len(model.learned.epochs) >= 1
    assert max(model.learned.epochs) < 10**6
    assert model.predict(people()).shape == (120,)
    assert Deadline(None).is_over is False


def test_few_rows_are_learned_without_holding_any_out():
    model = cr.TableModel(**QUICK).fit(people(8), "weight")
    assert model.predict(people(3)).shape == (3,)
    with pytest.raises(TableError, match="nothing to learn"):
        cr.TableModel(**QUICK).fit(people(3).with_columns(weight=pl.Series([1.0, None, None])), "weight")


def test_a_class_that_a_fold_lacks_is_known_all_the_same():
    frame = people().with_columns(kind=pl.Series(["a", "b"] * 59 + ["c", "c"]))
    model = cr.TableModel(columns={"weight": "drop", "heavy": "drop"}, **QUICK).fit(frame, "kind")
    assert model.classes == ("a", "b", "c")
    assert model.predict_proba(frame).shape == (120, 3)


def test_tables_of_many_categories_and_nothing_else_are_learned():
    random = np.random.default_rng(0)
    towns = random.permutation(np.repeat(np.arange(20), 15))
    frame = pl.DataFrame({"town": [f"t{town}" for town in towns], "price": np.where(towns < 7, 3.0, 1.0)})
    model = cr.TableModel(**QUICK | {"epochs": 60}).fit(frame, "price")
    assert [feature.kind for feature in model.preparation.features] == ["code"]
    np.testing.assert_allclose(model.predict({"town": ["t6", "t7"]}), [3.0, 1.0], atol=0.2)


def test_groups_and_times_decide_what_is_held_out():
    frame = people().with_columns(
        day=pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 4, 29), eager=True), who=pl.Series(range(120)) // 4
    )
    later = cr.TableModel(**QUICK).fit(frame, "weight", order="day")
    assert later.out_of_fold.rows.tolist() == list(range(96, 120))
    grouped = cr.TableModel(**QUICK).fit(frame, "weight", groups="who")
    assert "who" not in grouped.columns
    fold = dict(zip(grouped.out_of_fold.rows.tolist(), grouped.out_of_fold.fold.tolist(), strict=True))
    assert all(len({fold[row] for row in range(4 * i, 4 * i + 4)}) == 1 for i in range(30))
    both = cr.TableModel(**QUICK).fit(
        frame.with_columns(who=pl.Series(range(120)) % 30), "weight", groups="who", order="day"
    )
    learned, held = both.learned.members[0].assignment.learned, both.learned.members[0].assignment.held
    assert held.tolist() == list(range(96, 120))
    assert learned.tolist() == [row for row in range(96) if row % 30 < 6]  # rows 96 to 119 are of the groups 6 to 29
    assert "72 earlier rows of held-out groups were not used" in both.remarks
    assert both.out_of_fold.unused.tolist() == [row for row in range(96) if row % 30 >= 6]
    with pytest.raises(TableError, match="'weight' is the target, and was given as the column of groups"):
        cr.TableModel(**QUICK).fit(frame, "weight", groups="weight")
    with pytest.raises(DataError, match="none is left to learn from"):
        cr.TableModel(**QUICK).fit(
            frame.with_columns(who=pl.Series(range(120)) % 20), "weight", groups="who", order="day"
        )


def test_little_time_is_said_and_small_tables_are_learned_all_the_same():
    model = cr.TableModel(seconds=1e-3, search=False, folds=1, progress=False).fit(people(), "weight")
    assert model.learned.epochs[0] >= 100
    assert model.remarks == ()
    short = cr.TableModel(seconds=1e-3, search=False, folds=3, epochs=100_000, progress=False).fit(people(), "weight")
    networks = r"networks were trained, the shortest for [\d,]+ of 100,000 epochs|after [\d,]+ of 100,000 epochs"
    assert re.search(networks, short.remarks[0])
    assert re.search(
        r"time ran out .* about \d+ s would be enough \(--time \d+s\)", spell(short.remarks[0], command_line=True)
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seconds": 0}, "seconds"),
        ({"folds": 0}, "folds"),
        ({"recipe": "big"}, "Recipe"),
        ({"epochs": 0}, "epochs"),
        ({"task": "classify"}, "'classification' or 'regression'"),
        ({"columns": ["zip"]}, '"notes": "drop"'),
    ],
)
def test_settings_that_are_none(settings, message):
    with pytest.raises(SettingError, match=message):
        cr.TableModel(**settings)


def test_what_is_asked_too_early_or_of_the_wrong_kind(regressor):
    with pytest.raises(NotBuiltError, match="fit"):
        cr.TableModel().predict(people())
    with pytest.raises(SettingError, match="probabilities"):
        regressor.predict_proba(people())
    with pytest.raises(TableError, match="height"):
        regressor.predict({"town": ["Rome"]})
    with pytest.raises(SettingError, match="give one"):
        regressor.explain(people(2))


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        ((people()["weight"],), "a column was given as"),
        ((["weight"],), "X and y, are what TableClassifier"),
        ((None,), "a column was given as None"),
    ],
)
def test_a_target_is_named(fit, message):
    with pytest.raises(SettingError, match=message):
        cr.TableModel(**QUICK).fit(people(), *fit)


def test_names_may_be_numbers_as_those_of_pandas_are():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 3)))
    model = cr.TableModel(columns={0: "drop"}, **QUICK).fit(frame, 2)
    assert (model.target, model.columns) == ("2", ("1",))
    with pytest.raises(UnknownNameError, match=r"no column named '3'\. Known: 0, 1, 2"):
        cr.TableModel(**QUICK).fit(frame, 3)


def test_names_may_be_those_of_levels():
    frame = pd.DataFrame(people().to_dict(as_series=False))
    frame.columns = pd.MultiIndex.from_tuples(
        [("size", "height"), ("place", "town"), ("size", "heavy"), ("size", "weight")]
    )
    options = {"columns": {("size", "heavy"): "drop"}, **QUICK}
    model = cr.TableModel(**options).fit(frame, ("size", "weight"), groups=("place", "town"))
    assert (model.columns, model.target) == (("size_height",), "size_weight")
    frame.columns = range(4)
    model = cr.TableModel(columns={2: "drop"}, **QUICK).fit(frame, 3, groups=1)
    assert model.columns == ("0",)


def test_a_column_that_has_become_lists_is_told(regressor):
    with pytest.raises(TableError, match="column 'height' of the table holds lists or binary data"):
        regressor.predict(people().with_columns(pl.concat_list("height")))


def test_columns_of_one_name_are_told_apart_and_never_guessed_at():
    numbers = np.random.default_rng(0).normal(size=(40, 3))
    frame = pd.DataFrame(np.c_[numbers, numbers @ [1.0, 2.0, 0.0]], columns=["a", "a", "b", "y"])
    model = cr.TableModel(**QUICK).fit(frame, "y")
    assert model.columns == ("a", "a_2", "b")
    assert "column 2 is another 'a'; called 'a_2' here" in model.preparation.remarks
    apart = frame.set_axis(["a", "a_2", "b", "y"], axis=1)
    assert (model.predict(frame) == cr.TableModel(**QUICK).fit(apart, "y").predict(apart)).all()
    assert model.predict(frame.iloc[3]) == pytest.approx(model.predict(frame)[3])
    twice = frame.set_axis(["a", "y", "b", "y"], axis=1)
    with pytest.raises(TableError, match=r"the table has more than one column 'y', so the target is not clear"):
        cr.TableModel(**QUICK).fit(twice, "y")
    for name in ("groups", "order", "weights"):
        with pytest.raises(
            TableError, match=r"more than one column 'a'; rename one, so that it is clear which is meant"
        ):
            cr.TableModel(**QUICK).fit(frame, "y", **{name: "a"})


def test_a_single_column_has_nothing_to_learn_from():
    for column in (pd.Series([1.0, 2.0, 4.0] * 9, name="y"), pl.Series("y", [1.0, 2.0, 4.0] * 9)):
        with pytest.raises(
            TableError, match=r"it has 1 column \('y'\); give a table that has others beside the target"
        ):
            cr.TableModel(**QUICK).fit(column, "y")


@pytest.mark.parametrize("weights", [[1.0, 2.0], 1.0, np.ones((120, 1))])
def test_a_weight_for_every_row(weights):
    with pytest.raises(DataError, match=r"give one weight for each of the 120 rows"):
        cr.TableModel(**QUICK).fit(people(), "weight", weights=weights)


def test_weights_of_rows_count_in_scores_importance_and_report():
    data = people()
    weights = np.where(np.arange(120) % 3 == 0, 0.0, np.arange(120) / 60)
    model = cr.TableModel(columns={"heavy": "drop"}, **QUICK).fit(data, "weight", weights=weights)
    report = model.report(data, beside=[], seconds=1.0)
    said = [(one.rows, one.raw(model.inputs(data).X[one.rows])) for one in model.predictors]
    order, outputs = (np.concatenate(parts) for parts in zip(*said, strict=True))
    of_members = metric_for("regression")(data["weight"].to_numpy()[order], outputs, weights[order])
    assert report.importance.score == pytest.approx(of_members)
    assert model.scores.metric() == pytest.approx(
        metric_for("regression")(data["weight"], model.scores.outputs, weights)
    )
    y, fold = data["weight"].to_numpy(), model.out_of_fold.fold
    means = [np.average(y[fold != k], weights=weights[fold != k]) for k in (0, 1)]
    assert model.compare(beside=["mean"]).beside["mean"] == pytest.approx(np.choose(fold, means))
    counted = model.evaluate(data, weights=weights)
    assert counted.metric() == pytest.approx(
        model.evaluate(data.filter(weights > 0), weights=weights[weights > 0]).metric()
    )
    assert model.importance(data, weights=weights).score == pytest.approx(counted.metric())
    with pytest.raises(DataError, match="give one weight for each of the 120 rows"):
        model.evaluate(data, weights=weights[1:])
    for wrong, said in ((0.0 * weights, "weights are 0 in every row"), (weights - 1.0, "weights is -1 in row")):
        for use in (model.evaluate, model.importance):
            with pytest.raises(DataError, match=said):
                use(data, weights=wrong)


def test_a_column_says_how_much_rows_count():
    data, weights = people(), np.where(np.arange(120) % 3 == 0, 0.0, np.arange(120) / 60)
    model = cr.TableModel(columns={"heavy": "drop"}, **QUICK).fit(data, "weight", weights=weights)
    with_column = data.with_columns(w=pl.Series(weights))
    other = cr.TableModel(columns={"heavy": "drop"}, **QUICK).fit(with_column, "weight", weights="w")
    assert other.columns == ("height", "town")
    assert (other.predict(data) == model.predict(data)).all()
    assert other.evaluate(with_column, weights="w").metric() == model.evaluate(data, weights=weights).metric()
    words = data.with_columns(w=pl.Series(["light", *["1"] * 119]))
    with pytest.raises(TableError, match=r"column 'w' of the table is to weigh the rows, .*: 'light', '1'\."):
        other.fit(words, "weight", weights="w")
    with pytest.raises(TableError, match=r"the table has no weight in row 1, column 'w'"):
        other.fit(data.with_columns(w=pl.Series([None, *weights[1:]])), "weight", weights="w")


def test_weights_of_few_rows_leave_every_fold_some():
    data, weights = people().sort("weight"), np.zeros(120)
    weights[60:84] = 1.0
    model = cr.TableModel(**QUICK | {"folds": 5}).fit(data, "weight", weights=weights)
    held = model.out_of_fold
    assert sorted(np.count_nonzero(weights[held.rows[held.fold == own]]) for own in range(5)) == [4, 5, 5, 5, 5]
    ordered = data.with_columns(w=pl.Series(np.repeat([0.0, 1.0], [96, 24])), day=pl.Series(range(120)))
    with pytest.raises(DataError, match="all of the 24 rows whose weight is above 0 are held out together"):
        model.fit(ordered, "weight", weights="w", order="day")


def test_probabilities_add_up_to_one(classifier):
    given = classifier.predict_proba(people())
    assert np.abs(given.sum(axis=1) - 1.0).max() < 1e-15  # scikit-learn warns of more than 1e-8


def test_of_files_that_are_drawn_from_rows_are_told_and_weighed_by_their_places(tmp_path, monkeypatch):
    rows = 3000
    x = np.random.default_rng(0).normal(size=rows)
    pl.DataFrame({"x": x, "y": np.arange(rows) + 0.5}).write_csv(tmp_path / "large.csv")
    monkeypatch.setattr(sampling, "MOST_CELLS", 1200)
    weights = 1.0 + np.arange(rows)
    model = cr.TableModel(epochs=2, folds=2, search=False, progress=False, seed=3)
    model.fit(tmp_path / "large.csv", "y", weights=weights)
    assert len(model.held_rows) == 600
    assert model.scores.truth == pytest.approx(model.held_rows + 0.5, abs=0.01)
    assert model.scores.weights.tolist() == weights[model.held_rows].tolist()
    assert model.compare(tmp_path / "large.csv", beside=["mean"])["mae"] == model.scores["mae"]
    assert "out of fold" in model.report(tmp_path / "large.csv", beside=["mean"], seconds=0.1).scores
    with pytest.raises(DataError, match="each of the 3,000 rows"):
        model.fit(tmp_path / "large.csv", "y", weights=np.ones(600))


def test_classes_balanced_in_training_are_counted_by_rows_in_scores():
    model = cr.TableModel(columns={"weight": "drop"}, **QUICK).fit(people(), "heavy", balanced=True)
    counts = model.scores.confusion
    assert counts.sum() == 120
    assert np.all(counts == np.rint(counts))
    assert counts.sum(axis=1).tolist() == [int((people()["heavy"] == label).sum()) for label in model.classes]


@pytest.mark.filterwarnings("ignore:llvmlite is not installed")
def test_without_a_compiler_numpy_trains(monkeypatch):
    monkeypatch.setattr(type(ENGINES[COMPILER]), "missing", "llvmlite")
    model = cr.TableModel(**QUICK).fit(people(40), "heavy")
    assert model.predict_proba(people(5)).shape == (5, len(model.classes))


def test_scores_are_of_the_amounts_as_they_stand_in_the_table(regressor):
    new = people(seed=4).with_columns(weight=pl.Series(np.exp(np.linspace(0.1, 14.0, 120))))
    assert regressor.evaluate(new).truth.tolist() == new["weight"].to_list()
    few = people().with_columns(weight=np.exp(people()["height"].to_numpy() / 5.0))
    log = Preparation.learn(as_table(few), "weight", target_scale="log", columns={"heavy": "drop"})
    assert (
        log.apply_with_truth(as_table(new))[1].tolist() == new["weight"].to_list()
    )  # far beyond those of training too
