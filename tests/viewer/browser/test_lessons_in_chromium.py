"""A lesson on a page, as a learner goes through it: what is answered there is judged, and asked again until it is right."""

import pytest

from chainrule.viewer import lesson
from chainrule.viewer.lessons import LESSONS

pytest.importorskip("starlette", reason="the extra `view` is not installed")


@pytest.mark.parametrize("name", ["neuron", "vanishing"])
def test_a_lesson_is_gone_through(name, tab):
    view = lesson(name)
    tab = tab().go(view.open(browser=False))
    for page, step in enumerate(LESSONS[name].steps):
        tab.wait_for(lambda page=page: view.parts["lesson"]["at"] == page)
        tab.page.get_by_text(step.title, exact=True).wait_for()
        if step.question is not None:
            key = step.question.key
            number = view.subject.gradient(key) if key.startswith("∂") else view.subject.number(key)
            for answer, right in ((3 * number + 1, False), (number, True)):
                tab.page.locator("#answer").fill(f"{answer:.4g}")
                tab.page.locator("#answer").press("Enter")
                tab.wait_for(lambda right=right: (view.parts["lesson"]["verdict"] or {}).get("right") is right)
                tab.page.get_by_text(view.parts["lesson"]["verdict"]["text"], exact=False).first.wait_for()
        if page + 1 < len(LESSONS[name].steps):
            tab.button("Next").click()
    assert tab.complaints == []
    view.close()
