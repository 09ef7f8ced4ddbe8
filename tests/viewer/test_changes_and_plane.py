"""Numbers changed by hand, and the plane of two inputs."""

import base64
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.nn.parameters import flat_names
from chainrule.viewer.datasets import PLANE, in_the_plane
from chainrule.viewer.landscape import Losses, vector_of


def shown(classify: bool = True, **options: Any) -> cr.View:
    X, y = in_the_plane("moons", rows=40)
    width = 2 if classify else 1
    network = cr.Network([cr.Dense(4, "tanh", name="h"), cr.Dense(width, name="o")], dtype="float64", seed=5)
    return cr.view(network, X, y if classify else y * 2.0 - 1.0, epochs=20, **options)


@pytest.mark.parametrize("key", ["h.weight[1, 3]", "o.bias[0]", "x[0, 1]", "target[0, 0]"])
def test_the_change_predicted_is_the_change_for_small_ones(key: str) -> None:
    view = shown(classify=False)
    before, slope = view.subject.number(key), view.subject.gradient(key)
    loss = view.subject.number("L")
    for size in (1e-3, 1e-4):
        view.do("set", key=key, value=before + size)
        change = view.parts["change"]
        assert change["predicted"] == pytest.approx(slope * (view.subject.number(key) - before), rel=1e-9)
        assert change["true"] == view.subject.number("L") - loss
        assert abs(change["true"] - change["predicted"]) < 10 * size**2
        view.do("reset")
        assert view.subject.number("L") == loss
        assert view.parts["change"] is None


def test_all_of_a_drag_is_one_change() -> None:
    view = shown()
    start = view.subject.number("o.bias[1]")
    for value in (0.1, 0.3, 0.2):
        view.do("set", key="o.bias[1]", value=value, final=False)
    view.do("set", key="o.bias[1]", value=0.5)
    assert (view.parts["change"]["before"], view.parts["change"]["after"]) == (start, 0.5)
    view.do("set", key="o.bias[1]", value=0.6)
    assert view.parts["change"]["before"] == 0.5


def test_the_network_itself_stays_as_it_is() -> None:
    view = shown()
    weights = {name: np.array(x) for name, x in view.subject.network.parameters["h"].items()}
    view.do("set", key="h.weight[0, 0]", value=3.0)
    view.do("train", wait=True)
    for name, x in view.subject.network.parameters["h"].items():
        assert (x == weights[name]).all()


@pytest.mark.parametrize("classify", [True, False])
def test_the_surface_is_what_the_network_answers(classify: bool) -> None:
    view = shown(classify)
    view.do("train", wait=True)
    data = view.parts["data"]
    network = cr.Network(
        [cr.Dense(4, "tanh", name="h"), cr.Dense(2 if classify else 1, name="o")], dtype="float64"
    ).build(2)
    network.parameters = view.subject.parameters
    x0, x1, y0, y1 = data["extent"]
    surface = data["surface"]
    n, m = surface["columns"], surface["rows"]
    grid = np.array([[x, y] for y in np.linspace(y1, y0, m) for x in np.linspace(x0, x1, n)])
    scores = network(grid)
    found = np.frombuffer(base64.b64decode(surface["values"]), "<f4")
    wanted = scores[:, 0] if not classify else 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))
    assert np.allclose(found, wanted, atol=1e-6)
    assert len(data["neurons"]) == 4
    assert all(x0 < p["x"] < x1 and y0 < p["y"] < y1 for p in data["points"])


@pytest.mark.parametrize(
    ("width", "activation", "loss"),
    [(1, None, "binary_cross_entropy"), (1, "sigmoid", "binary_cross_entropy"), (2, "softmax", "cross_entropy")],
)
def test_the_surface_of_classes_is_the_probability_of_the_second(width: int, activation: str | None, loss: str) -> None:
    X, y = in_the_plane("moons", rows=40)
    layers = [cr.Dense(3, "tanh", name="h"), cr.Dense(width, activation, name="o")]
    view = cr.view(cr.Network(layers, dtype="float64"), X, y, loss=loss, epochs=20)
    view.do("train", wait=True)
    network = cr.Network(layers, dtype="float64")
    network.fit(X, y, loss=loss, epochs=1, progress=False)
    network.parameters = view.subject.parameters
    data, surface = view.parts["data"], view.parts["data"]["surface"]
    x0, x1, y0, y1 = data["extent"]
    n, m = surface["columns"], surface["rows"]
    grid = np.array([[a, b] for b in np.linspace(y1, y0, m) for a in np.linspace(x0, x1, n)])
    found = np.frombuffer(base64.b64decode(surface["values"]), "<f4")
    assert np.allclose(found, network.predict_proba(grid)[:, 1], atol=1e-6)


def test_points_can_be_added_moved_relabelled_and_removed() -> None:
    view = shown()
    rows = view.subject.row_count
    view.do("point", what="add", x=0.5, y=-0.5, target=1)
    assert view.parts["data"]["points"][-1] | {"chosen": False} == {
        "row": rows,
        "x": 0.5,
        "y": -0.5,
        "target": 1.0,
        "chosen": False,
    }
    view.do("point", what="move", row=rows, x=0.25, y=0.75)
    view.do("point", what="relabel", row=rows, target=0)
    assert [view.parts["data"]["points"][-1][k] for k in ("x", "y", "target")] == [0.25, 0.75, 0.0]
    view.do("probe", x=0.25, y=0.75)
    assert view.subject.rows.tolist() == [rows]
    view.do("point", what="remove", row=rows)
    assert view.subject.row_count == rows
    with pytest.raises(cr.ChainruleError, match="class 7"):
        view.do("point", what="relabel", row=0, target=7)
    view.do("train", wait=True)
    assert view.parts["position"]["steps"]


@pytest.mark.parametrize("name", PLANE)
def test_classic_sets_can_be_learned(name: str) -> None:
    points, classes = in_the_plane(name)
    assert points.shape == (200, 2)
    assert np.isfinite(points).all()
    assert np.abs(points).max() < 2
    network = cr.Network([cr.Dense(16, "tanh"), cr.Dense(16, "tanh"), cr.Dense(2)])
    network.fit(points, classes, epochs=1000, optimizer=cr.Adam(0.01), progress=False)
    assert network.evaluate(points, classes)["accuracy"] > 0.95
    view = shown()
    view.do("dataset", name=name)
    assert len(view.parts["data"]["points"]) == 200


def test_histograms_and_landscapes() -> None:
    view = shown(classify=False)
    view.do("train", wait=True)
    view.do("panel", name="histograms", open=True)
    counts = {x["name"]: sum(x["counts"]) for x in view.parts["histograms"]["groups"]}
    assert counts["h.weight"] == 8
    assert counts["∂L/∂h.weight"] == 8
    view.do("panel", name="surface", open=True)
    surface = view.parts["surface"]
    assert surface["kind"] == "path"
    way = surface["paths"][0]["points"]
    x0, x1, y0, y1 = surface["extent"]
    assert all(x0 <= a <= x1 and y0 <= b <= y1 for a, b, _ in way)
    assert abs(way[-1][0]) + abs(way[-1][1]) < 1e-9  # the parameters shown are those at the end
    view.do("landscape", kind="gradient")
    surface = view.parts["surface"]
    losses = np.frombuffer(base64.b64decode(surface["values"]), "<f4").reshape(surface["rows"], surface["columns"])
    middle = losses[surface["rows"] // 2, surface["columns"] // 2]
    view.do("rows", rows="all")
    assert middle == pytest.approx(view.subject.number("L"), rel=1e-6)
    assert losses[surface["rows"] // 2, surface["columns"] // 2 + 1] < middle or view.subject.number("L") < 1e-3
    assert surface["gradient"][0] > 0


def test_layers_bend_the_plane() -> None:
    view = shown()
    view.do("panel", name="warp", open=True)
    (layer,) = view.parts["warp"]["layers"]
    assert (layer["name"], layer["x"]) == ("h", "first component")
    assert layer["points"] == 40
    network = cr.Network([cr.Dense(2, "tanh", name="h"), cr.Dense(2, name="o")], dtype="float64", seed=5)
    X, y = in_the_plane("moons", rows=40)
    two = cr.view(network, X, y)
    two.do("panel", name="warp", open=True)
    (layer,) = two.parts["warp"]["layers"]
    weights = network.parameters["h"]
    places = np.frombuffer(base64.b64decode(layer["values"]), "<f4").reshape(layer["rows"], 2)
    assert np.allclose(places[:40], np.tanh(X @ weights["weight"] + weights["bias"]), atol=1e-6)
    assert layer["lines"] == 22
    assert layer["rows"] == 40 + 22 * 41


def test_spreads_over_the_training() -> None:
    view = shown()
    view.do("panel", name="spread", open=True)
    assert view.parts["spread"] is None
    view.do("train", wait=True)
    for name, count in (("h.weight", 8), ("∂L/∂o.bias", 2), ("h.a", 4 * len(view.subject.rows))):
        view.do("spread_of", name=name)
        spread = view.parts["spread"]
        assert spread["name"] == name
        assert len(spread["counts"]) == len(spread["steps"])
        assert all(sum(x) == count for x in spread["counts"])
    with pytest.raises(cr.ChainruleError, match="array"):
        view.do("spread_of", name="colour")


def test_the_landscape_is_made_once_and_is_the_loss() -> None:
    view = shown(classify=False)
    view.do("train", wait=True)
    view.do("panel", name="surface", open=True)
    end = view.parts["surface"]
    view.do("go", step=2)
    there = view.parts["surface"]
    assert there["values"] == end["values"]
    assert there["here"] != end["here"]
    name, place = "h.weight[0, 1]", view.subject.number("h.weight[0, 1]")
    view.do("set", key=name, value=place + 100.0)  # far out of it
    a, b = view.parts["surface"]["here"]
    x0, x1, y0, y1 = view.parts["surface"]["extent"]
    assert x0 <= a <= x1
    assert y0 <= b <= y1

    subject = view.subject
    losses = Losses(subject.objective, subject.data, subject.parameters)
    random = np.random.default_rng(0)
    places = random.normal(size=(losses._count + 3, vector_of(subject.parameters).size))
    found = losses(places)
    names = flat_names(subject.parameters)
    ends = np.cumsum([np.size(x) for x in names.values()])[:-1]
    for place, loss in list(zip(places, found, strict=True))[-5:]:
        own: dict[str, dict[str, np.ndarray]] = {}
        for (path, x), part in zip(names.items(), np.split(place, ends), strict=True):
            layer, parameter = path.split(".")
            own.setdefault(layer, {})[parameter] = part.reshape(np.shape(x)).astype(x.dtype)
        assert loss == pytest.approx(float(subject.objective(own, subject.data)[0]), rel=1e-5)
