"""The time machine: forwards and backwards to the same bits, operation by operation, and on other branches."""

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.nn.parameters import flat_names
from chainrule.viewer.walk import Walk

SHOWN = ("drawing", "selection", "derivation", "contributions", "position")


def trained(**options: Any) -> cr.View:
    random = np.random.default_rng(1)
    X = random.normal(size=(11, 2))
    layers = [cr.Dense(4, "tanh", name="h"), cr.Dropout(0.2), cr.Dense(1, name="o")]
    given = {"optimizer": cr.Adam(0.02), "epochs": 6, "batch_size": 4, **options}
    view = cr.view(cr.Network(layers, seed=2), X, X[:, :1] * X[:, 1:], loss="mse", **given)
    view.do("train", wait=True)
    view.do("select", key="h.weight[1, 2]")
    return view


def state(view: cr.View) -> dict[str, Any]:
    parts = {name: view.parts[name] for name in SHOWN}
    parts["position"] = {k: x for k, x in parts["position"].items() if k != "grain"}
    return parts | {n: x.tobytes() for n, x in flat_names(view.subject.parameters).items()}


@pytest.mark.parametrize("grain", ["operation", "stage", "step", "epoch"])
def test_there_and_back_again(grain: str) -> None:
    view = trained(epochs=10)
    view.do("go", step=4)
    view.do("move", grain=grain, by=1)  # to where this grain stops
    seen = [state(view)]
    for _ in range(5):
        assert view.do("move", grain=grain, by=1)
        seen.append(state(view))
    for earlier in reversed(seen[:-1]):
        view.do("move", grain=grain, by=-1)
        assert state(view) == earlier
    for later in seen[1:]:
        view.do("move", grain=grain, by=1)
        assert state(view) == later


def test_moments_are_those_that_fit_goes_through() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(11, 2))
    y = X[:, :1] * X[:, 1:]
    network = cr.Network([cr.Dense(4, "tanh", name="h"), cr.Dropout(0.2), cr.Dense(1, name="o")], seed=2).build(2)
    moments: list[Any] = [{name: np.array(x) for name, x in flat_names(network.parameters).items()}]
    settings = {"loss": "mse", "optimizer": cr.Adam(0.02), "epochs": 6, "batch_size": 4}
    network.fit(X, y, **settings, callbacks=[lambda end: moments.append(flat_names(end.parameters))], progress=False)
    view = trained()
    for epoch, parameters in enumerate(moments):
        view.do("go", step=3 * epoch)
        for name, x in flat_names(view.subject.parameters).items():
            assert x.tobytes() == parameters[name].tobytes()


def test_operations_make_known_one_after_the_other() -> None:
    view = trained()
    view.do("go", step=2, operation=0)
    walk = Walk(view.subject.evaluation)
    values, slopes = -1, -1
    for done in range(walk.count + 1):
        view.do("go", step=2, operation=done)
        evaluation = view.subject.evaluation
        partial = view.subject.partial(evaluation)
        assert len(partial.values) >= values
        assert len(partial.cotangents) >= slopes
        values, slopes = len(partial.values), len(partial.cotangents)
        stage = view.parts["position"]["stage"]
        wanted = "forward" if done < walk.turn else "loss" if done == walk.turn else "backward"
        assert stage == (wanted if done < walk.count else None)
        if 0 < done < walk.count:
            assert view.parts["position"]["says"]
    assert set(partial.values) == set(evaluation.values)
    assert set(partial.cotangents) == set(evaluation.cotangents)
    view.do("move", grain="operation", by=1)  # the update
    assert (view.parts["position"]["step"], view.parts["position"]["operation"]) == (3, 0)


def test_a_gradient_not_known_yet_is_no_number() -> None:
    view = trained(batch_size=1)
    view.do("go", step=0, stage="forward")

    def texts(x: Any) -> Any:
        if isinstance(x, dict):
            if str(x.get("key", "")).startswith("∂L/∂h.weight") and x.get("shape") == "text":
                yield x
            for inner in x.values():
                yield from texts(inner)
        elif isinstance(x, list):
            for inner in x:
                yield from texts(inner)

    before = list(texts(view.parts["drawing"]))
    assert before
    assert all(x["text"] == "—" and "value" not in x for x in before)
    size = (view.parts["drawing"]["width"], view.parts["drawing"]["height"])
    view.do("go", step=0, stage="backward")
    assert all(x["text"] != "—" for x in texts(view.parts["drawing"]))
    assert (view.parts["drawing"]["width"], view.parts["drawing"]["height"]) == size


def test_a_branch_with_the_same_settings_is_the_training() -> None:
    view = trained()
    view.do("go", step=5)
    view.do("branch", settings={})
    for step in (3, 5, 6, 11, 18):
        view.do("show", branch=0)
        view.do("go", step=step)
        one = state(view)
        view.do("show", branch=None)
        view.do("go", step=step)
        other = state(view)
        one["position"]["branch"] = None
        assert one == other


def test_branches_stand_beside_the_training() -> None:
    view = trained()
    view.do("go", step=6)
    view.do("branch", settings={"learning_rate": 0.2}, name="faster")
    position, curves = view.parts["position"], view.parts["curves"]
    assert position["branches"] == [{"name": "faster", "from": 6, "settings": "learning_rate = 0.2"}]
    assert position["learning_rate"] == 0.2
    assert curves["series"][1]["points"][0][0] == 6
    whole = dict(map(tuple, curves["series"][0]["points"]))
    assert curves["series"][1]["points"][0][1] == whole[6]  # the loss before the first step that differs
    assert curves["series"][1]["points"][2][1] != whole[8]


def test_jumps_say_what_happened() -> None:
    view = trained(optimizer=cr.SGD(1.5), epochs=12)
    view.do("jump", to="start")
    assert view.parts["position"]["step"] == 0
    said = view.do("jump", to="loss rose")
    assert said.startswith("Step ")
    assert "the loss rose from" in said
    view.do("jump", to="end")
    assert "any more" in view.do("jump", to="loss rose")


def test_training_goes_on_where_it_ended() -> None:
    view = trained()
    at_once = trained(epochs=10)
    view.do("train", epochs=4, wait=True)
    assert view.parts["position"]["steps"] == at_once.parts["position"]["steps"]
    for step in (5, 18, 22, 30):
        view.do("go", step=step)
        at_once.do("go", step=step)
        assert state(view)["h.weight"] == state(at_once)["h.weight"]


def test_refusals() -> None:
    view = trained()
    for command, arguments in {
        "go": {"step": 1.5}, "move": {"grain": "year"}, "jump": {"to": "the moon"}, "show": {"branch": 3},
        "play": {"speed": -1}, "branch": {"settings": {"colour": "red"}}, "rows": {"rows": [99]}, "select": {"key": "h.weight[9, 9]"},
        "set": {"key": "h.a[0, 0]", "value": 1.0}, "fly": {}, "setting": {"name": "colour", "value": 1},
    }.items():  # fmt: skip
        before = state(view)
        with pytest.raises(cr.ChainruleError):
            view.do(command, **arguments)
        assert state(view) == before
