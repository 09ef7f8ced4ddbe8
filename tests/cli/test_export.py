"""`chainrule export` of stored models of tables and of networks."""

import numpy as np
import pytest
from typer.testing import CliRunner

import chainrule as cr
from chainrule.cli.app import app

onnxruntime = pytest.importorskip("onnxruntime")


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_model_of_a_table(tmp_path):
    x = np.linspace(0.0, 1.0, 40)
    (tmp_path / "data.csv").write_text(
        "a,town,y\n" + "".join(f"{v:.3f},{'Rome' if v > 0.5 else 'Oslo'},{2 * v:.3f}\n" for v in x)
    )
    model, written = tmp_path / "model.safetensors", tmp_path / "model.onnx"
    done = run("train", tmp_path / "data.csv", "--target", "y", "--fast", "--epochs", "3", "--save", model)
    assert done.exit_code == 0, done.output
    done = run("export", model, written)
    assert done.exit_code == 0, done.output
    assert "town  category: text" in done.output
    session = onnxruntime.InferenceSession(written)
    (found,) = session.run(None, {"a": np.array([0.25]), "town": np.array(["Oslo"], object)})
    np.testing.assert_allclose(found, cr.load(model).predict({"a": [0.25], "town": ["Oslo"]}), rtol=1e-5)
    assert run("export", model, model).exit_code == 1  # which would be lost


def test_a_network(tmp_path):
    network = cr.Network([cr.Dense(2)]).build(3)
    network.save(tmp_path / "model.safetensors")
    assert run("export", tmp_path / "model.safetensors", tmp_path / "model.onnx").exit_code == 0
    (found,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(None, {"X": np.ones((2, 3), np.float32)})
    np.testing.assert_allclose(found, network(np.ones((2, 3))), rtol=1e-6)
