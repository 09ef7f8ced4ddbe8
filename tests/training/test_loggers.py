"""Callbacks that write metrics down: what they write is the history, and nothing of others is lost."""

import copy
import csv
import pickle
import sys
from types import ModuleType

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import MissingExtraError, SettingError

X = np.linspace(-1.0, 1.0, 40)[:, None]
VALIDATION = (X, 3.0 * X)


def fit(logger, epochs=3, network=None, **more):
    network = network or cr.Network([cr.Dense(1)])
    return network.fit(X, 2.0 * X, epochs=epochs, callbacks=[logger], progress=False, **more)


def names(history):
    """Those that there are at the end of an epoch."""
    return [name for name in history if name != "seconds"]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_file_is_the_history(tmp_path):
    logger = cr.CSVLogger(tmp_path / "log.csv")
    history = fit(logger, validation_data=VALIDATION)
    assert list(rows(tmp_path / "log.csv")[0]) == ["epoch", *names(history)]
    for name in names(history):
        assert [float(row[name]) for row in rows(tmp_path / "log.csv")] == history[name]
    assert [row["epoch"] for row in rows(tmp_path / "log.csv")] == ["1", "2", "3"]
    again = fit(pickle.loads(pickle.dumps(copy.deepcopy(logger))), epochs=2)  # another training, with other metrics
    assert [float(row["loss"]) for row in rows(tmp_path / "log.csv")] == again["loss"]


def test_lines_are_added_to_those_of_the_training_that_goes_on(tmp_path):
    path, network = tmp_path / "log.csv", cr.Network([cr.Dense(1)])
    fit(cr.CSVLogger(path), network=network)
    history = fit(cr.CSVLogger(path, append=True), 5, network, continue_from=network.run)
    assert [float(row["loss"]) for row in rows(path)] == history["loss"]
    with pytest.raises(SettingError, match="has the columns epoch, loss, learning_rate, and this training"):
        fit(cr.CSVLogger(path, append=True), validation_data=VALIDATION)


def test_a_file_that_is_no_log_is_kept(tmp_path):
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    for append in (False, True):
        with pytest.raises(SettingError, match="is there already, and no log of a training"):
            fit(cr.CSVLogger(tmp_path / "data.csv", append=append))
    assert (tmp_path / "data.csv").read_text() == "a,b\n1,2\n"


def test_places_where_no_file_can_be(tmp_path):
    for path in (tmp_path, tmp_path / "none" / "log.csv"):
        with pytest.raises(SettingError, match="give the name of a file in a folder that is there"):
            cr.CSVLogger(path)
    with pytest.raises(
        SettingError, match=r"the class CSVLogger is among the callbacks; give one made of it: CSVLogger\("
    ):
        fit(cr.CSVLogger)


def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = cr.TensorBoardLogger(tmp_path / "runs")
    history = fit(logger, validation_data=VALIDATION)
    assert pickle.loads(pickle.dumps(logger)).folder == tmp_path / "runs"
    events = EventAccumulator(str(tmp_path / "runs")).Reload()
    for name in names(history):
        found = events.Tensors(name)
        assert [event.step for event in found] == [1, 2, 3]
        np.testing.assert_allclose([event.tensor_proto.float_val[0] for event in found], history[name], rtol=1e-6)


def test_mlflow_reads_what_was_logged(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # the small package has no other
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with mlflow.start_run() as run:
        history = fit(cr.MLflowLogger())
    client = mlflow.MlflowClient()
    for name in names(history):
        found = client.get_metric_history(run.info.run_id, name)
        assert [(x.step, x.value) for x in found] == [(i + 1, value) for i, value in enumerate(history[name])]
    fit(cr.MLflowLogger(run.info.run_id), epochs=4)
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 7


def stopped(path, logger):
    """A training of five epochs that ends in the fourth; it was kept after the third."""

    class StoppedError(Exception):
        pass

    def stop(end):
        if end.epoch == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        cr.Network([cr.Dense(1)]).fit(
            X, 2.0 * X, epochs=5, callbacks=[logger, stop], checkpoint=path, every=1, progress=False
        )  # fmt: skip

    def no_more(end):
        pass

    no_more.__name__ = "stop"
    return [type(logger)(*logger_arguments(logger)), no_more]


def logger_arguments(logger):
    return [logger.folder] if isinstance(logger, cr.TensorBoardLogger) else []


def test_mlflow_goes_on_with_the_run_that_a_killed_training_had(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with mlflow.start_run() as run:
        callbacks = stopped(tmp_path / "run.ckpt", cr.MLflowLogger())
    history = cr.resume(tmp_path / "run.ckpt", X, 2.0 * X, callbacks=callbacks, progress=False).history
    assert mlflow.active_run() is None
    found = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert {x.step: x.value for x in found} == dict(enumerate(history["loss"], 1))


def test_tensorboard_goes_on_with_the_folder_of_a_killed_training(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    callbacks = stopped(tmp_path / "run.ckpt", cr.TensorBoardLogger(tmp_path / "runs"))
    history = cr.resume(tmp_path / "run.ckpt", X, 2.0 * X, callbacks=callbacks, progress=False).history
    found = {}
    for file in (tmp_path / "runs").iterdir():
        for event in EventAccumulator(str(file)).Reload().Tensors("loss"):
            found.setdefault(event.step, set()).add(event.tensor_proto.float_val[0])
    assert found == {step: {np.float32(loss)} for step, loss in enumerate(history["loss"], 1)}


def test_a_run_that_is_logged_to_is_gone_on_with(monkeypatch, tmp_path):
    """By a module that notes its calls; the run of the killed training is no longer active."""
    told, active = [], ModuleType("run")
    active.info = ModuleType("info")
    active.info.run_id = "first"
    mlflow = ModuleType("mlflow")
    mlflow.log_metrics = lambda metrics, step, run_id: told.append((step, run_id or active.info.run_id))
    mlflow.active_run = lambda: active
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    callbacks = stopped(tmp_path / "run.ckpt", cr.MLflowLogger())
    active.info.run_id = "another"
    cr.resume(tmp_path / "run.ckpt", X, 2.0 * X, callbacks=callbacks, progress=False)
    assert set(told) == {(step, "first") for step in range(1, 6)}


def test_what_the_libraries_are_told(monkeypatch, tmp_path):
    """By modules that note their calls, where the libraries themselves are not installed."""
    told = []

    class Writer:
        def __init__(self, folder):
            told.append(folder)

        def add_scalar(self, name, value, step):
            told.append((name, value, step))

        def flush(self):
            told.append("flushed")

    for name in ("tensorboard", "tensorboard.summary", "mlflow"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["tensorboard.summary"].Writer = Writer
    sys.modules["mlflow"].log_metrics = lambda metrics, step, run_id: told.append((metrics, step, run_id))
    history = fit(cr.TensorBoardLogger(tmp_path), epochs=1)
    assert told == [str(tmp_path), *((name, history[name][0], 1) for name in names(history)), "flushed"]
    told.clear()
    history = fit(cr.MLflowLogger("abc"), epochs=2)
    assert told == [({name: history[name][i] for name in names(history)}, i + 1, "abc") for i in range(2)]


@pytest.mark.parametrize(
    ("module", "make"), [("tensorboard", lambda: cr.TensorBoardLogger("runs")), ("mlflow", lambda: cr.MLflowLogger())]
)
def test_a_library_that_is_missing_is_named(module, make, monkeypatch):
    for name in (module, f"{module}.summary"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf'pip install "chainrule\[{module}\]"'):
        fit(make())
