"""A lesson in a view: its pages, and numbers that are hidden until they were told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chainrule.errors import SettingError, shortened
from chainrule.viewer.component import Component, command, part
from chainrule.viewer.components.reasons import written
from chainrule.viewer.components.time import TIME
from chainrule.viewer.hiding import Hidden
from chainrule.viewer.lessons import Lesson
from chainrule.viewer.lessons.lesson import judge
from chainrule.viewer.subject import MOMENT, Subject
from chainrule.viewer.walk import Walk

LESSON = "lesson"


class Teaching(Component):
    """Where in a lesson one is. `run` carries out the commands of its pages."""

    def __init__(self, subject: Subject, lesson_shown: Lesson, run: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self.subject, self.shown, self.run = subject, lesson_shown, run
        self.at = 0
        self.verdict: dict[str, Any] | None = None
        self.open = False

    @command
    def lesson(self, to: int) -> None:
        """Go to a page."""
        steps = self.shown.steps
        if isinstance(to, bool) or not isinstance(to, int) or not 0 <= to < len(steps):
            raise SettingError(
                f"page {shortened(to)} was asked for; give one of the pages 0 to {len(steps) - 1} of this lesson."
            )
        self.at, self.verdict = to, None
        for name, arguments in steps[to].do:
            self.run(name, arguments)
        question = steps[to].question
        self._hide(None if question is None else question.key)

    def _hide(self, key: str | None) -> None:
        self.open = key is not None
        self.subject.hidden = Hidden() if key is None else Hidden({key: self._number(key)})
        self.subject.topics.touch(LESSON, MOMENT, TIME)

    @command
    def answer(self, question: int, text: str) -> bool:
        """Judge a number that a learner told; an empty text asks for it to be shown. Says whether it was right."""
        asked = self.shown.steps[self.at].question
        if asked is None or question != self.at:
            raise SettingError("there is no such question on this page; give the id of the one that is shown.")
        number = self._number(asked.key)
        if not str(text).strip():
            self.verdict = {"right": False, "text": f"It is {written(number, 6)}."}
            self._reveal(asked.key)
            return False
        right, says = judge(str(text), number)
        self.verdict = {"right": right, "text": says}
        if right:
            self._reveal(asked.key)
        self.subject.topics.touch(LESSON)
        return right

    def _reveal(self, key: str) -> None:
        """Show a number, computed if it was not yet: with all values, or with all gradients as well."""
        if self.subject.done is not None:
            turn = Walk(self.subject.evaluation).turn
            self.subject.done = None if key.startswith("∂") else max(self.subject.done, turn)
        self._hide(None)

    def _number(self, key: str) -> float:
        slope = self.subject.gradient(key) if key.startswith("∂") else self.subject.number(key)
        assert slope is not None
        return slope

    @part(LESSON, name="lesson")
    def _lesson(self) -> dict[str, Any]:
        steps = self.shown.steps
        question = steps[self.at].question
        return {
            "title": self.shown.title,
            "steps": [{"title": step.title, "text": step.text} for step in steps],
            "at": self.at,
            "question": None if question is None else {"id": self.at, "text": question.text, "key": question.key},
            "verdict": self.verdict,
        }
