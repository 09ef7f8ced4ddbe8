"""Networks in files: what is saved is loaded, and whatever else a file may hold is refused with a clear error."""

from __future__ import annotations

import json
import pickle
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

import chainrule as cr
from chainrule.errors import ModelFileError, NotBuiltError, SettingError
from chainrule.nn import ACTIVATIONS, INITIALIZERS
from chainrule.training import LOSSES
from making import called, exported, made, moons, with_a_category

X, Y = moons(30)


def same(a: cr.Network, b: cr.Network) -> bool:
    assert list(a.parameters) == list(b.parameters)
    return all(
        np.array_equal(value, b.parameters[layer][name]) and value.dtype == b.parameters[layer][name].dtype
        for layer, own in a.parameters.items()
        for name, value in own.items()
    )


def again(network: cr.Network, folder: Path, **options: Any) -> cr.Network:
    network.save(folder / "model.safetensors")
    return cr.load(folder / "model.safetensors", **options)


@dataclass(frozen=True)
class Scale(cr.Layer):
    start: float = 2.0

    def parameters(self, shape: Any) -> Any:
        return {"factor": cr.ParameterSpec((shape[-1],), self.start)}

    def forward(self, parameters: Any, x: Any) -> Any:
        return x * parameters["factor"]


def cube(x: Any) -> Any:
    return x**3


def tilted(outputs: Any, targets: Any) -> Any:
    return np.sum(np.logaddexp(outputs - targets, 0.5 * (targets - outputs)), axis=-1)


@dataclass(frozen=True)
class Quantile(cr.Loss):
    share: float = 0.5

    def __call__(self, outputs: Any, targets: Any) -> Any:
        d = targets - outputs
        return np.sum(np.maximum(self.share * d, (self.share - 1) * d), axis=-1)


class TestRoundTrip:
    @pytest.mark.parametrize("kind", [k for k in exported(cr.Layer) if k is not cr.Parameter])
    def test_every_layer(self, kind: Any, tmp_path: Path) -> None:
        row = [made(kind), deepcopy(made(kind, name="named"))]  # so that layers inside are not shared
        alone = row[0].takes in (None, 1)
        function = None if alone else called(row[0])
        network = cr.Network([*row, cr.Dense(1)] if alone else function, seed=3).build(2)
        network.parameters = {  # so that a layer after another may take what that gives for a category
            f"{layer}.{name}": np.abs(value) for layer, own in network.parameters.items() for name, value in own.items()
        }
        loaded = again(network, tmp_path, function=function)
        assert same(network, loaded)
        assert repr(loaded) == repr(network)
        assert list(loaded.layers.values()) == list(network.layers.values())
        assert np.array_equal(loaded(with_a_category(X)), network(with_a_category(X)))

    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_every_activation(self, name: str, tmp_path: Path) -> None:
        for layer in (cr.Dense(3, name), cr.Dense(3, ACTIVATIONS[name]), cr.Activation(name)):
            network = cr.Network([layer, ACTIVATIONS[name]]).build(2)
            assert np.array_equal(again(network, tmp_path)(X / 10), network(X / 10))

    @pytest.mark.parametrize(
        "initializer", [*INITIALIZERS.values(), cr.Uniform(0, 1), [[1.0, 2.0], [3.0, 4.0]], 0.5], ids=repr
    )
    def test_every_initializer(self, initializer: Any, tmp_path: Path) -> None:
        network = cr.Network([cr.Dense(2, weight=initializer)], seed=7).build(2)
        loaded = again(network, tmp_path)
        assert loaded.layers == network.layers
        assert same(loaded, network)
        assert same(loaded.build(2), network)  # drawn again from the same seed by the same law

    @pytest.mark.parametrize("loss", [*LOSSES.values(), cr.Huber(2.5, over="sum")], ids=repr)
    def test_every_loss(self, loss: Any, tmp_path: Path) -> None:
        y = Y if loss.task == "classification" else np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)
        network = cr.Network([cr.Dense(2)])
        network.fit(X, y, loss=loss, epochs=2, progress=False)
        loaded = again(network, tmp_path)
        assert np.array_equal(loaded.predict(X), network.predict(X))
        assert loaded.evaluate(X, y) == network.evaluate(X, y)

    def test_shared_layers_stay_shared(self, tmp_path: Path) -> None:
        shared, W = cr.Dense(2, "tanh", name="s"), cr.Parameter((2, 2), "normal", name="W")
        network = cr.Network([shared, cr.Dense(2, weight=W), shared, cr.Dense(2, weight=W)]).build(2)
        loaded = again(network, tmp_path)
        assert list(loaded.parameters) == list(network.parameters)
        assert np.array_equal(loaded(X), network(X))
        loaded.parameters = {"W.value": np.zeros((2, 2)), "dense_0.bias": [0, 0], "dense_1.bias": [0, 0]}
        assert (loaded(X) == 0).all()

    def test_what_is_yours_is_given_again(self, tmp_path: Path) -> None:
        network = cr.Network([Scale(3.0), cube, cr.Dense(1, np.sin), cr.Activation(cube)])
        network.fit(X / 3, X[:, 0], loss=tilted, epochs=2, progress=False)
        own = {"Scale": Scale, "cube": cube, "tilted": tilted, "sin": np.sin}
        loaded = again(network, tmp_path, custom=own)
        assert np.array_equal(loaded.predict(X), network.predict(X))
        assert loaded.evaluate(X, X[:, 0]) == network.evaluate(X, X[:, 0])
        for name in own:
            with pytest.raises(ModelFileError, match=rf"uses '{name}'.*custom="):
                cr.load(tmp_path / "model.safetensors", custom={key: own[key] for key in own if key != name})

    def test_a_loss_class_of_yours(self, tmp_path: Path) -> None:
        network = cr.Network([cr.Dense(1)])
        network.fit(X, X[:, 0], loss=Quantile(0.9), epochs=2, progress=False)
        loaded = again(network, tmp_path, custom={"Quantile": Quantile})
        assert loaded.evaluate(X, X[:, 0]) == network.evaluate(X, X[:, 0])

    def test_yours_is_not_mistaken_for_ours_of_the_same_name(self, tmp_path: Path) -> None:
        def relu(x: Any) -> Any:
            return x * 0.0

        network = cr.Network([cr.Dense(2, relu)]).build(2)
        with pytest.raises(ModelFileError, match="'relu'"):
            again(network, tmp_path)
        assert (again(network, tmp_path, custom={"relu": relu})(X) == 0).all()

    def test_two_of_yours_of_the_same_name_are_refused(self, tmp_path: Path) -> None:
        network = cr.Network([lambda x: x + 1, lambda x: x * 2, cr.Dense(1)]).build(2)
        with pytest.raises(SettingError, match=r"two different.*'<lambda>'.*different names"):
            network.save(tmp_path / "m.safetensors")

    def test_networks_made_of_functions(self, tmp_path: Path) -> None:
        a, b = cr.Dense(4, "tanh"), cr.Dense(1)

        def skip(x: Any) -> Any:
            return b(a(x)) + x[:, :1]

        network = cr.Network(skip)
        network.fit(X, Y, epochs=2, progress=False)
        loaded = again(network, tmp_path, function=skip)
        assert np.array_equal(loaded.predict_proba(X), network.predict_proba(X))
        with pytest.raises(ModelFileError, match=r"function 'skip'.*function=skip"):
            cr.load(tmp_path / "model.safetensors")
        other = cr.Dense(9)
        with pytest.raises(ModelFileError, match=r"parameters.*expects"):
            cr.load(tmp_path / "model.safetensors", function=lambda x: other(x))

    def test_several_inputs_and_outputs(self, tmp_path: Path) -> None:
        a, b = cr.Dense(2), cr.Dense(1)

        def two(left: Any, right: Any) -> Any:
            return {"kind": a(left, right), "size": b(right)}

        network = cr.Network(two)
        y = {"kind": np.where(Y == 1, "in", "out"), "size": X[:, 0]}
        network.fit((X, X[:, :1]), y, epochs=2, progress=False)
        loaded = again(network, tmp_path, function=two)
        for name, value in network.predict((X, X[:, :1])).items():
            assert np.array_equal(loaded.predict((X, X[:, :1]))[name], value)
        assert loaded.evaluate((X, X[:, :1]), y) == network.evaluate((X, X[:, :1]), y)

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_settings_and_notes(self, dtype: str, tmp_path: Path) -> None:
        network = cr.Network([cr.Dense(2)], dtype=dtype, seed=11, frozen=["*.bias"]).build(3)
        network.save(tmp_path / "m.safetensors", notes={"columns": ["a", "ü"], "scale": [1.5, None]})
        loaded = cr.load(tmp_path / "m.safetensors")
        assert (loaded.dtype, loaded.seed, loaded.frozen) == (network.dtype, 11, ("*.bias",))
        assert loaded.notes == {"columns": ["a", "ü"], "scale": [1.5, None]}
        assert same(loaded, network)
        loaded.save(tmp_path / "again.safetensors")
        assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "m.safetensors").read_bytes()

    def test_training_goes_on_where_it_was(self, tmp_path: Path) -> None:
        options: dict[str, Any] = {"epochs": 3, "optimizer": cr.SGD(0.1), "progress": False}
        network = cr.Network([cr.Dense(4, "tanh"), cr.Dropout(0.2), cr.Dense(2)])
        network.fit(X, Y, **options)
        loaded = again(network, tmp_path)
        network.fit(X, Y, **options)
        loaded.fit(X, Y, **options)
        assert same(network, loaded)


class TestFiles:
    def saved(self, folder: Path) -> Path:
        network = cr.Network([cr.Dense(4, "tanh"), cr.Dense(2)])
        network.fit(X, np.where(Y == 1, "in", "out"), epochs=1, progress=False)
        network.save(folder / "model.safetensors")
        return folder / "model.safetensors"

    @pytest.mark.parametrize("percent", range(0, 100, 10))
    def test_truncated(self, percent: int, tmp_path: Path) -> None:
        path = self.saved(tmp_path)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) * percent // 100])
        with pytest.raises(ModelFileError, match=r"model\.safetensors.*damaged"):
            cr.load(path)

    def test_any_flipped_byte(self, tmp_path: Path) -> None:
        path = self.saved(tmp_path)
        content = path.read_bytes()
        places = [*range(60), *np.random.default_rng(0).integers(0, len(content), 300).tolist()]
        for place in places:
            for flip in (1, 32, 255):
                damaged = bytearray(content)
                damaged[place] ^= flip
                path.write_bytes(damaged)
                with pytest.raises(ModelFileError, match=r"model\.safetensors"):
                    cr.load(path)

    def test_appended_bytes(self, tmp_path: Path) -> None:
        path = self.saved(tmp_path)
        path.write_bytes(path.read_bytes() + b"more")
        with pytest.raises(ModelFileError):
            cr.load(path)

    @pytest.mark.parametrize(
        "content",
        [b"", b"a,b\n1,2\n", b"\x00" * 100, b"\xff" * 100, pickle.dumps({"a": 1}), b"PK\x03\x04" + b"\x00" * 60],
        ids=["empty", "text", "zeros", "ones", "pickle", "zip"],
    )
    def test_of_another_kind(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "x.bin").write_bytes(content)
        with pytest.raises(ModelFileError, match="of another kind"):
            cr.load(tmp_path / "x.bin")

    def test_safetensors_of_somebody_else(self, tmp_path: Path) -> None:
        for metadata in (None, {"format": "pt"}):
            (tmp_path / "x.safetensors").write_bytes(to_bytes({"w": np.ones(3)}, metadata=metadata))
            with pytest.raises(ModelFileError, match="not one that chainrule wrote"):
                cr.load(tmp_path / "x.safetensors")

    def test_of_a_later_format(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("chainrule.network.files.storage.FORMAT", 99)
        path = self.saved(tmp_path)
        monkeypatch.undo()
        with pytest.raises(ModelFileError, match=r"format 99.*reads format 1"):
            cr.load(path)

    def test_missing_and_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"no file .*nowhere"):
            cr.load(tmp_path / "nowhere.safetensors")
        with pytest.raises(ModelFileError):
            cr.load(tmp_path)

    def test_text_as_path(self, tmp_path: Path) -> None:
        path = self.saved(tmp_path)
        assert np.array_equal(cr.load(str(path))(X), cr.load(path)(X))

    def test_nothing_is_left_when_writing_fails(self, tmp_path: Path) -> None:
        path = self.saved(tmp_path)
        before = path.read_bytes()
        network = cr.load(path)
        with pytest.raises(SettingError, match=r"cannot be saved.*JSON-able"):
            network.save(path, notes={"array": np.ones(3)})
        with pytest.raises(FileNotFoundError):
            network.save(tmp_path / "no folder" / "m.safetensors")
        assert path.read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]

    def test_before_the_shapes_are_known(self, tmp_path: Path) -> None:
        with pytest.raises(NotBuiltError):
            cr.Network([cr.Dense(1)]).save(tmp_path / "m.safetensors")

    def test_arrays_are_plain_safetensors_and_the_rest_is_json(self, tmp_path: Path) -> None:
        content = self.saved(tmp_path).read_bytes()
        assert set(from_bytes(content)) == {"dense_0.weight", "dense_0.bias", "dense_1.weight", "dense_1.bias"}
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        described = json.loads(header["__metadata__"]["chainrule"])
        assert [layer["type"] for layer in described["layers"]] == ["Dense", "Dense"]

    def test_nothing_in_the_library_unpickles(self) -> None:
        package = Path(cr.__file__).parent
        for path in package.rglob("*.py"):
            text = path.read_text()
            assert "import pickle" not in text, path
            assert "allow_pickle=True" not in text, path
