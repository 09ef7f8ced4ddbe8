"""Whatever was done before: what is shown depends on the numbers, the rows and the moment alone, and nothing gets stuck."""

import json
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.nn.parameters import flat_names
from chainrule.training import Training
from chainrule.viewer.spreads import counts_between, edges_of
from waiting import until

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(7, 2))
Y = X[:, :1] * X[:, 1:]
SHOWN = ("drawing", "selection", "derivation", "contributions", "data", "histograms", "warp")


def network(**options: Any) -> cr.Network:
    return cr.Network([cr.Dense(3, "tanh", name="h"), cr.Dense(1, name="o")], seed=2, **options)


def trained(**options: Any) -> cr.View:
    view = cr.view(
        network(), X, Y, **{"loss": "mse", "optimizer": cr.SGD(0.1), "epochs": 4, "batch_size": 3, **options}
    )
    view.do("train", wait=True)
    return view


def parameters(view: cr.View) -> dict[str, bytes]:
    return {name: x.tobytes() for name, x in flat_names(view.subject.parameters).items()}


# --- equal to a view brought there directly


def drawn_commands(view: cr.View, random: Any) -> list[tuple[str, dict[str, Any]]]:
    rows = view.subject.row_count
    keys = ["h.weight[0, 0]", "o.bias[0]", "x[0, 0]", "target[0, 0]", "h.a[0, 0]", "h.z[2, 0]", "L"]
    key, row, step = keys[random.integers(len(keys))], int(random.integers(rows)), int(random.integers(-2, 20))
    grain = ["operation", "stage", "step", "epoch"][random.integers(4)]
    return [
        ("go", {"step": step}), ("go", {"step": step, "stage": "forward"}),
        ("move", {"grain": grain, "by": int(random.integers(-3, 4))}),
        ("set", {"key": key, "value": float(random.normal()), "final": bool(random.integers(2))}), ("reset", {}),
        ("select", {"key": key, "depth": "factors"}), ("check", {"on": True}), ("unfold", {"layer": "h"}),
        ("rows", {"rows": "batch"}), ("rows", {"rows": "all"}), ("rows", {"rows": [row]}), ("probe", {"x": 0.0, "y": 0.5}),
        ("branch", {"settings": {"learning_rate": 0.5}}), ("branch", {"settings": {"l2": 0.3, "seed": 5}}),
        ("show", {"branch": None}), ("show", {"branch": 0}), ("train", {"epochs": 2, "wait": True}),
        ("setting", {"name": "l2", "value": 0.1}), ("setting", {"name": "batch_size", "value": 2}), ("dataset", {"name": "xor"}),
        ("point", {"what": "add", "x": 0.5, "y": -0.5, "target": 1.0}), ("point", {"what": "remove", "row": row}),
        ("point", {"what": "move", "row": row, "x": 0.1, "y": 0.2}), ("point", {"what": "relabel", "row": row, "target": -1.0}),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_it_is_as_in_a_view_brought_there_directly(seed: int) -> None:
    random = np.random.default_rng(seed)
    view = trained(l2=0.0 if seed % 2 else 0.1, batch_size=[None, 3][seed % 2])
    for name in ("histograms", "warp"):
        view.do("panel", name=name)
    for _ in range(12):
        possible = drawn_commands(view, random)
        name, arguments = possible[random.integers(len(possible))]
        try:
            view.do(name, **arguments)
        except cr.ChainruleError:  # as to set what was computed
            continue
        json.dumps(dict(view.parts), allow_nan=False)
    view.subject.done = None
    view.subject.touch()
    view.session.refresh()
    subject, own = view.subject, network().build(2)
    own.parameters = subject.parameters
    penalty = subject.objective.penalty.l2
    fresh = cr.view(own, subject.data.inputs[0], subject.data.targets[0], loss="mse", l2=penalty)
    for name in ("histograms", "warp"):
        fresh.do("panel", name=name)
    fresh.do("rows", rows=subject.rows.tolist())
    fresh.do("unfold", layer=subject.unfolded)
    if selection := view.parts["selection"]:
        fresh.do("select", key=selection["key"], depth=selection["depth"])
        fresh.do("check", on=selection["check"])
    for part in SHOWN:
        assert view.parts[part] == fresh.parts[part], part


# --- time


def test_a_branch_of_a_branch_has_its_past() -> None:
    view = trained()
    view.do("go", step=3)
    view.do("branch", settings={"learning_rate": 1.0})
    seen = []
    for step in range(9):
        view.do("go", step=step)
        seen.append(parameters(view))
    view.do("branch", settings={"learning_rate": 0.01})
    for step, before in enumerate(seen):
        view.do("go", step=step)
        assert parameters(view) == before


def test_what_happened_to_the_training_did_not_happen_to_its_branch() -> None:
    view = trained(optimizer=cr.SGD(lambda epoch: np.where(epoch == 2, 2.0, 0.02)), batch_size=None, epochs=6)
    view.do("go", step=1)
    assert view.do("jump", to="loss rose").startswith("Step 3")
    view.do("train", epochs=2, wait=True)  # a second recording, that begins after the branch does
    view.do("go", step=1)
    view.do("branch", settings={"learning_rate": 0.02})
    view.do("go", step=0)
    assert "any more" in view.do("jump", to="loss rose")


def test_a_recorded_training_is_gone_on_with_as_it_was() -> None:
    settings = {
        "loss": "mse",
        "batch_size": 3,
        "l2": 0.1,
        "clip_norm": 0.5,
        "seed": 4,
        "optimizer": cr.SGD(0.1),
        "shuffle": False,
    }
    own, whole = network(), network()
    own.fit(X, Y, epochs=3, record=True, progress=False, **settings)
    whole.fit(X, Y, epochs=6, progress=False, **settings)
    view = cr.view(own)
    view.do("train", epochs=3, wait=True)
    assert view.parts["position"]["steps"] == 18
    assert parameters(view) == {name: x.tobytes() for name, x in flat_names(whole.parameters).items()}
    stopped = network()
    stopped.fit(X, Y, epochs=5, early_stopping=3, validation_split=0.3, record=True, progress=False)
    view = cr.view(stopped)
    view.do("train", epochs=2, wait=True)  # another training, from here
    assert view.parts["position"]["epochs"] == 2


def test_the_loss_shown_is_the_one_that_was_lowered() -> None:
    view = trained(batch_size=None)
    before = view.parts["position"]["loss"]
    view.do("setting", name="l2", value=0.5)
    assert view.parts["position"]["loss"] == before  # of a training without
    view.do("train", wait=True)
    view.do("go", step=2)
    view.do("rows", rows="all")
    assert view.parts["position"]["loss"] == pytest.approx(view.parts["curves"]["series"][0]["points"][2][1], rel=1e-6)
    view.do("branch", settings={"l2": 0.0})
    assert view.parts["position"]["loss"] < view.parts["curves"]["series"][0]["points"][2][1]
    untrained = cr.view(network(), X, Y, loss="mse")
    before = untrained.parts["position"]["loss"]
    untrained.do("setting", name="l2", value=0.5)
    assert untrained.parts["position"]["loss"] > before


def test_rows_of_data_that_are_no_more_are_not_gone_to() -> None:
    view = trained()
    view.do("go", step=0)
    for _ in range(4):
        view.do("point", what="remove", row=0)
    for step in range(view.parts["position"]["steps"] + 1):
        view.do("go", step=step)
        assert view.parts["settings"]["batch"] == []
        assert not view.parts["settings"]["follows_batch"]
    view.do("train", wait=True)
    view.do("go", step=0)
    assert view.parts["settings"]["follows_batch"]


def test_moves_beyond_the_end_end() -> None:
    view = trained(epochs=1)
    assert not view.do("move", grain="operation", by=1e9)
    assert view.do("move", grain="stage", by=-1e9)
    assert view.parts["position"]["step"] == 0


# --- numbers set by hand


def test_a_change_is_over_when_something_else_is_shown() -> None:
    view = trained()
    for name, arguments in (
        ("move", {"grain": "step", "by": -1}),
        ("rows", {"rows": [0]}),
        ("dataset", {"name": "xor"}),
    ):
        view.do("set", key="h.weight[0, 0]", value=view.subject.number("h.weight[0, 0]") + 0.5, final=False)
        assert view.parts["change"]["true"] != 0
        view.do(name, **arguments)
        assert view.parts["change"] is None
    before = view.subject.number("h.weight[0, 0]")
    view.do("set", key="h.weight[0, 0]", value=0.25)  # not the drag from before
    assert view.parts["change"]["before"] == before


def test_what_is_not_shown_now_is_not_selected_until_it_is() -> None:
    view = trained()
    view.do("rows", rows="all")
    view.do("select", key="h.a[5, 1]")
    view.do("rows", rows=[0])
    assert view.parts["selection"] is view.parts["derivation"] is None
    view.do("rows", rows="all")
    assert view.parts["selection"]["key"] == "h.a[5, 1]"

    def f(a: Any, b: Any) -> Any:
        return np.sin(a * b) if a > 0 else a + b

    view = cr.view(f, 1.0, 2.0)
    view.do("select", key="a*b")
    view.do("set", key="a", value=-1.0)
    assert view.parts["selection"] is None
    view.do("set", key="a", value=2.0)
    assert view.parts["selection"]["value"] == 4.0


@pytest.mark.parametrize("value", [1e300, -1e39])
def test_numbers_that_the_type_cannot_hold_are_refused(value: float) -> None:
    view = trained()
    before = parameters(view)
    with pytest.raises(cr.ChainruleError, match="too large for float32"):
        view.do("set", key="o.weight[0, 0]", value=value)
    assert parameters(view) == before


def test_numbers_that_a_function_does_not_take_are_not_set() -> None:
    def f(a: Any, b: Any) -> Any:
        if a < 0:
            raise ValueError("negative")
        return np.sqrt(a) * b

    view = cr.view(f, 1.0, 2.0)
    with pytest.raises(ValueError, match="negative"):
        view.do("set", key="a", value=-1.0)
    view.do("set", key="b", value=3.0)
    assert view.parts["change"]["true"] == 1.0


def test_arrays_of_the_user_may_change_afterwards() -> None:
    own, data = network(dtype="float64").build(2), X.copy()
    view = cr.view(own, data, Y, loss="mse")
    before = view.parts["drawing"]
    own.parameters["h"]["weight"][:] = 7.0
    data[:] = 0.0
    view.do("rows", rows="all")
    assert view.parts["drawing"] == before


@pytest.mark.parametrize("features", [1, 3])
def test_a_network_without_a_plane_has_no_points(features: int) -> None:
    view = cr.view(cr.Network([cr.Dense(1)]), RANDOM.normal(size=(4, features)), Y[:4], loss="mse")
    for name, arguments in (("point", {"what": "add"}), ("dataset", {"name": "xor"}), ("probe", {"x": 0.0, "y": 0.0})):
        with pytest.raises(cr.ChainruleError, match="plane"):
            view.do(name, **arguments)


def test_points_are_of_classes_that_there_were() -> None:
    view = cr.view(cr.Network([cr.Dense(1, "sigmoid")]), X[:2], [0, 1])
    view.do("point", what="remove", row=0)
    view.do("point", what="add", x=0.0, y=0.0, target=0.0)  # though none is left
    assert [point["target"] for point in view.parts["data"]["points"]] == [1.0, 0.0]
    before = view.parts["data"]
    for arguments in (
        {"what": "relabel", "row": 0, "target": 0.5},
        {"what": "relabel", "row": 0, "target": 2.0},
        {"what": "add", "x": 1e300},
    ):
        with pytest.raises(cr.ChainruleError):
            view.do("point", **arguments)
    with pytest.raises(cr.ChainruleError, match="cannot be set"):
        view.do("set", key="∂L/∂dense_0.bias[0]", value=1.0)
    assert view.parts["data"] == before


def test_numbers_that_overflow_are_shown_as_that() -> None:
    view = cr.view(network(dtype="float32"), X, Y > 0, epochs=2)
    for panel in view.session.panel_names:
        view.do("panel", name=panel)
    view.do("train", wait=True)
    for key in ("h.weight[0, 0]", "o.weight[0, 0]", "x[0, 1]"):
        view.do("set", key=key, value=3e38)
        view.do("select", key=key)
        json.dumps(dict(view.parts), allow_nan=False)


# --- settings and trainings


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", -5), ("epochs", "abc"), ("epochs", 1.5), ("batch_size", "foo"), ("batch_size", 0), ("seed", -1), ("engine", "foo"),
     ("l2", -1.0), ("l1", float("nan")), ("optimizer", "foo"), ("learning_rate", 0.0), ("clipping", 1.0)],
)  # fmt: skip
def test_settings_without_sense_are_refused_at_once(name: str, value: Any) -> None:
    view = trained()
    before = view.parts["settings"]
    with pytest.raises(cr.ChainruleError):
        view.do("setting", name=name, value=value)
    assert view.parts["settings"] == before
    with pytest.raises(cr.ChainruleError):
        view.do("train", epochs=0)
    assert view.parts["position"]["steps"] == 12  # the training is still there


def test_waiting_for_a_training_is_waiting_for_all_of_it() -> None:
    view = cr.view(network(), X, Y, loss="mse", epochs=5)
    view.session.start()
    try:
        view.do("train", wait=True)
        assert view.parts["position"]["steps"] == 5
        assert not view.parts["position"]["training"]
        view.do("go", step=2)
        assert view.parts["position"]["step"] == 2
    finally:
        view.session.close()


@pytest.mark.parametrize("in_a_thread", [True, False])
def test_a_training_that_breaks_is_over(in_a_thread: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    view = cr.view(network(), X, Y, loss="mse", epochs=5)

    def broken(self: Any) -> None:
        raise RuntimeError("a layer of one's own")

    if in_a_thread:
        view.session.start()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Training, "run", broken)
            view.do("train")
            until(lambda: view.parts["notice"])
        assert view.parts["notice"]["text"] == "RuntimeError: a layer of one's own"
        until(lambda: not view.parts["position"]["training"])
        view.do("train", wait=True)
        assert view.parts["position"]["steps"] == 5
    finally:
        view.session.close()


def test_closing_ends_a_training_and_opening_goes_on() -> None:
    view = cr.view(network(), X, Y, loss="mse", epochs=10**12)
    view.session.start()
    view.do("train")
    until(lambda: view.parts["position"]["epoch"] > 3)
    view.session.close()
    until(lambda: not view.parts["position"]["training"])
    assert view.parts["position"]["steps"] > 3
    answers: list[dict[str, Any]] = []
    for i in range(3):
        view.session.start()
        view.session.send({"id": i, "do": "go", "step": i}, answers.append)
        until(lambda i=i: len(answers) == i + 1)
        view.session.close()
    assert answers == [{"id": i, "ok": None} for i in range(3)]


# --- looks


def test_spreads_are_of_the_data_and_the_branch_that_are_shown() -> None:
    view = trained()
    view.do("panel", name="spread")
    view.do("spread_of", name="h.a")
    before = view.parts["spread"]
    view.do("point", what="move", row=int(view.subject.rows[0]), x=5.0, y=5.0)
    moved = view.parts["spread"]
    assert moved["counts"] != before["counts"]
    view.do("go", step=2)
    view.do("rows", rows="all")
    whole = view.parts["spread"]
    view.do("branch", settings={"learning_rate": 1.0})
    view.do("rows", rows="all")
    assert view.parts["spread"]["edges"] != whole["edges"]
    view.do("show", branch=None)
    view.do("rows", rows="all")
    assert view.parts["spread"] == whole


def test_classes_go_by_their_names() -> None:
    view = cr.view(cr.Network([cr.Dense(2, "softmax")]), X, np.where(Y[:, 0] > 0, "yes", "no"))
    assert view.parts["data"]["classes"] == ["no", "yes"]


def test_a_landscape_of_one_parameter() -> None:
    view = cr.view(cr.Network([cr.Dense(1, bias=None, name="o")]), X[:, :1], Y, loss="mse", epochs=3)
    view.do("panel", name="surface")
    view.do("train", wait=True)
    path = view.parts["surface"]["paths"][0]["points"]
    assert path[-1][0] == pytest.approx(0, abs=1e-6)
    assert path[0][0] != path[-1][0]


@pytest.mark.parametrize(
    "numbers",
    [[0.1, np.nextafter(0.1, 1)], [1e308, -1e308, 3.0], [5e-324, 0.0], [2.0], [1e300], [np.nan], [-np.inf, 1.0, 2.0]],
)
def test_every_finite_number_lies_between_edges(numbers: list[float]) -> None:
    array = np.array(numbers)
    edges = edges_of(array)
    assert (np.diff(edges) > 0).all()
    assert np.isfinite(edges).all()
    assert counts_between(array, edges).sum() == np.isfinite(array).sum()
