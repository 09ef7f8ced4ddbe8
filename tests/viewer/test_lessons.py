"""Lessons: every page can be gone to, every question is answered by the library's number and hides it until then."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest

import chainrule as cr
from chainrule.viewer import lesson
from chainrule.viewer.lessons import LESSONS
from chainrule.viewer.lessons.lesson import judge


def texts_of(key: str, content: Any) -> Any:
    """The texts that a key's number is shown by."""
    if isinstance(content, dict):
        if content.get("key") == key:
            yield content
        for inner in content.values():
            yield from texts_of(key, inner)
    elif isinstance(content, list):
        for inner in content:
            yield from texts_of(key, inner)


def told_in(content: Any) -> Iterator[Any]:
    """All numbers and texts."""
    if isinstance(content, dict | list):
        for inner in content.values() if isinstance(content, dict) else content:
            yield from told_in(inner)
    else:
        yield content


def tells(told: Any, number: float) -> bool:
    """Whether a number or a text of a part tells a number, of either sign; 0.2 is also told by weights that are given."""
    if isinstance(told, str):
        shown = f"{abs(number):.4g}"
        return len(shown) > 4 and len(told) < 5000 and shown in re.sub("<[^>]*>", "", told)
    return isinstance(told, float) and number != 0.2 and math.isclose(abs(told), abs(number), rel_tol=1e-6)


@pytest.mark.parametrize("name", LESSONS)
def test_questions_hide_their_number_until_it_is_told(name: str) -> None:
    view, steps = lesson(name), LESSONS[name].steps
    for panel in view.session.panel_names:
        view.do("panel", name=panel)
    asked = 0
    for page, step in enumerate(steps):
        view.do("lesson", to=page)
        assert view.parts["lesson"]["at"] == page
        if step.question is None:
            assert not view.subject.hidden
            continue
        asked += 1
        key = step.question.key
        number = view.subject.gradient(key) if key.startswith("∂") else view.subject.number(key)
        shown = f"{number:.3g}".replace("-", "−").lstrip("−")
        hidden = [x for x in texts_of(key, dict(view.parts)) if "shape" in x or "mathml" in x]
        assert hidden
        for x in hidden:
            assert "value" not in x or x["value"] is None
            assert shown not in str(x.get("text", ""))
        for depth in ("terms", "factors"):
            view.do("depth", depth=depth)
            assert not [x for x in told_in(dict(view.parts) | {"lesson": None}) if tells(x, number)]
        assert not view.do("answer", question=page, text=str(number * 1.5 + 1))
        assert not view.parts["lesson"]["verdict"]["right"]
        assert view.do("answer", question=page, text=f"{number:.4g}".replace("-", "−"))
        assert view.parts["lesson"]["verdict"]["right"]
        assert not view.subject.hidden
        assert any("value" in x for x in texts_of(key, view.parts["drawing"])) or key not in json.dumps(
            view.parts["drawing"]
        )
    assert asked
    view.do("lesson", to=0)


def test_a_number_can_be_shown() -> None:
    view = lesson("neuron")
    view.do("lesson", to=1)
    assert not view.do("answer", question=1, text="")
    assert view.parts["lesson"]["verdict"]["text"] == "It is 0.2."
    with pytest.raises(cr.ChainruleError, match="no such question"):
        view.do("answer", question=5, text="1")
    with pytest.raises(cr.ChainruleError, match="pages 0 to"):
        view.do("lesson", to=99)


def test_lessons_are_known_by_name() -> None:
    with pytest.raises(cr.ChainruleError, match="neuron"):
        lesson("nuron")


@pytest.mark.parametrize(
    ("text", "number", "right"),
    [
        ("0.25", 0.25, True), ("0,25", 0.25, True), ("−0.13", -0.1266, True), ("0.13", -0.1266, False), ("1", 1.4, False),
        ("1.4", 1.4, True), ("1.5", 1.4, False), ("12e-3", 0.0123, True),
        ("1", 1.0, True), ("0.2", 0.2249, False), ("pi", 3.1, False), ("", 3.1, False),
    ],
)  # fmt: skip
def test_answers_are_judged_by_the_digits_that_were_typed(text: str, number: float, right: bool) -> None:
    assert judge(text, number)[0] is right


def test_the_xor_lesson_ends_with_four_right_answers() -> None:
    view = lesson("xor")
    view.do("rows", rows="all")
    view.do("jump", to="end")
    assert view.subject.number("L") < 0.01


def test_the_gradient_of_the_vanishing_lesson_vanishes() -> None:
    view = lesson("vanishing")
    first, last = (abs(view.subject.gradient(f"{x}.weight[0, 0]") or 0) for x in ("layer_1", "layer_5"))
    assert first < last / 50


@pytest.mark.parametrize("name", ["neuron", "layers", "xor"])
def test_every_operation_of_a_lesson_is_said_in_full(name: str) -> None:
    view = lesson(name)
    view.do("go", step=0, operation=0)
    said = []
    for _ in range(view.parts["position"]["operations"] - 1):
        view.do("move", grain="operation")
        said.append(view.parts["position"]["says"])
    assert all(said)
    assert not [x for x in said if "…" in x]


def test_a_page_answers_a_question() -> None:
    """As a browser does, in one object with the command's own number."""
    view = lesson("neuron")
    view.session.answer({"id": 7, "do": "lesson", "to": 1})
    asked = view.parts["lesson"]["question"]["id"]
    assert view.session.answer({"id": 8, "do": "answer", "question": asked, "text": "0.3"}) == {"id": 8, "ok": False}
    assert view.parts["lesson"]["verdict"]["right"] is False
    assert view.session.answer({"id": 9, "do": "answer", "question": asked, "text": "0.2"}) == {"id": 9, "ok": True}
