"""Sessions: commands one after the other, parts told when they change, and what goes on by itself."""

import threading
import time
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from waiting import until


@pytest.fixture
def view() -> Any:
    X, y = cr.datasets.xor()
    network = cr.Network([cr.Dense(3, "tanh", name="hidden"), cr.Dense(1, name="output")])
    shown = cr.view(network, X, y, loss="mse", optimizer=cr.SGD(0.3), epochs=40)
    shown.session.start()
    yield shown
    shown.session.close()
    assert not [x for x in threading.enumerate() if x.name == "chainrule-view"]


def asked(view: cr.View, *commands: dict[str, Any]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for command in commands:
        view.session.send(command, answers.append)
    until(lambda: len(answers) == len(commands))
    return answers


def test_commands_are_answered_in_order(view: cr.View) -> None:
    found = asked(view, *({"id": i, "do": "set", "key": "hidden.weight[0, 0]", "value": i} for i in range(20)))
    assert [x["id"] for x in found] == list(range(20))
    assert view.subject.number("hidden.weight[0, 0]") == 19


def test_what_is_refused_is_answered_with_why(view: cr.View) -> None:
    one, two, three, four = asked(
        view,
        {"id": 1, "do": "nothing"},
        {"id": 2, "do": "set", "key": "hidden.weight[0, 0]"},
        {"id": 3, "do": "set", "key": "hidden.weight[0, 0]", "value": "much"},
        {"id": 4, "do": "select", "key": None},
    )
    assert "nothing" in one["error"]
    assert "value" in two["error"]
    assert "finite number" in three["error"]
    assert four == {"id": 4, "ok": None}


def test_listeners_hear_what_has_changed_and_nothing_else(view: cr.View) -> None:
    heard: list[dict[str, Any]] = []
    stop = view.session.listen(lambda changes: heard.append(dict(changes)))
    asked(view, {"id": 1, "do": "select", "key": "output.bias[0]"})
    until(lambda: any("contributions" in x for x in heard))
    assert {name for x in heard for name in x} == {"selection", "derivation", "contributions"}
    asked(view, {"id": 2, "do": "hello"})
    assert set(heard[-1]) == set(view.parts)
    stop()
    count = len(heard)
    asked(view, {"id": 3, "do": "select", "key": None})
    assert len(heard) == count


def test_parts_that_take_long_come_after_the_answer(view: cr.View) -> None:
    at_answer: list[Any] = []
    view.session.send(
        {"id": 1, "do": "select", "key": "output.bias[0]"}, lambda x: at_answer.append(view.parts["contributions"])
    )
    until(lambda: at_answer)
    assert at_answer == [None]
    until(lambda: view.parts["contributions"] is not None)


def test_panels_are_made_while_they_are_open(view: cr.View) -> None:
    assert view.parts["histograms"] is None
    asked(view, {"id": 1, "do": "panel", "name": "histograms", "open": True})
    assert view.parts["histograms"]["groups"]
    asked(view, {"id": 2, "do": "panel", "name": "histograms", "open": False})
    assert view.parts["histograms"] is None


def test_playing_trains_first_and_then_goes_through_it(view: cr.View) -> None:
    asked(view, {"id": 1, "do": "play"})
    until(lambda: view.parts["position"]["steps"] == 40)
    asked(view, {"id": 2, "do": "jump", "to": "start"}, {"id": 3, "do": "play", "grain": "step", "speed": 60})
    until(lambda: view.parts["position"]["step"] > 3)
    asked(view, {"id": 4, "do": "pause"})
    at = view.parts["position"]["step"]
    time.sleep(0.2)
    assert view.parts["position"]["step"] == at
    asked(view, {"id": 5, "do": "play", "by": -1})
    until(lambda: view.parts["position"]["step"] == 0 and view.parts["position"]["playing"] == 0)


def test_a_training_under_way_can_be_looked_at_and_ended() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(3000, 20))
    network = cr.Network([cr.Dense(64, "relu", name="h"), cr.Dense(1, name="o")])
    shown = cr.view(network, X, X[:, :1], loss="mse", epochs=10**7)
    shown.session.start()
    asked(shown, {"id": 1, "do": "train"})
    assert shown.parts["position"]["training"]
    until(lambda: shown.parts["position"]["epoch"] > 2)
    asked(shown, {"id": 2, "do": "select", "key": "o.bias[0]"}, {"id": 3, "do": "pause"})
    until(lambda: not shown.parts["position"]["training"])
    until(lambda: shown.parts["position"]["steps"] > 0)
    assert shown.parts["position"]["epoch"] < 10**7
    shown.session.close()


def test_errors_of_a_training_are_told(view: cr.View) -> None:
    asked(view, {"id": 1, "do": "setting", "name": "learning_rate", "value": 1e20}, {"id": 2, "do": "train"})
    until(lambda: view.parts["notice"] is not None)
    assert view.parts["notice"]["kind"] == "error"
    assert "finite" in view.parts["notice"]["text"]


def test_what_plays_as_slowly_as_can_be_is_paused_at_once(view: cr.View) -> None:
    view.do("train", wait=True)
    view.do("go", step=0)
    assert all(
        "error" not in answer
        for answer in asked(view, {"id": 1, "do": "play", "speed": 1e-300}, {"id": 2, "do": "pause"})
    )
